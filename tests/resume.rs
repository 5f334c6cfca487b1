//! Going on with a run that was cut short: as it began, or not at all.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Project, Ran};

/// Begins a run with these arguments and interrupts it after a few trials.
fn interrupted(project: &Project, arguments: &[&str]) -> Ran {
    let log = project.root.join("trials.log");
    let mut tool = project
        .tool(arguments)
        .env("TRIAL_LOG", &log)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let executed = || {
        std::fs::read_to_string(&log)
            .unwrap_or_default()
            .lines()
            .count()
    };
    while executed() < 20 && tool.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(120), "no trials");
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = tool.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    Ran::of(tool.wait_with_output().unwrap()).exits_with(5)
}

#[test]
fn a_resumed_run_keeps_its_parallelism_and_its_test_arguments() {
    let project = Project::copy_of("tests/testdata/planted");
    let begun = [
        "run",
        "--offline",
        "--seed",
        "3",
        "-j",
        "1",
        "--",
        "--test-threads=1",
    ];
    let cut = interrupted(&project, &begun);
    let ran = project.run(&["run", "--offline", "--resume"]).exits_with(2);
    assert!(
        ran.stderr.contains("arguments for the test binaries"),
        "{}",
        ran.stderr
    );
    let ran = project
        .run(&[
            "run",
            "--offline",
            "--resume",
            "-j",
            "2",
            "--",
            "--test-threads=1",
        ])
        .exits_with(2);
    assert!(
        ran.stderr.contains("1 tests at a time, not 2"),
        "{}",
        ran.stderr
    );
    let ran = project
        .run(&["run", "--offline", "--resume", "--", "--test-threads=1"])
        .exits_with(1);
    assert_ne!(ran.stdout, cut.stdout);
}

#[test]
fn a_run_that_another_joined_is_not_resumed_and_the_report_of_the_other_stays() {
    let project = Project::copy_of("tests/testdata/planted");
    let begun = ["run", "--offline", "--seed", "3", "-j", "1"];
    let _cut = interrupted(&project, &begun);
    let listed = project
        .run(&["report", "--list", "--format", "json"])
        .json();
    let first = listed["runs"][0]["id"].as_str().unwrap().to_owned();
    let later = project
        .run(&["run", "--offline", "--seed", "4", "-j", "1"])
        .exits_with(1);
    let resume = format!("--resume={first}");
    let ran = project.run(&["run", "--offline", &resume]).exits_with(2);
    assert!(ran.stderr.contains("was joined by run"), "{}", ran.stderr);
    assert_eq!(project.run(&["report"]).stdout, later.stdout);
}

#[test]
fn the_password_of_a_url_is_stored_nowhere_and_asked_for_again_by_a_resumed_run() {
    let project = Project::copy_of("tests/testdata/planted");
    let with_url = |more: &[&'static str]| {
        let set = ["--set", "high.env.URL=postgres://ann:s3cret@db/x"];
        [&["run", "--offline", "-j", "1"], more, &set[..]].concat()
    };
    let _cut = interrupted(&project, &with_url(&["--seed", "3"]));
    for file in walk(&project.root.join(".fidelity")) {
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes.windows(6).any(|window| window == b"s3cret");
        assert!(!found, "{}", file.display());
    }
    let ran = project
        .run(&["run", "--offline", "-j", "1", "--resume"])
        .exits_with(2);
    assert!(
        ran.stderr.contains("had a user in the URL of `env.URL`"),
        "{}",
        ran.stderr
    );
    let ran = project.run(&with_url(&["--resume"])).exits_with(1);
    assert!(!ran.stdout.contains("s3cret"), "{}", ran.stdout);
}

#[test]
fn a_resumed_run_draws_from_what_was_left_of_a_choice() {
    let project = Project::copy_of("tests/testdata/planted");
    let set = r#"high.locale={ one-of = ["POSIX", "xx_YY.UTF-8", "C"] }"#;
    let begun = ["run", "--offline", "--seed", "3", "-j", "1", "--set", set];
    let _cut = interrupted(&project, &begun);
    let ran = project
        .run(&[
            "run",
            "--offline",
            "-j",
            "1",
            "--format",
            "json",
            "--resume",
        ])
        .exits_with(1);
    let report = ran.json();
    let knobs = report["run"]["knobs"].as_array().unwrap();
    let locale = knobs.iter().find(|row| row["id"] == "locale").unwrap();
    assert_eq!(locale["target"], "one of C, POSIX", "{locale}");
    assert_eq!(locale["applied"], true, "{locale}");
    let discarded = |problem: &serde_json::Value| problem["kind"] == "pass-discarded";
    let problems = report["problems"].as_array().unwrap();
    assert!(!problems.iter().any(discarded), "{problems:?}");
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
