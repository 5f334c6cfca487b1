//! The newest runs in numbers: what they tried, what they found, and what was found to cause it. No observation is read.
//!
//! Runs within one read transaction of the caller. Must not write.

use std::sync::Arc;

use rusqlite::params;

use super::attribution;
use super::code::{Code, NOT_REPORTED, SKIPPED};
use super::error::{Fault, damaged};
use super::pass::COMPLETED;
use super::reader::Reader;
use super::sequence::{position_stretches, positions};
use crate::domain::{Arm, ListedTest, RunHeader, RunId, StoredAttribution, TestIndex, VerdictKind};

/// A run in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct RunTally {
    /// What was known before its first pass.
    pub header: RunHeader,
    /// Trials of its completed passes, by [`Arm::index`].
    pub trials: [u64; 2],
    /// The tests, sorted by identity. Runs with the same list may share it.
    pub tests: Arc<[ListedTest]>,
    /// Those that were tried in both arms, ascending.
    pub tried: Vec<TestIndex>,
    /// Its hidden defects, ascending; none where it has no verdicts yet.
    pub hidden_defects: Option<Vec<TestIndex>>,
    /// The attributions that came to their end.
    pub attributions: Vec<StoredAttribution>,
}

/// Returns the `limit` newest runs in numbers, newest first.
pub(super) fn newest(reader: &mut Reader<'_>, limit: usize) -> Result<Vec<RunTally>, Fault> {
    let connection = reader.connection;
    let mut runs = connection.prepare_cached(
        "SELECT id, name, test_count FROM run ORDER BY started DESC, id DESC LIMIT ?1",
    )?;
    let mut rows = runs.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut tallies = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, count): (i64, u32) = (row.get(0)?, row.get(2)?);
        let id = RunId(u128::from_be_bytes(row.get(1)?));
        let (trials, tried) = trials_of(reader, (key, count))?;
        tallies.push(RunTally {
            header: reader.header(key, id)?.0,
            trials,
            tests: reader.tests(key, count)?,
            tried,
            hidden_defects: hidden_defects(reader, (key, count))?,
            attributions: attribution::of_run(connection, (key, count))?,
        });
    }
    Ok(tallies)
}

/// Returns the trials of each arm, and which tests had one in both.
fn trials_of(
    reader: &Reader<'_>,
    (run, count): (i64, u32),
) -> Result<([u64; 2], Vec<TestIndex>), Fault> {
    let connection = reader.connection;
    let mut passes = connection.prepare_cached(
        "SELECT number, arm, trials, passed FROM pass WHERE run = ?1 AND ending = ?2",
    )?;
    let mut others = connection.prepare_cached(
        "SELECT DISTINCT test FROM trial WHERE run = ?1 AND pass = ?2 AND outcome NOT IN (?3, ?4)",
    )?;
    let mut trials = [0_u64; 2];
    let mut seen = [Members::default(), Members::default()];
    let mut rows = passes.query([run, COMPLETED])?;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let arm = Arm::from_code(row.get(1)?)?.index();
        trials[arm] =
            trials[arm].saturating_add(row.get::<_, Option<i64>>(2)?.map_or(0, i64::unsigned_abs));
        let passed = row.get_ref(3)?.as_blob();
        let passed = passed.map_err(|_| damaged("a packed sequence is not stored as one"))?;
        for stretch in position_stretches(passed, count) {
            seen[arm].insert(stretch?);
        }
        let mut single = others.query(params![run, number, SKIPPED, NOT_REPORTED])?;
        while let Some(row) = single.next()? {
            let position: u32 = row.get(0)?;
            if position >= count {
                return Err(damaged("a trial names a test that is not listed"));
            }
            seen[arm].insert((position, 1));
        }
    }
    let [baseline, target] = seen;
    Ok((trials, baseline.shared_with(&target)))
}

/// A set of positions.
#[derive(Default)]
struct Members(Vec<u64>);

impl Members {
    /// Takes in a stretch of positions.
    fn insert(&mut self, (start, length): (u32, u32)) {
        for position in start..start + length {
            let word = position as usize / 64;
            if self.0.len() <= word {
                self.0.resize(word + 1, 0);
            }
            self.0[word] |= 1 << (position % 64);
        }
    }

    /// Returns what both have, ascending.
    fn shared_with(&self, other: &Self) -> Vec<TestIndex> {
        let words = (0_u32..).zip(self.0.iter().zip(&other.0));
        words
            .flat_map(|(word, (one, other))| {
                let both = one & other;
                (0..64)
                    .filter(move |bit| both >> bit & 1 == 1)
                    .map(move |bit| TestIndex(64 * word + bit))
            })
            .collect()
    }
}

fn hidden_defects(
    reader: &Reader<'_>,
    (run, count): (i64, u32),
) -> Result<Option<Vec<TestIndex>>, Fault> {
    let connection = reader.connection;
    let mut select = connection.prepare_cached("SELECT kind, tests FROM verdict WHERE run = ?1")?;
    let mut rows = select.query([run])?;
    let mut found: Option<Vec<TestIndex>> = None;
    while let Some(row) = rows.next()? {
        let found = found.get_or_insert_default();
        if VerdictKind::from_code(row.get(0)?)? == VerdictKind::HiddenDefect {
            let members: Vec<u8> = row.get(1)?;
            found.extend(positions(&members, count)?.into_iter().map(TestIndex));
        }
    }
    if let Some(found) = &mut found {
        found.sort_unstable();
    }
    Ok(found)
}
