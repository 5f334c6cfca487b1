//! Passes during which other programs took much of the machine.

use super::*;
use crate::domain::{ForeignLoad, MachineLoad, OnForeignLoad};

const QUIET: MachineLoad = MachineLoad {
    foreign: 90,
    cpus: 2,
};
const BUSY: MachineLoad = MachineLoad {
    foreign: 130,
    cpus: 2,
};

fn policy_that(then: OnForeignLoad) -> Policy {
    Policy {
        foreign_load: ForeignLoad { at_most: 0.5, then },
        ..policy()
    }
}

/// Answers the pass asked for as the loop would, with so much of the machine taken by others.
fn answer(play: &mut Play, machine: Option<MachineLoad>) -> (PassSpec, PassEnd) {
    let spec = play.asked();
    let mut pass = pass_of(&spec, |_, _| Outcome::Passed);
    let end = play.scheduler.settle(PassEnd::Completed, machine);
    pass.end = Some((end.clone(), 1_000));
    pass.machine = machine;
    play.tell(pass);
    (spec, end)
}

fn is_disturbed(end: &PassEnd) -> bool {
    matches!(end, PassEnd::Disturbed { reason } if reason == "other programs used 1.3 of 2 CPUs")
}

#[test]
fn a_disturbed_pass_is_made_again_in_its_arm_three_times_and_then_counts() {
    for seed in 0..20 {
        let mut play = Play::new(plan(2, policy_that(OnForeignLoad::Repeat), seed), &[]);
        let (first, end) = answer(&mut play, Some(BUSY));
        assert!(is_disturbed(&end), "{end:?}");
        for again in 1..=3 {
            let (spec, end) = answer(&mut play, Some(BUSY));
            assert_eq!(
                (
                    spec.arm,
                    spec.target_probability,
                    spec.arm_pass,
                    spec.number
                ),
                (first.arm, first.target_probability, 0, first.number + again),
                "seed {seed}"
            );
            assert_eq!(
                is_disturbed(&end),
                again < 3,
                "seed {seed}, {again}: {end:?}"
            );
        }
        // The next pass has its own three.
        let (_, end) = answer(&mut play, Some(BUSY));
        assert!(is_disturbed(&end));
        let (_, end) = answer(&mut play, Some(QUIET));
        assert_eq!(end, PassEnd::Completed);
        assert_eq!(play.scheduler.completed.iter().sum::<u32>(), 2);
    }
}

#[test]
fn a_machine_that_is_busy_all_the_time_does_not_stop_the_run() {
    let mut play = Play::new(plan(2, policy_that(OnForeignLoad::Repeat), 1), &[]);
    while matches!(play.scheduler.next(), Step::Pass(_)) {
        answer(&mut play, Some(BUSY));
    }
    assert_eq!(play.scheduler.next(), Step::Done(StopReason::Decided));
    assert_eq!(play.passes.len(), 6 * 4);
    assert_eq!(play.finding(0).verdict.kind, VerdictKind::Stable);
}

#[test]
fn a_quiet_or_unknown_machine_and_the_default_leave_a_pass_as_it_is() {
    let discarded = PassEnd::Discarded {
        reason: "no database".to_owned(),
    };
    let repeating = Play::new(plan(2, policy_that(OnForeignLoad::Repeat), 1), &[]).scheduler;
    let warning = Play::new(plan(2, policy_that(OnForeignLoad::Warn), 1), &[]).scheduler;
    for (scheduler, machine) in [
        (&repeating, Some(QUIET)),
        (&repeating, None),
        (&warning, Some(BUSY)),
    ] {
        assert_eq!(
            scheduler.settle(PassEnd::Completed, machine),
            PassEnd::Completed
        );
    }
    assert_eq!(repeating.settle(discarded.clone(), Some(BUSY)), discarded);
}

#[test]
fn a_disturbed_pass_was_provided_with_its_environment() {
    let mut play = Play::new(plan(2, policy_that(OnForeignLoad::Repeat), 1), &[]);
    let reason = "no database".to_owned();
    for turn in 0..4 {
        let mut pass = pass_of(&play.asked(), |_, _| Outcome::Passed);
        pass.end = Some((
            PassEnd::Discarded {
                reason: reason.clone(),
            },
            10,
        ));
        if turn == 2 {
            let reason = "others".to_owned();
            pass.end = Some((PassEnd::Disturbed { reason }, 10));
        }
        play.tell(pass);
    }
    // Two in a row, and one.
    assert!(matches!(play.scheduler.next(), Step::Pass(_)));
}
