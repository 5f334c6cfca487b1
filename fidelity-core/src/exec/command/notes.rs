//! What is to be said of the passes of a command beside their outcomes: tests that appeared or vanished, reports that could
//! not be used, commands that failed by themselves. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Ended, Remarks};
use crate::domain::{CapturedOutput, Problem, TestId, TestIndex};

/// Names in one sentence.
const NAMED: usize = 5;
/// Lines of a command's output that are shown where it could not be used.
const LINES: usize = 15;
/// Of these, the lines that are repeated in a remark.
const LAST_WORDS: usize = 3;

/// What passes gave reason to say.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Tests that are not in the list.
    unknown: BTreeSet<TestId>,
    /// In how many passes each test was not reported.
    missing: BTreeMap<TestIndex, u32>,
    broken: BTreeSet<String>,
    /// Of the first pass that gave reason for it: the reports of all name the same tests.
    names: Vec<String>,
    /// How often the command failed although no test did, and how it ended first.
    failed_alone: (u32, String),
    /// How many passes were interrupted at the time limit, and what is known of the first.
    timed_out: (u32, String),
    /// In how many passes the command could not be told which tests to run, although others could.
    not_selected: u32,
}

impl Notes {
    /// Takes note of a pass that runs the whole suite, because its tests cannot be named to the command.
    pub(super) fn could_not_select(&mut self) {
        self.not_selected += 1;
    }

    /// Takes the remarks of a pass that counts.
    pub(super) fn take(&mut self, remarks: Remarks, ended: &Ended<'_>) {
        if remarks.timed_out {
            let (times, first) = &mut self.timed_out;
            *times += 1;
            if first.is_empty() {
                *first = known(&remarks, ended);
            }
        }
        self.unknown.extend(remarks.unknown);
        self.broken.extend(remarks.broken);
        if self.names.is_empty() {
            self.names = remarks.names;
        }
        for test in remarks.missing {
            *self.missing.entry(test).or_default() += 1;
        }
        if remarks.failed_alone {
            let (times, first) = &mut self.failed_alone;
            *times += 1;
            if first.is_empty() {
                *first = ended.words.to_owned();
            }
        }
    }

    /// Returns what is to be said, with tests by their place in `listed`.
    pub(super) fn problems(&self, listed: &[TestId]) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.broken.iter().cloned().map(broken).collect();
        let mut say = |kind: &str, message: String| {
            let kind = kind.to_owned();
            problems.push(Problem { kind, message });
        };
        for name in &self.names {
            say("names", name.clone());
        }
        if !self.unknown.is_empty() {
            let tests = tests(self.unknown.iter());
            say(
                "tests-appeared",
                format!("not in the list of this run, and counted from the next on: {tests}"),
            );
        }
        if !self.missing.is_empty() {
            let missing = self
                .missing
                .keys()
                .filter_map(|test| listed.get(test.get()));
            let tests = tests(missing);
            let passes = self.missing.values().max().copied().unwrap_or(0);
            say(
                "tests-not-reported",
                format!(
                    "not reported in up to {}: {tests}",
                    times(passes, "pass", "passes")
                ),
            );
        }
        let (timed_out, known) = &self.timed_out;
        if 0 < *timed_out {
            let passes = times(*timed_out, "pass was", "passes were");
            say(
                "command-timed-out",
                format!(
                    "{passes} interrupted at the time limit of the command, or a `global-timeout` of cargo-nextest; what was reported until then counts{known}"
                ),
            );
        }
        if 0 < self.not_selected {
            let passes = times(self.not_selected, "pass", "passes");
            say(
                "whole-passes",
                format!(
                    "in {passes} the whole suite ran although a part of it was wanted: the tests could not all be \
                     named to the command (too many or too long for its arguments, or names it does not take or that change)"
                ),
            );
        }
        let (failed, words) = &self.failed_alone;
        if 0 < *failed {
            let passes = times(*failed, "pass", "passes");
            say(
                "command-failed",
                format!("in {passes} the command {words} although no test failed"),
            );
        }
        problems
    }
}

/// Returns what is known of a pass that was interrupted, as the rest of a sentence.
fn known(remarks: &Remarks, ended: &Ended<'_>) -> String {
    let mut known = match (remarks.running.is_empty(), &remarks.last) {
        (false, _) => format!("; still running: {}", tests(remarks.running.iter())),
        (true, Some(last)) => format!("; the last test it reported is {last}"),
        (true, None) => String::new(),
    };
    if let Some(printed) = &ended.printed {
        known.push_str(&format!("; it printed last: {printed}"));
    }
    known
}

/// Returns the remark that a report could not be used.
pub(super) fn broken(message: String) -> Problem {
    Problem {
        kind: "report-not-readable".to_owned(),
        message: format!("a report was not used: {message}"),
    }
}

fn times(number: u32, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Names tests: `3 tests (a, b, c)`.
fn tests<'a>(tests: impl Iterator<Item = &'a TestId>) -> String {
    let all: Vec<String> = tests.map(ToString::to_string).collect();
    let named = all
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let more = if NAMED < all.len() { ", ..." } else { "" };
    let number = u32::try_from(all.len()).unwrap_or(u32::MAX);
    format!("{} ({named}{more})", times(number, "test", "tests"))
}

/// Returns the last lines a command printed, errors last; none where it printed nothing.
pub(super) fn tail(output: &CapturedOutput) -> Option<String> {
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    };
    let mut all = lines(&output.stdout);
    all.extend(lines(&output.stderr));
    let first = all.len().saturating_sub(LINES);
    let last = all.split_off(first);
    (!last.is_empty()).then(|| last.join("\n"))
}

/// Returns the very last lines of [`tail`] as one.
pub(super) fn last_words(output: &CapturedOutput) -> Option<String> {
    let tail = tail(output)?;
    let lines: Vec<&str> = tail.lines().map(str::trim).collect();
    let last = &lines[lines.len().saturating_sub(LAST_WORDS)..];
    Some(last.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_in_several_passes_is_said_once() {
        let listed = [TestId::new("s", "a"), TestId::new("s", "b")];
        let ended = Ended {
            words: "ended with exit status 2 (cleaning up failed)",
            well: false,
            timed_out: false,
            printed: Some("3 passed | Interrupted".to_owned()),
            leaked: 0,
        };
        let mut notes = Notes::default();
        assert!(notes.problems(&listed).is_empty());
        for turn in 0..3 {
            let remarks = Remarks {
                unknown: (0..=turn * 3)
                    .map(|n| TestId::new("s", format!("new{n}")))
                    .collect(),
                missing: if turn == 0 {
                    [TestIndex(1)].into()
                } else {
                    [TestIndex(0), TestIndex(1)].into()
                },
                broken: vec!["r.xml:1:1: it is no XML".to_owned()],
                names: vec![format!("r.xml:{turn}:1: `a` is there more than once")],
                failed_alone: turn == 2,
                timed_out: turn == 1,
                running: Vec::new(),
                last: Some(TestId::new("s", "b")),
            };
            notes.take(remarks, &ended);
        }
        notes.could_not_select();
        let said: Vec<String> = notes
            .problems(&listed)
            .into_iter()
            .map(|it| it.message)
            .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        a report was not used: r.xml:1:1: it is no XML
        r.xml:0:1: `a` is there more than once
        not in the list of this run, and counted from the next on: 7 tests (s new0, s new1, s new2, s new3, s new4, ...)
        not reported in up to 3 passes: 2 tests (s a, s b)
        1 pass was interrupted at the time limit of the command, or a `global-timeout` of cargo-nextest; what was reported until then counts; the last test it reported is s b; it printed last: 3 passed | Interrupted
        in 1 pass the whole suite ran although a part of it was wanted: the tests could not all be named to the command (too many or too long for its arguments, or names it does not take or that change)
        in 1 pass the command ended with exit status 2 (cleaning up failed) although no test failed
        ");
    }

    #[test]
    fn the_end_of_the_output_is_kept_errors_last() {
        let output = |stdout: String, stderr: &str| CapturedOutput {
            stdout: stdout.into_bytes(),
            stderr: stderr.into(),
            ..CapturedOutput::default()
        };
        assert_eq!(tail(&output(String::new(), " \n")), None);
        let many: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let tail = tail(&output(many, "why\n\nnot\n")).unwrap();
        assert!(tail.starts_with("line 87\n"), "{tail}");
        assert!(tail.ends_with("line 99\nwhy\nnot"), "{tail}");
    }
}
