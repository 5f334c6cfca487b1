//! The pass: the unit of evidence. Which arm it runs is drawn at random with a recorded probability.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Environment, MachineLoad, Observation, Origin, TestIndex};

/// A side of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// The environment the tests usually see.
    Baseline,
    /// The environment closer to production.
    Target,
}

impl Arm {
    /// Both arms, baseline first.
    pub const BOTH: [Self; 2] = [Self::Baseline, Self::Target];

    /// Returns the opposite arm.
    pub fn other(self) -> Self {
        match self {
            Self::Baseline => Self::Target,
            Self::Target => Self::Baseline,
        }
    }

    /// Returns 0 for the baseline, 1 for the target.
    pub fn index(self) -> usize {
        match self {
            Self::Baseline => 0,
            Self::Target => 1,
        }
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Baseline => "baseline",
            Self::Target => "target",
        })
    }
}

/// Why a pass is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The whole suite, a few passes in each arm, then the tests with a suspicious history a few times more: who fails
    /// at all?
    Screen,
    /// Coin passes over the suspects.
    Focus,
    /// A suspect among its whole binary or the whole suite, because it failed only there.
    Company,
    /// A mass failure once more: did the environment hiccup, or does it repeat?
    MassRepeat,
    /// A finding that only timed out, once at five times the limit.
    TimeoutCheck,
    /// It ran elsewhere and was ingested: its arm was not drawn by us.
    Ingested,
}

impl Phase {
    /// Returns whether our own draw said which arm its passes run, to find out whether tests fail.
    pub fn is_drawn(self) -> bool {
        matches!(self, Self::Screen | Self::Focus | Self::Company)
    }

    /// Returns whether it looks at a result again, so that its trials are counted nowhere.
    pub fn is_check(self) -> bool {
        matches!(self, Self::MassRepeat | Self::TimeoutCheck)
    }
}

/// What a trial ran among. Recorded with each pass; a knob like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every selected test.
    Suite,
    /// Every selected test of some binaries.
    Binary,
    /// The suspects only, or the tests that are screened harder.
    Suspects,
    /// Nothing: it was the only one of these.
    Alone,
}

impl Scope {
    /// Returns the scope of a pass over so many suspects.
    pub fn of_suspects(tests: usize) -> Self {
        if tests == 1 {
            Self::Alone
        } else {
            Self::Suspects
        }
    }

    /// Returns whether a trial ran among suspects at most.
    pub fn is_narrow(self) -> bool {
        matches!(self, Self::Suspects | Self::Alone)
    }
}

/// A pass as the scheduler asks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassSpec {
    /// 1, 2, 3 ... within the run.
    pub number: u32,
    /// Why it is made.
    pub phase: Phase,
    /// The arm that was drawn.
    pub arm: Arm,
    /// The probability with which the draw says "target", given the past. 0 or 1 where the arm was not drawn: such a
    /// pass is information for people, but no evidence.
    pub target_probability: f64,
    /// What the tests run among.
    pub scope: Scope,
    /// The tests to run, sorted.
    pub tests: Vec<TestIndex>,
    /// How many passes of this run used the same arm before: says which value a `one-of` knob takes.
    pub arm_pass: u32,
    /// Seeds the order in which the tests start, where an arm shuffles.
    pub order_seed: u64,
    /// Multiplies the time limit of a trial; 1 but for a timeout check.
    pub timeout_factor: u32,
}

impl PassSpec {
    /// Returns whether it is about every test of the suite. A focus pass never is, whatever its tests run among.
    pub fn covers_suite(&self) -> bool {
        self.scope == Scope::Suite && !matches!(self.phase, Phase::Focus | Phase::TimeoutCheck)
    }

    /// Returns whether it screens tests with a suspicious history once more than the others.
    pub fn screens_harder(&self) -> bool {
        self.phase == Phase::Screen && self.scope.is_narrow()
    }
}

/// How a pass ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PassEnd {
    /// Every trial has its outcome.
    Completed,
    /// Its environment was not provided; decided before any outcome was looked at, and not counted.
    Discarded {
        /// What was missing, for people.
        reason: String,
    },
    /// Other programs took too much of the machine; decided before any outcome was looked at, and not counted.
    Disturbed {
        /// What was measured, for people.
        reason: String,
    },
}

impl PassEnd {
    /// Returns why the pass does not count; none where it does.
    pub fn discarded_because(&self) -> Option<&str> {
        match self {
            Self::Completed => None,
            Self::Discarded { reason } | Self::Disturbed { reason } => Some(reason),
        }
    }
}

/// A pass as it is stored. Without an `end` it was cut short: its observations are kept, but are no evidence yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassRecord {
    /// What was asked for.
    pub spec: PassSpec,
    /// The knob values the pass really ran under.
    pub environment: Environment,
    /// What was seen, in the order of test and attempt.
    pub observations: Vec<Observation>,
    /// How it ended, and after how many milliseconds of wall time.
    pub end: Option<(PassEnd, u64)>,
    /// What other programs took of the machine meanwhile; none where nobody could say, and before its end.
    pub machine: Option<MachineLoad>,
    /// Where its results came from; none for a pass of ours.
    pub origin: Option<Box<Origin>>,
}

impl PassRecord {
    /// Returns whether every trial has its outcome: no other pass counts.
    pub fn is_completed(&self) -> bool {
        matches!(self.end, Some((PassEnd::Completed, _)))
    }
}
