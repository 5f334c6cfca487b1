//! A stored run: what was asked, where it ran, and what came of it. A report is a function of this alone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Annotation, Arm, BinaryId, FidelityProfile, KnobId, KnobStatus, PassRecord, Policy, RunId,
    RunnerKind, Seed, Terms, TestId, Withdrawal,
};

/// Everything about a run that is known before its first pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// Its identity.
    pub id: RunId,
    /// When it started, RFC 3339 in UTC.
    pub started_at: String,
    /// The seed everything random follows from.
    pub seed: Seed,
    /// Whether the user gave the seed. Such a run replays, but is not joined with others that used the same seed.
    pub seed_given: bool,
    /// The thresholds.
    pub policy: Policy,
    /// The baseline arm.
    pub baseline: FidelityProfile,
    /// The target arm.
    pub target: FidelityProfile,
    /// What became of each knob, in the order of names.
    pub knobs: Vec<KnobStatus>,
    /// Trials at a time.
    pub parallelism: u32,
    /// What has to be equal for two runs to be comparable.
    pub fingerprint: Fingerprint,
    /// What ran the tests.
    #[serde(default)]
    pub runner: RunBy,
    /// The commit of the workspace, where there is one.
    pub revision: Option<Revision>,
    /// Earlier runs whose passes this one joins, frozen at its start, oldest first.
    pub joined: Vec<RunId>,
    /// Values of the target's `one-of` knobs that exposed defects in earlier runs, by their positions in the profile,
    /// frozen at the start: what tests with a suspicious history are screened under.
    #[serde(default)]
    pub exposing: BTreeMap<KnobId, Vec<u32>>,
    /// The test binaries, sorted by id; empty where nobody knew: for what was ingested, or run by a command, and in runs of
    /// earlier versions.
    #[serde(default)]
    pub binaries: Vec<BinaryFacts>,
    /// Whether its passes ran elsewhere and were ingested. Such a run joins others of its kind only, and is judged by the
    /// rule for blocks.
    #[serde(default)]
    pub ingested: bool,
    /// Runs of ingested passes that are evidence no more, for this run and for those that join it.
    #[serde(default)]
    pub withdraws: Vec<Withdrawal>,
    /// The version of the tool.
    pub tool_version: String,
    /// The command line after `cargo fidelity`, secrets left out.
    pub arguments: Vec<String>,
    /// The workspace root.
    pub workspace: PathBuf,
    /// What people should know about the run: doctests not run, knobs of no use, environment remarks.
    pub problems: Vec<Problem>,
}

/// What is known of a test binary beside its tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryFacts {
    /// Its id.
    pub id: BinaryId,
    /// The name of the package it belongs to.
    pub package: String,
    /// The name of its target.
    pub target: String,
    /// lib, bin, test, example, bench or proc-macro; `command` where a command runs its tests.
    pub kind: String,
}

impl BinaryFacts {
    /// Returns what is known of what a command reports tests of.
    pub fn of_command(id: &BinaryId) -> Self {
        Self {
            id: id.clone(),
            package: id.0.clone(),
            target: id.0.clone(),
            kind: COMMAND.to_owned(),
        }
    }
}

/// The kind of a binary whose tests a command runs.
pub(super) const COMMAND: &str = "command";

/// What runs the tests of a run. The default is the tool itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunBy {
    /// The kind of runner; never `Auto`, which stands for the direct one where nothing is said.
    pub kind: RunnerKind,
    /// Its name, for people: `cargo-nextest 0.9.143`, or the command as it is written. Empty for the direct one.
    pub name: String,
    /// Why it was chosen, for people; empty where it was asked for.
    pub reason: String,
    /// Whether each pass runs the whole suite, whichever tests it is about.
    pub runs_all: bool,
    /// Whether the selected tests are everything it would run.
    pub everything: bool,
}

impl RunBy {
    /// Returns the word for its kind: `direct`, `nextest` or `command`.
    pub fn kind_word(&self) -> &'static str {
        match self.kind {
            RunnerKind::Auto => RunnerKind::Direct.word(),
            kind => kind.word(),
        }
    }
}

/// What has to be equal for the passes of two runs to be joined. Each part is a hash in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Contents of the test binaries.
    pub binaries: String,
    /// Effective values of both profiles, and what of them was applied.
    pub profiles: String,
    /// `rustc -vV` and `Cargo.lock`.
    pub toolchain: String,
}

/// The commit a run was made at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Full commit id in hexadecimal.
    pub commit: String,
    /// Whether tracked files differed from it.
    pub dirty: bool,
}

/// A test in a run's list, which is sorted by identity. An observation's [`super::TestIndex`] points into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedTest {
    /// The test.
    pub id: TestId,
    /// Whether this run executes it. Tests of joined runs that the filter leaves out are listed, but not executed.
    pub selected: bool,
    /// Whether earlier runs that this one does not join give a reason to screen it harder. Frozen before the first pass.
    pub suspicious: bool,
    /// What its authors say of it, and what follows for this run; none for a test without an annotation. Boxed: most
    /// have none.
    pub terms: Option<Box<Terms>>,
}

impl ListedTest {
    /// Returns what its authors say of it.
    pub fn annotation(&self) -> Option<&Annotation> {
        self.terms.as_ref().map(|terms| &terms.annotation)
    }

    /// Returns whether this run executes it in an arm.
    pub fn runs_in(&self, arm: Arm) -> bool {
        self.selected && self.absent_from(arm).is_none()
    }

    /// Returns why it is not run in an arm although it was selected; none where it is run.
    pub fn absent_from(&self, arm: Arm) -> Option<&str> {
        self.terms.as_ref()?.absent_from(arm)
    }

    /// Returns whether both arms run it, so that they can be compared.
    pub fn is_compared(&self) -> bool {
        Arm::BOTH
            .into_iter()
            .all(|arm| self.absent_from(arm).is_none())
    }

    /// Returns the failure rate that is still "passes" for it.
    pub fn tolerance(&self, policy: &Policy) -> f64 {
        self.annotation()
            .and_then(|annotation| annotation.tolerance)
            .unwrap_or(policy.tolerance)
    }
}

/// Something people should know that is neither an error nor an outcome.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// A fixed word for programs: `doctests-not-run`, `knob-not-applied`, `leaked-processes` ...
    pub kind: String,
    /// The sentence for people.
    pub message: String,
}

/// Why a run stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// Every suspect is decided or given up by the rules.
    Decided,
    /// The time limit was reached.
    OutOfTime,
    /// The limit of trials was reached.
    OutOfTrials,
    /// Everything it was given was taken in: a run of passes that ran elsewhere.
    Ingested,
    /// The user interrupted it.
    Interrupted,
    /// The environment could not be provided, or changed under the run.
    Environment {
        /// What happened, for people.
        reason: String,
    },
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnd {
    /// Why it stopped.
    pub stop: StopReason,
    /// Its wall time in milliseconds, resumed parts added up.
    pub wall_ms: u64,
    /// What its passes gave reason to say, beside what was seen of tests.
    #[serde(default)]
    pub problems: Vec<Problem>,
}

/// A run as the store gives it back.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRun {
    /// What was known before the first pass.
    pub header: RunHeader,
    /// The tests, sorted by identity. Runs with the same list may share it.
    pub tests: Arc<[ListedTest]>,
    /// The passes in order. Only the last may be without an end.
    pub passes: Vec<PassRecord>,
    /// How it ended; none while it runs, or if it was killed.
    pub end: Option<RunEnd>,
}
