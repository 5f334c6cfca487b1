//! One test over runs, and its trials in one run.
//!
//! There is no index by test: it would make writing slower by an order of magnitude. Instead every pass of every run is
//! asked about the test, which takes a few microseconds each, because a pass says in a few bytes which tests passed.
//! Runs within one read transaction of the caller. Must not write.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::code::{Code, outcome_from_code};
use super::error::{Fault, damaged};
use super::output::MAX_RUN_BYTES;
use super::pass::COMPLETED;
use super::reader::Reader;
use super::row::{Outputs, PASS_COLUMNS, TRIAL_COLUMNS, plain_pass, read_pass, read_trial};
use super::sequence::{Stretch, rank, stretches};
use super::text::{self, hash_of};
use super::wire;
use super::{PassSummary, TestHistoryRow, TestTrial, TrialCount};
use crate::domain::{
    Arm, CapturedOutput, Observation, Outcome, Phase, RunId, TestId, TestIndex, Verdict,
    VerdictKind,
};

/// Returns the key of a test; none where no run ever listed it.
fn key_of(connection: &Connection, test: &TestId) -> Result<Option<i64>, Fault> {
    let binary = &test.binary.0;
    let Some(binary) = text::find(connection, hash_of([binary.as_bytes()]), binary)? else {
        return Ok(None);
    };
    let mut select =
        connection.prepare_cached("SELECT id FROM test WHERE binary = ?1 AND name = ?2")?;
    Ok(select
        .query_row(params![binary, test.test], |row| row.get(0))
        .optional()?)
}

/// Returns where the test with this key is in a run's list.
fn position_of(ids: &[u8], test: i64) -> Result<Option<TestIndex>, Fault> {
    let mut before = 0_i64;
    for stretch in stretches(ids) {
        let Stretch { start, length } = stretch?;
        if (start..start + length).contains(&test) {
            let position = before.checked_add(test - start).map(u32::try_from);
            let Some(Ok(position)) = position else { break };
            return Ok(Some(TestIndex(position)));
        }
        before = before.saturating_add(length);
    }
    Ok(None)
}

/// Returns every stored trial of a test in a run, in the order of pass and attempt.
pub(super) fn trials_of(
    reader: &mut Reader<'_>,
    run: RunId,
    test: &TestId,
) -> Result<Vec<TestTrial>, Fault> {
    let connection = reader.connection;
    let (key, tests) = reader.key_of(run)?;
    let ids: Vec<u8> =
        connection.query_row("SELECT tests FROM run WHERE id = ?1", [key], |row| {
            row.get(0)
        })?;
    let position = match key_of(connection, test)? {
        Some(test) => position_of(&ids, test)?,
        None => None,
    };
    let Some(position) = position else {
        return Ok(Vec::new());
    };
    let mut passes = connection.prepare_cached(&format!(
        "SELECT {PASS_COLUMNS} FROM pass WHERE run = ?1 ORDER BY number"
    ))?;
    let mut single = connection.prepare_cached(&format!(
        "SELECT {TRIAL_COLUMNS}, output.stdout, output.stdout_omitted, output.stderr, output.stderr_omitted
         FROM trial LEFT JOIN output ON output.id = trial.output
         WHERE trial.run = ?1 AND trial.pass = ?2 AND trial.test = ?3 ORDER BY trial.attempt"
    ))?;
    let mut rows = passes.query([key])?;
    let (mut trials, mut room) = (Vec::new(), MAX_RUN_BYTES);
    while let Some(row) = rows.next()? {
        let pass = read_pass(row, tests, (connection, &mut reader.texts))?;
        let mut seen = Vec::new();
        if let Some(duration) = pass.packed_duration(tests, position)? {
            seen.push(plain_pass(position.0, duration));
        }
        let mut rows = single.query(params![key, pass.spec.number, position.0])?;
        while let Some(row) = rows.next()? {
            let texts = (connection, &mut reader.texts);
            let mut observation = read_trial(row, tests, Outputs::Read, texts)?;
            if seen
                .last()
                .is_some_and(|last: &Observation| last.attempt >= observation.attempt)
            {
                return Err(damaged("a pass holds a trial twice"));
            }
            fit_output(&mut observation, &mut room);
            seen.push(observation);
        }
        let summary = PassSummary {
            number: pass.spec.number,
            phase: pass.spec.phase,
            arm: pass.spec.arm,
            scope: pass.spec.scope,
            timeout_factor: pass.spec.timeout_factor,
            end: pass.end.map(|(end, _)| end),
        };
        trials.extend(seen.into_iter().map(|observation| TestTrial {
            pass: summary.clone(),
            environment: pass.environment.clone(),
            observation,
        }));
    }
    Ok(trials)
}

/// Leaves out what a trial printed where there is no room for it: trials share outputs, and a small file could hold
/// very many trials with the same long one.
fn fit_output(observation: &mut Observation, room: &mut u64) {
    let Some(failure) = &mut observation.failure else {
        return;
    };
    let output = &mut failure.output;
    let (stdout, stderr) = (output.stdout.len() as u64, output.stderr.len() as u64);
    match room.checked_sub(stdout + stderr) {
        Some(left) => *room = left,
        None => {
            *output = CapturedOutput {
                stdout_omitted: output.stdout_omitted.saturating_add(stdout),
                stderr_omitted: output.stderr_omitted.saturating_add(stderr),
                ..CapturedOutput::default()
            };
        }
    }
}

/// Returns what every run that listed a test saw of it, newest first.
pub(super) fn history_of(
    reader: &mut Reader<'_>,
    test: &TestId,
) -> Result<Vec<TestHistoryRow>, Fault> {
    let connection = reader.connection;
    let Some(test) = key_of(connection, test)? else {
        return Ok(Vec::new());
    };
    let mut runs = connection.prepare_cached(
        "SELECT id, name, test_count, tests, header FROM run ORDER BY started DESC, id DESC",
    )?;
    let mut rows = runs.query([])?;
    let mut history = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, tests) = (row.get(0)?, row.get(2)?);
        let ids = row.get_ref(3)?.as_blob();
        let ids = ids.map_err(|_| damaged("a list of tests is garbled"))?;
        let Some(position) = position_of(ids, test)? else {
            continue;
        };
        let summary = wire::read_summary(&row.get::<_, String>(4)?)?;
        let counts = counts_of(connection, (key, tests), position)?;
        history.push(TestHistoryRow {
            run: RunId(u128::from_be_bytes(row.get(1)?)),
            started_at: summary.started_at,
            commit: summary.commit,
            dirty: summary.dirty,
            verdict: verdict_of(reader, (key, tests), position)?,
            baseline: counts.get(&Arm::Baseline).copied().unwrap_or_default(),
            target: counts.get(&Arm::Target).copied().unwrap_or_default(),
        });
    }
    Ok(history)
}

/// Returns the verdict on a test of a run.
fn verdict_of(
    reader: &mut Reader<'_>,
    (run, tests): (i64, u32),
    position: TestIndex,
) -> Result<Option<Verdict>, Fault> {
    let connection = reader.connection;
    let mut select =
        connection.prepare_cached("SELECT kind, reason, tests FROM verdict WHERE run = ?1")?;
    let mut rows = select.query([run])?;
    while let Some(row) = rows.next()? {
        let members: Vec<u8> = row.get(2)?;
        if rank(&members, tests, position.0)?.is_some() {
            return Ok(Some(Verdict {
                kind: VerdictKind::from_code(row.get(0)?)?,
                reason: reader.texts.text(connection, row.get(1)?)?.to_owned(),
            }));
        }
    }
    Ok(None)
}

/// Counts the first attempts of a test in the completed passes of a run.
fn counts_of(
    connection: &Connection,
    (run, tests): (i64, u32),
    position: TestIndex,
) -> Result<BTreeMap<Arm, TrialCount>, Fault> {
    let mut passes = connection.prepare_cached(
        "SELECT number, phase, arm, passed FROM pass WHERE run = ?1 AND ending = ?2 ORDER BY number",
    )?;
    let mut single = connection.prepare_cached(
        "SELECT outcome FROM trial WHERE run = ?1 AND pass = ?2 AND test = ?3 AND attempt = 0",
    )?;
    let mut counts: BTreeMap<Arm, TrialCount> = BTreeMap::new();
    let mut rows = passes.query([run, COMPLETED])?;
    while let Some(row) = rows.next()? {
        let number: u32 = row.get(0)?;
        if matches!(
            Phase::from_code(row.get(1)?)?,
            Phase::MassRepeat | Phase::TimeoutCheck
        ) {
            continue;
        }
        let count = counts.entry(Arm::from_code(row.get(2)?)?).or_default();
        let passed = row.get_ref(3)?.as_blob();
        let passed = passed.map_err(|_| damaged("a packed sequence is not stored as one"))?;
        let outcome = match rank(passed, tests, position.0)? {
            Some(_) => Some(Outcome::Passed),
            None => {
                let code = single.query_row(params![run, number, position.0], |row| row.get(0));
                code.optional()?.map(outcome_from_code).transpose()?
            }
        };
        if let Some(outcome) = outcome.filter(|outcome| counts_as_trial(*outcome)) {
            count.trials = count.trials.saturating_add(1);
            count.failures = count
                .failures
                .saturating_add(u32::from(outcome.is_failure()));
        }
    }
    Ok(counts)
}

/// Returns whether an outcome says something of the test: it ran, and somebody saw how it ended.
pub(super) fn counts_as_trial(outcome: Outcome) -> bool {
    outcome.is_trial() && outcome != Outcome::NotReported
}
