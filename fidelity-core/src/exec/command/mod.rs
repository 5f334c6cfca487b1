//! Suites that a command runs as a whole and that report in JUnit. cargo-nextest is one that this tool knows well.
//!
//! A pass is one run of the command, started through a guardian in the environment of the arm like any trial. What counts of it
//! is what its reports say; what they do not name was not reported. A pass without a report is an environment that was not
//! provided, and never a failing test. Must not know: statistics, schedules, storage. Invariants: both arms run the same
//! command in the same way; only files that the pass has written are read; nothing it started outlives it.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use self::account::{Ended, Heard};
use self::hearing::perform;
use self::notes::Notes;
use self::reports::Patterns;
use self::select::Named;
use self::sources::Watch;
use super::direct::{DirectRunner, Manners, RunnerOptions};
use super::guardian::protocol::Ending;
use super::{Arms, ExecError, Runner};
use crate::domain::{
    Environment, FidelityProfile, KnobId, KnobStatus, KnobValue, ListedTest, MachineLoad,
    Observation, PassEnd, PassSpec, Problem, TestId, TestIndex,
};
use crate::ingest::junit::Case;
use crate::suite::Suite;

mod account;
mod any;
mod cut_short;
mod hearing;
pub mod nextest;
mod notes;
mod reports;
mod select;
pub mod sources;
mod words;
pub use any::{AnyCommand, CommandError};

/// How long a pass may take where nothing else is said, in milliseconds.
pub const USUAL_TIMEOUT_MS: u64 = 30 * 60_000;

/// How long a command that was interrupted at its limit may take to write its report. cargo-nextest gives tests 10 s.
const GRACE_MS: u64 = 15_000;

/// The tests that a tool is to run, with how reports name them where one has.
type Only<'a> = [(&'a TestId, Option<&'a Named>)];

/// What a tool is asked for.
struct Call<'a> {
    /// The tests to run; none for all of them.
    only: Option<&'a Only<'a>>,
    /// The directory for reports.
    reports: &'a Path,
    /// Tests at a time, where an arm says so.
    threads: Option<usize>,
    /// What the time limit of a trial is multiplied by.
    timeout_factor: u32,
}

/// What to start for a call.
struct Prepared {
    command: Vec<OsString>,
    secrets: Vec<String>,
    patterns: Patterns,
    rules: crate::ingest::naming::Rules,
}

/// A tool that runs a suite and reports in JUnit.
trait Tool {
    /// Returns the command for a call.
    ///
    /// # Errors
    /// The reason, for people, why there is none.
    fn prepare(&self, call: &Call<'_>) -> Result<Prepared, String>;

    /// Returns which test a case of its report is, where it knows better than the rules for names.
    fn identify(&self, _case: &Case) -> Option<TestId> {
        None
    }

    /// Returns what it asks of the runner that imposes environments on it.
    fn manners(&self) -> Manners;

    /// Returns whether it can run some tests without the others.
    fn selects(&self) -> bool;

    /// Returns whether it can run these without the others.
    fn selects_these(&self, only: &Only<'_>) -> bool;

    /// Returns the check of its manners as people write it.
    fn check_in_words(&self) -> String;

    /// Takes the time limits that authors give single tests, in milliseconds, as far as it can obey them.
    fn set_limits(&mut self, _limits: BTreeMap<TestId, u64>) {}

    /// Returns the time limit of a test in milliseconds, where reports of the tool say which signal ended a test.
    fn limit_ms(&self, _test: &TestId) -> Option<u64> {
        None
    }

    /// Returns what is to be said of how it runs tests.
    fn remarks(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Returns where it runs, and in what environment before an arm changes it.
    fn place(&self) -> (&Path, &[(OsString, OsString)]);
}

/// Runs a suite by a command.
pub struct CommandRunner {
    ground: DirectRunner,
    tool: Box<dyn Tool>,
    timeout_ms: u64,
    listed: Vec<TestId>,
    known: Known,
    /// How many tests a pass has that needs no selection; none where even all of them do.
    everything: Option<usize>,
    /// How reports call the tests.
    names: BTreeMap<TestId, Named>,
    watch: Watch,
    notes: Notes,
    /// Whether the command was told which tests to run, and ran none of them.
    misunderstood: bool,
    /// The end of what a command printed whose pass did not count.
    printed: Option<String>,
}

/// A suite as a first pass of its command reports it.
#[derive(Debug, Default)]
pub struct Discovered {
    /// The tests, sorted.
    pub tests: Vec<TestId>,
    /// What should be known of it.
    pub problems: Vec<Problem>,
}

impl CommandRunner {
    fn new(
        tool: Box<dyn Tool>,
        (suite, options): (&Suite, RunnerOptions),
        (timeout_ms, watch): (Option<u64>, Watch),
    ) -> Result<Self, ExecError> {
        let mut ground = DirectRunner::new(suite, &[], options)?;
        ground.set_manners(tool.manners());
        Ok(Self {
            ground,
            tool,
            timeout_ms: timeout_ms.unwrap_or(USUAL_TIMEOUT_MS),
            listed: Vec::new(),
            known: BTreeMap::new(),
            everything: None,
            names: BTreeMap::new(),
            watch,
            notes: Notes::default(),
            misunderstood: false,
            printed: None,
        })
    }

    /// Says which directories developers own as a rule: see [`DirectRunner::set_checkout`].
    pub fn set_checkout(&mut self, directories: Vec<PathBuf>) {
        self.ground.set_checkout(directories);
    }

    /// Returns whether each pass runs the whole suite, whichever tests it is about.
    pub fn runs_all(&self) -> bool {
        self.misunderstood || !self.tool.selects()
    }

    /// Returns whether a pass over these tests needs no selection.
    fn is_everything(&self, tests: &[TestIndex]) -> bool {
        self.runs_all() || self.everything == Some(tests.len())
    }

    /// Says whether the run's selected tests are all that the command would run, so that a pass over them selects none.
    pub fn set_everything(&mut self, everything: bool, listed: &[ListedTest]) {
        let selected = listed.iter().filter(|test| test.selected).count();
        self.everything = everything.then_some(selected);
    }

    /// Runs the whole suite once under `environment`, and returns the tests its reports name. It is no pass: no outcome of it is
    /// kept, so that the list is frozen before the first arm is drawn.
    ///
    /// # Errors
    /// [`ExecError::CommandUnfit`] where it reports nothing; else as [`Runner::run_pass`].
    pub fn discover(&mut self, environment: &Environment) -> Result<Discovered, ExecError> {
        let mut found = Discovered::default();
        let mut ids = BTreeSet::new();
        let first = Task {
            number: 0,
            seed: 0,
            only: None,
            timeout_factor: 1,
        };
        let end = self.run(environment, &first, &mut |heard, ended, _, _| {
            if let Some(reason) = account::discarded_because(&heard, ended) {
                return Err(reason);
            }
            ids.extend(heard.trials.into_iter().map(|trial| trial.id));
            found
                .problems
                .extend(heard.broken.into_iter().map(notes::broken));
            Ok(())
        })?;
        if let Some(reason) = end.discarded_because() {
            let reason = reason.to_owned();
            return Err(ExecError::CommandUnfit { reason });
        }
        found.tests = ids.into_iter().collect();
        Ok(found)
    }

    /// Runs the command for `task` and hands what its reports say to `hearing`, whose error is why that does not count.
    fn run(
        &mut self,
        environment: &Environment,
        task: &Task<'_>,
        hearing: &mut Hearing<'_>,
    ) -> Result<PassEnd, ExecError> {
        self.watch.check()?;
        self.ground.check_binaries()?;
        let only = task
            .only
            .map(|tests| named(tests, &self.listed, &self.names));
        let factor = task.timeout_factor;
        let timeout_ms = self.timeout_ms.saturating_mul(u64::from(factor));
        let mut names = Vec::new();
        let (tool, watch, printed) = (&self.tool, &mut self.watch, &mut self.printed);
        let (known, notes) = (&self.known, &mut self.notes);
        let number = (task.number, task.seed);
        let end = self
            .ground
            .in_environment(environment, number, &mut |ground, provided| {
                let call = Call {
                    only: only.as_deref(),
                    reports: &provided.reports(),
                    threads: provided.sandbox.threads,
                    timeout_factor: factor,
                };
                let limits = (timeout_ms, task.seed);
                let (end, said) = match perform(ground, tool.as_ref(), (&call, provided), limits)? {
                    Ok(ended) => ended,
                    Err(reason) => return Ok(PassEnd::Discarded { reason }),
                };
                names.extend(said.names);
                // What ran while the code changed is no trial of it.
                watch.check()?;
                ground.check_binaries()?;
                let ended = Ended {
                    words: &end.in_words(),
                    well: end.ending == Ending::Exited(0),
                    timed_out: cut_short::was_cut(&end.ending, &end.output),
                    printed: notes::last_words(&end.output),
                    leaked: end.leaked,
                };
                Ok(match hearing(said.heard, &ended, known, notes) {
                    Ok(()) => PassEnd::Completed,
                    Err(reason) => {
                        *printed = notes::tail(&end.output);
                        PassEnd::Discarded { reason }
                    }
                })
            });
        self.names.extend(names);
        end
    }
}

/// Returns tests with their names.
fn named<'a>(
    tests: &[TestIndex],
    listed: &'a [TestId],
    names: &'a BTreeMap<TestId, Named>,
) -> Vec<(&'a TestId, Option<&'a Named>)> {
    let ids = tests.iter().filter_map(|test| listed.get(test.get()));
    ids.map(|id| (id, names.get(id))).collect()
}

/// Takes what the reports of a command say and how it ended. The error is why the pass does not count.
type Hearing<'a> = dyn FnMut(Heard, &Ended<'_>, &Known, &mut Notes) -> Result<(), String> + 'a;

/// The places of tests in the list of the run.
type Known = BTreeMap<TestId, TestIndex>;

/// What a run of the command is for.
struct Task<'a> {
    number: u32,
    seed: u64,
    /// The tests it is about; none for all.
    only: Option<&'a [TestIndex]>,
    timeout_factor: u32,
}

impl Runner for CommandRunner {
    fn run_pass(
        &mut self,
        spec: &PassSpec,
        tests: &[TestIndex],
        environment: &Environment,
        seen: &mut dyn FnMut(Vec<Observation>) -> ControlFlow<()>,
    ) -> Result<PassEnd, ExecError> {
        // All of it was stored before the tool was killed.
        if tests.is_empty() {
            return Ok(PassEnd::Completed);
        }
        let whole = self.is_everything(&spec.tests);
        let unable = self.runs_all_for(tests);
        if unable {
            self.notes.could_not_select();
        }
        let task = Task {
            number: spec.number,
            seed: spec.order_seed,
            only: (!whole).then_some(tests),
            timeout_factor: spec.timeout_factor.max(1),
        };
        let misunderstood = Cell::new(false);
        let mut hear = |heard: Heard, ended: &Ended<'_>, known: &Known, notes: &mut Notes| {
            let selected = !whole && !unable;
            misunderstood.set(selected && account::names_none(&heard, tests, known));
            let (batch, remarks) = account::observe(heard, tests, known, ended)?;
            notes.take(remarks, ended);
            // In one go: a pass is stored as a whole or not at all.
            let _flow = seen(batch);
            Ok(())
        };
        let end = self.run(environment, &task, &mut hear)?;
        if misunderstood.get() {
            // That is a matter of names, and no fault of the environment: such a tool is told no names any more. The pass is
            // made again, as one among all tests.
            self.misunderstood = true;
            self.notes.could_not_select();
        }
        Ok(end)
    }

    fn runs_all_for(&self, tests: &[TestIndex]) -> bool {
        let selects = || {
            self.tool
                .selects_these(&named(tests, &self.listed, &self.names))
        };
        !self.is_everything(tests) && !selects()
    }

    fn machine(&self) -> Option<MachineLoad> {
        self.ground.machine()
    }
}

impl Arms for CommandRunner {
    fn apply(
        &mut self,
        baseline: &FidelityProfile,
        target: &FidelityProfile,
        production: &BTreeMap<KnobId, KnobValue>,
    ) -> Result<Vec<KnobStatus>, ExecError> {
        // A check that fails without any knob says nothing about knobs.
        if let Err(reason) = self.ground.check_as_things_are()? {
            let command = self.tool.check_in_words();
            return Err(ExecError::CheckFailed { command, reason });
        }
        self.ground.apply(baseline, target, production)
    }

    fn narrowed(&self, profile: &FidelityProfile) -> FidelityProfile {
        self.ground.narrowed(profile)
    }

    fn taken_away(&self, profile: &FidelityProfile) -> Vec<(KnobId, KnobValue, String)> {
        self.ground.taken_away(profile)
    }

    fn set_tests(&mut self, _suite: &Suite, listed: &[ListedTest]) {
        self.listed = listed.iter().map(|test| test.id.clone()).collect();
        self.known = self
            .listed
            .iter()
            .cloned()
            .zip((0..).map(TestIndex))
            .collect();
        let limit = |test: &ListedTest| Some((test.id.clone(), test.annotation()?.timeout_ms?));
        self.tool
            .set_limits(listed.iter().filter_map(limit).collect());
    }

    fn remarks(&self) -> Vec<Problem> {
        let mut remarks = self.tool.remarks();
        remarks.extend(self.notes.problems(&self.listed));
        remarks
    }

    fn printed(&self) -> Option<&str> {
        self.printed.as_deref()
    }
}
