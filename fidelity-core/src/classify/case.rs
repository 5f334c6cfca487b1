//! The rows of the decision table, applied to one test.

use crate::domain::{Arm, ListedTest, Policy, TestIndex, Verdict, VerdictKind};
use crate::evidence::Evidence;
use crate::evidence::book::{ArmCounts, TestBook};
use crate::evidence::suspicion::{Claim, Suspicion};

use super::{broken_after, fails_always, is_broken};

/// One test as the decision table sees it.
pub(super) struct Case<'a> {
    arms: &'a [ArmCounts; 2],
    tolerance: f64,
    /// Trials of an arm that have to fail before it is broken.
    broken_after: u32,
    /// The only arm it is run in, if there is only one.
    lone: Option<Arm>,
    /// The bets that stand for it, its own or those of the mass failure it is part of.
    suspicion: Option<&'a Suspicion>,
    /// How the mass failure stands for it, if it does.
    mass: Option<Mass>,
    passes_with_more_time: Option<bool>,
}

/// How far a mass failure stands for one of its members.
#[derive(Clone, Copy)]
struct Mass {
    /// It happened more than once.
    repeats: bool,
    /// The member failed in most of it, so that what is found of the whole holds for it.
    typical: bool,
}

impl<'a> Case<'a> {
    /// Gathers what the table asks for.
    pub(super) fn new(
        evidence: &'a Evidence,
        policy: &Policy,
        test: TestIndex,
        book: &'a TestBook,
    ) -> Self {
        let failing = book.failing.as_deref();
        let mass = match (book.suspicion(), failing.and_then(|failing| failing.mass)) {
            (None, Some(tally)) => Some(Mass {
                repeats: evidence.pool().is_some_and(|pool| pool.repeats),
                typical: tally.failures * 2 >= tally.trials,
            }),
            _ => None,
        };
        let listed = &evidence.tests()[test.get()];
        Self {
            arms: &book.arms,
            tolerance: listed.tolerance(policy),
            broken_after: broken_after(listed),
            lone: lone_arm(listed),
            suspicion: evidence.standing(test).map(|(suspicion, _)| suspicion),
            mass,
            passes_with_more_time: failing.and_then(|failing| failing.passes_with_more_time),
        }
    }

    /// Returns the first row of the table that applies.
    pub(super) fn verdict(&self) -> Verdict {
        if let Some(arm) = self.lone {
            return self.verdict_in(arm);
        }
        let (kind, reason) = self.row();
        let mut reason = reason.to_owned();
        if self.mass.is_some() {
            if !reason.is_empty() {
                reason.push_str(", ");
            }
            reason.push_str("mass-failure");
        }
        Verdict { kind, reason }
    }

    /// Returns what one arm alone says: nothing is compared.
    fn verdict_in(&self, arm: Arm) -> Verdict {
        let counts = &self.arms[arm.index()];
        let (kind, leaning) = if counts.trials == 0 {
            let reason = not_compared(counts, counts).unwrap_or_default();
            return Verdict {
                kind: VerdictKind::Undetermined,
                reason: reason.to_owned(),
            };
        } else if counts.both_outcomes() {
            (VerdictKind::Flaky, "")
        } else if 0 < counts.failures && self.broken_after <= counts.trials {
            (VerdictKind::Broken, "")
        } else if 0 < counts.failures {
            (VerdictKind::Undetermined, "leans broken, ")
        } else if 0 < counts.not_reported {
            (VerdictKind::Undetermined, "not reported, ")
        } else if 0 < counts.further_failures {
            (VerdictKind::Undetermined, "only further trials failed, ")
        } else {
            (VerdictKind::Stable, "")
        };
        Verdict {
            kind,
            reason: format!("{leaning}{arm} only"),
        }
    }

    fn row(&self) -> (VerdictKind, &'static str) {
        let [baseline, target] = self.arms;
        if let Some(reason) = not_compared(baseline, target) {
            return (VerdictKind::Undetermined, reason);
        }
        if is_broken(self.arms, self.broken_after) {
            return (VerdictKind::Broken, "");
        }
        if self.holds(Claim::HiddenDefect) {
            return (VerdictKind::HiddenDefect, self.manner(target));
        }
        if self.holds(Claim::BaselineOnly) {
            return (VerdictKind::BaselineOnly, self.manner(baseline));
        }
        let claimed = |claim| {
            self.suspicion
                .is_some_and(|suspicion| suspicion.claimed(claim))
        };
        let close = self.suspicion.is_some_and(Suspicion::close);
        let both_outcomes = baseline.both_outcomes() || target.both_outcomes();
        if both_outcomes && (baseline.failures > 0 || close) {
            let reason = if claimed(Claim::WorseInTarget) {
                "worse-in-target"
            } else if claimed(Claim::WorseInBaseline) {
                "worse-in-baseline"
            } else {
                ""
            };
            return (VerdictKind::Flaky, reason);
        }
        if baseline.failures > 0 || target.failures > 0 {
            return (VerdictKind::Undetermined, self.leaning());
        }
        if baseline.not_reported > 0 || target.not_reported > 0 {
            return (VerdictKind::Undetermined, "not reported");
        }
        if baseline.further_failures > 0 || target.further_failures > 0 {
            return (VerdictKind::Undetermined, super::ONLY_FURTHER);
        }
        (VerdictKind::Stable, "")
    }

    /// Returns whether e-BH made this claim, about the test or about the mass failure it is typical of, and the counts
    /// of the test still agree.
    fn holds(&self, claim: Claim) -> bool {
        let worse = claim.worse_arm();
        self.suspicion
            .is_some_and(|suspicion| suspicion.claimed(claim))
            && self.mass.is_none_or(|mass| mass.typical)
            && self.arms[worse.index()].failures > 0
            && self.arms[worse.other().index()].passes(self.tolerance)
    }

    fn manner(&self, worse: &ArmCounts) -> &'static str {
        if worse.timeouts == worse.failures {
            match self.passes_with_more_time {
                Some(true) => "timeout, passes with more time",
                Some(false) => "timeout",
                None => "timeout, not checked",
            }
        } else if worse.failures == worse.trials {
            "always"
        } else {
            "intermittent"
        }
    }

    fn leaning(&self) -> &'static str {
        if self.mass.is_some_and(|mass| !mass.repeats) {
            return "one-off";
        }
        if fails_always(self.arms) {
            return "leans broken";
        }
        let log_e = |worse| {
            self.suspicion
                .map_or(0.0, |suspicion| suspicion.log_e(worse))
        };
        let passes = |arm: Arm| self.arms[arm.index()].passes(self.tolerance);
        let (defect, mirror) = (log_e(Arm::Target), log_e(Arm::Baseline));
        if defect > 0.0 && defect >= mirror && passes(Arm::Baseline) {
            "leans hidden-defect"
        } else if mirror > 0.0 && mirror > defect && passes(Arm::Target) {
            "leans baseline-only"
        } else if self
            .arms
            .iter()
            .any(|arm| arm.failures < arm.trials && 0 < arm.failures)
        {
            "leans flaky"
        } else {
            // A trial that failed in one arm and one that passed in the other say nothing of either.
            "leans nowhere"
        }
    }

    /// Returns about how many more passes would decide an open case at the log e-value `log_needed`.
    pub(super) fn needs_passes(&self, verdict: &Verdict, log_needed: Option<f64>) -> Option<u32> {
        let [baseline, target] = self.arms;
        if let Some(arm) = self.lone {
            let counts = &self.arms[arm.index()];
            let open = verdict.kind == VerdictKind::Undetermined && 0 < counts.failures;
            return open.then(|| self.broken_after.saturating_sub(counts.trials));
        }
        let open = verdict.kind == VerdictKind::Undetermined
            && not_compared(baseline, target).is_none()
            && self.mass.is_none_or(|mass| mass.repeats);
        if !open {
            return None;
        }
        if fails_always(self.arms) {
            // A coin gives the arm that is behind every other pass.
            let behind = baseline.trials.min(target.trials);
            return Some(2 * self.broken_after.saturating_sub(behind));
        }
        self.suspicion?.passes_needed(self.arms, log_needed?)
    }
}

/// Returns the arm in which alone a test is run.
fn lone_arm(listed: &ListedTest) -> Option<Arm> {
    let mut arms = Arm::BOTH
        .into_iter()
        .filter(|arm| listed.absent_from(*arm).is_none());
    match (arms.next(), arms.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn not_compared(baseline: &ArmCounts, target: &ArmCounts) -> Option<&'static str> {
    match (baseline.trials, target.trials) {
        (0, 0) => Some("not compared: no trial"),
        (0, _) => Some("not compared: no baseline trial"),
        (_, 0) => Some("not compared: no target trial"),
        _ => None,
    }
}
