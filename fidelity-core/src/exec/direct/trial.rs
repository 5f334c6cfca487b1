//! From the end of a process to the outcome of a trial. Pure.

use super::slot::Finished;
use crate::domain::{CapturedOutput, Failure, Observation, Outcome, TestIndex};
use crate::exec::capture;
use crate::exec::guardian::protocol::{Ended, Ending};
use crate::exec::secrets::Mask;
use crate::exec::signature;

/// What is known of a trial besides its end.
pub(super) struct Trial<'a> {
    pub(super) test: TestIndex,
    /// The test's name within its binary.
    pub(super) name: &'a str,
    pub(super) says_result: bool,
    pub(super) mask: &'a Mask,
}

/// Returns the observation of a trial that ran; the reason, where it never did.
pub(super) fn observe(trial: &Trial<'_>, finished: Finished) -> Result<Observation, String> {
    let Finished { job, ended, output } = finished;
    let judged = judge(&ended, trial.says_result, job.timeout_ms)?;
    let failure = match judged.outcome {
        Outcome::Passed | Outcome::Skipped => None,
        _ => Some(Box::new(describe(trial, &judged, &ended, output))),
    };
    Ok(Observation {
        test: trial.test,
        attempt: 0,
        outcome: judged.outcome,
        duration_us: ended.duration_us,
        failure,
        leaked: ended.leaked,
    })
}

/// An outcome, and what is to be said of how the process ended.
struct Judged {
    outcome: Outcome,
    /// One line for people.
    words: String,
    /// Whether the words matter more than a panic message.
    words_first: bool,
}

fn judge(ended: &Ended, says_result: bool, timeout_ms: u64) -> Result<Judged, String> {
    let say = |outcome, words: String, words_first| {
        Ok(Judged {
            outcome,
            words,
            words_first,
        })
    };
    match &ended.ending {
        Ending::TimedOut => {
            let words = format!("still running after {}", duration(timeout_ms));
            say(Outcome::TimedOut, words, true)
        }
        Ending::Signalled(signal) => {
            let words = format!("died of signal {signal}{}", signature::signal_name(*signal));
            say(Outcome::Crashed(*signal), words, true)
        }
        Ending::Exited(0) => Ok(judge_success(ended, says_result)),
        Ending::Exited(code)
            if ended
                .result
                .is_some_and(|line| line.passed > 0 && line.failed == 0) =>
        {
            let words =
                format!("the process ended with exit status {code} after the test had passed");
            say(Outcome::Failed, words, true)
        }
        Ending::Exited(code) => say(Outcome::Failed, format!("exit status {code}"), false),
        Ending::Lost(reason) => {
            let words = format!("nobody saw it end: {reason}");
            say(Outcome::NotReported, words, true)
        }
        Ending::Cancelled | Ending::NotStarted { .. } => Err(never_ran(&ended.ending)),
    }
}

/// Says why a process never ran, or was not let run to its end.
pub(super) fn never_ran(ending: &Ending) -> String {
    match ending {
        Ending::NotStarted { step, errno } => {
            let cause = std::io::Error::from_raw_os_error(*errno);
            format!("a test process could not {step}: {cause}")
        }
        _ => "it was cancelled".to_owned(),
    }
}

/// Judges an exit status of 0, which says nothing where the harness should have summed up and did not.
fn judge_success(ended: &Ended, says_result: bool) -> Judged {
    let (outcome, words) = match ended.result {
        _ if !says_result => (Outcome::Passed, ""),
        None => (
            Outcome::Failed,
            "the process ended with exit status 0 before the test finished",
        ),
        Some(line) if line.failed > 0 => (
            Outcome::Failed,
            "the harness counts a failure, though the exit status is 0",
        ),
        Some(line) if line.passed > 0 => (Outcome::Passed, ""),
        Some(line) if line.ignored > 0 => (Outcome::Skipped, ""),
        Some(_) => (Outcome::NotReported, "the binary ran no test of this name"),
    };
    Judged {
        outcome,
        words: words.to_owned(),
        words_first: true,
    }
}

/// Puts together what is kept of a trial that did not pass.
fn describe(trial: &Trial<'_>, judged: &Judged, ended: &Ended, output: Vec<u8>) -> Failure {
    let output = captured(trial.mask, ended, output);
    account(trial, judged, output, |output| &output.stderr)
}

/// Returns what a process printed, as it is kept.
pub(super) fn captured(mask: &Mask, ended: &Ended, mut stdout: Vec<u8>) -> CapturedOutput {
    let mut stderr = stdout.split_off(ended.stdout.0.min(stdout.len()));
    stderr.truncate(ended.stderr.0);
    CapturedOutput {
        stdout: mask.apply(stdout, cut(ended.stdout.1)),
        stdout_omitted: ended.stdout.1,
        stderr: mask.apply(stderr, cut(ended.stderr.1)),
        stderr_omitted: ended.stderr.1,
    }
}

/// Returns what is kept of a test that failed among others, of which the harness shows `printed` and left so many bytes
/// out.
pub(super) fn failed_among_others(
    trial: &Trial<'_>,
    (printed, omitted): (Vec<u8>, u64),
) -> Failure {
    let judged = Judged {
        outcome: Outcome::Failed,
        words: "the harness says FAILED".to_owned(),
        words_first: false,
    };
    let output = CapturedOutput {
        stdout: trial.mask.apply(printed, cut(omitted)),
        stdout_omitted: omitted,
        ..CapturedOutput::default()
    };
    account(trial, &judged, output, |output| &output.stdout)
}

fn cut(omitted: u64) -> Option<usize> {
    (omitted > 0).then_some(capture::HEAD)
}

/// Says in one line and in a signature how a test failed; `told` is the stream on which it says so itself.
fn account(
    trial: &Trial<'_>,
    judged: &Judged,
    output: CapturedOutput,
    told: impl Fn(&CapturedOutput) -> &[u8],
) -> Failure {
    let told = told(&output);
    let panic = signature::find_panic(told, trial.name);
    let panicked = panic.as_ref().map(signature::of_panic);
    let first_line = panic
        .as_ref()
        .map(|panic| signature::in_one_line(&panic.message))
        .filter(|line| !line.trim().is_empty());
    let message = match (first_line, judged.words_first) {
        (Some(line), false) => line,
        (Some(line), true) => format!("{} ({line})", judged.words),
        (None, _) => match last_error(told) {
            Some(line) if !judged.words_first => line,
            _ => judged.words.clone(),
        },
    };
    let signature = match (&judged.outcome, panicked) {
        // Where a test hangs is not known, and what it printed before differs from time to time.
        (Outcome::TimedOut, _) => "timed out".to_owned(),
        (_, None) if judged.words_first => judged.words.clone(),
        (_, None) => signature::of_output(told).unwrap_or_else(|| judged.words.clone()),
        (Outcome::Crashed(_), Some(panicked)) => format!("{}; {panicked}", judged.words),
        (_, Some(panicked)) => panicked,
    };
    Failure {
        signature,
        message,
        output,
    }
}

/// Returns the line with which a test that returned an error, or did not panic as it should have, is reported.
fn last_error(told: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(told);
    let starts_so =
        |line: &&str| line.starts_with("Error: ") || line.starts_with("note: test did not panic");
    text.lines().rfind(starts_so).map(str::to_owned)
}

/// Writes a time limit: `60 s`, `250 ms`.
pub(in crate::exec) fn duration(milliseconds: u64) -> String {
    if milliseconds >= 1000 && milliseconds.is_multiple_of(1000) {
        format!("{} s", milliseconds / 1000)
    } else {
        format!("{milliseconds} ms")
    }
}

#[cfg(test)]
#[path = "trial_tests.rs"]
mod tests;
