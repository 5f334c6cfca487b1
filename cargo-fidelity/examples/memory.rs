//! What the tool itself takes: memory for many tests and passes, and time to start and to report.
//!
//! `cargo run --release -p cargo-fidelity --example memory [TESTS]`. A custom harness that lists many tests and passes each
//! at once is run by the real binary with a policy that makes exactly 20 passes; the peak of the tool's
//! resident memory is read from the system while it runs. The guardians are processes of their own and not counted.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Tests of the suite, where no other number is given.
const TESTS: usize = 10_000;
/// Passes of the run, in both arms together.
const PASSES: u64 = 20;
/// What the tool may use at most, in KiB.
const MAX_KIB: u64 = 64 << 10;
/// CPU time of `--version`.
const MAX_START: Duration = Duration::from_millis(10);
/// Wall time of `report`.
const MAX_REPORT: Duration = Duration::from_millis(50);
/// How often short commands are repeated; the median counts.
const ROUNDS: usize = 21;

/// Lists the tests, and passes whatever it is asked for.
const HARNESS: &str = r#"
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("--list") {
        let count: usize = include_str!("count").trim().parse().unwrap();
        let names: String = (0..count).map(|number| format!("suite::of_trivial_tests::test_{number:05}: test\n")).collect();
        if !has("--ignored") {
            print!("{names}");
        }
    }
}
"#;

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match measure() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints every number beside its target, and returns whether all are met.
fn measure() -> Result<bool, Error> {
    let tests = std::env::args()
        .nth(1)
        .map_or(Ok(TESTS), |word| word.parse())?;
    let tool = tool()?;
    let project = tempfile::tempdir()?;
    write_project(project.path(), tests)?;
    let began = Instant::now();
    let (kib, passes) = run(&tool, project.path())?;
    let seconds = began.elapsed().as_secs_f64();
    println!("{tests} tests, {passes} passes in {seconds:.0} s");
    let mut met = passes == PASSES;
    let mut line = |what: &str, measured: f64, target: f64, unit: &str| {
        met &= measured < target;
        println!("{what:42} {measured:8.1} {unit}   target: below {target:.0} {unit}");
    };
    line(
        "peak memory of the tool",
        kib as f64 / 1024.0,
        MAX_KIB as f64 / 1024.0,
        "MiB",
    );
    let start = median(|| cpu_of(&tool, &["--version"], project.path()))?;
    line(
        "CPU of `cargo-fidelity fidelity --version`",
        milliseconds(start),
        milliseconds(MAX_START),
        "ms",
    );
    let report = median(|| wall_of(&tool, &["report", "--no-gate"], project.path()))?;
    line(
        "wall time of `report`",
        milliseconds(report),
        milliseconds(MAX_REPORT),
        "ms",
    );
    Ok(met)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Builds the tool as users get it, and returns it.
fn tool() -> Result<PathBuf, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let built = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--bin",
            "cargo-fidelity",
            "--manifest-path",
            manifest,
        ])
        .args(["--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(built.stdout)?;
    for line in text.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        if let Some(path) = message["executable"].as_str() {
            return Ok(path.into());
        }
    }
    Err("cargo built no tool".into())
}

fn write_project(root: &Path, tests: usize) -> Result<(), Error> {
    let manifest = "[package]\nname = \"many\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\ntest = false\n\n[[test]]\nname = \"many\"\npath = \"many.rs\"\nharness = false\n\n[workspace]\n";
    std::fs::write(root.join("Cargo.toml"), manifest)?;
    std::fs::write(root.join("lib.rs"), "")?;
    std::fs::write(root.join("many.rs"), HARNESS)?;
    std::fs::write(root.join("count"), tests.to_string())?;
    std::fs::write(
        root.join("fidelity.toml"),
        "[profile.low]\n\n[profile.high]\norder = \"shuffle\"\n\n[policy]\nscreen = { baseline = 4, target = 16 }\nmax-time = \"none\"\n",
    )?;
    Ok(())
}

/// Runs the suite, and returns the tool's peak memory in KiB and how many passes it made.
fn run(tool: &Path, root: &Path) -> Result<(u64, u64), Error> {
    let mut child = Command::new(tool)
        .args([
            "fidelity",
            "run",
            "--quiet",
            "--no-gate",
            "--offline",
            "--seed",
            "1",
        ])
        .current_dir(root)
        .env_remove("CARGO_TARGET_DIR")
        .stdout(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        // The peak as the system keeps it: however seldom it is looked at, only what comes after the last look is missed.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = kib.unwrap_or(0).max(peak);
        std::thread::sleep(Duration::from_millis(2));
    }
    if !child.wait()?.success() {
        return Err("the run failed".into());
    }
    let listed = Command::new(tool)
        .args(["fidelity", "report", "--list", "--format", "json"])
        .current_dir(root)
        .output()?;
    let list: serde_json::Value = serde_json::from_slice(&listed.stdout)?;
    Ok((peak, list["runs"][0]["passes"].as_u64().unwrap_or(0)))
}

fn median(mut measure: impl FnMut() -> Result<Duration, Error>) -> Result<Duration, Error> {
    let mut times = (0..ROUNDS)
        .map(|_| measure())
        .collect::<Result<Vec<_>, _>>()?;
    times.sort();
    Ok(times[ROUNDS / 2])
}

fn start(tool: &Path, arguments: &[&str], root: &Path) -> Command {
    let mut command = Command::new(tool);
    command
        .arg("fidelity")
        .args(arguments)
        .current_dir(root)
        .stdout(Stdio::null());
    command
}

/// Returns the user and system time of a command, by the shell's own account of its child.
fn cpu_of(tool: &Path, arguments: &[&str], root: &Path) -> Result<Duration, Error> {
    let shell = Command::new("bash")
        .args(["-c", "TIMEFORMAT='%3U %3S'; time \"$0\" \"$@\" >/dev/null"])
        .arg(tool)
        .arg("fidelity")
        .args(arguments)
        .current_dir(root)
        .output()?;
    let text = String::from_utf8(shell.stderr)?;
    let seconds: Vec<f64> = text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    Ok(Duration::from_secs_f64(seconds.iter().sum()))
}

fn wall_of(tool: &Path, arguments: &[&str], root: &Path) -> Result<Duration, Error> {
    let began = Instant::now();
    let status = start(tool, arguments, root).status()?;
    if !status.success() {
        return Err(format!("{} failed", arguments.join(" ")).into());
    }
    Ok(began.elapsed())
}
