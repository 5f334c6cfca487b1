//! What failing trials printed: capped, each output stored once, and only a few of each test and run kept.
//!
//! A test that fails two hundred times seldom says anything new. Of its distinct outputs the first three and the last
//! three of a run are kept; what falls between is counted as left out. Must not know what an output says.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Fault;
use super::text::hash_of;
use crate::domain::{CapturedOutput, TestIndex};

/// The most that is kept of one stream of a trial, in bytes. What is longer loses its middle.
pub const MAX_STREAM_BYTES: usize = 256 << 10;
/// Distinct outputs of a test that are kept from the beginning of a run.
const FIRST: usize = 3;
/// Distinct outputs of a test that are kept from its end.
const LAST: usize = 3;
/// Distinct output of a whole run that is kept, and output of a test that is read at a time, in bytes; what is more is
/// counted as left out.
pub(super) const MAX_RUN_BYTES: u64 = 256 << 20;

/// Decides which outputs of a run are kept, and writes them, within a transaction of the caller.
///
/// Remembers what is stored, so it must be read again after a transaction that failed.
#[derive(Debug)]
pub(super) struct OutputWriter {
    run: i64,
    kept: BTreeMap<TestIndex, Vec<i64>>,
    bytes: u64,
    max_bytes: u64,
}

impl OutputWriter {
    /// Returns the writer of a run, knowing what is stored of it.
    pub(super) fn of_run(connection: &Connection, run: i64) -> Result<Self, Fault> {
        let mut writer = Self {
            run,
            kept: BTreeMap::new(),
            bytes: 0,
            max_bytes: MAX_RUN_BYTES,
        };
        let mut statement = connection.prepare_cached(
            "SELECT trial.test, trial.output, length(output.stdout) + length(output.stderr)
             FROM trial JOIN output ON output.id = trial.output
             WHERE trial.run = ?1 ORDER BY trial.pass, trial.test, trial.attempt",
        )?;
        let mut rows = statement.query([run])?;
        while let Some(row) = rows.next()? {
            let (test, id, size): (u32, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let kept = writer.kept.entry(TestIndex(test)).or_default();
            if size > 0 && !kept.contains(&id) {
                kept.push(id);
                writer.bytes += size.unsigned_abs();
            }
        }
        Ok(writer)
    }

    /// Stores what a trial of `test` printed; returns its number.
    pub(super) fn id(
        &mut self,
        connection: &Connection,
        test: TestIndex,
        output: &CapturedOutput,
    ) -> Result<i64, Fault> {
        let output = Stored::capped(output);
        let size = output.size();
        if size > 0 && self.bytes + size > self.max_bytes {
            return output.left_out().id(connection);
        }
        let id = output.id(connection)?;
        let kept = self.kept.entry(test).or_default();
        if size == 0 || kept.contains(&id) {
            return Ok(id);
        }
        kept.push(id);
        self.bytes += size;
        if kept.len() > FIRST + LAST {
            let old = kept.remove(FIRST);
            self.bytes = self
                .bytes
                .saturating_sub(leave_out(connection, self.run, test, old)?);
        }
        Ok(id)
    }
}

/// An output as it is stored.
#[derive(Clone, Debug)]
struct Stored {
    stdout: Vec<u8>,
    stdout_omitted: i64,
    stderr: Vec<u8>,
    stderr_omitted: i64,
}

impl Stored {
    /// Returns the output with each stream cut to the most that is kept.
    fn capped(output: &CapturedOutput) -> Self {
        let (stdout, stdout_omitted) = cap(&output.stdout, output.stdout_omitted);
        let (stderr, stderr_omitted) = cap(&output.stderr, output.stderr_omitted);
        Self {
            stdout,
            stdout_omitted,
            stderr,
            stderr_omitted,
        }
    }

    /// Returns the output without its texts, which are counted as left out.
    fn left_out(&self) -> Self {
        let all = |omitted: i64, text: &[u8]| omitted.saturating_add_unsigned(text.len() as u64);
        Self {
            stdout: Vec::new(),
            stdout_omitted: all(self.stdout_omitted, &self.stdout),
            stderr: Vec::new(),
            stderr_omitted: all(self.stderr_omitted, &self.stderr),
        }
    }

    /// Returns the bytes of text.
    fn size(&self) -> u64 {
        (self.stdout.len() + self.stderr.len()) as u64
    }

    /// Returns the number of the output, storing it where it has none.
    fn id(&self, connection: &Connection) -> Result<i64, Fault> {
        let hash = hash_of([
            self.stdout.as_slice(),
            &self.stdout_omitted.to_le_bytes(),
            &self.stderr,
            &self.stderr_omitted.to_le_bytes(),
        ]);
        let values = params![
            hash,
            self.stdout_omitted,
            self.stderr_omitted,
            self.stdout,
            self.stderr
        ];
        let mut find = connection.prepare_cached(
            "SELECT id FROM output WHERE hash = ?1 AND stdout_omitted = ?2 AND stderr_omitted = ?3
             AND stdout = ?4 AND stderr = ?5",
        )?;
        if let Some(id) = find.query_row(values, |row| row.get(0)).optional()? {
            return Ok(id);
        }
        connection
            .prepare_cached(
                "INSERT INTO output (hash, stdout_omitted, stderr_omitted, stdout, stderr)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(values)?;
        Ok(connection.last_insert_rowid())
    }
}

/// Returns head and tail of a stream, and how many bytes are missing between them.
fn cap(stream: &[u8], omitted: u64) -> (Vec<u8>, i64) {
    let omitted = i64::try_from(omitted).unwrap_or(i64::MAX);
    let Some(excess) = stream
        .len()
        .checked_sub(MAX_STREAM_BYTES)
        .filter(|excess| *excess > 0)
    else {
        return (stream.to_vec(), omitted);
    };
    let (head, rest) = stream.split_at(MAX_STREAM_BYTES / 2);
    let kept = [head, &rest[excess..]].concat();
    (kept, omitted.saturating_add_unsigned(excess as u64))
}

/// Takes the text of output `old` from the trials of a test in a run, and from the store where nothing else needs it.
/// Returns the bytes of text that the run no longer holds.
fn leave_out(connection: &Connection, run: i64, test: TestIndex, old: i64) -> Result<u64, Fault> {
    let row = connection
        .prepare_cached(
            "SELECT stdout_omitted, stderr_omitted, stdout, stderr FROM output WHERE id = ?1",
        )?
        .query_row([old], |row| {
            Ok(Stored {
                stdout_omitted: row.get(0)?,
                stderr_omitted: row.get(1)?,
                stdout: row.get(2)?,
                stderr: row.get(3)?,
            })
        })?;
    let replacement = row.left_out().id(connection)?;
    connection
        .prepare_cached(
            "UPDATE trial SET output = ?1 WHERE output = ?2 AND run = ?3 AND test = ?4",
        )?
        .execute(params![replacement, old, run, test.0])?;
    connection
        .prepare_cached(
            "DELETE FROM output WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM trial WHERE output = ?1)",
        )?
        .execute([old])?;
    Ok(row.size())
}
