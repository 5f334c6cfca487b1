//! The exact oracle: over every way the draws can fall, a null's evidence has mean 1, whatever else goes on.

use crate::domain::{Arm, Environment, Observation, Outcome, PassEnd, PassSpec, Scope};

use super::*;

const TESTS: u32 = 16;

fn listed() -> Vec<ListedTest> {
    (0..TESTS)
        .map(|number| ListedTest {
            id: TestId::new("planted", format!("test_{number:02}")),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect()
}

fn policy() -> Policy {
    Policy {
        screen: Screen {
            baseline: 1,
            target: 3,
            suspicious: 0,
        },
        ..Policy::default()
    }
}

fn pass(number: u32, arm: Arm, target_probability: f64, failing: u32) -> PassRecord {
    let phase = if number <= 4 {
        Phase::Screen
    } else {
        Phase::Focus
    };
    let observation = |test: u32| Observation {
        test: TestIndex(test),
        attempt: 0,
        outcome: if failing >> test & 1 == 1 {
            Outcome::Failed
        } else {
            Outcome::Passed
        },
        duration_us: 1,
        failure: None,
        leaked: 0,
    };
    PassRecord {
        spec: PassSpec {
            number,
            phase,
            arm,
            target_probability,
            scope: if phase == Phase::Screen {
                Scope::Suite
            } else {
                Scope::Suspects
            },
            tests: (0..TESTS).map(TestIndex).collect(),
            arm_pass: 0,
            order_seed: 0,
            timeout_factor: 1,
        },
        environment: Environment::default(),
        observations: (0..TESTS).map(observation).collect(),
        end: Some((PassEnd::Completed, 1)),
        machine: None,
        origin: None,
    }
}

/// Adds up, over every way the remaining draws can fall, the chance of each way times the e-values it ends with: of
/// every test, and of the pool last.
fn sum_over_draws(
    evidence: &Evidence,
    left: [u32; 2],
    (number, chance): (u32, f64),
    outcomes: &[u32],
    sums: &mut [f64],
) {
    let Some((failing, rest)) = outcomes.split_first() else {
        let e = |suspicion: Option<&Suspicion>| {
            suspicion.map_or(1.0, |suspicion| suspicion.log_e(Arm::Target).exp())
        };
        let tests = evidence.books().iter().map(|book| e(book.suspicion()));
        let pool = e(evidence.pool().map(|pool| &pool.suspicion));
        for (sum, value) in sums.iter_mut().zip(tests.chain([pool])) {
            *sum += chance * value;
        }
        return;
    };
    let all: u32 = left.iter().sum();
    let harder = evidence.to_screen_harder();
    if all == 0 && evidence.extra_left() > 0 && !harder.is_empty() {
        let mut next = evidence.clone();
        let mut extra = pass(number, Arm::Target, 1.0, *failing);
        extra.spec.phase = Phase::Screen;
        extra.spec.scope = Scope::Suspects;
        extra
            .observations
            .retain(|seen| harder.contains(&seen.test));
        extra.spec.tests = harder;
        next.record(&extra);
        sum_over_draws(&next, left, (number + 1, chance), rest, sums);
        return;
    }
    let target_probability = if all > 0 {
        f64::from(left[1]) / f64::from(all)
    } else {
        0.5
    };
    for (arm, probability) in [
        (Arm::Baseline, 1.0 - target_probability),
        (Arm::Target, target_probability),
    ] {
        if probability > 0.0 {
            let mut next = evidence.clone();
            next.record(&pass(number, arm, target_probability, *failing));
            let mut left = left;
            left[arm.index()] = left[arm.index()].saturating_sub(1);
            sum_over_draws(&next, left, (number + 1, chance * probability), rest, sums);
        }
    }
}

/// Returns the mean e-values of all tests and of the pool for outcomes that do not depend on the arm.
///
/// The tests of `suspicious` are screened twice more.
fn means(outcomes: &[u32], suspicious: u32) -> Vec<f64> {
    let mut sums = vec![0.0; TESTS as usize + 1];
    let (mut tests, mut policy) = (listed(), policy());
    policy.screen.suspicious = 5;
    for (position, test) in tests.iter_mut().enumerate() {
        test.suspicious = suspicious >> position & 1 == 1;
    }
    let evidence = Evidence::new(&tests, &policy);
    sum_over_draws(&evidence, [1, 3], (1, 1.0), outcomes, &mut sums);
    sums
}

#[test]
fn over_all_draws_every_null_has_mean_one_whatever_fails_together() {
    const MASS: u32 = 0x0fff;
    let patterns: [[u32; 9]; 5] = [
        // Single failures, and tests that fail together.
        [0x0001, 0x0006, 0x8000, 0x0001, 0x0006, 0, 0x0001, 0x8006, 0],
        // A mass failure that comes and goes.
        [MASS, 0, MASS, 0, MASS, MASS, 0, 0, MASS],
        // A suite that is mostly broken, with two others failing at times.
        [
            MASS,
            MASS,
            MASS | 0x4000,
            MASS,
            MASS,
            MASS | 0x4000,
            MASS,
            MASS,
            MASS,
        ],
        // A mass failure among tests that also fail by themselves.
        [
            0x0003,
            MASS,
            0x0001,
            MASS | 0x2000,
            0x2003,
            0x0001,
            MASS,
            0x2000,
            0x0ff0,
        ],
        // Two mass failures of different tests.
        [
            0x0fff, 0xfff0, 0x0003, 0xfff0, 0x00ff, 0xff00, 0xfff0, 0, 0x0fff,
        ],
    ];
    for outcomes in patterns {
        // Nobody is screened harder, everybody, or whoever fails last: the past may know what is to come.
        for suspicious in [0, 0xffff, 0xf00f] {
            for (test, mean) in means(&outcomes, suspicious).into_iter().enumerate() {
                assert!(
                    (mean - 1.0).abs() < 1e-9,
                    "test {test} of {outcomes:x?}, suspicious {suspicious:x}: {mean}"
                );
            }
        }
    }
}

#[test]
fn a_mass_failure_excuses_its_members_and_not_what_has_failed_everywhere() {
    let mut evidence = Evidence::new(&listed(), &policy());
    // Test 15 fails in both arms before ten others start to fail at once.
    evidence.record(&pass(1, Arm::Baseline, 0.75, 0x8000));
    evidence.record(&pass(2, Arm::Target, 1.0, 0x8000));
    evidence.record(&pass(3, Arm::Target, 1.0, 0x8fff));
    assert!(evidence.mass_failure());
    let members = &evidence.pool().unwrap().members;
    assert_eq!(members.len(), 12);
    assert!(!members.contains(&TestIndex(15)));
    assert_eq!(evidence.suspects(), 1);
    // Its own bets went on: three trials, three failures.
    let (suspicion, arms) = evidence.standing(TestIndex(15)).unwrap();
    assert_eq!(arms[1].failures, 2);
    assert!(suspicion.generation.is_none());
    // A member has no bets of its own, and stands on the pool's.
    assert!(evidence.books()[0].suspicion().is_none());
    assert_eq!(evidence.standing(TestIndex(0)).unwrap().1[1].failures, 1);
}

#[test]
fn members_that_fail_in_the_other_arm_too_are_suspects_of_the_same_family() {
    let mut evidence = Evidence::new(&listed(), &policy());
    for (number, arm, target_probability) in [
        (1, Arm::Target, 0.75),
        (2, Arm::Target, 2.0 / 3.0),
        (3, Arm::Target, 0.5),
    ] {
        evidence.record(&pass(number, arm, target_probability, 0x0fff));
        assert_eq!(evidence.suspects(), 0);
    }
    // The baseline comes last, so no pass is left in which they could fail by themselves.
    evidence.record(&pass(4, Arm::Baseline, 0.0, 0x0fff));
    assert_eq!(evidence.suspects(), 12);
    assert_eq!(evidence.generations().len(), 1);
    assert_eq!(evidence.generations()[0].units.len(), 13);
}

#[test]
fn before_its_first_failure_a_test_has_bet_nothing() {
    let mut evidence = Evidence::new(&listed(), &policy());
    evidence.record(&pass(1, Arm::Baseline, 0.75, 0));
    evidence.record(&pass(2, Arm::Target, 1.0, 0));
    assert!(evidence.standing(TestIndex(3)).is_none());
    // The first failure in a pass whose arm was certain gains nothing either.
    evidence.record(&pass(3, Arm::Target, 1.0, 0x0008));
    let (suspicion, _) = evidence.standing(TestIndex(3)).unwrap();
    assert!(suspicion.log_e(Arm::Target) == 0.0 && suspicion.log_e(Arm::Baseline) == 0.0);
}
