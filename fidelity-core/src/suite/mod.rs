//! The suite: which test binaries there are, how cargo would start each, and which tests they hold.
//!
//! [`discover`] is the only part that builds and starts anything; [`filter`] decides about names.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::domain::{BinaryId, Problem, TestId};

pub mod discover;
pub mod filter;

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

/// A test binary and the way cargo would start it.
#[derive(Clone, Debug)]
pub struct TestBinary {
    /// Its name, as in nextest.
    pub id: BinaryId,
    /// The package it belongs to, by name.
    pub package: String,
    /// lib, bin, test, example, bench or proc-macro.
    pub kind: String,
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
}

/// A test of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteTest {
    /// Its identity.
    pub id: TestId,
    /// Position of its binary in [`Suite::binaries`].
    pub binary: usize,
    /// Whether it is marked `#[ignore]`.
    pub ignored: bool,
}
