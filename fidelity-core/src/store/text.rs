//! Texts that occur again and again, stored once: who writes one gets its number.
//!
//! Must not know what a text means. A number is found by a hash of the text and the text itself, so that equal hashes do
//! no harm.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{Fault, damaged};

/// Texts whose numbers are remembered, in bytes; beyond this the memory starts empty again.
const REMEMBERED_BYTES: usize = 1 << 20;

/// Finds and makes the numbers of texts, within a transaction of the caller.
///
/// Numbers are remembered, so [`TextWriter::forget`] must follow a transaction that failed.
#[derive(Debug, Default)]
pub(super) struct TextWriter {
    known: BTreeMap<String, i64>,
    bytes: usize,
}

impl TextWriter {
    /// Returns the number of `text`, giving it one where it has none.
    pub(super) fn id(&mut self, connection: &Connection, text: &str) -> Result<i64, Fault> {
        if let Some(id) = self.known.get(text) {
            return Ok(*id);
        }
        let hash = hash_of([text.as_bytes()]);
        let id = match find(connection, hash, text)? {
            Some(id) => id,
            None => {
                connection
                    .prepare_cached("INSERT INTO text (hash, value) VALUES (?1, ?2)")?
                    .execute(params![hash, text])?;
                connection.last_insert_rowid()
            }
        };
        if self.bytes + text.len() > REMEMBERED_BYTES {
            self.forget();
        }
        self.bytes += text.len();
        self.known.insert(text.to_owned(), id);
        Ok(id)
    }

    /// Forgets every number.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.bytes = 0;
    }
}

/// Returns the number of a text; none where it is not stored.
pub(super) fn find(connection: &Connection, hash: i64, text: &str) -> Result<Option<i64>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM text WHERE hash = ?1 AND value = ?2")?;
    Ok(statement
        .query_row(params![hash, text], |row| row.get(0))
        .optional()?)
}

/// Reads texts by their numbers.
#[derive(Debug, Default)]
pub(super) struct TextReader {
    known: BTreeMap<i64, String>,
}

impl TextReader {
    /// Returns the text with this number.
    pub(super) fn text(&mut self, connection: &Connection, id: i64) -> Result<&str, Fault> {
        use std::collections::btree_map::Entry;
        match self.known.entry(id) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let mut statement =
                    connection.prepare_cached("SELECT value FROM text WHERE id = ?1")?;
                let text: Option<String> =
                    statement.query_row([id], |row| row.get(0)).optional()?;
                match text {
                    Some(text) => Ok(entry.insert(text)),
                    None => Err(damaged(format!("text {id} is missing"))),
                }
            }
        }
    }
}

/// Returns the hash under which the parts are found: FNV-1a over each part and its length.
///
/// Part of the file format. Needs no strength against forgery, because what is found is compared.
pub(super) fn hash_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> i64 {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = START;
    for part in parts {
        let length = (part.len() as u64).to_le_bytes();
        for byte in part.iter().chain(&length) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }
    hash.cast_signed()
}
