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

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

/// A row: a version of a crate, the arguments of the run, and the verdicts that are known to be right.
struct Row {
    name: &'static str,
    version: &'static str,
    arguments: &'static [&'static str],
    /// Pairs of a verdict and a test. A hidden defect that is not among them is an error too.
    expected: &'static [(&'static str, &'static str)],
}

const SEED: &str = "1";

const ROWS: &[Row] = &[
    Row {
        name: "tempfile",
        version: "3.27.0",
        arguments: &["--set", "high.open-files=64"],
        expected: &[(
            "hidden-defect",
            "tempfile::namedtempfile test_make_uds_conflict",
        )],
    },
    Row {
        name: "tempfile",
        version: "3.27.0",
        arguments: &["--set", "high.tmpdir=long"],
        expected: &[
            ("hidden-defect", "tempfile::namedtempfile test_make_uds"),
            (
                "hidden-defect",
                "tempfile::namedtempfile test_make_uds_conflict",
            ),
        ],
    },
    Row {
        name: "tempfile",
        version: "3.27.0",
        arguments: &["--set", "high.tmpdir=symlink"],
        expected: &[(
            "hidden-defect",
            "tempfile::namedtempfile test_temp_path_resolve_existing_cwd",
        )],
    },
    Row {
        name: "syslog_loose",
        version: "0.23.0",
        arguments: &[],
        expected: &[("hidden-defect", "syslog_loose::tests parse_vrl")],
    },
    Row {
        name: "statrs",
        version: "0.19.1",
        arguments: &[],
        expected: &[],
    },
    Row {
        name: "chrono",
        version: "0.4.45",
        arguments: &[],
        expected: &[],
    },
    Row {
        name: "humantime",
        version: "2.4.0",
        arguments: &[],
        expected: &[],
    },
    Row {
        name: "filetime",
        version: "0.2.29",
        arguments: &[],
        expected: &[],
    },
    Row {
        name: "fs_extra",
        version: "1.3.0",
        arguments: &[],
        expected: &[],
    },
    Row {
        name: "which",
        version: "8.0.6",
        arguments: &[],
        expected: &[],
    },
    Row {
        name: "tiny_http",
        version: "0.12.0",
        arguments: &[],
        expected: &[],
    },
];

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
            let package = fetch(row, &place)?;
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

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds the tool with optimisation and returns its path.
fn build_tool() -> Result<PathBuf, Box<dyn Error>> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "-p", "cargo-fidelity"])
        .current_dir(repository())
        .status()?;
    // The example is in `release/examples`, the tool in `release`.
    let own = std::env::current_exe()?;
    let folder = own.ancestors().nth(2).ok_or("the example has no folder")?;
    let tool = folder.join("cargo-fidelity");
    if built.success() && folder.ends_with("release") && tool.exists() {
        Ok(tool)
    } else {
        Err("the tool does not build, or the example was not started with --release".into())
    }
}

/// Lets cargo download a package, copies it to a folder of its own, where it can be built, and returns that. A package
/// that is there already stays as it is.
fn fetch(row: &Row, place: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let (name, version) = (row.name, row.version);
    let package = place.join(format!("{name}-{version}"));
    if package.exists() {
        return Ok(package);
    }
    let fetching = tempfile::Builder::new().prefix("fetch-").tempdir()?;
    fs::create_dir(fetching.path().join("src"))?;
    fs::write(fetching.path().join("src/lib.rs"), "")?;
    fs::write(
        fetching.path().join("Cargo.toml"),
        format!(
            "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [dependencies]\n{name} = {{ version = \"={version}\", default-features = false }}\n"
        ),
    )?;
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--quiet", "--format-version", "1"])
        .current_dir(fetching.path())
        .stderr(Stdio::inherit())
        .output()?;
    let metadata: Value = serde_json::from_slice(&told.stdout)?;
    let manifest = metadata["packages"]
        .as_array()
        .and_then(|packages| packages.iter().find(|package| package["name"] == name))
        .and_then(|package| package["manifest_path"].as_str())
        .ok_or_else(|| format!("{name} {version} could not be fetched"))?;
    let source = Path::new(manifest)
        .parent()
        .ok_or("a manifest has a folder")?;
    // Complete or not there at all, whenever this is interrupted.
    let unfinished = place.join(format!("{name}-{version}.unfinished"));
    fs::create_dir_all(place)?;
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    copy(source, &unfinished)?;
    fs::rename(&unfinished, &package)?;
    Ok(package)
}

fn copy(source: &Path, target: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(target)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let (from, to) = (entry.path(), target.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}

/// Returns the commit that a package was made from, abbreviated, or `-` if it does not say.
fn commit(package: &Path) -> Result<String, Box<dyn Error>> {
    let path = package.join(".cargo_vcs_info.json");
    if !path.exists() {
        return Ok("-".to_owned());
    }
    let told: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let commit = told["git"]["sha1"].as_str().unwrap_or("-");
    Ok(commit.chars().take(8).collect())
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

/// A test as a report has it.
struct Judged {
    name: String,
    verdict: String,
    evidence: String,
}

/// What a report says of every test.
struct Seen(Vec<Judged>);

impl Seen {
    fn read(report: &Value) -> Result<Self, Box<dyn Error>> {
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let tests = report["tests"].as_array().ok_or("a report lists tests")?;
        let judged = tests.iter().map(|test| Judged {
            name: format!("{} {}", text(&test["binary"]), text(&test["test"])),
            verdict: text(&test["verdict"]),
            evidence: format!(
                "low {}/{}, high {}/{}, {}",
                test["baseline"]["failures"],
                test["baseline"]["trials"],
                test["target"]["failures"],
                test["target"]["trials"],
                text(&test["reason"]),
            ),
        });
        Ok(Self(judged.collect()))
    }

    fn count(&self, verdict: &str) -> usize {
        self.0.iter().filter(|test| test.verdict == verdict).count()
    }

    fn has(&self, (verdict, name): (&str, &str)) -> bool {
        self.0
            .iter()
            .any(|test| test.verdict == verdict && test.name == name)
    }

    fn line(&self, row: &Row, commit: &str, report: &Value) -> String {
        let found = row.expected.iter().filter(|pair| self.has(**pair)).count();
        let arguments = match row.arguments {
            [] => "(defaults)".to_owned(),
            arguments => format!("`{}`", arguments.join(" ")),
        };
        format!(
            "| {} {} | {commit} | {arguments} | {} | {} | {} | {} | {} | {} | {} | {} | {:.0} s | {found} / {} |",
            row.name,
            row.version,
            self.count("hidden-defect"),
            self.count("flaky"),
            self.count("broken"),
            self.count("baseline-only"),
            self.count("undetermined"),
            self.count("stable"),
            report["run"]["passes"],
            report["run"]["trials"],
            report["run"]["wall_s"].as_f64().unwrap_or_default(),
            row.expected.len(),
        )
    }

    /// Returns a line for every test that is not stable.
    fn details(&self, row: &Row) -> Vec<String> {
        let unstable = self.0.iter().filter(|test| test.verdict != "stable");
        let line = |test: &Judged| {
            format!(
                "- {} `{}`: {} `{}` ({})",
                row.name,
                row.arguments.join(" "),
                test.verdict,
                test.name,
                test.evidence
            )
        };
        unstable.map(line).collect()
    }

    /// Returns what is missed, and hidden defects that nobody expects.
    fn surprises(&self, row: &Row) -> Vec<String> {
        let missed = row.expected.iter().filter(|pair| !self.has(**pair));
        let missed = missed
            .map(|(verdict, name)| format!("{}: `{name}` is not found to be {verdict}", row.name));
        let expected: BTreeSet<&str> = row.expected.iter().map(|(_, name)| *name).collect();
        let hidden = self.0.iter().filter(|test| {
            test.verdict == "hidden-defect" && !expected.contains(test.name.as_str())
        });
        let hidden = hidden.map(|test| {
            format!(
                "{}: `{}` is a hidden defect, which nobody expects",
                row.name, test.name
            )
        });
        missed.chain(hidden).collect()
    }
}
