//! Trials of one test at any commit, under any environment: the edge that builds and runs.
//!
//! Must not know: what is searched. What cannot be tested says why; a failure of another kind than the one looked into says
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Instant;

use git2::Oid;

use super::build::{Attempt, BuildError, Builder, Built};
use super::engine::Seen;
use super::worktree::{Note, Worktrees};
use crate::domain::{
    Arm, Environment, FidelityProfile, KnobId, KnobSetting, Observation, PassEnd, PassSpec, Phase,
    Scope, TestId, TestIndex,
};
use crate::exec::direct::{DirectRunner, RunnerOptions};
use crate::exec::{ExecError, Runner};

mod company;
mod provided;
mod signature;

pub use company::Company;
use provided::until_provided;
use signature::are_alike;
pub use signature::without_lines;

/// Runners that are kept at a time: each is a process of its own.
const RUNNERS: usize = 4;

/// Why no trial could be made.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// Nothing can be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Nothing can be run.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The environment was never provided.
    #[error("the environment could not be provided: {0}")]
    Environment(String),
    /// A commit that is not built was to be tried.
    #[error("a commit that is not built was to be tried")]
    NotBuilt,
}

/// What came of asking for a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// What it showed.
    pub seen: Seen,
    /// How long it ran, in milliseconds.
    pub ms: u64,
    /// How long building took that had to be done for it, in milliseconds.
    pub built_ms: Option<u64>,
    /// Why the commit cannot be tested; the test's other name there.
    pub note: Option<String>,
    /// The trial itself; none where there was none.
    pub observation: Option<Observation>,
    /// Why its environment could not be provided; none where it was.
    pub refused: Option<String>,
}

/// Makes the options of a runner: each takes over what it is given.
pub type MakeOptions<'a> = dyn Fn() -> Result<RunnerOptions, ExecError> + 'a;

/// A runner of a built commit.
struct Ready {
    commit: Oid,
    runner: DirectRunner,
    /// Everything that runs in a trial.
    tests: Vec<TestIndex>,
    /// The test that is tried.
    test: TestIndex,
}

/// A bench on which a test can be tried at any commit.
pub struct Bench<'a> {
    repository: &'a git2::Repository,
    builder: Builder<'a>,
    worktrees: Worktrees,
    options: &'a MakeOptions<'a>,
    test: TestId,
    /// The failure that is looked into, as a signature without line numbers; none until it is known.
    signature: Option<String>,
    built: BTreeMap<Oid, Built>,
    /// Why commits cannot be tested.
    untestable: BTreeMap<Oid, String>,
    /// What it runs among; alone if there is none.
    company: Option<Company>,
    /// The one used last is the last.
    runners: Vec<Ready>,
    /// Environments that were tried on this machine, each with what of it can be imposed.
    imposed: BTreeMap<Environment, Environment>,
    trials: u32,
}

impl<'a> Bench<'a> {
    /// Returns a bench for `test`.
    pub fn new(
        repository: &'a git2::Repository,
        builder: Builder<'a>,
        worktrees: Worktrees,
        options: &'a MakeOptions<'a>,
        test: TestId,
    ) -> Self {
        Self {
            repository,
            builder,
            worktrees,
            options,
            test,
            signature: None,
            built: BTreeMap::new(),
            untestable: BTreeMap::new(),
            company: None,
            runners: Vec::new(),
            imposed: BTreeMap::new(),
            trials: 0,
        }
    }

    /// Says which failure is looked into. Without it, it is the first one seen.
    pub fn look_for(&mut self, signature: &str) {
        self.signature = Some(without_lines(signature));
    }

    /// Has the test run among others from now on.
    pub fn run_among(&mut self, company: Company) {
        self.company = Some(company);
        self.runners.clear();
    }

    /// Returns what the test runs among.
    pub fn scope(&self) -> Scope {
        self.company
            .as_ref()
            .map_or(Scope::Alone, |company| company.scope)
    }

    /// Returns whether a commit is built.
    pub fn is_ready(&self, commit: Oid) -> bool {
        self.built.contains_key(&commit) && self.worktrees.has(commit)
    }

    /// Returns what differs between checkouts and the user's work tree, over all that were made.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = self
            .built
            .values()
            .flat_map(|built| built.notes.clone())
            .collect();
        notes.sort_unstable();
        notes.dedup();
        notes
    }

    /// Removes all checkouts.
    ///
    /// # Errors
    /// Where they cannot be removed.
    pub fn finish(mut self) -> Result<(), BuildError> {
        self.runners.clear();
        self.worktrees.finish().map_err(BuildError::from)
    }

    /// Makes one trial at `commit` under `environment`, building what it needs.
    ///
    /// # Errors
    /// [`TrialError`]: nothing that says anything of the commit.
    pub fn trial(&mut self, commit: Oid, environment: &Environment) -> Result<Tried, TrialError> {
        let mut built_ms = None;
        if !self.is_ready(commit) && !self.untestable.contains_key(&commit) {
            built_ms = Some(self.build(commit)?);
        }
        if let Some(reason) = self.untestable.get(&commit) {
            return Ok(Tried {
                seen: Seen::Untestable,
                ms: 0,
                built_ms,
                note: Some(reason.clone()),
                observation: None,
                refused: None,
            });
        }
        let began = Instant::now();
        let observation = until_provided(|| self.run(commit, environment))?;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let observation = match observation {
            Ok(observation) => observation,
            Err(reason) => {
                return Ok(Tried {
                    seen: Seen::Nothing,
                    ms,
                    built_ms,
                    note: Some(format!("the environment could not be provided: {reason}")),
                    observation: None,
                    refused: Some(reason),
                });
            }
        };
        let other_name = self
            .built
            .get(&commit)
            .filter(|built| built.test != self.test)
            .map(|built| format!("the test is `{}` there", built.test));
        let seen = self.judge(commit, &observation);
        let nothing = (seen == Seen::Nothing).then(|| signature::nothing_said(&observation));
        let notes: Vec<String> = other_name.into_iter().chain(nothing).collect();
        Ok(Tried {
            seen,
            ms,
            built_ms,
            note: (!notes.is_empty()).then(|| notes.join(", and ")),
            observation: Some(observation),
            refused: None,
        })
    }

    fn build(&mut self, commit: Oid) -> Result<u64, TrialError> {
        let attempt =
            self.builder
                .build(&mut self.worktrees, self.repository, commit, &self.test)?;
        // What made room for it is gone.
        let worktrees = &self.worktrees;
        self.built.retain(|commit, _| worktrees.has(*commit));
        self.runners.retain(|ready| worktrees.has(ready.commit));
        let took = match attempt {
            Attempt::Built(built) => {
                let took = built.took;
                self.built.insert(commit, *built);
                took
            }
            Attempt::Untestable { reason, took } => {
                self.untestable.insert(commit, reason);
                took
            }
        };
        Ok(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
    }

    /// Makes one pass; why its environment was not provided, where it was not.
    fn run(
        &mut self,
        commit: Oid,
        environment: &Environment,
    ) -> Result<Result<Observation, String>, TrialError> {
        self.trials += 1;
        let (number, scope) = (self.trials, self.scope());
        let environment = self.imposed(commit, environment)?;
        let ready = self.ready(commit)?;
        let spec = PassSpec {
            number,
            phase: Phase::Focus,
            arm: Arm::Target,
            target_probability: 1.0,
            scope,
            tests: ready.tests.clone(),
            arm_pass: number,
            order_seed: u64::from(number),
            timeout_factor: 1,
        };
        let (test, mut seen) = (ready.test, None);
        let end = ready
            .runner
            .run_pass(&spec, &spec.tests, &environment, &mut |observations| {
                let mut its_own = observations
                    .into_iter()
                    .filter(|one| one.test == test && one.attempt == 0);
                seen = its_own.next().or(seen.take());
                ControlFlow::Continue(())
            })?;
        Ok(match (end, seen) {
            (PassEnd::Discarded { reason } | PassEnd::Disturbed { reason }, _) => Err(reason),
            (PassEnd::Completed, Some(observation)) => Ok(observation),
            (PassEnd::Completed, None) => Err("a trial had no outcome".to_owned()),
        })
    }

    /// Returns what of an environment can be imposed here, which is found out once.
    fn imposed(
        &mut self,
        commit: Oid,
        environment: &Environment,
    ) -> Result<Environment, TrialError> {
        if let Some(imposed) = self.imposed.get(environment) {
            return Ok(imposed.clone());
        }
        let knobs = environment.0.iter();
        let profile = |knobs| FidelityProfile {
            name: String::new(),
            knobs,
        };
        let asked = knobs
            .map(|(knob, value)| (knob.clone(), KnobSetting::Fixed(value.clone())))
            .collect();
        let runner = &mut self.ready(commit)?.runner;
        runner.apply(&profile(BTreeMap::new()), &profile(asked), &BTreeMap::new())?;
        let imposed = runner.imposed(environment);
        self.imposed.insert(environment.clone(), imposed.clone());
        Ok(imposed)
    }

    /// Returns the knobs of the environments that were tried that cannot be imposed here.
    pub fn not_imposed(&self) -> BTreeSet<KnobId> {
        let tried = self.imposed.iter();
        let knobs = tried.flat_map(|(asked, imposed)| {
            let asked = asked.0.keys();
            asked.filter(|knob| !imposed.0.contains_key(*knob))
        });
        knobs.cloned().collect()
    }

    /// Returns the runner of a built commit.
    fn ready(&mut self, commit: Oid) -> Result<&mut Ready, TrialError> {
        let at = self.runners.iter().position(|ready| ready.commit == commit);
        let ready = match at {
            Some(at) => self.runners.remove(at),
            None => {
                let built = self.built.get(&commit).ok_or(TrialError::NotBuilt)?;
                let mut options = (self.options)()?;
                if let Some(company) = &self.company {
                    options.slots = company.slots;
                }
                let (listed, test) =
                    company::listed(&built.suite, &built.test, self.company.as_ref());
                let mut runner = DirectRunner::new(&built.suite, &listed, options)?;
                runner.set_checkout(built.workspace.directories());
                if RUNNERS <= self.runners.len() {
                    self.runners.remove(0);
                }
                let tests = (0..).map(TestIndex).take(listed.len()).collect();
                Ready {
                    commit,
                    runner,
                    tests,
                    test,
                }
            }
        };
        self.runners.push(ready);
        self.runners.last_mut().ok_or(TrialError::NotBuilt)
    }

    fn judge(&mut self, commit: Oid, observation: &Observation) -> Seen {
        use crate::domain::Outcome;
        let failure = match observation.outcome {
            Outcome::Passed => return Seen::Passed,
            Outcome::Skipped | Outcome::NotReported => return Seen::Nothing,
            _ => observation.failure.as_deref(),
        };
        let signature = without_lines(failure.map_or("", |failure| &failure.signature));
        let Some(wanted) = &self.signature else {
            self.signature = Some(signature);
            return Seen::Failed;
        };
        let root = self.built.get(&commit).map(|built| &built.workspace.root);
        let is_there = |file: &str| root.is_some_and(|root| root.join(file).exists());
        if are_alike(wanted, &signature, is_there) {
            Seen::Failed
        } else {
            Seen::Nothing
        }
    }
}
