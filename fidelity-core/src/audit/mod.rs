//! The audit of a suite: what runs where, what is replaced by something kinder, and which difference to production matters
//! most. A function of values: knows no file, store or suite.
//!
//! [`weigh()`] puts together what was gathered; [`likelihood`] says how likely a knob is to expose something, and the ranking
//! here is that likelihood times severity. Scores that are equal to nine digits are a tie, whatever the last bits say: then
//! what would be worse comes first, then the name that comes first.

use std::collections::{BTreeMap, BTreeSet};

use crate::attribute::locator::factors::SCOPE;
use crate::domain::{
    Annotation, Arm, Attribution, AttributionEnd, FidelityProfile, KnobId, KnobStatus, KnobValue,
    Problem, RunnerKind, Severity, TestId, TestKind,
};

pub mod differences;
pub mod invest;
mod ledger;
pub mod likelihood;
mod severity;
pub mod substitutes;

use ledger::Ledger;

pub use differences::{Difference, Standing};
pub use invest::Investment;
pub use substitutes::{Confidence, Evidence, Substitute};

/// Differences that are told.
pub const TOLD: usize = 10;
/// Investments that are proposed.
pub const PROPOSED: usize = 3;

/// What was gathered.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The tests that were asked for, sorted by identity.
    pub tests: Vec<AuditedTest>,
    /// How many tests there are, those that were not asked for included.
    pub available: usize,
    /// The moment at which quarantines are judged, RFC 3339 in UTC.
    pub now: String,
    /// The fidelity profiles by arm.
    pub profiles: [FidelityProfile; 2],
    /// What is known of production.
    pub production: BTreeMap<KnobId, KnobValue>,
    /// What runs the tests.
    pub runner: RunnerKind,
    /// What this machine has of its own of knobs that production or an arm sets, as far as that can be told.
    pub here: BTreeMap<KnobId, KnobValue>,
    /// What earlier runs tried, newest first.
    pub past: Vec<PastTrials>,
    /// What of code and manifests looks like a substitute or a real service; none where these are not looked at.
    pub evidence: Option<Vec<Evidence>>,
    /// What is odd about the annotations, and what is assumed.
    pub notes: Vec<Problem>,
}

/// A test as the audit sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditedTest {
    /// The test.
    pub id: TestId,
    /// What it covers, where that is known, and whether its authors say so.
    pub kind: (Option<TestKind>, bool),
    /// What its authors say.
    pub annotation: Option<Annotation>,
    /// Why it is not run in an arm.
    pub absent: [Option<String>; 2],
    /// What it needs and an arm that it is meant for does not provide, by arm.
    pub lacks: [Option<String>; 2],
    /// Whether its user ignores it.
    pub ignored: bool,
}

impl AuditedTest {
    /// Returns whether it is run in an arm.
    pub fn runs_in(&self, arm: Arm) -> bool {
        !self.ignored && self.absent[arm.index()].is_none()
    }

    /// Returns how much it weighs that what it checks may not hold: twice as much for each step of severity.
    pub fn weight(&self) -> f64 {
        let said = self.annotation.as_ref().and_then(|said| said.severity);
        weight(said.unwrap_or_default())
    }
}

/// Returns the weight of a severity: 1, 2, 4, 8.
pub fn weight(severity: Severity) -> f64 {
    match severity {
        Severity::Low => 1.0,
        Severity::Medium => 2.0,
        Severity::High => 4.0,
        Severity::Critical => 8.0,
    }
}

/// Returns a score as it is ranked: to nine digits, so that sums in another order change no ranking. Higher first.
pub(crate) fn ranked(score: f64) -> std::cmp::Reverse<i64> {
    std::cmp::Reverse((score * 1e9).round() as i64)
}

/// What one earlier run tried, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct PastTrials {
    /// The names of its fidelity profiles, by arm.
    pub profiles: [String; 2],
    /// Trials by arm.
    pub trials: [u64; 2],
    /// The state of the code: runs of the same test binaries have the same.
    pub code: String,
    /// Tests that were tried in both arms and judged, by numbers that are the same in every run.
    pub tests: Vec<u32>,
    /// Its hidden defects, by cause.
    pub defects: Vec<Defect>,
    /// What became of its knobs.
    pub knobs: Vec<KnobStatus>,
}

impl PastTrials {
    /// Returns the knobs that were applied and differed between the arms.
    pub(crate) fn differing(&self) -> impl Iterator<Item = &KnobId> {
        self.knobs
            .iter()
            .filter(|status| status.applied && status.baseline != status.target)
            .map(|status| &status.knob)
    }

    /// Returns whether a knob was applied and differed between the arms.
    pub(crate) fn differs(&self, knob: &KnobId) -> bool {
        self.differing().any(|other| other == knob)
    }
}

/// A hidden defect that a run found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defect {
    /// The tests that fail by it: one, or those of a cluster. Never empty.
    pub members: Vec<TestId>,
    /// What an experiment showed of it.
    pub shown: Option<Shown>,
}

/// What experiments showed of one hidden defect, those included that came to no end.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The share of each knob in it, in 0..=1.
    pub shares: BTreeMap<KnobId, f64>,
    /// How sure it is whose it is, in 0..=1: the rest is anybody's.
    pub explained: f64,
    /// Whether that was seen from both sides, and not only become probable.
    pub found: bool,
}

impl Shown {
    /// Returns what an attribution of a hidden defect to knobs showed: its cause, or where it has none what it holds for probable.
    /// None where it says nothing.
    pub fn by(attribution: &Attribution) -> Option<Self> {
        let mut shown = Self {
            shares: BTreeMap::new(),
            explained: 0.0,
            found: false,
        };
        match (attribution.end, &attribution.cause) {
            (AttributionEnd::Found, Some(cause)) => {
                let knobs = cause.knobs.iter().map(|knob| knob.knob.as_str());
                shown.add(knobs, cause.either, cause.confidence);
                shown.found = true;
            }
            (AttributionEnd::NoneOfThese, _) => {
                shown.explained = 1.0;
                shown.found = true;
            }
            // Suspects of another version do not say which knobs they are.
            _ => {
                let known = attribution.suspects.iter();
                for suspect in known.filter(|suspect| !suspect.knobs.is_empty()) {
                    let knobs = suspect.knobs.iter().map(String::as_str);
                    shown.add(knobs, suspect.either, suspect.probability);
                }
            }
        }
        (0.0 < shown.explained).then_some(shown)
    }

    /// Adds a cause that is as probable as that: knobs that are needed together share it, of those of which any is enough each has
    /// all of it.
    fn add<'k>(&mut self, knobs: impl Iterator<Item = &'k str>, either: bool, probability: f64) {
        // What a test runs among is no knob of a profile.
        let knobs: BTreeSet<KnobId> = knobs
            .filter(|knob| *knob != SCOPE)
            .map(KnobId::from)
            .collect();
        let probability = probability.clamp(0.0, 1.0);
        let among = if either { 1 } else { knobs.len().max(1) };
        for knob in knobs {
            let share = self.shares.entry(knob).or_default();
            *share = (*share + probability / among as f64).min(1.0);
        }
        self.explained = (self.explained + probability).min(1.0);
    }
}

/// What an audit says.
#[derive(Clone, Debug)]
pub struct Audit {
    /// By kind, and at the end those of which it is not known, where there are some: how many tests, how many of them by their
    /// place alone, and how many run in the baseline, the target, neither.
    pub kinds: Vec<(Option<TestKind>, KindCount)>,
    /// The names of the fidelity profiles, by arm.
    pub profiles: [String; 2],
    /// How many tests there are, those that were not asked for included.
    pub available: usize,
    /// Tests in quarantine.
    pub quarantined: u32,
    /// Of these, those whose quarantine is over.
    pub expired: u32,
    /// Components that some test replaces.
    pub substitutes: Vec<Substitute>,
    /// What code and manifests show; none where these are not looked at.
    pub evidence: Option<Vec<Evidence>>,
    /// What is odd about the annotations, and what is assumed.
    pub notes: Vec<Problem>,
    /// Trials of earlier runs by fidelity profile, most first.
    pub trials: Vec<(String, u64)>,
    /// Earlier runs that were looked at.
    pub runs: usize,
    /// The differences that matter most, first the most.
    pub differences: Vec<Difference>,
    /// How many differences there are.
    pub all_differences: usize,
    /// Facts of production that no arm imposes and this machine has as well, so that tests meet them here.
    pub had_here: Vec<(KnobId, String)>,
    /// What to do next, first what promises most.
    pub invest: Vec<Investment>,
}

/// The tests of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindCount {
    /// All of them.
    pub tests: u32,
    /// Those whose kind is inferred.
    pub inferred: u32,
    /// Those that run in an arm.
    pub run_in: [u32; 2],
    /// Those that run in neither, ignored ones included.
    pub nowhere: u32,
}

/// Puts together what was gathered.
pub fn weigh(gathered: &Gathered) -> Audit {
    let substitutes = substitutes::of(&gathered.tests);
    let ledger = Ledger::new(&gathered.past);
    let mut differences = differences::of(gathered, &ledger);
    let invest = invest::proposals(gathered, &ledger, &differences, &substitutes);
    let all_differences = differences.len();
    differences.truncate(TOLD);
    let mut notes = gathered.notes.clone();
    notes.extend(substitutes::slips(&gathered.tests));
    let said = gathered
        .tests
        .iter()
        .filter_map(|test| test.annotation.as_ref());
    let quarantines: Vec<_> = said.filter_map(|said| said.quarantine.as_ref()).collect();
    let expired = quarantines
        .iter()
        .filter(|it| it.has_expired(&gathered.now));
    Audit {
        kinds: kinds(&gathered.tests),
        available: gathered.available,
        expired: u32::try_from(expired.count()).unwrap_or(u32::MAX),
        quarantined: u32::try_from(quarantines.len()).unwrap_or(u32::MAX),
        profiles: [0, 1].map(|arm| gathered.profiles[arm].name.clone()),
        substitutes,
        evidence: gathered.evidence.as_deref().map(substitutes::ranked),
        notes,
        trials: trials(&gathered.past),
        runs: gathered.past.len(),
        differences,
        all_differences,
        had_here: differences::had_here(gathered),
        invest,
    }
}

fn kinds(tests: &[AuditedTest]) -> Vec<(Option<TestKind>, KindCount)> {
    let is_known = tests.iter().any(|test| test.kind.0.is_some());
    let is_unknown = tests.iter().any(|test| test.kind.0.is_none());
    let known = TestKind::ALL.map(Some).into_iter().filter(|_| is_known);
    known
        .chain(is_unknown.then_some(None))
        .map(|kind| {
            let mut count = KindCount::default();
            for test in tests.iter().filter(|test| test.kind.0 == kind) {
                count.tests += 1;
                count.inferred += u32::from(kind.is_some() && !test.kind.1);
                let run = Arm::BOTH.map(|arm| test.runs_in(arm));
                for arm in Arm::BOTH {
                    count.run_in[arm.index()] += u32::from(run[arm.index()]);
                }
                count.nowhere += u32::from(run == [false; 2]);
            }
            (kind, count)
        })
        .collect()
}

fn trials(past: &[PastTrials]) -> Vec<(String, u64)> {
    let mut by_profile: BTreeMap<&String, u64> = BTreeMap::new();
    for run in past {
        for (profile, trials) in run.profiles.iter().zip(run.trials) {
            *by_profile.entry(profile).or_default() += trials;
        }
    }
    let named = by_profile.into_iter();
    let mut trials: Vec<(String, u64)> = named
        .map(|(profile, trials)| (profile.clone(), trials))
        .collect();
    trials.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    trials
}

#[cfg(test)]
mod tests;
