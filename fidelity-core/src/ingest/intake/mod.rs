//! Taking in files: looked at once to learn which tests, passes and blocks there are, and read a second time to make the
//! passes, a few at a time. Memory is bounded by the number of different tests, four bytes a trial, and one batch of passes.
//! (IO)
//!
//! Must not know the store: what was taken in before is for the caller to say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use super::junit::{Problem, ProblemKind};
use super::pairing::{self, FileName, Grouping, Part, PartKey, PassPlan};
use super::rows::{self, Reading, Row};
use crate::domain::TestId;

mod file;
mod making;

use file::read_file;

/// Files that are looked at before their names are put together.
const AT_ONCE: usize = 16;

/// A file to take in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// A file that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// What it is called.
    pub name: String,
    /// BLAKE3 of its bytes, after decompression.
    pub digest: [u8; 32],
    /// Cases in it, and their retries.
    pub cases: u64,
    /// What people should know.
    pub problems: Vec<Problem>,
    /// Whether nothing of it may be used.
    pub broken: bool,
    /// Whether nobody said which arm it is of.
    pub needs_arm: bool,
    /// What it says itself.
    pub says: rows::Says,
}

/// Files that were looked at, and what is in them.
#[derive(Clone, Debug)]
pub struct Intake {
    sources: Vec<Source>,
    reading: Reading,
    /// What became of each file, in the order given.
    pub files: Vec<Scanned>,
    /// What usable files hold.
    pub parts: Vec<Part>,
    /// Every test in them, by its number.
    tests: Vec<TestId>,
    numbers: BTreeMap<TestId, u32>,
    sets: BTreeSet<Arc<[u32]>>,
}

/// What one file holds, before its new tests have numbers.
struct Held {
    scanned: Scanned,
    /// How many tests were known when it was looked at.
    known: usize,
    /// The tests that were not.
    tests: Vec<TestId>,
    parts: Vec<HeldPart>,
}

/// What a file holds of one key; tests by number where they were known, the others by their position among the new ones, from
/// the number of those that were known on.
struct HeldPart {
    key: PartKey,
    tests: Vec<u32>,
    at_us: Option<i64>,
    trials: u64,
}

impl Intake {
    /// Looks at files, several at a time. One that cannot be used is among the result, and says why.
    pub fn scan(sources: Vec<Source>, reading: Reading) -> Self {
        let mut intake = Self {
            files: Vec::with_capacity(sources.len()),
            parts: Vec::new(),
            tests: Vec::new(),
            numbers: BTreeMap::new(),
            sets: BTreeSet::new(),
            reading: Reading {
                failures: false,
                remarks: true,
                ..reading
            },
            sources: Vec::new(),
        };
        for chunk in sources.chunks(AT_ONCE) {
            let looked: Vec<Held> = chunk
                .par_iter()
                .map(|source| look(source, &intake))
                .collect();
            for held in looked {
                intake.add(held);
            }
        }
        intake.sources = sources;
        intake.reading.failures = true;
        // They were made at the first look.
        intake.reading.remarks = false;
        intake
    }

    /// Returns every test, by its number.
    pub fn tests(&self) -> &[TestId] {
        &self.tests
    }

    /// Returns the number of a test that is known. `after` is the number that followed the last one: reports of one suite mostly
    /// name its tests in one order, so that it is tried first.
    fn number_of(&self, id: &TestId, after: &mut usize) -> Option<u32> {
        if self.tests.get(*after) != Some(id) {
            *after = *self.numbers.get(id)? as usize;
        }
        let number = u32::try_from(*after).ok();
        *after += 1;
        number
    }

    fn add(&mut self, held: Held) {
        let file = self.files.len();
        let usable = !held.scanned.broken && !held.scanned.needs_arm;
        self.files.push(held.scanned);
        if !usable {
            return;
        }
        let numbers: Vec<u32> = held
            .tests
            .into_iter()
            .map(|id| {
                let next = u32::try_from(self.tests.len()).unwrap_or(u32::MAX);
                let number = *self.numbers.entry(id.clone()).or_insert(next);
                if number == next {
                    self.tests.push(id);
                }
                number
            })
            .collect();
        for part in held.parts {
            let mut tests: Vec<u32> = part
                .tests
                .iter()
                .map(|test| match (*test as usize).checked_sub(held.known) {
                    Some(new) => numbers[new],
                    None => *test,
                })
                .collect();
            tests.sort_unstable();
            tests.dedup();
            // Passes of one suite have the same tests: one copy is enough.
            let tests: Arc<[u32]> = tests.into();
            let shared = self.sets.get(&tests).cloned().unwrap_or_else(|| {
                self.sets.insert(Arc::clone(&tests));
                tests
            });
            self.parts.push(Part {
                key: part.key,
                file,
                at_us: part.at_us,
                tests: shared,
                trials: part.trials,
            });
        }
    }

    /// Returns the passes that these of the parts make.
    pub fn plans(&self, parts: &[Part], grouping: Grouping) -> Vec<PassPlan> {
        let names: Vec<FileName<'_>> = self
            .files
            .iter()
            .map(|file| FileName {
                name: &file.name,
                digest: &file.digest,
            })
            .collect();
        pairing::compose(parts, &names, grouping)
    }
}

/// Looks at a file.
fn look(source: &Source, intake: &Intake) -> Held {
    let known = intake.tests.len();
    let mut numbers: BTreeMap<TestId, u32> = BTreeMap::new();
    let mut after = 0;
    let mut parts: Vec<(Vec<u32>, Option<i64>, u64)> = Vec::new();
    let mut cases = 0;
    let read = read_file(source, &intake.reading, &mut |row: Row| {
        let number = intake.number_of(&row.id, &mut after).unwrap_or_else(|| {
            let next = u32::try_from(known + numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(row.id).or_insert(next)
        });
        if parts.len() <= row.key {
            parts.resize(row.key + 1, (Vec::new(), None, 0));
        }
        let (tests, at, count) = &mut parts[row.key];
        // Trials of one test mostly follow each other.
        if tests.last() != Some(&number) {
            tests.push(number);
        }
        *at = [*at, row.at_us].into_iter().flatten().min();
        *count += 1;
        cases += 1;
    });
    let (outcomes, digest) = read.unwrap_or_else(|error| unreadable(source, &error));
    let mut tests: Vec<(TestId, u32)> = numbers.into_iter().collect();
    tests.sort_by_key(|(_, number)| *number);
    Held {
        scanned: Scanned {
            name: source.name.clone(),
            digest,
            cases,
            problems: outcomes.problems,
            broken: outcomes.broken,
            needs_arm: outcomes.needs_arm,
            says: outcomes.says,
        },
        known,
        tests: tests.into_iter().map(|(id, _)| id).collect(),
        parts: outcomes
            .keys
            .into_iter()
            .zip(parts)
            .map(|(key, (tests, at_us, trials))| HeldPart {
                key,
                tests,
                at_us,
                trials,
            })
            .collect(),
    }
}

/// What is told of a file that could not be read to its end.
fn unreadable(source: &Source, error: &std::io::Error) -> (rows::Outcomes, [u8; 32]) {
    let outcomes = rows::Outcomes {
        broken: true,
        problems: vec![Problem {
            kind: ProblemKind::Unreadable,
            source: source.name.clone(),
            line: 0,
            column: 0,
            message: format!("it cannot be read: {error}"),
            more: 0,
        }],
        ..rows::Outcomes::default()
    };
    (outcomes, [0; 32])
}
