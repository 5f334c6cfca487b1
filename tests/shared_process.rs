//! The real binary where the tests of the target share a process: it says what `cargo test` says, and finds what only
//! shared state makes fail.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;
use std::process::Command;

use support::Project;

/// Returns the tests of target `state` that fail under plain `cargo test`, one at a time.
fn failing_under_cargo(project: &Project) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "test",
            "--quiet",
            "--test",
            "state",
            "--",
            "--test-threads",
            "1",
            "--format",
            "pretty",
        ])
        .current_dir(&project.root)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("test "));
    let failing = lines.filter_map(|line| line.strip_suffix(" ... FAILED"));
    failing
        .map(|name| format!("company::state {name}"))
        .collect()
}

/// Returns the tests of a report that failed in `arm`.
fn failing(report: &serde_json::Value, arm: &str) -> BTreeSet<String> {
    let tests = report["tests"].as_array().unwrap().iter();
    tests
        .filter(|test| test[arm]["failures"].as_u64().unwrap() > 0)
        .map(|test| {
            let [binary, name] = ["binary", "test"].map(|key| test[key].as_str().unwrap());
            format!("{binary} {name}")
        })
        .collect()
}

#[test]
fn shared_state_is_found_and_the_outcomes_are_those_of_cargo() {
    let project = Project::copy_of("tests/testdata/company");
    let arguments = [
        "run",
        "--test",
        "state",
        "--test",
        "own",
        "--format",
        "json",
        "--seed",
        "5",
        "--max-time",
        "90s",
    ];
    let ran = project.run(&arguments);
    let report = ran.json();
    let verdicts = ran.verdicts();
    let expected = failing_under_cargo(&project);
    assert_eq!(expected.len(), 4);
    let failing = |arm: &str| failing(&report, arm);
    assert_eq!(failing("target"), expected, "{}", ran.stderr);
    assert_eq!(failing("baseline"), BTreeSet::new());
    // A focus pass runs the suspects in one process: of three that count, the last fails there as well.
    assert_eq!(
        verdicts["company::state g_counts_from_zero"], "hidden-defect",
        "{verdicts:?}"
    );
    let others = verdicts
        .iter()
        .filter(|(name, _)| !expected.contains(*name));
    assert!(
        others.clone().all(|(_, verdict)| verdict == "stable"),
        "{verdicts:?}"
    );
    assert_eq!(others.count(), 6, "{verdicts:?}");
    let knobs = report["run"]["knobs"].as_array().unwrap();
    let process = knobs.iter().find(|knob| knob["id"] == "process").unwrap();
    assert_eq!(process["applied"], true, "{process}");
    let reason = process["reason"].as_str().unwrap();
    assert!(
        reason.contains("one process per test in company::own, which have a harness of their own"),
        "{reason}"
    );
}
