//! What a trial came to. Outcomes are data, never errors of ours.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The outcome of one trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The test ran and passed.
    Passed,
    /// The test ran and failed.
    Failed,
    /// The test was killed at its time limit.
    TimedOut,
    /// The test's process died of this signal.
    Crashed(i32),
    /// The test chose not to run (ignored); no trial.
    Skipped,
    /// The trial was planned, but nothing reported its outcome.
    NotReported,
}

impl Outcome {
    /// Returns whether the outcome is a failure: failed, timed-out or crashed.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Crashed(_))
    }

    /// Returns whether the outcome counts as a trial: all but skipped.
    pub fn is_trial(self) -> bool {
        self != Self::Skipped
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed => f.write_str("failed"),
            Self::TimedOut => f.write_str("timed-out"),
            Self::Crashed(signal) => write!(f, "crashed (signal {signal})"),
            Self::Skipped => f.write_str("skipped"),
            Self::NotReported => f.write_str("not-reported"),
        }
    }
}
