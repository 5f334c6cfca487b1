//! Focus: who is sampled, how long, and what comes of it.

use crate::evidence::suspicion::Claim;

use super::*;

#[test]
fn only_suspects_are_sampled_by_a_coin_and_a_decided_one_no_more() {
    let mut play = Play::screened(plan(50, policy(), 3), |spec, test| {
        failed_if(test == 7 && in_target(spec))
    });
    while play.scheduler.next() != Step::Done(StopReason::Decided) {
        let spec = play.answer(|spec, _| failed_if(in_target(spec)));
        assert_eq!((spec.phase, spec.scope), (Phase::Focus, Scope::Alone));
        assert_eq!(spec.tests, [TestIndex(7)]);
        assert_eq!(spec.target_probability, 0.5);
    }
    assert!(
        (4..20).contains(&play.count(Phase::Focus)),
        "{}",
        play.passes.len()
    );
    assert_eq!(
        play.verdict(7),
        (VerdictKind::HiddenDefect, "always".to_owned())
    );
    let finding = play.finding(7);
    assert!(Some(finding.e_value) >= finding.e_needed);
    assert_eq!(finding.generation, Some(1));
    assert_eq!(play.verdict(8).0, VerdictKind::Stable);
}

/// The seed is one under which the single failure leaves no evidence: with most others e stays a little above 1, and
/// the suspect is sampled until the 62nd pass says that it is flaky.
#[test]
fn a_suspect_that_never_fails_again_is_given_up_after_forty_passes() {
    let mut play = Play::screened(plan(5, policy(), 2), |spec, test| {
        failed_if(test == 2 && in_target(spec) && spec.arm_pass == 3)
    });
    let stop = play.finish(|_, _| Outcome::Passed);
    assert_eq!(stop, StopReason::Decided);
    assert_eq!(play.count(Phase::Focus), 40);
    assert_eq!(
        play.verdict(2),
        (VerdictKind::Undetermined, "leans flaky".to_owned())
    );
    // 62 passes without a failure exclude a difference of ten points.
    assert_eq!(play.finding(2).needs_passes, Some(22));
}

#[test]
fn with_more_patience_the_same_suspect_is_flaky() {
    let patient = Policy {
        futile_after: 100,
        ..policy()
    };
    let mut play = Play::screened(plan(5, patient, 3), |spec, test| {
        failed_if(test == 2 && in_target(spec) && spec.arm_pass == 3)
    });
    play.finish(|_, _| Outcome::Passed);
    assert_eq!(play.count(Phase::Focus), 62);
    assert_eq!(play.verdict(2).0, VerdictKind::Flaky);
}

#[test]
fn no_suspect_is_sampled_beyond_its_passes() {
    let short = Policy {
        max_passes: 7,
        futile_after: 1_000,
        ..policy()
    };
    let mut play = Play::screened(plan(5, short, 3), |spec, test| {
        failed_if(test == 2 && spec.number % 2 == 0)
    });
    play.finish(|spec, _| failed_if(spec.number % 2 == 0));
    assert_eq!(play.count(Phase::Focus), 7);
}

#[test]
fn a_test_that_always_fails_is_sampled_until_five_failures_in_each_arm() {
    let mut play = Play::screened(plan(5, policy(), 3), |_, test| failed_if(test == 1));
    assert_eq!(play.finding(1).verdict.reason, "leans broken");
    assert_eq!(play.finding(1).needs_passes, Some(8));
    play.finish(|_, _| Outcome::Failed);
    let finding = play.finding(1);
    assert_eq!(finding.verdict.kind, VerdictKind::Broken);
    assert!(finding.baseline.trials >= 5 && finding.target.trials >= 5);
    assert_eq!(finding.baseline.trials.min(finding.target.trials), 5);
    assert!(finding.baseline.bounds.1 == 1.0 && finding.baseline.bounds.0 > 0.4);
}

#[test]
fn a_test_that_fails_in_the_baseline_only_is_a_false_alarm_of_the_baseline() {
    let mut play = Play::screened(plan(5, policy(), 3), |spec, test| {
        failed_if(test == 1 && !in_target(spec))
    });
    play.finish(|spec, _| failed_if(!in_target(spec)));
    assert_eq!(
        play.verdict(1),
        (VerdictKind::BaselineOnly, "always".to_owned())
    );
}

#[test]
fn a_defect_that_only_times_out_is_tried_once_with_more_time() {
    for (passes_then, reason) in [(true, "timeout, passes with more time"), (false, "timeout")] {
        let slow = |spec: &PassSpec, test: u32| {
            if test == 1 && in_target(spec) && !(passes_then && spec.timeout_factor > 1) {
                Outcome::TimedOut
            } else {
                Outcome::Passed
            }
        };
        let mut play = Play::new(plan(5, policy(), 3), &[]);
        play.finish(slow);
        let last = &play.passes[play.passes.len() - 1].spec;
        assert_eq!(play.count(Phase::TimeoutCheck), 1);
        assert_eq!(
            (
                last.phase,
                last.arm,
                last.timeout_factor,
                last.target_probability
            ),
            (Phase::TimeoutCheck, Arm::Target, 5, 1.0)
        );
        assert_eq!(last.tests, [TestIndex(1)]);
        assert_eq!(
            play.verdict(1),
            (VerdictKind::HiddenDefect, reason.to_owned())
        );
        // The check is no trial: its arm was not drawn.
        let target = play.finding(1).target;
        assert_eq!(target.trials, target.timeouts);
    }
}

#[test]
fn a_defect_that_fails_in_both_arms_but_more_in_the_target_is_flaky_and_worse_there() {
    let mut play = Play::new(plan(3, policy(), 5), &[]);
    play.finish(|spec, test| failed_if(test == 0 && (in_target(spec) || spec.number % 4 == 0)));
    assert_eq!(
        play.verdict(0),
        (VerdictKind::Flaky, "worse-in-target".to_owned())
    );
    // It is no rejection of the stricter claim either: filtering afterwards would spoil the level for the others.
    let family = &play.scheduler.evidence().generations()[0];
    assert_eq!(family.rejected(Claim::WorseInTarget), 1);
    assert_eq!(family.rejected(Claim::HiddenDefect), 0);
}

#[test]
fn when_time_is_short_the_suspect_closest_to_a_decision_is_sampled_first() {
    // Test 0 always fails in the target, test 1 fails now and then in either arm.
    let outcome = |spec: &PassSpec, test: u32| match test {
        0 => failed_if(in_target(spec)),
        1 => failed_if(spec.number == 2),
        _ => Outcome::Passed,
    };
    let short = Policy {
        max_time_ms: Some(15_000),
        ..policy()
    };
    let mut play = Play::screened(plan(3, short, 3), outcome);
    assert_eq!(play.asked().tests, [TestIndex(0)]);
    let long = Policy {
        max_time_ms: Some(10_000_000),
        ..policy()
    };
    play = Play::screened(plan(3, long, 3), outcome);
    assert_eq!(play.asked().tests, [TestIndex(0), TestIndex(1)]);
}

/// A baseline that always fails excludes a worse target long before the claim of the mirror image is made. The family is
/// large, so that the bar is high.
#[test]
fn a_test_that_fails_in_the_baseline_alone_is_sampled_until_that_is_told() {
    use crate::classify::classify;
    use crate::simulate::{Truth, World, run};
    let mut truths = vec![Truth::Rates(1.0, 0.0)];
    truths.extend([Truth::Alternating; 12]);
    truths.extend([Truth::Sound; 20]);
    for seed in 0..60 {
        let mut world = World::new(truths.clone(), seed);
        let plan = Plan {
            tests: world.tests(),
            policy: policy(),
            seed: Seed(seed),
        };
        let ended = run(plan, &[], &mut world, |_, _| {});
        let verdicts = classify(ended.scheduler.evidence(), &policy());
        let verdict = &verdicts.findings[0].verdict;
        assert_eq!(
            verdict.kind,
            VerdictKind::BaselineOnly,
            "seed {seed}: {:?}",
            verdicts.findings[0]
        );
    }
}
