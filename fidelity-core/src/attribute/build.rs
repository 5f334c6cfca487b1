//! The suite of an old commit: built in its checkout as the user builds that of today, and timed.
//!
//! What does not build, or lacks the test, is no evidence about it: such a commit is untestable, with the reason. What fails
//! because of the machine (a full disk, no cargo) is an error.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use git2::Oid;

use super::worktree::{Checkout, Note, WorktreeError, Worktrees};
use crate::domain::TestId;
use crate::suite::{
    CargoOptions, Discovery, LIST_TIMEOUT, Suite, SuiteError, Workspace, discover, locate,
};

mod inherited;

pub use inherited::pinned_toolchain;

/// Bytes for which there has to be room where a build failed, for the reason not to be that there was none.
const ROOM: usize = 16 << 20;

/// The longest line of a compiler's message that is taken into a reason, in characters.
const LONGEST: usize = 200;

/// How suites of old commits are built.
#[derive(Clone, Copy, Debug)]
pub struct Builder<'a> {
    /// Cargo's flags as the user gave them.
    pub cargo: &'a CargoOptions,
    /// The workspace of the user, whose `Cargo.lock` stands in where a commit has none.
    pub workspace: &'a Path,
    /// The workspace within the repository.
    pub within: &'a Path,
    /// This tool's own executable.
    pub reporter: &'a Path,
    /// Whether a binary that does not list its tests is taken as one test.
    pub harnessless: bool,
    /// The tests of today, in order: another of them is not the one that is looked for under an earlier name.
    pub today: &'a [TestId],
    /// Set when the user interrupts the tool.
    pub interrupted: &'a AtomicBool,
}

/// A suite of an old commit.
#[derive(Clone, Debug)]
pub struct Built {
    /// The suite.
    pub suite: Suite,
    /// The workspace it is of.
    pub workspace: Workspace,
    /// The test as it is called there.
    pub test: TestId,
    /// How long the build took; nothing to speak of where everything was built already.
    pub took: Duration,
    /// What of the checkout is not as in the user's work tree.
    pub notes: Vec<Note>,
}

/// What came of an attempt to build a commit.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// The suite, with the test in it.
    Built(Box<Built>),
    /// It cannot be tested.
    Untestable {
        /// Why, for people.
        reason: String,
        /// How long it took to find out.
        took: Duration,
    },
}

/// Why commits cannot be built at all.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No checkout could be made, for a reason that is the machine's.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// The disk was full while cargo built.
    #[error("no space is left for building in {}", target.display())]
    Full {
        /// Where it was built.
        target: PathBuf,
    },
    /// Cargo could not be started, or the user interrupted it.
    #[error(transparent)]
    Suite(#[from] SuiteError),
}

impl Builder<'_> {
    /// Builds the suite of `commit`, and finds `test` in it.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(
        &self,
        worktrees: &mut Worktrees,
        repository: &git2::Repository,
        commit: Oid,
        test: &TestId,
    ) -> Result<Attempt, BuildError> {
        let began = Instant::now();
        let untestable = |reason: String| Attempt::Untestable {
            reason,
            took: began.elapsed(),
        };
        let checkout = match worktrees.checkout(repository, commit) {
            Ok(checkout) => checkout,
            Err(error) if error.is_the_commits() => return Ok(untestable(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let directory = checkout.root.join(self.within);
        if !directory.join("Cargo.toml").exists() {
            let manifest = self.within.join("Cargo.toml");
            return Ok(untestable(format!("there is no {}", manifest.display())));
        }
        self.lock_file(&directory);
        worktrees.seed(&checkout)?;
        let messages = checkout.target.with_extension("log");
        let cargo = CargoOptions {
            target_dir: Some(checkout.target.clone()),
            environment: vec![(INCREMENTAL.into(), "0".into())],
            without: inherited::of_the_users_place(),
            program: self.cargo.program.clone().or_else(inherited::cargo),
            messages: Some(messages.clone()),
            ..self.options(directory)
        };
        let (mut suite, workspace) = match self.suite_twice(&cargo, &messages) {
            Ok(built) => built,
            Err(error @ (SuiteError::Interrupted | SuiteError::CargoMissing { .. })) => {
                return Err(error.into());
            }
            Err(error) => {
                if is_full(&messages, &error) || has_no_room(&checkout.root) {
                    let target = checkout.target;
                    return Err(BuildError::Full { target });
                }
                // Where the checkout was says nothing: it is gone when this is read.
                let place = format!(" ({})", checkout.root.display());
                let why = why(&error, &messages, &place);
                return Ok(untestable(why + &without(&checkout)));
            }
        };
        worktrees.note_built(commit);
        for binary in &mut suite.binaries {
            without_own_variables(&mut binary.environment);
        }
        let Some(test) = find(&suite, test, self.today) else {
            return Ok(untestable(format!("it has no test `{}`", test.test)));
        };
        Ok(Attempt::Built(Box::new(Built {
            suite,
            workspace,
            test,
            took: began.elapsed(),
            notes: checkout.notes,
        })))
    }

    /// Has cargo build, once more where it may have failed by chance, and finds the tests.
    fn suite_twice(
        &self,
        cargo: &CargoOptions,
        messages: &Path,
    ) -> Result<(Suite, Workspace), SuiteError> {
        match self.suite(cargo) {
            Err(error) if may_be_chance(&error, messages) => self.suite(cargo),
            ended => ended,
        }
    }

    /// Has cargo build, and finds the tests.
    fn suite(&self, cargo: &CargoOptions) -> Result<(Suite, Workspace), SuiteError> {
        let workspace = locate(cargo, self.interrupted)?;
        let request = Discovery {
            cargo,
            reporter: self.reporter,
            harnessless: self.harnessless,
            list_timeout: LIST_TIMEOUT,
            interrupted: self.interrupted,
        };
        Ok((discover(&workspace, &request)?, workspace))
    }

    /// Returns the user's options for the workspace in `directory`.
    fn options(&self, directory: PathBuf) -> CargoOptions {
        CargoOptions {
            manifest_path: self.manifest(&directory),
            directory: Some(directory),
            color: Some("never".to_owned()),
            quiet: false,
            verbose: 0,
            ..self.cargo.clone()
        }
    }

    /// Returns the manifest within the checkout that the user named in the workspace.
    fn manifest(&self, directory: &Path) -> Option<PathBuf> {
        let named = self.cargo.manifest_path.as_ref()?;
        let named = named.canonicalize().ok()?;
        let within = named
            .strip_prefix(self.workspace.canonicalize().ok()?)
            .ok()?;
        Some(directory.join(within))
    }

    /// Puts the lock file of today where a commit has none: cargo would take the newest dependencies, which nobody tested.
    fn lock_file(&self, directory: &Path) {
        let (theirs, ours) = (
            directory.join("Cargo.lock"),
            self.workspace.join("Cargo.lock"),
        );
        if !theirs.exists() && ours.exists() {
            // Without it cargo does its best.
            drop(fs::copy(ours, theirs));
        }
    }
}

/// Told to cargo beside the user's flags: no commit is built twice, so that traces for the next build are of no use.
const INCREMENTAL: &str = "CARGO_INCREMENTAL";

/// Takes the variable out of what tests see, or puts the user's back.
fn without_own_variables(environment: &mut Vec<(OsString, OsString)>) {
    environment.retain(|(name, _)| name != INCREMENTAL);
    if let Some(value) = std::env::var_os(INCREMENTAL) {
        environment.push((INCREMENTAL.into(), value));
    }
}

/// Returns the test as the suite has it: by its whole name, or else the one that was moved or whose modules or binary were
/// renamed. It has the same last part, shares more of the rest than any other that has, and is gone today.
fn find(suite: &Suite, test: &TestId, today: &[TestId]) -> Option<TestId> {
    if suite.tests.iter().any(|found| found.id == *test) {
        return Some(test.clone());
    }
    let parts = |id: &TestId| -> Vec<String> {
        let binary = id.binary.0.split("::");
        binary
            .chain(id.test.split("::"))
            .map(str::to_owned)
            .collect()
    };
    let wanted = parts(test);
    let shared = |id: &TestId| {
        let parts = parts(id);
        (parts.last() == wanted.last())
            .then(|| parts.iter().filter(|part| wanted.contains(part)).count())
    };
    let alike: Vec<(usize, &TestId)> = suite
        .tests
        .iter()
        .filter(|found| today.binary_search(&found.id).is_err())
        .filter_map(|found| Some((shared(&found.id)?, &found.id)))
        .collect();
    let most = alike.iter().map(|(shared, _)| *shared).max()?;
    let mut nearest = alike.into_iter().filter(|(shared, _)| *shared == most);
    match (nearest.next(), nearest.next()) {
        (Some((_, only)), None) => Some(only.clone()),
        _ => None,
    }
}

/// Returns whether what cargo said, or the error, is that the disk is full.
fn is_full(messages: &Path, error: &SuiteError) -> bool {
    const SAID: [&str; 2] = ["No space left on device", "os error 28)"];
    if let SuiteError::Io { source, .. } = error
        && source.kind() == std::io::ErrorKind::StorageFull
    {
        return true;
    }
    let metadata = match error {
        SuiteError::Metadata { message } => message.as_str(),
        _ => "",
    };
    lines(messages)
        .into_iter()
        .chain([metadata.to_owned()])
        .any(|line| SAID.iter().any(|said| line.contains(said)))
}

/// Returns whether there is no room for what a linker writes. Its own words seldom say so: it may die of a signal where it
/// maps what it writes.
fn has_no_room(folder: &Path) -> bool {
    let written = tempfile::tempfile_in(folder).and_then(|mut file| {
        file.write_all(&vec![0; ROOM])?;
        file.flush()
    });
    written.is_err_and(|error| {
        matches!(
            error.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        )
    })
}

fn lines(path: &Path) -> Vec<String> {
    let Ok(file) = fs::File::open(path) else {
        return Vec::new();
    };
    BufReader::new(file)
        .split(b'\n')
        .map_while(Result::ok)
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect()
}

/// Returns what a build may have lacked in a checkout, and how to get it; nothing where everything is there.
fn without(checkout: &Checkout) -> String {
    let absent = checkout.notes.iter().filter_map(|note| match note {
        Note::Absent(path) => Some(path.as_str()),
        Note::Filtered(_) => None,
    });
    let absent: Vec<&str> = absent.collect();
    if absent.is_empty() {
        return String::new();
    }
    format!(
        "; {} is not in this clone: `git submodule update --init`",
        absent.join(", ")
    )
}

/// Returns whether a suite may be built the next time: a server was not reached, a build script or a linker ended by a signal. What a
/// compiler has to say of the code it says again.
fn may_be_chance(error: &SuiteError, messages: &Path) -> bool {
    let is_of_the_code = |line: &String| {
        line.starts_with("error[") || line.contains("could not compile") && line.contains("due to")
    };
    match error {
        SuiteError::BuildFailed { .. } => !lines(messages).iter().any(is_of_the_code),
        SuiteError::Metadata { .. } => true,
        _ => false,
    }
}

/// Returns in one line why a suite could not be built: the first error of cargo or the compiler, if there is one, without `place`.
fn why(error: &SuiteError, messages: &Path, place: &str) -> String {
    if !matches!(error, SuiteError::BuildFailed { .. }) {
        return error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
    }
    let said = lines(messages);
    let first = said.iter().find_map(|line| {
        let (head, rest) = line.split_once(": ")?;
        let is_error = head == "error" || head.starts_with("error[");
        let rest = rest.trim().replace(place, "");
        is_error.then(|| rest.chars().take(LONGEST).collect::<String>())
    });
    match first {
        Some(first) => format!("it does not build: {first}"),
        None => "it does not build".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::SuiteTest;

    fn found(test: &str, others: &[(&str, &str)], today: &[(&str, &str)]) -> Option<String> {
        let today: Vec<TestId> = today
            .iter()
            .map(|(binary, name)| TestId::new(*binary, *name))
            .collect();
        let suite = Suite {
            tests: others
                .iter()
                .map(|(binary, name)| SuiteTest {
                    id: TestId::new(*binary, *name),
                    binary: 0,
                    ignored: false,
                    held_back: false,
                    annotation: None,
                })
                .collect(),
            ..Suite::default()
        };
        find(&suite, &TestId::new("a", test), &today).map(|id| id.to_string())
    }

    #[test]
    fn a_test_is_found_under_its_own_name_or_the_only_one_like_it() {
        let many = [
            ("a", "x::tests::works"),
            ("a", "y::tests::works"),
            ("b", "z::other"),
        ];
        assert_eq!(
            found("y::tests::works", &many, &[]).as_deref(),
            Some("a y::tests::works")
        );
        assert_eq!(
            found("y::checks::works", &many, &[]).as_deref(),
            Some("a y::tests::works")
        );
        assert_eq!(
            found("deep::z::other", &many, &[]).as_deref(),
            Some("b z::other")
        );
        // Two that are as near as each other, and none at all.
        assert_eq!(found("v::tests::works", &many, &[]), None);
        assert_eq!(found("x::tests::fails", &many, &[]), None);
        // One that is there today as well is another test, and not this one before it was moved.
        let today = [("a", "new::works"), ("a", "y::tests::works")];
        assert_eq!(found("new::works", &many[1..], &today), None);
        assert_eq!(
            found("new::works", &many[1..], &today[..1]).as_deref(),
            Some("a y::tests::works")
        );
    }

    #[test]
    fn a_build_is_made_again_unless_the_compiler_objects_to_the_code() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let failed = SuiteError::BuildFailed {
            status: std::process::ExitStatus::default(),
        };
        let said = |text: &str| {
            fs::write(log.path(), text).unwrap();
            let why = why(&failed, log.path(), " (/a)");
            (may_be_chance(&failed, log.path()), why)
        };
        let (again, why) = said("error: failed to run custom build command for `x v1 (/a)`\n");
        assert!(again);
        assert_eq!(
            why,
            "it does not build: failed to run custom build command for `x v1`"
        );
        let killed =
            "error: could not compile `x` (lib)\n\nCaused by:\n  (signal: 9, SIGKILL: kill)\n";
        assert!(said(killed).0);
        assert!(!said("error[E0433]: cannot find `y`\n --> a.rs\n").0);
        assert!(!said("error: expected item\n\nerror: could not compile `x` (lib) due to 1 previous error\n").0);
    }

    #[test]
    fn a_full_disk_is_told_from_code_that_does_not_build() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let failed = SuiteError::BuildFailed {
            status: std::process::ExitStatus::default(),
        };
        fs::write(
            log.path(),
            "warning: x\nerror[E0433]: cannot find `y`\n --> a.rs\n",
        )
        .unwrap();
        assert!(!is_full(log.path(), &failed));
        assert_eq!(
            why(&failed, log.path(), " (/a)"),
            "it does not build: cannot find `y`"
        );
        fs::write(
            log.path(),
            "error: failed to write x: No space left on device (os error 28)\n",
        )
        .unwrap();
        assert!(is_full(log.path(), &failed));
        fs::write(log.path(), "").unwrap();
        assert_eq!(why(&failed, log.path(), " (/a)"), "it does not build");
    }
}
