//! Killing the tool at any moment loses at most the trials in flight, counts none twice, and changes no verdict.
//!
//! The suite is deterministic, so a run with a given seed has one right result. It is killed at seeded moments, again
//! and again, resumed each time, and compared with the run that nobody disturbed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use support::{Project, Ran};

/// Kills over all runs.
const KILLS: u32 = 200;
/// Tests that run at the same time.
const PARALLELISM: usize = 2;
const SEED: &str = "11";

/// A small generator of its own (splitmix64), so that the moments are the same in every version of every library.
struct Moments(u64);

impl Moments {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }
}

/// Verdict, trials and failures of each test in both arms: what has to be the same.
type Outcome = BTreeMap<String, String>;

fn outcome(ran: &Ran) -> Outcome {
    let report = ran.json();
    let tests = report["tests"].as_array().unwrap().clone();
    let line = |test: &serde_json::Value| {
        let counts = |arm: &str| format!("{}/{}", test[arm]["failures"], test[arm]["trials"]);
        format!(
            "{} {} baseline {} target {}",
            test["verdict"],
            test["reason"],
            counts("baseline"),
            counts("target")
        )
    };
    tests
        .iter()
        .map(|test| (test["test"].as_str().unwrap().to_owned(), line(test)))
        .collect()
}

/// Returns how often each test was really executed.
fn executed(log: &Path) -> usize {
    fs::read_to_string(log).unwrap_or_default().lines().count()
}

fn start(project: &Project, log: &Path, resume: bool) -> Child {
    let mut arguments = vec!["run", "--format", "json", "--offline", "-j", "2"];
    let fresh = ["--seed", SEED, "--set", "policy.reuse=false"];
    if resume {
        arguments.push("--resume");
    } else {
        arguments.extend(fresh);
    }
    let mut command = project.tool(&arguments);
    command
        .env("TRIAL_LOG", log)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the suite has executed `trials` trials in all, or the tool has ended.
fn wait_for(tool: &mut Child, log: &Path, trials: usize) {
    let started = Instant::now();
    while executed(log) < trials && tool.try_wait().unwrap().is_none() {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "the tool hangs"
        );
        std::thread::sleep(Duration::from_micros(300));
    }
}

#[test]
fn a_run_killed_at_any_moment_ends_as_if_nobody_had_disturbed_it() {
    let project = Project::copy_of("tests/testdata/planted");
    let log = project.root.join("reference.log");
    let reference = Ran::of(start(&project, &log, false).wait_with_output().unwrap()).exits_with(1);
    let (right, total) = (outcome(&reference), executed(&log));
    assert!(
        right.values().any(|line| line.contains("hidden-defect")),
        "{right:?}"
    );

    let mut moments = Moments(20_261_122);
    let (mut kills, mut runs) = (0, 0);
    while kills < KILLS {
        runs += 1;
        let log = project.root.join(format!("{runs}.log"));
        let (mut resume, mut killed_here) = (false, 0);
        let ran = loop {
            let mut tool = start(&project, &log, resume);
            let done = executed(&log);
            // Mostly somewhere in the next dozen trials; sometimes after the last one, while verdicts are written.
            let ahead = if moments.below(8) == 0 {
                total
            } else {
                moments.below(12) as usize
            };
            let target = (done + ahead).min(total);
            wait_for(&mut tool, &log, target);
            let delay = moments.below(if target == total { 20_000 } else { 3_000 });
            std::thread::sleep(Duration::from_micros(delay));
            let ended = tool.try_wait().unwrap().is_some();
            if ended || kills >= KILLS {
                break Ran::of(tool.wait_with_output().unwrap());
            }
            tool.kill().unwrap();
            let _ = tool.wait_with_output().unwrap();
            kills += 1;
            killed_here += 1;
            // Killed before the run was stored there is nothing to resume; what it executed then is not known to it.
            resume = resume || stored(&project, runs + 1);
        };
        let ran = if ran.code == Some(1) {
            ran
        } else {
            project.run(&["report", "--format", "json"])
        };
        let context = format!("run {runs}, {kills} kills, stderr:\n{}", ran.stderr);
        assert_eq!(outcome(&ran), right, "{context}");
        let repeated = executed(&log) - total;
        assert!(
            repeated <= PARALLELISM * killed_here,
            "{repeated} trials repeated by {killed_here} kills; {context}"
        );
    }
    println!("{kills} kills over {runs} runs of {total} trials, seed of the moments 20261122");
}

/// Returns whether the store holds this many runs.
fn stored(project: &Project, runs: usize) -> bool {
    let listed = project.run(&["report", "--list", "--format", "json"]);
    listed.code == Some(0)
        && listed.json()["runs"]
            .as_array()
            .is_some_and(|list| list.len() >= runs)
}
