//! Feeds made-up and damaged reports to the reader and to the names of tests, and stops at the first panic, hang or broken promise.
//!
//! `cargo run --release -p fidelity-core --example fuzz_junit -- COUNT [SEED]`; `-- --replay SEED NUMBER` shows one input and what came
//! of it. Input `NUMBER` of a seed is the same everywhere, every time.

use std::io::BufReader;
use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fidelity_core::ingest::junit::{Case, Limits, Summary, read};
use fidelity_core::ingest::naming::{Names, Rules};

mod corpus;
mod inputs;
mod promises;

/// One input takes no longer, by far.
const LONGEST: Duration = Duration::from_secs(10);
/// The process holds no more memory at any time.
const MEMORY: u64 = 256 << 20;
const SEED: u64 = 20_260_101;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &String| text.parse::<u64>().ok();
    match arguments.as_slice() {
        [flag, seed, index] if flag == "--replay" => match (number(seed), number(index)) {
            (Some(seed), Some(index)) => replay(seed, index),
            _ => usage(),
        },
        [count] => number(count).map_or_else(usage, |count| fuzz(count, SEED)),
        [count, seed] => match (number(count), number(seed)) {
            (Some(count), Some(seed)) => fuzz(count, seed),
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: fuzz_junit COUNT [SEED] | fuzz_junit --replay SEED NUMBER");
    ExitCode::from(2)
}

fn replay(seed: u64, index: u64) -> ExitCode {
    let bytes = inputs::input(seed, index);
    println!("{}", bytes.escape_ascii());
    let (summary, cases) = one(&bytes, index);
    println!("{summary:#?}\n{cases:#?}");
    ExitCode::SUCCESS
}

fn fuzz(count: u64, seed: u64) -> ExitCode {
    let current = Arc::new(AtomicU64::new(0));
    watch(Arc::clone(&current), seed);
    let start = Instant::now();
    let mut totals = Totals::default();
    for index in 0..count {
        current.store(index, Ordering::Relaxed);
        let bytes = inputs::input(seed, index);
        let Ok((summary, cases)) = panic::catch_unwind(|| one(&bytes, index)) else {
            return failed("the reader panicked or broke a promise", seed, index);
        };
        totals.add(&bytes, &summary, &cases);
        if index.is_multiple_of(4096) && peak_memory() > MEMORY {
            return failed("more memory than allowed at or before input", seed, index);
        }
    }
    if peak_memory() > MEMORY {
        return failed("more memory than allowed at or before input", seed, count);
    }
    println!("seed {seed}: {totals}");
    println!(
        "no panic, no hang, no broken promise in {count} inputs, {:.0} s, peak memory {:.1} MiB",
        start.elapsed().as_secs_f64(),
        peak_memory() as f64 / f64::from(1 << 20)
    );
    ExitCode::SUCCESS
}

fn failed(what: &str, seed: u64, index: u64) -> ExitCode {
    eprintln!("{what}: input {index} of seed {seed}");
    eprintln!(
        "replay: cargo run --release -p fidelity-core --example fuzz_junit -- --replay {seed} {index}"
    );
    ExitCode::FAILURE
}

/// Ends the process where one input takes too long.
fn watch(current: Arc<AtomicU64>, seed: u64) {
    std::thread::spawn(move || {
        let mut before = u64::MAX;
        loop {
            std::thread::sleep(LONGEST);
            let now = current.load(Ordering::Relaxed);
            if now == before {
                failed("this takes too long", seed, now);
                std::process::abort();
            }
            before = now;
        }
    });
}

/// Limits that made-up inputs reach.
fn limits() -> Limits {
    Limits {
        file: 1 << 20,
        depth: 12,
        tag: 700,
        name: 60,
        head: 50,
        tail: 50,
        attempts: 4,
        texts: 2,
        properties: 100,
    }
}

/// Reads an input, in one piece and in small ones, and holds the result against what is promised.
fn one(bytes: &[u8], index: u64) -> (Summary, Vec<Case>) {
    let limits = limits();
    let whole = in_pieces(bytes, bytes.len() + 1, &limits);
    let step = 1 + (index % 37) as usize;
    let mut pieces = in_pieces(bytes, step, &limits);
    // How much was read ahead of a break depends on the pieces.
    pieces.0.bytes = whole.0.bytes;
    assert_eq!(whole, pieces, "in pieces of {step} bytes");
    promises::check(&whole.0, &whole.1, &limits);
    let mut names = Names::new(Rules::default());
    let placed: Vec<_> = whole
        .1
        .iter()
        .map(|case| names.place(case, "report"))
        .collect();
    promises::check_names(&placed, &names.finish());
    // As it is really read: the same without limits in reach.
    let usual = in_pieces(bytes, bytes.len() + 1, &Limits::default());
    promises::check(&usual.0, &usual.1, &Limits::default());
    whole
}

fn in_pieces(bytes: &[u8], step: usize, limits: &Limits) -> (Summary, Vec<Case>) {
    let mut cases = Vec::new();
    let reader = BufReader::with_capacity(step, bytes);
    let summary = read(reader, "report", limits, &mut |case| {
        cases.push(case.clone());
    });
    (summary, cases)
}

/// What came of all inputs.
#[derive(Default)]
struct Totals {
    bytes: u64,
    cases: u64,
    read: u64,
    broken: std::collections::BTreeMap<&'static str, u64>,
}

impl Totals {
    fn add(&mut self, bytes: &[u8], summary: &Summary, cases: &[Case]) {
        self.bytes += bytes.len() as u64;
        self.cases += cases.len() as u64;
        match summary.broken() {
            Some(problem) => *self.broken.entry(problem.kind.word()).or_default() += 1,
            None => self.read += 1,
        }
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let megabytes = self.bytes / 1_000_000;
        write!(
            f,
            "{megabytes} MB, {} trials; read {}",
            self.cases, self.read
        )?;
        self.broken
            .iter()
            .try_for_each(|(word, count)| write!(f, ", {word} {count}"))
    }
}

/// Returns the most memory the process held at a time, in bytes; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}
