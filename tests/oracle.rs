//! The oracle of the baseline: a test sees the same under `cargo test` and when the tool starts it.
//!
//! The fixture's tests write down everything a process can see of its start. Whatever differs has to be listed, with a
//! reason, in `testdata/environment-oracle/EXPLAINED.txt`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(unsafe_code, reason = "gives back the usual signals to what it starts")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use fidelity_core::domain::{
    Arm, Environment, ListedTest, Outcome, PassEnd, PassSpec, Phase, Scope, TestIndex,
};
use fidelity_core::exec::Runner as _;
use fidelity_core::exec::direct::{DirectRunner, RunnerOptions};
use fidelity_core::suite::{CargoOptions, Suite};

mod tree;

use tree::{Tree, suite};

/// The test of the fixture, in each of its binaries.
const TEST: &str = "reports";

/// Cargo's configuration in the fixture.
const CONFIG: &str = ".cargo/config.toml";

/// Runs the test of every binary the way the tool runs a baseline pass.
fn run_like_us(suite: &Suite) {
    let listed: Vec<ListedTest> = suite
        .tests
        .iter()
        .map(|test| ListedTest {
            id: test.id.clone(),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect();
    let options = RunnerOptions {
        helper: env!("CARGO_BIN_EXE_cargo-fidelity").into(),
        slots: 1,
        timeout_ms: 60_000,
        arguments: Vec::new(),
        wake: None,
        parent: None,
    };
    let mut runner = DirectRunner::new(suite, &listed, options).unwrap();
    let tests: Vec<TestIndex> = (0..)
        .map(TestIndex)
        .zip(&listed)
        .filter(|(_, test)| test.id.test == TEST)
        .map(|(index, _)| index)
        .collect();
    let spec = PassSpec {
        number: 1,
        phase: Phase::Screen,
        arm: Arm::Baseline,
        target_probability: 0.5,
        scope: Scope::Suite,
        tests: tests.clone(),
        arm_pass: 0,
        order_seed: 1,
        timeout_factor: 1,
    };
    let mut seen = Vec::new();
    let end = runner.run_pass(
        &spec,
        &tests,
        &Environment::default(),
        &mut |observations| {
            seen.extend(observations);
            ControlFlow::Continue(())
        },
    );
    assert_eq!(end.unwrap(), PassEnd::Completed);
    assert_eq!(seen.len(), tests.len());
    for observation in seen {
        assert_eq!(observation.outcome, Outcome::Passed, "{observation:?}");
    }
}

/// Both sides get the same streams, so that what is compared is what the two put between.
fn piped(command: &mut Command) -> std::process::Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn cargo_test(options: &CargoOptions) -> std::process::Output {
    let mut cargo = options.cargo();
    cargo
        .args(["test", "--no-fail-fast"])
        .args(options.build_arguments())
        .args(["--", "--exact", "--nocapture", TEST]);
    // A shell that starts the tests in the background has these ignored; the tool gives tests the usual ones.
    // SAFETY: changes the dispositions of signals, nothing else.
    unsafe {
        cargo.pre_exec(|| {
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
                libc::signal(signal, libc::SIG_DFL);
            }
            Ok(())
        });
    }
    piped(&mut cargo)
}

/// Takes the reports out of the way of the next ones.
fn reports(tree: &Tree) -> BTreeMap<OsString, Vec<String>> {
    let out = tree.root.join("out");
    let reports = fs::read_dir(&out)
        .unwrap_or_else(|error| panic!("no reports: {error}"))
        .map(|entry| {
            let entry = entry.unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            (entry.file_name(), text.lines().map(str::to_owned).collect())
        })
        .collect();
    fs::remove_dir_all(out).unwrap();
    reports
}

/// Returns the reports under `cargo test` and under the tool.
fn both(tree: &Tree, cargo: &CargoOptions) -> [BTreeMap<OsString, Vec<String>>; 2] {
    let output = cargo_test(cargo);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let theirs = reports(tree);
    let suite = suite(cargo).unwrap();
    assert_eq!(suite.problems, []);
    run_like_us(&suite);
    [theirs, reports(tree)]
}

struct Explained(Vec<(String, String)>);

impl Explained {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tests/testdata/environment-oracle/EXPLAINED.txt");
        let text = fs::read_to_string(path).unwrap();
        let entries = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        Self(
            entries
                .map(|line| {
                    let (start, reason) = line
                        .split_once('|')
                        .unwrap_or_else(|| panic!("no reason: {line}"));
                    assert!(!reason.trim().is_empty(), "no reason: {line}");
                    (start.trim().to_owned(), reason.trim().to_owned())
                })
                .collect(),
        )
    }
}

/// Asserts that both sides reported the same but for what is explained, and that every explanation is needed.
fn assert_same([theirs, ours]: &[BTreeMap<OsString, Vec<String>>; 2]) {
    let explained = Explained::read();
    let mut used = BTreeSet::new();
    let mut unexplained = Vec::new();
    assert_eq!(
        theirs.keys().collect::<Vec<_>>(),
        ours.keys().collect::<Vec<_>>()
    );
    for (name, their_lines) in theirs {
        assert!(
            their_lines.len() > 50,
            "a report says nothing: {their_lines:?}"
        );
        for (side, lines, others) in [
            ("cargo test", their_lines, &ours[name]),
            ("the tool", &ours[name], their_lines),
        ] {
            for line in surplus(lines, others) {
                match explained
                    .0
                    .iter()
                    .find(|(start, _)| line.starts_with(start.as_str()))
                {
                    Some((start, _)) => drop(used.insert(start.clone())),
                    None => {
                        unexplained.push(format!("{} only under {side}: {line}", name.display()));
                    }
                }
            }
        }
    }
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    let idle: Vec<_> = explained
        .0
        .iter()
        .filter(|(start, _)| !used.contains(start))
        .collect();
    assert!(
        idle.is_empty(),
        "explained, but the same on both sides: {idle:?}"
    );
}

/// Returns the lines that occur more often on this side.
fn surplus<'a>(lines: &'a [String], others: &[String]) -> Vec<&'a String> {
    let count =
        |lines: &[String], line: &String| lines.iter().filter(|other| *other == line).count();
    lines
        .iter()
        .filter(|line| count(lines, line) > count(others, line))
        .collect()
}

/// Asserts that some report on each side has the line.
fn assert_reported(sides: &[BTreeMap<OsString, Vec<String>>; 2], wanted: &str) {
    for reports in sides {
        assert!(
            reports.values().flatten().any(|line| line.contains(wanted)),
            "nobody reports {wanted}"
        );
    }
}

#[test]
fn a_test_sees_the_same_under_cargo_test_and_under_the_tool() {
    let tree = Tree::copy("environment-oracle");
    let sides = both(&tree, &tree.options());
    assert_same(&sides);
    assert_eq!(
        sides[0].len(),
        4,
        "derive, subject, its binary, its integration test"
    );
    // The comparison would hold if cargo handed nothing over at all.
    for wanted in [
        "variable CARGO_PKG_VERSION_PRE: =beta.1",
        "variable CARGO_MANIFEST_DIR: =",
        "variable ORACLE_PLAIN: =a word = another, \\\"quoted\\\" and \\xc3\\xbcnicode",
        "variable HOME_OF_ORACLE: =/nowhere",
        "variable LD_LIBRARY_PATH: =",
        "descriptor 1: pipe",
        "argument 3: \"reports\"",
    ] {
        assert_reported(&sides, wanted);
    }
}

/// Discovery under a variable, which a test cannot set for itself: this test binary again, with only this test.
fn again(test: &str, variable: &str, value: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = piped(
        command
            .args(["--exact", test, "--nocapture"])
            .env(variable, value)
            .env("ORACLE_AGAIN", "1"),
    );
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{stdout}{stderr}"
    );
}

fn host() -> String {
    let output = CargoOptions::default().cargo().arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap()
        .to_owned()
}

fn runner_variable() -> String {
    format!(
        "CARGO_TARGET_{}_RUNNER",
        host().to_uppercase().replace('-', "_")
    )
}

#[test]
fn a_target_runner_of_the_configuration_is_honoured() {
    let tree = Tree::copy("environment-oracle");
    let plain = fs::read_to_string(tree.root.join(CONFIG)).unwrap();
    let forms = [
        "[target.'cfg(unix)']\nrunner = [\"env\", \"ORACLE_RUNNER=a b 'c'\"]\n".to_owned(),
        format!("[target.{}]\nrunner = \"env ORACLE_RUNNER=a\"\n", host()),
    ];
    for form in forms {
        tree.write(CONFIG, &format!("{plain}\n{form}"));
        let sides = both(&tree, &tree.options());
        assert_same(&sides);
        assert_reported(&sides, "variable ORACLE_RUNNER: =a");
    }
}

#[test]
fn a_target_runner_given_as_an_option_is_honoured() {
    let tree = Tree::copy("environment-oracle");
    for form in ["'env ORACLE_RUNNER=a'", "['env', 'ORACLE_RUNNER=a']"] {
        let mut cargo = tree.options();
        cargo.config = vec![format!("target.{}.runner={form}", host())];
        let sides = both(&tree, &cargo);
        assert_same(&sides);
        assert_reported(&sides, "variable ORACLE_RUNNER: =a");
    }
}

#[test]
fn a_target_runner_of_a_variable_is_honoured_and_the_variable_kept() {
    if std::env::var_os("ORACLE_AGAIN").is_none() {
        let test = "a_target_runner_of_a_variable_is_honoured_and_the_variable_kept";
        return again(test, &runner_variable(), "env ORACLE_RUNNER=a");
    }
    let tree = Tree::copy("environment-oracle");
    let sides = both(&tree, &tree.options());
    assert_same(&sides);
    assert_reported(&sides, "variable ORACLE_RUNNER: =a");
    assert_reported(
        &sides,
        &format!("variable {}: =env ORACLE_RUNNER=a", runner_variable()),
    );
}

#[test]
fn a_cross_target_keeps_its_layout_and_environment() {
    let tree = Tree::copy("environment-oracle");
    let by_flag = CargoOptions {
        target: vec![host()],
        ..tree.options()
    };
    assert_same(&both(&tree, &by_flag));
    let plain = fs::read_to_string(tree.root.join(CONFIG)).unwrap();
    tree.write(
        CONFIG,
        &format!("[build]\ntarget = \"{}\"\n{plain}", host()),
    );
    assert_same(&both(&tree, &tree.options()));
}

/// Every file that cargo's freshness depends on, with its time.
fn built_files(directory: &Path, found: &mut BTreeMap<PathBuf, SystemTime>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            built_files(&entry.path(), found);
        } else {
            found.insert(entry.path(), entry.metadata().unwrap().modified().unwrap());
        }
    }
}

#[test]
fn discovery_after_a_build_builds_nothing_and_neither_does_the_next_cargo_test() {
    let tree = Tree::copy("environment-oracle");
    let cargo = tree.options();
    let build = || piped(cargo.cargo().args(["test", "--no-run"]));
    assert!(build().status.success());
    let look = || {
        let mut found = BTreeMap::new();
        built_files(&tree.root.join("target"), &mut found);
        found
    };
    let before = look();
    assert!(before.len() > 50);
    suite(&cargo).unwrap();
    assert_eq!(look(), before);
    let next = build();
    let said = String::from_utf8_lossy(&next.stderr);
    assert!(
        next.status.success() && !said.contains("Compiling"),
        "{said}"
    );
    assert_eq!(look(), before);
}
