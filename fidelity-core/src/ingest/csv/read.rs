//! Reading observations from CSV, line by line. A line that cannot be used makes the file unusable: what is left of a
//! damaged file is a selection.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::{COLUMNS, microseconds, outcome, unguard};
use crate::config::printable::shown;
use crate::domain::{Arm, Outcome};

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The run it was exported from; empty where it is from elsewhere.
    pub run: String,
    /// The name of its block; none where the commit is the block.
    pub block: Option<String>,
    /// Its pass within the run.
    pub pass: String,
    /// The arm.
    pub arm: Arm,
    /// The test's binary.
    pub binary: String,
    /// The test.
    pub test: String,
    /// What it came to.
    pub outcome: Outcome,
    /// Its wall time in microseconds.
    pub duration_us: u64,
    /// The signature of a failure; empty where there is none.
    pub signature: String,
    /// The commit; none where nobody said.
    pub commit: Option<String>,
    /// When its pass ran, in microseconds since 1970; none where nobody said.
    pub at_us: Option<i64>,
    /// The name of the arm's fidelity profile; none where nobody said.
    pub profile: Option<String>,
}

/// Why a CSV cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvProblem {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, for people.
    pub message: String,
}

/// Columns that a file has to have; the others are optional.
const NEEDED: [&str; 4] = ["arm", "binary", "test", "outcome"];

/// The bytes of a line, at most.
const LINE_BYTES: usize = 8 << 20;

/// Gives out so many bytes for a line and no more: a quote that is never closed would take the rest of a file into memory.
struct Bounded<R> {
    inner: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            let message = format!(
                "a line of more than {} MiB; is there a quote that is never closed?",
                LINE_BYTES >> 20
            );
            return Err(io::Error::other(message));
        }
        let read = self.inner.read(buffer)?;
        self.left.set(left.saturating_sub(read));
        Ok(read)
    }
}

/// Returns whether a line names the columns of observations, in any order.
pub fn columns_of(header: &str) -> bool {
    let header = header.trim_start_matches('\u{feff}').trim_end();
    let names = header.split(',').map(|name| name.trim().trim_matches('"'));
    NEEDED
        .iter()
        .all(|needed| names.clone().any(|name| name == *needed))
}

/// Returns the character that separates columns of observations in a line where it is none that we write: spreadsheets of
/// some languages write semicolons.
pub fn separated_by_another(header: &str) -> Option<char> {
    [';', '\t', '|'].into_iter().find(|separator| {
        let written = header.replace(',', " ").replace(*separator, ",");
        columns_of(&written)
    })
}

/// Reads a file of observations and gives each to `sink`, in order.
///
/// # Errors
/// The first line that cannot be used, or that `sink`, which is told the number of each, refuses. What came before has been given to `sink`, and must not count.
pub fn read(
    bytes: impl Read,
    sink: &mut dyn FnMut(u64, Line) -> Result<(), CsvProblem>,
) -> Result<(), CsvProblem> {
    let left = Rc::new(Cell::new(LINE_BYTES));
    let mut reader = ReaderBuilder::new().from_reader(Bounded {
        inner: bytes,
        left: Rc::clone(&left),
    });
    let header = reader.headers().map_err(|error| problem(1, &error))?;
    let place = |name: &str| {
        let is_it = |column: &str| column.trim_start_matches('\u{feff}').trim() == name;
        header.iter().position(is_it)
    };
    let places = COLUMNS.map(place);
    for (name, place) in COLUMNS.iter().zip(&places) {
        if NEEDED.contains(name) && place.is_none() {
            let message = format!(
                "there is no column `{name}`; the columns are {}",
                COLUMNS.join(",")
            );
            return Err(CsvProblem { line: 1, message });
        }
    }
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        left.set(LINE_BYTES);
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err(problem(line, &error)),
        }
        let line = record.position().map_or(line, csv::Position::line);
        let parsed = parse(&record, &places).map_err(|message| CsvProblem { line, message });
        sink(line, parsed?)?;
    }
}

fn parse(record: &StringRecord, places: &[Option<usize>; 12]) -> Result<Line, String> {
    let [
        run,
        block,
        pass,
        arm,
        binary,
        test,
        came_to,
        duration,
        signature,
        commit,
        at,
        profile,
    ] = places.map(|place| {
        place
            .and_then(|place| record.get(place))
            .unwrap_or_default()
    });
    let text = |text: &str| unguard(text).to_owned();
    let some = |text: &str| Some(unguard(text).to_owned()).filter(|text| !text.is_empty());
    let arm = match arm {
        "baseline" => Arm::Baseline,
        "target" => Arm::Target,
        other => {
            return Err(format!(
                "the arm is `baseline` or `target`, not `{}`",
                shown(other)
            ));
        }
    };
    let outcome = outcome(came_to).ok_or_else(|| {
        format!(
            "`{}` is no outcome: passed, failed, timed-out, crashed (signal N), skipped, not-reported",
            shown(came_to)
        )
    })?;
    let duration_us = match duration {
        "" => 0,
        text => {
            microseconds(text).ok_or_else(|| format!("`{}` is no time in seconds", shown(text)))?
        }
    };
    if test.is_empty() {
        return Err("there is no name of a test".to_owned());
    }
    Ok(Line {
        run: text(run),
        block: some(block),
        pass: text(pass),
        arm,
        binary: text(binary),
        test: text(test),
        outcome,
        duration_us,
        signature: text(signature),
        commit: some(commit),
        at_us: time(at)?,
        profile: some(profile),
    })
}

/// Returns a time in microseconds since 1970; none where nothing is said.
fn time(text: &str) -> Result<Option<i64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let at = text.parse::<jiff::Timestamp>();
    at.map(|at| Some(at.as_microsecond()))
        .map_err(|_| format!("`{}` is no time like 2026-01-09T07:50:12Z", shown(text)))
}

fn problem(line: u64, error: &csv::Error) -> CsvProblem {
    let line = error.position().map_or(line, csv::Position::line);
    let message = match error.kind() {
        ErrorKind::Io(error) => format!("it cannot be read: {error}"),
        ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} columns stand here, and {expected_len} in the first line"),
        _ => error.to_string(),
    };
    CsvProblem { line, message }
}
