//! Which knobs make a test fail: the real binary on planted causes, by itself and killed and interrupted in the middle.
//!
//! The causes are certain and the runs have seeds, so that what is found is the same on every machine. How many trials it takes is not: it
//! depends on what they cost.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Project, Ran};

/// How long a busy machine may take to begin some trials.
const PATIENCE: Duration = Duration::from_secs(120);

/// The suite, the log of its trials, and the file that holds them.
struct Stage {
    project: Project,
    log: PathBuf,
    hold: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let project = Project::copy_of("tests/testdata/causes");
        let outside = project.root.parent().unwrap();
        let [log, hold] = ["log", "hold"].map(|name| outside.join(name));
        Self { project, log, hold }
    }

    fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = self.project.tool(arguments);
        command.env("TRIAL_LOG", &self.log).env("HOLD", &self.hold);
        command
    }

    fn does(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.tool(arguments).output().unwrap())
    }

    /// Makes a run of some tests that looks for no cause.
    fn has_run(&self, arguments: &[&str]) {
        let common = ["run", "--attribute", "never", "--no-gate"];
        let _ran = self.does(&[&common, arguments].concat()).exits_with(0);
    }

    /// Returns how many trials were begun.
    fn begun(&self) -> u64 {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().count() as u64
    }

    /// Starts the tool, and returns it when it is within a trial of an attribution that follows so many mixed ones.
    fn within(&self, mixed: u64, arguments: &[&str]) -> Child {
        fs::write(&self.hold, mixed.to_string()).unwrap();
        let mut command = self.tool(arguments);
        // What it says is less than a pipe holds.
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let began = Instant::now();
        while self.mixed() <= mixed {
            assert!(began.elapsed() < PATIENCE, "no trial is held");
            assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
            std::thread::sleep(Duration::from_millis(2));
        }
        child
    }

    fn mixed(&self) -> u64 {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.ends_with(" mixed")).count() as u64
    }

    /// Attributes `both`, which was cut short after at least so many trials, and checks that these are not made again.
    fn goes_on_after(&self, stored: u64) {
        fs::remove_file(&self.hold).unwrap();
        let before = self.begun();
        let ran = self.does(&["attribute", "both", "--format", "json"]);
        let attributed = only(&ran.exits_with(0).json());
        assert_eq!(knobs(&attributed["cause"]), ["env.BETA", "env.GAMMA"]);
        let trials = attributed["attribution"]["trials"].as_u64().unwrap();
        let made = self.begun() - before;
        assert!(stored <= trials, "{trials} trials after {stored}");
        assert!(made < trials, "{made} of {trials} trials were made again");
    }
}

/// Returns the one attribution of a document.
#[track_caller]
fn only(document: &Value) -> Value {
    let attributions = document["attributions"].as_array().unwrap();
    assert_eq!(attributions.len(), 1, "{document:#}");
    attributions[0].clone()
}

/// Returns the knobs of a cause.
#[track_caller]
fn knobs(cause: &Value) -> Vec<&str> {
    let knobs = cause["knobs"].as_array().unwrap();
    knobs
        .iter()
        .map(|knob| knob["knob"].as_str().unwrap())
        .collect()
}

/// Returns the test of a report.
#[track_caller]
fn test<'a>(report: &'a Value, name: &str) -> &'a Value {
    let tests = report["tests"].as_array().unwrap();
    let found = tests
        .iter()
        .find(|test| test["test"] == format!("tests::{name}"));
    found.unwrap()
}

#[test]
fn a_run_names_the_causes_of_what_it_finds() {
    let stage = Stage::new();
    let tests = [
        "single",
        "both",
        "either",
        "in_the_south",
        "needs_a_hundred_files",
    ];
    let options = ["run", "--lib", "--attribute", "all", "--no-gate"];
    let arguments = [&options[..], &["--format", "json"], &tests[..]].concat();
    let ran = stage.does(&arguments).exits_with(0);
    let report = ran.json();
    let cause = |name: &str| {
        let cause = &test(&report, name)["cause"];
        assert!(
            cause.is_object(),
            "{name}: {:#}\n{}",
            test(&report, name),
            ran.stderr
        );
        cause
    };
    assert_eq!(knobs(cause("single")), ["env.ALPHA"]);
    assert_eq!(knobs(cause("both")), ["env.BETA", "env.GAMMA"]);
    assert_eq!(cause("both")["either"], false);
    assert_eq!(knobs(cause("either")), ["env.BETA", "env.DELTA"]);
    assert_eq!(cause("either")["either"], true);
    let south = &cause("in_the_south")["knobs"];
    assert_eq!(south.as_array().unwrap().len(), 1);
    assert_eq!(
        (&south[0]["knob"], &south[0]["value"]),
        (&"env.REGION".into(), &"south".into())
    );
    let files = &cause("needs_a_hundred_files")["knobs"];
    assert_eq!(files.as_array().unwrap().len(), 1);
    assert_eq!(files[0]["knob"], "open-files");
    assert_eq!(files[0]["threshold"], "fails below 100");
    // Both sides of each claim were seen.
    for name in tests {
        let cause = cause(name);
        let (failures, trials) = (
            &cause["sufficient"]["failures"],
            &cause["sufficient"]["trials"],
        );
        assert!(
            2 <= failures.as_u64().unwrap() && failures == trials,
            "{name}: {cause:#}"
        );
        let necessary = cause["necessary"].as_array().unwrap();
        assert!(!necessary.is_empty(), "{name}: {cause:#}");
        for side in necessary {
            assert!(
                side["failures"] == 0 && 3 <= side["trials"].as_u64().unwrap(),
                "{name}: {cause:#}"
            );
        }
    }
}

#[test]
fn a_cluster_is_attributed_once_and_checked_on_a_second_member() {
    let stage = Stage::new();
    stage.has_run(&["--lib", "twin", "unlike"]);
    let document = stage
        .does(&["attribute", "--format", "json"])
        .exits_with(0)
        .json();
    let attributions = document["attributions"].as_array().unwrap();
    assert_eq!(attributions.len(), 3, "{document:#}");
    let of = |name: &str| {
        let found = attributions
            .iter()
            .find(|one| one["test"].as_str().unwrap().contains(name));
        found.unwrap()
    };
    let twin = of("twin");
    assert_eq!(knobs(&twin["cause"]), ["env.EPSILON"]);
    let second = &twin["attribution"]["second"];
    assert_eq!(second["agrees"], true, "{twin:#}");
    assert_ne!(
        second["test"],
        format!("causes {}", twin["test"].as_str().unwrap())
    );
    // The same line, and not the same cause: the other is looked into as well.
    for (name, knob) in [("unlike_a", "env.DELTA"), ("unlike_b", "env.ALPHA")] {
        let unlike = of(name);
        let second = &unlike["attribution"]["second"];
        assert_eq!(second["agrees"], false, "{unlike:#}");
        assert_eq!(knobs(&unlike["cause"]), [knob]);
    }
}

#[test]
fn what_a_test_runs_among_is_named_with_the_knob_that_makes_it_matter() {
    let stage = Stage::new();
    stage.has_run(&["--test", "company", "--target-profile", "crowded"]);
    let ran = stage.does(&["attribute", "z_expects_no_mark", "--format", "json"]);
    let attributed = only(&ran.exits_with(0).json());
    let mut knobs = knobs(&attributed["cause"]);
    knobs.sort_unstable();
    assert_eq!(knobs, ["process", "scope"], "{attributed:#}");
    let left = attributed["attribution"]["not_ruled_out"].to_string();
    assert!(left.contains("which of the other tests"), "{left}");
}

#[test]
fn what_no_knob_explains_has_no_cause() {
    let stage = Stage::new();
    stage.has_run(&["--lib", "flaky", "four_together"]);
    let attributed = |name: &str| {
        let ran = stage.does(&["attribute", name, "--format", "json"]);
        let attributed = only(&ran.exits_with(7).json());
        assert_eq!(attributed["cause"], Value::Null, "{attributed:#}");
        attributed["attribution"]["end"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(attributed("flaky"), "not-reproducible");
    let end = attributed("four_together");
    let honest = [
        "credible-set",
        "inconclusive",
        "none-of-these",
        "unconfirmed",
    ];
    assert!(honest.contains(&end.as_str()), "{end}");
}

#[test]
fn a_knob_that_could_not_be_applied_is_no_suspect() {
    let stage = Stage::new();
    let locale = ["--set", "high.locale=xx_YY.UTF-8"];
    stage.has_run(&[&["--lib", "single"], &locale[..]].concat());
    let ran = stage
        .does(&["attribute", "single", "--format", "json"])
        .exits_with(0);
    let attributed = only(&ran.json());
    assert_eq!(knobs(&attributed["cause"]), ["env.ALPHA"]);
    assert!(ran.stderr.contains("7 knobs differ"), "{}", ran.stderr);
    let report = stage
        .does(&["report", "--format", "json", "--no-gate"])
        .exits_with(0)
        .json();
    let knobs = report["run"]["knobs"].as_array().unwrap();
    let locale = knobs.iter().find(|knob| knob["id"] == "locale").unwrap();
    assert_eq!(locale["applied"], false, "{locale}");
    // What was found afterwards is part of the run's report.
    assert_eq!(test(&report, "single")["cause"], attributed["cause"]);
}

#[test]
fn where_no_knob_can_be_the_cause_that_is_said_at_once() {
    let stage = Stage::new();
    stage.has_run(&["--lib", "flaky", "--target-profile", "low"]);
    let before = stage.begun();
    let ran = stage.does(&["attribute", "flaky"]).exits_with(7);
    let page = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        page.contains("no cause found: no knob differs between low and low"),
        "{page}"
    );
    assert!(page.contains("`attribute TEST --commits`"), "{page}");
    assert!(!ran.stderr.contains("building"), "{}", ran.stderr);
    assert_eq!(stage.begun(), before, "a trial was made");

    let broken = Project::library("one", "#[test]\nfn fails() { panic!(\"always\") }\n");
    let _ = broken.run(&["run", "-q", "--no-gate"]).exits_with(0);
    let ran = broken
        .run(&["attribute", "fails", "--format", "json"])
        .exits_with(7);
    let attributed = only(&ran.json());
    assert_eq!(
        attributed["attribution"]["end"], "none-of-these",
        "{attributed:#}"
    );
    assert_eq!(attributed["attribution"]["trials"], 0, "{attributed:#}");
    let wording = attributed["attribution"]["wording"].as_str().unwrap();
    assert!(
        wording.ends_with("none of the knobs makes the difference"),
        "{wording}"
    );
}

#[test]
fn a_limit_of_trials_that_ends_an_attribution_is_named_with_what_goes_on() {
    let stage = Stage::new();
    stage.has_run(&["--lib", "both"]);
    let ran = stage
        .does(&["attribute", "both", "--max-trials", "2"])
        .exits_with(7);
    let says = "no cause found: the limit of 2 trials was reached before one cause was left";
    assert!(ran.stdout.contains(says), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("`attribute TEST --max-trials N`"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_killed_attribution_goes_on_where_it_was() {
    let stage = Stage::new();
    stage.has_run(&["--lib", "both"]);
    let mut tool = stage.within(5, &["attribute", "both"]);
    // Meanwhile nobody else attributes tests of this run.
    let other = stage.does(&["attribute", "both"]);
    let other = other.exits_with(2);
    assert!(
        other.stderr.contains("being attributed"),
        "{}",
        other.stderr
    );
    tool.kill().unwrap();
    tool.wait().unwrap();
    stage.goes_on_after(5);
}

#[test]
fn an_interrupted_attribution_says_so_and_goes_on_where_it_was() {
    let stage = Stage::new();
    stage.has_run(&["--lib", "both"]);
    let tool = stage.within(5, &["attribute", "both"]);
    interrupt(&tool);
    let ran = Ran::of(tool.wait_with_output().unwrap()).exits_with(5);
    let says =
        " trials, before one cause was left; they are kept, and `cargo fidelity attribute` goes on";
    assert!(ran.stderr.contains("interrupted after "), "{}", ran.stderr);
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    stage.goes_on_after(5);
}

#[test]
fn a_run_that_is_killed_while_it_attributes_keeps_its_verdicts_and_what_was_tried() {
    let stage = Stage::new();
    let mut tool = stage.within(5, &["run", "--lib", "--attribute", "all", "both"]);
    tool.kill().unwrap();
    tool.wait().unwrap();
    let report = stage
        .does(&["report", "--format", "json", "--no-gate"])
        .exits_with(0)
        .json();
    let both = test(&report, "both");
    assert_eq!(both["verdict"], "hidden-defect");
    assert_eq!(both["cause"], Value::Null);
    stage.goes_on_after(5);
}

#[test]
fn a_run_that_is_interrupted_while_it_attributes_reports_its_verdicts() {
    let stage = Stage::new();
    let mut tool = stage.within(5, &["run", "--lib", "--attribute", "all", "both"]);
    interrupt(&tool);
    assert_eq!(tool.wait().unwrap().code(), Some(5));
    stage.goes_on_after(5);
}

/// Does what Ctrl-C does.
fn interrupt(tool: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &tool.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn tests_of_one_cluster_that_fail_by_different_knobs_are_each_told_their_cause() {
    // The same signature: both fail in one place.
    let source = r#"
#[cfg(test)]
mod tests {
    fn check(name: &str) { assert!(std::env::var_os(name).is_none(), "it broke"); }
    #[test]
    fn one() { check("ALPHA"); }
    #[test]
    fn other() { check("BETA"); }
}
"#;
    let project = Project::library("cluster", source);
    project.write(
        "fidelity.toml",
        "[profile.low]\n[profile.high]\nenv.ALPHA = \"1\"\nenv.BETA = \"1\"\nenv.GAMMA = \"1\"\n",
    );
    let ran = project
        .run(&["run", "--no-gate", "--attribute", "all"])
        .exits_with(0);
    let page = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains("2 tests, 1 cause"), "{page}");
    assert!(
        page.contains("cluster tests::other does NOT have this cause"),
        "{page}"
    );
    let report = ["report", "--no-gate", "--format", "json"];
    let report = project.run(&report).exits_with(0).json();
    for (name, knob) in [("tests::one", "env.ALPHA"), ("tests::other", "env.BETA")] {
        let mut tests = report["tests"].as_array().unwrap().iter();
        let test = tests.find(|test| test["test"] == name).unwrap();
        assert_eq!(test["cause"]["knobs"][0]["knob"], knob, "{test:#}");
    }
}
