//! Attributions: what experiments showed of a test of a run. Their trials are kept apart from those of passes, so that no
//! verdict can rest on them.
//!
//! One process writes an attribution at a time; another run may be made meanwhile, and may join this one.

use rusqlite::{Connection, OptionalExtension, params};

use super::connection::Handle;
use super::error::{Fault, StoreError, damaged, not_storable};
use super::run_lock::RunLock;
use super::{AttributionLog, wire};
use crate::domain::{Attribution, AttributionTrial, RunId, StoredAttribution, TestIndex};

/// Trials of one attribution that are read at most: far beyond any budget.
pub(super) const MAX_TRIALS: i64 = 100_000;

/// The longest name of a question, in bytes.
pub(super) const MAX_QUESTION_BYTES: usize = 1 << 10;

/// An attribution that is being made.
#[derive(Debug)]
pub(super) struct SqliteAttributionLog {
    // Fields are dropped in this order: the file is closed before the lock is given back.
    handle: Handle,
    key: i64,
    next: i64,
    trials: Vec<AttributionTrial>,
    _lock: RunLock,
}

/// Returns the id whose lock says that attributions of this run are being made: not that of the run itself, which may be
/// joined meanwhile.
pub(super) fn lock_id(run: RunId) -> RunId {
    RunId(!run.0)
}

/// Opens an attribution, or goes on with the one that is there.
pub(super) fn open(
    handle: Handle,
    lock: RunLock,
    (run, tests): (i64, u32),
    (test, question): (TestIndex, &str),
) -> Result<SqliteAttributionLog, Fault> {
    if test.0 >= tests || question.len() > MAX_QUESTION_BYTES {
        return Err(not_storable("an attribution of a test that is not listed"));
    }
    let connection = &handle.connection;
    connection.execute(
        "INSERT INTO attribution (run, test, question) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![run, test.0, question],
    )?;
    let key = connection.query_row(
        "SELECT id FROM attribution WHERE run = ?1 AND test = ?2 AND question = ?3",
        params![run, test.0, question],
        |row| row.get(0),
    )?;
    let trials = read_trials(connection, key, tests)?;
    let last: Option<i64> = connection
        .query_row(
            "SELECT max(number) FROM attribution_trial WHERE attribution = ?1",
            [key],
            |row| row.get(0),
        )
        .optional()?
        .flatten();
    Ok(SqliteAttributionLog {
        handle,
        key,
        next: last.unwrap_or(0).saturating_add(1),
        trials,
        _lock: lock,
    })
}

fn read_trials(
    connection: &Connection,
    key: i64,
    tests: u32,
) -> Result<Vec<AttributionTrial>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT body FROM attribution_trial WHERE attribution = ?1 ORDER BY number LIMIT ?2",
    )?;
    let mut rows = select.query([key, MAX_TRIALS])?;
    let mut trials = Vec::new();
    while let Some(row) = rows.next()? {
        let trial = wire::read_attribution_trial(&row.get::<_, String>(0)?)?;
        if trial.test.0 >= tests {
            return Err(damaged(
                "an attribution has a trial of a test that is not listed",
            ));
        }
        trials.push(trial);
    }
    Ok(trials)
}

/// Returns the attributions of a run, in the order of tests, those without an end left out.
pub(super) fn of_run(
    connection: &Connection,
    (run, tests): (i64, u32),
) -> Result<Vec<StoredAttribution>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT test, question, result FROM attribution
         WHERE run = ?1 AND result IS NOT NULL ORDER BY test, question",
    )?;
    let mut rows = select.query([run])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let test: i64 = row.get(0)?;
        let test = u32::try_from(test).ok().filter(|test| *test < tests);
        let test = test.ok_or_else(|| damaged("an attribution is of a test that is not listed"))?;
        found.push(StoredAttribution {
            test: TestIndex(test),
            question: row.get(1)?,
            attribution: wire::read_attribution(&row.get::<_, String>(2)?)?,
        });
    }
    Ok(found)
}

impl SqliteAttributionLog {
    fn at(&self, fault: impl Into<Fault>) -> StoreError {
        fault.into().at(&self.handle.path)
    }
}

impl AttributionLog for SqliteAttributionLog {
    fn trials(&self) -> &[AttributionTrial] {
        &self.trials
    }

    fn append(&mut self, trial: &AttributionTrial) -> Result<(), StoreError> {
        self.handle.check_present()?;
        let body = wire::write_attribution_trial(trial).map_err(|fault| self.at(fault))?;
        self.handle
            .connection
            .execute(
                "INSERT INTO attribution_trial (attribution, number, body) VALUES (?1, ?2, ?3)",
                params![self.key, self.next, body],
            )
            .map_err(|error| self.at(error))?;
        self.next += 1;
        self.trials.push(trial.clone());
        Ok(())
    }

    fn end(&mut self, attribution: &Attribution) -> Result<(), StoreError> {
        self.handle.check_present()?;
        let result = wire::write_attribution(attribution).map_err(|fault| self.at(fault))?;
        self.handle
            .connection
            .execute(
                "UPDATE attribution SET result = ?1 WHERE id = ?2",
                params![result, self.key],
            )
            .map_err(|error| self.at(error))?;
        Ok(())
    }
}
