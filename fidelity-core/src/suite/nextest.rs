//! cargo-nextest, where it is installed: what it would run of a suite, and what it needs to run it without building again.
//!
//! Must not know: arms, trials. Its files are read and never written.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use serde::Deserialize;

use super::child::{How, Limits, STDERR_TAIL, run};
use super::{CargoOptions, RunIgnored, SuiteError, Workspace};
use crate::domain::TestId;

/// Where its configuration is, from the root of a workspace.
pub const CONFIGURATION: &str = ".config/nextest.toml";
/// More than the lists of the largest workspaces.
const LIST_LIMIT: usize = 512 << 20;

/// An installed cargo-nextest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nextest {
    /// The executable.
    pub program: PathBuf,
    /// Its version, as it says.
    pub version: String,
}

/// What it would run, and what it needs for that.
#[derive(Clone, Debug, Default)]
pub struct NextestList {
    /// The tests it would run.
    pub tests: BTreeSet<TestId>,
    /// What it knows of the test binaries, in a file.
    pub binaries: PathBuf,
    /// What cargo knows of the workspace, in a file.
    pub metadata: PathBuf,
}

/// What of its list is read.
#[derive(Deserialize)]
struct ListJson {
    #[serde(rename = "rust-suites")]
    suites: std::collections::BTreeMap<String, SuiteJson>,
}

#[derive(Deserialize)]
struct SuiteJson {
    #[serde(default)]
    testcases: std::collections::BTreeMap<String, CaseJson>,
}

#[derive(Deserialize)]
struct CaseJson {
    #[serde(rename = "filter-match")]
    matches: MatchJson,
}

#[derive(Deserialize)]
struct MatchJson {
    status: String,
}

impl Nextest {
    /// Finds it in the path, or where cargo installs programs.
    pub fn find(interrupted: &AtomicBool) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
        let name = format!("cargo-nextest{}", std::env::consts::EXE_SUFFIX);
        let places = std::env::split_paths(&path).chain(home.map(|home| home.join("bin")));
        let program = places
            .map(|place| place.join(&name))
            .find(|it| it.is_file())?;
        let limits = Limits {
            timeout: Some(std::time::Duration::from_secs(30)),
            stdout: 64 * 1024,
            stderr_tail: STDERR_TAIL,
            interrupted,
        };
        let ended = run(
            Command::new(&program).args(["nextest", "--version"]),
            &limits,
        )
        .ok()?;
        let said = String::from_utf8_lossy(&ended.stdout);
        let version = said.split_whitespace().nth(1)?.to_owned();
        matches!(ended.how, How::Exited(status) if status.success())
            .then_some(Self { program, version })
    }

    /// Returns what it would run of the suite that `options` build, with its profile `profile`.
    ///
    /// Has cargo build what is not built. The files that hold what a run needs are put in the target directory.
    ///
    /// # Errors
    /// [`SuiteError::Nextest`] where it does not list; [`SuiteError::Interrupted`]; [`SuiteError::Io`].
    pub fn list(
        &self,
        workspace: &Workspace,
        options: &CargoOptions,
        (profile, run_ignored): (Option<&str>, RunIgnored),
        interrupted: &AtomicBool,
    ) -> Result<NextestList, SuiteError> {
        let ask = |command: &mut Command, what: &str| ask(command, what, interrupted);
        let mut cargo = options.cargo();
        cargo.args(["metadata", "--format-version", "1"]);
        cargo.args(options.manifest_arguments());
        let metadata = keep(workspace, "cargo", &ask(&mut cargo, "cargo metadata")?)?;
        let mut list = self.command(options, "list");
        list.args(["--list-type", "binaries-only", "--message-format", "json"]);
        list.args(build_arguments(options));
        let binaries = keep(
            workspace,
            "binaries",
            &ask(&mut list, "cargo nextest list")?,
        )?;
        let mut list = self.command(options, "list");
        list.args([
            "--message-format",
            "json",
            "--run-ignored",
            run_ignored.as_str(),
        ]);
        list.args(reuse(&binaries, &metadata));
        list.args(profile.iter().flat_map(|profile| ["--profile", profile]));
        let listed = ask(&mut list, "cargo nextest list")?;
        let tests = read(&listed).ok_or_else(|| SuiteError::Nextest {
            what: "cargo nextest list".to_owned(),
            stderr: "its list cannot be read".to_owned(),
        })?;
        Ok(NextestList {
            tests,
            binaries,
            metadata,
        })
    }

    fn command(&self, options: &CargoOptions, subcommand: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["nextest", subcommand, "--color", "never"]);
        if let Some(directory) = &options.directory {
            command.current_dir(directory);
        }
        command
    }
}

/// Returns the arguments with which it builds nothing.
pub(crate) fn reuse(binaries: &Path, metadata: &Path) -> [OsString; 4] {
    [
        "--binaries-metadata".into(),
        binaries.into(),
        "--cargo-metadata".into(),
        metadata.into(),
    ]
}

/// Returns cargo's arguments in the spelling of cargo-nextest.
fn build_arguments(options: &CargoOptions) -> Vec<OsString> {
    let arguments = options.build_arguments().into_iter();
    arguments
        .map(|argument| match argument.to_str() {
            Some("--profile") => "--cargo-profile".into(),
            Some("--jobs") => "--build-jobs".into(),
            _ => argument,
        })
        .collect()
}

/// Runs a command that prints JSON, and returns what it prints.
fn ask(command: &mut Command, what: &str, interrupted: &AtomicBool) -> Result<Vec<u8>, SuiteError> {
    let limits = Limits {
        timeout: None,
        stdout: LIST_LIMIT,
        stderr_tail: STDERR_TAIL,
        interrupted,
    };
    let ended =
        run(command, &limits).map_err(|source| SuiteError::io(format!("start {what}"), source))?;
    match ended.how {
        How::Exited(status) if status.success() => Ok(ended.stdout),
        How::Interrupted => Err(SuiteError::Interrupted),
        _ => Err(SuiteError::Nextest {
            what: what.to_owned(),
            stderr: ended.stderr,
        }),
    }
}

/// Puts what a command printed into a file in the target directory that is called by its content, so that runs of other
/// builds do not get in each other's way.
fn keep(workspace: &Workspace, name: &str, printed: &[u8]) -> Result<PathBuf, SuiteError> {
    let directory = workspace.target_directory.join("fidelity");
    let hash = blake3::hash(printed).to_hex();
    let path = directory.join(format!("nextest-{name}-{}.json", &hash[..16]));
    let written = std::fs::create_dir_all(&directory).and_then(|()| {
        let beside = directory.join(format!(".{name}-{}", std::process::id()));
        std::fs::File::create(&beside)?.write_all(printed)?;
        std::fs::rename(&beside, &path)
    });
    written.map_err(|source| SuiteError::io(format!("write {}", path.display()), source))?;
    Ok(path)
}

/// Returns the tests of a list that it would run; none where the list is not what was expected.
fn read(listed: &[u8]) -> Option<BTreeSet<TestId>> {
    let list: ListJson = serde_json::from_slice(listed).ok()?;
    let suites = list.suites.into_iter();
    let tests = suites.flat_map(|(binary, suite)| {
        let matching = suite.testcases.into_iter();
        let matching = matching.filter(|(_, case)| case.matches.status == "matches");
        matching
            .map(move |(name, _)| TestId::new(binary.clone(), name))
            .collect::<Vec<_>>()
    });
    Some(tests.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_list_the_tests_that_match_are_taken() {
        let list = br#"{"test-count": 3, "rust-suites": {
            "demo": {"binary-id": "demo", "status": "listed", "testcases": {
                "a": {"ignored": false, "filter-match": {"status": "matches"}},
                "b": {"ignored": true, "filter-match": {"status": "mismatch", "reason": "ignored"}}}},
            "demo::bin/skipped": {"status": "skipped", "testcases": {}}}}"#;
        assert_eq!(read(list), Some([TestId::new("demo", "a")].into()));
        assert_eq!(read(b"{}"), None);
    }

    #[test]
    fn arguments_are_spelled_as_nextest_spells_them() {
        let options = CargoOptions {
            cargo_profile: Some("ci".into()),
            build_jobs: Some("3".into()),
            locked: true,
            ..CargoOptions::default()
        };
        assert_eq!(
            build_arguments(&options),
            ["--cargo-profile", "ci", "--build-jobs", "3", "--locked"]
        );
    }
}
