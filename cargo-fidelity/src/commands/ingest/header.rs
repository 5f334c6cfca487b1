//! What a run of ingested passes remembers of the question it answers.

use std::collections::{BTreeMap, BTreeSet};

use fidelity_core::domain::{FidelityProfile, Problem, Revision, RunBy, RunHeader, RunId, Seed};
use fidelity_core::ingest::pairing::PassPlan;
use fidelity_core::plan::ingested_fingerprint;

use super::Session;
use crate::commands::record::{now, random_bits, typed};
use crate::error::CliError;

/// Returns the header of a new run for these passes, which joins nothing yet.
pub fn of(
    session: &Session<'_>,
    plans: &[PassPlan],
    mut problems: Vec<Problem>,
) -> Result<RunHeader, CliError> {
    let settings = &session.settings;
    // Two environments of a CI matrix may well be told apart by their names alone.
    let notes = settings
        .notes
        .iter()
        .filter(|note| note.kind != "profiles-equal");
    problems.extend(notes.cloned());
    problems.sort();
    let commits: BTreeSet<&str> = plans
        .iter()
        .filter_map(|plan| plan.key.block.commit.as_deref())
        .collect();
    let (id, seed) = (random_bits()?, Seed((random_bits()? >> 75) as u64));
    let profiles: [FidelityProfile; 2] = [settings.baseline.clone(), settings.target.clone()];
    let fingerprint = ingested_fingerprint(&profiles[0], &profiles[1]);
    let [baseline, target] = profiles;
    Ok(RunHeader {
        id: RunId(id),
        started_at: now(),
        seed,
        seed_given: false,
        policy: settings.policy.clone(),
        baseline,
        target,
        knobs: Vec::new(),
        parallelism: 1,
        fingerprint,
        runner: RunBy::default(),
        revision: match (commits.first(), commits.len()) {
            (Some(commit), 1) => Some(Revision {
                commit: (*commit).to_owned(),
                dirty: false,
            }),
            _ => None,
        },
        joined: Vec::new(),
        exposing: BTreeMap::new(),
        binaries: Vec::new(),
        ingested: true,
        withdraws: Vec::new(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        arguments: typed(),
        workspace: session.place.root.clone(),
        problems,
    })
}
