//! How likely a knob is to expose a hidden defect in a test: what was published, moved by what was seen here.
//!
//! # Method
//! The chance that a test tried under the knob turns out to hide a defect has a Beta prior whose mean follows the rank of
//! the knob's family in published studies, with the weight of [`PRIOR_TESTS`] tests. The means are orders of magnitude: only
//! their order is known. Runs move it: each test tried in both arms of a run, while the knob was applied and differed
//! between them, is a trial; each hidden defect is a success.
//!
//! Whose success it is, an experiment may have shown: a knob that an attribution found to be the cause has it with the
//! attribution's confidence (knobs that are needed together share it, of knobs of which either is enough each has it), and
//! where nothing that differs explains the failures, or what the test ran among does, no knob has it. The rest, and
//! defects that nobody looked into, are shared among the knobs that differed, in proportion to what the priors and those
//! experiments say of each.

use statrs::distribution::{Beta, ContinuousCDF};

use super::PastTrials;
use crate::domain::KnobId;

/// The weight of the prior, in tests tried.
pub const PRIOR_TESTS: f64 = 50.0;
/// Tests tried without a finding before a knob can be called over-engineering.
pub const MUCH: u64 = 300;

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
    /// Tests tried under it, over runs.
    pub tried: u64,
    /// Hidden defects, shares of them where nobody showed whose they are.
    pub exposed: f64,
    /// Hidden defects that an experiment showed it to cause, alone or with others.
    pub caused: u64,
}

impl Belief {
    /// Returns whether it never exposed anything after much testing, and is now believed to expose less than half of what
    /// was expected. A share of less than half of one defect is not taken for a defect.
    pub fn is_over_engineering(&self) -> bool {
        let nothing = self.caused == 0 && self.exposed < 0.5;
        nothing && MUCH <= self.tried && self.mean < self.prior / 2.0
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

/// Returns what is believed of a knob after `past`.
pub fn belief(knob: &KnobId, past: &[PastTrials]) -> Belief {
    let shown = shown(knob, past);
    let shared = past
        .iter()
        .filter(|run| run.differing().any(|other| other == knob))
        .map(|run| {
            let weight = |knob: &KnobId| self::shown(knob, past).mean;
            let all: f64 = run.differing().map(weight).sum();
            run.unexplained() * shown.mean / all
        });
    updated(
        knob,
        shown.tried,
        shown.exposed + shared.sum::<f64>(),
        shown.caused,
    )
}

/// Returns what is believed of a knob after the experiments alone.
fn shown(knob: &KnobId, past: &[PastTrials]) -> Belief {
    let (mut tried, mut exposed, mut caused) = (0, 0.0, 0);
    let runs = past
        .iter()
        .filter(|run| run.differing().any(|other| other == knob));
    for run in runs {
        tried += run.tests;
        let own = run.shown.iter().filter(|cause| cause.knobs.contains(knob));
        for cause in own {
            caused += 1;
            exposed += cause.share();
        }
    }
    updated(knob, tried, exposed, caused)
}

fn updated(knob: &KnobId, tried: u64, exposed: f64, caused: u64) -> Belief {
    let (prior, _) = prior(knob);
    let successes = PRIOR_TESTS * prior + exposed;
    let failures = PRIOR_TESTS * (1.0 - prior) + (tried as f64 - exposed).max(0.0);
    let upper = Beta::new(successes, failures).map_or(1.0, |beta| beta.inverse_cdf(0.95));
    Belief {
        prior,
        mean: successes / (successes + failures),
        upper,
        tried,
        exposed,
        caused,
    }
}

/// Returns the knobs of all families, the most likely first.
pub fn known() -> impl Iterator<Item = KnobId> {
    let names = FAMILIES.iter().flat_map(|(names, ..)| names.iter());
    names.map(|name| KnobId::from(*name))
}
