//! Tests whose authors say something of them: for one arm only, a few trials at most, a tolerance of their own.

use super::*;
use crate::domain::{Annotation, Terms};

fn annotated(plan: &mut Plan, test: usize, annotation: Annotation) {
    plan.tests[test].terms = Some(Box::new(Terms {
        annotation,
        absent: [None, None],
    }));
}

fn only_in(plan: &mut Plan, test: usize, arm: Arm) {
    let mut terms = Terms::default();
    terms.absent[arm.other().index()] = Some("meant for another only".to_owned());
    plan.tests[test].terms = Some(Box::new(terms));
}

fn trials_of(passes: &[PassRecord], test: u32, arm: Arm) -> usize {
    passes
        .iter()
        .filter(|pass| pass.spec.arm == arm && pass.spec.tests.contains(&TestIndex(test)))
        .count()
}

/// Plays a whole run.
fn run_plan(plan: Plan, fails: impl Fn(&PassSpec, u32) -> bool) -> (Play, StopReason) {
    let mut play = Play::new(plan, &[]);
    let stop = play.finish(|spec, test| failed_if(fails(spec, test)));
    (play, stop)
}

#[test]
fn a_test_for_one_arm_is_run_there_alone_and_judged_by_it() {
    for seed in 0..20 {
        let mut plan = plan(6, policy(), seed);
        for test in 1..5 {
            only_in(&mut plan, test, Arm::Target);
        }
        only_in(&mut plan, 5, Arm::Baseline);
        let (play, stop) = run_plan(plan, |spec, test| match test {
            1 => true,
            2 => spec.arm_pass % 2 == 0,
            5 => true,
            _ => false,
        });
        assert_eq!(stop, StopReason::Decided);
        for test in 1..5 {
            assert_eq!(
                trials_of(&play.passes, test, Arm::Baseline),
                0,
                "test {test}"
            );
        }
        assert_eq!(trials_of(&play.passes, 5, Arm::Target), 0);
        assert_eq!(
            trials_of(&play.passes, 5, Arm::Baseline),
            5,
            "until it is broken"
        );
        let only = |arm: &str| format!("{arm} only");
        assert_eq!(play.verdict(0), (VerdictKind::Stable, String::new()));
        assert_eq!(play.verdict(1), (VerdictKind::Broken, only("target")));
        assert_eq!(play.verdict(2), (VerdictKind::Flaky, only("target")));
        assert_eq!(play.verdict(3), (VerdictKind::Stable, only("target")));
        assert_eq!(play.verdict(5), (VerdictKind::Broken, only("baseline")));
    }
}

#[test]
fn nobody_bets_on_a_test_for_one_arm_and_no_family_knows_it() {
    let mut plan = plan(3, policy(), 3);
    only_in(&mut plan, 1, Arm::Target);
    let (play, _) = run_plan(plan, |spec, test| match test {
        1 => true,
        2 => spec.arm == Arm::Target,
        _ => false,
    });
    assert_eq!(play.scheduler.evidence().suspects(), 1);
    let verdicts = play.verdicts();
    assert_eq!(verdicts.findings[1].e_value, 1.0);
    assert_eq!(verdicts.findings[1].generation, None);
    assert_eq!(verdicts.findings[2].verdict.kind, VerdictKind::HiddenDefect);
    let units: usize = play
        .scheduler
        .evidence()
        .generations()
        .iter()
        .map(|generation| generation.units.len())
        .sum();
    assert_eq!(units, 1);
}

#[test]
fn a_suite_of_tests_for_the_target_alone_needs_no_baseline_pass() {
    let mut plan = plan(2, policy(), 1);
    only_in(&mut plan, 0, Arm::Target);
    only_in(&mut plan, 1, Arm::Target);
    let (play, stop) = run_plan(plan, |_, test| test == 1);
    assert_eq!(stop, StopReason::Decided);
    assert!(play.passes.iter().all(|pass| pass.spec.arm == Arm::Target));
    assert_eq!(play.verdict(0).0, VerdictKind::Stable);
    assert_eq!(play.verdict(1).0, VerdictKind::Broken);
}

#[test]
fn a_test_that_runs_in_no_arm_costs_no_pass_and_is_not_compared() {
    let mut plan = plan(1, policy(), 1);
    plan.tests[0].terms = Some(Box::new(Terms {
        absent: [Some("needs a".to_owned()), Some("needs a".to_owned())],
        ..Terms::default()
    }));
    let (play, stop) = run_plan(plan, |_, _| true);
    assert_eq!((play.passes.len(), stop), (0, StopReason::Decided));
    let expected = (
        VerdictKind::Undetermined,
        "not compared: no trial".to_owned(),
    );
    assert_eq!(play.verdict(0), expected);
}

#[test]
fn a_test_has_no_more_trials_in_an_arm_than_its_authors_allow() {
    for (at_most, seed) in [(1, 1), (3, 2), (8, 3)] {
        let mut plan = plan(4, policy(), seed);
        let annotation = Annotation {
            trials: Some(at_most),
            ..Annotation::default()
        };
        annotated(&mut plan, 1, annotation);
        let (play, stop) = run_plan(plan, |spec, test| {
            matches!(test, 1 | 2) && spec.arm == Arm::Target
        });
        assert_eq!(stop, StopReason::Decided);
        for arm in Arm::BOTH {
            let trials = trials_of(&play.passes, 1, arm);
            assert!(trials <= at_most as usize, "{trials} of {at_most} in {arm}");
            assert!(0 < trials, "it is tried in {arm}");
        }
        let others = trials_of(&play.passes, 2, Arm::Target);
        assert!(5 <= others, "the others go on: {others}");
    }
}

#[test]
fn a_test_that_fails_in_all_the_trials_it_may_have_is_broken() {
    for (at_most, seed) in [(1, 1), (3, 2), (4, 3)] {
        let mut plan = plan(4, policy(), seed);
        let annotation = Annotation {
            trials: Some(at_most),
            ..Annotation::default()
        };
        annotated(&mut plan, 1, annotation.clone());
        only_in(&mut plan, 2, Arm::Target);
        plan.tests[2].terms.as_mut().unwrap().annotation = annotation.clone();
        annotated(&mut plan, 3, annotation);
        let (play, _) = run_plan(plan, |spec, test| test < 3 || spec.arm == Arm::Target);
        assert_eq!(play.verdict(1).0, VerdictKind::Broken, "{at_most}");
        for arm in Arm::BOTH {
            assert_eq!(trials_of(&play.passes, 1, arm), at_most as usize, "{arm}");
        }
        assert_eq!(trials_of(&play.passes, 2, Arm::Target), at_most as usize);
        let lone = (VerdictKind::Broken, "target only".to_owned());
        assert_eq!(play.verdict(2), lone);
        assert_eq!(
            play.verdict(3).0,
            VerdictKind::Undetermined,
            "it passes in the baseline, and so few trials prove nothing"
        );
    }
}

#[test]
fn a_bet_on_a_capped_test_never_knows_the_draw() {
    // Fails whenever tried: under the null. Its e-value must not grow from being asked in one arm alone.
    for seed in 0..200 {
        let mut plan = plan(2, policy(), seed);
        let annotation = Annotation {
            trials: Some(1),
            ..Annotation::default()
        };
        annotated(&mut plan, 1, annotation);
        let (play, _) = run_plan(plan, |_, test| test == 1);
        let finding = play.finding(1);
        let most = finding.e_value.max(finding.e_mirror);
        assert!(most < 7.0, "seed {seed}: {most}");
    }
}

#[test]
fn a_tolerance_of_its_own_says_when_a_test_passes() {
    // Fails always in the target, and once in the baseline: no hidden defect unless that is tolerated.
    let found = |tolerance: Option<f64>| {
        let mut plan = plan(2, policy(), 5);
        let annotation = Annotation {
            tolerance,
            ..Annotation::default()
        };
        annotated(&mut plan, 1, annotation);
        let (play, _) = run_plan(plan, |spec, test| {
            test == 1 && (spec.arm == Arm::Target || spec.arm_pass == 2)
        });
        play.verdict(1).0
    };
    assert_eq!(found(Some(0.5)), VerdictKind::HiddenDefect);
    assert_eq!(found(Some(0.0)), VerdictKind::Flaky);
}
