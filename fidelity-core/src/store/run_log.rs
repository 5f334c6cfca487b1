//! The writer of one run: appends as trials end, one transaction a call.
//!
//! A call that returns has put its rows where the death of any process leaves them. A call that fails has written
//! nothing, and the next one finds everything as it was. Must not know how a run is read, nor how a pass is packed.

use std::collections::BTreeMap;

use rusqlite::{ErrorCode, params};

use super::code::{Code, outcome_code};
use super::connection::Handle;
use super::error::{Fault, StoreError};
use super::output::OutputWriter;
use super::pass::{
    MAX_TRIALS, PassEnding, check_positions, check_spec, close_pass, insert_pass, too_many_trials,
};
use super::run_lock::RunLock;
use super::sequence::pack;
use super::text::TextWriter;
use super::{RunLog, pass, wire};
use crate::domain::{
    Environment, Failure, MachineLoad, Observation, PassEnd, PassRecord, PassSpec, RunEnd,
    TestIndex, Verdict,
};

mod whole;

/// The longest signature or message that is kept, in bytes.
pub(super) const MAX_LINE_BYTES: usize = 1 << 10;

/// A run that is being written.
#[derive(Debug)]
pub(super) struct SqliteRunLog {
    // Fields are dropped in this order: the file is closed before the lock is given back.
    handle: Handle,
    state: State,
    texts: TextWriter,
    // None before the first failure, and after a transaction that failed.
    outputs: Option<OutputWriter>,
    _lock: RunLock,
}

/// Which run is written, and how far it is.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The key of the run.
    pub(super) run: i64,
    /// How many tests are listed.
    pub(super) tests: u32,
    /// The number of the last pass; 0 before the first.
    pub(super) last_pass: u32,
    /// The last pass while it is open.
    pub(super) open: Option<(PassSpec, Environment)>,
    /// Trials planned so far.
    pub(super) planned: u64,
    /// Trials recorded so far.
    pub(super) recorded: u64,
    /// An end is stored, which the next row makes void.
    pub(super) ended_before: bool,
    /// This log closed the run.
    pub(super) closed: bool,
}

impl SqliteRunLog {
    /// Returns the writer of a stored run.
    pub(super) fn new(handle: Handle, lock: RunLock, state: State) -> Self {
        Self {
            handle,
            state,
            texts: TextWriter::default(),
            outputs: None,
            _lock: lock,
        }
    }

    /// Returns the connection, for tests that make it fail.
    #[cfg(test)]
    pub(super) fn connection(&self) -> &rusqlite::Connection {
        &self.handle.connection
    }

    /// Does `work` in one transaction: all of it is kept, or nothing. Work changes nothing of `self.state`.
    fn transaction(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), StoreError> {
        self.handle.check_present()?;
        let done = self
            .run_statement("BEGIN IMMEDIATE")
            .and_then(|()| self.revoke_end())
            .and_then(|()| work(self))
            .and_then(|()| self.run_statement("COMMIT"));
        match done {
            Ok(()) => {
                self.state.ended_before = false;
                Ok(())
            }
            Err(fault) => {
                if !self.handle.connection.is_autocommit() {
                    // Where this fails too, closing the connection undoes the transaction.
                    let _ = self.run_statement("ROLLBACK");
                }
                self.texts.forget();
                self.outputs = None;
                Err(fault.at(&self.handle.path))
            }
        }
    }

    fn run_statement(&self, sql: &'static str) -> Result<(), Fault> {
        self.handle.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Makes the end of an interrupted run void, once it really goes on.
    fn revoke_end(&mut self) -> Result<(), Fault> {
        if !self.state.ended_before {
            return Ok(());
        }
        let connection = &self.handle.connection;
        connection.execute(
            "UPDATE run SET ending = NULL WHERE id = ?1",
            [self.state.run],
        )?;
        connection.execute("DELETE FROM verdict WHERE run = ?1", [self.state.run])?;
        Ok(())
    }

    /// Returns the number of the open pass.
    fn open_pass(&self, call: &str) -> Result<u32, StoreError> {
        match &self.state.open {
            Some((spec, _)) => Ok(spec.number),
            None => Err(sequence(format!("{call} while no pass was open"))),
        }
    }

    /// Writes the row of a trial.
    fn insert_trial(&mut self, pass: u32, seen: &Observation) -> Result<(), Fault> {
        let [signature, message, output] = match &seen.failure {
            None => [None; 3],
            Some(failure) => self.failure_ids(seen.test, failure)?.map(Some),
        };
        let mut insert = self.handle.connection.prepare_cached(
            "INSERT INTO trial (run, pass, test, attempt, outcome, duration, leaked, signature, message, output)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        let inserted = insert.execute(params![
            self.state.run,
            pass,
            seen.test.0,
            seen.attempt,
            outcome_code(seen.outcome),
            pass::whole(seen.duration_us),
            seen.leaked,
            signature,
            message,
            output
        ]);
        match inserted {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(Fault::Ready(StoreError::AlreadyRecorded {
                    pass,
                    test: seen.test.0,
                    attempt: seen.attempt,
                }))
            }
            other => Ok(other.map(|_| ())?),
        }
    }

    /// Refuses observations of tests that are not listed, and more than a run may have.
    fn check_observations(&self, observations: &[Observation]) -> Result<u64, StoreError> {
        let recorded = self.state.recorded + observations.len() as u64;
        if recorded > MAX_TRIALS {
            return Err(too_many_trials());
        }
        let listed = |seen: &&Observation| seen.test.0 >= self.state.tests;
        match observations.iter().find(listed) {
            None => Ok(recorded),
            Some(seen) => Err(StoreError::NotStorable {
                what: format!(
                    "an observation of test {}, which is not listed,",
                    seen.test.0
                ),
            }),
        }
    }

    /// Stores the parts of a failure; returns the numbers of signature, message and output.
    fn failure_ids(&mut self, test: TestIndex, failure: &Failure) -> Result<[i64; 3], Fault> {
        let connection = &self.handle.connection;
        let outputs = match &mut self.outputs {
            Some(outputs) => outputs,
            none => none.insert(OutputWriter::of_run(connection, self.state.run)?),
        };
        Ok([
            self.texts.id(connection, &shortened(&failure.signature))?,
            self.texts.id(connection, &shortened(&failure.message))?,
            outputs.id(connection, test, &failure.output)?,
        ])
    }
}

impl RunLog for SqliteRunLog {
    fn begin_pass(&mut self, spec: &PassSpec, environment: &Environment) -> Result<(), StoreError> {
        match &self.state.open {
            _ if self.state.closed => {
                return Err(sequence("a pass was opened after the end of the run"));
            }
            Some((open, under)) if open == spec && under == environment => return Ok(()),
            Some((open, _)) => {
                return Err(sequence(format!(
                    "pass {} was opened while pass {} was open",
                    spec.number, open.number
                )));
            }
            None if spec.number <= self.state.last_pass => {
                return Err(sequence(format!(
                    "pass {} was opened after pass {}",
                    spec.number, self.state.last_pass
                )));
            }
            None => {}
        }
        let planned = self.state.planned + spec.tests.len() as u64;
        check_spec(spec, self.state.tests, planned)?;
        self.transaction(|log| {
            let environment = wire::write_environment(environment)?;
            let environment = log.texts.id(&log.handle.connection, &environment)?;
            insert_pass(&log.handle.connection, log.state.run, spec, environment)
        })?;
        self.state.planned = planned;
        self.state.last_pass = spec.number;
        self.state.open = Some((spec.clone(), environment.clone()));
        Ok(())
    }

    fn append(&mut self, observations: &[Observation]) -> Result<(), StoreError> {
        let pass = self.open_pass("observations were appended")?;
        if observations.is_empty() {
            return Ok(());
        }
        let recorded = self.check_observations(observations)?;
        self.transaction(|log| {
            observations
                .iter()
                .try_for_each(|seen| log.insert_trial(pass, seen))
        })?;
        self.state.recorded = recorded;
        Ok(())
    }

    fn end_pass(
        &mut self,
        end: &PassEnd,
        elapsed_ms: u64,
        machine: Option<MachineLoad>,
    ) -> Result<(), StoreError> {
        let pass = self.open_pass("a pass was closed")?;
        self.transaction(|log| {
            let ending = PassEnding::of(
                end,
                (elapsed_ms, machine),
                &log.handle.connection,
                &mut log.texts,
            )?;
            close_pass(&log.handle.connection, (log.state.run, pass), &ending)
        })?;
        self.state.open = None;
        Ok(())
    }

    fn record_pass(&mut self, pass: &PassRecord) -> Result<(), StoreError> {
        let counts = self.check_pass(pass)?;
        self.transaction(|log| log.insert_whole(pass))?;
        self.count_pass(pass, counts);
        Ok(())
    }

    fn end_run(
        &mut self,
        end: &RunEnd,
        verdicts: &[(TestIndex, Verdict)],
    ) -> Result<(), StoreError> {
        if self.state.closed {
            return Err(sequence("the run was closed twice"));
        }
        let mut groups: BTreeMap<(i64, &str), Vec<i64>> = BTreeMap::new();
        for (test, verdict) in verdicts {
            let group = groups
                .entry((verdict.kind.code(), &verdict.reason))
                .or_default();
            group.push(i64::from(test.0));
        }
        self.transaction(|log| {
            let connection = &log.handle.connection;
            let (run, tests) = (log.state.run, log.state.tests);
            connection.execute("DELETE FROM verdict WHERE run = ?1", [run])?;
            for ((kind, reason), mut members) in groups {
                members.sort_unstable();
                check_positions("the tests of a verdict", &members, tests)?;
                let reason = log.texts.id(connection, reason)?;
                connection
                    .prepare_cached(
                        "INSERT INTO verdict (run, kind, reason, tests) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![run, kind, reason, pack(members)])?;
            }
            let end = wire::write_end(end)?;
            connection.execute(
                "UPDATE run SET ending = ?1 WHERE id = ?2",
                params![end, run],
            )?;
            Ok(())
        })?;
        self.state.closed = true;
        self.state.open = None;
        Ok(())
    }
}

/// Returns a text cut to the longest that is kept.
fn shortened(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= MAX_LINE_BYTES {
        return text.into();
    }
    let longest = MAX_LINE_BYTES - '…'.len_utf8();
    let starts = text.char_indices().map(|(start, _)| start);
    let end = starts.take_while(|start| *start <= longest).last();
    format!("{}…", &text[..end.unwrap_or_default()]).into()
}

fn sequence(what: impl Into<String>) -> StoreError {
    StoreError::Sequence { what: what.into() }
}
