//! What trials come to: every way to end has its outcome, none is an error.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::process::{Command, Stdio};

use fidelity_core::domain::{Environment, Observation, Outcome, PassEnd};
use fidelity_core::exec::{ExecError, Runner};

use crate::stage::{Stage, hostile};

fn outcome(seen: &BTreeMap<String, Observation>, test: &str) -> Outcome {
    seen[test].outcome
}

fn message<'a>(seen: &'a BTreeMap<String, Observation>, test: &str) -> &'a str {
    &seen[test].failure.as_ref().unwrap().message
}

#[test]
fn every_way_to_end_has_its_outcome() {
    let expected = [
        ("aborts", Outcome::Crashed(6)),
        ("exits_early", Outcome::Failed),
        ("exits_early_and_lies", Outcome::Failed),
        ("fails", Outcome::Failed),
        ("is_ignored", Outcome::Skipped),
        ("is_not_there", Outcome::NotReported),
        ("kills_its_group", Outcome::Crashed(9)),
        ("panics_as_it_should", Outcome::Passed),
        ("passes", Outcome::Passed),
        ("prints_300_megabytes", Outcome::Passed),
        ("returns_an_error", Outcome::Failed),
        ("sees_its_daemon_disappear", Outcome::Passed),
        ("terminates_its_group_softly", Outcome::Crashed(15)),
    ];
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    let seen = Stage::new(&names).run();
    let found: Vec<(&str, Outcome)> = names
        .iter()
        .map(|name| (*name, outcome(&seen, name)))
        .collect();
    assert_eq!(found, expected);
    assert!(seen.values().all(|observation| observation.leaked == 0));
    for (test, words) in [
        ("aborts", "died of signal 6 (SIGABRT)"),
        (
            "exits_early",
            "the process ended with exit status 0 before the test finished",
        ),
        (
            "fails",
            "assertion `left == right` failed: sums are off by 1 (left: 2, right: 3)",
        ),
        ("is_not_there", "the binary ran no test of this name"),
        (
            "returns_an_error",
            "Error: ParseIntError { kind: InvalidDigit }",
        ),
    ] {
        assert_eq!(message(&seen, test), words);
    }
    let signature = &seen["fails"].failure.as_ref().unwrap().signature;
    assert!(signature.contains("hostile.rs:"), "{signature}");
    assert!(
        signature.ends_with("failed: sums are off by # left: # right: #"),
        "{signature}"
    );
}

#[test]
fn a_test_that_hangs_is_timed_out_and_others_go_on() {
    let stage = Stage::new(&[
        "hangs",
        "joins_another_group_and_hangs",
        "passes",
        "stops_itself",
    ])
    .timeout_ms(300);
    let seen = stage.run();
    for test in ["hangs", "joins_another_group_and_hangs", "stops_itself"] {
        assert_eq!(outcome(&seen, test), Outcome::TimedOut, "{test}");
        assert_eq!(message(&seen, test), "still running after 300 ms");
        let duration_ms = seen[test].duration_us / 1000;
        assert!((300..2_000).contains(&duration_ms), "{duration_ms}");
    }
    assert_eq!(outcome(&seen, "passes"), Outcome::Passed);
}

#[test]
fn the_timeout_factor_of_a_pass_multiplies_the_limit() {
    let stage = Stage::new(&["hangs"]).timeout_ms(50);
    let mut runner = stage.runner();
    let mut spec = stage.spec(1);
    spec.timeout_factor = 4;
    let mut durations = Vec::new();
    let end = runner.run_pass(&spec, &spec.tests, &Environment::default(), &mut |batch| {
        durations.extend(batch.iter().map(|observation| observation.duration_us));
        ControlFlow::Continue(())
    });
    assert_eq!(end.unwrap(), PassEnd::Completed);
    assert!(durations[0] >= 200_000);
}

#[test]
fn of_a_flood_of_output_head_and_tail_are_kept_and_the_rest_is_counted() {
    let seen = Stage::new(&["prints_300_megabytes_and_fails"]).run();
    let failure = seen["prints_300_megabytes_and_fails"]
        .failure
        .clone()
        .unwrap();
    let stdout = &failure.output.stdout;
    assert_eq!(failure.message, "enough");
    assert_eq!(stdout.len(), 128 * 1024);
    assert!(failure.output.stdout_omitted > 299 << 20);
    let text = String::from_utf8_lossy(stdout);
    assert!(text.contains("the beginning") && text.contains("the end"));
    assert!(text.contains("test result: FAILED"));
}

#[test]
fn foreign_bytes_are_kept_as_they_were_printed() {
    let seen = Stage::new(&["prints_invalid_utf8_and_fails"]).run();
    let failure = seen["prints_invalid_utf8_and_fails"]
        .failure
        .clone()
        .unwrap();
    let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(has(&failure.output.stdout, b"\xff\xfe\x00\x1b[31m out\n"));
    assert!(has(&failure.output.stderr, b"\xc3\x28 err\n"));
    assert_eq!(failure.message, "bytes");
}

#[test]
fn a_test_that_replaces_its_binary_stops_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let binary = directory.path().join("hostile");
    std::fs::copy(hostile(), &binary).unwrap();
    let stage = Stage::with_binary(&binary, &["passes", "replaces_its_binary"]).slots(1);
    let mut runner = stage.runner();
    let error = stage
        .pass(&mut runner, 1, &Environment::default())
        .unwrap_err();
    assert!(matches!(error, ExecError::BinaryChanged { path } if path == binary));
    let error = stage
        .pass(&mut runner, 2, &Environment::default())
        .unwrap_err();
    assert!(matches!(error, ExecError::BinaryChanged { .. }));
}

#[test]
fn a_test_that_kills_its_guardian_is_not_reported_and_the_run_goes_on() {
    let stage = Stage::new(&["kills_its_parent", "passes", "passes_too"])
        .set("TOKEN", "token-of-the-parent-killer")
        .slots(1);
    let seen = stage.run();
    assert_eq!(outcome(&seen, "kills_its_parent"), Outcome::NotReported);
    assert_eq!(outcome(&seen, "passes"), Outcome::Passed);
    assert_eq!(outcome(&seen, "passes_too"), Outcome::Passed);
}

#[test]
fn a_binary_that_cannot_be_started_discards_the_pass() {
    let directory = tempfile::tempdir().unwrap();
    let binary = directory.path().join("not-a-program");
    std::fs::write(&binary, "nothing to see here").unwrap();
    let stage = Stage::with_binary(&binary, &["passes"]);
    let mut runner = stage.runner();
    let (seen, end) = stage.pass(&mut runner, 1, &Environment::default()).unwrap();
    assert!(seen.is_empty());
    assert!(matches!(end, PassEnd::Discarded { reason } if reason.contains("execute it")));
}

#[test]
fn a_trial_starts_with_clean_signals_and_no_descriptors_of_ours_in_its_directory() {
    let report = tempfile::NamedTempFile::new().unwrap();
    let read = || std::fs::read_to_string(report.path()).unwrap();
    let stage = Stage::new(&["reports_what_it_sees"]).set("REPORT", report.path());
    let seen = stage.run();
    assert_eq!(outcome(&seen, "reports_what_it_sees"), Outcome::Passed);
    let ours = read();
    let line = |text: &str, start: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(start));
        line.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    // What anyone would get who started it from here.
    let bare = Command::new(hostile())
        .args(["--exact", "reports_what_it_sees"])
        .env("REPORT", report.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(bare.status.success());
    let bare = read();
    assert_eq!(line(&ours, "descriptors "), line(&bare, "descriptors "));
    assert!(
        line(&ours, "descriptors ").contains("0=/dev/null"),
        "{ours}"
    );
    // Rust's runtime ignores SIGPIPE itself. The C library keeps signals from 32 on for itself.
    let ignored = line(&ours, "SigBlk:\t0000000000000000 SigIgn:\t");
    assert_eq!(
        u64::from_str_radix(&ignored, 16).unwrap() & 0x7fff_ffff,
        0x1000
    );
    assert_eq!(
        line(&ours, "directory "),
        stage.parent.path().display().to_string()
    );
    assert!(line(&ours, "tmpdir ").ends_with("/1/tmp"), "{ours}");
    assert_eq!(
        line(&ours, "runner "),
        "--exact --nocapture reports_what_it_sees"
    );
}

#[test]
fn break_from_seen_kills_what_runs_and_reports_no_more() {
    let stage = Stage::new(&["hangs", "ordered_a", "passes", "passes_too"])
        .set("ORDER", "/dev/null")
        .set("TOKEN", "token-of-the-break");
    let mut runner = stage.runner();
    let spec = stage.spec(1);
    let began = std::time::Instant::now();
    let mut batches = 0;
    let end = runner.run_pass(&spec, &spec.tests, &Environment::default(), &mut |_| {
        batches += 1;
        ControlFlow::Break(())
    });
    assert_eq!(end.unwrap(), PassEnd::Completed);
    assert_eq!(batches, 1);
    assert!(began.elapsed() < std::time::Duration::from_secs(1));
    assert!(crate::stage::processes_with("token-of-the-break").is_empty());
    // The guardians are ready for more.
    let more = Stage::new(&["passes"]);
    drop(more.run());
    let (seen, _) = stage_without_hang(&stage, &mut runner);
    assert_eq!(seen.len(), 2);
}

fn stage_without_hang(
    stage: &Stage,
    runner: &mut fidelity_core::exec::direct::DirectRunner,
) -> (Vec<Outcome>, PassEnd) {
    let mut spec = stage.spec(2);
    spec.tests.drain(..2);
    let mut seen = Vec::new();
    let end = runner.run_pass(&spec, &spec.tests, &Environment::default(), &mut |batch| {
        seen.extend(batch.iter().map(|observation| observation.outcome));
        ControlFlow::Continue(())
    });
    (seen, end.unwrap())
}

#[test]
fn an_interrupt_ends_the_pass_at_once() {
    let (wake, mut signal) = std::io::pipe().unwrap();
    let stage = Stage::new(&["hangs", "passes"]).set("TOKEN", "token-of-the-interrupt");
    let mut runner = stage.runner_with(|options| options.wake = Some(wake.into()));
    let spec = stage.spec(1);
    let began = std::time::Instant::now();
    let end = runner.run_pass(&spec, &spec.tests, &Environment::default(), &mut |_| {
        std::io::Write::write_all(&mut signal, b"!").unwrap();
        ControlFlow::Continue(())
    });
    assert!(matches!(end, Err(ExecError::Interrupted)));
    assert!(began.elapsed() < std::time::Duration::from_secs(1));
    assert!(crate::stage::processes_with("token-of-the-interrupt").is_empty());
    drop(runner);
    stage.assert_nothing_is_left();
}

#[test]
fn the_next_trial_starts_only_after_seen_has_returned() {
    let order = tempfile::NamedTempFile::new().unwrap();
    let names = ["ordered_a", "ordered_b", "ordered_c", "ordered_d"];
    let stage = Stage::new(&names).set("ORDER", order.path()).slots(1);
    let mut runner = stage.runner();
    let spec = stage.spec(1);
    let mut ended = 0;
    let end = runner.run_pass(&spec, &spec.tests, &Environment::default(), &mut |batch| {
        ended += batch.len();
        let started = std::fs::read_to_string(order.path())
            .unwrap()
            .lines()
            .count();
        assert_eq!(started, ended);
        ControlFlow::Continue(())
    });
    assert_eq!(end.unwrap(), PassEnd::Completed);
    assert_eq!(ended, 4);
}
