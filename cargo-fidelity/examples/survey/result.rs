//! Results: what the tool reports of a row under a preset, kept on disk, so that a survey can be interrupted.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::package::fetch;
use crate::row::{Preset, Row};

const SEED: &str = "1";

/// How long the passes of one row may take under one preset.
const MAX_TIME: &str = "2m";

/// Where packages, builds and results are kept.
pub struct Place {
    path: PathBuf,
    tool: PathBuf,
    /// Tells this tool from any other.
    version: u64,
    fresh: bool,
}

impl Place {
    /// # Errors
    /// Where the place cannot be made, or the tool not be read.
    pub fn new(path: &Path, tool: &Path, fresh: bool) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(path.join("results"))?;
        Ok(Self {
            path: path.canonicalize()?,
            tool: tool.to_owned(),
            version: hash(&fs::read(tool)?),
            fresh,
        })
    }

    /// Returns the report of `row` under `preset`: the one that is kept if it came from this tool and these arguments.
    ///
    /// # Errors
    /// Where the package cannot be fetched, built or run.
    pub fn report(&self, row: &Row, preset: Preset) -> Result<Value, Box<dyn Error>> {
        let arguments = arguments(row, preset);
        let key = json!({"tool": self.version, "version": row.version, "arguments": arguments});
        let kept = format!("{}-{}.json", row.name, preset.name());
        let kept = self.path.join("results").join(kept);
        if let Some(report) = read(&kept).filter(|kept| !self.fresh && kept["key"] == key) {
            return Ok(report["report"].clone());
        }
        let report = self.run(row, &arguments)?;
        let unfinished = kept.with_extension("unfinished");
        fs::write(
            &unfinished,
            json!({"key": key, "report": report}).to_string(),
        )?;
        fs::rename(unfinished, kept)?;
        Ok(report)
    }

    /// Runs the tool on a package, as a user would, and returns its report.
    fn run(&self, row: &Row, arguments: &[String]) -> Result<Value, Box<dyn Error>> {
        let package = fetch(row.package(), &self.path.join("packages"))?;
        eprintln!("{} {}: {}", row.name, row.version, arguments.join(" "));
        let ran = Command::new(&self.tool)
            // The causes are not what is counted here.
            .args(["fidelity", "run", "--format", "json", "--no-gate"])
            .args(["--attribute", "never"])
            .args(arguments)
            // One for all: they share many dependencies.
            .arg("--target-dir")
            .arg(self.path.join("target"))
            .current_dir(package)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0")
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
}

/// Returns what decides the result, beside the tool and the package.
fn arguments(row: &Row, preset: Preset) -> Vec<String> {
    let target = format!("preset:{}", preset.name());
    // Trials of an earlier run must not count: the row is about what one run finds.
    let all = [
        "--target-profile",
        &target,
        "--seed",
        SEED,
        "--set",
        "policy.reuse=false",
        "--max-time",
        MAX_TIME,
    ];
    let all = all.iter().chain(row.arguments);
    all.map(|argument| (*argument).to_owned()).collect()
}

fn read(path: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// FNV-1a in 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
