//! Tests of the way from the end of a process to an outcome.

use super::*;
use crate::exec::direct::slot::Job;
use crate::exec::result_line::ResultLine;

fn ended(ending: Ending) -> Ended {
    Ended {
        ending,
        duration_us: 5,
        used_us: 0,
        leaked: 0,
        result: None,
        stdout: (0, 0),
        stderr: (0, 0),
        lines: None,
    }
}

fn summed_up(ending: Ending, counts: (u64, u64, u64)) -> Ended {
    Ended {
        result: Some(ResultLine {
            passed: counts.0,
            failed: counts.1,
            ignored: counts.2,
        }),
        ..ended(ending)
    }
}

fn seen(mut ended: Ended, says_result: bool, stderr: &str) -> Result<Observation, String> {
    ended.stderr.0 = stderr.len();
    let trial = Trial {
        test: TestIndex(3),
        name: "t",
        says_result,
        mask: &Mask::new(["hunter2".to_owned()]),
    };
    let job = Job {
        tag: 3,
        recipe: 0,
        arguments: Vec::new(),
        timeout_ms: 60_000,
        grace_ms: 0,
        keep_output: false,
        together: None,
        seed: 0,
        misfires: 0,
    };
    observe(
        &trial,
        Finished {
            job,
            ended,
            output: stderr.as_bytes().to_vec(),
        },
    )
}

fn outcome(ended: Ended, says_result: bool) -> Outcome {
    seen(ended, says_result, "").unwrap().outcome
}

#[test]
fn an_exit_status_of_0_is_a_pass_only_if_the_harness_says_so() {
    let success = || Ending::Exited(0);
    assert_eq!(
        outcome(summed_up(success(), (1, 0, 0)), true),
        Outcome::Passed
    );
    assert_eq!(
        outcome(summed_up(success(), (0, 0, 1)), true),
        Outcome::Skipped
    );
    assert_eq!(
        outcome(summed_up(success(), (0, 0, 0)), true),
        Outcome::NotReported
    );
    assert_eq!(
        outcome(summed_up(success(), (1, 1, 0)), true),
        Outcome::Failed
    );
    let early = seen(ended(success()), true, "").unwrap();
    assert_eq!(early.outcome, Outcome::Failed);
    let message = early.failure.unwrap().message;
    assert_eq!(
        message,
        "the process ended with exit status 0 before the test finished"
    );
    assert_eq!(outcome(ended(success()), false), Outcome::Passed);
}

#[test]
fn other_ends_are_failures_of_their_kind() {
    assert_eq!(outcome(ended(Ending::Exited(101)), true), Outcome::Failed);
    assert_eq!(
        outcome(ended(Ending::Signalled(6)), true),
        Outcome::Crashed(6)
    );
    assert_eq!(outcome(ended(Ending::TimedOut), true), Outcome::TimedOut);
    assert_eq!(
        outcome(ended(Ending::Lost("x".into())), true),
        Outcome::NotReported
    );
    let late = seen(summed_up(Ending::Exited(3), (1, 0, 0)), true, "").unwrap();
    assert_eq!(late.outcome, Outcome::Failed);
    assert!(
        late.failure
            .unwrap()
            .message
            .contains("after the test had passed")
    );
}

#[test]
fn a_process_that_never_ran_is_no_outcome() {
    let end = ended(Ending::NotStarted {
        step: "limit its memory".to_owned(),
        errno: libc::EPERM,
    });
    let reason = seen(end, true, "").unwrap_err();
    assert!(reason.contains("limit its memory"), "{reason}");
}

#[test]
fn a_failure_is_named_by_its_panic_and_masked() {
    let text = "thread 't' panicked at src/a.rs:1:2:\nno hunter2 within 3ms\nmore\n";
    let failure = seen(ended(Ending::Exited(101)), true, text)
        .unwrap()
        .failure
        .unwrap();
    assert_eq!(failure.message, "no *** within 3ms");
    assert_eq!(failure.signature, "src/a.rs:1:2: no *** within # more");
    assert!(!String::from_utf8_lossy(&failure.output.stderr).contains("hunter2"));
    let crashed = seen(ended(Ending::Signalled(6)), true, text)
        .unwrap()
        .failure
        .unwrap();
    assert_eq!(
        crashed.message,
        "died of signal 6 (SIGABRT) (no *** within 3ms)"
    );
    assert!(
        crashed
            .signature
            .starts_with("died of signal 6 (SIGABRT); src/a.rs")
    );
}

#[test]
fn a_returned_error_and_a_time_limit_are_named() {
    let text = "Error: NotFound { line: 3 }\n";
    let failure = seen(ended(Ending::Exited(101)), true, text)
        .unwrap()
        .failure
        .unwrap();
    assert_eq!(failure.message, "Error: NotFound { line: 3 }");
    assert_eq!(failure.signature, "Error: NotFound { line: # }");
    let failure = seen(ended(Ending::TimedOut), true, text)
        .unwrap()
        .failure
        .unwrap();
    assert_eq!(failure.message, "still running after 60 s");
    assert_eq!(failure.signature, "timed out");
}
