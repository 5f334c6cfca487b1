//! Observations as CSV, one line each: those of a run and of the runs it joined, of completed passes that count. `ingest`
//! reads them back.

use std::io;

use crate::domain::{Arm, PassName, PassRecord, StoredRun, TestId};
use crate::ingest::csv::{COLUMNS, guard, seconds};

/// Writes what `run` and the earlier runs it joined observed of the tests that are `wanted`, those of the earlier ones first.
/// Passes are in order, and within a pass tests by name, trials of one test by attempt.
///
/// # Errors
/// Those of `out`.
pub fn write_some(
    (run, joined): (&StoredRun, &[StoredRun]),
    wanted: &dyn Fn(&TestId) -> bool,
    out: impl io::Write,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS).map_err(of_writing)?;
    for run in joined.iter().chain([run]) {
        let id = run.header.id.to_string();
        let own_commit = run.header.revision.as_ref();
        let own_commit = own_commit.map_or("", |revision| revision.commit.as_str());
        for pass in run.passes.iter().filter(|pass| counts(pass)) {
            let (block, commit) = match &pass.origin {
                Some(origin) => (
                    origin.block.name.as_deref().unwrap_or_default(),
                    origin.block.commit.as_deref().unwrap_or_default(),
                ),
                None => ("", own_commit),
            };
            // A pass that came as CSV is still the one it was: whoever knows it must not count it again.
            let origin = pass.origin.as_deref();
            let named = origin.and_then(|origin| PassName::of_part(&origin.part));
            let id = named.map_or_else(|| id.clone(), |named| named.run.to_string());
            let number = named
                .map_or(pass.spec.number, |named| named.pass)
                .to_string();
            let arm = pass.spec.arm.to_string();
            let profile = match pass.spec.arm {
                Arm::Baseline => &run.header.baseline.name,
                Arm::Target => &run.header.target.name,
            };
            let at = origin.and_then(|origin| origin.at_us);
            let at = at.and_then(|at| jiff::Timestamp::from_microsecond(at).ok());
            let at = at.map_or_else(String::new, |at| at.to_string());
            for seen in &pass.observations {
                let test = run.tests.get(seen.test.get());
                let Some(test) = test.filter(|test| wanted(&test.id)) else {
                    continue;
                };
                let failure = seen.failure.as_ref();
                let signature = failure.map_or("", |failure| failure.signature.as_str());
                let written = writer.write_record([
                    guard(&id).as_ref(),
                    &guard(block),
                    &number,
                    &arm,
                    &guard(&test.id.binary.0),
                    &guard(&test.id.test),
                    &seen.outcome.to_string(),
                    &seconds(seen.duration_us),
                    &guard(signature),
                    &guard(commit),
                    &at,
                    &guard(profile),
                ]);
                written.map_err(of_writing)?;
            }
        }
    }
    writer.flush()
}

/// Returns the error of the writer below: whoever prints tells a reader that went away from a full disk.
fn of_writing(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Returns whether the trials of a pass count: it was completed, and is neither a repeat nor a check.
fn counts(pass: &PassRecord) -> bool {
    pass.is_completed() && !pass.spec.phase.is_check()
}

#[cfg(test)]
mod tests;
