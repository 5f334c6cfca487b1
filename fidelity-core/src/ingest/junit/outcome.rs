//! What a case came to, from what its elements and attributes say.

use super::{Case, CaseFailure};
use crate::domain::Outcome;

/// Values of `status` and `result` of cases that did not run.
const NOT_RUN: [&str; 10] = [
    "skipped",
    "disabled",
    "notrun",
    "not_run",
    "not run",
    "ignored",
    "pending",
    "suppressed",
    "todo",
    "skip",
];
/// Values of `status` and `result` of cases that ran and say no more, which is that they passed.
const RAN: [&str; 14] = [
    "",
    "run",
    "ran",
    "passed",
    "pass",
    "ok",
    "success",
    "successful",
    "succeeded",
    "completed",
    "complete",
    "executed",
    "finished",
    "fixed",
];
/// Values of `status` and `result` of cases that failed.
const FAILED: [&str; 14] = [
    "failed",
    "failure",
    "fail",
    "error",
    "errored",
    "broken",
    "timeout",
    "timedout",
    "timed-out",
    "timed out",
    "crashed",
    "aborted",
    "killed",
    "regression",
];

/// What an attribute says of a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    /// Nothing, or that it ran.
    #[default]
    Nothing,
    /// Something that nobody knows.
    Unknown,
    /// It did not run.
    NotRun,
    /// It failed.
    Failed,
}

/// Returns what a value of `status` or `result` says.
pub(super) fn word(value: &str) -> Word {
    let value = value.trim();
    let among = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(value));
    if among(&NOT_RUN) {
        Word::NotRun
    } else if among(&FAILED) {
        Word::Failed
    } else if among(&RAN) {
        Word::Nothing
    } else {
        Word::Unknown
    }
}

/// What was seen of the trial that a `<testcase>` itself is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Whether there is a `<skipped>`.
    pub(super) skipped: bool,
    /// What its attributes say.
    pub(super) word: Word,
    /// Whether failures are said of trials before it.
    pub(super) flaky: bool,
}

/// Returns the outcome of a case, and what contradicts it.
pub(super) fn judge(case: &Case, seen: Seen) -> (Outcome, Option<&'static str>) {
    let first = case.trial.failures.first();
    if let Some(first) = first {
        // cargo-nextest's flaky-result = "fail": the trials before failed, the last one passed.
        if seen.flaky && first.class.as_deref() == Some("flaky failure") {
            return (Outcome::Passed, None);
        }
        let contradiction = if seen.skipped {
            Some("it failed and was skipped: taken as failed")
        } else if seen.word == Word::NotRun {
            Some("it failed and its status says that it did not run: taken as failed")
        } else {
            None
        };
        return (of_failure(first), contradiction);
    }
    match (seen.skipped, seen.word) {
        (false, Word::Failed) => (Outcome::Failed, None),
        (true, Word::Failed) => (
            Outcome::Failed,
            Some("it was skipped and its status says that it failed: taken as failed"),
        ),
        (true, _) | (_, Word::NotRun) => (Outcome::Skipped, None),
        _ => (Outcome::Passed, None),
    }
}

/// Returns the outcome of a trial that failed: cargo-nextest says in words what ended it.
pub(super) fn of_failure(failure: &CaseFailure) -> Outcome {
    let class = failure.class.as_deref().unwrap_or("");
    if matches!(class, "test timeout" | "benchmark timeout") {
        return Outcome::TimedOut;
    }
    if class.starts_with("test abort") || class.starts_with("benchmark abort") {
        let message = failure.message.as_ref().map_or("", |capped| &capped.text);
        let signal = [message, &failure.text.text]
            .iter()
            .find_map(|text| signal(text));
        return signal.map_or(Outcome::Failed, Outcome::Crashed);
    }
    Outcome::Failed
}

/// Returns the number in `process aborted with signal 6 (SIGABRT)`.
fn signal(text: &str) -> Option<i32> {
    let (_, after) = text.split_once("with signal ")?;
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    digits
        .parse()
        .ok()
        .filter(|number| (1..=128).contains(number))
}
