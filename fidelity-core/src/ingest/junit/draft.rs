//! The case that is being read, until its `<testcase>` ends and its trials can be put in order.

use std::sync::Arc;

use super::case::{Capped, Case, CaseFailure, Trial};
use super::elements::Node;
use super::outcome::{Seen, Word, judge, of_failure, word};
use super::passage::Passage;
use super::{FailureKind, Limits, Suite};
use crate::domain::{CapturedOutput, Outcome};
use crate::exec::capture::Capture;

/// Kept of a word that nobody knows, in bytes.
const LONGEST_WORD: usize = 100;

/// Standard output and error while they are read.
struct Streams {
    out: Capture,
    err: Capture,
}

impl Streams {
    fn new(limits: &Limits) -> Self {
        Self {
            out: Capture::of(limits.head, limits.tail),
            err: Capture::of(limits.head, limits.tail),
        }
    }

    /// Makes `output` what was read, and starts anew.
    fn move_to(&mut self, output: &mut CapturedOutput) {
        output.stdout_omitted = self.out.move_to(&mut output.stdout);
        output.stderr_omitted = self.err.move_to(&mut output.stderr);
    }
}

/// A trial that was not the deciding one.
struct Retry {
    flaky: bool,
    trial: Trial,
}

/// The case at hand.
pub(super) struct Draft {
    pub(super) case: Case,
    pub(super) seen: Seen,
    retries: Vec<Retry>,
    /// Trials beyond the limit.
    surplus: u64,
    /// The last value of `status` or `result` that nobody knows.
    unknown: String,
    own: Streams,
    retried: Streams,
    text: Passage,
    limits: Limits,
}

impl Draft {
    pub(super) fn new(limits: &Limits, suite: &Arc<Suite>) -> Self {
        Self {
            case: Case {
                suite: Arc::clone(suite),
                name: String::new(),
                classname: None,
                file: None,
                line: None,
                properties: Vec::new(),
                at: 0,
                attempt: 0,
                attempts: 0,
                trial: Trial::default(),
            },
            seen: Seen::default(),
            retries: Vec::new(),
            surplus: 0,
            unknown: String::new(),
            own: Streams::new(limits),
            retried: Streams::new(limits),
            text: Passage::new(limits),
            limits: limits.clone(),
        }
    }

    /// Forgets the case before.
    pub(super) fn clear(&mut self) {
        let case = &mut self.case;
        case.file = None;
        case.line = None;
        case.properties.clear();
        let trial = &mut case.trial;
        trial.duration = None;
        for failure in trial.failures.drain(..) {
            self.text.reuse(failure.text.text);
        }
        trial.more_failures = 0;
        trial.skipped_because = None;
        self.seen = Seen::default();
        self.retries.clear();
        self.surplus = 0;
    }

    /// Returns what a value of `status` or `result` says.
    pub(super) fn word(&mut self, value: &str) -> Word {
        let word = word(value);
        if word == Word::Unknown {
            self.unknown.clear();
            self.unknown
                .push_str(value.get(..LONGEST_WORD).unwrap_or(value));
        }
        word
    }

    /// Returns the word that would say what the case that ended came to, if it was known.
    pub(super) fn unknown_word(&self) -> Option<&str> {
        let says_more = self.case.trial.outcome != Outcome::Passed;
        (self.seen.word == Word::Unknown && !says_more).then_some(&self.unknown)
    }

    /// Begins a failure of the deciding trial. Returns where its attributes go; none if it is only counted.
    pub(super) fn begin_failure(&mut self, kind: FailureKind) -> Option<&mut CaseFailure> {
        let trial = &mut self.case.trial;
        if trial.failures.len() >= self.limits.texts {
            trial.more_failures += 1;
            return None;
        }
        trial.failures.push(CaseFailure {
            kind,
            ..CaseFailure::default()
        });
        trial.failures.last_mut()
    }

    /// Begins a trial that was not the deciding one. Returns where its attributes go; none if it is only counted.
    pub(super) fn begin_retry(&mut self, kind: FailureKind, flaky: bool) -> Option<&mut Trial> {
        self.seen.flaky |= flaky;
        if self.retries.len() + 1 >= self.limits.attempts {
            self.surplus += 1;
            return None;
        }
        let failure = CaseFailure {
            kind,
            ..CaseFailure::default()
        };
        let trial = Trial {
            failures: vec![failure],
            ..Trial::default()
        };
        self.retries.push(Retry { flaky, trial });
        self.retries.last_mut().map(|retry| &mut retry.trial)
    }

    /// Appends text that stands in `node`, an element of the case; `retry` says whether that is part of a retry.
    pub(super) fn text(&mut self, node: Node, retry: bool, text: &str) {
        let streams = if retry {
            &mut self.retried
        } else {
            &mut self.own
        };
        match node {
            Node::Failing(_) | Node::Retry { .. } | Node::Trace => self.text.extend(text),
            Node::Out => streams.out.extend(text.as_bytes()),
            Node::Err => streams.err.extend(text.as_bytes()),
            _ => {}
        }
    }

    /// Ends a failure of the deciding trial.
    pub(super) fn end_failure(&mut self) {
        let text = self.text.take();
        let trial = &mut self.case.trial;
        if trial.more_failures == 0
            && let Some(failure) = trial.failures.last_mut()
        {
            failure.text = text;
        }
    }

    /// Ends a trial that was not the deciding one.
    pub(super) fn end_retry(&mut self) {
        let text = self.text.take();
        let mut output = CapturedOutput::default();
        self.retried.move_to(&mut output);
        if self.surplus > 0 {
            return;
        }
        let keeps = self.retries.len() <= self.limits.texts;
        let Some(Retry { trial, .. }) = self.retries.last_mut() else {
            return;
        };
        if let Some(failure) = trial.failures.first_mut() {
            failure.text = text;
            trial.outcome = of_failure(failure);
            if !keeps {
                let kind = failure.kind;
                *failure = CaseFailure {
                    kind,
                    text: Capped {
                        text: String::new(),
                        omitted: failure.text.omitted + failure.text.text.len() as u64,
                    },
                    ..CaseFailure::default()
                };
            }
        }
        trial.output = if keeps { output } else { counted(&output) };
    }

    /// Ends the case: gives each trial to `sink`, in the order of time. Returns how many there were, how many were beyond the
    /// limit, and what contradicts the outcome.
    pub(super) fn end(&mut self, sink: &mut dyn FnMut(&Case)) -> (u64, u64, Option<&'static str>) {
        self.own.move_to(&mut self.case.trial.output);
        let (outcome, contradiction) = judge(&self.case, self.seen);
        self.case.trial.outcome = outcome;
        let attempts = self.retries.len() + 1;
        self.case.attempt = 0;
        self.case.attempts = u16::try_from(attempts).unwrap_or(u16::MAX);
        if self.retries.is_empty() {
            sink(&self.case);
            return (1, self.surplus, contradiction);
        }
        // A trial is repeated because it failed: what stands beside a case that did not came before it.
        let failed = outcome.is_failure();
        let (before, after): (Vec<_>, Vec<_>) = std::mem::take(&mut self.retries)
            .into_iter()
            .partition(|retry| retry.flaky || !failed);
        for retry in before {
            self.give(retry, sink);
        }
        sink(&self.case);
        self.next();
        for retry in after {
            self.give(retry, sink);
        }
        (attempts as u64, self.surplus, contradiction)
    }

    fn give(&mut self, retry: Retry, sink: &mut dyn FnMut(&Case)) {
        let own = std::mem::replace(&mut self.case.trial, retry.trial);
        sink(&self.case);
        self.case.trial = own;
        self.next();
    }

    fn next(&mut self) {
        self.case.attempt = self.case.attempt.saturating_add(1);
    }
}

/// Returns an output of which only the length is kept.
fn counted(output: &CapturedOutput) -> CapturedOutput {
    CapturedOutput {
        stdout: Vec::new(),
        stdout_omitted: output.stdout_omitted + output.stdout.len() as u64,
        stderr: Vec::new(),
        stderr_omitted: output.stderr_omitted + output.stderr.len() as u64,
    }
}
