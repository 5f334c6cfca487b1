//! One row of a table as a domain value, every column checked; and the trials of a pass put together from rows and blobs.
//!
//! Must not know which query a row came from, beyond the columns it names here.

use rusqlite::{Connection, Row};

use super::code::{Code, outcome_from_code};
use super::error::{Fault, damaged};
use super::output::MAX_STREAM_BYTES;
use super::pass::{COMPLETED, DISCARDED, DISTURBED};
use super::run_log::MAX_LINE_BYTES;
use super::sequence::{positions, take_number};
use super::text::TextReader;
use super::wire;
use crate::domain::{
    CapturedOutput, Environment, Failure, MachineLoad, Observation, Origin, Outcome, PassEnd,
    PassSpec, Phase, TestIndex,
};

/// The columns of a pass, in the order [`read_pass`] takes them.
pub(super) const PASS_COLUMNS: &str = "number, phase, arm, target_probability, scope, arm_pass, order_seed, \
     timeout_factor, environment, ending, reason, elapsed_ms, tests, passed, durations, foreign_load, cpus, origin";

/// The first columns of a trial, in the order [`read_trial`] takes them. Four of its output follow.
pub(super) const TRIAL_COLUMNS: &str = "trial.test, trial.attempt, trial.outcome, trial.duration, trial.leaked, \
     trial.signature, trial.message, trial.output";

/// Where texts are looked up.
pub(super) type Texts<'t, 'c> = (&'c Connection, &'t mut TextReader);

/// A pass without the trials that have rows.
pub(super) struct PassRow {
    /// What was asked for.
    pub(super) spec: PassSpec,
    /// The knob values it ran under.
    pub(super) environment: Environment,
    /// How it ended.
    pub(super) end: Option<(PassEnd, u64)>,
    /// What other programs took meanwhile.
    pub(super) machine: Option<MachineLoad>,
    /// Where its results came from.
    pub(super) origin: Option<Box<Origin>>,
    passed: Option<Vec<u8>>,
    durations: Option<Vec<u8>>,
}

/// What the last columns of a trial hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outputs {
    /// The texts of both streams.
    Read,
    /// The lengths of the texts, which are counted as left out.
    LeaveOut,
}

/// Returns the pass in a row of [`PASS_COLUMNS`] of a run with `tests` tests.
pub(super) fn read_pass(
    row: &Row<'_>,
    tests: u32,
    (connection, texts): Texts<'_, '_>,
) -> Result<PassRow, Fault> {
    let target_probability: f64 = row.get(3)?;
    if !(0.0..=1.0).contains(&target_probability) {
        return Err(damaged(format!(
            "a pass has probability {target_probability}"
        )));
    }
    let listed = positions(row.get_ref(12)?.as_blob().map_err(not_a_blob)?, tests)?;
    let spec = PassSpec {
        number: row.get(0)?,
        phase: Code::from_code(row.get(1)?)?,
        arm: Code::from_code(row.get(2)?)?,
        target_probability,
        scope: Code::from_code(row.get(4)?)?,
        tests: listed.into_iter().map(TestIndex).collect(),
        arm_pass: row.get(5)?,
        order_seed: row.get::<_, i64>(6)?.cast_unsigned(),
        timeout_factor: row.get(7)?,
    };
    let environment = wire::read_environment(texts.text(connection, row.get(8)?)?)?;
    let end = match row.get(9)? {
        None => None,
        Some(COMPLETED) => Some(PassEnd::Completed),
        Some(DISCARDED) => Some(PassEnd::Discarded {
            reason: texts.text(connection, row.get(10)?)?.to_owned(),
        }),
        Some(DISTURBED) => Some(PassEnd::Disturbed {
            reason: texts.text(connection, row.get(10)?)?.to_owned(),
        }),
        Some(other) => return Err(damaged(format!("{other} is no end of a pass"))),
    };
    let origin: Option<String> = row.get(17)?;
    let origin = origin.map(|text| wire::read_origin(&text)).transpose()?;
    if origin.is_some() != (spec.phase == Phase::Ingested) {
        return Err(damaged(
            "a pass of ours has an origin elsewhere, or one from elsewhere has none",
        ));
    }
    Ok(PassRow {
        origin: origin.map(Box::new),
        spec,
        environment,
        end: match end {
            Some(end) => Some((end, unsigned(row, 11)?)),
            None => None,
        },
        machine: match (row.get(15)?, row.get(16)?) {
            (Some(foreign), Some(cpus)) => Some(MachineLoad { foreign, cpus }),
            _ => None,
        },
        passed: row.get(13)?,
        durations: row.get(14)?,
    })
}

impl PassRow {
    /// Returns position and duration of the trials that are packed, in order.
    pub(super) fn packed(&self, tests: u32) -> Result<Vec<(u32, u64)>, Fault> {
        let passed = positions(self.passed.as_deref().unwrap_or_default(), tests)?;
        let mut durations = self.durations.as_deref().unwrap_or_default();
        let packed: Option<Vec<_>> = passed
            .into_iter()
            .map(|test| Some((test, take_number(&mut durations)?)))
            .collect();
        packed
            .filter(|_| durations.is_empty())
            .ok_or_else(|| damaged("the durations of a pass are garbled"))
    }

    /// Returns the duration of the trial of `test`, if it is packed.
    pub(super) fn packed_duration(
        &self,
        tests: u32,
        test: TestIndex,
    ) -> Result<Option<u64>, Fault> {
        let passed = self.passed.as_deref().unwrap_or_default();
        let Some(rank) = super::sequence::rank(passed, tests, test.0)? else {
            return Ok(None);
        };
        let mut durations = self.durations.as_deref().unwrap_or_default();
        for _ in 0..rank {
            take_number(&mut durations);
        }
        match take_number(&mut durations) {
            Some(duration) => Ok(Some(duration)),
            None => Err(damaged("the durations of a pass are garbled")),
        }
    }
}

/// Returns the trial in a row of [`TRIAL_COLUMNS`] and the four columns that `outputs` says.
pub(super) fn read_trial(
    row: &Row<'_>,
    tests: u32,
    outputs: Outputs,
    (connection, texts): Texts<'_, '_>,
) -> Result<Observation, Fault> {
    let test = row.get(0)?;
    if test >= tests {
        return Err(damaged("a trial names a test that is not listed"));
    }
    let failure = match (row.get(5)?, row.get(6)?, row.get::<_, Option<i64>>(7)?) {
        (None, None::<i64>, None) => None,
        (Some(signature), Some(message), Some(_)) => Some(Failure {
            signature: line(texts.text(connection, signature)?)?,
            message: line(texts.text(connection, message)?)?,
            output: read_output(row, outputs)?,
        }),
        _ => return Err(damaged("a failure is incomplete")),
    };
    Ok(Observation {
        test: TestIndex(test),
        attempt: row.get(1)?,
        outcome: outcome_from_code(row.get(2)?)?,
        duration_us: unsigned(row, 3)?,
        failure: failure.map(Box::new),
        leaked: row.get(4)?,
    })
}

/// Returns the output in columns 8 to 11.
fn read_output(row: &Row<'_>, outputs: Outputs) -> Result<CapturedOutput, Fault> {
    let (stdout_omitted, stderr_omitted) = (unsigned(row, 9)?, unsigned(row, 11)?);
    Ok(match outputs {
        Outputs::Read => CapturedOutput {
            stdout: stream(row, 8)?,
            stdout_omitted,
            stderr: stream(row, 10)?,
            stderr_omitted,
        },
        Outputs::LeaveOut => CapturedOutput {
            stdout: Vec::new(),
            stdout_omitted: stdout_omitted.saturating_add(unsigned(row, 8)?),
            stderr: Vec::new(),
            stderr_omitted: stderr_omitted.saturating_add(unsigned(row, 10)?),
        },
    })
}

/// Returns a text that many trials may share, and so must not be long.
fn line(text: &str) -> Result<String, Fault> {
    if text.len() > MAX_LINE_BYTES {
        return Err(damaged("a line is longer than can be"));
    }
    Ok(text.to_owned())
}

/// Returns what a trial wrote to one stream, which many trials may share.
fn stream(row: &Row<'_>, column: usize) -> Result<Vec<u8>, Fault> {
    let bytes = row.get_ref(column)?.as_blob().map_err(not_a_blob)?;
    if bytes.len() > MAX_STREAM_BYTES {
        return Err(damaged("an output is longer than can be"));
    }
    Ok(bytes.to_owned())
}

/// Returns a trial that was packed.
pub(super) fn plain_pass(test: u32, duration_us: u64) -> Observation {
    Observation {
        test: TestIndex(test),
        attempt: 0,
        outcome: Outcome::Passed,
        duration_us,
        failure: None,
        leaked: 0,
    }
}

/// Returns the trials of a pass in the order of test and attempt, from those with rows of their own and those packed.
pub(super) fn merge(
    single: Vec<Observation>,
    packed: &[(u32, u64)],
) -> Result<Vec<Observation>, Fault> {
    let mut all = Vec::with_capacity(single.len() + packed.len());
    let mut packed = packed.iter().copied().peekable();
    for observation in single {
        while let Some((test, duration)) = packed.next_if(|(test, _)| *test <= observation.test.0) {
            // A packed trial is a first attempt. One that has a row as well is found below.
            all.push(plain_pass(test, duration));
        }
        all.push(observation);
    }
    all.extend(packed.map(|(test, duration)| plain_pass(test, duration)));
    match all.is_sorted_by(|a, b| (a.test, a.attempt) < (b.test, b.attempt)) {
        true => Ok(all),
        false => Err(damaged("a pass holds a trial twice")),
    }
}

/// Returns a number that cannot be negative.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64, Fault> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| damaged(format!("{number} is negative")))
}

fn not_a_blob(error: rusqlite::types::FromSqlError) -> Fault {
    damaged(format!("a column is not of its type ({error})"))
}
