//! Odd input: nothing panics, and nothing odd becomes evidence.

use super::*;

#[test]
fn a_suite_without_tests_is_decided() {
    let play = Play::new(plan(0, policy(), 1), &[]);
    assert_eq!(play.scheduler.next(), Step::Done(StopReason::Decided));
    assert_eq!(play.verdicts(), Verdicts::default());
    assert_eq!(play.scheduler.progress().suspects, 0);
}

#[test]
fn a_single_test_is_judged_like_any_other() {
    let mut play = Play::new(plan(1, policy(), 1), &[]);
    play.finish(|spec, _| failed_if(in_target(spec)));
    assert_eq!(play.verdict(0).0, VerdictKind::HiddenDefect);
}

#[test]
fn tests_that_are_all_skipped_are_not_compared() {
    let mut play = Play::new(plan(20, policy(), 1), &[]);
    play.finish(|_, _| Outcome::Skipped);
    assert_eq!(play.passes.len(), 6);
    assert_eq!(play.verdict(0).1, "not compared: no trial");
}

#[test]
fn a_test_that_runs_in_one_arm_only_is_not_compared() {
    let mut play = Play::new(plan(2, policy(), 1), &[]);
    play.finish(|spec, test| match (test, in_target(spec)) {
        (0, false) => Outcome::Skipped,
        (1, true) => Outcome::Skipped,
        _ => Outcome::Failed,
    });
    assert_eq!(play.verdict(0).1, "not compared: no baseline trial");
    assert_eq!(play.verdict(1).1, "not compared: no target trial");
}

#[test]
fn a_trial_that_nobody_reported_counts_against_every_finding() {
    let mut play = Play::new(plan(3, policy(), 1), &[]);
    // Test 0 is never reported in the target, test 1 is missing from the records, test 2 fails there.
    while let Step::Pass(spec) = play.scheduler.next() {
        let mut pass = pass_of(&spec, |spec, test| match test {
            0 if in_target(spec) => Outcome::NotReported,
            2 => failed_if(in_target(spec)),
            _ => Outcome::Passed,
        });
        pass.observations
            .retain(|observation| observation.test.0 != 1);
        play.tell(pass);
    }
    assert_eq!(play.verdict(0).1, "not compared: no target trial");
    assert_eq!(play.verdict(1).1, "not compared: no trial");
    assert_eq!(play.finding(1).target.not_reported, 5);
    assert_eq!(play.verdict(2).0, VerdictKind::HiddenDefect);
}

#[test]
fn a_defect_whose_baseline_trials_are_not_reported_is_no_finding() {
    let mut play = Play::new(plan(1, policy(), 1), &[]);
    play.finish(|spec, _| match (in_target(spec), spec.phase) {
        (true, _) => Outcome::Failed,
        (false, Phase::Screen) => Outcome::Passed,
        (false, _) => Outcome::NotReported,
    });
    assert_eq!(play.verdict(0).0, VerdictKind::Undetermined);
    assert!(play.finding(0).e_value < 5.0);
}

#[test]
fn unknown_repeated_and_unplanned_observations_are_no_evidence() {
    let mut play = Play::new(plan(3, policy(), 1), &[]);
    while let Step::Pass(spec) = play.scheduler.next() {
        let mut pass = pass_of(&spec, |_, _| Outcome::Passed);
        let mut retry = observation(TestIndex(0), Outcome::Failed);
        retry.attempt = 1;
        pass.observations.insert(0, retry);
        pass.observations
            .push(observation(TestIndex(1), Outcome::Failed));
        pass.observations
            .push(observation(TestIndex(u32::MAX), Outcome::Failed));
        pass.spec.tests.push(TestIndex(77));
        play.tell(pass);
    }
    let verdicts = play.verdicts();
    let counts = verdicts.findings.iter().map(|finding| &finding.target);
    assert!(
        counts
            .map(|arm| (arm.trials, arm.failures))
            .all(|counts| counts == (5, 0))
    );
    // A further trial of a pass is no evidence, but the test is not called stable where it failed.
    let kinds = verdicts.findings.iter().map(|finding| finding.verdict.kind);
    let expected = [
        VerdictKind::Undetermined,
        VerdictKind::Stable,
        VerdictKind::Stable,
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
}

#[test]
fn records_that_make_no_sense_do_no_harm() {
    let mut scheduler = Scheduler::new(plan(2, policy(), 1), &[]);
    let Step::Pass(mut spec) = scheduler.next() else {
        panic!("nothing asked");
    };
    for probability in [f64::NAN, f64::INFINITY, -1.0, 7.0, 0.0] {
        spec.target_probability = probability;
        spec.phase = Phase::Focus;
        let mut pass = pass_of(&spec, |_, _| Outcome::Crashed(11));
        pass.end = Some((PassEnd::Completed, u64::MAX));
        for observation in &mut pass.observations {
            observation.duration_us = u64::MAX;
        }
        scheduler.record(&pass);
    }
    let verdicts = classify(scheduler.evidence(), &policy());
    assert!(
        verdicts
            .findings
            .iter()
            .all(|finding| finding.e_value == 1.0)
    );
    let odd = Policy {
        fdr: f64::NAN,
        tolerance: f64::NAN,
        confidence: 2.0,
        screen: crate::domain::Screen {
            baseline: 0,
            target: 0,
            suspicious: 0,
        },
        mass_failure: f64::NAN,
        ..policy()
    };
    let mut play = Play::new(plan(3, odd, 1), &[]);
    play.finish(|_, _| Outcome::Failed);
    assert_eq!(play.verdicts().findings.len(), 3);
}

#[test]
fn a_timeout_check_that_nobody_reports_is_not_repeated() {
    for unreported in [Outcome::NotReported, Outcome::Skipped] {
        let mut play = Play::new(plan(1, policy(), 1), &[]);
        play.finish(|spec, _| match spec.phase {
            Phase::TimeoutCheck => unreported,
            _ if in_target(spec) => Outcome::TimedOut,
            _ => Outcome::Passed,
        });
        assert_eq!(play.count(Phase::TimeoutCheck), 1);
        assert_eq!(play.verdict(0).1, "timeout, not checked");
    }
}

#[test]
fn a_suspect_that_is_skipped_from_then_on_is_given_up() {
    let mut play = Play::new(plan(2, policy(), 1), &[]);
    play.finish(|spec, test| match spec.phase {
        Phase::Screen => failed_if(test == 0 && in_target(spec)),
        _ => Outcome::Skipped,
    });
    assert_eq!(play.verdict(0).0, VerdictKind::Undetermined);
}
