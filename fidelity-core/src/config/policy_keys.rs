//! The keys of `[policy]`: one table that the parser, the schema, `init` and the documents are made from.

use crate::domain::{Condition, ForeignLoad, OnForeignLoad, Policy, Screen, VerdictKind};

use super::units;

/// A key of `[policy]`.
pub struct PolicyKey {
    /// Its name.
    pub name: &'static str,
    /// What it takes, and where it goes.
    pub kind: PolicyKind,
    /// What it says, in a line.
    pub help: &'static str,
}

/// What a key of `[policy]` takes, with the way from and to a [`Policy`].
pub enum PolicyKind {
    /// A share, as a number or a percentage.
    Share(ShareRange, fn(&mut Policy) -> &mut f64),
    /// A whole number in a range, both ends included.
    Count(u32, u32, fn(&mut Policy) -> &mut u32),
    /// A whole number from 1, or "none".
    Limit(fn(&mut Policy) -> &mut Option<u64>),
    /// True or false.
    Flag(fn(&mut Policy) -> &mut bool),
    /// A duration in a range of milliseconds.
    Duration(u64, u64, fn(&mut Policy) -> &mut u64),
    /// A duration in a range of milliseconds, or "none".
    DurationLimit(u64, u64, fn(&mut Policy) -> &mut Option<u64>),
    /// Passes of the screening, in each arm.
    Screen,
    /// What other programs may take of the machine, and what happens beyond.
    ForeignLoad,
    /// Conditions of the gate.
    Conditions,
}

/// The range of a share: which of its ends, 0 and 1, are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareRange {
    /// More than 0, less than 1.
    Open,
    /// 0 or more, less than 1.
    From0,
    /// More than 0, 1 at most.
    To1,
}

impl ShareRange {
    /// Returns whether `share` is within the range; not a number is not.
    pub(crate) fn contains(self, share: f64) -> bool {
        match self {
            Self::Open => 0.0 < share && share < 1.0,
            Self::From0 => (0.0..1.0).contains(&share),
            Self::To1 => 0.0 < share && share <= 1.0,
        }
    }

    /// Returns the range in words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Open => "more than 0 and less than 1",
            Self::From0 => "0 or more and less than 1",
            Self::To1 => "more than 0 and 1 at most",
        }
    }
}

const SECOND: u64 = 1_000;
const DAY: u64 = 86_400 * SECOND;

/// The most passes that can be asked for.
pub(crate) const MOST_PASSES: u32 = 1_000_000;

/// Every key of `[policy]`, in the order of the documents.
pub const POLICY_KEYS: &[PolicyKey] = &[
    PolicyKey {
        name: "fdr",
        kind: PolicyKind::Share(ShareRange::Open, |policy| &mut policy.fdr),
        help: "expected share of false hidden-defects among those reported",
    },
    PolicyKey {
        name: "screen",
        kind: PolicyKind::Screen,
        help: "passes before anything is suspected; `suspicious`: of the target, for tests that failed in earlier runs",
    },
    PolicyKey {
        name: "tolerance",
        kind: PolicyKind::Share(ShareRange::From0, |policy| &mut policy.tolerance),
        help: "failure rate of the baseline that is still \"passes\"",
    },
    PolicyKey {
        name: "max-passes",
        kind: PolicyKind::Count(1, MOST_PASSES, |policy| &mut policy.max_passes),
        help: "passes a suspect takes part in, at most",
    },
    PolicyKey {
        name: "futile-after",
        kind: PolicyKind::Count(1, MOST_PASSES, |policy| &mut policy.futile_after),
        help: "passes without evidence after which a suspect is given up",
    },
    PolicyKey {
        name: "company-after",
        kind: PolicyKind::Count(0, MOST_PASSES, |policy| &mut policy.company_after),
        help: "passes among suspects before a test is tried among the whole suite; 0 for never",
    },
    PolicyKey {
        name: "mass-failure",
        kind: PolicyKind::Share(ShareRange::To1, |policy| &mut policy.mass_failure),
        help: "share of the tests of a pass (and at least 10) whose failing together is one event",
    },
    PolicyKey {
        name: "reuse",
        kind: PolicyKind::Flag(|policy| &mut policy.reuse),
        help: "join the passes of earlier runs of the same binaries and fidelity profiles",
    },
    PolicyKey {
        name: "max-time",
        kind: PolicyKind::DurationLimit(SECOND, 365 * DAY, |policy| &mut policy.max_time_ms),
        help: "time for the whole run, or \"none\"",
    },
    PolicyKey {
        name: "max-trials",
        kind: PolicyKind::Limit(|policy| &mut policy.max_trials),
        help: "trials of the whole run, or \"none\"",
    },
    PolicyKey {
        name: "confidence",
        kind: PolicyKind::Share(ShareRange::Open, |policy| &mut policy.confidence),
        help: "confidence of every bound shown",
    },
    PolicyKey {
        name: "timeout",
        kind: PolicyKind::Duration(1, 7 * DAY, |policy| &mut policy.timeout_ms),
        help: "time for a trial",
    },
    PolicyKey {
        name: "foreign-load",
        kind: PolicyKind::ForeignLoad,
        help: "share of the CPUs other programs may use during a pass, and what happens beyond: warn or repeat",
    },
    PolicyKey {
        name: "fail-on",
        kind: PolicyKind::Conditions,
        help: "what makes the gate fail: verdicts, knob-not-applied, expired-quarantine",
    },
];

/// Conditions of `fail-on` that a later version may know.
pub(crate) const LATER_CONDITIONS: [&str; 1] = ["new-hidden-defect"];

/// The words for what happens to a pass during which other programs took too much.
pub(crate) fn on_foreign_load() -> impl Iterator<Item = (&'static str, OnForeignLoad)> + Clone {
    [
        ("warn", OnForeignLoad::Warn),
        ("repeat", OnForeignLoad::Repeat),
    ]
    .into_iter()
}

/// What can make the gate fail: every verdict but the one that is good news, knobs of no effect, and quarantines that are over.
pub(crate) fn conditions() -> impl Iterator<Item = Condition> + Clone {
    let good = |kind: &VerdictKind| *kind == VerdictKind::Stable;
    VerdictKind::ALL
        .into_iter()
        .filter(move |kind| !good(kind))
        .map(Condition::Verdict)
        .chain([Condition::KnobNotApplied, Condition::ExpiredQuarantine])
}

/// Returns the value a policy has for `key`, as TOML.
pub(crate) fn to_toml(key: &PolicyKey, policy: &Policy) -> String {
    let mut policy = policy.clone();
    let none = || "\"none\"".to_owned();
    let duration = |ms| format!("\"{}\"", units::write_duration(ms));
    match key.kind {
        PolicyKind::Share(_, field) => field(&mut policy).to_string(),
        PolicyKind::Count(_, _, field) => field(&mut policy).to_string(),
        PolicyKind::Limit(field) => field(&mut policy).map_or_else(none, |limit| limit.to_string()),
        PolicyKind::Flag(field) => field(&mut policy).to_string(),
        PolicyKind::Duration(_, _, field) => duration(*field(&mut policy)),
        PolicyKind::DurationLimit(_, _, field) => field(&mut policy).map_or_else(none, duration),
        PolicyKind::Screen => {
            let Screen {
                baseline,
                target,
                suspicious,
            } = policy.screen;
            format!("{{ baseline = {baseline}, target = {target}, suspicious = {suspicious} }}")
        }
        PolicyKind::ForeignLoad => {
            let ForeignLoad { at_most, then } = policy.foreign_load;
            let word = on_foreign_load().find(|(_, value)| *value == then);
            let then = word.map_or("warn", |(word, _)| word);
            format!("{{ at-most = {at_most}, then = \"{then}\" }}")
        }
        PolicyKind::Conditions => {
            let words: Vec<String> = policy
                .fail_on
                .iter()
                .map(|condition| format!("\"{condition}\""))
                .collect();
            format!("[{}]", words.join(", "))
        }
    }
}
