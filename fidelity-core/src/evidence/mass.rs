//! Mass failures: much of a pass failing at once is one event, judged by one pooled outcome.
//!
//! A suite whose database went away would otherwise become hundreds of suspects, each sampled on its own. So the tests
//! that fail in such a pass do not bet on it; the pool does, with "most of the members failed" as its outcome.
//!
//! Invariant: whether a pass is a mass failure, and whom it excuses, depends on this pass's outcomes and on the past,
//! never on the arm this pass drew. Then an excused bet costs nothing and the pool's bet is as good as a test's. That
//! is why the rule asks for tests that have not failed in both arms *before*, instead of comparing with the
//! neighbouring pass of the other arm: a suite that is broken everywhere is told from one that fails in one arm by
//! the past alone.

use std::collections::BTreeSet;

use crate::domain::{Arm, Outcome, PassSpec, Scope, TestIndex};
use crate::stats::eprocess::Tally;

use super::book::{ArmCounts, TestBook};
use super::sight::{Sight, Trial};
use super::suspicion::Suspicion;

/// Fewer tests failing together are no mass failure, whatever their share.
pub const AT_LEAST: usize = 10;
/// How many members stand for all of them in focus passes.
pub const REPRESENTATIVES: usize = 10;

/// The members of mass failures, and the evidence about them together.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The bets on the pooled outcome.
    pub suspicion: Suspicion,
    /// Passes and failing passes of the pool, by arm.
    pub arms: [ArmCounts; 2],
    /// Every test that failed in a mass failure.
    pub members: BTreeSet<TestIndex>,
    /// Whether it happened again: in a repetition, or in a later pass.
    pub repeats: bool,
    /// The run last seen, and its focus passes in which the pool took part.
    focus: (u32, u32),
}

impl Pool {
    /// Returns a pool for a suite that made `passes` passes in each arm without a mass failure.
    pub(super) fn new(passes: [u32; 2]) -> Self {
        let arms = passes.map(|trials| ArmCounts {
            trials,
            ..ArmCounts::default()
        });
        Self {
            suspicion: Suspicion::new(&arms),
            arms,
            members: BTreeSet::new(),
            repeats: false,
            focus: (0, 0),
        }
    }

    /// Bets on a pass with this pooled outcome, then counts it.
    pub(super) fn bet(&mut self, spec: &PassSpec, failed: bool, coin: bool) {
        let sight = if failed { Sight::Failed } else { Sight::Passed };
        self.suspicion
            .bet(spec.arm, spec.target_probability, sight, coin);
        self.repeats |= failed && self.failures() > 0;
        self.arms[spec.arm.index()].add(if failed {
            Outcome::Failed
        } else {
            Outcome::Passed
        });
    }

    /// Bets on the passes of a block with these pooled outcomes, then counts them.
    pub(super) fn bet_block(&mut self, block: &[ArmCounts; 2]) {
        self.suspicion.bet_block(block);
        let failed: u32 = block.iter().map(|arm| arm.failures).sum();
        self.repeats |= failed > 0 && self.failures() + failed > 1;
        for (known, new) in self.arms.iter_mut().zip(block) {
            known.merge(new);
        }
    }

    /// Returns how many focus passes of run number `run` the pool took part in.
    pub fn focus_passes(&self, run: u32) -> u32 {
        if self.focus.0 == run { self.focus.1 } else { 0 }
    }

    pub(super) fn note_focus(&mut self, run: u32) {
        self.focus = (run, self.focus_passes(run) + 1);
    }

    /// Returns the members that have no suspicion of their own, sorted: the pool speaks for them.
    pub fn represented<'a>(
        &'a self,
        books: &'a [TestBook],
    ) -> impl Iterator<Item = TestIndex> + 'a {
        self.members
            .iter()
            .copied()
            .filter(|member| books[member.get()].suspicion().is_none())
    }

    /// Takes note of a repetition of a mass failure.
    pub(super) fn repeat(&mut self, trials: &[Trial<'_>]) {
        let seen = Tally::of(
            trials
                .iter()
                .filter(|trial| self.members.contains(&trial.test)),
        );
        self.repeats |= seen.failures * 2 > seen.trials;
    }

    fn failures(&self) -> u32 {
        Arm::BOTH
            .iter()
            .map(|arm| self.arms[arm.index()].failures)
            .sum()
    }
}

impl Tally {
    fn of<'a, 'b: 'a>(trials: impl Iterator<Item = &'a Trial<'b>>) -> Self {
        let mut tally = Self::default();
        for trial in trials.filter(|trial| trial.sight() != Sight::NotReported) {
            tally.add(trial.sight() == Sight::Failed);
        }
        tally
    }
}

/// What a pass is as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The pooled outcome: whether it failed; none where there is no pool, or too little of it took part.
    pub failed: Option<bool>,
    /// Whether so much failed that every test failing now joins the pool.
    pub widens: bool,
}

impl Judgement {
    /// Returns whether a failure of this test is part of the mass failure rather than its own.
    pub(super) fn excuses(self, book: &TestBook) -> bool {
        let member = || {
            book.failing
                .as_ref()
                .is_some_and(|failing| failing.mass.is_some())
        };
        self.failed == Some(true) && !book.failed_everywhere() && (self.widens || member())
    }
}

/// Judges a pass with these trials. `share` is the share of the pass that has to fail.
pub fn judge(
    pool: Option<&Pool>,
    books: &[TestBook],
    scope: Scope,
    trials: &[Trial<'_>],
    share: f64,
) -> Judgement {
    let lately_sound = |trial: &&Trial<'_>| !books[trial.test.get()].failed_everywhere();
    let failing = Tally::of(trials.iter().filter(lately_sound)).failures as usize;
    // Passes over suspects are a selection of failing tests: most of them failing says nothing.
    let widens = scope == Scope::Suite
        && failing >= AT_LEAST
        && failing as f64 > share * trials.len() as f64;
    let members = pool.map_or_else(Tally::default, |pool| {
        let of_pool = |trial: &&Trial<'_>| pool.members.contains(&trial.test);
        Tally::of(trials.iter().filter(lately_sound).filter(of_pool))
    });
    let enough = pool.map_or(usize::MAX, |pool| {
        pool.members.len().min(REPRESENTATIVES).div_ceil(2)
    });
    let failed = if widens {
        Some(true)
    } else if members.trials as usize >= enough {
        Some(members.failures * 2 > members.trials)
    } else {
        None
    };
    Judgement { failed, widens }
}
