//! What counts as evidence of a cause, and what must not: each of these tests is of a state in which the real binary once named the
//! wrong one.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commits;
mod support;

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use commits::{Made, files};
use serde_json::Value;
use support::Project;

/// The library is linked into it.
const TEST: &str = r#"#[test]
fn works() {
    match (shop::FAULT, std::env::var_os("MODE")) {
        (1, Some(_)) => panic!("alpha trouble"),
        (2, Some(_)) => panic!("beta disaster"),
        _ => {}
    }
}
"#;

/// Returns a repository in which nothing is wrong yet.
fn made() -> Made {
    let made = Made::new();
    made.write("tests/all.rs", TEST);
    made.write(
        "fidelity.toml",
        "[profile.low]\n\n[profile.high]\nenv.MODE = \"production\"\n",
    );
    made
}

/// Commits the code with a fault; 0 is none.
fn commit(made: &Made, fault: u32, subject: &str) -> String {
    let text = format!("// {subject}\npub const FAULT: u32 = {fault};\n");
    made.write("src/lib.rs", &text);
    made.commit(subject)
}

fn run(made: &Made) {
    let _ran = made
        .does(&["run", "--no-gate", "--attribute", "never"])
        .exits_with(0);
}

/// Attributes, and checks that `culprit` is found.
#[track_caller]
fn finds(made: &Made, arguments: &[&str], culprit: &str) {
    let found: Value = made.attribute(arguments, 0).json()["attribution"].clone();
    assert_eq!(found["cause"]["commit"]["id"], culprit, "{found:#}");
}

#[test]
fn what_a_search_for_another_failure_saw_says_nothing_of_this_one() {
    let made = made();
    commit(&made, 0, "Begin");
    made.git(&["tag", "begin"]);
    let alpha = commit(&made, 1, "Trouble");
    commit(&made, 1, "Go on");
    run(&made);
    finds(&made, &["works", "--good", "begin"], &alpha);
    commit(&made, 0, "Mend it");
    let beta = commit(&made, 2, "Bring disaster");
    commit(&made, 2, "Go on after it");
    run(&made);
    let arguments = ["works", "--good", "begin"];
    let past = [&arguments[..], &["--from-history"]].concat();
    let found = made.attribute(&past, 7).json();
    let reason = &found["attribution"]["no_cause"]["reason"];
    assert_eq!(reason, "not-told-apart", "{found:#}");
    finds(&made, &arguments, &beta);
    finds(&made, &past, &beta);
}

#[test]
fn what_was_built_of_another_commit_is_not_tested_in_a_checkout_of_a_killed_search() {
    let made = made();
    let begin = commit(&made, 0, "Begin");
    commit(&made, 0, "Go on");
    let culprit = commit(&made, 1, "Trouble");
    commit(&made, 1, "Go on after it");
    run(&made);
    let mut search = made.tool(&["attribute", "works", "--good", &begin]);
    search.stdout(Stdio::null()).stderr(Stdio::null());
    // What it started is to die with it.
    let mut search = search.process_group(0).spawn().unwrap();
    let began = Instant::now();
    let done = format!("{begin}.done");
    while !files(made.cache.path())
        .iter()
        .any(|path| path.ends_with(&done))
    {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "nothing is checked out"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    let group = format!("-{}", search.id());
    let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
    assert!(killed.unwrap().success());
    search.wait().unwrap();
    // As if the good end had been the first commit that it came to, and nothing been built of it yet. The bad end is what the next
    // search builds first.
    let left = files(made.cache.path());
    let done = left.iter().find(|path| path.ends_with(&done)).unwrap();
    for entry in fs::read_dir(done.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let kept = ["cargo-fidelity.lock", &begin, &format!("{begin}.done")];
        if kept.iter().any(|kept| path.ends_with(kept)) {
            continue;
        }
        match path.is_dir() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }
    finds(
        &made,
        &["works", "--good", &begin, "--bad", "HEAD~1"],
        &culprit,
    );
}

#[test]
fn what_fails_among_other_tests_is_not_put_down_to_knobs_it_was_tried_alone_under() {
    // Whoever comes after `a_marks` in its process fails, whatever the rest of the environment is.
    let source = r#"
#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    static MARK: AtomicBool = AtomicBool::new(false);
    #[test]
    fn a_marks() { MARK.store(true, Ordering::SeqCst); }
    #[test]
    fn z_works() { assert!(!MARK.load(Ordering::SeqCst), "the mark is there"); }
}
"#;
    let project = Project::library("company", source);
    // Screening decides it, so that it has never run without company when its cause is looked for.
    project.write(
        "fidelity.toml",
        r#"
[policy]
screen = { baseline = 10, target = 20 }
[profile.low]
threads = 1
[profile.high]
threads = 1
process = "shared"
env.UNRELATED = "1"
env.NOR_THIS = "1"
"#,
    );
    let run = ["run", "--attribute", "all", "--no-gate", "--format", "json"];
    let report = project.run(&run).exits_with(0).json();
    let tests = report["tests"].as_array().unwrap();
    let test = tests.iter().find(|test| test["test"] == "tests::z_works");
    let test = test.unwrap();
    assert_eq!(test["target"]["failures"], 20, "{test:#}");
    let knobs = test["cause"]["knobs"].as_array().unwrap().iter();
    let knobs: Vec<&str> = knobs.map(|knob| knob["knob"].as_str().unwrap()).collect();
    assert_eq!(knobs, ["process", "scope"], "{test:#}");
}

#[test]
fn stored_results_without_a_failure_tell_no_commit_apart() {
    let made = made();
    let begin = commit(&made, 0, "Begin");
    run(&made);
    commit(&made, 0, "Go on");
    // It is seen to fail before it is committed, and to pass at the commit.
    made.write("src/lib.rs", "pub const FAULT: u32 = 1;\n");
    run(&made);
    made.git(&["checkout", "--quiet", "."]);
    run(&made);
    let options = ["works", "--good", &begin, "--from-history"];
    let found = made.attribute(&options, 7).json()["attribution"].clone();
    assert_eq!(found["no_cause"]["reason"], "bad-passes", "{found:#}");
    assert_eq!(found["suspects"].as_array().unwrap().len(), 0, "{found:#}");
    let notes = found["notes"].to_string();
    assert!(notes.contains("not committed"), "{notes}");
}

#[test]
fn a_test_that_fails_in_another_way_in_a_checkout_is_said_to() {
    let made = made();
    let test = r#"#[test]
fn works() {
    std::fs::read_to_string("local.settings").expect("settings of this machine");
    assert!(!(shop::FAULT == 1 && std::env::var_os("MODE").is_some()), "alpha trouble");
}
"#;
    made.write("tests/all.rs", test);
    made.write(".gitignore", "target\n.fidelity\nlocal.settings\n");
    made.write("local.settings", "");
    let begin = commit(&made, 0, "Begin");
    let last = commit(&made, 1, "Trouble");
    run(&made);
    let found = made.attribute(&["works", "--good", &begin], 7).json()["attribution"].clone();
    assert_eq!(found["no_cause"]["reason"], "bad-untestable", "{found:#}");
    let notes = found["notes"].to_string();
    let said = format!(
        "at {} it fails in another way: tests/all.rs: settings of this machine",
        &last[..10]
    );
    assert!(notes.contains(&said), "{notes}");
}

#[test]
fn a_test_of_a_command_is_not_taken_for_one_of_cargo() {
    let made = made();
    // Reports a test of the same last name, beside which there is one of cargo's that never fails.
    let script = r#"[ "$MODE" = production ] && broken='<failure message="broke"/>'
echo "<testsuite><testcase classname='outer' name='works'>$broken</testcase></testsuite>" > "$1/report.xml"
"#;
    made.write("all.sh", script);
    made.write(
        "fidelity.toml",
        "[runner]\ncommand = [\"sh\", \"all.sh\", \"{dir}\"]\njunit = [\"{dir}/*.xml\"]\n\n[profile.low]\n\n\
         [profile.high]\nenv.MODE = \"production\"\n",
    );
    let begin = commit(&made, 0, "Begin");
    commit(&made, 0, "Go on");
    run(&made);
    let ran = made.attribute(&["works", "--good", &begin], 2);
    assert!(ran.stderr.contains("made by a command"), "{}", ran.stderr);
}

#[test]
fn a_build_that_failed_by_chance_is_made_again() {
    let made = made();
    // Fails once for each checkout, as if a server had not been reached.
    let script = r#"fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Some(seen) = std::env::var_os("BUILDS") {
        let here = std::env::current_dir().unwrap();
        let mark = std::path::Path::new(&seen).join(here.file_name().unwrap());
        if std::fs::File::create_new(mark).is_ok() {
            std::process::exit(1);
        }
    }
}
"#;
    made.write("build.rs", script);
    let begin = commit(&made, 0, "Begin");
    let culprit = commit(&made, 1, "Trouble");
    run(&made);
    let builds = Project::empty("builds");
    let mut tool = made.tool(&["attribute", "works", "--good", &begin, "--format", "json"]);
    tool.env("BUILDS", &builds.root);
    let ran = support::Ran::of(tool.output().unwrap());
    let found = ran.exits_with(0).json()["attribution"].clone();
    assert_eq!(found["cause"]["commit"]["id"], culprit, "{found:#}");
    assert_eq!(files(&builds.root).len(), 2);
}

/// Fails where the code is at fault. The first trial that finds no mark makes one, and ends the stage on which it runs.
const ENDS_ITS_STAGE: &str = r#"use std::fs;
use std::time::Duration;

fn parent(process: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    Some(line.trim().to_owned())
}

/// Kills the processes that keep stages for the tool that started this one.
fn end_the_stage() {
    let mut above = vec![std::process::id().to_string()];
    while let Some(next) = parent(above.last().unwrap()) {
        above.push(next);
    }
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let process = entry.file_name().to_string_lossy().into_owned();
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let keeps = words.split(|byte| *byte == 0).any(|word| word == b"__stage");
        if keeps && parent(&process).is_some_and(|parent| above.contains(&parent)) {
            let killed = std::process::Command::new("kill").args(["-KILL", &process]).status();
            assert!(killed.unwrap().success());
            // It dies with the stage; were it not to, this fails the test that waits for that.
            std::thread::sleep(Duration::from_secs(20));
        }
    }
}

#[test]
fn works() {
    let mark = std::env::var_os("MARK");
    if mark.is_some_and(|mark| fs::File::create_new(mark).is_ok()) {
        end_the_stage();
    }
    assert!(!(shop::FAULT == 1 && std::env::var_os("MODE").is_some()), "alpha trouble");
}
"#;

#[test]
fn an_environment_that_was_not_provided_once_is_provided_again() {
    let made = made();
    made.write("tests/all.rs", ENDS_ITS_STAGE);
    made.write(
        "fidelity.toml",
        "[profile.low]\n\n[profile.high]\nnetwork = \"loopback\"\nenv.MODE = \"production\"\n",
    );
    let begin = commit(&made, 0, "Begin");
    let culprit = commit(&made, 1, "Trouble");
    let options = [
        "run",
        "--no-gate",
        "--attribute",
        "never",
        "--format",
        "json",
    ];
    let report = made.does(&options).exits_with(0).json();
    let mut knobs = report["run"]["knobs"].as_array().unwrap().iter();
    if knobs.any(|knob| knob["applied"] == false) {
        eprintln!("not run: this machine provides no network of its own");
        return;
    }
    let mark = made.cache.path().with_extension("mark");
    let mut tool = made.tool(&["attribute", "works", "--good", &begin, "--format", "json"]);
    tool.env("MARK", &mark);
    let ran = support::Ran::of(tool.output().unwrap());
    assert!(fs::remove_file(&mark).is_ok(), "the stage was never ended");
    let found = ran.exits_with(0).json()["attribution"].clone();
    assert_eq!(found["cause"]["commit"]["id"], culprit, "{found:#}");
}
