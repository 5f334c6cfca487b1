//! Runs the tool on crates from crates.io whose suites are known to depend on their environment, or not to, and prints
//! the table of docs/real-crates.md.
//!
//! ```text
//! cargo run --release -p cargo-fidelity --example real_crates [-- CRATE ...]
//! ```
//!
//! Packages are fetched by cargo and kept, with their build, in `target/real-crates`: a second run only runs tests.
//! Exits with 1 if an expected verdict is missed or a hidden defect appears that is not expected, with 2 if a crate
//! could not be fetched, built or run.

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::Value;

mod commit;
mod package;
mod row;
mod seen;
mod tool;

use commit::commit;
use package::fetch;
use row::{ROWS, Row};
use seen::Seen;
use tool::{build_tool, repository};

const SEED: &str = "1";

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    match print_table(&wanted) {
        Ok(surprises) if surprises.is_empty() => ExitCode::SUCCESS,
        Ok(surprises) => {
            for surprise in surprises {
                eprintln!("error: {surprise}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints the table of the rows that are wanted (all if none is named), then their commands and findings. Returns what
/// differs from what is expected.
fn print_table(wanted: &[String]) -> Result<Vec<String>, Box<dyn Error>> {
    for name in wanted {
        if ROWS.iter().all(|row| row.name != name) {
            return Err(format!("there is no row for `{name}`").into());
        }
    }
    let tool = build_tool()?;
    let place = repository().join("target/real-crates");
    println!(
        "| crate | commit | command (`cargo fidelity run --seed {SEED} ...`) | hidden | flaky | broken | baseline-only | undetermined | stable | passes | trials | wall | found / expected |"
    );
    println!("|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let (mut details, mut surprises) = (Vec::new(), Vec::new());
    for row in ROWS {
        if wanted.is_empty() || wanted.iter().any(|name| name == row.name) {
            let package = fetch(row.package(), &place)?;
            let report = run(&tool, row, &package)?;
            let seen = Seen::read(&report)?;
            println!("{}", seen.line(row, &commit(&package)?, &report));
            details.extend(seen.details(row));
            surprises.extend(seen.surprises(row));
        }
    }
    println!("\n{}", details.join("\n"));
    Ok(surprises)
}

/// Runs the tool on a package, as a user would, and returns its report.
fn run(tool: &Path, row: &Row, package: &Path) -> Result<Value, Box<dyn Error>> {
    eprintln!("{} {} {}", row.name, row.version, row.arguments.join(" "));
    // Trials of an earlier run must not count: the row is about what this run finds.
    let ran = Command::new(tool)
        .args(["fidelity", "run", "--format", "json", "--no-gate"])
        .args(["--seed", SEED, "--set", "policy.reuse=false"])
        .args(row.arguments)
        .current_dir(package)
        .envs(row.variables.iter().copied())
        .env("TZ", "UTC")
        .env_remove("TMPDIR")
        .env_remove("RUST_BACKTRACE")
        .output()?;
    if !ran.status.success() {
        let told = String::from_utf8_lossy(&ran.stderr);
        return Err(format!("{}: {}\n{told}", row.name, ran.status).into());
    }
    Ok(serde_json::from_slice(&ran.stdout)?)
}
