//! The bets on one suspect: worse in the target, worse in the baseline, or not much worse at all.
//!
//! Knows arms and draw probabilities; not which passes a suspect is asked to take part in.

use crate::domain::Arm;
use crate::stats::block;
use crate::stats::eprocess::{EProcess, Side, Tally};
use crate::stats::equivalence;
use crate::stats::outlook;

use super::book::ArmCounts;
use super::sight::Sight;

/// Something e-BH can say of a suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Worse in the target, and the baseline passes.
    HiddenDefect,
    /// Worse in the target.
    WorseInTarget,
    /// Worse in the baseline, and the target passes.
    BaselineOnly,
    /// Worse in the baseline.
    WorseInBaseline,
}

impl Claim {
    /// Every claim.
    pub const ALL: [Self; 4] = [
        Self::HiddenDefect,
        Self::WorseInTarget,
        Self::BaselineOnly,
        Self::WorseInBaseline,
    ];

    /// Returns the arm that fails more if the claim holds.
    pub fn worse_arm(self) -> Arm {
        match self {
            Self::HiddenDefect | Self::WorseInTarget => Arm::Target,
            Self::BaselineOnly | Self::WorseInBaseline => Arm::Baseline,
        }
    }

    /// Returns whether the claim says that the other arm passes.
    pub fn needs_passing_arm(self) -> bool {
        matches!(self, Self::HiddenDefect | Self::BaselineOnly)
    }
}

/// The evidence about one suspect, or about the pool of a mass failure.
#[derive(Clone, Debug)]
pub struct Suspicion {
    /// Its generation, from 1; none while its family is open.
    pub generation: Option<u32>,
    /// Failures go with the target.
    target: EProcess,
    /// Failures go with the baseline.
    mirror: EProcess,
    log_closeness: f64,
    /// Coin passes by arm. Unlike the screening, they were not the reason to suspect the test.
    coins: [Tally; 2],
    /// Passes a side of the last block in which both sides took part; none where passes are drawn one by one.
    sides: Option<(u32, u32)>,
    close: bool,
    claims: [bool; 4],
}

impl Suspicion {
    /// Returns a suspicion that has not bet, for a test with these counts so far.
    pub fn new(arms: &[ArmCounts; 2]) -> Self {
        let [baseline, target] = arms;
        Self {
            generation: None,
            target: EProcess::new(baseline.tally(true), target.tally(false)),
            mirror: EProcess::new(target.tally(true), baseline.tally(false)),
            log_closeness: 0.0,
            coins: [Tally::default(); 2],
            sides: None,
            close: false,
            claims: [false; 4],
        }
    }

    /// Bets on a pass of `arm` and learns from it; `coin` says that the draw was a fair coin over suspects.
    ///
    /// A process that has led to a claim bets no more: it is a stopped process, and stays one.
    pub(super) fn bet(&mut self, arm: Arm, target_probability: f64, sight: Sight, coin: bool) {
        // A trial that nobody reported counts against whatever is claimed.
        let failed_unless = |unreported: bool| match sight {
            Sight::Passed => false,
            Sight::Failed => true,
            Sight::NotReported => unreported,
        };
        if !self.claimed(Claim::WorseInTarget) {
            let failed = failed_unless(arm == Arm::Baseline);
            self.target
                .bet(side(arm, Arm::Target), target_probability, failed);
        }
        if !self.claimed(Claim::WorseInBaseline) {
            let failed = failed_unless(arm == Arm::Target);
            self.mirror
                .bet(side(arm, Arm::Baseline), 1.0 - target_probability, failed);
        }
        if coin {
            let failed = failed_unless(arm == Arm::Target);
            self.coins[arm.index()].add(failed);
            self.log_closeness += equivalence::log_factor(side(arm, Arm::Target), failed);
            self.close |= self.log_closeness >= equivalence::EXCLUDED_AT.ln();
        }
    }

    /// Bets on the passes of a block whose labels could have been swapped, counted by arm, and learns from them.
    pub(super) fn bet_block(&mut self, block: &[ArmCounts; 2]) {
        let [baseline, target] = block;
        self.target
            .bet_block(baseline.tally(true), target.tally(false));
        self.mirror
            .bet_block(target.tally(true), baseline.tally(false));
        let sides = (baseline.tally(true).trials, target.tally(true).trials);
        if sides.0.min(sides.1) > 0 {
            self.sides = Some(sides);
        }
    }

    /// Pays for a pass of `arm` that was drawn and never completed.
    pub(super) fn forfeit(&mut self, arm: Arm, target_probability: f64, coin: bool) {
        if !self.claimed(Claim::WorseInTarget) {
            self.target
                .forfeit(side(arm, Arm::Target), target_probability);
        }
        if !self.claimed(Claim::WorseInBaseline) {
            self.mirror
                .forfeit(side(arm, Arm::Baseline), 1.0 - target_probability);
        }
        if coin {
            let failed = arm == Arm::Target;
            self.log_closeness += equivalence::log_factor(side(arm, Arm::Target), failed);
        }
    }

    /// Returns the log e-value for failures going with `worse`.
    pub fn log_e(&self, worse: Arm) -> f64 {
        match worse {
            Arm::Target => self.target.log_e(),
            Arm::Baseline => self.mirror.log_e(),
        }
    }

    /// Returns whether a target that is worse by more than [`equivalence::MARGIN`] was excluded at some time.
    pub fn close(&self) -> bool {
        self.close
    }

    /// Returns whether e-BH has said so.
    pub fn claimed(&self, claim: Claim) -> bool {
        self.claims[claim as usize]
    }

    pub(super) fn claim(&mut self, claim: Claim) {
        self.claims[claim as usize] = true;
    }

    /// Returns about how many coin passes, or passes in blocks like the last one, would decide: the soonest of a claim of either direction at the log e-value
    /// `log_needed`, and of closeness. None where none of them is in sight.
    pub fn passes_needed(&self, arms: &[ArmCounts; 2], log_needed: f64) -> Option<u32> {
        let rate = |arm: Arm| {
            let counts = &arms[arm.index()];
            outlook::smoothed_rate(counts.failures, counts.trials)
        };
        let claim = |process: &EProcess, worse: Arm| {
            let actual = (rate(worse.other()), rate(worse));
            let believed = process.believed_rates();
            let growth = match (self.sides, worse) {
                (None, _) => outlook::expected_log_factor(believed, actual),
                (Some(sides), Arm::Target) => block::expected_log_factor(believed, actual, sides),
                (Some((baseline, target)), Arm::Baseline) => {
                    block::expected_log_factor(believed, actual, (target, baseline))
                }
            };
            outlook::passes_needed(process.log_e(), log_needed, growth)
        };
        let of_coins = |arm: Arm| {
            let Tally { trials, failures } = self.coins[arm.index()];
            f64::from(failures) / f64::from(trials.max(1))
        };
        let growth = equivalence::growth((of_coins(Arm::Baseline), of_coins(Arm::Target)));
        let close =
            outlook::passes_needed(self.log_closeness, equivalence::EXCLUDED_AT.ln(), growth);
        // Closeness is told by coins alone.
        let close = close.filter(|_| self.sides.is_none());
        [
            claim(&self.target, Arm::Target),
            claim(&self.mirror, Arm::Baseline),
            close,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Returns whether e-BH has found either arm worse.
    pub fn has_claim(&self) -> bool {
        self.claims.iter().any(|claim| *claim)
    }
}

fn side(arm: Arm, suspected: Arm) -> Side {
    if arm == suspected {
        Side::Suspected
    } else {
        Side::Reference
    }
}
