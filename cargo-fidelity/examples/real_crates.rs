//! Runs the tool on crates from crates.io whose suites are known to depend on their environment, or not to, and prints
//! the table of docs/real-crates.md.
//!
//! ```text
//! cargo run --release -p cargo-fidelity --example real_crates [-- CRATE ...]
//! ```
//!
//! Fetches each crate's package (`cargo vendor`), builds its suite, and runs `cargo fidelity run` as a user would. Exits
//! with 1 if a finding that is expected is missed, or one that is not expected appears.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use serde_json::Value;

/// A row: a crate, the arguments of the run, and the tests that must be hidden defects.
struct Row {
    name: &'static str,
    version: &'static str,
    arguments: &'static [&'static str],
    hidden: &'static [&'static str],
    what: &'static str,
}

const SEED: &str = "1";

const ROWS: &[Row] = &[
    Row {
        name: "tempfile",
        version: "3.27.0",
        arguments: &["--set", "high.open-files=64", "--set", "high.tmpdir=plain"],
        hidden: &["tempfile::namedtempfile test_make_uds_conflict"],
        what: "64 open files",
    },
    Row {
        name: "tempfile",
        version: "3.27.0",
        arguments: &["--set", "high.tmpdir=long"],
        hidden: &["tempfile::namedtempfile test_make_uds_conflict"],
        what: "long TMPDIR",
    },
    Row {
        name: "tempfile",
        version: "3.27.0",
        arguments: &["--set", "high.tmpdir=symlink"],
        hidden: &["tempfile::namedtempfile test_temp_path_resolve_existing_cwd"],
        what: "TMPDIR behind a symlink",
    },
    Row {
        name: "syslog_loose",
        version: "0.23.0",
        arguments: &[],
        hidden: &["syslog_loose::tests parse_vrl"],
        what: "defaults",
    },
    Row {
        name: "statrs",
        version: "0.19.1",
        arguments: &[],
        hidden: &[],
        what: "defaults",
    },
    Row {
        name: "chrono",
        version: "0.4.45",
        arguments: &[],
        hidden: &[],
        what: "dates, defaults",
    },
    Row {
        name: "humantime",
        version: "2.4.0",
        arguments: &[],
        hidden: &[],
        what: "dates, defaults",
    },
    Row {
        name: "filetime",
        version: "0.2.29",
        arguments: &[],
        hidden: &[],
        what: "files, defaults",
    },
    Row {
        name: "fs_extra",
        version: "1.3.0",
        arguments: &[],
        hidden: &[],
        what: "files, defaults",
    },
    Row {
        name: "which",
        version: "8.0.6",
        arguments: &[],
        hidden: &[],
        what: "CLI, defaults",
    },
    Row {
        name: "tiny_http",
        version: "0.12.0",
        arguments: &[],
        hidden: &[],
        what: "network, defaults",
    },
    Row {
        name: "tiny_http",
        version: "0.12.0",
        arguments: &["--target-profile", "preset:hostile"],
        hidden: &[],
        what: "network, hostile",
    },
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    match print_table(&wanted) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints the table of the rows that are wanted (all if none is named); false if a row differs from what is expected.
fn print_table(wanted: &[String]) -> Result<bool, Box<dyn Error>> {
    let rows: Vec<&Row> = ROWS
        .iter()
        .filter(|row| wanted.is_empty() || wanted.iter().any(|name| name == row.name))
        .collect();
    let tool = build_tool()?;
    let place = tempfile::Builder::new().prefix("real-crates-").tempdir()?;
    let packages = fetch(&rows, place.path())?;
    println!(
        "| crate | environment | commit | hidden | flaky | broken | baseline-only | undetermined | stable | passes | trials | wall | found / expected |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    let (mut as_expected, mut details) = (true, String::new());
    for row in rows {
        let report = run(&tool, row, &packages[row.name])?;
        as_expected &= print_row(row, &packages[row.name], &report, &mut details)?;
    }
    println!("\n{details}");
    Ok(as_expected)
}

/// Builds the tool with the profile of this example and returns its path.
fn build_tool() -> Result<PathBuf, Box<dyn Error>> {
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "-p",
            "cargo-fidelity",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .status()?;
    let beside = std::env::current_exe()?;
    let tool = beside
        .ancestors()
        .nth(2)
        .ok_or("the example has a target directory")?
        .join("cargo-fidelity");
    if built.success() && tool.exists() {
        Ok(tool)
    } else {
        Err("the tool does not build".into())
    }
}

/// Fetches the packages and copies each to a folder of its own, where it can be built.
fn fetch(rows: &[&Row], place: &Path) -> Result<BTreeMap<&'static str, PathBuf>, Box<dyn Error>> {
    let mut manifest = String::from(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n",
    );
    let versions: BTreeMap<_, _> = rows.iter().map(|row| (row.name, row.version)).collect();
    for (name, version) in &versions {
        writeln!(manifest, "{name} = \"={version}\"")?;
    }
    fs::create_dir_all(place.join("fetch/src"))?;
    fs::write(place.join("fetch/Cargo.toml"), manifest)?;
    fs::write(place.join("fetch/src/lib.rs"), "")?;
    let fetched = Command::new(env!("CARGO"))
        .args(["vendor", "--quiet", "vendored"])
        .current_dir(place.join("fetch"))
        .stdout(Stdio::null())
        .status()?;
    if !fetched.success() {
        return Err("the packages could not be fetched".into());
    }
    let mut packages = BTreeMap::new();
    for name in versions.keys() {
        // Out of the folder of the fetching package, so that cargo does not take it for a member.
        let package = place.join(name);
        fs::rename(place.join("fetch/vendored").join(name), &package)?;
        packages.insert(*name, package);
    }
    Ok(packages)
}

/// Runs the tool on a package and returns its report, with the wall time of the whole command.
fn run(tool: &Path, row: &Row, package: &Path) -> Result<Value, Box<dyn Error>> {
    let started = Instant::now();
    let ran = Command::new(tool)
        .args([
            "fidelity",
            "run",
            "--format",
            "json",
            "--no-gate",
            "--seed",
            SEED,
            "--set",
            "policy.reuse=false",
        ])
        .args(row.arguments)
        .current_dir(package)
        .env_remove("RUST_BACKTRACE")
        .stderr(Stdio::piped())
        .output()?;
    if !ran.status.success() {
        return Err(format!(
            "{}: {}\n{}",
            row.name,
            ran.status,
            String::from_utf8_lossy(&ran.stderr)
        )
        .into());
    }
    let mut report: Value = serde_json::from_slice(&ran.stdout)?;
    report["command_s"] = started.elapsed().as_secs_f64().into();
    Ok(report)
}

/// Prints one row and notes its findings; false if they are not the expected ones.
fn print_row(
    row: &Row,
    package: &Path,
    report: &Value,
    details: &mut String,
) -> Result<bool, Box<dyn Error>> {
    let tests = report["tests"].as_array().ok_or("a report lists tests")?;
    let name_of = |test: &Value| {
        format!(
            "{} {}",
            test["binary"].as_str().unwrap_or("?"),
            test["test"].as_str().unwrap_or("?")
        )
    };
    let with = |verdict: &str| -> Vec<String> {
        tests
            .iter()
            .filter(|test| test["verdict"] == verdict)
            .map(name_of)
            .collect()
    };
    let hidden = with("hidden-defect");
    let found = row
        .hidden
        .iter()
        .filter(|expected| hidden.iter().any(|test| test == *expected))
        .count();
    let commit = fs::read_to_string(package.join(".cargo_vcs_info.json")).unwrap_or_default();
    let commit: Value = serde_json::from_str(&commit).unwrap_or_default();
    let commit: String = commit["git"]["sha1"]
        .as_str()
        .unwrap_or("-")
        .chars()
        .take(8)
        .collect();
    println!(
        "| {} {} | {} | {commit} | {} | {} | {} | {} | {} | {} | {} | {} | {:.0} s | {found} / {} |",
        row.name,
        row.version,
        row.what,
        hidden.len(),
        with("flaky").len(),
        with("broken").len(),
        with("baseline-only").len(),
        with("undetermined").len(),
        with("stable").len(),
        report["run"]["passes"],
        report["run"]["trials"],
        report["command_s"].as_f64().unwrap_or_default(),
        row.hidden.len(),
    );
    writeln!(
        details,
        "{} {}, {}: `cargo fidelity run --seed {SEED} {}`",
        row.name,
        row.version,
        row.what,
        row.arguments.join(" ")
    )?;
    for test in tests.iter().filter(|test| test["verdict"] != "stable") {
        writeln!(
            details,
            "- {} {} ({}): baseline {}/{}, target {}/{}, e = {}",
            test["verdict"].as_str().unwrap_or("?"),
            name_of(test),
            test["reason"].as_str().unwrap_or(""),
            test["baseline"]["failures"],
            test["baseline"]["trials"],
            test["target"]["failures"],
            test["target"]["trials"],
            test["e_value"],
        )?;
    }
    Ok(found == row.hidden.len() && hidden.len() == found)
}
