//! Tests with a suspicious history: who is screened harder, when, and what it changes.

use super::*;

/// Five tests of which those at `suspicious` have a history, screened with 8 target passes instead of 5.
fn plan_with(suspicious: &[usize], policy: Policy, seed: u64) -> Plan {
    let mut plan = plan(5, policy, seed);
    plan.policy.screen.suspicious = 8;
    for position in suspicious {
        plan.tests[*position].suspicious = true;
    }
    plan
}

fn extra(play: &Play) -> Vec<&PassSpec> {
    let specs = play.passes.iter().map(|pass| &pass.spec);
    specs.filter(|spec| spec.screens_harder()).collect()
}

#[test]
fn suspicious_tests_get_their_own_target_passes_after_the_suite_is_screened() {
    let mut play = Play::new(plan_with(&[1, 3], policy(), 4), &[]);
    assert_eq!(play.scheduler.progress().screening_left, 9);
    play.finish(|_, _| Outcome::Passed);
    assert_eq!(play.passes.len(), 9);
    assert_eq!(extra(&play).len(), 3);
    for (number, spec) in (7..).zip(extra(&play)) {
        assert_eq!(spec.number, number);
        assert_eq!(spec.tests, [TestIndex(1), TestIndex(3)]);
        assert_eq!((spec.arm, spec.target_probability), (Arm::Target, 1.0));
        assert_eq!(spec.arm_pass, spec.number - 2);
    }
    let trials = |test: usize| {
        let finding = play.finding(test);
        (finding.baseline.trials, finding.target.trials)
    };
    assert_eq!([trials(0), trials(1), trials(3)], [(1, 5), (1, 8), (1, 8)]);
}

#[test]
fn a_suspicious_test_that_failed_is_a_suspect_and_needs_no_more_screening() {
    let mut play = Play::new(plan_with(&[1, 3], policy(), 4), &[]);
    // Test 1 fails in the screening of the suite, test 3 in the first pass of its own.
    play.finish(|spec, test| match test {
        1 => failed_if(in_target(spec)),
        3 => failed_if(in_target(spec) && spec.number >= 7),
        _ => Outcome::Passed,
    });
    assert_eq!(extra(&play).len(), 1);
    assert_eq!(extra(&play)[0].tests, [TestIndex(3)]);
    assert_eq!(play.verdict(1).0, VerdictKind::HiddenDefect);
    assert_eq!(play.verdict(3).0, VerdictKind::HiddenDefect);
    let generations = play.scheduler.evidence().generations();
    assert_eq!(
        generations.len(),
        1,
        "one family, frozen when the screening was over"
    );
    assert_eq!(generations[0].units.len(), 2);
}

#[test]
fn without_a_history_or_without_more_passes_for_it_nothing_changes() {
    let passes = |suspicious: &[usize], more: u32| {
        let mut plan = plan_with(suspicious, policy(), 9);
        plan.policy.screen.suspicious = more;
        let mut play = Play::new(plan, &[]);
        play.finish(|spec, test| failed_if(test == 0 && in_target(spec)));
        let specs = play.passes.into_iter().map(|pass| pass.spec);
        specs.collect::<Vec<_>>()
    };
    let plain = passes(&[], 0);
    assert_eq!(passes(&[], 8), plain);
    assert_eq!(passes(&[1, 3], 5), plain);
    assert_eq!(passes(&[1, 3], 0), plain);
    let mut not_executed = plan_with(&[4], policy(), 9);
    not_executed.tests[4].selected = false;
    let mut play = Play::new(not_executed, &[]);
    play.finish(|_, _| Outcome::Passed);
    assert_eq!(play.passes.len(), 6);
}

#[test]
fn passes_of_their_own_are_no_evidence_for_either_arm() {
    let mut play = Play::new(plan_with(&[1], policy(), 2), &[]);
    while play.scheduler.next() != Step::Done(StopReason::Decided)
        && play.asked().phase == Phase::Screen
    {
        play.answer(|spec, test| failed_if(test == 1 && spec.screens_harder()));
    }
    let finding = play.finding(1);
    assert_eq!((finding.target.trials, finding.target.failures), (6, 1));
    assert_eq!((finding.e_value, finding.e_mirror), (1.0, 1.0));
}

#[test]
fn too_few_trials_for_it_are_kept_for_the_suspects_there_are() {
    let policy = Policy {
        max_trials: Some(5 * 6 + 2),
        ..policy()
    };
    let mut play = Play::new(plan_with(&[1, 3, 4], policy, 4), &[]);
    let stop = play.finish(|spec, test| failed_if(test == 0 && in_target(spec)));
    assert_eq!(stop, StopReason::OutOfTrials);
    assert!(extra(&play).is_empty());
    assert_eq!(play.count(Phase::Focus), 2);
}

#[test]
fn a_run_resumed_within_it_goes_on_as_if_it_had_not_stopped_and_replays_to_the_same_verdicts() {
    let flaky = |spec: &PassSpec, test: u32| {
        let odd = (u64::from(test) + 3).wrapping_mul(spec.order_seed | 1) >> 61;
        failed_if(odd == 0 && test > 0)
    };
    for seed in 0..12 {
        let mut whole = Play::new(plan_with(&[1, 3], policy(), seed), &[]);
        whole.finish(flaky);
        for stopped_after in 5..whole.passes.len().min(12) {
            let mut resumed = Play::new(whole.plan.clone(), &[]);
            for pass in &whole.passes[..stopped_after] {
                assert_eq!(resumed.asked(), pass.spec, "seed {seed}");
                resumed.tell(pass.clone());
            }
            resumed.finish(flaky);
            assert_eq!(resumed.passes, whole.passes, "seed {seed}");
        }
        let stored = crate::classify::verdicts_of(&whole.stored(), &[]);
        assert_eq!(stored, whole.verdicts(), "seed {seed}");
    }
}

#[test]
fn joined_runs_keep_the_family_of_their_harder_screening() {
    let mut first = Play::new(plan_with(&[1, 3], policy(), 4), &[]);
    // The family has two members; one of them failed in a pass of its own only.
    first.finish(|spec, test| match test {
        0 => failed_if(spec.number == 2),
        3 => failed_if(spec.screens_harder() && spec.number == 8),
        _ => Outcome::Passed,
    });
    let later = Play::new(plan(5, policy(), 5), &[first.stored()]);
    let generations = later.scheduler.evidence().generations();
    assert_eq!(generations.len(), 1);
    assert_eq!(
        generations[0].units,
        first.scheduler.evidence().generations()[0].units
    );
}
