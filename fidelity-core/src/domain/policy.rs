//! The thresholds of a run, each with its default. Stored with the run, because verdicts depend on them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::VerdictKind;

/// How many passes the screening makes in each arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// Passes of the baseline, at least 1.
    pub baseline: u32,
    /// Passes of the target, at least 1.
    pub target: u32,
    /// Passes of the target for tests with a suspicious history; no more than `target` where they are screened as all
    /// others are. Runs of earlier versions did not know it, and read as 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suspicious: u32,
}

impl Screen {
    /// Returns how many passes of the target over the suspicious tests alone follow the passes over all.
    pub fn extra(self) -> u32 {
        self.suspicious.saturating_sub(self.target)
    }
}

fn is_zero(passes: &u32) -> bool {
    *passes == 0
}

/// How much of the machine other programs may take during a pass, and what happens beyond.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ForeignLoad {
    /// Share of the CPUs we may use, in (0, 1].
    pub at_most: f64,
    /// What happens to a pass beyond.
    pub then: OnForeignLoad,
}

impl Default for ForeignLoad {
    fn default() -> Self {
        Self {
            at_most: 0.5,
            then: OnForeignLoad::Warn,
        }
    }
}

/// What happens to a pass during which other programs took too much of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnForeignLoad {
    /// It counts, and the report says so.
    Warn,
    /// It is made again, a few times at most; then it counts, and the report says so.
    Repeat,
}

/// Every threshold of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Policy {
    /// Expected share of false hidden-defects among those reported, in (0, 1).
    pub fdr: f64,
    /// Passes before anything is suspected.
    pub screen: Screen,
    /// Failure rate of the baseline that is still "passes", in [0, 1).
    pub tolerance: f64,
    /// Passes a suspect takes part in, at most.
    pub max_passes: u32,
    /// Passes without evidence after which a suspect is given up.
    pub futile_after: u32,
    /// Focus passes without a failure, after one in a full pass, before company is tried; 0 turns company off.
    pub company_after: u32,
    /// Share of the tests of a pass (and at least 10) whose failing together is one event, in (0, 1].
    pub mass_failure: f64,
    /// Whether the passes of earlier runs of the same binaries and profiles are joined.
    pub reuse: bool,
    /// Wall time of the whole run in milliseconds; none for no limit.
    pub max_time_ms: Option<u64>,
    /// Trials of the whole run; none for no limit.
    pub max_trials: Option<u64>,
    /// Confidence of every interval shown, in (0, 1).
    pub confidence: f64,
    /// Time limit of a trial in milliseconds.
    pub timeout_ms: u64,
    /// What other programs may take of the machine during a pass. Runs from before there was such a threshold have the
    /// default.
    #[serde(default)]
    pub foreign_load: ForeignLoad,
    /// What makes the gate fail.
    pub fail_on: Vec<Condition>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fdr: 0.05,
            screen: Screen {
                baseline: 1,
                target: 5,
                suspicious: 10,
            },
            tolerance: 0.05,
            max_passes: 200,
            futile_after: 40,
            company_after: 20,
            mass_failure: 0.5,
            reuse: true,
            max_time_ms: Some(15 * 60 * 1000),
            max_trials: None,
            confidence: 0.95,
            timeout_ms: 60 * 1000,
            foreign_load: ForeignLoad::default(),
            fail_on: vec![
                Condition::Verdict(VerdictKind::HiddenDefect),
                Condition::Verdict(VerdictKind::Broken),
                Condition::ExpiredQuarantine,
            ],
        }
    }
}

/// A condition of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Some test has this verdict.
    Verdict(VerdictKind),
    /// A knob that the user asked for, and not just a preset, was not applied.
    KnobNotApplied,
    /// The quarantine of a test was over when the run started.
    ExpiredQuarantine,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict(kind) => write!(f, "{kind}"),
            Self::KnobNotApplied => f.write_str("knob-not-applied"),
            Self::ExpiredQuarantine => f.write_str("expired-quarantine"),
        }
    }
}
