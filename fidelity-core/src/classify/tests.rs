//! The decision table, row by row, from counts and claims that passes really lead to.

use crate::domain::{
    Environment, ListedTest, Observation, Outcome, PassEnd, PassRecord, PassSpec, Phase, Scope,
    Screen, VerdictKind,
};

use super::*;

/// Records passes given as (arm, outcome) of one test: the first `screened` are a screening drawn at even odds, the
/// others coin passes.
fn verdict_of(screened: u32, trials: &[(Arm, Outcome)]) -> (VerdictKind, String) {
    let finding = finding_of(screened, trials);
    (finding.verdict.kind, finding.verdict.reason)
}

fn finding_of(screened: u32, trials: &[(Arm, Outcome)]) -> Finding {
    let trials: Vec<_> = trials
        .iter()
        .map(|(arm, seen)| (*arm, vec![*seen]))
        .collect();
    finding_of_passes(screened, &trials)
}

/// The same of passes in which the test ran several times.
fn finding_of_passes(screened: u32, passes: &[(Arm, Vec<Outcome>)]) -> Finding {
    let policy = Policy {
        screen: Screen {
            baseline: 1,
            target: screened - 1,
            suspicious: 0,
        },
        ..Policy::default()
    };
    let tests = [ListedTest {
        id: TestId::new("planted", "test"),
        selected: true,
        suspicious: false,
        terms: None,
    }];
    let mut evidence = Evidence::new(&tests, &policy);
    for (number, (arm, outcomes)) in (1..).zip(passes) {
        evidence.record(&PassRecord {
            spec: PassSpec {
                number,
                phase: if number <= screened {
                    Phase::Screen
                } else {
                    Phase::Focus
                },
                arm: *arm,
                target_probability: 0.5,
                scope: Scope::Suspects,
                tests: vec![TestIndex(0)],
                arm_pass: 0,
                order_seed: 0,
                timeout_factor: 1,
            },
            environment: Environment::default(),
            observations: (0..)
                .zip(outcomes)
                .map(|(attempt, outcome)| Observation {
                    test: TestIndex(0),
                    attempt,
                    outcome: *outcome,
                    duration_us: 1,
                    failure: None,
                    leaked: 0,
                })
                .collect(),
            end: Some((PassEnd::Completed, 1)),
            machine: None,
            origin: None,
        });
    }
    classify(&evidence, &policy).findings.remove(0)
}

const B: Arm = Arm::Baseline;
const T: Arm = Arm::Target;
const PASS: Outcome = Outcome::Passed;
const FAIL: Outcome = Outcome::Failed;

/// `count` passes of each arm in turn, with these outcomes.
fn in_turn(count: usize, baseline: Outcome, target: Outcome) -> Vec<(Arm, Outcome)> {
    [(B, baseline), (T, target)].repeat(count)
}

fn assert_row(trials: &[(Arm, Outcome)], kind: VerdictKind, reason: &str) {
    assert_eq!(
        verdict_of(2, trials),
        (kind, reason.to_owned()),
        "{trials:?}"
    );
}

#[test]
fn each_row_of_the_table() {
    use VerdictKind::{BaselineOnly, Broken, Flaky, HiddenDefect, Stable, Undetermined};
    assert_row(&[], Undetermined, "not compared: no trial");
    assert_row(
        &[(T, FAIL)],
        Undetermined,
        "not compared: no baseline trial",
    );
    assert_row(&[(B, PASS)], Undetermined, "not compared: no target trial");
    assert_row(&in_turn(5, FAIL, FAIL), Broken, "");
    assert_row(&in_turn(4, FAIL, FAIL), Undetermined, "leans broken");
    assert_row(&in_turn(9, PASS, FAIL), HiddenDefect, "always");
    assert_row(
        &in_turn(9, PASS, Outcome::Crashed(6)),
        HiddenDefect,
        "always",
    );
    assert_row(
        &in_turn(9, PASS, Outcome::TimedOut),
        HiddenDefect,
        "timeout, not checked",
    );
    assert_row(&in_turn(9, FAIL, PASS), BaselineOnly, "always");
    assert_row(&in_turn(3, PASS, FAIL), Undetermined, "leans hidden-defect");
    assert_row(&in_turn(3, FAIL, PASS), Undetermined, "leans baseline-only");
    assert_row(&in_turn(9, PASS, PASS), Stable, "");
    assert_row(
        &in_turn(9, PASS, Outcome::NotReported),
        Undetermined,
        "not compared: no target trial",
    );
    let one_lost = [&in_turn(2, PASS, PASS)[..], &[(T, Outcome::NotReported)]].concat();
    assert_row(&one_lost, Undetermined, "not reported");
    let flaky = [(B, FAIL), (T, PASS), (B, PASS), (T, FAIL)];
    assert_row(&flaky, Flaky, "");
}

#[test]
fn a_test_of_which_only_further_trials_failed_is_not_stable() {
    let finding = finding_of_passes(2, &[(B, vec![PASS]), (T, vec![PASS, FAIL, FAIL])]);
    assert_eq!(finding.verdict.kind, VerdictKind::Undetermined);
    assert_eq!(finding.verdict.reason, "only further trials failed");
    assert_eq!((finding.target.trials, finding.target.failures), (1, 0));
    assert_eq!(finding.target.further_failures, 2);
    // A retry of what failed is no news.
    let retried = [(B, vec![PASS]), (T, vec![FAIL, FAIL, PASS])];
    let finding = finding_of_passes(2, &retried);
    assert_ne!(finding.verdict.reason, "only further trials failed");
}

#[test]
fn an_intermittent_defect_is_not_just_flaky() {
    let trials = [in_turn(2, PASS, FAIL), in_turn(1, PASS, PASS)]
        .concat()
        .repeat(12);
    assert_row(&trials, VerdictKind::HiddenDefect, "intermittent");
}

#[test]
fn both_outcomes_have_to_be_seen_in_one_arm_to_be_flaky() {
    // Fails once in the baseline and never in the target: it may be a false alarm of the baseline.
    let finding = finding_of(2, &[(B, FAIL), (T, PASS), (T, PASS)]);
    assert_eq!(finding.verdict.kind, VerdictKind::Undetermined);
    // With another baseline trial that passes it is flaky, though not yet told from baseline-only for good.
    let more = [(B, FAIL), (T, PASS), (T, PASS), (B, PASS)];
    assert_eq!(verdict_of(2, &more).0, VerdictKind::Flaky);
}

#[test]
fn a_failure_rate_within_the_tolerance_still_counts_as_passing() {
    // 1 failure in 40 baseline trials is 2.5 %, 1 in 15 is 6.7 %.
    let defect = in_turn(39, PASS, FAIL);
    let late = [&in_turn(1, PASS, FAIL)[..], &[(B, FAIL)], &defect].concat();
    assert_row(&late, VerdictKind::HiddenDefect, "always");
    let often = [&[(B, FAIL), (T, FAIL)], &in_turn(14, PASS, FAIL)[..]].concat();
    assert_eq!(
        verdict_of(2, &often),
        (VerdictKind::Flaky, "worse-in-target".to_owned())
    );
}

#[test]
fn what_stands_beside_a_verdict_agrees_with_the_counts() {
    let finding = finding_of(2, &in_turn(9, PASS, FAIL));
    assert_eq!((finding.baseline.trials, finding.baseline.failures), (9, 0));
    assert_eq!((finding.target.trials, finding.target.failures), (9, 9));
    // All one way: C(18, 9) = 48620 tables, one as extreme.
    assert!((finding.fisher_p.unwrap() * 48_620.0 - 1.0).abs() < 1e-9);
    assert_eq!(finding.baseline.bounds.0, 0.0);
    assert_eq!(finding.target.bounds.1, 1.0);
    assert!(finding.e_value >= finding.e_needed.unwrap());
    assert_eq!(finding.needs_passes, None);
    assert!(!finding.clustered_failures);
}

#[test]
fn failures_in_a_row_are_called_clustered() {
    let quiet = in_turn(20, PASS, PASS);
    let burst = in_turn(8, FAIL, FAIL);
    let finding = finding_of(2, &[quiet.clone(), burst, quiet].concat());
    assert_eq!(finding.verdict.kind, VerdictKind::Flaky);
    assert!(finding.clustered_failures);
}

#[test]
fn a_rare_flake_is_told_once_a_difference_of_ten_points_is_excluded() {
    let once = |passes: usize| {
        let start = [(B, PASS), (T, FAIL)];
        verdict_of(2, &[&start[..], &in_turn(passes / 2, PASS, PASS)].concat())
    };
    assert_eq!(once(60).0, VerdictKind::Undetermined);
    assert_eq!(once(62), (VerdictKind::Flaky, String::new()));
}
