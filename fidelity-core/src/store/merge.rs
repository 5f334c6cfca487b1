//! Joining the runs of another store: each is copied once, as a whole or not at all.
//!
//! Runs have ids that no two stores give twice. Where both stores have a run and it differs, one copy was made while the run
//! went on, or the run was resumed in both places: the copy that is further along is kept, by a rule that is the same whoever
//! asks, so that stores may be joined in any order and any number of times. Everything that is read from the other store is
//! checked on the way, as in every reading. Must not know what runs mean.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::code::Code;
use super::error::{Fault, StoreError, damaged};
use super::reader::Reader;
use super::row::{Outputs, PASS_COLUMNS, read_pass};
use super::run_lock::{LockFailure, RunLock};
use super::run_log::{SqliteRunLog, State};
use super::sequence::positions;
use super::sqlite::SqliteStore;
use super::text::TextWriter;
use super::wire;
use crate::domain::{ListedTest, PassRecord, RunHeader, RunId, VerdictKind};

mod attributions;

/// What became of the runs of another store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Copied: they were not here.
    pub added: Vec<RunId>,
    /// The same here and there.
    pub same: Vec<RunId>,
    /// Further along there, and taken from there.
    pub replaced: Vec<RunId>,
    /// Further along here, and kept.
    pub kept: Vec<RunId>,
    /// Being written here, and left alone.
    pub busy: Vec<RunId>,
    /// Attributions, and searches for commits, that were not here or are further along there: taken from there.
    pub causes: usize,
    /// Such that are being written here, and were left alone.
    pub causes_busy: usize,
}

/// How far a run is: more passes, more trials, an end, and at last its texts. Equal for copies of one state.
type Standing = (i64, i64, bool, Option<String>, String);

impl SqliteStore {
    /// Joins the runs of another store to this one.
    ///
    /// # Guarantee
    /// A run is copied in one transaction: an interrupted merge leaves both stores whole and can be repeated. Which copy of a
    /// run is kept does not depend on the order in which stores are joined.
    ///
    /// # Errors
    /// Those of reading the other store (see [`StoreError::is_about`]) and of writing this one. Runs copied until then stay.
    pub fn merge(&mut self, other: &Self) -> Result<Merged, StoreError> {
        let at = |fault: Fault| fault.at(other.path());
        let theirs = other
            .handle
            .connection
            .unchecked_transaction()
            .map_err(|error| at(error.into()))?;
        let mut merged = Merged::default();
        for id in runs_of(&theirs).map_err(at)? {
            let there = standing(&theirs, id).map_err(at)?;
            let here = self.read(|connection| standing(connection, id))?;
            let list = match here.cmp(&there) {
                std::cmp::Ordering::Equal => &mut merged.same,
                std::cmp::Ordering::Greater => &mut merged.kept,
                std::cmp::Ordering::Less => match self.lock(id) {
                    Err(StoreError::Alive { .. }) => &mut merged.busy,
                    Err(error) => return Err(error),
                    Ok(lock) => {
                        let mut source = Copied {
                            reader: Reader::new(&theirs),
                            path: other.path(),
                            id,
                            tests: 0,
                            key: 0,
                        };
                        let mut log =
                            SqliteRunLog::new(self.handle.another()?, lock, State::default());
                        log.copy_run(&mut source)?;
                        match here {
                            None => &mut merged.added,
                            Some(_) => &mut merged.replaced,
                        }
                    }
                },
            };
            list.push(id);
            if !merged.busy.contains(&id) {
                self.merge_attributions((&theirs, &at), id, &mut merged)?;
            }
        }
        self.merge_searches((&theirs, &at), &mut merged)?;
        Ok(merged)
    }

    /// Takes the right to write a run.
    pub(super) fn lock(&self, id: RunId) -> Result<RunLock, StoreError> {
        RunLock::acquire(&self.locks, id).map_err(|failure| match failure {
            LockFailure::Held => StoreError::Alive { run: id },
            LockFailure::Io(source) => {
                StoreError::from_io("make the lock of a run beside", self.path(), source)
            }
        })
    }
}

/// Returns the runs of a store, in the order they were made in.
fn runs_of(connection: &Connection) -> Result<Vec<RunId>, Fault> {
    let mut select = connection.prepare("SELECT name FROM run ORDER BY id")?;
    let mut rows = select.query([])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(RunId(u128::from_be_bytes(row.get(0)?)));
    }
    Ok(runs)
}

/// Returns how far a run is; none where it is not there, which is less than anything.
fn standing(connection: &Connection, id: RunId) -> Result<Option<Standing>, Fault> {
    let mut select =
        connection.prepare_cached("SELECT id, ending, header FROM run WHERE name = ?1")?;
    let run = select.query_row([id.0.to_be_bytes()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?))
    });
    let Some((key, ending, header)): Option<(i64, Option<String>, String)> = run.optional()? else {
        return Ok(None);
    };
    let mut passes = connection.prepare_cached(
        "SELECT count(ending), coalesce(sum(trials), 0) FROM pass WHERE run = ?1",
    )?;
    let (ended, packed): (i64, i64) =
        passes.query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut open = connection.prepare_cached(
        "SELECT count(*) FROM trial JOIN pass ON pass.run = trial.run AND pass.number = trial.pass
         WHERE trial.run = ?1 AND pass.ending IS NULL",
    )?;
    let open: i64 = open.query_row([key], |row| row.get(0))?;
    let trials = packed.saturating_add(open);
    Ok(Some((ended, trials, ending.is_some(), ending, header)))
}

/// A run of another store that is copied.
pub(super) struct Copied<'a> {
    reader: Reader<'a>,
    path: &'a Path,
    id: RunId,
    key: i64,
    tests: u32,
}

impl Copied<'_> {
    /// Returns its id.
    pub(super) fn id(&self) -> RunId {
        self.id
    }

    /// Returns its header, and remembers where it is.
    pub(super) fn header(&mut self) -> Result<RunHeader, Fault> {
        let found = self.reader.key_of(self.id);
        (self.key, self.tests) = self.theirs(found)?;
        let header = self.reader.header(self.key, self.id);
        Ok(self.theirs(header)?.0)
    }

    /// Returns its tests.
    pub(super) fn tests(&mut self) -> Result<Arc<[ListedTest]>, Fault> {
        let tests = self.reader.tests(self.key, self.tests);
        self.theirs(tests)
    }

    /// Gives each pass to `sink`, outputs included, in order.
    pub(super) fn each_pass(
        &mut self,
        sink: &mut dyn FnMut(&PassRecord) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut after = 0;
        while let Some(pass) = {
            let next = self.pass_after(after);
            self.theirs(next)?
        } {
            after = pass.spec.number;
            sink(&pass)?;
        }
        Ok(())
    }

    /// Returns the first pass with a higher number.
    fn pass_after(&mut self, number: u32) -> Result<Option<PassRecord>, Fault> {
        let connection = self.reader.connection;
        let mut select = connection.prepare_cached(&format!(
            "SELECT {PASS_COLUMNS} FROM pass WHERE run = ?1 AND number > ?2 ORDER BY number LIMIT 1"
        ))?;
        let mut rows = select.query(params![self.key, number])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let pass = read_pass(row, self.tests, (connection, &mut self.reader.texts))?;
        let (key, tests) = (self.key, self.tests);
        let observations = self.reader.observations(key, tests, &pass, Outputs::Read)?;
        Ok(Some(PassRecord {
            spec: pass.spec,
            environment: pass.environment,
            observations,
            end: pass.end,
            machine: pass.machine,
            origin: pass.origin,
        }))
    }

    /// Writes its end and its verdicts, where it has them, to the run with key `run` of our store.
    pub(super) fn write_end(
        &mut self,
        ours: &Connection,
        texts: &mut TextWriter,
        run: i64,
    ) -> Result<(), Fault> {
        let read = self.end();
        let (ending, verdicts) = self.theirs(read)?;
        for (kind, reason, members) in verdicts {
            let reason = texts.id(ours, &reason)?;
            ours.prepare_cached(
                "INSERT INTO verdict (run, kind, reason, tests) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![run, kind.code(), reason, members])?;
        }
        ours.execute(
            "UPDATE run SET ending = ?1 WHERE id = ?2",
            params![ending, run],
        )?;
        Ok(())
    }

    #[expect(clippy::type_complexity, reason = "it is taken apart at once")]
    fn end(&mut self) -> Result<(Option<String>, Vec<(VerdictKind, String, Vec<u8>)>), Fault> {
        let connection = self.reader.connection;
        let mut select = connection.prepare_cached("SELECT ending FROM run WHERE id = ?1")?;
        let ending: Option<String> = select.query_row([self.key], |row| row.get(0))?;
        if let Some(text) = &ending {
            wire::read_end(text)?;
        }
        let mut select = connection.prepare_cached(
            "SELECT kind, reason, tests FROM verdict WHERE run = ?1 ORDER BY kind, reason",
        )?;
        let mut rows = select.query([self.key])?;
        let mut verdicts = Vec::new();
        while let Some(row) = rows.next()? {
            let members: Vec<u8> = row.get(2)?;
            positions(&members, self.tests)?;
            let reason = self.reader.texts.text(connection, row.get(1)?)?.to_owned();
            verdicts.push((VerdictKind::from_code(row.get(0)?)?, reason, members));
        }
        Ok((ending, verdicts))
    }

    /// Makes a failure to read the other store one that names it.
    fn theirs<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| Fault::Ready(fault.at(self.path)))
    }
}

/// Takes a run out of the store, where it is there; what it printed stays for others, and what it was attributed to for the
/// copy that takes its place. Returns the key it had.
pub(super) fn remove_run(connection: &Connection, id: RunId) -> Result<Option<i64>, Fault> {
    let mut select = connection.prepare_cached("SELECT id FROM run WHERE name = ?1")?;
    let key = select.query_row([id.0.to_be_bytes()], |row| row.get::<_, i64>(0));
    let Some(key) = key.optional()? else {
        return Ok(None);
    };
    for table in ["trial", "pass", "verdict", "source"] {
        connection.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [key])?;
    }
    let removed = connection.execute("DELETE FROM run WHERE id = ?1", [key])?;
    match removed {
        1 => Ok(Some(key)),
        _ => Err(damaged("a run is there more than once")),
    }
}
