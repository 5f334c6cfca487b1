//! The loop of an attribution: asks the locator which trial to make, has the runner make it, and lets nothing decide
//! before it is stored.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::engine::Price;
use super::locator::{Locator, Wanted};
use crate::domain::{
    Arm, Attribution, AttributionTrial, Observation, Outcome, PassEnd, PassSpec, Phase, Scope,
    TestIndex,
};
use crate::driver::Clock;
use crate::exec::{ExecError, Runner};
use crate::store::{AttributionLog, StoreError};

/// The number of the first pass, beyond those of any run: directories of passes are named by it.
const FIRST_PASS: u32 = 1 << 20;

/// How often an environment is tried that could not be provided.
const TRIES: u32 = 2;

/// Why an attribution could not go on.
#[derive(Debug, thiserror::Error)]
pub enum AttributeError {
    /// Trials could not be run.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// What was seen could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The parts of an attribution that do things.
pub struct Laboratory<'a> {
    /// Runs the trials.
    pub runner: &'a mut dyn Runner,
    /// Keeps what was seen.
    pub log: &'a mut dyn AttributionLog,
    /// Measures trials, and says when time is up.
    pub clock: &'a dyn Clock,
    /// When it has to end, in milliseconds of the clock; none for no limit.
    pub until_ms: Option<u64>,
    /// The tests that run beside it, by what it runs among, itself included.
    pub among: &'a dyn Fn(TestIndex, Scope) -> Vec<TestIndex>,
    /// Everything random follows from this.
    pub seed: u64,
    /// Is told of each trial.
    pub tell: &'a mut dyn FnMut(&AttributionTrial, &Locator),
}

/// How the loop came to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Finished {
    /// With this.
    Attributed(Box<Attribution>),
    /// The user interrupted it; what was seen is kept.
    Interrupted,
}

/// What trials took so far.
#[derive(Default)]
struct Prices {
    by_config: BTreeMap<String, (f64, f64)>,
    by_scope: BTreeMap<Scope, (f64, f64)>,
}

impl Prices {
    fn note(&mut self, trial: &AttributionTrial) {
        let took = trial.elapsed_ms as f64 + 1.0;
        if trial.stage == 0 {
            let sum = self.by_config.entry(trial.config.clone()).or_default();
            *sum = (sum.0 + took, sum.1 + 1.0);
        }
        let sum = self.by_scope.entry(trial.scope).or_default();
        *sum = (sum.0 + took, sum.1 + 1.0);
    }

    /// Returns what a trial takes: as before in this configuration, else as before among so many, else what was guessed.
    /// Environments are set up anew for every trial, so that nothing stands for the next one.
    fn of(&self, config: &str, scope: Scope, guess: f64) -> Price {
        let mean = |sum: &(f64, f64)| sum.0 / sum.1;
        let measured = self.by_config.get(config).map(mean);
        let measured = measured.or_else(|| self.by_scope.get(&scope).map(mean));
        Price {
            run: measured.unwrap_or(guess),
            setup: 0.0,
        }
    }
}

/// Makes trials until the locator has enough, those of the log first, and keeps what it came to.
///
/// # Errors
/// [`AttributeError`] where the tool itself cannot go on. What was stored until then stays.
pub fn attribute(
    locator: &mut Locator,
    laboratory: &mut Laboratory<'_>,
) -> Result<Finished, AttributeError> {
    let mut prices = Prices::default();
    let guess =
        |test: TestIndex, scope: Scope, among: &dyn Fn(TestIndex, Scope) -> Vec<TestIndex>| {
            among(test, scope).len() as f64
        };
    for trial in &laboratory.log.trials().to_vec() {
        let among = laboratory.among;
        let price =
            |config: &str, scope: Scope| prices.of(config, scope, guess(trial.test, scope, among));
        // What to do next brings the locator to the stage of the trial.
        if locator.next(&price).is_none() || !locator.record(trial) {
            break;
        }
        prices.note(trial);
    }
    loop {
        let late = laboratory
            .until_ms
            .is_some_and(|until| until <= laboratory.clock.elapsed_ms());
        if late {
            locator.stop();
        }
        let among = laboratory.among;
        let subject = locator.subject();
        let price =
            |config: &str, scope: Scope| prices.of(config, scope, guess(subject, scope, among));
        let Some(wanted) = locator.next(&price) else {
            break;
        };
        let Some(trial) = make(&wanted, locator, laboratory)? else {
            return Ok(Finished::Interrupted);
        };
        laboratory.log.append(&trial)?;
        locator.record(&trial);
        prices.note(&trial);
        (laboratory.tell)(&trial, locator);
    }
    Ok(match locator.attribution() {
        Some(attribution) => {
            laboratory.log.end(&attribution)?;
            Finished::Attributed(Box::new(attribution))
        }
        None => Finished::Interrupted,
    })
}

/// Makes a trial; none if the user interrupted it.
fn make(
    wanted: &Wanted,
    locator: &Locator,
    laboratory: &mut Laboratory<'_>,
) -> Result<Option<AttributionTrial>, AttributeError> {
    let tests = (laboratory.among)(wanted.test, wanted.scope);
    let started = laboratory.clock.elapsed_ms();
    let mut seen: Option<Observation> = None;
    for attempt in 0..TRIES {
        let spec = spec(
            wanted,
            &tests,
            (locator.trials() + 1, attempt),
            laboratory.seed,
        );
        let mut keep = |batch: Vec<Observation>| {
            let mine = batch
                .into_iter()
                .find(|one| one.test == wanted.test && one.attempt == 0);
            seen = mine.or(seen.take());
            ControlFlow::Continue(())
        };
        match laboratory
            .runner
            .run_pass(&spec, &tests, &wanted.environment, &mut keep)
        {
            Err(ExecError::Interrupted) => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(PassEnd::Completed) => break,
            // Its outcomes are not looked at: the environment may have been another.
            Ok(PassEnd::Discarded { .. } | PassEnd::Disturbed { .. }) => seen = None,
        }
    }
    let signature = seen.as_ref().and_then(|seen| seen.failure.as_ref());
    let alike = locator.is_alike(signature.map(|failure| failure.signature.as_str()));
    let outcome: Option<Outcome> = seen.as_ref().map(|seen| seen.outcome);
    Ok(Some(AttributionTrial {
        stage: wanted.stage,
        test: wanted.test,
        config: wanted.config.clone(),
        scope: wanted.scope,
        environment: wanted.environment.without_users(),
        outcome,
        alike: alike && outcome.is_some_and(Outcome::is_failure),
        elapsed_ms: laboratory.clock.elapsed_ms().saturating_sub(started),
    }))
}

/// Returns the pass of a trial: one that was not drawn, and is no evidence for a verdict.
fn spec(
    wanted: &Wanted,
    tests: &[TestIndex],
    (number, attempt): (u32, u32),
    seed: u64,
) -> PassSpec {
    let mixed = seed ^ (u64::from(number) << 8 | u64::from(attempt));
    PassSpec {
        number: FIRST_PASS + number,
        phase: Phase::Focus,
        arm: Arm::Target,
        target_probability: 1.0,
        scope: wanted.scope,
        tests: tests.to_vec(),
        arm_pass: number,
        order_seed: mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31),
        timeout_factor: 1,
    }
}
