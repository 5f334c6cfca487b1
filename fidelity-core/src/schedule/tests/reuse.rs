//! Earlier runs: their passes count, their suspects stay in the family, their seeds do not count twice.

use crate::classify::verdicts_of;
use crate::stats::ebh::generation_level;

use super::*;

#[test]
fn a_joined_run_shortens_the_next() {
    let defect = |spec: &PassSpec, test: u32| failed_if(test == 0 && in_target(spec));
    let short = Policy {
        max_passes: 2,
        ..policy()
    };
    let mut earlier = Play::new(plan(5, short, 1), &[]);
    earlier.finish(defect);
    assert_eq!(earlier.finding(0).verdict.kind, VerdictKind::Undetermined);

    let later = |reuse| {
        let policy = Policy { reuse, ..policy() };
        let mut play = Play::new(plan(5, policy, 2), &[earlier.stored()]);
        play.finish(defect);
        assert_eq!(play.finding(0).verdict.kind, VerdictKind::HiddenDefect);
        (play.count(Phase::Focus), play.finding(0).target.trials)
    };
    let (with, trials) = later(true);
    let (without, fewer) = later(false);
    assert!(with < without, "{with} focus passes against {without}");
    assert!(trials >= fewer);
    // Replaying the stored passes gives what the live run said.
    let mut play = Play::new(plan(5, policy(), 2), &[earlier.stored()]);
    play.finish(defect);
    assert_eq!(
        verdicts_of(&play.stored(), &[earlier.stored()]),
        play.verdicts()
    );
    assert_ne!(verdicts_of(&play.stored(), &[]), play.verdicts());
}

#[test]
fn rerunning_the_best_looking_of_thirty_leaves_the_family_at_thirty() {
    // Odd and even numbers, so that no two share a pattern that would make them a cluster.
    let noise = |spec: &PassSpec, test: u32| failed_if(test < 30 && spec.number == 1 + test % 6);
    let mut earlier = Play::screened(plan(40, policy(), 1), noise);
    while earlier.passes.len() < 10 {
        earlier.answer(|_, _| Outcome::Passed);
    }
    let mut one_only = plan(40, policy(), 2);
    for (number, test) in one_only.tests.iter_mut().enumerate() {
        test.selected = number == 7;
    }
    let mut later = Play::new(one_only, &[earlier.stored()]);
    assert_eq!(later.asked().tests, [TestIndex(7)]);
    later.finish(|spec, _| failed_if(in_target(spec)));
    let finding = later.finding(7);
    let needed = 30.0 / generation_level(0.05, 1);
    assert!((finding.e_needed.unwrap() / needed - 1.0).abs() < 1e-9);
    assert!(
        later
            .passes
            .iter()
            .all(|pass| pass.spec.tests == [TestIndex(7)])
    );
}

#[test]
fn a_run_that_repeats_a_seed_does_not_join() {
    let run = |seed| {
        let mut play = Play::new(plan(5, policy(), seed), &[]);
        play.finish(|_, _| Outcome::Passed);
        play.stored()
    };
    let trials = |joined: &[StoredRun]| {
        let play = Play::new(plan(5, policy(), 9), joined);
        let book = &play.scheduler.evidence().books()[0];
        book.arms[0].trials + book.arms[1].trials
    };
    assert_eq!(trials(&[run(1)]), 6);
    assert_eq!(trials(&[run(1), run(2)]), 12);
    assert_eq!(trials(&[run(1), run(1)]), 6);
    assert_eq!(trials(&[run(9)]), 0);
}

#[test]
fn only_completed_passes_of_known_tests_join() {
    let mut earlier = Play::new(plan(5, policy(), 1), &[]);
    earlier.finish(|_, test| failed_if(test == 4));
    let mut stored = earlier.stored();
    if let Some(last) = stored.passes.last_mut() {
        last.end = None;
    }
    let completed = stored.passes.len() - 1;
    // Our list lacks the first test and has a new one.
    let mut later = plan(5, policy(), 2);
    later.tests.remove(0);
    later.tests.push(ListedTest {
        id: TestId::new("planted", "test_0099"),
        selected: true,
        suspicious: false,
        terms: None,
    });
    let play = Play::new(later, &[stored]);
    let books = play.scheduler.evidence().books();
    let trials = |test: usize| books[test].arms[0].trials + books[test].arms[1].trials;
    assert_eq!(trials(0), 6);
    assert_eq!(trials(3) as usize, completed);
    assert_eq!(trials(4), 0);
    assert!(books[3].suspicion().is_some());
}

#[test]
fn the_patience_of_a_run_starts_anew() {
    let flake = |spec: &PassSpec, test: u32| {
        failed_if(test == 0 && spec.number == 2 && spec.phase == Phase::Screen)
    };
    let mut earlier = Play::new(plan(5, policy(), 1), &[]);
    earlier.finish(flake);
    assert_eq!(earlier.count(Phase::Focus), 40);
    let mut later = Play::new(plan(5, policy(), 2), &[earlier.stored()]);
    later.finish(|_, _| Outcome::Passed);
    // The 22 passes that the first run said would decide.
    assert_eq!(later.count(Phase::Focus), 22);
    assert_eq!(later.finding(0).verdict.kind, VerdictKind::Flaky);
}

#[test]
fn a_pass_that_never_completed_is_paid_for_where_its_run_joins() {
    // A flake that failed once in the target; then runs in which the target's environment is always lost.
    let mut first = Play::new(plan(2, policy(), 1), &[]);
    let mut hit = false;
    while first.scheduler.screen_left != [0, 0] {
        let fails = in_target(&first.asked()) && !std::mem::replace(&mut hit, true);
        first.answer(|_, test| failed_if(test == 0 && fails));
    }
    let e_value = |joined: &[StoredRun], worse| {
        let evidence = Play::new(plan(2, policy(), 9), joined).scheduler;
        let suspicion = evidence.evidence().books()[0].suspicion().unwrap();
        suspicion.log_e(worse).exp()
    };
    let mut second = Play::new(plan(2, policy(), 2), &[]).asked();
    for worse in Arm::BOTH {
        let before = e_value(&[first.stored()], worse);
        let mut mean = 0.0;
        for (arm, chance) in [(Arm::Baseline, 1.0 / 6.0), (Arm::Target, 5.0 / 6.0)] {
            second.arm = arm;
            second.target_probability = 5.0 / 6.0;
            let mut pass = pass_of(&second, |_, _| Outcome::Passed);
            if arm == Arm::Target {
                pass.observations.clear();
                let reason = "lost".to_owned();
                pass.end = Some((PassEnd::Discarded { reason }, 1));
            }
            let joined = [first.stored(), stored(&plan(2, policy(), 2), vec![pass])];
            mean += chance * e_value(&joined, worse);
        }
        assert!(mean <= before * (1.0 + 1e-12), "{mean} after {before}");
    }
}
