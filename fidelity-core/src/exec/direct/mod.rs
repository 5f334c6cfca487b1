//! The direct runner: starts test binaries itself, one process per test, through a pool of guardians.
//!
//! Must not know: statistics, schedules, storage. Invariants: both arms take the same way to a trial and get a fresh
//! temporary directory per pass, whose path does not tell the arm; nothing outlives the runner.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use self::located::{Located, located};
use self::pool::{Pool, Work};
use self::recipe::Recipe;
use self::refusal::Refusal;
use self::slot::{Finished, Job};
use self::together::{Pass, Together};
use self::user::Mappings;
use super::meter::Meter;
use super::run_directory::RunDirectory;
use super::sandbox::{Identity, Sandbox};
use super::secrets::Mask;
use super::{Arms, ExecError, Runner};
use crate::domain::{
    Environment, FidelityProfile, KnobId, KnobStatus, KnobValue, ListedTest, MachineLoad,
    Observation, PassEnd, PassSpec, Problem, TestIndex,
};
use crate::suite::{Suite, TestBinary};

mod applying;
mod beside;
mod binary;
mod faketime;
mod furnishing;
mod located;
mod narrowing;
mod order;
mod pool;
mod probe;
mod reach;
mod recipe;
mod refusal;
mod several;
mod shared;
mod slot;
mod together;
mod trial;
mod trying;
mod user;
mod whole;

pub(super) use recipe::find_program;
pub use trying::Trier;
pub(super) use whole::{Manners, Process, ProcessEnd, Provided};

/// How trials are run.
#[derive(Debug)]
pub struct RunnerOptions {
    /// The executable that becomes guardian and canary: it must call [`super::guardian::main`] and
    /// [`super::canary::main`] for their arguments. [`RunnerOptions::this_executable`] is the usual one.
    pub helper: PathBuf,
    /// Trials at a time, at least 1, where the `threads` knob says nothing else.
    pub slots: usize,
    /// Time limit of a trial in milliseconds.
    pub timeout_ms: u64,
    /// Arguments for every test, after the name.
    pub arguments: Vec<OsString>,
    /// Becomes readable, and stays so, when the user interrupts the run.
    pub wake: Option<OwnedFd>,
    /// Where the run directory is made; the system's temporary directory by default.
    pub parent: Option<PathBuf>,
}

impl RunnerOptions {
    /// Returns the executable of this very process, which stays the same even if its file is replaced.
    pub fn this_executable() -> PathBuf {
        let link = PathBuf::from("/proc/self/exe");
        if link.exists() {
            return link;
        }
        std::env::current_exe().unwrap_or(link)
    }
}

/// Runs test binaries directly.
pub struct DirectRunner {
    binaries: Vec<TestBinary>,
    /// How each binary looked when the runner was made.
    stamps: Vec<binary::Stamp>,
    /// By binary, the tests it lists, sorted, and whether each is ignored.
    names: Vec<Vec<(String, bool)>>,
    /// By [`TestIndex`]; none for a test that is listed, but not in this suite.
    tests: Vec<Option<Located>>,
    options: RunnerOptions,
    /// Knobs that are not imposed, because they could not be.
    dropped: BTreeSet<KnobId>,
    /// Values that could not be applied, with the reason.
    refused: BTreeMap<KnobId, BTreeMap<KnobValue, String>>,
    /// Directories that a test's user finds to be its own.
    checkout: Vec<PathBuf>,
    /// What was found out about the owners that can be mapped for a user.
    mappings: BTreeMap<Identity, Mappings>,
    /// Whether this machine allows mounts of one's own, once that was tried.
    mounts: OnceCell<Result<(), String>>,
    pool: Pool,
    meter: Meter,
    machine: Option<MachineLoad>,
    /// Tests whose own time limit does not hold, because they share a process with others.
    outwaited: BTreeSet<TestIndex>,
    /// Where a whole command is run instead of test binaries: what it asks.
    manners: Option<Manners>,
    run_directory: Option<RunDirectory>,
}

impl DirectRunner {
    /// Makes the run directory and a runner for the tests of `suite`; `listed` is the run's list, into which every
    /// [`TestIndex`] points. The first guardian starts now, the others when they are needed.
    ///
    /// # Errors
    /// Where the run directory cannot be made, or a test binary is not there.
    pub fn new(
        suite: &Suite,
        listed: &[ListedTest],
        mut options: RunnerOptions,
    ) -> Result<Self, ExecError> {
        let parent = options.parent.clone().unwrap_or_else(std::env::temp_dir);
        let stamps = suite
            .binaries
            .iter()
            .map(|binary| binary::Stamp::of(&binary.path))
            .collect::<Result<_, _>>()?;
        let failed = |error| {
            ExecError::system(
                format!("make a run directory in {}", parent.display()),
                error,
            )
        };
        let path = RunDirectory::reserve(&parent).map_err(failed)?;
        let mut pool = Pool::new(options.helper.clone(), path.clone(), options.wake.take());
        pool.open(1)?;
        let run_directory = RunDirectory::join(&path).map_err(failed)?;
        Ok(Self {
            binaries: suite.binaries.clone(),
            stamps,
            names: located::names(suite),
            tests: located(suite, listed),
            options,
            dropped: BTreeSet::new(),
            refused: BTreeMap::new(),
            checkout: Vec::new(),
            mappings: BTreeMap::new(),
            mounts: OnceCell::new(),
            meter: Meter::new(pool.used_us()),
            machine: None,
            outwaited: BTreeSet::new(),
            manners: None,
            pool,
            run_directory: Some(run_directory),
        })
    }

    /// Points every [`TestIndex`] into another list from now on.
    pub fn set_tests(&mut self, suite: &Suite, listed: &[ListedTest]) {
        self.tests = located(suite, listed);
    }

    /// Says which directories developers own as a rule: the workspace, the target directory. A test that runs as another
    /// user finds them to be that user's.
    pub fn set_checkout(&mut self, directories: Vec<PathBuf>) {
        self.checkout = directories;
    }

    /// Fails if a test binary is not the one it was when the runner was made.
    pub(super) fn check_binaries(&self) -> Result<(), ExecError> {
        let all = 0..u32::try_from(self.binaries.len()).unwrap_or(u32::MAX);
        all.into_iter()
            .try_for_each(|at| binary::check(&self.binaries, &self.stamps, at))
    }

    /// Returns the arguments that every test gets.
    fn own_arguments(&self) -> Vec<Vec<u8>> {
        use std::os::unix::ffi::OsStrExt;
        let arguments = self.options.arguments.iter();
        arguments
            .map(|argument| argument.as_bytes().to_vec())
            .collect()
    }

    fn job(&self, test: TestIndex, pass: &Pass<'_>) -> Option<Job> {
        let located = self.tests.get(test.get())?.as_ref()?;
        let lists = self
            .binaries
            .get(located.binary)
            .is_some_and(|binary| binary.lists);
        let mut arguments = self.own_arguments();
        // A harness that does not list knows no names either: the whole binary is the test.
        if lists {
            let words = shared::words_for_one(&located.name, located.ignored);
            arguments.extend(words.into_iter().map(String::into_bytes));
        }
        Some(Job {
            tag: test.get(),
            recipe: u32::try_from(located.binary).ok()?,
            arguments,
            timeout_ms: pass.limit_ms(located),
            grace_ms: 0,
            keep_output: false,
            together: None,
            seed: order::trial_seed(pass.spec.order_seed, test.0),
            misfires: 0,
        })
    }

    /// Returns the recipe of each binary that `jobs` start.
    fn recipes(&self, jobs: &VecDeque<Job>, sandbox: &Sandbox) -> BTreeMap<u32, Recipe> {
        let used: BTreeSet<u32> = jobs.iter().map(|job| job.recipe).collect();
        used.into_iter()
            .filter_map(|id| {
                let binary = self.binaries.get(id as usize)?;
                Some((id, Recipe::for_binary(binary, sandbox)))
            })
            .collect()
    }

    /// Returns what is seen of those tests that are in no binary.
    fn elsewhere(&self, tests: &[TestIndex]) -> Vec<Observation> {
        let is_here = |test: &TestIndex| matches!(self.tests.get(test.get()), Some(Some(_)));
        let elsewhere = tests.iter().filter(|test| !is_here(test));
        elsewhere.map(|&test| binary::not_here(test)).collect()
    }

    /// Runs the trials of a pass in `sandbox`.
    fn run_trials(
        &mut self,
        spec: &PassSpec,
        tests: &[TestIndex],
        sandbox: &Sandbox,
        seen: &mut dyn FnMut(Vec<Observation>) -> ControlFlow<()>,
    ) -> Result<PassEnd, ExecError> {
        let order = order::of_starts(spec, tests, sandbox.shuffle);
        let timeout_ms = self
            .options
            .timeout_ms
            .saturating_mul(u64::from(spec.timeout_factor.max(1)));
        let elsewhere = self.elsewhere(&order);
        if !elsewhere.is_empty() && seen(elsewhere).is_break() {
            return Ok(PassEnd::Completed);
        }
        let mask = Mask::new(sandbox.secrets.iter().cloned());
        let pass = Pass {
            spec,
            sandbox,
            timeout_ms,
            mask: &mask,
        };
        match self.run_together(&pass, order, seen)? {
            Together::Done(left) => self.run_apart(&pass, &left, seen),
            Together::Over(end) => Ok(end),
        }
    }

    /// Runs trials that have a process each.
    fn run_apart(
        &mut self,
        pass: &Pass<'_>,
        order: &[TestIndex],
        seen: &mut dyn FnMut(Vec<Observation>) -> ControlFlow<()>,
    ) -> Result<PassEnd, ExecError> {
        let Pass { sandbox, mask, .. } = *pass;
        let jobs: VecDeque<Job> = order
            .iter()
            .filter_map(|&test| self.job(test, pass))
            .collect();
        let recipes = self.recipes(&jobs, sandbox);
        let work = Work {
            recipes: &recipes,
            jobs,
            width: sandbox.threads.unwrap_or(self.options.slots),
            before: &|job: &Job| binary::check(&self.binaries, &self.stamps, job.recipe),
        };
        let (tests, binaries) = (&self.tests, &self.binaries);
        let mut missing = None;
        let flow = self.pool.run(work, &mut |finished| {
            let mut batch = Vec::with_capacity(finished.len());
            for end in finished {
                match observation(tests, binaries, mask, end) {
                    Ok(observation) => batch.push(observation),
                    Err(reason) => missing = Some(reason),
                }
            }
            let flow = if batch.is_empty() {
                ControlFlow::Continue(())
            } else {
                seen(batch)
            };
            if missing.is_some() {
                ControlFlow::Break(())
            } else {
                flow
            }
        })?;
        for job in recipes.keys() {
            binary::check(&self.binaries, &self.stamps, *job)?;
        }
        Ok(match (missing, flow) {
            (Some(reason), ControlFlow::Break(())) => PassEnd::Discarded { reason },
            _ => PassEnd::Completed,
        })
    }
}

/// Returns what was seen of the trial that `end` is the end of.
fn observation(
    tests: &[Option<Located>],
    binaries: &[TestBinary],
    mask: &Mask,
    end: Finished,
) -> Result<Observation, String> {
    let located = tests
        .get(end.job.tag)
        .and_then(Option::as_ref)
        .ok_or("a trial of an unknown test ended")?;
    let trial = trial::Trial {
        test: TestIndex(u32::try_from(end.job.tag).unwrap_or(u32::MAX)),
        name: &located.name,
        says_result: binaries
            .get(located.binary)
            .is_some_and(|binary| binary.says_result),
        mask,
    };
    trial::observe(&trial, end)
}

impl Runner for DirectRunner {
    fn run_pass(
        &mut self,
        spec: &PassSpec,
        tests: &[TestIndex],
        environment: &Environment,
        seen: &mut dyn FnMut(Vec<Observation>) -> ControlFlow<()>,
    ) -> Result<PassEnd, ExecError> {
        self.in_environment(
            environment,
            (spec.number, spec.order_seed),
            &mut |runner, provided| runner.run_trials(spec, tests, provided.sandbox, seen),
        )
    }

    fn machine(&self) -> Option<MachineLoad> {
        self.machine
    }
}

impl Arms for DirectRunner {
    fn apply(
        &mut self,
        baseline: &FidelityProfile,
        target: &FidelityProfile,
        production: &BTreeMap<KnobId, KnobValue>,
    ) -> Result<Vec<KnobStatus>, ExecError> {
        Self::apply(self, baseline, target, production)
    }

    fn remarks(&self) -> Vec<Problem> {
        self.outwaited_tests().into_iter().collect()
    }

    fn narrowed(&self, profile: &FidelityProfile) -> FidelityProfile {
        Self::narrowed(self, profile)
    }

    fn taken_away(&self, profile: &FidelityProfile) -> Vec<(KnobId, KnobValue, String)> {
        Self::taken_away(self, profile)
    }

    fn set_tests(&mut self, suite: &Suite, listed: &[ListedTest]) {
        Self::set_tests(self, suite, listed);
    }
}

impl Drop for DirectRunner {
    fn drop(&mut self) {
        // Left to the guardians first: killed from here on, the tool leaves nobody to wait for.
        let path = self.run_directory.take().map(RunDirectory::hand_over);
        self.pool.close();
        if let Some(path) = path {
            RunDirectory::remove_unused(&path);
        }
    }
}
