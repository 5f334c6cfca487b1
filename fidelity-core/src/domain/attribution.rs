//! What an attribution came to: the cause of a failure as far as experiments show it, and how sure that is.

use serde::{Deserialize, Serialize};

use super::{CommitId, CommitInfo, Environment, Outcome, Scope, TestIndex};

/// How an attribution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttributionEnd {
    /// One cause, seen from both sides.
    Found,
    /// Several remain, and nothing that can be tried tells them apart.
    CredibleSet,
    /// The budget was used up, or it was stopped, before one remained.
    Inconclusive,
    /// One is probable, but where it says that the test fails, it did not.
    Unconfirmed,
    /// Nothing that differs between the two sides explains the failures.
    NoneOfThese,
    /// The two sides do not differ now.
    NotReproducible,
    /// The test fails now where it passed before: something outside what is compared has changed.
    Outside,
}

impl AttributionEnd {
    /// Returns the spelling used in JSON and text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::CredibleSet => "credible-set",
            Self::Inconclusive => "inconclusive",
            Self::Unconfirmed => "unconfirmed",
            Self::NoneOfThese => "none-of-these",
            Self::NotReproducible => "not-reproducible",
            Self::Outside => "outside",
        }
    }
}

/// An attribution as it is stored and reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// How it ended.
    pub end: AttributionEnd,
    /// The ending in words: a sentence without its full stop.
    pub wording: String,
    /// The cause; none without a conclusion.
    pub cause: Option<Cause>,
    /// What remains where there is no single cause, most probable first; together at least 90 %.
    #[serde(default)]
    pub suspects: Vec<SuspectedCause>,
    /// Trials it made.
    pub trials: u32,
    /// Builds it made.
    #[serde(default)]
    pub builds: u32,
    /// What was not ruled out, each a sentence without its full stop.
    #[serde(default)]
    pub not_ruled_out: Vec<String>,
    /// Whether another member of the cluster has the same cause.
    #[serde(default)]
    pub second: Option<SecondMember>,
}

/// Something that may be the cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuspectedCause {
    /// In words: `tz`, `tz and cpus together`.
    pub wording: String,
    /// Posterior probability in 0..=1.
    pub probability: f64,
    /// The knobs that take part, each once; none where none does, and of attributions by earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knobs: Vec<String>,
    /// Whether any of them is enough. Else all of them are needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub either: bool,
}

/// The cause of a failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The knobs that take part; empty where the code alone is the cause.
    #[serde(default)]
    pub knobs: Vec<CausingKnob>,
    /// Whether any of the knobs is enough. Else all of them are needed.
    #[serde(default)]
    pub either: bool,
    /// Posterior probability in 0..=1.
    pub confidence: f64,
    /// Where the claim says that the test fails.
    #[serde(default)]
    pub sufficient: Vec<Side>,
    /// Where the claim says that it passes.
    #[serde(default)]
    pub necessary: Vec<Side>,
    /// What changed; none where only the knobs were looked into.
    #[serde(default)]
    pub kind: Option<CauseKind>,
    /// Since when.
    #[serde(default)]
    pub commit: Option<CommitInfo>,
    /// The cause in words: `tz = Pacific/Apia`.
    pub wording: String,
}

/// A knob that takes part in a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CausingKnob {
    /// Its name; `scope` for what the test ran among.
    pub knob: String,
    /// The value that makes the test fail; none where any of its values does.
    pub value: Option<String>,
    /// From where on, for a numeric knob: `fails from 40ms, passes at 39ms`.
    #[serde(default)]
    pub threshold: Option<String>,
    /// Since when it has this value; none where nobody looked, or no history tells.
    #[serde(default)]
    pub since: Option<KnobSince>,
}

/// Since when a fidelity profile asks for the value of a knob, as the history of its file tells. It is when the knob was set, and no
/// proof of when a test began to fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnobSince {
    /// The fidelity profile.
    pub profile: String,
    /// All it asks of the knob: `Pacific/Apia`, `one of UTC, Pacific/Apia`; none where it leaves the knob alone.
    pub setting: Option<String>,
    /// What set it.
    pub set_by: SetBy,
    /// The same of the baseline, where that was set later: the two differ since then.
    #[serde(default)]
    pub baseline: Option<Box<KnobSince>>,
}

/// What gave a knob its effective value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetBy {
    /// A commit.
    Commit {
        /// The commit.
        commit: CommitInfo,
        /// The merge that brought it in; none for a commit on the line of first parents.
        merge: Option<CommitInfo>,
        /// The first of the commits just before whose configuration cannot be read: the value may have been set from there on.
        unread_since: Option<CommitId>,
    },
    /// A change that is not committed.
    Uncommitted,
    /// The command line.
    CommandLine,
    /// Nothing in the whole history, as far back as the configuration can be read.
    Always {
        /// Whether its first commits cannot be read.
        unread: bool,
        /// The first commit that can.
        #[serde(default)]
        first: Option<CommitInfo>,
    },
    /// The built-in fidelity profile, from before there was a configuration file.
    BuiltIn {
        /// The commit that brought the file, and kept the value; none where no commit has one.
        file: Option<CommitInfo>,
    },
    /// Nothing in the commits that are here, of which this is the oldest that can be read.
    BeforeThisClone {
        /// The commit.
        oldest: CommitId,
        /// Whether the clone is shallow; else the objects are lost, or left at a server.
        shallow: bool,
    },
}

impl SetBy {
    /// Returns the spelling used in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Commit { .. } => "commit",
            Self::Uncommitted => "uncommitted",
            Self::CommandLine => "command-line",
            Self::Always { .. } => "always",
            Self::BuiltIn { .. } => "built-in",
            Self::BeforeThisClone { .. } => "before-this-clone",
        }
    }
}

/// What was seen on one side of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The configuration in words: `low + tz`, `high - tz`.
    pub config: String,
    /// Trials, those stored beforehand included.
    pub trials: u32,
    /// Failures among them.
    pub failures: u32,
}

/// What a cause is a change of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// The code.
    Code,
    /// The fidelity profile.
    Fidelity,
    /// Both are needed.
    Both,
    /// Either is enough.
    Either,
    /// Neither.
    Outside,
}

impl CauseKind {
    /// Returns the spelling used in JSON and text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Fidelity => "fidelity",
            Self::Both => "both",
            Self::Either => "either",
            Self::Outside => "outside",
        }
    }
}

/// Whether another test of the cluster has the same cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecondMember {
    /// The test, as people write it.
    pub test: String,
    /// Whether it does.
    pub agrees: bool,
    /// What was seen.
    pub sides: Vec<Side>,
}

/// An attribution of a test of a run, as the store gives it back.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAttribution {
    /// The test.
    pub test: TestIndex,
    /// What was looked into: `knobs`, or a range of commits.
    pub question: String,
    /// What it came to.
    pub attribution: Attribution,
}

/// One trial of an attribution. It is stored before it can decide anything, and is no evidence for a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributionTrial {
    /// The part of the attribution: 0 is the search over knobs.
    pub stage: u32,
    /// The test.
    pub test: TestIndex,
    /// The configuration, as the stage writes it.
    pub config: String,
    /// What it ran among.
    pub scope: Scope,
    /// The knob values it ran under.
    pub environment: Environment,
    /// What it came to; none where the environment could not be provided.
    pub outcome: Option<Outcome>,
    /// Whether it failed in the way that is looked into.
    pub alike: bool,
    /// Wall time in milliseconds, setting up included.
    pub elapsed_ms: u64,
}
