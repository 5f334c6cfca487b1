//! Which runs were withdrawn, by any run of the store: a withdrawal is part of the header of the run that makes it, and so
//! travels with it to other stores.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::error::{Fault, StoreError};
use super::sqlite::SqliteStore;
use super::wire;
use crate::domain::{RunId, Withdrawal};

impl SqliteStore {
    /// Returns every run that was withdrawn, whether it is here or not; of several withdrawals of one the first.
    ///
    /// # Errors
    /// Where they could not be read.
    pub fn withdrawals(&self) -> Result<BTreeMap<RunId, Withdrawal>, StoreError> {
        self.read(all)
    }
}

fn all(connection: &Connection) -> Result<BTreeMap<RunId, Withdrawal>, Fault> {
    // Few headers hold the word; reading all of them would take as long as the list of runs.
    let mut select = connection
        .prepare_cached("SELECT header FROM run WHERE instr(header, '\"withdraws\"') > 0")?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(wire::read_summary(&row.get::<_, String>(0)?)?.withdraws);
    }
    Ok(Withdrawal::by_run(&found))
}
