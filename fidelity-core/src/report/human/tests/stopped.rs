//! What a run that stopped early says of what is left.

use super::{Planted, plant, render, stable, wide};
use crate::domain::{Annotation, Arm, StopReason, Terms, VerdictKind};
use crate::evidence::presence::Presence;
use crate::report::Report;
use crate::report::planted::Plant;

fn undetermined(name: &str, reason: &str, low: (u32, u32), high: (u32, u32)) -> Plant {
    let verdict = (VerdictKind::Undetermined, reason);
    plant(("shop", name), verdict, low, high)
}

fn stopped(plants: impl IntoIterator<Item = Plant>) -> Report {
    let planted = Planted::new().stopped(StopReason::OutOfTime);
    planted.tests(plants).report()
}

/// Returns the line that says why a run stopped, and what is left.
fn line(report: &Report) -> String {
    let page = render(report, &wide());
    let line = page.lines().find(|line| line.starts_with("STOPPED EARLY"));
    line.expect("it stopped early").to_owned()
}

#[test]
fn only_tests_that_more_passes_could_decide_are_called_undecided() {
    let mut report = stopped([
        stable("shop", "adds"),
        undetermined("due", "leans hidden-defect", (0, 3), (2, 3))
            .with(|finding| finding.needs_passes = Some(9)),
        undetermined("hopeless", "leans flaky", (1, 40), (1, 40)),
        undetermined("no_pass_yet", "not compared: no trial", (0, 0), (0, 0)),
        undetermined("nowhere", "not compared: no trial", (0, 0), (0, 0)),
        undetermined("once", "leans hidden-defect", (0, 1), (1, 1))
            .with(|finding| finding.needs_passes = Some(70)),
        undetermined("skips", "not compared: no target trial", (0, 3), (0, 0)),
        plant(
            ("shop", "worse"),
            (VerdictKind::BaselineOnly, "always"),
            (9, 9),
            (0, 9),
        ),
    ]);
    let test = |name: &str| {
        let mut tests = report.tests.iter();
        tests
            .position(|test| test.id().test == name)
            .expect("it was planted")
    };
    let (nowhere, once, skips) = (test("nowhere"), test("once"), test("skips"));
    let absent = Some("`db` is not provided".to_owned());
    report.tests[nowhere].terms = Some(Box::new(Terms {
        absent: [absent.clone(), absent],
        ..Terms::default()
    }));
    report.tests[once].terms = Some(Box::new(Terms {
        annotation: Annotation {
            trials: Some(1),
            ..Annotation::default()
        },
        ..Terms::default()
    }));
    report.tests[skips].presence[Arm::Target.index()] = Presence {
        passes: 3,
        skipped: 3,
        absent: 0,
    };
    assert!(
        line(&report).ends_with("; 2 tests undecided, about 9 more passes"),
        "{}",
        line(&report)
    );
}

#[test]
fn where_passes_decide_nothing_more_that_is_said() {
    let hopeless = undetermined("hopeless", "leans flaky", (1, 40), (1, 40));
    let says = line(&stopped([hopeless]));
    let none = "; more passes are unlikely to decide more";
    assert!(says.ends_with(none), "{says}");
}
