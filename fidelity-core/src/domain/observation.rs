//! What was seen of one trial.

use serde::{Deserialize, Serialize};

use super::{Outcome, TestIndex};

/// One trial as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The test.
    pub test: TestIndex,
    /// 0 for the first trial of the test in its pass; only that one is evidence.
    pub attempt: u16,
    /// What the trial came to.
    pub outcome: Outcome,
    /// Wall time of the trial in microseconds.
    pub duration_us: u64,
    /// What is kept of a trial that did not pass. Boxed: nearly all pass, and a run is read into memory as a whole.
    pub failure: Option<Box<Failure>>,
    /// Processes the test left behind, killed after it.
    pub leaked: u32,
}

/// What is kept of a failing trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Normalised panic location and message skeleton; failures with equal signatures are alike.
    pub signature: String,
    /// One line for people: the first line of the panic message, or what ended the process.
    pub message: String,
    /// What the test printed, size-capped, secrets masked.
    pub output: CapturedOutput,
}

/// The captured output of a trial: head and tail of each stream, the middle left out where it was too long.
///
/// Bytes are kept as printed (invalid UTF-8, control characters); whoever shows them escapes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedOutput {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Bytes of standard output left out between head and tail.
    pub stdout_omitted: u64,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Bytes of standard error left out between head and tail.
    pub stderr_omitted: u64,
}
