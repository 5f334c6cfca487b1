//! The first transaction of a run: its row, and the tests and profiles that no run before it named.
//!
//! Must not know how a run goes on.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::error::{Fault, StoreError, not_storable};
use super::sequence::pack;
use super::text::TextWriter;
use super::wire;
use crate::domain::{ListedTest, RunHeader};

/// Writes the row of a run and those of its tests that are new, in one transaction; returns the key of the run.
pub(super) fn insert_run(
    connection: &mut Connection,
    header: &RunHeader,
    tests: &[ListedTest],
) -> Result<i64, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let key = insert_row(&transaction, header, tests)?;
    transaction.commit()?;
    Ok(key)
}

/// Writes the row of a run and those of its tests that are new, within a transaction of the caller; returns the key.
pub(super) fn insert_row(
    transaction: &Connection,
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
    let name = header.id.0.to_be_bytes();
    let taken = transaction
        .prepare("SELECT 1 FROM run WHERE name = ?1")?
        .exists([name])?;
    if taken {
        return Err(StoreError::RunExists { run: header.id }.into());
    }
    let mut texts = TextWriter::default();
    let ids = test_ids(transaction, &mut texts, tests)?;
    let terms = wire::write_terms(tests)?;
    let terms = terms.map(|text| texts.id(transaction, &text)).transpose()?;
    let of = |flag: fn(&ListedTest) -> bool| {
        let tests = tests
            .iter()
            .zip(0_i64..)
            .filter(move |(test, _)| flag(test));
        pack(tests.map(|(_, position)| position))
    };
    transaction.execute(
        "INSERT INTO run (name, started, seed, seed_given, test_count, baseline, target, binaries, profiles,
                          toolchain, tests, selected, suspicious, header, terms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            name,
            started.as_microsecond(),
            header.seed.0.cast_signed(),
            header.seed_given,
            tests.len() as u32,
            texts.id(transaction, &wire::write_profile(&header.baseline)?)?,
            texts.id(transaction, &wire::write_profile(&header.target)?)?,
            header.fingerprint.binaries,
            header.fingerprint.profiles,
            header.fingerprint.toolchain,
            pack(ids),
            of(|test| test.selected),
            of(|test| test.suspicious),
            json,
            terms
        ],
    )?;
    Ok(transaction.last_insert_rowid())
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
