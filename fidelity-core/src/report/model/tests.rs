//! What the report model counts and labels.

use crate::domain::{
    MachineLoad, OnForeignLoad, PassEnd, RunId, StopReason, StoredRun, TestId, VerdictKind,
};
use crate::report::Report;
use crate::report::model::cluster::causes;
use crate::report::planted::{Planted, plant, stable};

fn undetermined(low: (u32, u32), high: (u32, u32), e: f64, mirror: f64) -> Option<VerdictKind> {
    let kind = (VerdictKind::Undetermined, "budget");
    let planted = plant(("a", "b"), kind, low, high).e(e, mirror, 70.0);
    Planted::new().tests([planted]).report().tests[0].lean
}

#[test]
fn an_undecided_test_leans_where_its_evidence_points() {
    use VerdictKind::{BaselineOnly, Broken, Flaky, HiddenDefect};
    assert_eq!(undetermined((0, 8), (3, 9), 6.0, 0.2), Some(HiddenDefect));
    assert_eq!(undetermined((3, 8), (0, 9), 0.2, 6.0), Some(BaselineOnly));
    assert_eq!(undetermined((4, 4), (4, 4), 1.0, 1.0), Some(Broken));
    assert_eq!(undetermined((2, 8), (3, 9), 1.2, 0.7), Some(Flaky));
    assert_eq!(
        undetermined((0, 8), (1, 40), 0.6, 0.9),
        Some(Flaky),
        "e below 1 points nowhere else"
    );
    assert_eq!(undetermined((0, 0), (1, 2), 1.0, 1.0), None, "not compared");
}

#[test]
fn only_an_undecided_test_leans() {
    let found = plant(
        ("a", "b"),
        (VerdictKind::HiddenDefect, "always"),
        (0, 9),
        (9, 9),
    );
    let report = Planted::new().tests([found.e(900.0, 0.1, 20.0)]).report();
    assert_eq!(report.tests[0].lean, None);
}

#[test]
fn a_cluster_counts_as_one_cause() {
    let found = |name, cluster: &str| {
        let kind = (VerdictKind::HiddenDefect, "always");
        plant(("a", name), kind, (0, 9), (9, 9)).in_cluster(cluster)
    };
    let alone = plant(
        ("a", "alone"),
        (VerdictKind::HiddenDefect, "always"),
        (0, 9),
        (9, 9),
    );
    let report = Planted::new()
        .tests([found("x", "1"), found("y", "1"), found("z", "2"), alone])
        .report();
    assert_eq!(report.of_kind(VerdictKind::HiddenDefect).count(), 4);
    assert_eq!(causes(report.of_kind(VerdictKind::HiddenDefect)), 3);
    assert_eq!(
        report.clusters[0].members,
        [TestId::new("a", "x"), TestId::new("a", "y")]
    );
}

#[test]
fn a_name_shared_by_two_binaries_takes_the_binary_along() {
    let report = Planted::new()
        .tests([stable("a", "same"), stable("b", "same"), stable("b", "own")])
        .report();
    assert_eq!(report.command_name(&TestId::new("a", "same")), "'a same'");
    assert_eq!(report.command_name(&TestId::new("b", "own")), "own");
}

#[test]
fn only_applied_knobs_of_the_target_that_differ_are_beyond_production() {
    let planted = Planted::new()
        .knob("cpus", (None, Some("1")), Ok("1 CPU"))
        .beyond_production()
        .knob("home", (None, Some("missing")), Err("not root"))
        .beyond_production()
        .knob("memory", (Some("1GiB"), Some("1GiB")), Ok("1 GiB"))
        .beyond_production()
        .tests([
            plant(
                ("a", "worse"),
                (VerdictKind::HiddenDefect, "always"),
                (0, 9),
                (9, 9),
            ),
            plant(
                ("a", "flaky"),
                (VerdictKind::Flaky, "both-arms"),
                (3, 9),
                (3, 9),
            ),
            plant(
                ("a", "worse_flaky"),
                (VerdictKind::Flaky, "worse-in-target"),
                (3, 9),
                (9, 9),
            ),
        ]);
    let report = planted.report();
    let names: Vec<&str> = report
        .run
        .beyond_production()
        .map(|knob| knob.knob.0.as_str())
        .collect();
    assert_eq!(names, ["cpus"]);
    let labelled: Vec<bool> = report
        .tests
        .iter()
        .map(|test| test.beyond_production)
        .collect();
    assert_eq!(labelled, [false, true, true], "flaky, worse, worse_flaky");
}

#[test]
fn what_was_paid_and_what_counts_are_told_apart() {
    let (mut run, verdicts) = Planted::new()
        .tests([stable("a", "one"), stable("a", "two")])
        .build();
    run.passes[1].end = Some((
        PassEnd::Discarded {
            reason: "the disk was full".to_owned(),
        },
        70,
    ));
    run.passes[5].end = None;
    run.passes[2].observations[1].leaked = 3;
    run.end = None;
    let mut earlier = run.clone();
    earlier.header.id = RunId(5 << 100);
    let report = Report::new(&run, &[earlier], &verdicts);
    let passes = report.run.passes;
    assert_eq!(
        (passes.completed(), passes.discarded, passes.unfinished),
        (4, 1, 1)
    );
    assert_eq!(report.run.trials, 12);
    assert_eq!(
        report.run.wall_ms,
        4 * 900 + 70,
        "of the passes: the run has no end"
    );
    assert_eq!(report.run.joined[0].passes, 4);
    let kinds: Vec<&str> = report
        .problems
        .iter()
        .map(|problem| problem.kind.as_str())
        .collect();
    assert_eq!(
        kinds,
        ["pass-discarded", "leaked-processes", "joined-run", "no-end"]
    );
    assert!(
        report.problems[1]
            .message
            .contains("1 test left 3 processes behind")
    );
}

#[test]
fn every_early_end_is_a_problem_and_a_decided_run_is_none() {
    let kinds = |stop: StopReason| -> Vec<String> {
        let report = Planted::new()
            .tests([stable("a", "b")])
            .stopped(stop)
            .report();
        report
            .problems
            .into_iter()
            .map(|problem| problem.kind)
            .collect()
    };
    assert_eq!(kinds(StopReason::Decided), [""; 0]);
    assert_eq!(kinds(StopReason::OutOfTime), ["out-of-time"]);
    assert_eq!(kinds(StopReason::OutOfTrials), ["out-of-trials"]);
    assert_eq!(kinds(StopReason::Interrupted), ["interrupted"]);
    let reason = "port 5432 was taken".to_owned();
    assert_eq!(kinds(StopReason::Environment { reason }), ["environment"]);
}

#[test]
fn a_knob_that_was_not_applied_is_one_problem_even_if_the_run_says_so_itself() {
    let planted = Planted::new()
        .knob("home", (None, Some("missing")), Err("not root"))
        .knob("tz", (None, Some("UTC")), Err("no zone files"))
        .problem(
            "knob-not-applied",
            "knob home was not applied: not root (CARGO_HOME is pinned, tzdata is not read)",
        )
        .tests([stable("a", "b")]);
    let messages: Vec<String> = planted
        .report()
        .problems
        .into_iter()
        .map(|problem| problem.message)
        .collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(messages[1], "knob tz was not applied: no zone files");
}

#[test]
fn foreign_load_during_passes_that_count_is_a_problem() {
    let (mut run, verdicts) = Planted::new().tests([stable("a", "one")]).build();
    let messages = |run: &StoredRun| -> Vec<String> {
        let report = Report::new(run, &[], &verdicts);
        let problems = report.problems.into_iter();
        problems
            .filter(|problem| problem.kind == "foreign-load")
            .map(|problem| problem.message)
            .collect()
    };
    let machine = |foreign| Some(MachineLoad { foreign, cpus: 2 });
    for pass in &mut run.passes {
        pass.machine = machine(100);
    }
    assert_eq!(
        messages(&run),
        [""; 0],
        "half of the CPUs is no more than half"
    );
    run.passes[0].machine = machine(150);
    run.passes[1].machine = machine(110);
    let reason = "other programs used 1.8 of 2 CPUs".to_owned();
    run.passes[2].machine = machine(180);
    run.passes[2].end = Some((PassEnd::Disturbed { reason }, 5));
    let message = messages(&run).remove(0);
    let expected = "other programs used 1.3 of 2 CPUs on average during 2 of 5 passes; ";
    assert!(message.starts_with(expected), "{message}");
    assert!(message.contains("then=repeat"), "{message}");
    run.header.policy.foreign_load.then = OnForeignLoad::Repeat;
    assert!(messages(&run)[0].contains("did not help"));
}
