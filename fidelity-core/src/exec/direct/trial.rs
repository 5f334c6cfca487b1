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
            let words = format!("died of signal {signal}{}", signal_name(*signal));
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
        Ending::Cancelled => Err("it was cancelled".to_owned()),
        Ending::NotStarted { step, errno } => {
            let cause = std::io::Error::from_raw_os_error(*errno);
            Err(format!("a test process could not {step}: {cause}"))
        }
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
fn describe(trial: &Trial<'_>, judged: &Judged, ended: &Ended, mut output: Vec<u8>) -> Failure {
    let stderr = output.split_off(ended.stdout.0.min(output.len()));
    let cut = |omitted: u64| (omitted > 0).then_some(capture::HEAD);
    let output = CapturedOutput {
        stdout: trial.mask.apply(output, cut(ended.stdout.1)),
        stdout_omitted: ended.stdout.1,
        stderr: trial.mask.apply(stderr, cut(ended.stderr.1)),
        stderr_omitted: ended.stderr.1,
    };
    let panic = signature::find_panic(&output.stderr, trial.name);
    let panicked = panic.as_ref().map(signature::of_panic);
    let first_line = panic
        .as_ref()
        .map(|panic| signature::in_one_line(&panic.message))
        .filter(|line| !line.trim().is_empty());
    let message = match (first_line, judged.words_first) {
        (Some(line), false) => line,
        (Some(line), true) => format!("{} ({line})", judged.words),
        (None, _) => match last_error(&output.stderr) {
            Some(line) if !judged.words_first => line,
            _ => judged.words.clone(),
        },
    };
    let signature = match (&judged.outcome, panicked) {
        // Where a test hangs is not known, and what it printed before differs from time to time.
        (Outcome::TimedOut, _) => "timed out".to_owned(),
        (_, None) if judged.words_first => judged.words.clone(),
        (_, None) => signature::of_output(&output.stderr).unwrap_or_else(|| judged.words.clone()),
        (Outcome::Crashed(_), Some(panicked)) => format!("{}; {panicked}", judged.words),
        (_, Some(panicked)) => panicked,
    };
    Failure {
        signature,
        message,
        output,
    }
}

/// Returns the line with which a test that returned an error is reported.
fn last_error(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().rfind(|line| line.starts_with("Error: "))?;
    Some(line.to_owned())
}

/// Writes a time limit: `60 s`, `250 ms`.
fn duration(milliseconds: u64) -> String {
    if milliseconds >= 1000 && milliseconds.is_multiple_of(1000) {
        format!("{} s", milliseconds / 1000)
    } else {
        format!("{milliseconds} ms")
    }
}

/// Returns ` (SIGSEGV)` and the like; nothing for a signal without a common name.
fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGABRT => " (SIGABRT)",
        libc::SIGBUS => " (SIGBUS)",
        libc::SIGFPE => " (SIGFPE)",
        libc::SIGHUP => " (SIGHUP)",
        libc::SIGILL => " (SIGILL)",
        libc::SIGINT => " (SIGINT)",
        libc::SIGKILL => " (SIGKILL)",
        libc::SIGPIPE => " (SIGPIPE)",
        libc::SIGSEGV => " (SIGSEGV)",
        libc::SIGSYS => " (SIGSYS)",
        libc::SIGTERM => " (SIGTERM)",
        libc::SIGTRAP => " (SIGTRAP)",
        libc::SIGXCPU => " (SIGXCPU)",
        libc::SIGXFSZ => " (SIGXFSZ)",
        _ => "",
    }
}

#[cfg(test)]
#[path = "trial_tests.rs"]
mod tests;
