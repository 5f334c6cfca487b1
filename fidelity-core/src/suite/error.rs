//! Why there is no suite to run. Where cargo has printed the reason already, the variant does not repeat it.

use std::path::PathBuf;
use std::process::ExitStatus;

use crate::domain::{BinaryId, Problem};

use super::filterset::FiltersetError;

/// Why the suite could not be discovered or selected.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// Cargo could not be started.
    #[error("could not start cargo (`{program}`)")]
    CargoMissing {
        /// The program that was tried.
        program: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Cargo does not find or accept the manifest.
    #[error("cargo cannot read the project: {message}")]
    Metadata {
        /// What cargo said, trimmed.
        message: String,
    },
    /// The suite does not compile. Cargo has said why on standard error.
    #[error("the suite does not build ({status})")]
    BuildFailed {
        /// How cargo ended.
        status: ExitStatus,
    },
    /// There is no test binary.
    #[error("there are no test binaries to run")]
    NoBinaries,
    /// There are test binaries, but no test in them.
    #[error("there are no tests in what was built (test binaries: {binaries})")]
    NoTests {
        /// How many binaries.
        binaries: usize,
        /// What was left out, and why.
        problems: Vec<Problem>,
    },
    /// There are tests, but the filter leaves none.
    #[error("none of the {available} tests is selected")]
    NothingSelected {
        /// How many tests there are.
        available: usize,
    },
    /// A test binary could not list its tests.
    #[error("the test binary {binary} could not list its tests ({ended})")]
    ListFailed {
        /// The binary.
        binary: BinaryId,
        /// Its path.
        path: PathBuf,
        /// How it ended: `exit status: 101`, `signal: 11 (SIGSEGV)`, `could not be started: ...`.
        ended: String,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// A test binary did not finish listing its tests in time.
    #[error("the test binary {binary} did not list its tests within {seconds} s")]
    ListTimedOut {
        /// The binary.
        binary: BinaryId,
        /// Its path.
        path: PathBuf,
        /// The limit.
        seconds: u64,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// A test binary wrote more than a list of tests can be.
    #[error("the test binary {binary} wrote more than {limit} bytes when asked to list its tests")]
    ListTooLong {
        /// The binary.
        binary: BinaryId,
        /// The limit in bytes.
        limit: usize,
    },
    /// Cargo did not start some binary through us, so that the way it starts it is not known.
    #[error("could not learn how cargo starts {}", .binaries.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(", "))]
    NotCaptured {
        /// The binaries.
        binaries: Vec<BinaryId>,
        /// The end of what cargo wrote to standard error.
        stderr: String,
    },
    /// cargo-nextest, or cargo for it, could not say what it would run.
    #[error("`{what}` failed")]
    Nextest {
        /// The command.
        what: String,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// A filterset expression is wrong.
    #[error("wrong filterset expression")]
    Filterset(#[from] FiltersetError),
    /// The user interrupted it.
    #[error("interrupted")]
    Interrupted,
    /// A system call or a file failed.
    #[error("could not {action}")]
    Io {
        /// What was being done, as an infinitive.
        action: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl SuiteError {
    pub(super) fn io(action: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            action: action.into(),
            source,
        }
    }
}
