//! Attributions: what each was asked, what it saw in order, and how it ended.
//!
//! What a search asks, sees and says is text in a form of its own; this part keeps it and knows none of it. An event that is
//! appended survives the death of any process, so that a search that was killed goes on where it was.

use rusqlite::{Connection, OptionalExtension, params};

use super::connection::Handle;
use super::error::{Fault, StoreError};
use super::run_lock::RunLock;
use super::text;
use super::{SearchLog, StoredSearch};
use crate::domain::{RunId, TestId};

/// An attribution that is being written.
#[derive(Debug)]
pub(super) struct SqliteSearchLog {
    // The file is closed before the lock is given back.
    handle: Handle,
    id: i64,
    events: Vec<String>,
    _lock: RunLock,
}

impl SqliteSearchLog {
    /// Returns the open search with this question about the test, or a new one.
    pub(super) fn open(
        mut handle: Handle,
        lock: RunLock,
        (test, question): (&TestId, &str),
    ) -> Result<Self, StoreError> {
        let opened = open(&mut handle.connection, test, question);
        let (id, events) = opened.map_err(|fault| fault.at(&handle.path))?;
        Ok(Self {
            handle,
            id,
            events,
            _lock: lock,
        })
    }
}

fn open(
    connection: &mut Connection,
    test: &TestId,
    question: &str,
) -> Result<(i64, Vec<String>), Fault> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut texts = text::TextWriter::default();
    let binary = texts.id(&transaction, &test.binary.0)?;
    let found: Option<i64> = transaction
        .query_row(
            "SELECT id FROM search WHERE binary = ?1 AND test = ?2 AND question = ?3 AND ending IS NULL
             ORDER BY began DESC, id DESC LIMIT 1",
            params![binary, test.test, question],
            |row| row.get(0),
        )
        .optional()?;
    let id = match found {
        Some(id) => id,
        None => {
            // Later than every other about the test, whatever the clock does.
            transaction.execute(
                "INSERT INTO search (binary, test, question, began)
                 SELECT ?1, ?2, ?3, max(?4, coalesce(max(began), 0) + 1) FROM search WHERE binary = ?1 AND test = ?2",
                params![binary, test.test, question, jiff::Timestamp::now().as_microsecond()],
            )?;
            transaction.last_insert_rowid()
        }
    };
    let events = events_of(&transaction, id)?;
    transaction.commit()?;
    Ok((id, events))
}

fn events_of(connection: &Connection, search: i64) -> Result<Vec<String>, Fault> {
    let mut select = connection
        .prepare_cached("SELECT event FROM search_event WHERE search = ?1 ORDER BY number")?;
    let rows = select.query_map([search], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the id whose lock says that a process is at a search.
pub(super) fn lock_id(test: &TestId, question: &str) -> RunId {
    let words = [&test.binary.0, &test.test, question].map(str::as_bytes);
    RunId(u128::from(text::hash_of(words).cast_unsigned()))
}

/// Returns every search about a test, the newest first.
pub(super) fn searches_of(
    connection: &Connection,
    test: &TestId,
) -> Result<Vec<StoredSearch>, Fault> {
    let binary = &test.binary.0;
    let Some(binary) = text::find(connection, text::hash_of([binary.as_bytes()]), binary)? else {
        return Ok(Vec::new());
    };
    let mut select = connection.prepare_cached(
        "SELECT id, question, ending FROM search WHERE binary = ?1 AND test = ?2 ORDER BY began DESC, id DESC",
    )?;
    let mut rows = select.query(params![binary, test.test])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(StoredSearch {
            question: row.get(1)?,
            events: events_of(connection, row.get(0)?)?,
            ending: row.get(2)?,
        });
    }
    Ok(found)
}

impl SearchLog for SqliteSearchLog {
    fn events(&self) -> &[String] {
        &self.events
    }

    fn append(&mut self, event: &str) -> Result<(), StoreError> {
        self.handle.check_present()?;
        let number = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        self.handle
            .connection
            .execute(
                "INSERT INTO search_event (search, number, event) VALUES (?1, ?2, ?3)",
                params![self.id, number, event],
            )
            .map_err(|error| Fault::from(error).at(&self.handle.path))?;
        self.events.push(event.to_owned());
        Ok(())
    }

    fn end(&mut self, ending: &str) -> Result<(), StoreError> {
        self.handle.check_present()?;
        self.handle
            .connection
            .execute(
                "UPDATE search SET ending = ?1 WHERE id = ?2",
                params![ending, self.id],
            )
            .map_err(|error| Fault::from(error).at(&self.handle.path))?;
        Ok(())
    }
}
