//! A process that is killed while it writes: what it was told is kept is there, once, and the file is whole.
//!
//! The writer is this test binary once more, asked by an environment variable. What it writes follows from pass and test,
//! so that every value can be checked; it says on its output what the store has acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::*;
use super::fixtures::*;
use super::random::Random;

/// Names the store, the run and the number of passes to a writer: `FILE|RUN|PASSES`.
const WRITER: &str = "FIDELITY_TEST_STORE_WRITER";
const TESTS: u32 = 30;

/// The observation of a test in a pass: some fail, with outputs of their own.
fn seen(pass: u32, test: u32) -> Observation {
    let number = Random::new(u64::from(pass) << 32 | u64::from(test)).next();
    let mut seen = match number % 9 {
        0 => failed(test, &format!("output {}", number % 4)),
        _ => passed(test),
    };
    seen.duration_us = number % 1_000_000;
    seen
}

/// The sizes of the batches of a pass, which add up to its tests.
fn batches(pass: u32) -> Vec<std::ops::Range<u32>> {
    let mut random = Random::new(u64::from(pass));
    let mut batches = Vec::new();
    let mut start = 0;
    while start < TESTS {
        let end = TESTS.min(start + 1 + random.below(3) as u32);
        batches.push(start..end);
        start = end;
    }
    batches
}

#[test]
fn the_writer_that_other_tests_start_writes_when_it_is_asked_to() {
    let Ok(order) = std::env::var(WRITER) else {
        return;
    };
    let words: Vec<&str> = order.split('|').collect();
    let (run, passes) = (words[1].parse().unwrap(), words[2].parse().unwrap());
    let mut out = std::io::stdout();
    let mut say = |what: &str, pass: u32, count: u32| {
        writeln!(out, "@{what} {pass} {count}").unwrap();
        out.flush().unwrap();
    };
    say("start", 0, 0);
    let mut store = SqliteStore::open_or_create(Path::new(words[0])).unwrap();
    let (stored, mut log) = match store.resume_run(header(run).id) {
        Ok((stored, log)) => (stored.passes, log),
        Err(StoreError::NoSuchRun { .. }) => (
            Vec::new(),
            store.create_run(&header(run), &listed(TESTS)).unwrap(),
        ),
        Err(other) => panic!("{other}"),
    };
    let open = stored.last().filter(|pass| pass.end.is_none());
    let first = match open {
        Some(pass) => pass.spec.number,
        None => stored.len() as u32 + 1,
    };
    let mut done = open.map_or(0, |pass| pass.observations.len() as u32);
    for pass in first..=passes {
        log.begin_pass(&spec(pass, TESTS), &Environment::default())
            .unwrap();
        say("begun", pass, done);
        for batch in batches(pass)
            .into_iter()
            .filter(|batch| batch.start >= done)
        {
            log.append(
                &batch
                    .clone()
                    .map(|test| seen(pass, test))
                    .collect::<Vec<_>>(),
            )
            .unwrap();
            say("seen", pass, batch.end);
        }
        done = 0;
        log.end_pass(&PassEnd::Completed, u64::from(pass), None)
            .unwrap();
        say("ended", pass, TESTS);
    }
}

/// Starts a writer of run `run`.
pub(super) fn start_writer(file: &Path, run: u64, passes: u32) -> Child {
    let name = "store::tests::crash::the_writer_that_other_tests_start_writes_when_it_is_asked_to";
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(WRITER, format!("{}|{run}|{passes}", file.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// The pass and the count in a line of a writer.
fn said(line: &str) -> Option<(u32, u32)> {
    let mut words = line.strip_prefix('@')?.split(' ').skip(1);
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// Checks everything that is stored of a run; returns the last pass and what it holds.
pub(super) fn assert_is_as_written(file: &Path, run: u64) -> (u32, u32) {
    assert_intact(file);
    let store = SqliteStore::open(file).unwrap();
    let stored = match store.load(header(run).id) {
        Ok(stored) => stored,
        Err(StoreError::NoSuchRun { .. }) => return (0, 0),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(stored.tests.to_vec(), listed(TESTS));
    for (number, pass) in (1..).zip(&stored.passes) {
        assert_eq!(pass.spec, spec(number, TESTS));
        let count = pass.observations.len() as u32;
        let whole = batches(number).iter().any(|batch| batch.end == count);
        assert!(
            whole || count == 0,
            "pass {number} holds a part of a batch: {count}"
        );
        let expected: Vec<_> = (0..count)
            .map(|test| without_output(seen(number, test)))
            .collect();
        assert_eq!(pass.observations, expected);
        if let Some((_, elapsed_ms)) = pass.end {
            assert_eq!((elapsed_ms, count), (u64::from(number), TESTS));
        }
    }
    let last = stored.passes.last();
    (
        stored.passes.len() as u32,
        last.map_or(0, |pass| pass.observations.len() as u32),
    )
}

#[test]
fn a_writer_killed_at_any_moment_loses_nothing_that_was_acknowledged() {
    const KILLS: u64 = 50;
    let place = Place::new();
    let mut reached = (0, 0);
    let mut moved = 0;
    for seed in 0..KILLS {
        let mut random = Random::new(seed);
        let mut writer = start_writer(&place.file(), 1, u32::MAX);
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let mut acknowledged = reached;
        let take = |line: std::io::Result<String>, acknowledged: &mut (u32, u32)| {
            if let Some(said) = said(&line.unwrap()) {
                *acknowledged = said.max(*acknowledged);
            }
        };
        // Some are killed while the store is opened, most after some hundred calls, each at an instant of its own.
        let calls = if seed % 5 == 0 { 0 } else { random.below(600) };
        let mut heard = 0;
        while heard <= calls {
            let line = lines.next().unwrap();
            heard += u64::from(line.as_ref().is_ok_and(|line| line.starts_with('@')));
            take(line, &mut acknowledged);
        }
        let pause =
            Duration::from_nanos(random.below(if calls == 0 { 8_000_000 } else { 300_000 }));
        let start = Instant::now();
        while start.elapsed() < pause {
            std::hint::spin_loop();
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        lines.for_each(|line| take(line, &mut acknowledged));
        if place.file().exists() && !is_unborn(&place.file()) {
            let stored = assert_is_as_written(&place.file(), 1);
            assert!(
                stored >= acknowledged,
                "seed {seed}: {stored:?} after {acknowledged:?}"
            );
            moved += u32::from(stored > reached);
            reached = stored;
        }
    }
    assert!(moved > 30, "the writer came on between {moved} kills only");
}

/// Whether the file was killed before it was a store; the next writer makes it one.
fn is_unborn(file: &Path) -> bool {
    matches!(SqliteStore::open(file), Err(StoreError::NoStore { .. }))
}

#[test]
fn a_run_is_not_resumed_while_another_process_writes_it() {
    let place = Place::new();
    let mut writer = start_writer(&place.file(), 1, u32::MAX);
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    while !lines.next().unwrap().unwrap().starts_with("@seen") {}
    let mut store = SqliteStore::open(&place.file()).unwrap();
    let refused = store.resume_run(header(1).id).err();
    assert!(
        matches!(refused, Some(StoreError::Alive { run }) if run == header(1).id),
        "{refused:?}"
    );
    assert!(store.runs(1).unwrap()[0].alive);
    assert_eq!(store.comparable(&header(1).fingerprint).unwrap(), []);
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert!(!store.runs(1).unwrap()[0].alive);
    assert_eq!(store.comparable(&header(1).fingerprint).unwrap().len(), 1);
    drop(store.resume_run(header(1).id).unwrap());
}
