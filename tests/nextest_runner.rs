//! Suites that cargo-nextest runs: the same tests by the same names, its configuration honoured, arms imposed on it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::process::Command;

use support::{Project, Ran};

mod support;

/// Returns whether cargo-nextest is installed, and says so where it is not.
fn is_installed() -> bool {
    let asked = Command::new("cargo-nextest")
        .args(["nextest", "--version"])
        .output();
    let installed = asked.is_ok_and(|said| said.status.success());
    if !installed {
        println!("did not run: cargo-nextest is not installed");
    }
    installed
}

const SOURCE: &str = r#"
#[cfg(test)]
mod tests {
    fn mode() -> String { std::env::var("MODE").unwrap_or_default() }
    #[test] fn stable() {}
    #[test] fn hidden() { assert_ne!(mode(), "harsh", "harsh"); }
    #[test] fn dies() { if mode() == "harsh" { std::process::abort() } }
    #[test] fn hangs() { if mode() == "harsh" { std::thread::sleep(std::time::Duration::from_secs(1000)) } }
    #[test] fn broken() { panic!("always"); }
    #[test] fn prepared() { assert_eq!(std::env::var("PREPARED").as_deref(), Ok("yes")); }
    #[test] #[ignore] fn ignored() {}
    #[test] fn left_out_by_default() {}
    #[test]
    fn attempt() {
        assert_eq!(std::env::var("NEXTEST_ATTEMPT").unwrap(), "1");
        assert_eq!(std::env::var("NEXTEST_TOTAL_ATTEMPTS").unwrap(), "1", "there are retries");
    }
}
"#;

const NEXTEST: &str = r#"
experimental = ["setup-scripts"]

[scripts.setup.prepare]
command = ["sh", "prepare.sh"]

[profile.default]
retries = 3
slow-timeout = { period = "1s", terminate-after = 1 }
default-filter = "not test(left_out_by_default)"

[profile.default.junit]
path = "mine.xml"

[[profile.default.overrides]]
filter = "test(broken)"
retries = 5

[[profile.default.scripts]]
filter = "all()"
setup = "prepare"
"#;

fn project() -> Project {
    let project = Project::library("shop", SOURCE);
    project.write(".config/nextest.toml", NEXTEST);
    project.write("prepare.sh", "echo PREPARED=yes >> \"$NEXTEST_ENV\"\n");
    project.write(
        "fidelity.toml",
        "[profile.low]\n[profile.high]\nenv.MODE = \"harsh\"\n",
    );
    project
}

#[test]
fn nextest_is_chosen_where_it_is_set_up_and_its_configuration_is_honoured() {
    if !is_installed() {
        return;
    }
    let project = project();
    let ran = project
        .run(&["run", "--format", "json", "--seed", "1"])
        .exits_with(1);
    let report = ran.json();
    let runner = &report["run"]["runner"];
    assert_eq!(runner["kind"], "nextest");
    assert_eq!(runner["reason"], ".config/nextest.toml is there");
    assert!(
        runner["name"]
            .as_str()
            .unwrap()
            .starts_with("cargo-nextest 0.")
    );
    let verdicts = ran.verdicts();
    for (test, verdict) in [
        ("stable", "stable"),
        ("prepared", "stable"),
        ("attempt", "stable"),
        ("hidden", "hidden-defect"),
        ("dies", "hidden-defect"),
        ("hangs", "hidden-defect"),
        ("broken", "broken"),
    ] {
        assert_eq!(
            verdicts[&format!("shop tests::{test}")],
            verdict,
            "{test}: {report}"
        );
    }
    assert_eq!(verdicts.len(), 7, "{verdicts:?}");
    let left_out = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["kind"] == "left-out-by-nextest");
    assert!(
        left_out.unwrap()["message"]
            .as_str()
            .unwrap()
            .starts_with("1 test is left out")
    );
    assert_eq!(
        fs::read_to_string(project.root.join(".config/nextest.toml")).unwrap(),
        NEXTEST
    );
}

fn problem(report: &serde_json::Value, kind: &str) -> String {
    let problems = report["problems"].as_array().unwrap().iter();
    let mut of_kind = problems.filter(|it| it["kind"] == kind);
    let message = of_kind.next().map(|it| it["message"].as_str().unwrap());
    message.unwrap_or_default().to_owned()
}

const OVERRIDDEN: &str = r#"
#[cfg(test)]
mod tests {
    use std::{env::var, fs, thread::sleep, time::Duration};
    /// Fails if another test is in here.
    fn alone() {
        let door = concat!(env!("CARGO_MANIFEST_DIR"), "/busy");
        fs::create_dir(door).expect("somebody is in here");
        sleep(Duration::from_millis(200));
        fs::remove_dir(door).unwrap();
    }
    #[test] fn shares_one() { alone() }
    #[test] fn shares_two() { alone() }
    #[test] fn shares_three() { alone() }
    #[test] fn hangs() { if var("MODE").is_ok() { sleep(Duration::from_secs(1000)) } }
    #[test] fn retried() { assert_eq!(var("NEXTEST_TOTAL_ATTEMPTS").unwrap(), "1", "there are retries") }
    #[test] fn wrapped() { assert_eq!(var("WRAPPED").as_deref(), Ok("yes")) }
}
"#;

const OVERRIDES: &str = r#"
experimental = ["wrapper-scripts"]
nextest-version = "0.9.98"
[test-groups]
one-at-a-time = { max-threads = 1 }
[scripts.wrapper.wrap]
command = "env WRAPPED=yes"
[profile.default]
slow-timeout = "300s"
leak-timeout = { period = "200ms", result = "fail" }
[[profile.default.overrides]]
filter = "test(shares)"
test-group = "one-at-a-time"
[[profile.default.overrides]]
filter = "test(hangs)"
slow-timeout = { period = "500ms", terminate-after = 2 }
[[profile.default.overrides]]
filter = "test(retried)"
retries = { backoff = "fixed", count = 3, delay = "10ms" }
[[profile.default.scripts]]
filter = "test(wrapped)"
run-wrapper = "wrap"
"#;

#[test]
fn groups_limits_and_retries_of_overrides_are_what_they_are() {
    if !is_installed() {
        return;
    }
    let project = Project::library("shop", OVERRIDDEN);
    project.write(".config/nextest.toml", OVERRIDES);
    project.write(
        "fidelity.toml",
        "[profile.low]\n[profile.high]\nenv.MODE = \"harsh\"\n[policy]\nscreen = { baseline = 1, target = 3 }\n\
         timeout = \"1h\"\n",
    );
    let words = ["run", "--format", "json", "--attribute", "never", "-j", "3"];
    let ran = project.run(&words).exits_with(1);
    let mut expected: Vec<(String, String)> = [
        "retried",
        "shares_one",
        "shares_three",
        "shares_two",
        "wrapped",
    ]
    .map(|test| (format!("shop tests::{test}"), "stable".to_owned()))
    .to_vec();
    expected.push(("shop tests::hangs".to_owned(), "hidden-defect".to_owned()));
    expected.sort();
    let verdicts: Vec<(String, String)> = ran.verdicts().into_iter().collect();
    assert_eq!(verdicts, expected);
}

#[test]
fn a_test_that_hangs_is_ended_although_it_is_only_called_slow() {
    if !is_installed() {
        return;
    }
    let project = project();
    let slow = "[profile.default]\nslow-timeout = \"1s\"\n";
    project.write(".config/nextest.toml", slow);
    let words = [
        "run",
        "--format",
        "json",
        "--set",
        "policy.timeout=1s",
        "--set",
        "runner.timeout=3m",
        "--attribute",
        "never",
        "hangs",
        "hidden",
        "stable",
    ];
    let ran = project.run(&words).exits_with(1);
    let verdicts = ran.verdicts();
    assert_eq!(verdicts["shop tests::hangs"], "hidden-defect");
    assert_eq!(verdicts["shop tests::hidden"], "hidden-defect");
    assert_eq!(verdicts["shop tests::stable"], "stable");
    assert_eq!(problem(&ran.json(), "command-timed-out"), "");
}

#[test]
fn a_test_that_nothing_ends_is_interrupted_with_its_pass_which_counts() {
    if !is_installed() {
        return;
    }
    let project = project();
    project.write(
        ".config/nextest.toml",
        "[[profile.default.overrides]]\nfilter = \"test(hangs)\"\nslow-timeout = \"60s\"\n",
    );
    let run = |limit: &str| {
        let limit = format!("policy.timeout={limit}");
        let words = [
            "run",
            "--format",
            "json",
            "--set",
            &limit,
            "--set",
            "runner.timeout=8s",
            "--set",
            "policy.screen.baseline=1",
            "--set",
            "policy.screen.target=1",
            "--set",
            "policy.max-passes=2",
            "--set",
            "policy.reuse=false",
            "--attribute",
            "never",
            "hangs",
            "hidden",
        ];
        let ran = project.run(&words);
        let report = ran.json();
        assert!(problem(&report, "no-time-limit").contains("in an override"));
        let tests = report["tests"].as_array().unwrap().iter();
        let target = |name: &str| {
            let mut found = tests.clone().filter(|it| it["test"] == name);
            found.next().unwrap()["target"].clone()
        };
        let (hangs, hidden) = (target("tests::hangs"), target("tests::hidden"));
        assert!(0 < hidden["trials"].as_u64().unwrap(), "{report}");
        assert_eq!(hidden["trials"], hidden["failures"], "{report}");
        (hangs, problem(&report, "command-timed-out"))
    };
    // It was at its own limit long before the pass was.
    let (hangs, _) = run("1s");
    assert!(0 < hangs["trials"].as_u64().unwrap(), "{hangs}");
    assert_eq!(hangs["trials"], hangs["failures"]);
    // It may have needed all this time.
    let (hangs, said) = run("1m");
    assert_eq!(hangs["trials"], 0);
    assert!(
        said.contains("still running: 1 test (shop tests::hangs)"),
        "{said}"
    );
}

#[test]
fn a_test_that_a_limit_of_the_whole_run_ended_did_not_fail() {
    if !is_installed() {
        return;
    }
    let project = project();
    project.write(
        ".config/nextest.toml",
        "[profile.default]\nglobal-timeout = \"3s\"\nslow-timeout = { period = \"1h\", terminate-after = 1 }\n",
    );
    let few = [
        "-j",
        "2",
        "--set",
        "policy.screen.target=2",
        "--set",
        "policy.max-passes=2",
    ];
    let words = [
        "run",
        "--format",
        "json",
        "--attribute",
        "never",
        "hangs",
        "hidden",
    ];
    let report = project.run(&[&words[..], &few].concat()).json();
    let tests = report["tests"].as_array().unwrap().iter();
    let target = |name: &str| {
        let mut found = tests.clone().filter(|it| it["test"] == name);
        found.next().unwrap()["target"].clone()
    };
    assert_eq!(target("tests::hangs")["trials"], 0, "{report}");
    let hidden = target("tests::hidden");
    assert!(0 < hidden["failures"].as_u64().unwrap(), "{report}");
    let said = problem(&report, "command-timed-out");
    assert!(said.contains("`global-timeout` of cargo-nextest"), "{said}");
    assert!(
        said.contains("still running: 1 test (shop tests::hangs)"),
        "{said}"
    );
}

#[test]
fn the_time_limit_that_an_annotation_gives_a_test_holds() {
    if !is_installed() {
        return;
    }
    // With its lock file: no registry is asked.
    let project = Project::copy_of("examples/annotated");
    fs::remove_dir_all(project.root.join("tests")).unwrap();
    let macros = support::repository().join("fidelity-macros");
    project.write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"annotated\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
             [dev-dependencies]\nfidelity-macros.path = {macros:?}\n"
        ),
    );
    project.write(
        "src/lib.rs",
        r#"
#[cfg(test)]
mod tests {
    use std::{thread::sleep, time::Duration};
    #[fidelity_macros::fidelity(timeout = "1s")]
    #[test]
    fn hangs() { if std::env::var("MODE").is_ok() { sleep(Duration::from_secs(1000)) } }
    #[test]
    fn takes_its_time() { sleep(Duration::from_millis(1500)) }
}
"#,
    );
    project.write(
        ".config/nextest.toml",
        "[profile.default]\nslow-timeout = \"1s\"\n",
    );
    project.write(
        "fidelity.toml",
        "[profile.low]\n[profile.high]\nenv.MODE = \"harsh\"\n[policy]\ntimeout = \"1h\"\n\
         screen = { baseline = 1, target = 2 }\n[runner]\ntimeout = \"3m\"\n",
    );
    let words = ["run", "--format", "json", "--attribute", "never"];
    let ran = project.run(&words).exits_with(1);
    assert_eq!(ran.verdicts()["annotated tests::hangs"], "hidden-defect");
    assert_eq!(ran.verdicts()["annotated tests::takes_its_time"], "stable");
    let explained = project.run(&["explain", "hangs", "--format", "json"]);
    assert!(explained.stdout.contains("timed-out"));
    // In one process with the other test nobody could end it alone.
    let shared = [
        "run",
        "--format",
        "json",
        "--set",
        "runner.kind=direct",
        "--set",
        "high.process=shared",
        "--set",
        "high.env.MODE={ unset = true }",
    ];
    let report = project.run(&shared).exits_with(0).json();
    assert_eq!(
        problem(&report, "timeout-overridden"),
        "the `timeout` of `tests::hangs` does not hold where the tests of a binary share a process: the longest of them does"
    );
}

#[test]
fn what_ended_a_test_is_told_as_by_the_direct_runner() {
    if !is_installed() {
        return;
    }
    let project = project();
    let _ran = project
        .run(&["run", "--seed", "1", "dies", "hangs"])
        .exits_with(1);
    let explained = project
        .run(&["explain", "dies", "--format", "json"])
        .exits_with(0);
    assert!(
        explained.stdout.contains("died of signal 6 (SIGABRT)"),
        "{}",
        explained.stdout
    );
    let explained = project
        .run(&["explain", "hangs", "--format", "json"])
        .exits_with(0);
    assert!(
        explained.stdout.contains("timed-out"),
        "{}",
        explained.stdout
    );
}

#[test]
fn tests_have_the_names_and_signatures_of_the_direct_runner_and_no_passes_in_common() {
    if !is_installed() {
        return;
    }
    let project = project();
    project.write(".config/nextest.toml", "");
    let run = |kind: &str| {
        let set = format!("runner.kind={kind}");
        let words = [
            "run", "--format", "json", "--set", &set, "hidden", "stable", "broken",
        ];
        project.run(&words).exits_with(1)
    };
    let (direct, nextest) = (run("direct"), run("nextest"));
    let told = |ran: &Ran| {
        let report = ran.json();
        let tests = report["tests"].as_array().unwrap().clone();
        let facts = tests.iter().map(|test| {
            (
                test["test"].clone(),
                test["verdict"].clone(),
                test["signature"].clone(),
            )
        });
        facts.collect::<Vec<_>>()
    };
    assert_eq!(told(&direct), told(&nextest));
    let report = nextest.json();
    let joined = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .any(|it| it["kind"] == "joined-run");
    assert!(
        !joined,
        "trials of another runner are no trials of this one"
    );
}

#[test]
fn knobs_reach_the_tests_and_those_that_cannot_say_so() {
    if !is_installed() {
        return;
    }
    let project = Project::library(
        "shop",
        "#[test] fn looks() { std::fs::write(format!(\"{}/seen\", env!(\"CARGO_MANIFEST_DIR\")), format!(\"{:?} {:?}\", \
         std::env::var(\"TZ\"), std::fs::read_to_string(\"/proc/self/limits\").unwrap().contains(\"files            333 \"))).unwrap(); }",
    );
    project.write(
        "fidelity.toml",
        "[runner]\nkind = \"nextest\"\n[profile.low]\n[profile.high]\ntz = \"Asia/Kolkata\"\nopen-files = 333\nhome = \"missing\"\n\
         order = \"shuffle\"\ntty = true\nprocess = \"shared\"\npauses = { every = \"100ms\", for = \"10ms\" }\n\
         [policy]\nscreen = { baseline = 1, target = 1 }\n",
    );
    let ran = project
        .run(&["run", "--format", "json", "--seed", "2"])
        .exits_with(0);
    let report = ran.json();
    let knobs = report["run"]["knobs"].as_array().unwrap();
    let not_applied: Vec<&str> = knobs
        .iter()
        .filter(|it| it["applied"] == false)
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(not_applied, ["order", "pauses", "process", "tty"]);
    let all = [
        "run",
        "--format",
        "json",
        "--seed",
        "4",
        "--baseline-profile",
        "high",
    ];
    let _again = project.run(&all).exits_with(0);
    let seen = fs::read_to_string(project.root.join("seen")).unwrap();
    assert_eq!(seen, "Ok(\"Asia/Kolkata\") true");
}

#[test]
fn a_setup_script_that_fails_discards_the_pass() {
    if !is_installed() {
        return;
    }
    let project = project();
    project.write("prepare.sh", "[ \"$MODE\" != harsh ] || { echo no database >&2; exit 7; }\necho PREPARED=yes >> \"$NEXTEST_ENV\"\n");
    let ran = project.run(&["run", "stable", "--seed", "1"]).exits_with(4);
    assert!(!ran.stdout.contains("HIDDEN"), "{}", ran.stdout);
    assert!(ran.stderr.contains("no database"), "{}", ran.stderr);
}

#[test]
fn where_nextest_is_missing_it_is_said_with_what_to_do() {
    let project = project();
    let cargo = env!("CARGO");
    let without = |arguments: &[&str]| {
        // No path leads to it: only that of the compiler.
        let mut tool = project.tool(arguments);
        let bin = std::path::Path::new(cargo).parent().unwrap();
        tool.env(
            "PATH",
            std::env::join_paths([bin, "/usr/bin".as_ref(), "/bin".as_ref()]).unwrap(),
        );
        tool.env("CARGO", cargo)
            .env("CARGO_HOME", project.root.join("no-home"));
        Ran::of(tool.output().unwrap())
    };
    let ran = without(&["run", "--set", "runner.kind=nextest"]).exits_with(2);
    assert!(
        ran.stderr.contains("cargo install cargo-nextest --locked"),
        "{}",
        ran.stderr
    );
    let ran = without(&["run", "stable", "--format", "json"]).exits_with(0);
    assert_eq!(ran.json()["run"]["runner"]["kind"], "direct");
    assert!(
        ran.stdout
            .contains(".config/nextest.toml is there, but cargo-nextest is not installed")
    );
    let ran = project
        .run(&["run", "--set", "runner.kind=nextest", "--", "--nocapture"])
        .exits_with(2);
    assert!(
        ran.stderr.contains("cargo-nextest passes no arguments"),
        "{}",
        ran.stderr
    );
}
