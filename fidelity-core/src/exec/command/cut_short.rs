//! Tests that were running when their command was interrupted at its time limit. Pure.
//!
//! That the end of the command ended them says nothing of them: they were not reported. One that cargo-nextest had already
//! let run for longer than a trial may take was at its own limit.

use crate::domain::{CapturedOutput, Outcome};
use crate::exec::guardian::protocol::Ending;
use crate::ingest::junit::Case;

/// What became of a test by the report of an interrupted command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It came to this.
    Ended(Outcome),
    /// It was running when the command was interrupted.
    Running,
}

/// Returns whether a command was ended before it was done: at its time limit, or by cargo-nextest at a `global-timeout` of its
/// own, which it says.
pub(super) fn was_cut(ending: &Ending, output: &CapturedOutput) -> bool {
    let says = |stream: &[u8]| memchr::memmem::find(stream, b"due to global timeout").is_some();
    match ending {
        Ending::TimedOut => true,
        Ending::Exited(code) => *code != 0 && (says(&output.stderr) || says(&output.stdout)),
        _ => false,
    }
}

/// Returns what became of `case`. `limit_ms` is the time limit of its trial, where the tool says which signal ended a test.
pub(super) fn fate(case: &Case, limit_ms: Option<u64>) -> Fate {
    let outcome = case.trial.outcome;
    let Some(limit_ms) = limit_ms else {
        let cut_short = outcome.is_failure() && looks_interrupted(case);
        return if cut_short {
            Fate::Running
        } else {
            Fate::Ended(outcome)
        };
    };
    match outcome {
        Outcome::Crashed(libc::SIGINT | libc::SIGTERM | libc::SIGKILL) => {
            let ran = case.trial.duration.map_or(0, |it| it.as_millis());
            if u128::from(limit_ms) <= ran {
                Fate::Ended(Outcome::TimedOut)
            } else {
                Fate::Running
            }
        }
        outcome => Fate::Ended(outcome),
    }
}

/// Returns whether a failure may be that of the interruption: it speaks of one, or does not know how long the test ran, as
/// gotestsum writes of a test that has not ended.
fn looks_interrupted(case: &Case) -> bool {
    let speaks = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.contains("interrupt") || text.contains("sigint")
    };
    let mut failures = case.trial.failures.iter();
    case.trial.duration.is_none()
        || failures.any(|failure| {
            failure.class.as_deref().is_some_and(speaks)
                || failure.message.as_ref().is_some_and(|it| speaks(&it.text))
                || speaks(&failure.text.text)
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ingest::junit::{Capped, CaseFailure, Trial};

    fn case(outcome: Outcome, ms: Option<u64>, message: &str) -> Case {
        let message = Capped {
            text: message.to_owned(),
            omitted: 0,
        };
        Case {
            trial: Trial {
                outcome,
                duration: ms.map(Duration::from_millis),
                failures: vec![CaseFailure {
                    message: Some(message),
                    ..CaseFailure::default()
                }],
                ..Trial::default()
            },
            ..Case::default()
        }
    }

    #[test]
    fn a_failure_of_the_interruption_is_none_of_the_test() {
        use Outcome::{Failed, Passed};
        let fate = |outcome, ms, message| fate(&case(outcome, ms, message), None);
        assert_eq!(fate(Failed, Some(5), "3 is not 4"), Fate::Ended(Failed));
        assert_eq!(fate(Failed, Some(5), "KeyboardInterrupt"), Fate::Running);
        assert_eq!(fate(Failed, Some(5), "signal: interrupt"), Fate::Running);
        assert_eq!(fate(Failed, Some(5), "got SIGINT"), Fate::Running);
        assert_eq!(fate(Failed, None, "=== RUN TestIt"), Fate::Running);
        assert_eq!(fate(Passed, None, "interrupt"), Fate::Ended(Passed));
    }

    #[test]
    fn a_test_that_a_signal_ended_was_at_its_limit_or_running() {
        use Outcome::{Crashed, Failed, TimedOut};
        let fate = |outcome, ms| fate(&case(outcome, Some(ms), "interrupt"), Some(1_000));
        for signal in [libc::SIGINT, libc::SIGKILL] {
            assert_eq!(fate(Crashed(signal), 999), Fate::Running);
            assert_eq!(fate(Crashed(signal), 1_000), Fate::Ended(TimedOut));
        }
        assert_eq!(fate(Crashed(libc::SIGSEGV), 9), Fate::Ended(Crashed(11)));
        assert_eq!(fate(Failed, 9), Fate::Ended(Failed));
    }
}
