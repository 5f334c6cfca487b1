//! What stored runs already say: trials of the test under environments that a search knows, and the failures to look for.

use std::collections::BTreeSet;

use super::Locator;
use crate::attribute::engine::Counts;
use crate::domain::{Arm, Observation, Outcome, PassRecord, Phase, Scope, StoredRun, TestId};

/// Returns the first trials of a test in the completed passes of a run, time-out checks left out: they had more time.
pub(super) fn trials<'a>(
    run: &'a StoredRun,
    id: &TestId,
) -> impl Iterator<Item = (&'a PassRecord, &'a Observation)> {
    let position = run.tests.binary_search_by(|test| test.id.cmp(id)).ok();
    run.passes
        .iter()
        .filter(|pass| pass.is_completed())
        .filter(|pass| pass.spec.phase != Phase::TimeoutCheck)
        .filter_map(move |pass| {
            let seen = pass
                .observations
                .iter()
                .find(|seen| Some(seen.test.get()) == position && seen.attempt == 0)?;
            Some((pass, seen))
        })
}

/// Returns the signatures of the failures that the target shows and the baseline does not.
pub fn signatures(runs: &[&StoredRun], id: &TestId) -> BTreeSet<String> {
    let mut seen = [BTreeSet::new(), BTreeSet::new()];
    for (pass, observation) in runs.iter().flat_map(|run| trials(run, id)) {
        if let Some(failure) = &observation.failure {
            seen[pass.spec.arm.index()].insert(failure.signature.clone());
        }
    }
    let [baseline, target] = seen;
    let only: BTreeSet<String> = target.difference(&baseline).cloned().collect();
    if only.is_empty() { target } else { only }
}

/// Returns the company in which the test failed in the target, where it was not seen to fail without: what it runs among is then
/// one of the things that may be needed.
pub fn company(runs: &[&StoredRun], id: &TestId) -> Option<Scope> {
    if failed_among(runs, id, Scope::Suspects) {
        return None;
    }
    possible_company(runs, id)
}

/// Returns the company in which the test failed in the target, where it was not seen to fail alone: the same, but for a test that
/// failed among suspects, which may be what it needs, or nothing to it.
pub fn possible_company(runs: &[&StoredRun], id: &TestId) -> Option<Scope> {
    if failed_among(runs, id, Scope::Alone) {
        return None;
    }
    // The smaller company is cheaper, and says more.
    let mut scopes = [Scope::Binary, Scope::Suite].into_iter();
    scopes.find(|scope| failed_among(runs, id, *scope))
}

fn failed_among(runs: &[&StoredRun], id: &TestId, scope: Scope) -> bool {
    let mut trials = runs.iter().flat_map(|run| trials(run, id));
    trials.any(|(pass, seen)| {
        pass.spec.arm == Arm::Target && pass.spec.scope == scope && seen.outcome.is_failure()
    })
}

/// Hands every stored trial of a test to a locator.
pub fn remember(locator: &mut Locator, runs: &[&StoredRun], id: &TestId) {
    for (pass, observation) in runs.iter().flat_map(|run| trials(run, id)) {
        let signature = observation.failure.as_ref();
        let signature = signature.map(|failure| failure.signature.as_str());
        let failed = match observation.outcome {
            Outcome::Passed => false,
            outcome if outcome.is_failure() && locator.is_alike(signature) => true,
            _ => continue,
        };
        locator.remember(&pass.environment, pass.spec.scope, Counts::one(failed));
    }
}
