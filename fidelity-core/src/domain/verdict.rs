//! Verdicts. The table that leads to them is in [`crate::classify`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a test is found to be. Ordered as reports list them: what needs attention first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// Passes in the baseline, fails in the target, more often than chance explains.
    HiddenDefect,
    /// Passes and fails in one environment; the environment is not the reason.
    Flaky,
    /// Fails everywhere.
    Broken,
    /// Fails in the baseline, passes in the target.
    BaselineOnly,
    /// Failures seen, evidence short; or not compared.
    Undetermined,
    /// No failure in either arm.
    Stable,
}

impl VerdictKind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 6] = [
        Self::HiddenDefect,
        Self::Flaky,
        Self::Broken,
        Self::BaselineOnly,
        Self::Undetermined,
        Self::Stable,
    ];

    /// Returns the spelling used in configuration, JSON and text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HiddenDefect => "hidden-defect",
            Self::Flaky => "flaky",
            Self::Broken => "broken",
            Self::BaselineOnly => "baseline-only",
            Self::Undetermined => "undetermined",
            Self::Stable => "stable",
        }
    }
}

impl fmt::Display for VerdictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A verdict with the reason for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What the test is found to be.
    pub kind: VerdictKind,
    /// Why, in a few fixed words: `always`, `intermittent`, `timeout`, `mass-failure`, `worse-in-target` ...
    /// The words of each kind are listed in [`crate::classify`].
    pub reason: String,
}
