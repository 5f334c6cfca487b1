//! The store in one file beside the workspace: [`Store`] over SQLite.
//!
//! One connection reads; each run that is written has its own. Must not know how values are packed.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::connection::{Absent, Handle};
use super::error::{Fault, StoreError, not_storable};
use super::reader::Reader;
use super::row::unsigned;
use super::run_lock::{LockFailure, RunLock};
use super::run_log::{COMPLETED, SqliteRunLog, State};
use super::sequence::pack;
use super::text::TextWriter;
use super::{
    ComparableRun, RunLog, RunSummary, Store, TestHistoryRow, TestTrial, code, history, location,
    wire,
};
use crate::domain::{
    Fingerprint, ListedTest, RunEnd, RunHeader, RunId, Seed, StopReason, StoredRun, TestId,
};

/// How many runs an ambiguous prefix names.
const AMBIGUOUS_SHOWN: i64 = 10;

/// A store in a file.
#[derive(Debug)]
pub struct SqliteStore {
    handle: Handle,
    locks: PathBuf,
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
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        let read = || {
            let transaction = self.handle.connection.unchecked_transaction()?;
            work(&transaction)
        };
        read().map_err(|fault| fault.at(&self.handle.path))
    }

    /// Takes the right to write a run.
    fn lock(&self, id: RunId) -> Result<RunLock, StoreError> {
        RunLock::acquire(&self.locks, id).map_err(|failure| match failure {
            LockFailure::Held => StoreError::Alive { run: id },
            LockFailure::Io(path, source) => match source.kind() {
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                    StoreError::ReadOnly {
                        path: self.handle.path.clone(),
                    }
                }
                std::io::ErrorKind::StorageFull => StoreError::Full {
                    path: self.handle.path.clone(),
                },
                _ => StoreError::Io {
                    action: "lock",
                    path,
                    source,
                },
            },
        })
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

    /// Returns a line for each of the newest runs, without whether they are alive.
    fn summary(&self, connection: &Connection, row: &Row<'_>) -> Result<RunSummary, Fault> {
        let key: i64 = row.get(0)?;
        let id = id_at(row, 1)?;
        let header = wire::read_summary(&row.get::<_, String>(4)?)?;
        let end: Option<String> = row.get(3)?;
        let end = end.map(|text| wire::read_end(&text)).transpose()?;
        let (passes, packed, open) = connection
            .prepare_cached(
                "SELECT count(*) FILTER (WHERE ending = ?2), coalesce(sum(trials), 0),
                        max(number) FILTER (WHERE ending IS NULL)
                 FROM pass WHERE run = ?1",
            )?
            .query_row([key, COMPLETED], |row| {
                Ok((row.get(0)?, unsigned(row, 1), row.get::<_, Option<i64>>(2)?))
            })?;
        let single: u64 = match open {
            None => 0,
            Some(pass) => connection
                .prepare_cached(
                    "SELECT count(*) FROM trial WHERE run = ?1 AND pass = ?2 AND outcome <> ?3",
                )?
                .query_row([key, pass, code::SKIPPED], |row| Ok(unsigned(row, 0)))??,
        };
        Ok(RunSummary {
            id,
            started_at: header.started_at,
            commit: header.commit,
            tests: row.get(2)?,
            passes,
            trials: packed?.saturating_add(single),
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
                "SELECT name, seed, seed_given FROM run
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
                    });
                }
            }
            Ok(runs)
        })
    }

    fn history_of(&self, test: &TestId) -> Result<Vec<TestHistoryRow>, StoreError> {
        self.read(|connection| history::history_of(&mut Reader::new(connection), test))
    }

    fn trials_of(&self, run: RunId, test: &TestId) -> Result<Vec<TestTrial>, StoreError> {
        self.read(|connection| history::trials_of(&mut Reader::new(connection), run, test))
    }
}

/// Returns whether a run that ended like this is over: what it was to decide is decided, or its limits are used up.
fn is_final(end: &RunEnd) -> bool {
    match end.stop {
        StopReason::Decided | StopReason::OutOfTime | StopReason::OutOfTrials => true,
        StopReason::Interrupted | StopReason::Environment { .. } => false,
    }
}

/// Returns how far a stored run is.
fn state_of(key: i64, run: &StoredRun) -> State {
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

/// Returns the first and last id that begins with these digits; none where they are no digits of an id.
fn ids_that_begin_with(prefix: &str) -> Option<(u128, u128)> {
    let digits = prefix.len();
    if !(1..=32).contains(&digits) || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let first = u128::from_str_radix(&format!("{prefix:0<32}"), 16).ok()?;
    let last = u128::from_str_radix(&format!("{prefix:f<32}"), 16).ok()?;
    Some((first, last))
}

fn id_at(row: &Row<'_>, column: usize) -> Result<RunId, Fault> {
    Ok(RunId(u128::from_be_bytes(row.get(column)?)))
}

/// Writes the row of a run and those of its tests that are new, in one transaction; returns the key of the run.
fn insert_run(
    connection: &mut Connection,
    header: &RunHeader,
    tests: &[ListedTest],
) -> Result<i64, Fault> {
    if u32::try_from(tests.len()).is_err() || !tests.is_sorted_by(|a, b| a.id < b.id) {
        return Err(not_storable(
            "a list of tests that is not sorted, or holds one twice,",
        ));
    }
    let started: Timestamp = header
        .started_at
        .parse()
        .map_err(|error| not_storable(format!("the start `{}` ({error})", header.started_at)))?;
    let json = wire::write_header(header)?;
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let name = header.id.0.to_be_bytes();
    let taken = transaction
        .prepare("SELECT 1 FROM run WHERE name = ?1")?
        .exists([name])?;
    if taken {
        return Err(StoreError::RunExists { run: header.id }.into());
    }
    let mut texts = TextWriter::default();
    let ids = test_ids(&transaction, &mut texts, tests)?;
    let selected = tests.iter().zip(0_i64..).filter(|(test, _)| test.selected);
    transaction.execute(
        "INSERT INTO run (name, started, seed, seed_given, test_count, baseline, target, binaries, profiles,
                          toolchain, tests, selected, header)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            name,
            started.as_microsecond(),
            header.seed.0.cast_signed(),
            header.seed_given,
            tests.len() as i64,
            texts.id(&transaction, &wire::write_profile(&header.baseline)?)?,
            texts.id(&transaction, &wire::write_profile(&header.target)?)?,
            header.fingerprint.binaries,
            header.fingerprint.profiles,
            header.fingerprint.toolchain,
            pack(ids),
            pack(selected.map(|(_, position)| position)),
            json
        ],
    )?;
    let key = transaction.last_insert_rowid();
    transaction.commit()?;
    Ok(key)
}

/// Returns the key of each test, giving one to those that are new.
fn test_ids(
    connection: &Connection,
    texts: &mut TextWriter,
    tests: &[ListedTest],
) -> Result<Vec<i64>, Fault> {
    let mut select =
        connection.prepare_cached("SELECT id FROM test WHERE binary = ?1 AND name = ?2")?;
    let mut insert =
        connection.prepare_cached("INSERT INTO test (binary, name) VALUES (?1, ?2)")?;
    let mut ids = Vec::with_capacity(tests.len());
    for ListedTest { id, .. } in tests {
        let key = params![texts.id(connection, &id.binary.0)?, id.test];
        ids.push(match select.query_row(key, |row| row.get(0)).optional()? {
            Some(id) => id,
            None => {
                insert.execute(key)?;
                connection.last_insert_rowid()
            }
        });
    }
    Ok(ids)
}
