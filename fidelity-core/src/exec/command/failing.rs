//! From a case of a report to what is kept of a failing trial. Pure.
//!
//! Where a Rust test panicked, the signature is that of the panic, as in the direct runner; otherwise it is the class of the
//! failure and the skeleton of its message.

use super::super::direct::signal_name;
use super::super::secrets::Mask;
use super::super::signature;
use crate::domain::{CapturedOutput, Failure, Outcome};
use crate::ingest::junit::{Capped, Case, CaseFailure};

/// Where the middle of a text begins that was left out.
fn cut(text: &[u8], omitted: u64) -> Option<usize> {
    (omitted > 0).then_some(text.len() / 2)
}

/// Returns what is kept of the trial of a case; none where it passed or was skipped.
pub(super) fn describe(case: &Case, mask: &Mask) -> Option<Failure> {
    let trial = &case.trial;
    if !trial.outcome.is_failure() {
        return None;
    }
    let failure = trial.failures.first();
    let output = output(&trial.output, failure, mask);
    let panic = signature::find_panic(&output.stderr, &case.name)
        .or_else(|| signature::find_panic(&output.stdout, &case.name));
    let told = failure.map(told).unwrap_or_default();
    let class = failure.and_then(|failure| failure.class.clone());
    let (message, signature) = match (trial.outcome, panic) {
        (Outcome::TimedOut, _) => (
            "still running at its time limit".to_owned(),
            "timed out".to_owned(),
        ),
        (Outcome::Crashed(signal), panic) => {
            let words = format!("died of signal {signal}{}", signal_name(signal));
            let first = panic
                .as_ref()
                .map(|panic| signature::in_one_line(&panic.message));
            let message = first.map_or_else(|| words.clone(), |line| format!("{words} ({line})"));
            let signature = panic.as_ref().map(signature::of_panic);
            (
                message,
                signature.map_or_else(|| words.clone(), |it| format!("{words}; {it}")),
            )
        }
        (_, Some(panic)) => (
            signature::in_one_line(&panic.message),
            signature::of_panic(&panic),
        ),
        (_, None) => by_words(class.as_deref(), &told),
    };
    let masked =
        |text: String| String::from_utf8_lossy(&mask.apply(text.into_bytes(), None)).into_owned();
    Some(Failure {
        signature: masked(signature),
        message: masked(message),
        output,
    })
}

/// Returns what a failure says of itself: its message, or else its text.
fn told(failure: &CaseFailure) -> String {
    let message = failure
        .message
        .as_ref()
        .map_or("", |message| message.text.trim());
    if message.is_empty() {
        failure.text.text.trim().to_owned()
    } else {
        message.to_owned()
    }
}

/// Returns one line for people, and the signature.
fn by_words(class: Option<&str>, told: &str) -> (String, String) {
    let line = told
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim();
    let skeleton = signature::skeleton(told);
    match (class.filter(|class| !class.is_empty()), line) {
        (None, "") => ("it failed".to_owned(), "failed".to_owned()),
        (Some(class), "") => (class.to_owned(), class.to_owned()),
        (None, line) => (line.to_owned(), skeleton),
        (Some(class), line) => {
            // Many tools repeat the class in front of the message.
            let short = class.rsplit(['.', ':']).next().unwrap_or(class);
            if line.contains(short) {
                (line.to_owned(), skeleton)
            } else {
                (format!("{class}: {line}"), format!("{class}: {skeleton}"))
            }
        }
    }
}

/// Returns the output of a trial. What a failure says at length stands in for errors where nothing else was kept.
fn output(kept: &CapturedOutput, failure: Option<&CaseFailure>, mask: &Mask) -> CapturedOutput {
    let mut output = kept.clone();
    let silent = output.stderr.iter().all(u8::is_ascii_whitespace);
    if let Some(CaseFailure {
        text: Capped { text, omitted },
        ..
    }) = failure.filter(|_| silent)
    {
        output.stderr = text.clone().into_bytes();
        output.stderr_omitted = *omitted;
    }
    let masked = |bytes: Vec<u8>, omitted: u64| {
        let cut = cut(&bytes, omitted);
        mask.apply(bytes, cut)
    };
    output.stdout = masked(output.stdout, output.stdout_omitted);
    output.stderr = masked(output.stderr, output.stderr_omitted);
    output
}
