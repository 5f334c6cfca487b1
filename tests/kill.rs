//! Killing the tool at any moment loses at most the trials in flight, counts none twice, and changes no verdict.
//!
//! The suite is deterministic, so a run with a given seed has one right result. It is killed at seeded moments of its
//! whole life, again and again, resumed each time, and compared with the run that nobody disturbed. Where it was hit
//! is read off what it left, so that a test that only kills tools that have not begun yet fails.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use support::{Project, Ran};

/// Kills over all runs.
const KILLS: u64 = 200;
/// Tests that run at the same time.
const PARALLELISM: u64 = 2;
/// The seed of every run.
const SEED: &str = "11";
/// The seeds of the moments, each of a campaign of its own; the campaigns run at the same time.
const MOMENTS: [u64; 2] = [20_261_122, 20_261_123];
/// What is promised for the time that cleaning up takes.
const SOON: Duration = Duration::from_secs(2);

/// A small generator of its own (splitmix64), so that the moments are the same in every version of every library.
struct Moments(u64);

impl Moments {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound.max(1)
    }

    fn delay(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(longest.as_micros() as u64))
    }
}

/// When the tool is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after its start.
    AfterStart(Duration),
    /// So long after this many of its trials have begun.
    AfterTrials(u64, Duration),
}

/// What the undisturbed run tells about the others.
struct Reference {
    /// What is right.
    outcome: Outcome,
    /// How many trials it takes.
    trials: u64,
    /// From the start of the tool to its first trial.
    startup: Duration,
    /// From the start of its last trial to its end.
    ending: Duration,
}

impl Reference {
    /// Draws when to kill a tool that has `left` trials to go, all of them where it is not `resumed`.
    fn moment(&self, moments: &mut Moments, left: u64, resumed: bool) -> Moment {
        match moments.below(if resumed { 8 } else { 2 }) {
            0 => Moment::AfterStart(moments.delay(self.startup)),
            // The last trial, the end of the run and the report.
            1 if resumed => Moment::AfterTrials(left, moments.delay(self.ending)),
            // No trial will tell how far it is; two kills in three let it end first.
            _ if left == 0 => {
                let longest = 3 * (self.startup + self.ending);
                Moment::AfterTrials(0, moments.delay(longest))
            }
            // Within a trial, and while it is stored and the next one begins.
            _ => {
                let nth = 1 + moments.below(left.min(5));
                Moment::AfterTrials(nth, moments.delay(Duration::from_millis(6)))
            }
        }
    }
}

/// Verdict, trials and failures of each test in both arms: what has to be the same.
type Outcome = BTreeMap<String, String>;

fn outcome(ran: &Ran) -> Outcome {
    let report = ran.json();
    let line = |test: &serde_json::Value| {
        let counts = |arm: &str| format!("{}/{}", test[arm]["failures"], test[arm]["trials"]);
        let (verdict, reason) = (&test["verdict"], &test["reason"]);
        let (baseline, target) = (counts("baseline"), counts("target"));
        format!("{verdict} {reason} baseline {baseline} target {target}")
    };
    let tests = report["tests"].as_array().unwrap();
    tests
        .iter()
        .map(|test| (test["test"].as_str().unwrap().to_owned(), line(test)))
        .collect()
}

/// What a store says of its newest run.
#[derive(Clone, Debug, PartialEq)]
struct Newest {
    runs: usize,
    id: String,
    trials: u64,
    passes: u64,
    ended: bool,
}

/// A project, what was executed of its tests, and the temporary directory of its tool.
struct Stage {
    project: Project,
    temporary: PathBuf,
    copy: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let project = Project::copy_of("tests/testdata/planted");
        let outside = project.root.parent().unwrap().to_owned();
        let [temporary, copy] = ["temporary", "copy"].map(|name| outside.join(name));
        fs::create_dir(&temporary).unwrap();
        fs::create_dir(&copy).unwrap();
        Self {
            project,
            temporary,
            copy,
        }
    }

    fn start(&self, log: &Path, resume: bool) -> Child {
        let mut arguments = vec!["run", "--format", "json", "--offline", "-j", "2"];
        // Trials of an attribution are begun like others, and counted apart.
        arguments.extend(["--attribute", "never"]);
        let fresh = ["--seed", SEED, "--set", "policy.reuse=false"];
        if resume {
            arguments.push("--resume");
        } else {
            arguments.extend(fresh);
        }
        let mut command = self.project.tool(&arguments);
        command
            .env("TRIAL_LOG", log)
            .env("TRIAL_NOISE", "1")
            .env("TMPDIR", &self.temporary)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Waits until the guardians of a killed tool have removed everything.
    fn wait_until_clean(&self, context: &str) {
        let left = || -> Vec<PathBuf> {
            let entries = fs::read_dir(&self.temporary).unwrap();
            entries.map(|entry| entry.unwrap().path()).collect()
        };
        let started = Instant::now();
        while !left().is_empty() {
            assert!(started.elapsed() < SOON, "{:?} is left; {context}", left());
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Reads a copy of the store, so that what a killed tool left is met by the tool that resumes, and not by us.
    fn newest(&self) -> Option<Newest> {
        let store = self.project.root.join(".fidelity/history.db");
        for end in ["", "-wal"] {
            let [from, to] = [&store, &self.copy.join("history.db")]
                .map(|path| PathBuf::from(format!("{}{end}", path.display())));
            let _ = fs::remove_file(&to);
            if from.exists() {
                fs::copy(from, to).unwrap();
            }
        }
        let _ = fs::remove_file(self.copy.join("history.db-shm"));
        let copy = self.copy.join("history.db");
        let store = ["--store", copy.to_str().unwrap()];
        let listed = self
            .project
            .run(&[&["report", "--list", "--format", "json"], &store[..]].concat());
        if listed.code == Some(2) {
            // Killed before there was a store, or between making the file and its tables.
            assert!(listed.stderr.contains("no store"), "{}", listed.stderr);
            return None;
        }
        let list = listed.exits_with(0).json();
        let newest = list["runs"].get(0)?;
        Some(Newest {
            runs: list["runs"].as_array().unwrap().len(),
            id: newest["id"].as_str().unwrap().to_owned(),
            trials: newest["trials"].as_u64().unwrap(),
            passes: newest["passes"].as_u64().unwrap(),
            ended: !newest["stop"].is_null(),
        })
    }

    /// Runs the suite undisturbed.
    fn reference(&self) -> Reference {
        let log = self.project.root.join("reference.log");
        // Once to build, so that starting takes as long as it will.
        let _ = Ran::of(self.start(&log, false).wait_with_output().unwrap()).exits_with(1);
        let (built, started) = (executed(&log), Instant::now());
        let tool = self.start(&log, false);
        wait_until("the first trial", Duration::from_secs(60), || {
            executed(&log) > built
        });
        let startup = started.elapsed();
        wait_until("the last trial", Duration::from_secs(60), || {
            executed(&log) == 2 * built
        });
        let last = Instant::now();
        let ran = Ran::of(tool.wait_with_output().unwrap()).exits_with(1);
        Reference {
            outcome: outcome(&ran),
            trials: built,
            startup,
            ending: last.elapsed(),
        }
    }
}

/// Returns how many trials have begun.
fn executed(log: &Path) -> u64 {
    let bytes = fs::read(log).unwrap_or_default();
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[track_caller]
fn wait_until(what: &str, patience: Duration, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < patience, "waited in vain for {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Kills the tool at the moment, and returns what it printed to stderr; the whole of it where it ended before.
fn strike(mut tool: Child, log: &Path, moment: Moment) -> Result<String, Ran> {
    let (before, started) = (executed(log), Instant::now());
    let delay = match moment {
        Moment::AfterStart(delay) => delay,
        Moment::AfterTrials(trials, delay) => {
            while executed(log) < before + trials && tool.try_wait().unwrap().is_none() {
                assert!(started.elapsed() < Duration::from_secs(60), "it hangs");
                std::thread::sleep(Duration::from_micros(200));
            }
            delay
        }
    };
    // The moment itself: at random, so it is waited for by the clock.
    std::thread::sleep(delay);
    if tool.try_wait().unwrap().is_some() {
        return Err(Ran::of(tool.wait_with_output().unwrap()));
    }
    tool.kill().unwrap();
    tool.wait().unwrap();
    let mut said = Vec::new();
    // The pipe is ours and the tool's alone: its end is the end of what the tool said.
    tool.stderr.take().unwrap().read_to_end(&mut said).unwrap();
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// How many kills hit which part of the tool's life.
#[derive(Debug, Default)]
struct Hits {
    before_the_run_was_stored: u64,
    before_the_first_trial: u64,
    between_trials_without_loss: u64,
    with_trials_lost: u64,
    after_the_last_trial: u64,
    after_the_end_was_stored: u64,
    trials_lost: u64,
    resumed: u64,
}

impl Hits {
    /// Returns whether kills have hit every part of a life: a campaign goes on until they have.
    fn reached_everything(&self) -> bool {
        let ending = self.after_the_last_trial + self.after_the_end_was_stored;
        self.before_the_run_was_stored >= 3 && self.before_the_first_trial >= 3 && ending >= 3
    }
}

#[test]
fn a_run_killed_at_any_moment_ends_as_if_nobody_had_disturbed_it() {
    let stages = MOMENTS.map(|_| Stage::new());
    let reference = stages[0].reference();
    let right = &reference.outcome;
    assert!(
        right.values().any(|line| line.contains("hidden-defect")),
        "{right:?}"
    );
    assert!(reference.trials > 50, "{}", reference.trials);
    println!(
        "{} trials, {:?} from the start to the first, {:?} from the last to the end",
        reference.trials, reference.startup, reference.ending
    );
    let hits = std::thread::scope(|scope| {
        let campaigns = std::array::from_fn(|at| {
            let (stage, reference) = (&stages[at], &reference);
            scope.spawn(move || campaign(stage, reference, MOMENTS[at]))
        });
        let campaigns: [_; MOMENTS.len()] = campaigns;
        campaigns.map(|campaign| campaign.join().unwrap())
    });
    for hits in &hits {
        assert!(hits.reached_everything(), "{hits:?}");
    }
    let sum = |count: fn(&Hits) -> u64| hits.iter().map(count).sum::<u64>();
    assert!(sum(|hits| hits.with_trials_lost) >= KILLS / 3, "{hits:?}");
    assert!(sum(|hits| hits.resumed) >= KILLS / 3, "{hits:?}");
}

/// Kills the tool again and again, at moments that follow from `seed`, and checks what each kill left.
#[expect(
    clippy::too_many_lines,
    reason = "a kill and what it left are checked in the order they happen"
)]
fn campaign(stage: &Stage, reference: &Reference, seed: u64) -> Hits {
    let right = &reference.outcome;
    let kills_here = KILLS / MOMENTS.len() as u64;
    let build = stage.project.run(&["run", "--dry-run", "--offline"]);
    let _ = build.exits_with(0);
    let before = stage.newest().map_or(0, |newest| newest.runs);
    let mut moments = Moments(seed);
    let (mut hits, mut kills, mut runs) = (Hits::default(), 0, before);
    while kills < kills_here || !hits.reached_everything() && kills < 3 * kills_here {
        runs += 1;
        let log = stage.project.root.join(format!("{runs}.log"));
        let mut killed_here = 0;
        // What is stored of this run, which lives begin to do once it exists.
        let mut stored: Option<Newest> = None;
        let ran = loop {
            let (begun, done) = (
                executed(&log),
                stored.as_ref().map_or(0, |stored| stored.trials),
            );
            let tool = stage.start(&log, stored.is_some());
            let moment = reference.moment(&mut moments, reference.trials - done, stored.is_some());
            let context = format!("seed {seed}, run {runs}, kill {kills}, {moment:?}, {stored:?}");
            // Killed after its end was stored there is nothing to resume.
            if kills >= kills_here && hits.reached_everything()
                || stored.as_ref().is_some_and(|stored| stored.ended)
            {
                break Ran::of(tool.wait_with_output().unwrap());
            }
            let said = match strike(tool, &log, moment) {
                Ok(said) => said,
                Err(ran) => break ran,
            };
            kills += 1;
            killed_here += 1;
            stage.wait_until_clean(&format!("{context}\n{said}"));
            let newest = stage.newest();
            let began_now = executed(&log) - begun;
            let context = format!("{context}, {began_now} begun, now {newest:?}; {said}");
            let Some(after) = newest.filter(|newest| newest.runs == runs) else {
                assert!(stored.is_none() && began_now == 0, "{context}");
                hits.before_the_run_was_stored += 1;
                continue;
            };
            if let (Some(before), true) = (&stored, said.contains("resuming run")) {
                hits.resumed += 1;
                let words = format!("resuming run {} after {} ", &before.id[..8], before.passes);
                assert!(
                    said.contains(&words) && after.id == before.id,
                    "{context}\n{said}"
                );
            }
            let kept = after.trials.checked_sub(done);
            let lost = kept.and_then(|kept| began_now.checked_sub(kept));
            let lost = lost.unwrap_or_else(|| panic!("a trial is counted twice: {context}"));
            assert!(lost <= PARALLELISM, "{lost} trials are lost: {context}");
            hits.trials_lost += lost;
            *match (began_now, lost) {
                _ if after.ended => &mut hits.after_the_end_was_stored,
                (0, _) if !said.contains(" against ") => &mut hits.before_the_first_trial,
                _ if after.trials == reference.trials => &mut hits.after_the_last_trial,
                (0, _) => &mut hits.before_the_first_trial,
                (_, 0) => &mut hits.between_trials_without_loss,
                _ => &mut hits.with_trials_lost,
            } += 1;
            stored = Some(after);
        };
        let context = format!(
            "run {runs}, killed {killed_here} times, stderr:\n{}",
            ran.stderr
        );
        let finished = stored.is_some_and(|stored| stored.ended);
        if finished {
            assert!(ran.stderr.contains("is finished"), "{context}");
        }
        assert_eq!(ran.code, Some(if finished { 2 } else { 1 }), "{context}");
        let report = stage
            .project
            .run(&["report", "--format", "json"])
            .exits_with(1);
        assert_eq!(outcome(&report), *right, "{context}");
        if !finished {
            assert_eq!(ran.stdout, report.stdout, "{context}");
        }
        let repeated = executed(&log) - reference.trials;
        assert!(
            repeated <= PARALLELISM * killed_here,
            "{repeated} repeated; {context}"
        );
        assert_eq!(stage.newest().unwrap().runs, runs, "{context}");
    }
    println!(
        "seed {seed}: {kills} kills over {} runs: {hits:?}",
        runs - before
    );
    hits
}
