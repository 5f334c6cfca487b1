//! Company: failures that need the rest of the suite.

use super::*;

/// A seed whose first focus passes are the target's: passing there, the suspect does not look like a defect.
const SEED: u64 = 2;

/// Two binaries of six tests each.
fn two_binaries(policy: Policy, seed: u64) -> Plan {
    let tests = (0..12)
        .map(|number| ListedTest {
            id: TestId::new(
                if number < 6 { "one" } else { "two" },
                format!("test_{number:02}"),
            ),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect();
    Plan {
        tests,
        policy,
        seed: Seed(seed),
    }
}

fn with_company() -> Policy {
    Policy {
        company_after: 20,
        ..policy()
    }
}

/// Test 2 fails in the target, but never among suspects only.
fn needs_company(spec: &PassSpec, test: u32) -> Outcome {
    failed_if(test == 2 && in_target(spec) && !spec.scope.is_narrow())
}

#[test]
fn a_defect_that_shows_only_among_its_binary_is_found_there() {
    let mut play = Play::new(two_binaries(with_company(), SEED), &[]);
    play.finish(needs_company);
    let company: Vec<&PassSpec> = play
        .passes
        .iter()
        .map(|pass| &pass.spec)
        .filter(|spec| spec.phase == Phase::Company)
        .collect();
    assert!(!company.is_empty());
    for spec in company {
        assert_eq!(spec.scope, Scope::Binary);
        assert_eq!(spec.target_probability, 0.5);
        assert_eq!(spec.tests, (0..6).map(TestIndex).collect::<Vec<_>>());
    }
    assert_eq!(play.count(Phase::Focus), 20);
    let finding = play.finding(2);
    assert_eq!(finding.verdict.kind, VerdictKind::HiddenDefect);
    assert!(finding.only_in_company);
}

#[test]
fn without_company_the_same_defect_is_missed() {
    let mut play = Play::new(two_binaries(policy(), SEED), &[]);
    play.finish(needs_company);
    assert_eq!(play.count(Phase::Company), 0);
    assert_ne!(play.finding(2).verdict.kind, VerdictKind::HiddenDefect);
}

#[test]
fn what_its_binary_does_not_show_is_tried_four_times_among_the_suite() {
    let mut play = Play::new(two_binaries(with_company(), SEED), &[]);
    play.finish(|spec, test| failed_if(test == 2 && in_target(spec) && spec.scope == Scope::Suite));
    let scopes: Vec<Scope> = play
        .passes
        .iter()
        .filter(|pass| pass.spec.phase == Phase::Company)
        .map(|pass| pass.spec.scope)
        .collect();
    assert_eq!(scopes[..10], [Scope::Binary; 10]);
    assert!(scopes[10..].iter().all(|scope| *scope == Scope::Suite));
    assert!((1..=4).contains(&scopes[10..].len()), "{scopes:?}");
}

#[test]
fn company_costs_at_most_two_screenings_and_then_focus_goes_on() {
    let mut play = Play::new(two_binaries(with_company(), SEED), &[]);
    // Failed once, never again anywhere.
    play.finish(|spec, test| {
        failed_if(test == 2 && in_target(spec) && spec.arm_pass == 3 && spec.phase == Phase::Screen)
    });
    let trials: usize = play
        .passes
        .iter()
        .filter(|pass| pass.spec.phase == Phase::Company)
        .map(|pass| pass.spec.tests.len())
        .sum();
    assert_eq!(trials, 10 * 6 + 4 * 12);
    assert!(trials as u64 <= super::super::company::SCREENINGS * 6 * 12);
    // 20 + 14 passes had shown nothing; six more make forty.
    assert_eq!(play.count(Phase::Focus), 26);
}

#[test]
fn suspects_found_in_company_are_the_next_generation() {
    let mut play = Play::new(two_binaries(with_company(), SEED), &[]);
    // Tests 3 and 4 start to fail in the target once company has begun, one after the other.
    play.finish(|spec, test| match test {
        2 => needs_company(spec, test),
        3 => failed_if(in_target(spec) && spec.number > 26),
        4 => failed_if(in_target(spec) && spec.number > 29),
        _ => Outcome::Passed,
    });
    assert_eq!(play.finding(2).generation, Some(1));
    for test in [3, 4] {
        assert_eq!(play.finding(test).generation, Some(2));
        assert_eq!(play.verdict(test).0, VerdictKind::HiddenDefect);
    }
    let units = play.scheduler.evidence().generations()[1].units.len();
    assert_eq!(units, 2);
}

#[test]
fn a_suspect_that_company_cannot_decide_stops_at_the_budget() {
    let patient = Policy {
        futile_after: 100,
        ..with_company()
    };
    let mut play = Play::new(two_binaries(patient, 8), &[]);
    // Fails in every other pass among its binary, in either arm.
    play.finish(|spec, test| {
        failed_if(test == 2 && !spec.scope.is_narrow() && spec.number.is_multiple_of(2))
    });
    let allowed = super::super::company::SCREENINGS as usize * 6 * 12;
    let trials = play.count(Phase::Company) * 6;
    assert!(
        (allowed..allowed + 12).contains(&trials),
        "{trials} of {allowed}"
    );
    assert_eq!(play.count(Phase::Focus), 20);
}
