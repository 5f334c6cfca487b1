//! Passes that were taken in by mistake, and are evidence no more.

use std::collections::BTreeMap;

use crate::domain::{PassName, PassRecord, RunId, StoredRun, Withdrawal};

/// Returns what a run, or one that it joins, takes back, by the run that is taken back.
pub fn withdrawals(run: &StoredRun, joined: &[StoredRun]) -> BTreeMap<RunId, Withdrawal> {
    let headers = joined.iter().chain([run]).map(|run| &run.header);
    Withdrawal::by_run(headers.flat_map(|header| &header.withdraws))
}

/// Leaves out the passes that were withdrawn: those of the runs themselves, and those that were exported from them and taken
/// in again.
pub fn take_back(run: &mut StoredRun, joined: &mut [StoredRun]) {
    let withdrawn = withdrawals(run, joined);
    if withdrawn.is_empty() {
        return;
    }
    for run in joined.iter_mut().chain([run]) {
        let is_withdrawn = withdrawn.contains_key(&run.header.id);
        let came_from = |pass: &PassRecord| PassName::of_part(&pass.origin.as_ref()?.part);
        run.passes.retain(|pass| {
            !is_withdrawn && came_from(pass).is_none_or(|name| !withdrawn.contains_key(&name.run))
        });
    }
}
