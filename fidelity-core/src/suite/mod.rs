//! The suite: which test binaries there are, how cargo would start each, and which tests they hold.
//!
//! [`discover`] builds and starts things, with the help of its neighbours: [`workspace`] asks cargo where things are,
//! `build` has cargo build, `target_runner` finds the user's runner, [`capture`] learns from cargo itself how it starts
//! each binary, `list` asks the binaries for their tests, `doctest` counts what is left out, [`fingerprint`] hashes.
//! `annotation` reads what authors say of their tests, `mentions` which words their sources have.
//! [`filter`] and [`filterset`] decide about names and touch nothing. No part of this knows of arms, knobs or trials.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::domain::{Annotation, BinaryFacts, BinaryId, Problem, TestId, TestKind};

pub mod annotation;
mod build;
pub mod capture;
mod child;
mod discover;
mod doctest;
mod error;
pub mod filter;
pub mod filterset;
mod fingerprint;
mod harness;
mod list;
mod mentions;
pub mod nextest;
pub mod options;
pub mod substitutes;
mod target_runner;
pub mod workspace;

pub use discover::{Discovery, LIST_TIMEOUT, discover};
pub use error::SuiteError;
pub use filter::{Filter, RunIgnored};
pub use fingerprint::{BuildFingerprint, fingerprint};
pub use mentions::mentioned;
pub use options::CargoOptions;
pub use workspace::{Workspace, locate};

/// A built suite.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// The test binaries, sorted by id.
    pub binaries: Vec<TestBinary>,
    /// Every test of every binary, sorted by id; not yet filtered.
    pub tests: Vec<SuiteTest>,
    /// What could not be taken in: doctests, harnesses that do not list ...
    pub problems: Vec<Problem>,
}

impl Suite {
    /// Returns the suite of which no more is known than the names of its tests, sorted: a command runs them.
    pub fn of_names(tests: &[TestId]) -> Self {
        let mut suite = Self::default();
        for id in tests {
            let last = suite.binaries.last();
            if last.is_none_or(|binary: &TestBinary| binary.id != id.binary) {
                suite.binaries.push(TestBinary::of_command(&id.binary));
            }
            suite.tests.push(SuiteTest {
                id: id.clone(),
                binary: suite.binaries.len() - 1,
                ignored: false,
                held_back: false,
                annotation: None,
            });
        }
        suite
    }
}

/// A test binary and the way cargo would start it.
#[derive(Clone, Debug)]
pub struct TestBinary {
    /// Its name, as in nextest.
    pub id: BinaryId,
    /// The package it belongs to, by name.
    pub package: String,
    /// lib, bin, test, example, bench or proc-macro.
    pub kind: String,
    /// The name of its target: `my_crate` for a library, the file's name for most others.
    pub target: String,
    /// The executable.
    pub path: PathBuf,
    /// The working directory cargo gives it: its package's root.
    pub directory: PathBuf,
    /// The whole environment cargo gives it. Never stored: it may hold secrets.
    pub environment: Vec<(OsString, OsString)>,
    /// The user's target runner and its arguments; empty for native targets.
    pub runner: Vec<OsString>,
    /// Whether the harness sums up with a libtest result line, without which an exit status of 0 is no pass.
    pub says_result: bool,
    /// Whether its manifest says `harness = false`, so that it may understand no more of libtest's options than it needs.
    pub own_harness: bool,
    /// Whether it lists its tests. One that does not is a single test, [`WHOLE_BINARY`], and is started without
    /// arguments; its exit status is its outcome.
    pub lists: bool,
}

impl TestBinary {
    /// Returns what stands for the binary of tests that a command runs, which nobody can start.
    fn of_command(id: &BinaryId) -> Self {
        let BinaryFacts {
            id,
            package,
            target,
            kind,
        } = BinaryFacts::of_command(id);
        Self {
            id,
            package,
            kind,
            target,
            path: PathBuf::new(),
            directory: PathBuf::new(),
            environment: Vec::new(),
            runner: Vec::new(),
            says_result: false,
            own_harness: true,
            lists: false,
        }
    }
}

/// The name of the only test of a binary that does not list its tests.
pub const WHOLE_BINARY: &str = "main";

/// A test of a suite.
#[derive(Clone, Debug, PartialEq)]
pub struct SuiteTest {
    /// Its identity.
    pub id: TestId,
    /// Position of its binary in [`Suite::binaries`].
    pub binary: usize,
    /// Whether it is marked `#[ignore]`, so that the harness has to be told to run it.
    pub ignored: bool,
    /// Whether the mark is that of an annotation, for `cargo test` alone: its user does not ignore it.
    pub held_back: bool,
    /// What its authors say of it. Boxed: most have none.
    pub annotation: Option<Box<Annotation>>,
}

impl SuiteTest {
    /// Returns whether its user does not want it run unless asked.
    pub fn is_ignored(&self) -> bool {
        self.ignored && !self.held_back
    }

    /// Returns how much of the product it covers, as far as that is known, and whether its authors say so.
    pub fn kind(&self, binary: &TestBinary) -> (Option<TestKind>, bool) {
        TestKind::of(self.annotation.as_deref(), Some(&binary.kind))
    }
}

impl From<&TestBinary> for BinaryFacts {
    fn from(binary: &TestBinary) -> Self {
        Self {
            id: binary.id.clone(),
            package: binary.package.clone(),
            target: binary.target.clone(),
            kind: binary.kind.clone(),
        }
    }
}
