//! What a run remembers of the question it was asked, and which earlier runs it may join.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use fidelity_core::config::{Settings, preset_names};
use fidelity_core::domain::{
    Annotation, Arm, BinaryFacts, Fingerprint, KnobId, KnobStatus, ListedTest, Problem, RunHeader,
    RunId, RunnerKind, Seed, StoredRun, TestId,
};
use fidelity_core::exec::Arms;
use fidelity_core::history;
use fidelity_core::plan::Conditions;
use fidelity_core::report::ASKED_KNOB_NOT_APPLIED;
use fidelity_core::revision::revision;
use fidelity_core::store::Store;
use fidelity_core::suite::annotation::arms::{Provided, unknown_names};
use fidelity_core::suite::{CargoOptions, Suite};
use fidelity_core::urls::without_users;

use super::subject::Subject;
use crate::cli::RunArgs;
use crate::error::{CliError, ErrorKind};

/// Everything a header is made of.
pub struct Facts<'a> {
    pub settings: Settings,
    pub knobs: Vec<KnobStatus>,
    pub subject: &'a Subject,
    pub cargo: &'a CargoOptions,
    pub parallelism: u32,
    pub arguments: &'a RunArgs,
}

impl Facts<'_> {
    /// Returns the header of a new run, with a fresh id and, unless one is given, a fresh seed.
    pub fn header(self) -> Result<RunHeader, CliError> {
        let Subject {
            root, by, suite, ..
        } = self.subject;
        let built = self.subject.fingerprint(self.cargo)?;
        let Settings {
            baseline,
            target,
            policy,
            notes,
            asked,
            ..
        } = self.settings;
        let profiles = Conditions {
            baseline: &baseline,
            target: &target,
            knobs: &self.knobs,
            parallelism: self.parallelism,
            timeout_ms: policy.timeout_ms,
            arguments: &self.arguments.arguments,
            runner: by,
        }
        .fingerprint();
        let mut problems = suite.problems.clone();
        problems.extend(notes);
        problems.extend(asked_in_vain(&self.knobs, &asked));
        let revision = revision(root).unwrap_or_else(|error| {
            let (kind, message) = ("revision-unknown".to_owned(), error.to_string());
            problems.push(Problem { kind, message });
            None
        });
        problems.sort();
        // 53 bits, so that every reader of JSON can hold it.
        let (id, fresh) = (random_bits()?, Seed((random_bits()? >> 75) as u64));
        let seed = self.arguments.budget.seed;
        Ok(RunHeader {
            id: RunId(id),
            started_at: now(),
            seed: seed.map_or(fresh, Seed),
            seed_given: seed.is_some(),
            policy,
            baseline,
            target,
            knobs: self.knobs,
            parallelism: self.parallelism,
            fingerprint: Fingerprint {
                binaries: built.binaries,
                profiles,
                toolchain: built.toolchain,
            },
            runner: by.clone(),
            revision,
            joined: Vec::new(),
            exposing: BTreeMap::new(),
            binaries: binaries(self.subject),
            ingested: false,
            withdraws: Vec::new(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            arguments: typed(),
            workspace: root.clone(),
            problems,
        })
    }
}

/// Returns what is known of the test binaries; nothing where a command runs the tests.
fn binaries(subject: &Subject) -> Vec<BinaryFacts> {
    match subject.by.kind {
        RunnerKind::Command => Vec::new(),
        _ => subject.suite.binaries.iter().map(Into::into).collect(),
    }
}

/// Returns a problem for each of the knobs `asked` for that was not applied.
fn asked_in_vain<'a>(
    knobs: &'a [KnobStatus],
    asked: &'a BTreeSet<KnobId>,
) -> impl Iterator<Item = Problem> + 'a {
    knobs
        .iter()
        .filter(|status| !status.applied && asked.contains(&status.knob))
        .map(|KnobStatus { knob, reason, .. }| Problem {
            kind: ASKED_KNOB_NOT_APPLIED.to_owned(),
            message: format!("`{knob}` was asked for and not applied: {reason}"),
        })
}

/// Takes from the choices of both arms what cannot be applied here, and notes it: what a run stores is what it draws from.
pub fn narrow(settings: &mut Settings, runner: &dyn Arms) {
    for profile in [&mut settings.baseline, &mut settings.target] {
        let taken = runner.taken_away(profile).into_iter();
        let notes = taken.map(|(knob, value, reason)| Problem {
            kind: "knob-value-not-applied".to_owned(),
            message: format!(
                "{knob} is never {} in {}, which was one of its values: {reason}",
                value.without_users(),
                profile.name
            ),
        });
        settings.notes.extend(notes);
        *profile = runner.narrowed(profile);
    }
}

/// Returns the moment, to the second, in RFC 3339.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}

/// Returns the arguments after `cargo fidelity` as they were typed, but for the users and passwords in URLs.
pub(super) fn typed() -> Vec<String> {
    std::env::args_os()
        .skip(2)
        .map(|argument| without_users(&argument.to_string_lossy()))
        .collect()
}

/// Returns 128 random bits of the operating system.
pub fn random_bits() -> Result<u128, CliError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        CliError::new(
            ErrorKind::Internal,
            format!("the system gives no random numbers: {error}"),
        )
    })?;
    Ok(u128::from_le_bytes(bytes))
}

/// Returns the chosen tests as a run lists them, sorted by identity.
pub fn chosen(suite: &Suite, selected: &[usize]) -> Vec<ListedTest> {
    let mut tests: Vec<ListedTest> = selected
        .iter()
        .filter_map(|position| suite.tests.get(*position))
        .map(|test| ListedTest {
            id: test.id.clone(),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect();
    tests.sort_by(|a, b| a.id.cmp(&b.id));
    tests
}

/// Returns the earlier runs whose passes join: every run that asked the same of the same binaries, or none.
pub fn joinable(store: &dyn Store, header: &RunHeader) -> Result<Vec<StoredRun>, CliError> {
    if !header.policy.reuse {
        return Ok(Vec::new());
    }
    let comparable = store.comparable(&header.fingerprint)?;
    let others = comparable.iter().filter(|run| run.seed != header.seed);
    let others: Vec<RunId> = others.map(|run| run.id).collect();
    Ok(store.load_all(&others)?)
}

/// Says of each test what its authors say, and in which arms it is run for that; adds what is odd about it to the notes.
///
/// To be called once it is known which knobs have an effect.
pub fn set_terms(
    tests: &mut [ListedTest],
    suite: &Suite,
    settings: &mut Settings,
    knobs: &[KnobStatus],
) {
    let annotated = suite.tests.iter().filter_map(|test| {
        let annotation = test.annotation.as_deref()?;
        Some((&test.id, (test.binary, annotation)))
    });
    let annotated: BTreeMap<&TestId, (usize, &Annotation)> = annotated.collect();
    let services = settings.provides.each_ref().map(Vec::as_slice);
    let environments = Environments::of(suite);
    for test in tests {
        let Some((binary, annotation)) = annotated.get(&test.id) else {
            continue;
        };
        let provided = Provided {
            profiles: [&settings.baseline, &settings.target],
            services,
            knobs,
            ambient: &|name| environments.has(*binary, name),
        };
        test.terms = Some(Box::new(provided.terms(annotation)));
    }
    let mut profiles = settings.profile_names.clone();
    profiles.extend(preset_names().map(str::to_owned));
    let arms = [&settings.baseline, &settings.target];
    profiles.extend(arms.map(|profile| profile.name.clone()));
    let annotations = annotated.values().map(|(_, annotation)| *annotation);
    let unknown = unknown_names(annotations, &profiles, arms, services);
    settings.notes.extend(unknown);
}

/// Returns, by arm, what tests need that an arm they are meant for does not provide. Knobs are taken to have the effect that
/// is asked of them.
pub fn lacking<'a>(suite: &'a Suite, settings: &Settings) -> BTreeMap<&'a TestId, Lacks<'a>> {
    let arms = [&settings.baseline, &settings.target];
    let services = settings.provides.each_ref().map(Vec::as_slice);
    let environments = Environments::of(suite);
    let lacks = suite.tests.iter().filter_map(|test| {
        let annotation = test.annotation.as_deref()?;
        let provided = Provided {
            profiles: arms,
            services,
            knobs: &[],
            ambient: &|name| environments.has(test.binary, name),
        };
        let lacks = Arm::BOTH.map(|arm| {
            let (meant, name) = (&annotation.profiles, &arms[arm.index()].name);
            let is_meant = meant.is_empty() || meant.contains(name);
            is_meant.then(|| provided.lacks(annotation, arm))?
        });
        Some((&test.id, lacks))
    });
    lacks.collect()
}

/// What a test lacks, by arm.
pub type Lacks<'a> = [Option<&'a str>; 2];

/// The environment variables that each binary is given.
struct Environments<'a>(Vec<BTreeSet<&'a OsStr>>);

impl<'a> Environments<'a> {
    fn of(suite: &'a Suite) -> Self {
        let binaries = suite.binaries.iter();
        let names = binaries.map(|binary| {
            let given = binary.environment.iter();
            given.map(|(name, _)| name.as_os_str()).collect()
        });
        Self(names.collect())
    }

    fn has(&self, binary: usize, name: &str) -> bool {
        let given = self.0.get(binary);
        given.is_some_and(|given| given.contains(OsStr::new(name)))
    }
}

/// Says, of a suite with tests that need something, what is assumed where no knob was tried.
pub fn assumed(suite: &Suite) -> Option<Problem> {
    let needs = |annotation: &Annotation| !annotation.needs.is_empty();
    let mut said = suite
        .tests
        .iter()
        .filter_map(|test| test.annotation.as_deref());
    said.any(needs).then(|| Problem {
        kind: "knobs-assumed".to_owned(),
        message: "where tests are run is told as if every knob could be applied on this machine: \
                  `cargo fidelity doctor` tries them"
            .to_owned(),
    })
}

/// Adds the tests that only joined runs list; they belong to the family of suspects, but are not executed.
pub fn with_joined(tests: Vec<ListedTest>, joined: &[StoredRun]) -> Vec<ListedTest> {
    let mut all: BTreeMap<TestId, ListedTest> = BTreeMap::new();
    for test in joined.iter().flat_map(|run| run.tests.iter()) {
        let listed = ListedTest {
            selected: false,
            suspicious: false,
            ..test.clone()
        };
        all.insert(test.id.clone(), listed);
    }
    all.extend(tests.into_iter().map(|test| (test.id.clone(), test)));
    all.into_values().collect()
}

/// Marks what earlier runs that do not join give a reason to screen harder, and under which values.
///
/// A run with a given seed repeats another, or is meant to be repeated: it takes what the first run with this seed was
/// told, so that the same passes follow.
pub fn look_back(
    store: &dyn Store,
    header: &mut RunHeader,
    tests: &mut [ListedTest],
) -> Result<(), CliError> {
    if header.policy.screen.extra() == 0 {
        return Ok(());
    }
    if !header.seed_given {
        let past = store.failures_before(history::RUNS, &header.joined)?;
        history::mark_suspicious(tests, &past);
        if tests.iter().any(|test| test.suspicious) {
            header.exposing = history::exposing(&header.target, &past);
        }
    } else if let Some(first) = store.first_with_seed(header.seed)? {
        let first = store.load(first)?;
        if first.header.target.has_same_values(&header.target) {
            header.exposing = first.header.exposing;
        }
        let suspicious: BTreeSet<TestId> = first
            .tests
            .iter()
            .filter(|test| test.suspicious)
            .map(|test| test.id.clone())
            .collect();
        for test in tests {
            test.suspicious = test.selected && suspicious.contains(&test.id);
        }
    }
    Ok(())
}
