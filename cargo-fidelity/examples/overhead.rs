//! What a trial costs: our runner beside a bare spawn-and-wait loop and cargo-nextest, over the same trivial tests; and
//! what knobs add, namespaces on a short suite, where setting a pass up counts most.
//!
//! `cargo run --release -p cargo-fidelity --example overhead [ROUNDS]`. The rounds alternate within one process, so
//! that a busy machine slows all of them down alike; the median round of each counts.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fidelity_core::domain::{
    Arm, BinaryId, Environment, KnobId, KnobValue, ListedTest, Outcome, PassEnd, PassSpec, Phase,
    Scope, TestId, TestIndex,
};
use fidelity_core::exec::direct::{DirectRunner, RunnerOptions};
use fidelity_core::exec::{Runner, canary, guardian, stage};
use fidelity_core::suite::{Suite, SuiteTest, TestBinary};

/// Tests in the generated binary.
const TESTS: usize = 500;
/// Trials at a time.
const SLOTS: usize = 2;
/// Tests of the short suite.
const SHORT: usize = 200;
/// Memory held in the tool in the third row.
const BALLAST: usize = 64 << 20;
/// Passes of cargo-nextest in one call, so that its start counts little.
const STRESS: usize = 4;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some(guardian::ARGUMENT) => return guardian::main(),
        Some(canary::ARGUMENT) => return canary::main(),
        Some(stage::ARGUMENT) => return stage::main(),
        _ => {}
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Knobs that take something to impose on each trial, with a value that costs.
fn knobs() -> Vec<(KnobId, KnobValue)> {
    let text = |text: &str| KnobValue::Text(text.to_owned());
    let knobs = [
        ("stdin", text("pipe")),
        ("tty", KnobValue::Flag(true)),
        ("user", text("nobody")),
    ];
    knobs
        .into_iter()
        .map(|(knob, value)| (KnobId::from(knob), value))
        .collect()
}

/// Environments without namespaces, with a network of its own, and with every namespace and mount there is.
fn stages() -> [(&'static str, Environment); 3] {
    let text = |text: &str| KnobValue::Text(text.to_owned());
    let network = (KnobId::from("network"), text("loopback"));
    let room = ("size".to_owned(), KnobValue::Bytes(8 << 20));
    let others = [
        (KnobId::from("filesystem"), text("read-only")),
        (KnobId::from("hostname"), text("elsewhere")),
        (KnobId::from("pids"), text("own")),
        (KnobId::from("tmpdir"), KnobValue::Table([room].into())),
    ];
    let everything = others.into_iter().chain([network.clone()]).collect();
    [
        ("ours", Environment::default()),
        ("ours, network = loopback", Environment([network].into())),
        ("ours, on a stage with all", Environment(everything)),
    ]
}

fn measure() -> Result<(), Failure> {
    let rounds: usize = std::env::args().nth(1).map_or(Ok(9), |word| word.parse())?;
    let directory = tempfile::tempdir()?;
    let binary = build(directory.path())?;
    let suite = suite(&binary, directory.path());
    let nextest = has_nextest();
    let mut ours = runner(&suite)?;
    let mut times: [Vec<Duration>; 4] = Default::default();
    let knobs = knobs();
    let mut under: Vec<Vec<Duration>> = vec![Vec::new(); knobs.len()];
    let stages = stages();
    let mut short: [Vec<Duration>; 3] = Default::default();
    for round in 0..=rounds {
        let ballast = |size| vec![1_u8; size];
        let bare = bare(&suite, &binary)?;
        let light = plain(&mut ours, &suite)?;
        let held = std::hint::black_box(ballast(BALLAST));
        let heavy = plain(&mut ours, &suite)?;
        drop(held);
        let other = if nextest {
            stress(directory.path())?
        } else {
            Duration::ZERO
        };
        let mut with_knobs = Vec::new();
        for (knob, value) in &knobs {
            let environment = Environment([(knob.clone(), value.clone())].into());
            with_knobs.push(pass(&mut ours, &suite, &environment, TESTS)?);
        }
        let mut on_stages = Vec::new();
        for (_, environment) in &stages {
            on_stages.push(pass(&mut ours, &suite, environment, SHORT)?);
        }
        // The first round warms everything up.
        if round > 0 {
            let lists = under.iter_mut().chain(&mut short);
            for (list, time) in lists.zip(with_knobs.into_iter().chain(on_stages)) {
                list.extend(time);
            }
            for (list, time) in times.iter_mut().zip([bare, light, heavy, other]) {
                list.push(time);
            }
        }
    }
    report(&mut times, nextest);
    let plain = median(&mut times[1], TESTS);
    for ((knob, value), times) in knobs.iter().zip(under) {
        print_row(&format!("ours, {knob} = {value}"), times, TESTS, plain);
    }
    println!("a pass over {SHORT} of them, from its setting up to its end:");
    let plain = median(&mut short[0], SHORT);
    for ((name, _), times) in stages.iter().zip(short) {
        print_row(name, times, SHORT, plain);
    }
    Ok(())
}

/// Prints what a trial costs in passes over `tests` tests, and what it costs more than `plain`.
fn print_row(name: &str, mut times: Vec<Duration>, tests: usize, plain: f64) {
    if times.is_empty() {
        println!("{name}: not applied here");
    } else {
        let time = median(&mut times, tests);
        println!("{name:<30} {time:.3} ms   {:+.3} ms", time - plain);
    }
}

/// Returns the median time of a trial in passes over `tests` tests, in milliseconds.
fn median(passes: &mut [Duration], tests: usize) -> f64 {
    passes.sort();
    let median = passes.get(passes.len() / 2).copied().unwrap_or_default();
    median.as_secs_f64() * 1e3 / tests as f64
}

fn report(times: &mut [Vec<Duration>; 4], nextest: bool) {
    let [bare, light, heavy, other] = times;
    let [bare, light, heavy, other] = [bare, light, heavy, other].map(|list| median(list, TESTS));
    println!("{TESTS} trivial tests, {SLOTS} at a time; wall time per trial, median round");
    println!("bare spawn-and-wait loop       {bare:.3} ms");
    println!(
        "ours                           {light:.3} ms   {:.2} x bare",
        light / bare
    );
    println!(
        "ours, 64 MiB held in the tool  {heavy:.3} ms   {:.2} x bare",
        heavy / bare
    );
    if nextest {
        println!(
            "cargo nextest --stress-count   {other:.3} ms   ours is {:.2} x that",
            light / other
        );
    } else {
        println!("cargo nextest is not installed");
    }
}

/// Writes a crate of trivial tests and builds its test binary.
fn build(directory: &Path) -> Result<PathBuf, Failure> {
    let mut source = String::new();
    for number in 0..TESTS {
        writeln!(source, "#[test]\nfn {}() {{}}", name(number))?;
    }
    std::fs::create_dir(directory.join("src"))?;
    std::fs::write(directory.join("src/lib.rs"), source)?;
    let manifest =
        "[package]\nname = \"trivial\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
    std::fs::write(directory.join("Cargo.toml"), manifest)?;
    let output = Command::new(cargo())
        .args([
            "test",
            "--lib",
            "--no-run",
            "--offline",
            "--message-format",
            "json",
        ])
        .current_dir(directory)
        .env_remove("CARGO_TARGET_DIR")
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    for line in text.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        if let Some(path) = message["executable"].as_str() {
            return Ok(path.into());
        }
    }
    Err("cargo built no test binary".into())
}

fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn name(number: usize) -> String {
    format!("test_{number:03}")
}

fn suite(binary: &Path, directory: &Path) -> Suite {
    Suite {
        binaries: vec![TestBinary {
            id: BinaryId("trivial".to_owned()),
            package: "trivial".to_owned(),
            kind: "lib".to_owned(),
            path: binary.to_owned(),
            directory: directory.to_owned(),
            environment: std::env::vars_os().collect(),
            runner: Vec::new(),
            target: "trivial".into(),
            lists: true,
            says_result: true,
            own_harness: false,
        }],
        tests: (0..TESTS)
            .map(|number| SuiteTest {
                id: TestId::new("trivial", name(number)),
                binary: 0,
                ignored: false,
                held_back: false,
                annotation: None,
            })
            .collect(),
        problems: Vec::new(),
    }
}

fn runner(suite: &Suite) -> Result<DirectRunner, Failure> {
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
        helper: RunnerOptions::this_executable(),
        slots: SLOTS,
        timeout_ms: 60_000,
        arguments: Vec::new(),
        #[cfg(unix)]
        wake: None,
        parent: None,
    };
    Ok(DirectRunner::new(suite, &listed, options)?)
}

/// Runs every test by our runner, as things are.
fn plain(runner: &mut DirectRunner, suite: &Suite) -> Result<Duration, Failure> {
    let time = pass(runner, suite, &Environment::default(), TESTS)?;
    time.ok_or_else(|| "the pass was discarded".into())
}

/// Runs the first `count` tests by our runner; none where `environment` cannot be provided.
fn pass(
    runner: &mut DirectRunner,
    suite: &Suite,
    environment: &Environment,
    count: usize,
) -> Result<Option<Duration>, Failure> {
    let count = count.min(suite.tests.len());
    let tests: Vec<TestIndex> = (0..).take(count).map(TestIndex).collect();
    let spec = PassSpec {
        number: 1,
        phase: Phase::Screen,
        arm: Arm::Baseline,
        target_probability: 0.0,
        scope: Scope::Suite,
        tests: tests.clone(),
        arm_pass: 0,
        order_seed: 0,
        timeout_factor: 1,
    };
    let mut passed = 0;
    let began = Instant::now();
    let end = runner.run_pass(&spec, &tests, environment, &mut |batch| {
        passed += batch
            .iter()
            .filter(|seen| seen.outcome == Outcome::Passed)
            .count();
        ControlFlow::Continue(())
    })?;
    let elapsed = began.elapsed();
    if matches!(end, PassEnd::Discarded { .. }) {
        Ok(None)
    } else if passed == count {
        Ok(Some(elapsed))
    } else {
        Err(format!("only {passed} tests passed").into())
    }
}

/// Runs every test by a loop that starts a process, reads its output and waits for it.
fn bare(suite: &Suite, binary: &Path) -> Result<Duration, Failure> {
    let next = AtomicUsize::new(0);
    let passed = AtomicUsize::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..SLOTS {
            scope.spawn(|| {
                while let Some(test) = suite.tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let output = Command::new(binary)
                        .args(["--exact", &test.id.test, "--nocapture"])
                        .stdin(Stdio::null())
                        .output();
                    if output.is_ok_and(|output| output.status.success()) {
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let elapsed = began.elapsed();
    match passed.into_inner() {
        TESTS => Ok(elapsed),
        passed => Err(format!("only {passed} tests passed").into()),
    }
}

fn has_nextest() -> bool {
    Command::new(cargo())
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs every test by cargo-nextest, several times. Returns the time of one pass.
fn stress(directory: &Path) -> Result<Duration, Failure> {
    let began = Instant::now();
    let status = Command::new(cargo())
        .args([
            "nextest",
            "run",
            "--lib",
            "--offline",
            "--status-level",
            "none",
        ])
        .args(["--final-status-level", "none", "--test-threads"])
        .arg(SLOTS.to_string())
        .arg("--stress-count")
        .arg(STRESS.to_string())
        .current_dir(directory)
        .env_remove("CARGO_TARGET_DIR")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() {
        Ok(began.elapsed() / u32::try_from(STRESS)?)
    } else {
        Err("cargo nextest failed".into())
    }
}
