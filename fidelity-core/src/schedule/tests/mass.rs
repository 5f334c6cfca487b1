//! Mass failures: one event, one cluster, in either arm, and told from a broken suite.

use super::*;

/// Twelve of twenty tests fail in the target alone.
fn twelve_of_twenty(spec: &PassSpec, test: u32) -> Outcome {
    failed_if(test < 12 && in_target(spec))
}

#[test]
fn twelve_of_twenty_failing_in_the_target_are_one_cluster_of_hidden_defects() {
    let mut play = Play::new(plan(20, policy(), 2), &[]);
    play.finish(twelve_of_twenty);
    let verdicts = play.verdicts();
    for test in 0..12 {
        assert_eq!(
            play.verdict(test),
            (VerdictKind::HiddenDefect, "always, mass-failure".to_owned())
        );
        assert_eq!(verdicts.findings[test].cluster, Some(0));
    }
    assert_eq!(verdicts.clusters.len(), 1);
    assert_eq!(verdicts.clusters[0].reason, "mass failure");
    assert_eq!(verdicts.clusters[0].members.len(), 12);
    assert_eq!(play.verdict(12).0, VerdictKind::Stable);
    // One finding: the family has one member, not twelve.
    let needed = verdicts.findings[0].e_needed.unwrap();
    assert!((needed * crate::stats::ebh::generation_level(0.05, 1) - 1.0).abs() < 1e-9);
}

#[test]
fn a_mass_failure_is_repeated_once_at_once_in_its_own_arm() {
    let mut play = Play::new(plan(20, policy(), 2), &[]);
    loop {
        let spec = play.answer(twelve_of_twenty);
        if in_target(&spec) {
            break;
        }
    }
    let repeat = play.answer(twelve_of_twenty);
    assert_eq!(
        (
            repeat.phase,
            repeat.arm,
            repeat.scope,
            repeat.target_probability
        ),
        (Phase::MassRepeat, Arm::Target, Scope::Suite, 1.0)
    );
    play.finish(twelve_of_twenty);
    assert_eq!(play.count(Phase::MassRepeat), 1);
    assert_eq!(play.count(Phase::Screen), 6);
    // The repetition is no evidence: its arm was not drawn. Twelfth test: sampled by no focus pass or by all.
    let trials = play.finding(15).target.trials;
    assert_eq!(trials, 5);
}

#[test]
fn focus_samples_ten_members_for_all() {
    let mut play = Play::new(plan(400, policy(), 2), &[]);
    play.finish(|spec, test| failed_if(test < 300 && in_target(spec)));
    for pass in play
        .passes
        .iter()
        .filter(|pass| pass.spec.phase == Phase::Focus)
    {
        assert_eq!(pass.spec.tests.len(), 10);
        assert_eq!(
            pass.spec.tests,
            play.passes[play.passes.len() - 1].spec.tests
        );
    }
    assert!(play.count(Phase::Focus) > 0);
    let hidden = play
        .verdicts()
        .findings
        .iter()
        .filter(|finding| finding.verdict.kind == VerdictKind::HiddenDefect)
        .count();
    assert_eq!(hidden, 300);
}

#[test]
fn a_hiccup_that_does_not_repeat_is_one_off_and_costs_no_focus() {
    let mut play = Play::new(plan(40, policy(), 2), &[]);
    let hit = loop {
        let spec = play.asked();
        if in_target(&spec) {
            break spec.number;
        }
        play.answer(|_, _| Outcome::Passed);
    };
    play.finish(|spec, _| failed_if(spec.number == hit));
    assert_eq!(play.count(Phase::MassRepeat), 1);
    assert_eq!(play.count(Phase::Focus), 0);
    assert_eq!(
        play.verdict(0),
        (
            VerdictKind::Undetermined,
            "one-off, mass-failure".to_owned()
        )
    );
    assert_eq!(play.finding(0).needs_passes, None);
}

#[test]
fn in_a_suite_that_is_mostly_broken_each_broken_test_says_so() {
    for seed in 0..20 {
        let mut play = Play::new(plan(60, policy(), seed), &[]);
        play.finish(|spec, test| failed_if(test < 40 || test == 45 && in_target(spec)));
        for test in 0..40 {
            let broken = (VerdictKind::Broken, String::new());
            assert_eq!(play.verdict(test), broken, "seed {seed}");
        }
        // And a defect among them is still found.
        assert_eq!(play.verdict(45).0, VerdictKind::HiddenDefect, "seed {seed}");
        assert_eq!(play.verdict(46).0, VerdictKind::Stable);
    }
}

#[test]
fn nine_tests_or_half_of_a_suite_are_no_mass_failure() {
    for (count, failing) in [(12, 9), (40, 20)] {
        let mut play = Play::new(plan(count, policy(), 2), &[]);
        play.finish(|spec, test| failed_if(test < failing && in_target(spec)));
        assert_eq!(play.count(Phase::MassRepeat), 0);
        assert_eq!(
            play.verdict(0),
            (VerdictKind::HiddenDefect, "always".to_owned())
        );
    }
}

#[test]
fn a_mass_failure_of_the_baseline_is_its_false_alarm() {
    let mut play = Play::new(plan(20, policy(), 2), &[]);
    play.finish(|spec, test| failed_if(test < 12 && !in_target(spec)));
    assert_eq!(
        play.verdict(3),
        (VerdictKind::BaselineOnly, "always, mass-failure".to_owned())
    );
}

#[test]
fn a_pool_with_too_few_sound_members_is_given_up() {
    // Ten tests are broken; two fail with them in the first passes of the target only, and never again.
    for seed in 0..20 {
        let mut play = Play::new(plan(20, policy(), seed), &[]);
        play.finish(|spec, test| {
            let early = spec.number <= 3 && spec.phase != Phase::Focus;
            failed_if(test < 10 || test < 12 && early && in_target(spec))
        });
        for test in 0..10 {
            assert_eq!(play.verdict(test).0, VerdictKind::Broken, "seed {seed}");
        }
    }
}
