//! From the end of a process that ran several tests to what is seen of each. Pure.

use memchr::memmem;

use super::super::slot::Finished;
use super::super::trial::{self, Trial};
use super::Member;
use crate::domain::{CapturedOutput, Failure, Observation, Outcome};
use crate::exec::guardian::protocol::{Ended, Ending};
use crate::exec::libtest::{Lines, Manner, Said, Settled, Word};
use crate::exec::result_line::ResultLine;
use crate::exec::secrets::Mask;

/// What is said of a test that has run, but whose result was not made out.
pub(super) const LOST: &str =
    "its result line was lost among what tests print, or can be read in two ways";

/// What observations are made with.
pub(super) struct Account<'a> {
    pub(super) members: &'a [Member],
    pub(super) mask: &'a Mask,
}

impl Account<'_> {
    fn trial(&self, member: usize) -> Trial<'_> {
        let Member { test, name, .. } = &self.members[member];
        Trial {
            test: *test,
            name,
            says_result: true,
            mask: self.mask,
        }
    }

    /// Returns what the tests of a process reported. Its time is shared equally: libtest says nobody's.
    pub(super) fn reported(
        &self,
        order: &[Option<usize>],
        lines: &Lines,
        settled: &Settled,
        end: &Finished,
    ) -> Vec<(usize, Observation)> {
        let results = order.iter().zip(&settled.results).enumerate();
        let reported: Vec<(usize, usize, Word)> = results
            .filter_map(|(at, (member, word))| Some((at, (*member)?, (*word)?)))
            .collect();
        let share = share(&end.ended, reported.len());
        let observe = |(at, member, word): (usize, usize, Word)| {
            let (outcome, failure) = match word {
                Word::Passed => (Outcome::Passed, None),
                Word::Ignored => (Outcome::Skipped, None),
                Word::Failed => {
                    let failure = match section(lines, at, end) {
                        Some(printed) => trial::failed_among_others(&self.trial(member), printed),
                        None => self.failed_silently(member, settled.complete, end),
                    };
                    (Outcome::Failed, Some(Box::new(failure)))
                }
            };
            let observation = Observation {
                test: self.members[member].test,
                attempt: 0,
                outcome,
                duration_us: share,
                failure,
                leaked: 0,
            };
            (member, observation)
        };
        let mut reported: Vec<_> = reported.into_iter().map(observe).collect();
        // Of several, nobody knows whose they were.
        if let [(_, only)] = reported.as_mut_slice() {
            only.leaked = end.ended.leaked;
        }
        reported
    }

    /// Returns what is kept of a failed test that libtest shows no output of.
    fn failed_silently(&self, member: usize, complete: bool, end: &Finished) -> Failure {
        let trial = self.trial(member);
        // Where the user has output go uncaptured, the panic is among the errors of all.
        let stderr = end.output.get(end.ended.stdout.0..).unwrap_or_default();
        let own = format!("thread '{}' panicked at ", trial.name);
        if memmem::find(stderr, own.as_bytes()).is_some() {
            return trial::failed_among_others(&trial, (stderr.to_vec(), end.ended.stderr.1));
        }
        let message = if complete {
            "failed without printing anything"
        } else {
            "failed; what it printed was lost with its process"
        };
        Failure {
            // Not alike: nobody knows why any of them failed.
            signature: format!("{message}: {}", trial.name),
            message: message.to_owned(),
            output: CapturedOutput::default(),
        }
    }

    /// Returns what is seen of the only test that can have been in flight when its process ended.
    pub(super) fn culprit(
        &self,
        member: usize,
        duration_us: u64,
        mut end: Finished,
    ) -> Result<Observation, String> {
        // What was summed up, if anything, was not about it.
        end.ended.result = None;
        let mut observation = trial::observe(&self.trial(member), end)?;
        observation.duration_us = duration_us;
        Ok(observation)
    }

    /// Returns what is seen of a test that ran alone.
    pub(super) fn alone(&self, member: usize, mut end: Finished) -> Result<Observation, String> {
        // libtest sums up over the one test it was asked for; what counts others was printed by the test.
        end.ended.result = end.ended.result.filter(ResultLine::is_of_one);
        trial::observe(&self.trial(member), end)
    }

    /// Returns what is seen of a test nobody reported on.
    pub(super) fn not_reported(
        &self,
        member: usize,
        words: &str,
        output: Option<&CapturedOutput>,
    ) -> Observation {
        Observation {
            test: self.members[member].test,
            attempt: 0,
            outcome: Outcome::NotReported,
            duration_us: 0,
            failure: Some(Box::new(Failure {
                signature: words.to_owned(),
                message: words.to_owned(),
                output: output.cloned().unwrap_or_default(),
            })),
            leaked: 0,
        }
    }
}

impl Finished {
    /// Returns what the process printed.
    pub(super) fn into_output(self, mask: &Mask) -> CapturedOutput {
        trial::captured(mask, &self.ended, self.output)
    }
}

/// Returns the time of a process that falls to each of `tests`, in microseconds.
pub(super) fn share(ended: &Ended, tests: usize) -> u64 {
    ended.duration_us / u64::try_from(tests).unwrap_or(u64::MAX).max(1)
}

/// Returns what libtest shows of the failed test at this position among the names, and how much was left out of it.
fn section(lines: &Lines, at: usize, end: &Finished) -> Option<(Vec<u8>, u64)> {
    let mut begin = end.ended.stdout.0 + end.ended.stderr.0;
    for section in &lines.sections {
        if section.test as usize == at {
            let bytes = end.output.get(begin..begin.checked_add(section.length)?)?;
            return Some((bytes.to_vec(), section.omitted));
        }
        begin = begin.checked_add(section.length)?;
    }
    None
}

/// Returns whether the test at this position, which has no result, may have been running when its process ended.
pub(super) fn may_be_in_flight(lines: &Lines, manner: Manner, at: usize) -> bool {
    let said = lines.said.get(at).copied().unwrap_or_default();
    if manner.threads == 1 {
        // Heads are written before tests start.
        return match lines.running {
            Some(running) => running as usize == at,
            None => said != Said::Nothing,
        };
    }
    let ended = lines
        .said
        .iter()
        .filter(|said| **said != Said::Nothing)
        .count();
    !manner.in_order || at < ended + manner.threads
}

/// Says how a process ended, in words that follow "the process".
///
/// # Errors
/// The reason, where it never ran, or was cancelled.
pub(super) fn ending_words(ending: &Ending, timeout_ms: u64) -> Result<String, String> {
    match ending {
        Ending::Exited(code) => Ok(format!("ended with exit status {code}")),
        Ending::Signalled(signal) => {
            let name = crate::exec::signature::signal_name(*signal);
            Ok(format!("died of signal {signal}{name}"))
        }
        Ending::TimedOut => {
            let limit = trial::duration(timeout_ms);
            Ok(format!(
                "was killed, after {limit} without a result or too long in all"
            ))
        }
        Ending::Lost(reason) => Ok(format!("was lost ({reason})")),
        Ending::Cancelled | Ending::NotStarted { .. } => Err(trial::never_ran(ending)),
    }
}

/// Returns whether a process whose tests have all reported ended otherwise than they let expect.
pub(super) fn ends_badly(ending: &Ending, lines: &Lines) -> bool {
    let failed = lines.sum.is_some_and(|sum| sum.failed > 0);
    match ending {
        Ending::Exited(code) => *code != 0 && !failed,
        Ending::Signalled(_) | Ending::TimedOut => true,
        _ => false,
    }
}

/// Returns whether a test that ran alone ended its process, rather than itself.
pub(super) fn ends_its_process(ended: &Ended, observation: &Observation) -> bool {
    let sum = ended.result.filter(ResultLine::is_of_one);
    match observation.outcome {
        Outcome::Crashed(_) | Outcome::TimedOut => true,
        Outcome::NotReported => matches!(ended.ending, Ending::Lost(_)),
        Outcome::Failed => sum.is_none_or(|sum| sum.failed == 0),
        _ => false,
    }
}
