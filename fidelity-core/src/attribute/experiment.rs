//! The loop of an attribution: asks the locator which trial to make, has the runner make it, and lets nothing decide
//! before it is stored.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

use super::engine::Price;
use super::knobs::Mask;
use super::locator::{Locator, Wanted, read};
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

/// What trials took so far: sums of milliseconds, and how many.
#[derive(Default)]
struct Prices {
    /// Of the search over knobs.
    by_config: BTreeMap<(Scope, Mask), (f64, f64)>,
    by_scope: BTreeMap<Scope, (f64, f64)>,
}

impl Prices {
    fn note(&mut self, trial: &AttributionTrial) {
        let took = trial.elapsed_ms as f64 + 1.0;
        if trial.stage == 0
            && let Some(config) = read(&trial.config)
        {
            let sum = self.by_config.entry((trial.scope, config)).or_default();
            *sum = (sum.0 + took, sum.1 + 1.0);
        }
        let sum = self.by_scope.entry(trial.scope).or_default();
        *sum = (sum.0 + took, sum.1 + 1.0);
    }

    /// Returns what a trial takes: as before in this configuration or those nearest to it, else as before among so many, else what
    /// was guessed.
    ///
    /// Environments are set up anew for every trial, so that nothing stands for the next one: what a knob costs to set up is part
    /// of what its trials take.
    fn of(&self, config: &str, scope: Scope, guess: f64) -> Price {
        let mean = |sum: &(f64, f64)| sum.0 / sum.1;
        let measured = read(config).and_then(|config| self.nearest(config, scope));
        let measured = measured.or_else(|| self.by_scope.get(&scope).map(mean));
        Price {
            run: measured.unwrap_or(guess),
            setup: 0.0,
        }
    }

    /// Returns the mean over the configurations from which the fewest knobs differ.
    fn nearest(&self, config: Mask, scope: Scope) -> Option<f64> {
        let mut nearest: Option<(u32, (f64, f64))> = None;
        let tried = self.by_config.iter();
        for ((_, other), sum) in tried.filter(|((among, _), _)| *among == scope) {
            let differ = (config ^ other).count_ones();
            nearest = match nearest {
                Some((least, _)) if least < differ => nearest,
                Some((least, all)) if least == differ => {
                    Some((least, (all.0 + sum.0, all.1 + sum.1)))
                }
                _ => Some((differ, *sum)),
            };
        }
        nearest.map(|(_, sum)| sum.0 / sum.1)
    }
}

/// Trials that were stored and not asked for yet, by stage, test and configuration: another start may ask in another order.
#[derive(Default)]
struct Left(BTreeMap<(u32, TestIndex, String), VecDeque<AttributionTrial>>);

impl Left {
    fn put(&mut self, trial: &AttributionTrial) {
        let key = (trial.stage, trial.test, trial.config.clone());
        self.0.entry(key).or_default().push_back(trial.clone());
    }

    fn take(&mut self, wanted: &Wanted) -> Option<AttributionTrial> {
        let key = (wanted.stage, wanted.test, wanted.config.clone());
        self.0.get_mut(&key)?.pop_front()
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
    let mut left = Left::default();
    let guess =
        |test: TestIndex, scope: Scope, among: &dyn Fn(TestIndex, Scope) -> Vec<TestIndex>| {
            among(test, scope).len() as f64
        };
    for trial in laboratory.log.trials() {
        prices.note(trial);
        // Those of the search over knobs count whatever is asked; the rest is for what follows from it.
        if trial.stage > 0 {
            left.put(trial);
        } else {
            locator.record(trial);
        }
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
        if let Some(trial) = left.take(&wanted) {
            locator.record(&trial);
            continue;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(stage: u32, config: &str, scope: Scope, elapsed_ms: u64) -> AttributionTrial {
        AttributionTrial {
            stage,
            test: TestIndex(0),
            config: config.to_owned(),
            scope,
            environment: crate::domain::Environment::default(),
            outcome: Some(Outcome::Passed),
            alike: false,
            elapsed_ms,
        }
    }

    #[test]
    fn what_knobs_cost_to_set_up_is_taken_from_the_nearest_that_was_tried() {
        let mut prices = Prices::default();
        let price = |prices: &Prices, config: &str| prices.of(config, Scope::Alone, 7.0);
        assert_eq!(
            price(&prices, "0"),
            Price {
                run: 7.0,
                setup: 0.0
            }
        );
        // The first knob is a file system that takes its time.
        for (config, took) in [("1", 399), ("3", 401), ("0", 9)] {
            prices.note(&trial(0, config, Scope::Alone, took));
        }
        assert!((price(&prices, "3").run - 402.0).abs() < 1e-9);
        assert!((price(&prices, "4").run - 10.0).abs() < 1e-9);
        assert!((price(&prices, "7").run - 402.0).abs() < 1e-9);
        // As near to the first as to none.
        assert!((price(&prices, "5").run - 400.0).abs() < 1e-9);
        assert!((price(&prices, "2").run - 206.0).abs() < 1e-9);
        // What is tried later, and in other company, says nothing of it.
        prices.note(&trial(1, "0.4", Scope::Alone, 9));
        prices.note(&trial(0, "7", Scope::Suite, 9));
        assert!((price(&prices, "7").run - 402.0).abs() < 1e-9);
    }

    #[test]
    fn stored_trials_are_given_back_by_what_they_are_and_not_by_their_order() {
        let wanted = |stage, config: &str| Wanted {
            stage,
            test: TestIndex(0),
            config: config.to_owned(),
            scope: Scope::Alone,
            environment: crate::domain::Environment::default(),
        };
        let mut left = Left::default();
        for (stage, config, took) in [(1, "0.3", 1), (2, "0.3", 2), (1, "0.4", 3), (1, "0.3", 4)] {
            left.put(&trial(stage, config, Scope::Alone, took));
        }
        let mut took = |stage, config| {
            let trial = left.take(&wanted(stage, config));
            trial.map(|trial| trial.elapsed_ms)
        };
        assert_eq!(took(1, "0.4"), Some(3));
        assert_eq!(took(1, "0.3"), Some(1));
        assert_eq!(took(1, "0.3"), Some(4));
        assert_eq!(took(1, "0.3"), None);
        assert_eq!(took(2, "0.3"), Some(2));
    }
}
