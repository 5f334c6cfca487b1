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
use crate::config::printable::shown;
use crate::domain::{Arm, BlockId, CapturedOutput, Failure, Outcome, TestId};

/// How a file is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The arm of reports that do not say it themselves; none where nobody said.
    pub arm: Option<Arm>,
    /// The block of such reports.
    pub block: BlockId,
    /// The names of the fidelity profiles that are compared, by arm; none where they do not matter.
    pub profiles: Option<[String; 2]>,
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
    /// What the file says itself, whatever the caller says.
    pub says: Says,
}

/// What a file says of its results itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Says {
    /// Which arm they are of, and how tests are called.
    pub arm: bool,
    /// Which commit or block they are of.
    pub block: bool,
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

/// The property by which `report --format junit` marks its suites.
pub const VERDICTS: &str = "fidelity.run";

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
    let header = first_line.lines().next().unwrap_or_default();
    if let Some(separator) = csv::separated_by_another(header) {
        let message = format!(
            "its columns are separated by `{}`; those of observations are by commas",
            separator.escape_debug()
        );
        return Outcomes::refused(source, 1, ProblemKind::Malformed, message);
    }
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
    outcomes.says.arm = true;
    let mut kind = ProblemKind::Malformed;
    let result = csv::read(reader, &mut |number, line| {
        if let Some(message) = other_profile(&line, reading) {
            kind = ProblemKind::OtherProfile;
            let line = number;
            return Err(csv::CsvProblem { line, message });
        }
        outcomes.says.block |= line.commit.is_some() || line.block.is_some();
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
        Ok(())
    });
    match result {
        Ok(()) => outcomes,
        Err(problem) => Outcomes::refused(source, problem.line, kind, problem.message),
    }
}

/// Says where a line is of another fidelity profile than its arm is here.
fn other_profile(line: &csv::Line, reading: &Reading) -> Option<String> {
    let here = &reading.profiles.as_ref()?[line.arm.index()];
    let there = line.profile.as_ref().filter(|there| *there != here)?;
    let (arm, there, here) = (line.arm, shown(there), shown(here));
    Some(format!(
        "the {arm} is `{there}` in this file, and `{here}` in this comparison"
    ))
}

fn read_junit(
    reader: impl BufRead,
    source: &str,
    reading: &Reading,
    sink: &mut dyn FnMut(Row),
) -> Outcomes {
    let mut names = Names::new(reading.rules.clone());
    let mut keys: BTreeMap<Option<u32>, usize> = BTreeMap::new();
    let mut suites = Suites::default();
    let mut verdicts = 0_u64;
    let mut room = failure::Room::default();
    let summary = junit::read(reader, source, &reading.limits, &mut |case: &Case| {
        let suite = suites.of(&case.suite);
        if suite.verdicts {
            verdicts += 1;
            return;
        }
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
            at_us: suite.at_us,
            failure,
        });
    });
    let mut broken = summary.broken().is_some();
    let mut problems = summary.problems;
    if 0 < verdicts {
        // Where there is nothing else, the file is no report of a suite at all.
        broken |= keys.is_empty();
        problems.push(of_verdicts(source, verdicts));
    }
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
        says: Says::default(),
    }
}

/// Says that cases are verdicts of this tool (`report --format junit`) and no trials.
fn of_verdicts(source: &str, cases: u64) -> Problem {
    let they = match cases {
        1 => "1 case is a verdict of cargo fidelity and no trial".to_owned(),
        cases => format!("{cases} cases are verdicts of cargo fidelity and no trials"),
    };
    Problem {
        kind: ProblemKind::Verdicts,
        source: source.to_owned(),
        line: 0,
        column: 0,
        message: format!("{they}: its store and its CSV (`report --format csv`) have the trials"),
        more: 0,
    }
}

/// What is to be known of a suite.
#[derive(Clone, Copy, Default)]
struct OfSuite {
    /// When it ran, in microseconds since 1970.
    at_us: Option<i64>,
    /// Whether its cases are verdicts of our own.
    verdicts: bool,
}

/// What is known of suites, worked out once a suite.
#[derive(Default)]
struct Suites {
    last: Option<(Arc<Suite>, OfSuite)>,
}

impl Suites {
    fn of(&mut self, suite: &Arc<Suite>) -> OfSuite {
        if let Some((known, of)) = &self.last
            && Arc::ptr_eq(known, suite)
        {
            return *of;
        }
        let of = OfSuite {
            at_us: suite.timestamp.as_deref().and_then(microseconds),
            verdicts: suite.properties.iter().any(|(name, _)| name == VERDICTS),
        };
        self.last = Some((Arc::clone(suite), of));
        of
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
