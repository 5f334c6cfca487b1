//! One run of a command: starting it, and reading what it reports.
//!
//! Must not know: what a pass is for. Invariant: what is read was written by this run, and to its end.

use std::path::PathBuf;
use std::time::Duration;

use super::account::{Heard, Reported};
use super::cut_short::{self, Fate};
use super::select::Named;
use super::{Call, GRACE_MS, Tool, failing};
use crate::domain::TestId;
use crate::exec::ExecError;
use crate::exec::direct::{DirectRunner, Process, ProcessEnd, Provided};
use crate::exec::guardian::protocol::Ending;
use crate::exec::secrets::Mask;
use crate::ingest::inputs::{self, Input};
use crate::ingest::junit::{self, Case, Limits, ProblemKind};
use crate::ingest::naming::{Names, Rules};

/// What the reports of a pass say.
#[derive(Default)]
pub(super) struct Said {
    pub(super) heard: Heard,
    /// How they call the tests.
    pub(super) names: Vec<(TestId, Named)>,
}

/// Runs the command for `call` and reads its reports. The inner error is the reason why there is nothing to read.
pub(super) fn perform(
    ground: &mut DirectRunner,
    tool: &dyn Tool,
    (call, provided): (&Call<'_>, &Provided<'_>),
    (timeout_ms, seed): (u64, u64),
) -> Result<Result<(ProcessEnd, Said), String>, ExecError> {
    let prepared = match tool.prepare(call) {
        Ok(prepared) => prepared,
        Err(reason) => return Ok(Err(reason)),
    };
    let before = match prepared.patterns.matching() {
        Ok(before) => before,
        Err(reason) => return Ok(Err(reason)),
    };
    let (directory, variables) = tool.place();
    let process = Process {
        command: &prepared.command,
        variables,
        directory,
        timeout_ms,
        grace_ms: GRACE_MS,
        seed,
        secrets: &prepared.secrets,
    };
    let end = ground.run_process(&process, provided.sandbox)?;
    if let Ending::NotStarted { .. } | Ending::Cancelled | Ending::Lost(_) = &end.ending {
        return Ok(Err(format!("the command {}", end.in_words())));
    }
    let mask = Mask::new(
        provided
            .sandbox
            .secrets
            .iter()
            .chain(&prepared.secrets)
            .cloned(),
    );
    Ok(prepared.patterns.matching().map(|now| {
        let (files, stale) = now.written_since(&before);
        let interrupted = (end.ending == Ending::TimedOut).then_some(call.timeout_factor);
        let mut said = read(&files, tool, &mask, interrupted);
        said.heard.stale = stale;
        (end, said)
    }))
}

/// Returns the trial of a case; none where the test was running when the command was interrupted.
fn reported(
    case: &Case,
    (id, tool): (&TestId, &dyn Tool),
    interrupted: Option<u32>,
    mask: &Mask,
) -> Option<Reported> {
    let fate = interrupted.map_or(Fate::Ended(case.trial.outcome), |factor| {
        let limit_ms = tool.limit_ms(id);
        cut_short::fate(case, limit_ms.map(|ms| ms.saturating_mul(factor.into())))
    });
    let Fate::Ended(outcome) = fate else {
        return None;
    };
    let changed = (outcome != case.trial.outcome).then(|| {
        let mut case = case.clone();
        case.trial.outcome = outcome;
        case
    });
    let case = changed.as_ref().unwrap_or(case);
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Some(Reported {
        id: id.clone(),
        outcome,
        duration_us: case.trial.duration.map_or(0, micros),
        failure: failing::describe(case, mask).map(Box::new),
    })
}

/// Reads reports. Those of a command that was interrupted come with the factor of its time limits.
fn read(files: &[PathBuf], tool: &dyn Tool, mask: &Mask, interrupted: Option<u32>) -> Said {
    let mut said = Said::default();
    let mut names = Names::new(Rules::default());
    for file in files {
        let mut trials = Vec::new();
        // The directory of a pass is gone when somebody reads what is said of it.
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut take = |case: &Case| {
            // pytest writes a case without a name for the test that was interrupted.
            if interrupted.is_some() && case.name.is_empty() {
                return;
            }
            let placed = names.place(case, &name);
            let id = tool.identify(case).unwrap_or(placed.id);
            said.names.push((id.clone(), Named::of(case)));
            match reported(case, (&id, tool), interrupted, mask) {
                Some(trial) => trials.push(trial),
                None => said.heard.running.push(id),
            }
        };
        let summary = inputs::read(&Input::File(file.clone()), &Limits::default(), &mut take);
        if let Some(broken) = summary.broken() {
            let broken = junit::Problem {
                source: name,
                ..broken.clone()
            };
            said.heard.broken.push(broken.to_string());
            continue;
        }
        said.heard.whole += 1;
        said.heard.trials.append(&mut trials);
        let script = summary
            .problems
            .iter()
            .find(|problem| problem.kind == ProblemKind::SetupScript);
        if let Some(problem) = script {
            said.heard
                .not_provided
                .get_or_insert(problem.message.clone());
        }
    }
    said.heard.names = names.finish().iter().map(ToString::to_string).collect();
    said
}
