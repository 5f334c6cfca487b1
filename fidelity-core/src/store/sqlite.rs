//! The store in one file beside the workspace: [`Store`] over SQLite.
//!
//! One connection reads; each run that is written has its own. Must not know how values are packed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::connection::{Absent, Handle};
use super::error::{Fault, StoreError};
use super::new_run::insert_run;
use super::pass::COMPLETED;
use super::reader::Reader;
use super::row::unsigned;
use super::run_id::{id_at, ids_that_begin_with};
use super::run_lock::RunLock;
use super::run_log::{SqliteRunLog, State};
use super::search::{self, SqliteSearchLog};
use super::standing::{is_final, state_of};
use super::{
    AttributionLog, ComparableRun, IngestedPass, LastVerdict, RunLog, RunSummary, RunTally,
    SearchLog, Store, StoredSearch, TestHistoryRow, TestTrial, attribution, code, history,
    ingested, last, location, past, tally, wire,
};
use crate::domain::{
    Fingerprint, ListedTest, RunHeader, RunId, Seed, StoredAttribution, StoredRun, TestId,
    TestIndex,
};
use crate::history::PastRun;

/// How many runs an ambiguous prefix names.
const AMBIGUOUS_SHOWN: i64 = 10;

/// A store in a file.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) handle: Handle,
    pub(super) locks: PathBuf,
}

impl SqliteStore {
    /// Opens the store at `file`, which must exist. Where it cannot be written it is opened for reading.
    ///
    /// # Errors
    /// [`StoreError::NoStore`], [`StoreError::NotAStore`], [`StoreError::TooNew`], [`StoreError::Corrupt`] for a file
    /// that is damaged in a way that shows at once, and others where it could not be read.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        Self::with(file, Absent::Refuse)
    }

    /// Opens the store at `file`, or makes it. The directory must exist, but for the one of a workspace's own store (see
    /// [`super::workspace_store`]), which is made and hides itself from version control.
    ///
    /// # Errors
    /// Those of [`Self::open`], and [`StoreError::ReadOnly`] or [`StoreError::Full`] where it could not be made.
    pub fn open_or_create(file: &Path) -> Result<Self, StoreError> {
        location::prepare(file)?;
        Self::with(file, Absent::Create)
    }

    fn with(file: &Path, absent: Absent) -> Result<Self, StoreError> {
        let file = location::canonical(file)?;
        Ok(Self {
            handle: Handle::open(&file, absent)?,
            locks: location::lock_directory(&file),
        })
    }

    /// Returns the file, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.handle.path
    }

    /// Does `work` in one read transaction, so that all it sees is of one instant.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let read = || {
            let transaction = self.handle.connection.unchecked_transaction()?;
            work(&transaction)
        };
        read().map_err(|fault| fault.at(&self.handle.path))
    }

    fn is_alive(&self, id: RunId) -> Result<bool, Fault> {
        RunLock::is_held(&self.locks, id).map_err(|source| {
            Fault::Ready(StoreError::Io {
                action: "look at the locks in",
                path: self.locks.clone(),
                source,
            })
        })
    }

    /// Returns the line of a run.
    fn summary(&self, connection: &Connection, row: &Row<'_>) -> Result<RunSummary, Fault> {
        let key: i64 = row.get(0)?;
        let id = id_at(row, 1)?;
        let header = wire::read_summary(&row.get::<_, String>(4)?)?;
        let end: Option<String> = row.get(3)?;
        let end = end.map(|text| wire::read_end(&text)).transpose()?;
        let (mut passes, mut trials) = (0, 0_u64);
        let mut select =
            connection.prepare_cached("SELECT number, ending, trials FROM pass WHERE run = ?1")?;
        let mut rows = select.query([key])?;
        while let Some(row) = rows.next()? {
            let (number, ending): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
            passes += u32::from(ending == Some(COMPLETED));
            trials = trials.saturating_add(match ending {
                Some(_) => unsigned(row, 2)?,
                None => count_rows(connection, key, number)?,
            });
        }
        Ok(RunSummary {
            id,
            started_at: header.started_at,
            commit: header.commit,
            tests: row.get(2)?,
            passes,
            trials,
            ingested: header.ingested,
            withdraws: header.withdraws.iter().map(|it| it.run).collect(),
            alive: end.is_none() && self.is_alive(id)?,
            end,
        })
    }
}

impl Store for SqliteStore {
    fn create_run(
        &mut self,
        header: &RunHeader,
        tests: &[ListedTest],
    ) -> Result<Box<dyn RunLog>, StoreError> {
        RunLock::sweep(&self.locks);
        let lock = self.lock(header.id)?;
        let mut handle = self.handle.another()?;
        let run = insert_run(&mut handle.connection, header, tests);
        let state = State {
            run: run.map_err(|fault| fault.at(&handle.path))?,
            tests: tests.len() as u32,
            ..State::default()
        };
        Ok(Box::new(SqliteRunLog::new(handle, lock, state)))
    }

    fn resume_run(&mut self, id: RunId) -> Result<(StoredRun, Box<dyn RunLog>), StoreError> {
        self.read(|connection| Reader::new(connection).key_of(id))?;
        let lock = self.lock(id)?;
        let (key, run) = self.read(|connection| Reader::new(connection).run(id))?;
        if run.end.as_ref().is_some_and(is_final) {
            return Err(StoreError::Finished { run: id });
        }
        if let Some(by) = self.read(|connection| joined_by(connection, id))? {
            return Err(StoreError::Joined { run: id, by });
        }
        let handle = self.handle.another()?;
        if handle.connection.is_readonly("main").unwrap_or(true) {
            return Err(StoreError::ReadOnly { path: handle.path });
        }
        let log = SqliteRunLog::new(handle, lock, state_of(key, &run));
        Ok((run, Box::new(log)))
    }

    fn load(&self, id: RunId) -> Result<StoredRun, StoreError> {
        self.read(|connection| Ok(Reader::new(connection).run(id)?.1))
    }

    fn load_all(&self, ids: &[RunId]) -> Result<Vec<StoredRun>, StoreError> {
        self.read(|connection| {
            let mut reader = Reader::new(connection);
            ids.iter().map(|id| Ok(reader.run(*id)?.1)).collect()
        })
    }

    fn header_of(&self, id: RunId) -> Result<RunHeader, StoreError> {
        self.read(|connection| {
            let mut reader = Reader::new(connection);
            let (key, _) = reader.key_of(id)?;
            Ok(reader.header(key, id)?.0)
        })
    }

    fn tests_of(&self, id: RunId) -> Result<Vec<ListedTest>, StoreError> {
        self.read(|connection| {
            let mut reader = Reader::new(connection);
            let (key, count) = reader.key_of(id)?;
            Ok(reader.tests(key, count)?.to_vec())
        })
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, StoreError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id, name, test_count, ending, header FROM run
                 ORDER BY started DESC, id DESC LIMIT ?1",
            )?;
            let mut rows = select.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(self.summary(connection, row)?);
            }
            Ok(runs)
        })
    }

    fn find_run(&self, prefix: &str) -> Result<RunId, StoreError> {
        if prefix == "latest" {
            let latest = self.read(|connection| {
                let mut select = connection.prepare_cached(
                    "SELECT name FROM run ORDER BY started DESC, id DESC LIMIT 1",
                )?;
                Ok(select.query_row([], |row| row.get(0)).optional()?)
            })?;
            return match latest {
                Some(bytes) => Ok(RunId(u128::from_be_bytes(bytes))),
                None => Err(StoreError::NoRuns {
                    path: self.handle.path.clone(),
                }),
            };
        }
        let unknown = || StoreError::NoSuchRun {
            name: prefix.to_owned(),
        };
        let (first, last) = ids_that_begin_with(prefix).ok_or_else(unknown)?;
        let found = self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT name FROM run WHERE name BETWEEN ?1 AND ?2 ORDER BY name LIMIT ?3",
            )?;
            let bounds = params![first.to_be_bytes(), last.to_be_bytes(), AMBIGUOUS_SHOWN];
            let mut rows = select.query(bounds)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(id_at(row, 0)?);
            }
            Ok(found)
        })?;
        match found.as_slice() {
            [] => Err(unknown()),
            [one] => Ok(*one),
            _ => Err(StoreError::AmbiguousRun {
                prefix: prefix.to_owned(),
                matches: found,
            }),
        }
    }

    fn comparable(&self, fingerprint: &Fingerprint) -> Result<Vec<ComparableRun>, StoreError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT name, seed, seed_given, ending IS NOT NULL FROM run
                 WHERE binaries = ?1 AND profiles = ?2 AND toolchain = ?3 ORDER BY started, id",
            )?;
            let Fingerprint {
                binaries,
                profiles,
                toolchain,
            } = fingerprint;
            let mut rows = select.query([binaries, profiles, toolchain])?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                let id = id_at(row, 0)?;
                if !self.is_alive(id)? {
                    runs.push(ComparableRun {
                        id,
                        seed: Seed(row.get::<_, i64>(1)?.cast_unsigned()),
                        seed_given: row.get(2)?,
                        ended: row.get(3)?,
                    });
                }
            }
            Ok(runs)
        })
    }

    fn history_of(&self, test: &TestId) -> Result<Vec<TestHistoryRow>, StoreError> {
        self.read(|connection| history::history_of(&mut Reader::new(connection), test))
    }

    fn failures_before(&self, limit: usize, except: &[RunId]) -> Result<Vec<PastRun>, StoreError> {
        self.read(|connection| past::failures_before(&mut Reader::new(connection), limit, except))
    }

    fn last_verdicts(&self, limit: usize) -> Result<BTreeMap<TestId, LastVerdict>, StoreError> {
        self.read(|connection| last::last_verdicts(&mut Reader::new(connection), limit))
    }

    fn tallies(&self, limit: usize) -> Result<Vec<RunTally>, StoreError> {
        self.read(|connection| tally::newest(&mut Reader::new(connection), limit))
    }

    fn first_with_seed(&self, seed: Seed) -> Result<Option<RunId>, StoreError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT name FROM run WHERE seed = ?1 ORDER BY started, id LIMIT 1",
            )?;
            let mut rows = select.query([seed.0.cast_signed()])?;
            rows.next()?.map(|row| id_at(row, 0)).transpose()
        })
    }

    fn ingested_from(&self, digest: &[u8; 32]) -> Result<Vec<IngestedPass>, StoreError> {
        self.read(|connection| ingested::from_file(connection, digest))
    }

    fn trials_of(&self, run: RunId, test: &TestId) -> Result<Vec<TestTrial>, StoreError> {
        self.read(|connection| history::trials_of(&mut Reader::new(connection), run, test))
    }

    fn open_search(
        &mut self,
        test: &TestId,
        question: &str,
    ) -> Result<Box<dyn SearchLog>, StoreError> {
        let lock = self
            .lock(search::lock_id(test, question))
            .map_err(|error| match error {
                StoreError::Alive { .. } => StoreError::Searching { test: test.clone() },
                error => error,
            })?;
        let handle = self.handle.another()?;
        let log = SqliteSearchLog::open(handle, lock, (test, question))?;
        Ok(Box::new(log))
    }

    fn searches_of(&self, test: &TestId) -> Result<Vec<StoredSearch>, StoreError> {
        self.read(|connection| search::searches_of(connection, test))
    }

    fn attribute(
        &mut self,
        run: RunId,
        test: TestIndex,
        question: &str,
    ) -> Result<Box<dyn AttributionLog>, StoreError> {
        let lock = self
            .lock(attribution::lock_id(run))
            .map_err(|error| match error {
                StoreError::Alive { .. } => StoreError::Attributing { run },
                other => other,
            })?;
        let key = self.read(|connection| Reader::new(connection).key_of(run))?;
        let handle = self.handle.another()?;
        if handle.connection.is_readonly("main").unwrap_or(true) {
            return Err(StoreError::ReadOnly { path: handle.path });
        }
        let log = attribution::open(handle, lock, key, (test, question));
        Ok(Box::new(log.map_err(|fault| fault.at(&self.handle.path))?))
    }

    fn attributions(&self, run: RunId) -> Result<Vec<StoredAttribution>, StoreError> {
        self.read(|connection| {
            let key = Reader::new(connection).key_of(run)?;
            attribution::of_run(connection, key)
        })
    }
}

/// Returns the first run that joined the run `id`.
fn joined_by(connection: &Connection, id: RunId) -> Result<Option<RunId>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT later.name, later.header FROM run later JOIN run USING (binaries, profiles, toolchain)
         WHERE run.name = ?1 AND later.id <> run.id ORDER BY later.id",
    )?;
    let mut rows = select.query([id.0.to_be_bytes()])?;
    while let Some(row) = rows.next()? {
        let header = wire::read_summary(&row.get::<_, String>(1)?)?;
        if header.joined.contains(&id) {
            return Ok(Some(id_at(row, 0)?));
        }
    }
    Ok(None)
}

/// Returns how many trials of an open pass are recorded.
fn count_rows(connection: &Connection, run: i64, pass: i64) -> Result<u64, Fault> {
    let mut count = connection.prepare_cached(
        "SELECT count(*) FROM trial WHERE run = ?1 AND pass = ?2 AND outcome <> ?3",
    )?;
    count.query_row([run, pass, code::SKIPPED], |row| Ok(unsigned(row, 0)))?
}
