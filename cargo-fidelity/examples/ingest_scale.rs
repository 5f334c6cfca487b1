//! What it costs to take in a million results and to report them, beside the bare reading of the same files.
//!
//! `cargo run --release -p cargo-fidelity --example ingest_scale [CASES]`. Reports of a suite of 5,000 tests are written, and
//! taken in by the real binary in two ways: all reports of an arm at once, and each by a call of its own, as the jobs of a CI
//! matrix do. The floor is our own reader on one core over the same files, which gives its cases to nobody. Memory is the
//! peak of the resident set as the system keeps it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use fidelity_core::ingest::inputs::{self, Input};
use fidelity_core::ingest::junit::Limits;

/// Cases over all files, where no other number is given.
const CASES: usize = 1_000_000;
/// Tests in a file.
const TESTS: usize = 5_000;
/// Reports of an arm in a block.
const PASSES: usize = 5;

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A report of the matrix.
struct Job {
    block: usize,
    profile: &'static str,
    file: PathBuf,
}

/// What a command took.
#[derive(Clone, Copy, Default)]
struct Cost {
    wall: Duration,
    peak_kib: u64,
}

impl Cost {
    /// Adds a command that ran after the others.
    fn then(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            peak_kib: self.peak_kib.max(other.peak_kib),
        }
    }
}

fn measure() -> Result<(), Error> {
    let cases = std::env::args()
        .nth(1)
        .map_or(Ok(CASES), |word| word.parse::<usize>())?;
    let tool = tool()?;
    let place = tempfile::tempdir()?;
    let jobs = write_matrix(place.path(), cases / TESTS)?;
    let cases = jobs.len() * TESTS;
    let bytes: u64 = jobs
        .iter()
        .map(|job| Ok(job.file.metadata()?.len()))
        .sum::<std::io::Result<u64>>()?;
    println!(
        "{cases} cases in {} files of {TESTS} tests, {:.0} MiB",
        jobs.len(),
        bytes as f64 / f64::from(1 << 20)
    );
    let floor = floor(&jobs, cases)?;
    let line = |what: &str, cost: Cost| {
        let each = cost.wall.as_secs_f64() * 1e9 / cases as f64;
        println!(
            "{what:44} {:8.2} s {each:8.0} ns a case {:8.1} times the floor   {:6.1} MiB",
            cost.wall.as_secs_f64(),
            cost.wall.as_secs_f64() / floor.wall.as_secs_f64(),
            cost.peak_kib as f64 / 1024.0
        );
    };
    line("floor: the bare reader, one core", floor);
    for (way, calls) in [("an arm a call", 2), ("a file a call", jobs.len())] {
        let store = place.path().join(format!("{calls}.db"));
        let run = |arguments: &[&str]| run(&tool, place.path(), (arguments, &store));
        let ingest = ingest(&jobs, calls, &run)?;
        line(&format!("ingest, {way} ({calls} calls)"), ingest);
        line("  report", run(&["report", "--no-gate"])?);
        line(
            "  report, as CSV",
            run(&["report", "--no-gate", "--format", "csv"])?,
        );
        line("  explain a test", run(&["explain", "test_00007"])?);
        let size = store.metadata()?.len();
        println!(
            "  the store: {:.1} MiB, {:.1} bytes a case",
            size as f64 / f64::from(1 << 20),
            size as f64 / cases as f64
        );
    }
    Ok(())
}

/// Writes the reports: in each block the passes of both arms, in which one test in a thousand is flaky and one of all always
/// fails in the target.
fn write_matrix(root: &Path, files: usize) -> Result<Vec<Job>, Error> {
    let mut jobs = Vec::new();
    for number in 0..files {
        let profile = ["low", "high"][number % 2];
        let (block, pass) = (number / 2 / PASSES, number / 2 % PASSES);
        let file = root.join(format!("{profile}/{block}/{pass}.xml"));
        std::fs::create_dir_all(file.parent().ok_or("a file without a folder")?)?;
        std::fs::write(&file, report(number, profile == "high"))?;
        jobs.push(Job {
            block,
            profile,
            file,
        });
    }
    Ok(jobs)
}

fn report(number: usize, in_target: bool) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"suite\" tests=\"{TESTS}\" timestamp=\"2026-03-01T{:02}:{:02}:00\">\n",
        number / 60 % 24,
        number % 60
    );
    for test in 0..TESTS {
        let (class, time) = (test / 100, (test * 31 + number * 17) % 997);
        let flaky = test % 1_000 == 17 && (test / 1_000 + number).is_multiple_of(5);
        let failure = if flaky || (in_target && test == 7) {
            "\n<failure message=\"assertion failed: left == right\" type=\"panic\">thread panicked at src/lib.rs:12:5:\nleft: 1, right: 2</failure>\n"
        } else {
            ""
        };
        let _ = writeln!(
            xml,
            "<testcase name=\"of_a_module::test_{test:05}\" classname=\"suite::class_{class:03}\" time=\"0.{time:03}\">{failure}</testcase>"
        );
    }
    xml + "</testsuite>\n</testsuites>\n"
}

/// Reads every file once, one after the other, in a process of its own: this one.
fn floor(jobs: &[Job], cases: usize) -> Result<Cost, Error> {
    let began = Instant::now();
    let mut read = 0;
    for job in jobs {
        let input = Input::File(job.file.clone());
        let summary = inputs::read(&input, &Limits::default(), &mut |_| read += 1);
        if let Some(problem) = summary.broken() {
            return Err(problem.to_string().into());
        }
    }
    let wall = began.elapsed();
    if read != cases {
        return Err(format!("{read} cases of {cases} were read").into());
    }
    Ok(Cost {
        wall,
        peak_kib: peak_of("self").unwrap_or(0),
    })
}

/// Takes in the reports by so many calls: two, or one a file.
fn ingest(
    jobs: &[Job],
    calls: usize,
    run: &dyn Fn(&[&str]) -> Result<Cost, Error>,
) -> Result<Cost, Error> {
    let mut cost = Cost::default();
    if calls == 2 {
        for profile in ["low", "high"] {
            let arguments = ["ingest", "--no-gate", "--fidelity-profile", profile];
            cost = cost.then(run(
                &[&arguments[..], &["--commit", "c0ffee", profile]].concat()
            )?);
        }
        return Ok(cost);
    }
    for job in jobs {
        let block = job.block.to_string();
        let file = job.file.to_str().ok_or("a path that is no text")?;
        let arguments = ["ingest", "--no-gate", "--fidelity-profile", job.profile];
        let block = ["--commit", "c0ffee", "--block", &block, file];
        cost = cost.then(run(&[&arguments[..], &block].concat())?);
    }
    Ok(cost)
}

/// Builds the tool as users get it, and returns it.
fn tool() -> Result<PathBuf, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let built = Command::new(cargo)
        .args(["build", "--release", "--bin", "cargo-fidelity"])
        .args(["--manifest-path", manifest, "--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()?;
    for line in String::from_utf8(built.stdout)?.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        if let Some(path) = message["executable"].as_str() {
            return Ok(path.into());
        }
    }
    Err("cargo built no tool".into())
}

/// Runs the tool to its end, which has to be a success.
fn run(tool: &Path, root: &Path, (arguments, store): (&[&str], &Path)) -> Result<Cost, Error> {
    let began = Instant::now();
    let mut child = Command::new(tool)
        .arg("fidelity")
        .args(arguments)
        .arg("--quiet")
        .arg("--store")
        .arg(store)
        .current_dir(root)
        .stdout(Stdio::null())
        .spawn()?;
    let id = child.id().to_string();
    let mut peak_kib = 0;
    let status = loop {
        // However seldom it is looked at, only what comes after the last look is missed.
        peak_kib = peak_of(&id).unwrap_or(0).max(peak_kib);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_micros(500));
    };
    let wall = began.elapsed();
    if !status.success() {
        return Err(format!("{} failed", arguments.join(" ")).into());
    }
    Ok(Cost { wall, peak_kib })
}

/// Returns the peak of the resident memory of a process, in KiB; none where the system does not say.
fn peak_of(process: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
