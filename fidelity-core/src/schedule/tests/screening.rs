//! The screening, discarded passes, replay and resumption.

use super::*;

#[test]
fn the_screening_asks_for_the_whole_suite_and_states_the_odds_of_each_draw() {
    let mut play = Play::new(plan(3, policy(), 4), &[]);
    let mut left = [1, 5];
    for number in 1..=6 {
        let spec = play.answer(|_, _| Outcome::Passed);
        let all: u32 = left.iter().sum();
        assert_eq!(spec.number, number);
        assert_eq!((spec.phase, spec.scope), (Phase::Screen, Scope::Suite));
        assert_eq!(spec.tests, [TestIndex(0), TestIndex(1), TestIndex(2)]);
        assert_eq!(spec.target_probability, f64::from(left[1]) / f64::from(all));
        assert_eq!(
            spec.arm_pass,
            [1, 5][spec.arm.index()] - left[spec.arm.index()]
        );
        assert_eq!(spec.timeout_factor, 1);
        left[spec.arm.index()] -= 1;
    }
    assert_eq!(left, [0, 0]);
    assert_eq!(play.scheduler.next(), Step::Done(StopReason::Decided));
}

#[test]
fn a_suite_that_never_fails_is_stable_and_says_which_rate_is_excluded() {
    let play = Play::screened(plan(2, policy(), 1), |_, _| Outcome::Passed);
    let finding = play.finding(0);
    assert_eq!(finding.verdict.kind, VerdictKind::Stable);
    assert_eq!((finding.baseline.trials, finding.target.trials), (1, 5));
    assert!((finding.target.bounds.1 - 0.4507).abs() < 1e-4);
    assert_eq!((finding.e_value, finding.e_mirror), (1.0, 1.0));
    assert_eq!(finding.e_needed, None);
}

#[test]
fn the_answer_stays_until_a_pass_is_recorded_and_one_cut_short_changes_nothing() {
    let mut play = Play::new(plan(2, policy(), 1), &[]);
    let first = play.asked();
    assert_eq!(play.asked(), first);
    let mut cut_short = pass_of(&first, |_, _| Outcome::Failed);
    cut_short.end = None;
    play.scheduler.record(&cut_short);
    assert_eq!(play.asked(), first);
    assert_eq!(play.scheduler.evidence().suspects(), 0);
}

fn discarded(spec: &PassSpec) -> PassRecord {
    let mut pass = pass_of(spec, |_, _| Outcome::Failed);
    let reason = "no database".to_owned();
    pass.end = Some((PassEnd::Discarded { reason }, 10));
    pass
}

#[test]
fn a_discarded_pass_does_not_count_and_is_made_again_in_the_arm_drawn_for_it() {
    for seed in 0..20 {
        let mut play = Play::new(plan(2, policy(), seed), &[]);
        let first = play.answer(|_, _| Outcome::Passed);
        let second = play.asked();
        play.tell(discarded(&second));
        let again = play.asked();
        assert_eq!(again.number, second.number + 1);
        assert_eq!(
            (again.arm, again.target_probability, again.arm_pass),
            (second.arm, second.target_probability, second.arm_pass),
            "seed {seed}"
        );
        play.finish(|_, _| Outcome::Passed);
        assert_eq!(play.passes.len(), 7);
        assert_eq!(play.finding(0).verdict.kind, VerdictKind::Stable);
        assert_eq!(first.number, 1);
    }
}

#[test]
fn three_discarded_passes_in_a_row_end_the_run() {
    let mut play = Play::new(plan(2, policy(), 1), &[]);
    for _ in 0..2 {
        play.tell(discarded(&play.asked()));
    }
    play.answer(|_, _| Outcome::Passed);
    for _ in 0..3 {
        play.tell(discarded(&play.asked()));
    }
    let reason = "no database".to_owned();
    assert_eq!(
        play.scheduler.next(),
        Step::Done(StopReason::Environment { reason })
    );
    let (kind, reason) = play.verdict(0);
    assert_eq!(kind, VerdictKind::Undetermined);
    assert!(reason.starts_with("not compared: no "), "{reason}");
}

/// Some tests of every kind, decided by pass and test alone.
fn mixed(spec: &PassSpec, test: u32) -> Outcome {
    match test {
        0 => failed_if(in_target(spec)),
        1 => failed_if(spec.number.is_multiple_of(3)),
        2 => Outcome::Failed,
        3 if in_target(spec) && spec.timeout_factor == 1 => Outcome::TimedOut,
        4 => failed_if(!in_target(spec)),
        _ => Outcome::Passed,
    }
}

#[test]
fn the_same_seed_and_answers_give_the_same_passes_and_another_seed_others() {
    let run = |seed| {
        let mut play = Play::new(plan(8, policy(), seed), &[]);
        play.finish(mixed);
        play
    };
    let (first, second, other) = (run(11), run(11), run(12));
    assert_eq!(first.passes, second.passes);
    assert_eq!(first.verdicts(), second.verdicts());
    let arms = |play: &Play| {
        play.passes
            .iter()
            .map(|pass| pass.spec.arm)
            .collect::<Vec<_>>()
    };
    assert_ne!(arms(&first), arms(&other));
}

#[test]
fn a_run_resumed_after_any_pass_goes_on_as_if_it_had_not_stopped() {
    let mut whole = Play::new(plan(8, policy(), 11), &[]);
    whole.finish(mixed);
    for stopped_after in 0..=whole.passes.len() {
        let mut resumed = Play::new(whole.plan.clone(), &[]);
        for pass in &whole.passes[..stopped_after] {
            assert_eq!(resumed.asked(), pass.spec);
            resumed.tell(pass.clone());
        }
        resumed.finish(mixed);
        assert_eq!(resumed.passes, whole.passes);
    }
}

#[test]
fn verdicts_from_the_stored_run_are_those_of_the_live_one() {
    let mut play = Play::new(plan(8, policy(), 11), &[]);
    play.finish(mixed);
    let stored = crate::classify::verdicts_of(&play.stored(), &[]);
    assert_eq!(stored, play.verdicts());
    let kinds: Vec<_> = stored
        .findings
        .iter()
        .map(|finding| finding.verdict.kind)
        .collect();
    assert_eq!(
        kinds[..5],
        [
            VerdictKind::HiddenDefect,
            VerdictKind::Flaky,
            VerdictKind::Broken,
            VerdictKind::HiddenDefect,
            VerdictKind::BaselineOnly
        ]
    );
}

#[test]
fn time_and_trials_end_a_run_and_what_is_open_says_what_is_missing() {
    let limited = |max_time_ms, max_trials| {
        let policy = Policy {
            max_time_ms,
            max_trials,
            ..policy()
        };
        let mut play = Play::new(plan(8, policy, 11), &[]);
        let stop = play.finish(mixed);
        (stop, play)
    };
    // Every pass takes one second.
    let (stop, play) = limited(Some(9_000), None);
    assert_eq!((stop, play.passes.len()), (StopReason::OutOfTime, 9));
    let defect = play.finding(0);
    assert_eq!(defect.verdict.reason, "leans hidden-defect");
    assert!(
        defect
            .needs_passes
            .is_some_and(|passes| (3..=25).contains(&passes))
    );

    let (stop, play) = limited(None, Some(52));
    assert_eq!(stop, StopReason::OutOfTrials);
    let trials: usize = play.passes.iter().map(|pass| pass.observations.len()).sum();
    assert!((48..=52).contains(&trials), "{trials}");

    let (stop, play) = limited(Some(0), None);
    assert_eq!((stop, play.passes.len()), (StopReason::OutOfTime, 0));
    assert_eq!(play.verdict(0).1, "not compared: no trial");
}

#[test]
fn progress_counts_down_the_screening_and_the_suspects() {
    let mut play = Play::new(plan(8, policy(), 11), &[]);
    assert_eq!(play.scheduler.progress().passes_left, 6);
    play.answer(mixed);
    assert!(play.scheduler.progress().left_ms > 0);
    play.finish(mixed);
    let progress = play.scheduler.progress();
    assert_eq!((progress.suspects, progress.settled), (5, 5));
    assert_eq!((progress.passes_left, progress.left_ms), (0, 0));
}
