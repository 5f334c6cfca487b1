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
    Arm, Environment, FidelityProfile, KnobId, KnobSetting, ListedTest, Observation, PassEnd,
    PassSpec, Phase, Scope, TestId, TestIndex,
};
use crate::exec::direct::{DirectRunner, RunnerOptions};
use crate::exec::{ExecError, Runner};

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
    /// The environment was not provided.
    #[error("the environment could not be provided: {0}")]
    Environment(String),
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
}

/// Makes the options of a runner: each takes over what it is given.
pub type MakeOptions<'a> = dyn Fn() -> Result<RunnerOptions, ExecError> + 'a;

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
    runners: Vec<(Oid, DirectRunner)>,
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
            runners: Vec::new(),
            imposed: BTreeMap::new(),
            trials: 0,
        }
    }

    /// Says which failure is looked into. Without it, it is the first one seen.
    pub fn look_for(&mut self, signature: &str) {
        self.signature = Some(without_lines(signature));
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
            });
        }
        let began = Instant::now();
        let observation = self.run(commit, environment)?;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let other_name = self
            .built
            .get(&commit)
            .filter(|built| built.test != self.test)
            .map(|built| format!("the test is `{}` there", built.test));
        Ok(Tried {
            seen: self.judge(commit, &observation),
            ms,
            built_ms,
            note: other_name,
            observation: Some(observation),
        })
    }

    fn build(&mut self, commit: Oid) -> Result<u64, TrialError> {
        let attempt =
            self.builder
                .build(&mut self.worktrees, self.repository, commit, &self.test)?;
        // What made room for it is gone.
        let worktrees = &self.worktrees;
        self.built.retain(|commit, _| worktrees.has(*commit));
        self.runners.retain(|(commit, _)| worktrees.has(*commit));
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

    fn run(&mut self, commit: Oid, environment: &Environment) -> Result<Observation, TrialError> {
        self.trials += 1;
        let spec = PassSpec {
            number: self.trials,
            phase: Phase::Focus,
            arm: Arm::Target,
            target_probability: 1.0,
            scope: Scope::Alone,
            tests: vec![TestIndex(0)],
            arm_pass: self.trials,
            order_seed: u64::from(self.trials),
            timeout_factor: 1,
        };
        let environment = self.imposed(commit, environment)?;
        let runner = self.runner(commit)?;
        let mut seen = None;
        let end = runner.run_pass(&spec, &[TestIndex(0)], &environment, &mut |observations| {
            seen = observations.into_iter().next();
            ControlFlow::Continue(())
        })?;
        match (end, seen) {
            (PassEnd::Discarded { reason } | PassEnd::Disturbed { reason }, _) => {
                Err(TrialError::Environment(reason))
            }
            (PassEnd::Completed, Some(observation)) => Ok(observation),
            (PassEnd::Completed, None) => {
                Err(TrialError::Environment("a trial had no outcome".to_owned()))
            }
        }
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
        let runner = self.runner(commit)?;
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

    /// Returns the runner of a built commit; the one used last is the last.
    fn runner(&mut self, commit: Oid) -> Result<&mut DirectRunner, TrialError> {
        let at = self.runners.iter().position(|(other, _)| *other == commit);
        let entry = match at {
            Some(at) => self.runners.remove(at),
            None => {
                let built = self.built.get(&commit).ok_or_else(|| {
                    TrialError::Environment("a commit that is not built was to be tried".to_owned())
                })?;
                let listed = [ListedTest {
                    id: built.test.clone(),
                    selected: true,
                    suspicious: false,
                    terms: None,
                }];
                let mut runner = DirectRunner::new(&built.suite, &listed, (self.options)()?)?;
                runner.set_checkout(built.workspace.directories());
                if RUNNERS <= self.runners.len() {
                    self.runners.remove(0);
                }
                (commit, runner)
            }
        };
        self.runners.push(entry);
        match self.runners.last_mut() {
            Some((_, runner)) => Ok(runner),
            None => Err(TrialError::Environment("no runner".to_owned())),
        }
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

/// Returns whether two signatures without lines are of the same failure. The file of the panic may have had another name where
/// that of `wanted` is not there.
fn are_alike(wanted: &str, found: &str, is_there: impl Fn(&str) -> bool) -> bool {
    if wanted == found {
        return true;
    }
    let parts = (wanted.split_once(": "), found.split_once(": "));
    let (Some((file, message)), Some((other, same))) = parts else {
        return false;
    };
    let is_source = |file: &str| file.ends_with(".rs");
    message == same && is_source(file) && is_source(other) && !is_there(file)
}

/// Returns a signature without the line and column of the panic, which move from commit to commit.
pub fn without_lines(signature: &str) -> String {
    let Some((place, message)) = signature.split_once(": ") else {
        return signature.to_owned();
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts: Vec<&str> = place.split(':').collect();
    while 1 < parts.len() && parts.last().is_some_and(|part| is_number(part)) {
        parts.pop();
    }
    format!("{}: {message}", parts.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_the_same_in_a_file_that_was_renamed() {
        let alike = |found, there| are_alike("tests/new.rs: it broke", found, |_| there);
        assert!(alike("tests/new.rs: it broke", true));
        assert!(alike("tests/old.rs: it broke", false));
        // Where both files are there it is another failure, as it is with another message.
        assert!(!alike("tests/old.rs: it broke", true));
        assert!(!alike("tests/old.rs: it bent", false));
        assert!(!alike("exit status: it broke", false));
        assert!(!alike("timed out", false));
    }

    #[test]
    fn lines_and_columns_are_no_part_of_what_is_compared() {
        for (signature, kept) in [
            (
                "src/lib.rs:10:5: left # right #",
                "src/lib.rs: left # right #",
            ),
            ("src/lib.rs:10: x", "src/lib.rs: x"),
            ("exit status: 3", "exit status: 3"),
            ("timed out", "timed out"),
            ("C:\\a.rs:1:2: m: n", "C:\\a.rs: m: n"),
        ] {
            assert_eq!(without_lines(signature), kept);
        }
    }
}
