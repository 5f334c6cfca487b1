//! Tests that are run in one arm only, because their authors say so or because the other lacks what they need, and tests
//! that may be tried only so often.
//!
//! Invariant: nobody bets on a test that does not take part in both arms alike; no coin is tossed for it.

use crate::classify::{BROKEN_AFTER, broken_after, fails_always};
use crate::domain::{Arm, PassSpec, Phase, Scope, TestIndex};

use super::Scheduler;

/// Passes after which a lone test is given up that nobody reports or that skips itself.
const LONE_PASSES: u32 = 2 * BROKEN_AFTER;

impl Scheduler {
    /// Returns whether a test is part of the next pass of `arm`: it is run in that arm, and may be tried once more.
    pub(super) fn takes_part(&self, test: TestIndex, arm: Arm) -> bool {
        self.evidence
            .tests()
            .get(test.get())
            .is_some_and(|listed| listed.runs_in(arm))
            && !self.evidence.is_used_up_in(test, arm)
    }

    /// Returns a pass over tests that always failed so far and are tried in one arm only, because they are not run in the other
    /// or have had all their trials there, until each is broken or flaky.
    pub(super) fn lone(&self) -> Option<PassSpec> {
        Arm::BOTH.into_iter().rev().find_map(|arm| {
            let open = |test: &TestIndex| self.takes_part(*test, arm) && self.is_open(*test, arm);
            let tests: Vec<TestIndex> = self.selected.iter().copied().filter(open).collect();
            if tests.is_empty() {
                return None;
            }
            let scope = Scope::of_suspects(tests.len());
            Some(self.fixed(Phase::Focus, arm, scope, tests))
        })
    }

    fn is_open(&self, test: TestIndex, arm: Arm) -> bool {
        let listed = &self.evidence.tests()[test.get()];
        let book = &self.evidence.books()[test.get()];
        let counts = &book.arms[arm.index()];
        let one_sided = !listed.is_compared()
            || (fails_always(&book.arms) && self.evidence.is_used_up_in(test, arm.other()));
        one_sided
            && counts.failures == counts.trials
            && counts.trials < broken_after(listed)
            && book.failing.as_ref().is_some_and(|failing| {
                let passes = failing.run_tally(self.evidence.run_number()).passes();
                passes < LONE_PASSES.min(self.policy.max_passes)
            })
    }
}
