//! How likely a knob is to expose a hidden defect in a test: what was published, moved by what was seen here.
//!
//! # Method
//! The chance that a test tried under the knob turns out to hide a defect has a Beta prior whose mean follows the rank of
//! the knob's family in published studies, with the weight of [`PRIOR_TESTS`] tests. The means are orders of magnitude: only
//! their order is known. Runs move it: a test tried in both arms of a run, while the knob was applied and differed
//! between them, is a trial, once for each state of the code, however many runs tried it; a hidden defect is a success,
//! once for each state of the code as well. Tests that fail by one cause are one defect.
//!
//! Whose success it is, `ledger` says.

use statrs::distribution::{Beta, ContinuousCDF};

use crate::domain::KnobId;

/// The weight of the prior, in tests tried.
pub const PRIOR_TESTS: f64 = 50.0;
/// Tests tried without a finding, each once for each state of the code, before a knob can be called over-engineering.
pub const MUCH: u64 = 300;
/// States of the code at which they were tried, at least: one evening with one of them is not much testing.
pub const STATES: u64 = 5;

/// Families of knobs with the mean of their prior, and why. Studies: RAFT (46.5 % of 608 flaky tests react to CPU scarcity),
/// order and shared state (59 % of 7,571 flaky Python tests), network and services (9.4 % of fixed flaky Rust tests), and
/// issues of Rust projects for the rest.
const FAMILIES: [(&[&str], f64, &str); 9] = [
    (
        &[
            "cpus",
            "cpu-load",
            "cpu-quota",
            "pauses",
            "timer-slack",
            "nice",
        ],
        0.05,
        "scarce CPU time is the first cause in studies",
    ),
    (
        &["order", "process", "threads"],
        0.04,
        "order and shared state come second",
    ),
    (
        &["network", "ipv6", "errno", "ephemeral-ports", "service"],
        0.03,
        "services and networks come next",
    ),
    (
        &["open-files"],
        0.02,
        "descriptor limits are cheap and certain",
    ),
    (&["user"], 0.015, "being root hides failures"),
    (
        &["tz", "clock"],
        0.012,
        "time zones and dates are a classic",
    ),
    (&["env"], 0.01, "settings differ between machines"),
    (
        &[
            "filesystem",
            "home",
            "umask",
            "tmpdir",
            "file-size",
            "xdg",
            "memory",
            "memory-quota",
            "stack",
            "pids",
        ],
        0.008,
        "sparse, but certain where it happens",
    ),
    (
        &["locale", "hostname", "tty", "stdin"],
        0.004,
        "rarely matters to Rust",
    ),
];

/// What is believed of a knob.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Belief {
    /// Mean of the prior.
    pub prior: f64,
    /// Mean of the posterior: the chance that a test tried under the knob hides a defect.
    pub mean: f64,
    /// The chance lies below this at 95 %.
    pub upper: f64,
    /// Different tests tried under it.
    pub tried: u64,
    /// Different states of the code at which they were.
    pub states: u64,
    /// Tests tried under it, each once for each state of the code.
    pub trials: u64,
    /// Different hidden defects, shares of them where nobody showed whose they are.
    pub exposed: f64,
    /// Different hidden defects that an experiment showed it to cause, alone or with others.
    pub caused: u64,
}

impl Belief {
    /// Returns whether it never exposed anything after much testing, and is now believed to expose less than half of what
    /// was expected. A share of less than half of one defect is not taken for a defect.
    pub fn is_over_engineering(&self) -> bool {
        let much = MUCH <= self.trials && STATES <= self.states;
        !self.has_found() && much && self.mean < self.prior / 2.0
    }

    /// Returns whether it exposed something.
    pub(super) fn has_found(&self) -> bool {
        0 < self.caused || 0.5 <= self.exposed
    }
}

/// Returns the prior of a knob, and the reason for it.
pub fn prior(knob: &KnobId) -> (f64, &'static str) {
    let family = knob.0.split('.').next().unwrap_or_default();
    FAMILIES
        .iter()
        .find(|(names, ..)| names.contains(&family))
        .map_or((0.004, "nothing is known of it"), |(_, mean, why)| {
            (*mean, why)
        })
}

/// What was seen of a knob.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Different tests.
    pub tried: u64,
    /// Different states of the code.
    pub states: u64,
    /// Tests, each once for each state of the code.
    pub trials: u64,
    /// Defects, each once for each state of the code, with its share.
    pub successes: f64,
    /// Different defects, with their shares.
    pub exposed: f64,
    /// Different defects that an experiment showed it to cause.
    pub caused: u64,
}

/// Returns what is believed of a knob of which so much was seen.
pub(super) fn belief(knob: &KnobId, seen: Seen) -> Belief {
    let (prior, _) = prior(knob);
    let successes = PRIOR_TESTS * prior + seen.successes;
    let failures = PRIOR_TESTS * (1.0 - prior) + (seen.trials as f64 - seen.successes).max(0.0);
    let upper = Beta::new(successes, failures).map_or(1.0, |beta| beta.inverse_cdf(0.95));
    Belief {
        prior,
        mean: successes / (successes + failures),
        upper,
        tried: seen.tried,
        states: seen.states,
        trials: seen.trials,
        exposed: seen.exposed,
        caused: seen.caused,
    }
}

/// Returns the knobs of all families, the most likely first.
pub fn known() -> impl Iterator<Item = KnobId> {
    let names = FAMILIES.iter().flat_map(|(names, ..)| names.iter());
    names.map(|name| KnobId::from(*name))
}
