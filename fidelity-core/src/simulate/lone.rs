//! One defect by itself through the real scheduler: whether a run sees it, and when it decides. No IO.
//!
//! What a closed form cannot say, because sampling stops when the evidence suffices.

use super::{Truth, World};
use crate::domain::{Arm, Phase, Policy, Scope, Seed, TestIndex};
use crate::evidence::suspicion::Claim;
use crate::plan::Plan;
use crate::schedule::{Scheduler, Step};

/// How long the passes of a run take, in milliseconds of wall time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PassTimes {
    /// A pass over the whole suite, in the baseline and in the target.
    pub suite_ms: [f64; 2],
    /// A pass over the defect's test alone.
    pub alone_ms: f64,
}

/// What came of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bout {
    /// Whether the test failed in the screening.
    pub seen: bool,
    /// Passes after the screening until it was called a hidden defect; none if it never was.
    pub decided_after: Option<u32>,
}

/// Runs a suite whose only suspect is a test that never fails in the baseline and at `rate` in the target, with every
/// draw following from `seed`.
pub fn lone_defect(rate: f64, policy: &Policy, seed: u64, times: PassTimes) -> Bout {
    let mut world = World::new(vec![Truth::Rates(0.0, rate)], seed);
    let plan = Plan {
        tests: world.tests(),
        policy: policy.clone(),
        seed: Seed(seed),
    };
    let mut scheduler = Scheduler::new(plan, &[]);
    let mut bout = Bout::default();
    let (mut elapsed, mut later) = (0.0, 0);
    while let Step::Pass(spec) = scheduler.next() {
        let mut pass = world.answer(&spec);
        let before: f64 = elapsed;
        elapsed += match (spec.scope, spec.arm) {
            (Scope::Suite, Arm::Baseline) => times.suite_ms[0],
            (Scope::Suite, Arm::Target) => times.suite_ms[1],
            _ => times.alone_ms,
        };
        if let Some((_, elapsed_ms)) = &mut pass.end {
            // The differences of rounded sums add up to the rounded sum, however short the passes are.
            *elapsed_ms = (elapsed.round() - before.round()).max(0.0) as u64;
        }
        if spec.phase == Phase::Screen {
            bout.seen |= pass
                .observations
                .iter()
                .any(|seen| seen.outcome.is_failure());
        } else {
            later += 1;
        }
        scheduler.record(&pass);
        let standing = scheduler.evidence().standing(TestIndex(0));
        if standing.is_some_and(|(suspicion, _)| suspicion.claimed(Claim::HiddenDefect)) {
            bout.decided_after = Some(later);
            break;
        }
    }
    bout
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            company_after: 0,
            max_time_ms: None,
            ..Policy::default()
        }
    }

    #[test]
    fn a_test_that_always_fails_is_seen_and_decided_soon() {
        for seed in 0..50 {
            let bout = lone_defect(1.0, &policy(), seed, PassTimes::default());
            assert!(bout.seen, "seed {seed}");
            // Each coin pass says at most one bit, and the bar is at 33.
            let passes = bout.decided_after.unwrap_or(0);
            assert!((3..60).contains(&passes), "seed {seed}: {passes}");
        }
    }

    #[test]
    fn a_test_that_never_fails_is_neither_seen_nor_decided() {
        assert_eq!(
            lone_defect(0.0, &policy(), 1, PassTimes::default()),
            Bout::default()
        );
    }

    #[test]
    fn time_that_the_screening_uses_up_leaves_nothing_to_decide_with() {
        let short = Policy {
            max_time_ms: Some(600),
            ..policy()
        };
        let times = PassTimes {
            suite_ms: [100.0, 100.0],
            alone_ms: 0.4,
        };
        for seed in 0..20 {
            let bout = lone_defect(1.0, &short, seed, times);
            assert_eq!((bout.seen, bout.decided_after), (true, None), "seed {seed}");
        }
        let longer = Policy {
            max_time_ms: Some(700),
            ..policy()
        };
        assert!(lone_defect(1.0, &longer, 1, times).decided_after.is_some());
    }
}
