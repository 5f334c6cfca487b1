//! The store: runs, kept so that killing the tool at any instant loses at most the trials in flight.
//!
//! Rows are appended as trials end; a report is a function of what is stored.

use crate::domain::{Environment, Observation, PassEnd, PassSpec, RunEnd, TestIndex, Verdict};

/// The open record of the run being made. What a call has written survives the death of any process.
pub trait RunLog {
    /// Opens a pass.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written.
    fn begin_pass(&mut self, spec: &PassSpec, environment: &Environment) -> Result<(), StoreError>;

    /// Appends observations of the open pass, in one transaction.
    ///
    /// # Errors
    /// [`StoreError`] where they could not be written.
    fn append(&mut self, observations: &[Observation]) -> Result<(), StoreError>;

    /// Closes the open pass after `elapsed_ms` of wall time.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written.
    fn end_pass(&mut self, end: &PassEnd, elapsed_ms: u64) -> Result<(), StoreError>;

    /// Closes the run, and keeps its verdicts for the history of each test.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written.
    fn end_run(
        &mut self,
        end: &RunEnd,
        verdicts: &[(TestIndex, Verdict)],
    ) -> Result<(), StoreError>;
}

/// Why the store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Placeholder variants are filled in by the store.
    #[error("{0}")]
    Other(String),
}
