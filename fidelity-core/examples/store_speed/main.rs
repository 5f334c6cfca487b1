//! Measures the store: `cargo run --release -p fidelity-core --example store_speed [RUNS PASSES TESTS]`.
//!
//! Writes 50 runs of 20 passes of 10,000 tests (10 million observations, one in a hundred failing), then reads what a
//! report and `explain` read. Beside it, the same trials as one row each and nothing packed, for comparison.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use fidelity_core::domain::{PassEnd, RunEnd, StopReason, StoredRun, TestId};
use fidelity_core::store::{SqliteStore, Store};

mod workload;

use workload::{environment, header, listed, observations, spec, verdicts};

/// What is written.
#[derive(Clone, Copy)]
struct Load {
    runs: u32,
    passes: u32,
    tests: u32,
}

impl Load {
    fn observations(self) -> u64 {
        u64::from(self.runs) * u64::from(self.passes) * u64::from(self.tests)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<u32> = std::env::args()
        .skip(1)
        .map(|word| word.parse())
        .collect::<Result<_, _>>()?;
    let load = match numbers.as_slice() {
        [] => Load {
            runs: 50,
            passes: 20,
            tests: 10_000,
        },
        [runs, passes, tests] => Load {
            runs: *runs,
            passes: *passes,
            tests: *tests,
        },
        _ => return Err("usage: store_speed [RUNS PASSES TESTS]".into()),
    };
    let directory = tempfile::Builder::new()
        .prefix("store-speed")
        .tempdir_in(".")?;
    let file = directory.path().join("history.db");
    write(load, &file)?;
    println!(
        "  file                     {:>12.1} MB",
        size_of(directory.path())? / 1e6
    );
    read(load, &file)?;
    append_one_by_one(&directory.path().join("single.db"))?;
    rows_only(load, &directory.path().join("rows.db"))?;
    Ok(())
}

/// Writes every run in batches of one pass.
fn write(load: Load, file: &Path) -> Result<(), Box<dyn Error>> {
    let mut store = SqliteStore::open_or_create(file)?;
    let tests = listed(load.tests);
    let environment = environment();
    let verdicts = verdicts(load.tests);
    let (mut spent, mut made) = (Duration::ZERO, Duration::ZERO);
    for run in 0..load.runs {
        let start = Instant::now();
        let mut log = store.create_run(&header(run), &tests)?;
        made += start.elapsed();
        for number in 1..=load.passes {
            let spec = spec(number, load.tests);
            let seen = observations(run, number, load.tests);
            let start = Instant::now();
            log.begin_pass(&spec, &environment)?;
            log.append(&seen)?;
            log.end_pass(&PassEnd::Completed, 1_000, None)?;
            spent += start.elapsed();
        }
        let start = Instant::now();
        log.end_run(
            &RunEnd {
                stop: StopReason::Decided,
                wall_ms: 20_000,
                problems: Vec::new(),
            },
            &verdicts,
        )?;
        drop(log);
        spent += start.elapsed();
    }
    let count = load.observations();
    println!(
        "wrote {count} observations: {} runs of {} passes of {} tests",
        load.runs, load.passes, load.tests
    );
    println!(
        "  observations per second  {:>12.0}",
        count as f64 / spent.as_secs_f64()
    );
    println!(
        "  create_run               {:>12.2} ms each",
        millis(made) / f64::from(load.runs)
    );
    println!("  peak memory              {:>12.1} MB", peak_memory()?);
    Ok(())
}

/// Reads one run as a report does, and one test as `explain` does.
fn read(load: Load, file: &Path) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let store = SqliteStore::open(file)?;
    println!(
        "  open                     {:>12.2} ms",
        millis(start.elapsed())
    );
    let run = store.find_run(&header(load.runs / 2).id.to_string())?;
    let start = Instant::now();
    let stored = store.load(run)?;
    let loaded = start.elapsed();
    let failing = failing_tests(&stored);
    println!(
        "  load and count a run     {:>12.2} ms ({:.2} to load; {failing} tests fail)",
        millis(start.elapsed()),
        millis(loaded)
    );
    drop(stored);
    let test = TestId::new("bench", format!("module::case_{:05}", load.tests / 2));
    let start = Instant::now();
    let history = store.history_of(&test)?;
    let of_history = start.elapsed();
    let trials = store.trials_of(run, &test)?;
    println!(
        "  history and trials       {:>12.2} ms ({:.2} for {} runs; {} trials)",
        millis(start.elapsed()),
        millis(of_history),
        history.len(),
        trials.len()
    );
    let start = Instant::now();
    let runs = store.runs(20)?;
    println!(
        "  list {:>3} runs            {:>12.2} ms",
        runs.len(),
        millis(start.elapsed())
    );
    println!("  peak memory              {:>12.1} MB", peak_memory()?);
    Ok(())
}

/// Appends one observation a call, which is what a runner does.
fn append_one_by_one(file: &Path) -> Result<(), Box<dyn Error>> {
    const TESTS: u32 = 10_000;
    const PASSES: u32 = 10;
    let mut store = SqliteStore::open_or_create(file)?;
    let mut log = store.create_run(&header(0), &listed(TESTS))?;
    let mut calls = Vec::new();
    let start = Instant::now();
    for number in 1..=PASSES {
        log.begin_pass(&spec(number, TESTS), &environment())?;
        for seen in observations(0, number, TESTS) {
            let start = Instant::now();
            log.append(std::slice::from_ref(&seen))?;
            calls.push(start.elapsed());
        }
        log.end_pass(&PassEnd::Completed, 1_000, None)?;
    }
    let whole = start.elapsed();
    calls.sort_unstable();
    let micros = |part: f64| calls[((calls.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e6;
    let mean = calls.iter().sum::<Duration>().as_secs_f64() * 1e6 / calls.len() as f64;
    println!("append of one observation, {} calls", calls.len());
    println!("  mean                     {mean:>12.1} us");
    println!(
        "  median, 99 %, worst      {:>12.1} us, {:.1} us, {:.1} us",
        micros(0.5),
        micros(0.99),
        micros(1.0)
    );
    println!(
        "  with begin and end       {:>12.1} us each",
        whole.as_secs_f64() * 1e6 / calls.len() as f64
    );
    Ok(())
}

/// Writes the same trials as one row each, in the same key order, and counts the failures of one run.
fn rows_only(load: Load, file: &Path) -> Result<(), Box<dyn Error>> {
    let mut connection = rusqlite::Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
         CREATE TABLE trial (run INTEGER, pass INTEGER, test INTEGER, attempt INTEGER, outcome INTEGER,
            duration INTEGER, leaked INTEGER, signature INTEGER, message INTEGER, output INTEGER,
            PRIMARY KEY (run, pass, test, attempt)) STRICT, WITHOUT ROWID;",
    )?;
    let mut spent = Duration::ZERO;
    for run in 0..load.runs {
        for number in 1..=load.passes {
            let seen = observations(run, number, load.tests);
            let start = Instant::now();
            let transaction = connection.transaction()?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO trial VALUES (?1, ?2, ?3, 0, ?4, ?5, 0, NULL, NULL, NULL)",
            )?;
            for seen in seen {
                let failed = i64::from(seen.outcome.is_failure());
                insert.execute((
                    run,
                    number,
                    seen.test.0,
                    failed,
                    seen.duration_us.cast_signed(),
                ))?;
            }
            drop(insert);
            transaction.commit()?;
            spent += start.elapsed();
        }
    }
    let start = Instant::now();
    let (rows, failed): (i64, i64) = connection.query_row(
        "SELECT count(duration), sum(outcome) FROM trial WHERE run = ?1",
        [load.runs / 2],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let counted = start.elapsed();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    println!("for comparison, one row a trial and nothing packed");
    println!(
        "  observations per second  {:>12.0}",
        load.observations() as f64 / spent.as_secs_f64()
    );
    println!(
        "  file                     {:>12.1} MB",
        fs::metadata(file)?.len() as f64 / 1e6
    );
    println!(
        "  count a run by query     {:>12.2} ms ({failed} of {rows} trials fail)",
        millis(counted)
    );
    Ok(())
}

/// Counts trials and failures of each test in each arm, as a report does; returns how many tests fail at all.
fn failing_tests(run: &StoredRun) -> usize {
    let mut counts = vec![[(0_u32, 0_u32); 2]; run.tests.len()];
    for pass in run.passes.iter().filter(|pass| pass.end.is_some()) {
        for seen in pass.observations.iter().filter(|seen| seen.attempt == 0) {
            let (trials, failures) = &mut counts[seen.test.get()][pass.spec.arm.index()];
            *trials += u32::from(seen.outcome.is_trial());
            *failures += u32::from(seen.outcome.is_failure());
        }
    }
    counts
        .iter()
        .filter(|arms| arms.iter().any(|(_, failures)| *failures > 0))
        .count()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Returns the size of the files in a directory, in bytes.
fn size_of(directory: &Path) -> Result<f64, Box<dyn Error>> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes as f64)
}

/// Returns the most memory the process held at a time, in megabytes; 0 where the system does not tell.
fn peak_memory() -> Result<f64, Box<dyn Error>> {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return Ok(0.0);
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .unwrap_or("0");
    Ok(kib.parse::<f64>()? * 1024.0 / 1e6)
}
