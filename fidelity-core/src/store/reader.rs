//! Reading a run: every value is checked on its way from the tables to the domain types.
//!
//! Runs within one read transaction of the caller, so that a run that is being written is seen as of one instant. Memory
//! is set aside for what the file really holds, never for what it claims. Must not write.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{Fault, StoreError, damaged};
use super::pass::MAX_TRIALS;
use super::row::{Outputs, PASS_COLUMNS, PassRow, TRIAL_COLUMNS, merge, read_pass, read_trial};
use super::sequence::{Stretch, positions, stretches};
use super::text::TextReader;
use super::wire::{self, HeaderColumns};
use crate::domain::{
    Fingerprint, ListedTest, Observation, PassRecord, RunEnd, RunHeader, RunId, Seed, StoredRun,
    TestId,
};

/// The most text that the signatures and messages of a run may come to, in bytes. Trials share them in the file, but not
/// in memory.
const MAX_LINES_BYTES: usize = 1 << 30;

/// Reads runs; remembers texts, and the last list of tests.
pub(super) struct Reader<'a> {
    pub(super) connection: &'a Connection,
    pub(super) texts: TextReader,
    last: Option<(ListColumns, Arc<[ListedTest]>)>,
}

/// The columns that a list of tests follows from.
#[derive(PartialEq, Eq)]
struct ListColumns {
    ids: Vec<u8>,
    selected: Vec<u8>,
    suspicious: Vec<u8>,
    terms: Option<i64>,
    count: u32,
}

impl<'a> Reader<'a> {
    /// Returns a reader of the store behind `connection`.
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            texts: TextReader::default(),
            last: None,
        }
    }

    /// Returns the key of run `id` and the number of its tests.
    pub(super) fn key_of(&self, id: RunId) -> Result<(i64, u32), Fault> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, test_count FROM run WHERE name = ?1")?;
        let key = statement
            .query_row([id.0.to_be_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        key.ok_or_else(|| {
            Fault::Ready(StoreError::NoSuchRun {
                name: id.to_string(),
            })
        })
    }

    /// Returns the run `id` with its key. Outputs are left out.
    pub(super) fn run(&mut self, id: RunId) -> Result<(i64, StoredRun), Fault> {
        let (key, count) = self.key_of(id)?;
        let (header, end) = self.header(key, id)?;
        let tests = self.tests(key, count)?;
        Ok((
            key,
            StoredRun {
                header,
                tests,
                passes: self.passes(key, count)?,
                end,
            },
        ))
    }

    pub(super) fn header(
        &mut self,
        key: i64,
        id: RunId,
    ) -> Result<(RunHeader, Option<RunEnd>), Fault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seed, seed_given, baseline, target, binaries, profiles, toolchain, ending, header
             FROM run WHERE id = ?1",
        )?;
        let mut rows = statement.query([key])?;
        let row = rows.next()?.ok_or_else(|| damaged("a run is missing"))?;
        let columns = HeaderColumns {
            id,
            seed: Seed(row.get::<_, i64>(0)?.cast_unsigned()),
            seed_given: row.get(1)?,
            baseline: wire::read_profile(self.texts.text(self.connection, row.get(2)?)?)?,
            target: wire::read_profile(self.texts.text(self.connection, row.get(3)?)?)?,
            fingerprint: Fingerprint {
                binaries: row.get(4)?,
                profiles: row.get(5)?,
                toolchain: row.get(6)?,
            },
        };
        let end: Option<String> = row.get(7)?;
        let text: String = row.get(8)?;
        let end = end.map(|text| wire::read_end(&text)).transpose()?;
        Ok((wire::read_header(&text, columns)?, end))
    }

    /// Returns the list of tests of a run: that of the run before, where it is the same.
    pub(super) fn tests(&mut self, key: i64, count: u32) -> Result<Arc<[ListedTest]>, Fault> {
        let columns = self
            .connection
            .prepare_cached("SELECT tests, selected, suspicious, terms FROM run WHERE id = ?1")?
            .query_row([key], |row| {
                Ok(ListColumns {
                    ids: row.get(0)?,
                    selected: row.get(1)?,
                    suspicious: row.get(2)?,
                    terms: row.get(3)?,
                    count,
                })
            })?;
        if let Some((last, tests)) = &self.last
            && *last == columns
        {
            return Ok(Arc::clone(tests));
        }
        let tests: Arc<[ListedTest]> = self.read_list(&columns)?.into();
        self.last = Some((columns, Arc::clone(&tests)));
        Ok(tests)
    }

    fn read_list(&mut self, columns: &ListColumns) -> Result<Vec<ListedTest>, Fault> {
        let count = columns.count;
        let mut tests: Vec<ListedTest> = Vec::new();
        let mut select = self.connection.prepare_cached(
            "SELECT id, binary, name FROM test WHERE id >= ?1 AND id < ?2 ORDER BY id",
        )?;
        for stretch in stretches(&columns.ids) {
            let Stretch { start, length } = stretch?;
            let mut rows = select.query([start, start + length])?;
            let mut expected = start;
            while let Some(row) = rows.next()? {
                let binary = self.texts.text(self.connection, row.get(1)?)?;
                let id = TestId::new(binary, row.get::<_, String>(2)?);
                let in_order = tests.last().is_none_or(|last| last.id < id);
                if row.get::<_, i64>(0)? != expected || !in_order {
                    return Err(damaged("a list of tests is garbled"));
                }
                expected += 1;
                tests.push(ListedTest {
                    id,
                    selected: false,
                    suspicious: false,
                    terms: None,
                });
            }
            if expected != start + length {
                return Err(damaged("a list names tests that are missing"));
            }
        }
        if tests.len() != count as usize {
            return Err(damaged("a list of tests has another length than it says"));
        }
        for position in positions(&columns.selected, count)? {
            tests[position as usize].selected = true;
        }
        for position in positions(&columns.suspicious, count)? {
            tests[position as usize].suspicious = true;
        }
        if let Some(terms) = columns.terms {
            wire::read_terms(self.texts.text(self.connection, terms)?, &mut tests)?;
        }
        Ok(tests)
    }

    /// Returns the passes of a run in order. Outputs are left out.
    fn passes(&mut self, key: i64, tests: u32) -> Result<Vec<PassRecord>, Fault> {
        let connection = self.connection;
        let mut select = connection.prepare_cached(&format!(
            "SELECT {PASS_COLUMNS} FROM pass WHERE run = ?1 ORDER BY number"
        ))?;
        let mut rows = select.query([key])?;
        let mut passes: Vec<PassRecord> = Vec::new();
        let (mut planned, mut recorded, mut lines) = (0, 0, 0);
        while let Some(row) = rows.next()? {
            let pass = read_pass(row, tests, (connection, &mut self.texts))?;
            if passes
                .last()
                .is_some_and(|last| last.end.is_none() || pass.spec.number <= last.spec.number)
            {
                return Err(damaged("the passes of a run are garbled"));
            }
            let observations = self.observations(key, tests, &pass, Outputs::LeaveOut)?;
            planned += pass.spec.tests.len() as u64;
            recorded += observations.len() as u64;
            lines += length_of_lines(&observations);
            if planned > MAX_TRIALS || recorded > MAX_TRIALS || lines > MAX_LINES_BYTES {
                return Err(damaged("a run has more trials or text than can be"));
            }
            passes.push(PassRecord {
                spec: pass.spec,
                environment: pass.environment,
                observations,
                end: pass.end,
                machine: pass.machine,
                origin: pass.origin,
            });
        }
        Ok(passes)
    }

    /// Returns what was seen in a pass, in the order of test and attempt.
    pub(super) fn observations(
        &mut self,
        key: i64,
        tests: u32,
        pass: &PassRow,
        outputs: Outputs,
    ) -> Result<Vec<Observation>, Fault> {
        let connection = self.connection;
        let [stdout, stderr] = match outputs {
            Outputs::Read => ["output.stdout", "output.stderr"],
            Outputs::LeaveOut => ["length(output.stdout)", "length(output.stderr)"],
        };
        let mut select = connection.prepare_cached(&format!(
            "SELECT {TRIAL_COLUMNS}, {stdout}, output.stdout_omitted, {stderr}, output.stderr_omitted
             FROM trial LEFT JOIN output ON output.id = trial.output
             WHERE trial.run = ?1 AND trial.pass = ?2 ORDER BY trial.test, trial.attempt"
        ))?;
        let mut rows = select.query(params![key, pass.spec.number])?;
        let mut single = Vec::new();
        while let Some(row) = rows.next()? {
            let texts = (connection, &mut self.texts);
            single.push(read_trial(row, tests, outputs, texts)?);
        }
        merge(single, &pass.packed(tests)?)
    }
}

/// Returns the bytes of all signatures and messages.
fn length_of_lines(observations: &[Observation]) -> usize {
    let failures = observations.iter().filter_map(|seen| seen.failure.as_ref());
    failures
        .map(|failure| failure.signature.len() + failure.message.len())
        .sum()
}
