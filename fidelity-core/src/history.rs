//! What earlier runs say about where to look: tests that failed before, and values of knobs that exposed them.
//!
//! Knows what stored runs saw; no store, no seed and no draw. Invariant: the answer is a function of the past and of the
//! list of tests, so that whatever is drawn in a run is independent of it. It is asked once, before the first pass, and
//! kept with the run.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    Environment, FidelityProfile, KnobId, KnobValue, ListedTest, RunId, TestId, Verdict,
    VerdictKind,
};
use crate::store::TrialCount;

/// Earlier runs that are looked at, the newest: what failed long ago says little of today.
pub const RUNS: usize = 50;
/// The share of the selected tests that is screened harder at most, so that the price stays small however bad the past
/// was; [`AT_LEAST`] may be in any case.
pub const MOST: f64 = 0.1;
/// Suspicious tests that are allowed in any suite.
pub const AT_LEAST: usize = 10;
/// Trials under other values of a knob that have to pass before the value under which a test failed is said to expose it.
pub const ELSEWHERE: u32 = 3;

/// What one earlier run saw fail.
#[derive(Clone, Debug, PartialEq)]
pub struct PastRun {
    /// The run.
    pub id: RunId,
    /// Its tests that failed at least once in a pass that counts, in no particular order.
    pub failed: Vec<PastFailure>,
}

/// A test that failed in an earlier run.
#[derive(Clone, Debug, PartialEq)]
pub struct PastFailure {
    /// The test.
    pub test: TestId,
    /// Its verdict; none where the run never came to one.
    pub verdict: Option<Verdict>,
    /// Failures in the baseline.
    pub baseline_failures: u32,
    /// Trials and failures in the target, by what the pass ran under.
    pub target: BTreeMap<Environment, TrialCount>,
}

impl PastFailure {
    /// Returns whether the failures are a reason to screen the test harder: it failed in the target, or was called a
    /// hidden defect, flaky or undetermined. What fails always needs no harder look, and what was one event of the
    /// whole suite says nothing of a test.
    fn is_suspicious(&self) -> bool {
        let failed_in_target = self.target.values().any(|count| 0 < count.failures);
        let Some(verdict) = &self.verdict else {
            return failed_in_target;
        };
        if verdict.reason.contains("mass-failure") {
            return false;
        }
        match verdict.kind {
            VerdictKind::HiddenDefect | VerdictKind::Flaky | VerdictKind::Undetermined => true,
            VerdictKind::Stable => failed_in_target,
            VerdictKind::Broken | VerdictKind::BaselineOnly => false,
        }
    }

    /// Returns the value of `knob` under which alone the test failed, if others were tried often enough.
    fn only_under(&self, knob: &KnobId) -> Option<&KnobValue> {
        let mut by_value: BTreeMap<&KnobValue, TrialCount> = BTreeMap::new();
        for (environment, seen) in &self.target {
            let count = by_value.entry(environment.0.get(knob)?).or_default();
            count.trials = count.trials.saturating_add(seen.trials);
            count.failures = count.failures.saturating_add(seen.failures);
        }
        let mut failing = by_value.iter().filter(|(_, count)| 0 < count.failures);
        let (value, _) = failing.next().filter(|_| failing.next().is_none())?;
        let elsewhere: u32 = by_value
            .iter()
            .filter(|(other, _)| other != &value)
            .map(|(_, count)| count.trials)
            .fold(0, u32::saturating_add);
        (ELSEWHERE <= elsewhere).then_some(*value)
    }
}

/// Marks the selected tests of a list that are to be screened harder, and no others.
///
/// # Method
/// A test is suspicious if it is so in one of the runs. Of more than a share of [`MOST`], those that were so in most runs
/// are taken, in the order of names among equals.
pub fn mark_suspicious(tests: &mut [ListedTest], past: &[PastRun]) {
    let mut runs: BTreeMap<&TestId, usize> = BTreeMap::new();
    for run in past {
        let suspicious = run.failed.iter().filter(|failure| failure.is_suspicious());
        for test in suspicious
            .map(|failure| &failure.test)
            .collect::<BTreeSet<_>>()
        {
            *runs.entry(test).or_default() += 1;
        }
    }
    let selected = tests.iter().filter(|test| test.selected).count();
    // A share of a count that fits the memory: the cast cuts the fraction, which is meant.
    let most = AT_LEAST.max((MOST * selected as f64) as usize);
    let mut ranked: Vec<(usize, usize)> = (0..)
        .zip(tests.iter())
        .filter(|(_, test)| test.selected)
        .filter_map(|(position, test)| Some((*runs.get(&test.id)?, position)))
        .collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.truncate(most);
    for test in tests.iter_mut() {
        test.suspicious = false;
    }
    for (_, position) in ranked {
        if let Some(test) = tests.get_mut(position) {
            test.suspicious = true;
        }
    }
}

/// Returns which values of the target's `one-of` knobs exposed hidden defects, by their positions in the profile; a knob
/// none or all of whose values did is left out, because nothing is to be preferred then.
pub fn exposing(target: &FidelityProfile, past: &[PastRun]) -> BTreeMap<KnobId, Vec<u32>> {
    let hidden = |failure: &&PastFailure| {
        let verdict = failure.verdict.as_ref();
        verdict.is_some_and(|verdict| verdict.kind == VerdictKind::HiddenDefect)
    };
    let defects: Vec<&PastFailure> = past
        .iter()
        .flat_map(|run| run.failed.iter().filter(hidden))
        .collect();
    let mut exposing = BTreeMap::new();
    for (knob, setting) in &target.knobs {
        let values = setting.values();
        if values.len() < 2 {
            continue;
        }
        let exposed: BTreeSet<&KnobValue> = defects
            .iter()
            .filter_map(|failure| failure.only_under(knob))
            .collect();
        let chosen: Vec<u32> = (0..)
            .zip(values)
            .filter(|(_, value)| exposed.contains(value))
            .map(|(position, _)| position)
            .collect();
        if !chosen.is_empty() && chosen.len() < values.len() {
            exposing.insert(knob.clone(), chosen);
        }
    }
    exposing
}

#[cfg(test)]
mod tests;
