//! How well load and pauses keep to what was asked for, measured from outside while the real runner runs a pass.
//!
//! `cargo run --release -p cargo-fidelity --example load`. Takes about 40 seconds. Numbers of a machine on which other
//! programs work say little about us, and are marked.
#![cfg_attr(not(unix), allow(unused, reason = "load and pauses need Unix"))]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fidelity_core::domain::{
    Arm, BinaryId, Environment, KnobId, KnobValue, ListedTest, PassEnd, PassSpec, Phase, Scope,
    TestId, TestIndex,
};
use fidelity_core::exec::direct::{DirectRunner, RunnerOptions};
use fidelity_core::exec::{Runner, guardian, load};
use fidelity_core::suite::{Suite, SuiteTest, TestBinary};

/// How long load is measured.
const SLEEP: Duration = Duration::from_secs(3);
/// How long pauses are measured.
const WATCH: Duration = Duration::from_secs(4);
/// The variable with the file that a test writes what it saw to.
const REPORT: &str = "FIDELITY_LOAD_REPORT";
/// The share of one CPU that others may take where numbers count.
const QUIET: f64 = 0.15;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let done = match words.as_slice() {
        [guardian::ARGUMENT, ..] => return guardian::main(),
        [load::ARGUMENT, ..] => return load::main(),
        ["--exact", "--nocapture", "sleeps"] => {
            std::thread::sleep(SLEEP);
            Ok(())
        }
        ["--exact", "--nocapture", "watches"] => watch(),
        _ => measure(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// What a test does that looks for pauses: it reads the clock and adds up its jumps.
fn watch() -> Result<(), Failure> {
    let began = Instant::now();
    let (mut last, mut still) = (began, Duration::ZERO);
    while last - began < WATCH {
        let now = Instant::now();
        if now - last > Duration::from_millis(4) {
            still += now - last;
        }
        last = now;
    }
    let share = still.as_secs_f64() / (last - began).as_secs_f64();
    let report = std::env::var_os(REPORT).ok_or("nowhere to report to")?;
    Ok(std::fs::write(report, share.to_string())?)
}

fn measure() -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let mut stage = Stage::new(directory.path())?;
    println!("load, percent of a CPU          asked  taken  gone after");
    for (name, threads, on, share, burst) in [
        ("all CPUs", None, "all", 100, 100),
        ("all CPUs, half", None, "all", 50, 100),
        ("all CPUs, a fifth, short", None, "all", 20, 20),
        ("one CPU", None, "one", 100, 100),
        ("anywhere, one thread", Some(1), "anywhere", 80, 100),
        ("all CPUs, three threads", Some(3), "all", 30, 50),
    ] {
        let shape = Shape {
            threads,
            on,
            share,
            burst,
        };
        stage.measure_load(name, &shape)?;
    }
    println!("\npauses, percent of the time     asked  seen");
    for (every, length) in [(200, 40), (100, 10), (50, 25), (500, 150)] {
        stage.measure_pauses(every, length)?;
    }
    Ok(())
}

/// Load as it is asked for.
struct Shape {
    threads: Option<u64>,
    on: &'static str,
    share: u32,
    burst: u64,
}

impl Shape {
    fn knob(&self) -> KnobValue {
        let mut values = BTreeMap::from([
            ("on".to_owned(), KnobValue::Text(self.on.to_owned())),
            ("share".to_owned(), KnobValue::Share(self.share)),
            ("burst".to_owned(), KnobValue::Duration(self.burst)),
        ]);
        if let Some(threads) = self.threads {
            values.insert("threads".to_owned(), KnobValue::Count(threads));
        }
        KnobValue::Table(values)
    }

    /// Returns how many percent of a CPU all its threads together ask for.
    fn asked(&self, cpus: usize) -> f64 {
        let suggested = if self.on == "one" { 1 } else { cpus as u64 };
        let threads = self.threads.unwrap_or(suggested) as f64;
        (threads * f64::from(self.share)).min(100.0 * cpus as f64)
    }
}

/// A runner for this very executable, which is its own test binary.
struct Stage {
    runner: DirectRunner,
    report: PathBuf,
    cpus: usize,
    passes: u32,
}

const TESTS: [&str; 2] = ["sleeps", "watches"];

impl Stage {
    fn new(directory: &Path) -> Result<Self, Failure> {
        let report = directory.join("report");
        let suite = Suite {
            binaries: vec![TestBinary {
                id: BinaryId("load".to_owned()),
                package: "load".to_owned(),
                kind: "example".to_owned(),
                path: std::env::current_exe()?,
                directory: directory.to_owned(),
                environment: vec![(REPORT.into(), report.clone().into())],
                runner: Vec::new(),
                target: "load".into(),
                lists: true,
                own_harness: true,
                says_result: false,
            }],
            tests: TESTS
                .map(|name| SuiteTest {
                    id: TestId::new("load", name),
                    binary: 0,
                    ignored: false,
                    held_back: false,
                    annotation: None,
                })
                .into(),
            problems: Vec::new(),
        };
        let listed = TESTS.map(|name| ListedTest {
            id: TestId::new("load", name),
            selected: true,
            suspicious: false,
            terms: None,
        });
        let options = RunnerOptions {
            helper: RunnerOptions::this_executable(),
            slots: 1,
            timeout_ms: 60_000,
            arguments: Vec::new(),
            #[cfg(unix)]
            wake: None,
            parent: None,
        };
        Ok(Self {
            runner: DirectRunner::new(&suite, &listed, options)?,
            report,
            cpus: std::thread::available_parallelism()?.get(),
            passes: 0,
        })
    }

    /// Runs a pass of one test. Returns when the test had ended, and how many CPUs others used.
    fn pass(&mut self, test: u32, knob: &str, value: KnobValue) -> Result<(Instant, f64), Failure> {
        self.passes += 1;
        let spec = PassSpec {
            number: self.passes,
            phase: Phase::Screen,
            arm: Arm::Target,
            target_probability: 1.0,
            scope: Scope::Suite,
            tests: vec![TestIndex(test)],
            arm_pass: 0,
            order_seed: u64::from(self.passes),
            timeout_factor: 1,
        };
        let environment = Environment([(KnobId::from(knob), value)].into());
        let mut ended = Instant::now();
        let end = self
            .runner
            .run_pass(&spec, &spec.tests, &environment, &mut |_| {
                ended = Instant::now();
                ControlFlow::Continue(())
            })?;
        if let PassEnd::Discarded { reason } = end {
            return Err(reason.into());
        }
        let foreign = self
            .runner
            .machine()
            .map_or(0.0, |load| load.foreign_cpus());
        Ok((ended, foreign))
    }

    fn measure_load(&mut self, name: &str, shape: &Shape) -> Result<(), Failure> {
        let over = AtomicBool::new(false);
        let (passed, watched) = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| Watched::until(&over));
            let passed = self.pass(0, "cpu-load", shape.knob());
            over.store(true, Ordering::Relaxed);
            (passed, watcher.join())
        });
        let (ended, foreign) = passed?;
        let watched = watched.map_err(|_| "the watcher panicked")?;
        let (asked, taken) = (shape.asked(self.cpus), watched.percent());
        let gone = watched.last.saturating_duration_since(ended);
        let points = (taken - asked).abs() / (asked / f64::from(shape.share));
        let kept = points <= 5.0 && gone < Duration::from_secs(1);
        println!(
            "  {name:28} {asked:6.0} {taken:6.1}  {:4} ms   {}",
            gone.as_millis(),
            verdict(kept, foreign)
        );
        Ok(())
    }

    fn measure_pauses(&mut self, every: u64, length: u64) -> Result<(), Failure> {
        let values = BTreeMap::from([
            ("every".to_owned(), KnobValue::Duration(every)),
            ("for".to_owned(), KnobValue::Duration(length)),
        ]);
        let (_, foreign) = self.pass(1, "pauses", KnobValue::Table(values))?;
        let seen: f64 = 100.0 * std::fs::read_to_string(&self.report)?.parse::<f64>()?;
        let asked = 100.0 * length as f64 / every as f64;
        let kept = (seen - asked).abs() <= asked / 10.0;
        let name = format!("{length} ms every {every} ms");
        println!(
            "  {name:28} {asked:6.1} {seen:6.1}             {}",
            verdict(kept, foreign)
        );
        Ok(())
    }
}

fn verdict(kept: bool, foreign: f64) -> String {
    match (kept, foreign > QUIET) {
        (true, false) => "kept".to_owned(),
        (false, false) => "NOT KEPT".to_owned(),
        (_, true) => format!("too busy to judge: others used {foreign:.1} CPUs"),
    }
}

/// What was seen of a load generator.
struct Watched {
    first: Option<(Instant, u64)>,
    /// The last time it was seen, and what it had used by then.
    last: Instant,
    ticks: u64,
}

impl Watched {
    /// Looks for a load generator below this process until it is gone after `over`.
    fn until(over: &AtomicBool) -> Self {
        let mut watched = Self {
            first: None,
            last: Instant::now(),
            ticks: 0,
        };
        loop {
            let was_over = over.load(Ordering::Relaxed);
            match used_by_load() {
                Some(ticks) => {
                    let now = Instant::now();
                    watched.first.get_or_insert((now, ticks));
                    (watched.last, watched.ticks) = (now, ticks);
                }
                None if was_over => return watched,
                None => {}
            }
            // Looking takes processor time too, which the load then lacks.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns what it took while it was seen, in percent of a CPU; the kernel counts in hundredths of a second.
    fn percent(&self) -> f64 {
        let Some((since, before)) = self.first else {
            return 0.0;
        };
        (self.ticks - before) as f64 / (self.last - since).as_secs_f64()
    }
}

/// Returns the processor time of the load generator below this process; none where there is none.
fn used_by_load() -> Option<u64> {
    let own = std::process::id().to_string();
    std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .find_map(|entry| {
            let command = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
            command.contains(load::ARGUMENT).then_some(())?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            let is_ours = *fields.get(1)? == own;
            let time = |at: usize| fields.get(at)?.parse::<u64>().ok();
            (is_ours && fields[0] != "Z").then_some(time(11)? + time(12)?)
        })
}
