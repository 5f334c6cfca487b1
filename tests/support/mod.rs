//! Projects on disk and the real binary run on them, shared by the tests of this folder.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "every test target uses its own part of this module"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// The binary under test.
pub const TOOL: &str = env!("CARGO_BIN_EXE_cargo-fidelity");

/// Returns the root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the repository is there")
}

/// A cargo project in a temporary directory of its own.
pub struct Project {
    _keeps: TempDir,
    /// The project's root.
    pub root: PathBuf,
    /// Whether runs that name no seed are given one. With a seed of its own a run leaves history alone.
    pub seeded: bool,
    /// How many runs were given a seed.
    runs: AtomicU32,
}

impl Project {
    /// Copies a folder of the repository, without what was built in it.
    pub fn copy_of(folder: &str) -> Self {
        Self::copy_under(folder, "project")
    }

    /// Like [`Project::copy_of`], with a directory name of the test's choice.
    pub fn copy_under(folder: &str, name: &str) -> Self {
        let project = Self::empty(name);
        copy(&repository().join(folder), &project.root);
        project
    }

    /// Makes a library crate `name` with this source.
    pub fn library(name: &str, source: &str) -> Self {
        let project = Self::empty(name);
        project.write(
            "Cargo.toml",
            &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n"),
        );
        project.write("src/lib.rs", source);
        project
    }

    /// Makes an empty directory.
    pub fn empty(name: &str) -> Self {
        let keeps = tempfile::Builder::new()
            .prefix("fidelity-test-")
            .tempdir()
            .expect("a temporary directory");
        let root = keeps.path().canonicalize().expect("it is there").join(name);
        fs::create_dir_all(&root).expect("the root can be made");
        Self {
            _keeps: keeps,
            root,
            seeded: true,
            runs: AtomicU32::new(0),
        }
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("it is below the root"))
            .expect("folders can be made");
        fs::write(path, text).expect("the file can be written");
    }

    /// Returns the tool, ready to run `cargo fidelity ARGS` in the project, in an environment without surprises. A run that names
    /// no seed gets its number in this project as seed: what it draws is then the same on every machine.
    pub fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(TOOL);
        command.arg("fidelity").args(arguments);
        let draws = self.seeded
            && arguments.contains(&"run")
            && !arguments.contains(&"--")
            && !arguments
                .iter()
                .any(|argument| argument.starts_with("--seed") || argument.starts_with("--resume"));
        if draws {
            let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
            command.arg(format!("--seed={run}"));
        }
        command.current_dir(&self.root).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let surprising = [
                "CARGO_FIDELITY",
                "NEXTEST",
                "RUST_TEST",
                "RUST_BACKTRACE",
                "NO_COLOR",
                "CLICOLOR",
                "TZ",
            ];
            if surprising
                .iter()
                .any(|prefix| name.to_string_lossy().starts_with(prefix))
            {
                command.env_remove(name);
            }
        }
        // What cargo set for this test is not there when a user starts the tool.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_")
                || text.starts_with("CARGO_BIN_")
                || text.starts_with("CARGO_MANIFEST")
            {
                command.env_remove(name);
            }
        }
        command.env_remove("CARGO_TARGET_DIR").env("COLUMNS", "100");
        command
    }

    /// Runs the tool to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.tool(arguments).output().expect("the tool starts"))
    }
}

/// What a run of the tool came to.
#[must_use = "look at what the tool did"]
pub struct Ran {
    /// Its exit status; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed to stdout.
    pub stdout: String,
    /// What it printed to stderr.
    pub stderr: String,
}

impl Ran {
    /// Takes the output of a finished process.
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Checks the exit status, showing everything printed where it differs.
    #[track_caller]
    pub fn exits_with(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Returns stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "{error}\nstdout:\n{}\nstderr:\n{}",
                self.stdout, self.stderr
            )
        })
    }

    /// Returns `(binary, test) -> verdict` of a JSON report.
    #[track_caller]
    pub fn verdicts(&self) -> std::collections::BTreeMap<String, String> {
        let report = self.json();
        let tests = report["tests"].as_array().expect("tests is a list");
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        tests
            .iter()
            .map(|test| {
                (
                    format!("{} {}", text(&test["binary"]), text(&test["test"])),
                    text(&test["verdict"]),
                )
            })
            .collect()
    }
}

/// Copies a folder, leaving out `target` and `.fidelity`.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("it can be read");
        let name = entry.file_name();
        if name == "target" || name == ".fidelity" {
            continue;
        }
        let to = to.join(name);
        if entry.file_type().expect("it has a type").is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file can be copied");
        }
    }
}
