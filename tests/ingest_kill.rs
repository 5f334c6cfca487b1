//! Killing the tool while it takes in files or joins stores: the store is as it was before, or holds the whole of it, and
//! doing it again gives what doing it once undisturbed gives.
//!
//! The tool is stopped where a pipe among the files, or one that nobody reads, holds it, and at many moments of its life
//! besides, whose outcome is checked whatever it is.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fidelity_core::domain::{RunId, StoredRun};
use fidelity_core::store::{SqliteStore, Store, StoreError};
use support::Project;

/// Tests in a report: enough for a page that no pipe holds.
const TESTS: u32 = 220;
/// Reports of an arm. Passes of 64 files are made at a time, so that many are written when the last file is read.
const FILES: u32 = 70;
/// What waiting ends with.
const PATIENCE: Duration = Duration::from_secs(60);

/// A report of its own: which tests fail follows from its number, and in the target one test always does.
fn report(number: u32, in_target: bool) -> String {
    let mut xml = String::from("<testsuite name=\"shop\">");
    for test in 0..TESTS {
        let fails = (test * 7 + number * 13).is_multiple_of(411) || (in_target && test == 3);
        let failure = if fails {
            "<failure message=\"no\">src/a.py:3</failure>"
        } else {
            ""
        };
        let _ = write!(
            xml,
            "<testcase name=\"t{test}\" classname=\"shop\" time=\"0.{number:03}\">{failure}</testcase>"
        );
    }
    xml + "</testsuite>"
}

/// The last file in the order in which files are read.
const LAST: &str = "high/last.xml";

/// A project with reports of both arms, and the reports of the target taken in with the last file, which is still to come.
fn project() -> Project {
    let project = Project::empty("results");
    for number in 0..FILES {
        project.write(&format!("low/{number}.xml"), &report(number, false));
        project.write(&format!("high/{number}.xml"), &report(number, true));
    }
    project.write(LAST, &report(FILES, true));
    project
}

const INGEST: [&str; 8] = [
    "ingest",
    "--no-gate",
    "--format",
    "json",
    "--commit",
    "c0ffee",
    "--block",
    "1",
];

/// The arguments that take in an arm.
fn of_arm(profile: &'static str, store: &'static str) -> Vec<&'static str> {
    let files = if profile == "low" {
        "low/*.xml"
    } else {
        "high/*.xml"
    };
    let place = ["--store", store, "--fidelity-profile", profile, files];
    [&INGEST[..], &place].concat()
}

/// The arguments that take in a few reports of an arm.
fn of_few(profile: &'static str, store: &'static str) -> Vec<&'static str> {
    let mut arguments = of_arm(profile, store);
    arguments.pop();
    arguments.push(if profile == "low" {
        "low/1*.xml"
    } else {
        "high/1*.xml"
    });
    arguments
}

/// Files of an arm that these arguments name.
const FEW: usize = 11;

fn start(project: &Project, arguments: &[&str]) -> Child {
    let mut command = project.tool(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Kills the tool, which has to be alive.
#[track_caller]
fn kill(mut tool: Child) {
    assert_eq!(
        tool.try_wait().unwrap(),
        None,
        "the tool has ended by itself"
    );
    tool.kill().unwrap();
    tool.wait().unwrap();
}

#[track_caller]
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until the tool opens the pipe for reading, and holds it there.
#[track_caller]
fn hold(pipe: &Path) -> File {
    let mut held = None;
    wait_until("the tool to open the pipe", || {
        // Without waiting: there is no writing end before there is a reading one.
        let opened = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(pipe);
        held = opened.ok();
        held.is_some()
    });
    held.unwrap()
}

/// Returns everything that a store holds, its runs in the order of ids; nothing where there is none yet.
fn contents(store: &Path) -> Vec<StoredRun> {
    let store = match SqliteStore::open(store) {
        Ok(store) => store,
        Err(StoreError::NoStore { .. }) => return Vec::new(),
        Err(error) => panic!("{error}"),
    };
    let mut runs: Vec<RunId> = store
        .runs(usize::MAX)
        .unwrap()
        .iter()
        .map(|run| run.id)
        .collect();
    runs.sort();
    runs.into_iter()
        .map(|run| store.load(run).unwrap())
        .collect()
}

/// What has to be the same however it came about: the comparison, and how many runs, passes and trials are stored.
fn outcome(project: &Project, store: &str) -> (serde_json::Value, usize, Vec<usize>) {
    let report = ["report", "--no-gate", "--format", "json", "--store", store];
    let mut report = project.run(&report).exits_with(0).json();
    for key in ["id", "seed", "wall_s", "started_at", "arguments", "commit"] {
        report["run"][key] = serde_json::Value::Null;
    }
    report["problems"] = serde_json::Value::Null;
    let runs = contents(&project.root.join(store));
    let ended = runs.iter().all(|run| run.end.is_some());
    assert!(ended, "a run was not closed");
    let mut passes: Vec<usize> = runs.iter().map(|run| run.passes.len()).collect();
    passes.sort_unstable();
    (report, runs.len(), passes)
}

/// Takes in both arms undisturbed, and returns what that comes to.
fn undisturbed(project: &Project) -> (serde_json::Value, usize, Vec<usize>) {
    let _ = project.run(&of_arm("low", "reference.db")).exits_with(0);
    let _ = project.run(&of_arm("high", "reference.db")).exits_with(0);
    let outcome = outcome(project, "reference.db");
    let verdict = &outcome.0["tests"].as_array().unwrap()[0];
    assert!(verdict["verdict"].is_string(), "{verdict}");
    outcome
}

#[test]
fn an_ingest_killed_while_it_reads_or_writes_leaves_nothing_behind() {
    let project = project();
    let expected = undisturbed(&project);
    let last = project.root.join(LAST);
    let text = fs::read(&last).unwrap();
    let _ = project.run(&of_arm("low", "one.db")).exits_with(0);
    let before = contents(&project.root.join("one.db"));
    fs::remove_file(&last).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&last)
            .status()
            .unwrap()
            .success()
    );

    // While it looks at the files.
    let tool = start(&project, &of_arm("high", "one.db"));
    let held = hold(&last);
    kill(tool);
    drop(held);
    assert_eq!(contents(&project.root.join("one.db")), before);

    // While it writes: it has said what it will do, and reads the last of the files once more.
    let mut tool = start(&project, &of_arm("high", "one.db"));
    hold(&last).write_all(&text).unwrap();
    let mut said = BufReader::new(tool.stderr.take().unwrap()).lines();
    assert!(said.any(|line| {
        line.unwrap()
            .starts_with("block 1 at commit c0ffee: 71 passes")
    }));
    let held = hold(&last);
    kill(tool);
    drop(held);
    assert_eq!(contents(&project.root.join("one.db")), before);

    fs::remove_file(&last).unwrap();
    fs::write(&last, text).unwrap();
    let _ = project.run(&of_arm("high", "one.db")).exits_with(0);
    assert_eq!(outcome(&project, "one.db"), expected);
}

#[test]
fn an_ingest_that_is_interrupted_keeps_nothing_and_says_so() {
    let project = project();
    let last = project.root.join(LAST);
    let text = fs::read(&last).unwrap();
    fs::remove_file(&last).unwrap();
    let made = Command::new("mkfifo").arg(&last).status().unwrap();
    assert!(made.success());
    let mut tool = start(&project, &of_arm("high", "one.db"));
    hold(&last).write_all(&text).unwrap();
    let mut said = BufReader::new(tool.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("block 1 at commit c0ffee")));
    let mut held = hold(&last);
    let pid = tool.id().to_string();
    let signalled = Command::new("sh")
        .args(["-c", "kill -INT $0", &pid])
        .status()
        .unwrap();
    assert!(signalled.success());
    held.write_all(&text).unwrap();
    drop(held);
    let said: Vec<String> = said.map(Result::unwrap).collect();
    assert_eq!(tool.wait().unwrap().code(), Some(5), "{said:?}");
    assert_eq!(said, ["interrupted: no file was taken in; give them again"]);
    assert_eq!(contents(&project.root.join("one.db")), []);
}

#[test]
fn an_ingest_killed_while_it_prints_has_kept_everything() {
    let project = project();
    let expected = undisturbed(&project);
    let _ = project.run(&of_arm("low", "one.db")).exits_with(0);
    let tool = start(&project, &of_arm("high", "one.db"));
    let store = project.root.join("one.db");
    wait_until("the run to be closed", || {
        let runs = SqliteStore::open(&store).unwrap().runs(2).unwrap();
        runs.len() == 2 && runs.iter().all(|run| run.end.is_some())
    });
    // Nobody reads its page, so that it cannot end.
    kill(tool);
    let kept = contents(&store);
    let again = project.run(&of_arm("high", "one.db")).exits_with(0);
    assert!(
        again
            .stderr
            .contains("71 files taken in before and left out"),
        "{}",
        again.stderr
    );
    assert_eq!(contents(&store), kept);
    assert_eq!(outcome(&project, "one.db"), expected);
}

#[test]
fn a_run_that_was_stored_and_not_closed_is_closed_by_the_next_ingest() {
    let project = project();
    let expected = undisturbed(&project);
    // What a process leaves that dies between the passes and the end.
    let mut store = SqliteStore::open_or_create(&project.root.join("one.db")).unwrap();
    let mut runs = contents(&project.root.join("reference.db"));
    runs.sort_by_key(|run| run.header.joined.len());
    let run = &runs[0];
    let passes =
        |keep: &mut dyn FnMut(&_) -> Result<(), StoreError>| run.passes.iter().try_for_each(keep);
    drop(store.add_run((&run.header, &run.tests), passes).unwrap());
    drop(store);
    let _ = project.run(&of_arm("low", "one.db")).exits_with(0);
    let _ = project.run(&of_arm("high", "one.db")).exits_with(0);
    assert_eq!(outcome(&project, "one.db"), expected);
}

/// The store of a moment.
fn store_of(moment: u32) -> &'static str {
    format!("moment-{moment}.db").leak()
}

#[test]
fn an_ingest_killed_at_any_moment_can_be_repeated() {
    const MOMENTS: u32 = 12;
    let project = project();
    for profile in ["low", "high"] {
        let _ = project.run(&of_few(profile, "reference.db")).exits_with(0);
    }
    let expected = outcome(&project, "reference.db");
    let began = Instant::now();
    let _ = project.run(&of_few("low", store_of(0))).exits_with(0);
    let life = began.elapsed();
    for moment in 1..=MOMENTS {
        let store = store_of(moment);
        let mut tool = start(&project, &of_few("low", store));
        std::thread::sleep(life * moment / MOMENTS);
        tool.kill().unwrap();
        tool.wait().unwrap();
        for run in contents(&project.root.join(store)) {
            assert_eq!(run.passes.len(), FEW, "half of the run, killed at {moment}");
        }
        for profile in ["low", "high"] {
            let _ = project.run(&of_few(profile, store)).exits_with(0);
        }
        assert_eq!(outcome(&project, store), expected, "killed at {moment}");
    }
}

/// Makes a store of so many runs of one comparison, each with the passes of a block of its own.
fn many_runs(project: &Project, number: u32) -> PathBuf {
    let path = project.root.join("many.db");
    let mut store = SqliteStore::open_or_create(&path).unwrap();
    let models = contents(&project.root.join("reference.db"));
    for number in 0..number {
        let mut run = models[number as usize % 2].clone();
        run.header.id = RunId(u128::from(number) + 1);
        run.header.joined = Vec::new();
        run.passes.truncate(4);
        for pass in &mut run.passes {
            let origin = pass.origin.as_mut().unwrap();
            origin.block.name = Some(format!("{}", number / 2));
        }
        let passes = |keep: &mut dyn FnMut(&_) -> Result<(), StoreError>| {
            run.passes.iter().try_for_each(keep)
        };
        let mut log = store.add_run((&run.header, &run.tests), passes).unwrap();
        log.end_run(run.end.as_ref().unwrap(), &[]).unwrap();
    }
    path
}

#[test]
fn a_merge_killed_at_any_moment_can_be_repeated() {
    const RUNS: u32 = 24;
    const MOMENTS: u32 = 8;
    let project = project();
    for profile in ["low", "high"] {
        let _ = project.run(&of_few(profile, "reference.db")).exits_with(0);
    }
    let many = contents(&many_runs(&project, RUNS));
    let merge = |store| [&INGEST[..4], &["--store", store, "many.db"]].concat();
    let began = Instant::now();
    let _ = project.run(&merge(store_of(0))).exits_with(0);
    let life = began.elapsed();
    let expected = contents(&project.root.join(store_of(0)));
    assert_eq!(
        expected.len() as u32,
        RUNS + 1,
        "with the one that covers them"
    );
    let mut halfway = 0;
    for moment in 1..=MOMENTS {
        let name = store_of(moment);
        let store = project.root.join(name);
        let mut tool = start(&project, &merge(name));
        if moment % 2 == 0 {
            std::thread::sleep(life * moment / MOMENTS);
        } else {
            // Between two of the runs.
            let few = (moment % 8) as usize;
            wait_until("some runs to be joined", || {
                let stored = SqliteStore::open(&store);
                let runs = stored.and_then(|store| store.runs(few));
                runs.is_ok_and(|runs| runs.len() >= few)
            });
        }
        tool.kill().unwrap();
        tool.wait().unwrap();
        let stored = contents(&store);
        let joined: Vec<&StoredRun> = stored.iter().filter(|run| !run.passes.is_empty()).collect();
        halfway += u32::from(!joined.is_empty() && joined.len() < RUNS as usize);
        for run in joined {
            assert!(
                many.contains(run),
                "run {} is not what it was",
                run.header.id
            );
        }
        let _ = project.run(&merge(name)).exits_with(0);
        assert_eq!(contents(&store), expected, "killed at {moment}");
    }
    assert!(halfway > 0, "no kill was between two runs");
}
