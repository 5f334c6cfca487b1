//! How far a stored run is: whether it is over, and where one that was cut short goes on.

use super::run_log::State;
use crate::domain::{RunEnd, StopReason, StoredRun};

/// Returns whether a run that ended like this is over: what it was to decide is decided, or its limits are used up.
pub(super) fn is_final(end: &RunEnd) -> bool {
    match end.stop {
        StopReason::Decided
        | StopReason::OutOfTime
        | StopReason::OutOfTrials
        | StopReason::Ingested => true,
        StopReason::Interrupted | StopReason::Environment { .. } => false,
    }
}

/// Returns how far a stored run is.
pub(super) fn state_of(key: i64, run: &StoredRun) -> State {
    let last = run.passes.last();
    let open = last.filter(|pass| pass.end.is_none());
    State {
        run: key,
        tests: run.tests.len() as u32,
        last_pass: last.map_or(0, |pass| pass.spec.number),
        open: open.map(|pass| (pass.spec.clone(), pass.environment.clone())),
        planned: run
            .passes
            .iter()
            .map(|pass| pass.spec.tests.len() as u64)
            .sum(),
        recorded: run
            .passes
            .iter()
            .map(|pass| pass.observations.len() as u64)
            .sum(),
        ended_before: run.end.is_some(),
        closed: false,
    }
}
