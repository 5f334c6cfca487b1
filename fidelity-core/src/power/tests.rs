//! Answers against counts, and against durations made up for the purpose.

use super::*;
use crate::domain::RunId;
use crate::simulate::{Truth, World, run, stored};

fn question(rates: &[&str], policy: Policy, measured: Option<Measured>) -> Question {
    Question {
        rates: rates.iter().map(|rate| rate.parse().unwrap()).collect(),
        probability: "90%".parse().unwrap(),
        policy,
        measured,
        seed: 1,
        runs: 100,
    }
}

/// Passes of 2 s in the baseline and 3 s in the target, and of 10 ms over a suspect.
fn measured(suspects: u32) -> Measured {
    let arm = |wall_ms| SuitePasses {
        passes: 3,
        tests: 100,
        wall_ms,
        trial_ms: 20.0,
    };
    Measured {
        run: RunId(7),
        parallelism: 2,
        suite: [arm(2_000.0), arm(3_000.0)],
        alone_ms: 10.0,
        suspects,
    }
}

fn within(max_time_ms: u64) -> Policy {
    Policy {
        max_time_ms: Some(max_time_ms),
        ..Policy::default()
    }
}

#[test]
fn what_is_seen_is_counted_and_what_is_decided_is_simulated() {
    let power = answer(&question(&["1", "1/2", "1/5"], Policy::default(), None)).unwrap();
    let to_see: Vec<_> = power.rates.iter().map(|rate| rate.to_see).collect();
    assert_eq!(to_see, [Some(1), Some(4), Some(11)]);
    let [always, half, fifth] = power.rates[..] else {
        panic!("{power:?}")
    };
    assert!((half.seen - 31.0 / 32.0).abs() < 1e-12);
    for rate in [always, half, fifth] {
        // What is decided was seen. Five standard errors on 100 runs are 25 points.
        assert!(rate.decided <= rate.seen + 0.25, "{rate:?}");
        assert!(rate.decided >= rate.seen - 0.25, "{rate:?}");
    }
    assert!(always.to_decide < half.to_decide && half.to_decide < fifth.to_decide);
    assert_eq!(power.cost, None);
    assert!((power.one_more.0 - 0.369).abs() < 1e-3 && power.one_more.1 < power.one_more.0);
}

#[test]
fn the_same_question_has_the_same_answer_and_another_seed_another() {
    let question = question(&["1/3"], Policy::default(), Some(measured(2)));
    let first = answer(&question);
    assert_eq!(first, answer(&question));
    let other = Question {
        seed: 2,
        ..question
    };
    assert_ne!(first, answer(&other));
}

#[test]
fn what_cannot_be_decided_has_no_number_of_passes() {
    // A difference of one point is excluded long before it is shown.
    let power = answer(&question(&["1%"], Policy::default(), None)).unwrap();
    assert_eq!(power.rates[0].to_see, Some(230));
    assert_eq!(power.rates[0].to_decide, None);
}

#[test]
fn a_budget_is_told_by_what_its_time_is_enough_for() {
    let power = answer(&question(&["1"], within(60_000), Some(measured(1)))).unwrap();
    let cost = power.cost.unwrap();
    assert!((cost.screening_ms - 17_000.0).abs() < 1e-9);
    assert_eq!(cost.fitting, Some(19));
    assert!(!power.cut_short);
    assert!((power.rates[0].decided - 1.0).abs() < f64::EPSILON);
    let reach: Vec<f64> = power.reach.iter().map(|reach| reach.seen_above).collect();
    for (reach, expected) in reach.iter().zip([0.1294, 0.2752, 0.4507]) {
        assert!((reach - expected).abs() < 1e-3, "{reach}");
    }
}

#[test]
fn a_budget_that_cuts_the_screening_short_sees_less_and_decides_nothing() {
    let power = answer(&question(&["1"], within(9_000), Some(measured(1)))).unwrap();
    assert!(power.cut_short);
    assert_eq!((power.screen.baseline, power.screen.target), (1, 2));
    assert!((power.reach[0].seen_above - 0.2929).abs() < 1e-3);
    // The screening goes on until the time is over, and leaves nothing to decide with.
    assert!(power.rates[0].decided.abs() < f64::EPSILON);
    assert!(
        power
            .reach
            .iter()
            .all(|reach| reach.decided_above.is_none())
    );
}

#[test]
fn a_budget_below_one_pass_of_each_arm_is_refused_with_what_it_takes() {
    let error = answer(&question(&["1"], within(4_999), Some(measured(1)))).unwrap_err();
    let PowerError::BudgetTooSmall {
        budget_ms,
        needed_ms,
    } = error;
    assert_eq!((budget_ms, needed_ms), (4_999, 5_000));
    assert!(answer(&question(&["1"], within(5_000), Some(measured(1)))).is_ok());
    assert!(
        answer(&question(&["1"], within(1), None)).is_ok(),
        "nothing is known of time"
    );
}

#[test]
fn among_more_suspects_more_passes_are_needed() {
    let passes = |suspects| {
        let question = question(&["1/2"], within(900_000), Some(measured(suspects)));
        answer(&question).unwrap().rates[0].to_decide
    };
    assert!(passes(1) < passes(30), "{:?} {:?}", passes(1), passes(30));
}

#[test]
fn the_reach_is_where_the_curve_crosses() {
    let curve = [(0.1, 0.2), (0.2, 0.6), (0.4, 0.5), (0.8, 0.9), (1.0, 1.0)];
    let at = |share| crossing(&curve, share).unwrap();
    assert!((at(0.7) - 0.6).abs() < 1e-12);
    assert!((at(0.55) - 0.45).abs() < 1e-12, "it has to stay above");
    assert!((at(0.95) - 0.9).abs() < 1e-12);
    assert!((at(0.1) - 0.1).abs() < 1e-12);
    assert_eq!(crossing(&curve[..4], 0.95), None);
}

#[test]
fn durations_are_those_of_the_passes_over_the_suite() {
    // Every simulated trial takes 1 ms, one at a time.
    let mut truths = vec![Truth::Sound; 20];
    truths[0] = Truth::Rates(0.0, 1.0);
    let mut world = World::new(truths, 3);
    let plan = crate::plan::Plan {
        tests: world.tests(),
        policy: Policy {
            max_time_ms: None,
            ..Policy::default()
        },
        seed: crate::domain::Seed(3),
    };
    let mut passes = Vec::new();
    run(plan.clone(), &[], &mut world, |_, pass| passes.push(pass));
    let whole = stored(&plan, passes.clone());
    let measured = Measured::of(&whole).unwrap();
    assert_eq!(measured.suspects, 1);
    assert_eq!(
        measured.suite.map(|arm| (arm.passes, arm.tests)),
        [(1, 20), (5, 20)]
    );
    for arm in measured.suite {
        assert!((arm.wall_ms - 20.0).abs() < 1e-9 && (arm.trial_ms - 1.0).abs() < 1e-9);
    }
    assert!(
        (measured.alone_ms - 1.0).abs() < 1e-6,
        "{}",
        measured.alone_ms
    );
    passes.truncate(1);
    assert_eq!(Measured::of(&stored(&plan, passes)), None, "one arm only");
    assert_eq!(Measured::of(&stored(&plan, Vec::new())), None);
}
