//! The versions of the tables, and the ladder from each to the next.
//!
//! A new file is version 0 and climbs the same ladder as an old one, so that there is one way to each version. Must not
//! know what is in the tables.

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior};

use super::error::{Fault, damaged};

/// Marks our files among those of the engine ("Fide"), where `file` and others can see it.
pub(super) const APPLICATION_ID: i32 = 0x4669_6465;

/// Step `n` of the ladder leads from version `n` to version `n + 1`. Released steps are never edited.
pub(super) const LADDER: &[&str] = &[
    include_str!("schema/v1.sql"),
    include_str!("schema/v2.sql"),
    include_str!("schema/v3.sql"),
    include_str!("schema/v4.sql"),
    include_str!("schema/v5.sql"),
    include_str!("schema/v6.sql"),
    include_str!("schema/v7.sql"),
    include_str!("schema/v8.sql"),
];

/// What a file says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// An empty database: a store that is to be.
    Fresh,
    /// A database of someone else.
    Foreign,
    /// A store of this version.
    Version(u32),
}

/// Returns what the database says it is.
pub(super) fn format_of(connection: &Connection) -> Result<Format, Fault> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, u32::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Format::Fresh,
        (APPLICATION_ID, Ok(version)) => Format::Version(version),
        (APPLICATION_ID, Err(_)) => return Err(damaged(format!("its format is {version}"))),
        _ => Format::Foreign,
    })
}

/// Brings the database to the top of `ladder`, in one transaction: all steps are made, or none.
///
/// Does nothing where another process made the steps since the format was read. The caller has refused newer versions.
pub(super) fn climb(connection: &mut Connection, ladder: &[&str]) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = match format_of(&transaction)? {
        Format::Fresh => 0,
        Format::Version(version) => version as usize,
        Format::Foreign => return Err(damaged("another program changed it as it was opened")),
    };
    for step in ladder.iter().skip(version) {
        transaction.execute_batch(step)?;
    }
    if version < ladder.len() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", ladder.len() as u32)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Checks that the tables are exactly those that the ladder makes: no trigger, view, generated column or index of a
/// stranger takes part in what we do.
pub(super) fn check(connection: &Connection, ladder: &[&str]) -> Result<(), Fault> {
    let model = Connection::open_in_memory()?;
    for step in ladder {
        model.execute_batch(step)?;
    }
    let (expected, found) = (objects(&model)?, objects(connection)?);
    match expected.symmetric_difference(&found).next() {
        None => Ok(()),
        Some((kind, name, _)) => Err(damaged(format!(
            "its {kind} `{}` is not the one that belongs there",
            name.escape_debug()
        ))),
    }
}

/// Returns kind, name and text of every object, the engine's own statistics left out.
fn objects(connection: &Connection) -> Result<BTreeSet<(String, String, Option<String>)>, Fault> {
    let mut statement = connection.prepare(
        "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
