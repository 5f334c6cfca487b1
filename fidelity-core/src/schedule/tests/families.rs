//! Families: generations, and what counts as one finding.

use crate::domain::{CapturedOutput, Failure};
use crate::stats::ebh::generation_level;

use super::*;

/// What one more rejection needs in a family of `units` that has `rejected`.
fn needed(units: u32, rejected: u32, generation: u32) -> f64 {
    f64::from(units) / (f64::from(rejected) * generation_level(0.05, generation))
}

fn assert_close(a: f64, b: f64) {
    assert!((a / b - 1.0).abs() < 1e-9, "{a} is not {b}");
}

#[test]
fn suspects_of_a_later_run_are_a_generation_of_their_own() {
    // First run: tests 0 to 3 fail in the target. Second run: test 4 starts to.
    let first = |spec: &PassSpec, test: u32| failed_if(test < 4 && in_target(spec));
    let second = |spec: &PassSpec, test: u32| failed_if(test < 5 && in_target(spec));
    let mut earlier = Play::new(plan(10, policy(), 1), &[]);
    earlier.finish(first);
    let mut later = Play::new(plan(10, policy(), 2), &[earlier.stored()]);
    later.finish(second);
    let verdicts = later.verdicts();
    for (test, generation, bar) in [(0, 1, needed(4, 4, 1)), (4, 2, needed(1, 1, 2))] {
        let finding = &verdicts.findings[test];
        assert_eq!(finding.verdict.kind, VerdictKind::HiddenDefect);
        assert_eq!(finding.generation, Some(generation));
        assert_close(finding.e_needed.unwrap(), bar);
    }
    // The first family's evidence stands still, whatever the second run adds to its counts.
    assert_eq!(verdicts.findings[0].e_value, earlier.finding(0).e_value);
    assert!(verdicts.findings[0].target.trials > earlier.finding(0).target.trials);
}

#[test]
fn tests_that_always_fail_in_the_target_are_no_cluster_by_that_alone() {
    let play = Play::screened(plan(50, policy(), 1), |spec, test| {
        failed_if(test < 8 && in_target(spec))
    });
    assert!(play.verdicts().clusters.is_empty());
    assert_close(play.finding(0).e_needed.unwrap(), needed(8, 1, 1));
}

#[test]
fn tests_that_fail_in_the_same_few_passes_count_once() {
    let play = Play::screened(plan(50, policy(), 1), |spec, test| {
        failed_if(
            test < 6 && (spec.number == 2 || spec.number == 5) || test == 9 && in_target(spec),
        )
    });
    let verdicts = play.verdicts();
    assert_eq!(verdicts.clusters.len(), 1);
    assert_eq!(verdicts.clusters[0].members.len(), 6);
    assert_eq!(verdicts.clusters[0].reason, "fail in the same passes");
    assert_close(play.finding(0).e_needed.unwrap(), needed(2, 1, 1));
}

#[test]
fn two_tests_agreeing_in_two_of_six_passes_may_be_chance() {
    let play = Play::screened(plan(50, policy(), 1), |spec, test| {
        failed_if(test < 2 && (spec.number == 2 || spec.number == 5))
    });
    assert!(play.verdicts().clusters.is_empty());
}

/// Three tests with one signature, one with its own, all failing in the target.
fn signed(spec: &PassSpec) -> PassRecord {
    let mut pass = pass_of(spec, |spec, test| failed_if(test < 4 && in_target(spec)));
    for observation in &mut pass.observations {
        if observation.outcome.is_failure() {
            let signature = if observation.test.0 < 3 {
                "refused"
            } else {
                "other"
            };
            observation.failure = Some(Box::new(Failure {
                signature: signature.to_owned(),
                message: format!("{signature} by {}", observation.test.0),
                output: CapturedOutput::default(),
            }));
        }
    }
    pass
}

#[test]
fn tests_with_one_signature_count_once_and_each_needs_its_own_evidence() {
    let mut play = Play::new(plan(50, policy(), 1), &[]);
    while let Step::Pass(spec) = play.scheduler.next() {
        play.tell(signed(&spec));
    }
    let verdicts = play.verdicts();
    assert_eq!(verdicts.clusters.len(), 1);
    assert_eq!(verdicts.clusters[0].reason, "refused");
    let members: Vec<u32> = verdicts.clusters[0]
        .members
        .iter()
        .map(|test| test.0)
        .collect();
    assert_eq!(members, [0, 1, 2]);
    assert_close(verdicts.findings[0].e_needed.unwrap(), needed(2, 2, 1));
    for finding in &verdicts.findings[..4] {
        assert_eq!(finding.verdict.kind, VerdictKind::HiddenDefect);
        assert!(finding.e_value >= finding.e_needed.unwrap());
    }
    assert_eq!(verdicts.findings[1].signature.as_deref(), Some("refused"));
    assert_eq!(
        verdicts.findings[1].message.as_deref(),
        Some("refused by 0")
    );
}

#[test]
fn a_cluster_in_which_one_test_fails_by_the_arm_does_not_carry_the_others() {
    // Tests 0 and 1 share a signature; 1 failed once and never again.
    let outcome = |spec: &PassSpec, test: u32| match test {
        0 => failed_if(in_target(spec)),
        1 => failed_if(spec.number == 1),
        _ => Outcome::Passed,
    };
    let mut play = Play::new(plan(5, policy(), 1), &[]);
    while let Step::Pass(spec) = play.scheduler.next() {
        let mut pass = pass_of(&spec, outcome);
        for observation in &mut pass.observations {
            observation.failure = observation.outcome.is_failure().then(|| {
                Box::new(Failure {
                    signature: "same".to_owned(),
                    message: String::new(),
                    output: CapturedOutput::default(),
                })
            });
        }
        play.tell(pass);
    }
    assert_eq!(play.verdict(0).0, VerdictKind::HiddenDefect);
    assert_ne!(play.verdict(1).0, VerdictKind::HiddenDefect);
}
