//! Screening tests with a suspicious history harder: passes of their own after those over the whole suite.
//!
//! Invariant: who takes part depends on what was frozen before the run and on past outcomes, never on a draw.

use crate::domain::{Arm, PassSpec, Phase, Scope, StopReason};

use super::Scheduler;

impl Scheduler {
    /// Returns how many passes are still to come over the suspicious tests that have not failed yet.
    pub(super) fn extra_left(&self) -> u32 {
        match self.last_phase {
            None | Some(Phase::Screen | Phase::MassRepeat)
                if !self.evidence.to_screen_harder().is_empty() =>
            {
                self.evidence.extra_left()
            }
            _ => 0,
        }
    }

    /// Returns a pass of the target over the tests with a suspicious history that have not failed yet, if one is to come.
    ///
    /// The arm is not drawn, so that the pass is no evidence and only finds suspects: the coins of the focus tell more,
    /// and are cheaper. Where too few trials are left for it, they are kept for the suspects there are.
    pub(super) fn screen_harder(&self) -> Option<PassSpec> {
        if self.extra_left() == 0 {
            return None;
        }
        let mut tests = self.evidence.to_screen_harder();
        tests.retain(|test| self.takes_part(*test, Arm::Target));
        if tests.is_empty() {
            return None;
        }
        let fits = self.budget.refuses(tests.len()) != Some(StopReason::OutOfTrials);
        let scope = Scope::of_suspects(tests.len());
        fits.then(|| self.fixed(Phase::Screen, Arm::Target, scope, tests))
    }
}
