//! What the newest runs saw fail: all that scheduling asks of the past.
//!
//! Only failing trials have rows of their own, so that runs in which nothing failed cost a few microseconds a pass. Runs
//! within one read transaction of the caller. Must not write.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::TrialCount;
use super::code::{Code, outcome_from_code};
use super::error::{Fault, damaged};
use super::history::counts_as_trial;
use super::pass::COMPLETED;
use super::reader::Reader;
use super::sequence::{Stretch, position_stretches, rank, stretches};
use super::wire;
use crate::domain::{Arm, Environment, Outcome, Phase, RunId, TestId, Verdict, VerdictKind};
use crate::history::{PastFailure, PastRun};

/// A pass that counts.
struct Pass {
    number: u32,
    arm: Arm,
    environment: i64,
    passed: Vec<u8>,
}

/// Returns what the `limit` newest runs but those of `except` saw fail, newest first.
pub(super) fn failures_before(
    reader: &mut Reader<'_>,
    limit: usize,
    except: &[RunId],
) -> Result<Vec<PastRun>, Fault> {
    let connection = reader.connection;
    let mut runs = connection.prepare_cached(
        "SELECT id, name, test_count, tests FROM run ORDER BY started DESC, id DESC",
    )?;
    let mut rows = runs.query([])?;
    let mut past = Vec::new();
    while let Some(row) = rows.next()? {
        if past.len() >= limit {
            break;
        }
        let id = RunId(u128::from_be_bytes(row.get(1)?));
        if except.contains(&id) {
            continue;
        }
        let ids = row.get_ref(3)?.as_blob();
        let ids = ids.map_err(|_| damaged("a list of tests is garbled"))?;
        let failed = failures_of(reader, (row.get(0)?, row.get(2)?), ids)?;
        past.push(PastRun { id, failed });
    }
    Ok(past)
}

/// Returns what one run saw fail.
fn failures_of(
    reader: &mut Reader<'_>,
    (run, tests): (i64, u32),
    ids: &[u8],
) -> Result<Vec<PastFailure>, Fault> {
    let passes = passes_of(reader.connection, run)?;
    let mut seen = single_trials(reader.connection, (run, tests), &passes)?;
    // What never failed is of no interest here, and neither is how often a failing test passed in the baseline.
    seen.retain(|_, trials| trials.iter().any(|(_, failed)| *failed));
    let verdicts = verdicts_of(reader, (run, tests), &seen)?;
    let mut failed = Vec::with_capacity(seen.len());
    for (position, trials) in seen {
        let mut failure = PastFailure {
            test: test_at(reader, ids, position)?,
            verdict: verdicts.get(&position).cloned(),
            baseline_failures: 0,
            target: BTreeMap::new(),
        };
        for (pass, failed) in passing(&passes, tests, position)?.into_iter().chain(trials) {
            let Pass {
                arm, environment, ..
            } = &passes[pass];
            match arm {
                Arm::Baseline => failure.baseline_failures += u32::from(failed),
                Arm::Target => {
                    let environment = environment_of(reader, *environment)?;
                    let count: &mut TrialCount = failure.target.entry(environment).or_default();
                    count.trials += 1;
                    count.failures += u32::from(failed);
                }
            }
        }
        failed.push(failure);
    }
    Ok(failed)
}

/// Returns the completed passes of a run that are evidence.
fn passes_of(connection: &Connection, run: i64) -> Result<Vec<Pass>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT number, phase, arm, environment, passed FROM pass
         WHERE run = ?1 AND ending = ?2 ORDER BY number",
    )?;
    let mut rows = select.query([run, COMPLETED])?;
    let mut passes = Vec::new();
    while let Some(row) = rows.next()? {
        let phase = Phase::from_code(row.get(1)?)?;
        if !matches!(phase, Phase::MassRepeat | Phase::TimeoutCheck) {
            passes.push(Pass {
                number: row.get(0)?,
                arm: Arm::from_code(row.get(2)?)?,
                environment: row.get(3)?,
                passed: row.get::<_, Option<Vec<u8>>>(4)?.unwrap_or_default(),
            });
        }
    }
    Ok(passes)
}

/// Returns the first attempts with rows of their own, by position: in which of `passes`, and whether they failed.
fn single_trials(
    connection: &Connection,
    (run, tests): (i64, u32),
    passes: &[Pass],
) -> Result<BTreeMap<u32, Vec<(usize, bool)>>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT test, outcome FROM trial WHERE run = ?1 AND pass = ?2 AND attempt = 0",
    )?;
    let mut seen: BTreeMap<u32, Vec<(usize, bool)>> = BTreeMap::new();
    for (place, pass) in passes.iter().enumerate() {
        let mut rows = select.query(params![run, pass.number])?;
        while let Some(row) = rows.next()? {
            let position: u32 = row.get(0)?;
            if position >= tests {
                return Err(damaged("a trial names a test that is not listed"));
            }
            let outcome: Outcome = outcome_from_code(row.get(1)?)?;
            if counts_as_trial(outcome) {
                let trials = seen.entry(position).or_default();
                trials.push((place, outcome.is_failure()));
            }
        }
    }
    Ok(seen)
}

/// Returns the passes in which the test at `position` passed without a row of its own.
fn passing(passes: &[Pass], tests: u32, position: u32) -> Result<Vec<(usize, bool)>, Fault> {
    let mut found = Vec::new();
    for (place, pass) in passes.iter().enumerate() {
        if rank(&pass.passed, tests, position)?.is_some() {
            found.push((place, false));
        }
    }
    Ok(found)
}

/// Returns the verdicts of a run on the tests of `seen`.
fn verdicts_of<T>(
    reader: &mut Reader<'_>,
    (run, tests): (i64, u32),
    seen: &BTreeMap<u32, T>,
) -> Result<BTreeMap<u32, Verdict>, Fault> {
    let connection = reader.connection;
    let mut select =
        connection.prepare_cached("SELECT kind, reason, tests FROM verdict WHERE run = ?1")?;
    let mut rows = select.query([run])?;
    let mut verdicts = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let verdict = Verdict {
            kind: VerdictKind::from_code(row.get(0)?)?,
            reason: reader.texts.text(connection, row.get(1)?)?.to_owned(),
        };
        let members: Vec<u8> = row.get(2)?;
        for stretch in position_stretches(&members, tests) {
            let (start, length) = stretch?;
            for (position, _) in seen.range(start..start + length) {
                verdicts.insert(*position, verdict.clone());
            }
        }
    }
    Ok(verdicts)
}

/// Returns the test at a position of a run's list.
fn test_at(reader: &mut Reader<'_>, ids: &[u8], position: u32) -> Result<TestId, Fault> {
    let connection = reader.connection;
    let mut left = i64::from(position);
    for stretch in stretches(ids) {
        let Stretch { start, length } = stretch?;
        if left >= length {
            left -= length;
            continue;
        }
        let mut select =
            connection.prepare_cached("SELECT binary, name FROM test WHERE id = ?1")?;
        let mut rows = select.query([start + left])?;
        let Some(row) = rows.next()? else { break };
        let binary = reader.texts.text(connection, row.get(0)?)?;
        return Ok(TestId::new(binary, row.get::<_, String>(1)?));
    }
    Err(damaged("a list names tests that are missing"))
}

fn environment_of(reader: &mut Reader<'_>, text: i64) -> Result<Environment, Fault> {
    wire::read_environment(reader.texts.text(reader.connection, text)?)
}
