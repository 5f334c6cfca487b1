//! What a pass costs beside the bare command: cargo-nextest and a command that writes JUnit, both in one process.
//!
//! `cargo run --release -p cargo-fidelity --example runner_overhead` needs the tool built (`cargo build --release`) and, for the
//! first row, cargo-nextest. A row is the median time of the bare command, the mean time of a pass, and their ratio.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Bare runs, and passes of the tool.
const RUNS: usize = 10;
/// Tests of either suite.
const TESTS: usize = 100;

/// Returns how long `command` takes in `directory`: the median of several runs, after one that warms up.
fn bare(directory: &Path, command: &[&str]) -> Option<Duration> {
    let mut times = Vec::new();
    for _ in 0..=RUNS {
        let began = Instant::now();
        let mut process = Command::new(command.first()?);
        process.args(command.iter().skip(1)).current_dir(directory);
        process
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok()?;
        times.push(began.elapsed());
    }
    times.remove(0);
    times.sort();
    times.get(RUNS / 2).copied()
}

/// Returns how long a pass of the tool takes in `directory`, from what it says of its run.
fn pass(directory: &Path) -> Option<Duration> {
    let tool = std::env::current_exe().ok()?;
    let tool = tool.parent()?.parent()?.join("cargo-fidelity");
    let said = Command::new(tool)
        .args(["fidelity", "run", "--format", "json", "--seed", "1"])
        .current_dir(directory)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let report: serde_json::Value = serde_json::from_slice(&said.stdout).ok()?;
    let passes = report["run"]["passes"].as_f64()?;
    Some(Duration::from_secs_f64(
        report["run"]["wall_s"].as_f64()? / passes,
    ))
}

fn row(name: &str, directory: &Path, command: &[&str]) {
    match (bare(directory, command), pass(directory)) {
        (Some(bare), Some(pass)) => println!(
            "{name:10} bare {:6.1} ms, a pass {:6.1} ms, ratio {:.2}",
            bare.as_secs_f64() * 1e3,
            pass.as_secs_f64() * 1e3,
            pass.as_secs_f64() / bare.as_secs_f64()
        ),
        _ => println!("{name:10} did not run: a program is missing"),
    }
}

fn main() -> std::io::Result<()> {
    let settings = format!(
        "[policy]\nscreen = {{ baseline = 1, target = {} }}\n[profile.low]\n[profile.high]\numask = \"027\"\n",
        RUNS - 1
    );
    let top = tempfile::tempdir()?;
    let rust = top.path().join("rust");
    fs::create_dir_all(rust.join("src"))?;
    fs::create_dir_all(rust.join(".config"))?;
    fs::write(rust.join(".config/nextest.toml"), "")?;
    fs::write(
        rust.join("Cargo.toml"),
        "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    let tests: String = (0..TESTS)
        .map(|number| format!("#[test] fn t{number}() {{}}\n"))
        .collect();
    fs::write(rust.join("src/lib.rs"), tests)?;
    fs::write(rust.join("fidelity.toml"), &settings)?;
    row("nextest", &rust, &["cargo", "nextest", "run"]);
    let shell = top.path().join("shell");
    fs::create_dir_all(&shell)?;
    let cases: String = (0..TESTS)
        .map(|number| format!("<testcase classname='c' name='t{number}'/>"))
        .collect();
    let script =
        format!("sleep 0.1; echo \"<testsuite name='s'>{cases}</testsuite>\" > \"$1/a.xml\"\n");
    fs::write(shell.join("suite.sh"), script)?;
    let runner = "[runner]\ncommand = [\"sh\", \"suite.sh\", \"{dir}\"]\njunit = [\"{dir}/*.xml\"]\ninputs = [\"suite.sh\"]\n";
    fs::write(shell.join("fidelity.toml"), format!("{runner}{settings}"))?;
    row("command", &shell, &["sh", "suite.sh", "."]);
    Ok(())
}
