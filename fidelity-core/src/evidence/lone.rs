//! Tests outside of the comparison: those run in one arm only, and those that may be tried only so often.
//!
//! Invariants: a lone test is counted, and never bet on, put into a family, or part of a mass failure, because which tests
//! are in a pass would tell its arm; a test that has had its trials in one arm is bet on no more.

use crate::domain::{Arm, PassSpec, TestIndex};

use super::Evidence;
use super::sight::{Sight, Trial};

impl Evidence {
    /// Returns whether a test has had all the trials in `arm` that its authors allow a run.
    pub fn is_used_up_in(&self, test: TestIndex, arm: Arm) -> bool {
        let tried = self.run.tried.get(&test);
        tried.is_some_and(|tried| {
            let at_most = self.at_most(test).unwrap_or(u32::MAX);
            at_most <= tried[arm.index()]
        })
    }

    /// Returns whether that is so in either arm, so that the arms cannot be compared any further.
    pub fn is_used_up(&self, test: TestIndex) -> bool {
        Arm::BOTH
            .into_iter()
            .any(|arm| self.is_used_up_in(test, arm))
    }

    fn at_most(&self, test: TestIndex) -> Option<u32> {
        self.tests.get(test.get())?.annotation()?.trials
    }

    /// Returns the trials of compared tests, where there are others, and those of the others.
    pub(super) fn told_apart<'a>(
        &self,
        trials: &[Trial<'a>],
    ) -> (Option<Vec<Trial<'a>>>, Vec<Trial<'a>>) {
        let is_compared = |trial: &Trial<'_>| self.tests[trial.test.get()].is_compared();
        if trials.iter().all(is_compared) {
            return (None, Vec::new());
        }
        let (compared, lone) = trials.iter().partition(|trial| is_compared(trial));
        (Some(compared), lone)
    }

    /// Counts the trial of a test that is run in one arm only.
    pub(super) fn count_lone(&mut self, spec: &PassSpec, trial: &Trial<'_>) {
        let failed = trial.sight() == Sight::Failed;
        let book = &mut self.books[trial.test.get()];
        if failed {
            let failing = book.failing_mut();
            if let Some(failure) = trial.failure {
                failing.sign(self.signatures.number(failure));
            }
        }
        if let Some(failing) = &mut book.failing {
            failing.note_in_run(self.run.number, (spec.phase, spec.scope), failed);
        }
        book.count(spec.arm, spec.scope, trial);
    }

    /// Takes note of the trials of tests that may be tried only so often.
    pub(super) fn note_tried(&mut self, arm: Arm, trials: &[Trial<'_>]) {
        for trial in trials {
            if self.at_most(trial.test).is_some() {
                self.run.tried.entry(trial.test).or_default()[arm.index()] += 1;
            }
        }
    }
}
