//! What a pass shows of each planned test: one sight a test, whatever was reported. Knows nothing of evidence.
//!
//! Invariants: only planned tests count, only first attempts count (of others it is known whether they failed), and a planned
//! trial that nobody reported is [`Sight::NotReported`] whether or not somebody said so.

use crate::domain::{Failure, Outcome, PassRecord, TestIndex};

/// What one pass showed of one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It passed.
    Passed,
    /// It failed, timed out or crashed.
    Failed,
    /// It was planned, and nobody reported its outcome.
    NotReported,
}

/// The one trial of a test that counts in a pass.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The test, in the list of the evidence.
    pub test: TestIndex,
    /// What it came to; never skipped.
    pub outcome: Outcome,
    /// What is kept of a failure.
    pub failure: Option<&'a Failure>,
    /// Wall time in microseconds; 0 where not reported.
    pub duration_us: u64,
    /// Further trials of the test in the same pass that failed. They are no evidence.
    pub further_failures: u32,
}

impl Trial<'_> {
    /// Returns what the trial showed.
    pub fn sight(&self) -> Sight {
        if self.outcome.is_failure() {
            Sight::Failed
        } else if self.outcome == Outcome::NotReported {
            Sight::NotReported
        } else {
            Sight::Passed
        }
    }
}

/// Where the tests of another run's list stand in ours; none for tests we do not know.
pub type TestMap = Vec<Option<TestIndex>>;

/// Returns the trials of `pass` that count, in the order of tests; skipped tests have none.
///
/// `size` is the length of our list. `map` translates the pass's indices where it belongs to another run.
pub fn trials<'a>(pass: &'a PassRecord, size: usize, map: Option<&TestMap>) -> Vec<Trial<'a>> {
    let ours = |test: TestIndex| match map {
        Some(map) => map.get(test.get()).copied().flatten(),
        None => Some(test).filter(|test| test.get() < size),
    };
    let mut slots: Vec<Option<Trial<'a>>> = vec![None; size];
    for test in pass.spec.tests.iter().filter_map(|test| ours(*test)) {
        slots[test.get()] = Some(Trial {
            test,
            outcome: Outcome::NotReported,
            failure: None,
            duration_us: 0,
            further_failures: 0,
        });
    }
    let mut reported = vec![false; size];
    for observation in &pass.observations {
        let Some(test) = ours(observation.test) else {
            continue;
        };
        let Some(trial) = &mut slots[test.get()] else {
            continue;
        };
        if observation.attempt > 0 {
            trial.further_failures += u32::from(observation.outcome.is_failure());
        } else if !std::mem::replace(&mut reported[test.get()], true) {
            trial.outcome = observation.outcome;
            trial.failure = observation.failure.as_deref();
            trial.duration_us = observation.duration_us;
        }
    }
    slots
        .into_iter()
        .flatten()
        .filter(|trial| trial.outcome.is_trial())
        .collect()
}
