//! From a cargo workspace to a [`Suite`]: build, learn how cargo starts each binary, ask each for its tests.
//!
//! # Guarantee
//! Cargo builds once, with its messages shown; nothing that follows makes it build again, neither now nor the next time
//! the user calls it. No test runs. Order of binaries and tests is that of their names.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::build::{Built, build};
use super::capture::{Capture, Record};
use super::harness::Manifests;
use super::list::{Candidate, Listing};
use super::target_runner::target_runners;
use super::{
    CargoOptions, Suite, SuiteError, SuiteTest, TestBinary, Workspace, annotation, doctest,
};
use crate::domain::{BinaryId, Problem, TestId};

/// How long a test binary may take to list its tests.
pub const LIST_TIMEOUT: Duration = Duration::from_secs(30);

/// What discovery has to know.
#[derive(Clone, Copy, Debug)]
pub struct Discovery<'a> {
    /// Cargo's flags.
    pub cargo: &'a CargoOptions,
    /// This tool's own executable, which answers to [`super::capture::ARGUMENT`].
    pub reporter: &'a Path,
    /// Whether a binary that does not list its tests is taken as one test, rather than left out.
    pub harnessless: bool,
    /// How long a binary may take to list, usually [`LIST_TIMEOUT`].
    pub list_timeout: Duration,
    /// Set, by whoever handles signals, when the user interrupts the tool.
    pub interrupted: &'a AtomicBool,
}

/// Builds the suite and finds out everything that is needed to start its tests.
///
/// # Errors
/// Every variant of [`SuiteError`] but those of selection.
pub fn discover(workspace: &Workspace, request: &Discovery<'_>) -> Result<Suite, SuiteError> {
    let mut problems = Vec::new();
    let built = one_per_id(
        build(request.cargo, workspace, request.interrupted)?,
        &mut problems,
    );
    if built.is_empty() {
        return Err(SuiteError::NoBinaries);
    }
    let runners = target_runners(request.cargo, &built, request.interrupted)?;
    let records = Capture {
        options: request.cargo,
        reporter: request.reporter,
        built: &built,
        contested: !request.cargo.config.is_empty()
            && runners.values().any(|runner| !runner.is_empty()),
        interrupted: request.interrupted,
    }
    .records()?;
    if built.iter().any(|built| !runners.contains_key(&built.path)) {
        problems.push(Problem {
            kind: "target-runner-unknown".to_owned(),
            message: "cargo does not say whether a target runner is configured; the tests are started without one"
                .to_owned(),
        });
    }
    let candidates = candidates(&built, records, &runners);
    let listing = Listing {
        timeout: request.list_timeout,
        harnessless: request.harnessless,
        interrupted: request.interrupted,
    };
    let mut suite = Suite::default();
    for (candidate, listed) in candidates.iter().zip(listing.ask_all(&candidates)?) {
        let binary = suite.binaries.len();
        let id = &candidate.binary.id;
        problems.extend(listed.problems);
        let mut tests = suite_tests(listed.tests, binary, id);
        problems.extend(annotation::annotate(&candidate.binary, &mut tests));
        suite.tests.extend(tests);
        suite.binaries.push(TestBinary {
            says_result: listed.says_result,
            own_harness: candidate.own_harness,
            lists: listed.lists,
            ..candidate.binary.clone()
        });
    }
    problems.extend(doctests(workspace, request.cargo, &built));
    if suite.tests.is_empty() {
        return Err(SuiteError::NoTests {
            binaries: suite.binaries.len(),
            problems,
        });
    }
    suite.problems = problems;
    Ok(suite)
}

/// Returns the tests that a binary lists, of which nothing is said yet.
fn suite_tests(listed: BTreeMap<String, bool>, binary: usize, id: &BinaryId) -> Vec<SuiteTest> {
    let tests = listed.into_iter();
    tests
        .map(|(test, ignored)| SuiteTest {
            id: TestId::new(id.0.clone(), test),
            binary,
            ignored,
            held_back: false,
            annotation: None,
        })
        .collect()
}

/// Leaves out executables whose name is taken, as it is when one suite is built for several target triples.
fn one_per_id(built: Vec<Built>, problems: &mut Vec<Problem>) -> Vec<Built> {
    let mut seen = BTreeSet::new();
    let (kept, left): (Vec<_>, Vec<_>) = built
        .into_iter()
        .partition(|built| seen.insert(built.id.clone()));
    for left in left {
        problems.push(Problem {
            kind: "binary-left-out".to_owned(),
            message: format!(
                "{} was built more than once; {} is left out",
                left.id,
                left.path.display()
            ),
        });
    }
    kept
}

fn candidates(
    built: &[Built],
    mut records: BTreeMap<PathBuf, Record>,
    runners: &BTreeMap<PathBuf, Vec<OsString>>,
) -> Vec<Candidate> {
    let mut manifests = Manifests::default();
    built
        .iter()
        .map(|built| {
            // Every executable has a record, or the capture had failed.
            let record = records.remove(&built.path).unwrap_or_default();
            Candidate {
                own_harness: manifests.own_harness(built),
                binary: TestBinary {
                    id: built.id.clone(),
                    package: built.package.clone(),
                    kind: built.kind.clone(),
                    target: built.target.clone(),
                    path: built.path.clone(),
                    directory: record.directory,
                    environment: record.environment,
                    runner: runners.get(&built.path).cloned().unwrap_or_default(),
                    says_result: false,
                    own_harness: false,
                    lists: false,
                },
            }
        })
        .collect()
}

/// Returns what to say of doctests: of those that a `cargo test` with the same flags would have run.
fn doctests(workspace: &Workspace, options: &CargoOptions, built: &[Built]) -> Option<Problem> {
    if options.selection.names_targets() {
        return None;
    }
    let tested: BTreeSet<&str> = built.iter().map(|built| built.package.as_str()).collect();
    let packages = workspace
        .packages
        .iter()
        .filter(|package| tested.contains(package.name.as_str()));
    doctest::not_run(packages)
}
