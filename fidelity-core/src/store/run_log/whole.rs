//! Runs that are written as a whole: those of another store, and those whose passes ran elsewhere.
//!
//! One transaction holds such a run with all its passes, so that a process that dies meanwhile leaves the store as it was.

use super::super::error::{Fault, StoreError};
use super::super::merge::{Copied, remove_run};
use super::super::new_run::insert_row;
use super::super::pass::{Packed, PassEnding, check_spec, end_row, insert_origin, insert_pass};
use super::super::run_lock::RunLock;
use super::super::sqlite::SqliteStore;
use super::super::{RunLog, wire};
use super::{SqliteRunLog, State, sequence};
use crate::domain::{ListedTest, PassRecord, RunHeader};

impl SqliteStore {
    /// Stores a new run with all its passes in one transaction, and returns its record, which is to be closed. `passes` gives
    /// each pass to its argument, in order; where it fails, nothing of the run is kept.
    ///
    /// Other writers wait meanwhile, readers do not.
    ///
    /// # Errors
    /// Those of `passes`, and those of [`super::super::Store::create_run`] and [`RunLog::record_pass`].
    pub fn add_run<E: From<StoreError>>(
        &mut self,
        (header, tests): (&RunHeader, &[ListedTest]),
        passes: impl FnOnce(&mut dyn FnMut(&PassRecord) -> Result<(), StoreError>) -> Result<(), E>,
    ) -> Result<Box<dyn RunLog>, E> {
        RunLock::sweep(&self.locks);
        let lock = self.lock(header.id)?;
        let mut log = SqliteRunLog::new(self.handle.another()?, lock, State::default());
        let mut failed = None;
        let written = log.transaction(|log| {
            log.state.run = insert_row(&log.handle.connection, header, tests)?;
            log.state.tests = tests.len() as u32;
            passes(&mut |pass| log.take_pass(pass)).map_err(|error| {
                failed = Some(error);
                // It undoes the transaction, and is not seen.
                Fault::Ready(sequence("the passes of a run came to no end"))
            })
        });
        match (failed, written) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(())) => Ok(Box::new(log)),
        }
    }
}

impl SqliteRunLog {
    /// Copies a run of another store in one transaction, in the place of the one with the same id.
    pub(in crate::store) fn copy_run(&mut self, source: &mut Copied<'_>) -> Result<(), StoreError> {
        self.transaction(|log| {
            let connection = &log.handle.connection;
            let replaced = remove_run(connection, source.id())?;
            let (header, tests) = (source.header()?, source.tests()?);
            log.state.run = insert_row(connection, &header, &tests)?;
            log.state.tests = tests.len() as u32;
            if let Some(before) = replaced {
                log.handle.connection.execute(
                    "UPDATE attribution SET run = ?1 WHERE run = ?2",
                    [log.state.run, before],
                )?;
            }
            source.each_pass(&mut |pass| log.insert_whole(pass))?;
            let connection = &log.handle.connection;
            source.write_end(connection, &mut log.texts, log.state.run)
        })
    }

    /// Writes the next pass, within a transaction of the caller, and remembers how far the run is.
    fn take_pass(&mut self, pass: &PassRecord) -> Result<(), StoreError> {
        let (planned, recorded) = self.check_pass(pass)?;
        let written = self.insert_whole(pass);
        written.map_err(|fault| fault.at(&self.handle.path))?;
        self.count_pass(pass, (planned, recorded));
        Ok(())
    }

    /// Refuses a pass that cannot be the next of the run; returns how many trials are planned and recorded with it.
    pub(super) fn check_pass(&self, pass: &PassRecord) -> Result<(u64, u64), StoreError> {
        let (spec, Some(_)) = (&pass.spec, &pass.end) else {
            return Err(sequence("a pass without an end was recorded as a whole"));
        };
        if self.state.closed || self.state.open.is_some() || spec.number <= self.state.last_pass {
            return Err(sequence(format!(
                "pass {} was recorded out of turn",
                spec.number
            )));
        }
        let planned = self.state.planned + spec.tests.len() as u64;
        check_spec(spec, self.state.tests, planned)?;
        Ok((planned, self.check_observations(&pass.observations)?))
    }

    /// Remembers that a pass was written.
    pub(super) fn count_pass(&mut self, pass: &PassRecord, (planned, recorded): (u64, u64)) {
        self.state.planned = planned;
        self.state.recorded = recorded;
        self.state.last_pass = pass.spec.number;
    }

    /// Writes a pass with its trials, as it is given.
    pub(super) fn insert_whole(&mut self, pass: &PassRecord) -> Result<(), Fault> {
        check_spec(&pass.spec, self.state.tests, 0)?;
        let environment = wire::write_environment(&pass.environment)?;
        let environment = self.texts.id(&self.handle.connection, &environment)?;
        let key = (self.state.run, pass.spec.number);
        insert_pass(&self.handle.connection, key.0, &pass.spec, environment)?;
        let mut packed = Packed::default();
        for seen in &pass.observations {
            // The trials of an open pass have rows, plain or not.
            if !packed.take(seen) || pass.end.is_none() {
                self.insert_trial(key.1, seen)?;
            }
        }
        if let Some((end, elapsed_ms)) = &pass.end {
            let connection = &self.handle.connection;
            let spent = (*elapsed_ms, pass.machine);
            let ending = PassEnding::of(end, spent, connection, &mut self.texts)?;
            end_row(&self.handle.connection, key, &ending, packed)?;
        }
        match &pass.origin {
            Some(origin) => insert_origin(&self.handle.connection, key, origin),
            None => Ok(()),
        }
    }
}
