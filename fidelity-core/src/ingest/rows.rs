//! One file, read row by row, whatever its format: JUnit XML or our CSV, told apart by content. Reads what it is given and
//! opens nothing.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Cursor, Read};
use std::sync::Arc;

use super::csv;
use super::failure;
use super::junit::{self, Case, Limits, Problem, ProblemKind, Suite};
use super::naming::{Names, Rules};
use super::pairing::PartKey;
use crate::domain::{Arm, BlockId, CapturedOutput, Failure, Outcome, TestId};

/// How a file is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The arm of reports that do not say it themselves; none where nobody said.
    pub arm: Option<Arm>,
    /// The block of such reports.
    pub block: BlockId,
    /// How tests are named.
    pub rules: Rules,
    /// How much is kept.
    pub limits: Limits,
    /// Whether what is kept of failures is wanted.
    pub failures: bool,
    /// Whether remarks on names are wanted: tests that are there more than once.
    pub remarks: bool,
}

/// One trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Position of what it belongs to, in the keys of its file.
    pub key: usize,
    /// The test.
    pub id: TestId,
    /// What it came to.
    pub outcome: Outcome,
    /// Its wall time in microseconds.
    pub duration_us: u64,
    /// When it ran, in microseconds since 1970, as far as the file says so.
    pub at_us: Option<i64>,
    /// What is kept of a failure, where that was asked for.
    pub failure: Option<Box<Failure>>,
}

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// What rows belong to, by position.
    pub keys: Vec<PartKey>,
    /// What people should know.
    pub problems: Vec<Problem>,
    /// Whether no row may be used.
    pub broken: bool,
    /// Whether nobody said which arm it is of: the file does not, and neither did the caller.
    pub needs_arm: bool,
}

impl Outcomes {
    fn refused(source: &str, line: u64, kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            broken: true,
            problems: vec![Problem {
                kind,
                source: source.to_owned(),
                line,
                column: u64::from(line > 0),
                message: message.into(),
                more: 0,
            }],
            ..Self::default()
        }
    }
}

/// Bytes that are looked at to tell what a file is.
const LOOKED_AT: u64 = 1 << 10;
/// What a file of the store's engine begins with.
const STORE: &[u8] = b"SQLite format 3\0";

/// Returns whether a file that begins with these bytes is a store of runs.
pub fn is_store(start: &[u8]) -> bool {
    start.starts_with(STORE)
}

/// Reads a file and gives each trial to `sink`, in order. What was given counts only if the result is not broken.
pub fn read(
    mut reader: impl BufRead,
    source: &str,
    reading: &Reading,
    sink: &mut dyn FnMut(Row),
) -> Outcomes {
    let mut start = Vec::new();
    if let Err(error) = reader.by_ref().take(LOOKED_AT).read_to_end(&mut start) {
        let message = format!("it cannot be read: {error}");
        return Outcomes::refused(source, 0, ProblemKind::Unreadable, message);
    }
    let first_line = String::from_utf8_lossy(&start);
    let is_csv = csv::columns_of(first_line.lines().next().unwrap_or_default());
    let whole = Cursor::new(start).chain(reader);
    if is_csv {
        read_csv(whole, source, reading, sink)
    } else {
        read_junit(
            io::BufReader::with_capacity(1 << 16, whole),
            source,
            reading,
            sink,
        )
    }
}

fn read_csv(
    reader: impl Read,
    source: &str,
    reading: &Reading,
    sink: &mut dyn FnMut(Row),
) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let mut keys: BTreeMap<PartKey, usize> = BTreeMap::new();
    let mut last: Option<(PartKey, usize)> = None;
    let result = csv::read(reader, &mut |line| {
        let part = match (line.run.is_empty(), line.pass.is_empty()) {
            (true, true) => String::new(),
            _ => format!("{}/{}", line.run, line.pass),
        };
        let key = PartKey {
            arm: line.arm,
            block: match (line.commit, line.block) {
                (None, None) => reading.block.clone(),
                (commit, name) => BlockId { commit, name },
            },
            part,
        };
        let position = match &last {
            Some((known, position)) if *known == key => *position,
            _ => {
                let next = keys.len();
                let position = *keys.entry(key.clone()).or_insert(next);
                if position == next {
                    outcomes.keys.push(key.clone());
                }
                last = Some((key, position));
                position
            }
        };
        let failure = line.outcome.is_failure().then(|| {
            let words = line.outcome.to_string();
            let signature = Some(line.signature).filter(|text| !text.is_empty());
            Box::new(Failure {
                message: signature.clone().unwrap_or_else(|| words.clone()),
                signature: signature.unwrap_or(words),
                output: CapturedOutput::default(),
            })
        });
        sink(Row {
            key: position,
            id: TestId::new(line.binary, line.test),
            outcome: line.outcome,
            duration_us: line.duration_us,
            at_us: line.at_us,
            failure,
        });
    });
    match result {
        Ok(()) => outcomes,
        Err(problem) => Outcomes::refused(
            source,
            problem.line,
            ProblemKind::Malformed,
            problem.message,
        ),
    }
}

fn read_junit(
    reader: impl BufRead,
    source: &str,
    reading: &Reading,
    sink: &mut dyn FnMut(Row),
) -> Outcomes {
    let mut names = Names::new(reading.rules.clone());
    let mut keys: BTreeMap<Option<u32>, usize> = BTreeMap::new();
    let mut times = Times::default();
    let mut room = failure::Room::default();
    let summary = junit::read(reader, source, &reading.limits, &mut |case: &Case| {
        let id = match reading.remarks {
            true => names.place(case, source).id,
            false => names.identity(case),
        };
        let next = keys.len();
        let trial = &case.trial;
        let failure = (reading.failures && trial.outcome.is_failure()).then(|| {
            let mut failure = failure::of_case(case, &id.test, &failure::as_it_is);
            room.fit(&mut failure.output);
            Box::new(failure)
        });
        sink(Row {
            key: *keys.entry(case.suite.stress).or_insert(next),
            id,
            outcome: trial.outcome,
            duration_us: trial.duration.map_or(0, |time| {
                u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
            }),
            at_us: times.of(&case.suite),
            failure,
        });
    });
    let broken = summary.broken().is_some();
    let mut problems = summary.problems;
    problems.extend(names.finish());
    let mut ordered: Vec<(Option<u32>, usize)> = keys.into_iter().collect();
    ordered.sort_by_key(|(_, position)| *position);
    let key = |(stress, _): (Option<u32>, usize)| PartKey {
        // Where nobody said which, the caller is told.
        arm: reading.arm.unwrap_or(Arm::Baseline),
        block: reading.block.clone(),
        part: stress.map_or_else(String::new, |number| format!("stress {number}")),
    };
    Outcomes {
        keys: ordered.into_iter().map(key).collect(),
        problems,
        broken,
        needs_arm: reading.arm.is_none(),
    }
}

/// When suites ran, worked out once a suite.
#[derive(Default)]
struct Times {
    last: Option<(Arc<Suite>, Option<i64>)>,
}

impl Times {
    fn of(&mut self, suite: &Arc<Suite>) -> Option<i64> {
        if let Some((known, at)) = &self.last
            && Arc::ptr_eq(known, suite)
        {
            return *at;
        }
        let at = suite.timestamp.as_deref().and_then(microseconds);
        self.last = Some((Arc::clone(suite), at));
        at
    }
}

/// Returns a time as reports write it, in microseconds since 1970. Without an offset it is taken for UTC: times put blocks
/// in an order, and mean nothing else.
fn microseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let with_offset = text.parse::<jiff::Timestamp>().ok();
    let timestamp = with_offset.or_else(|| {
        let local: jiff::civil::DateTime = text.parse().ok()?;
        local
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    });
    timestamp.map(jiff::Timestamp::as_microsecond)
}

#[cfg(test)]
mod tests;
