//! What is kept of a failing trial of a report: a signature, a line for people, and what it printed. Pure.
//!
//! A panic of Rust is looked for first, so that a test has one signature whoever ran it. Other languages are told apart by
//! class and message of the failure, and by the place that its text names.

use super::junit::{Case, CaseFailure};
use crate::domain::{CapturedOutput, Failure, Outcome};
use crate::exec::signature;

/// Returns what is kept of the failing trial `case`, which is one of the test `name`.
pub fn of_case(case: &Case, name: &str) -> Failure {
    let trial = &case.trial;
    let told: String = trial.failures.iter().map(told).collect();
    let streams = [told.as_bytes(), &trial.output.stderr, &trial.output.stdout];
    let panic = streams
        .iter()
        .find_map(|text| signature::find_panic(text, name));
    let words = trial.outcome.to_string();
    let first = trial.failures.first();
    let line = match (&panic, first) {
        (Some(panic), _) => signature::in_one_line(&panic.message),
        (None, Some(failure)) => line(failure),
        (None, None) => String::new(),
    };
    let told_apart = match (&panic, first) {
        (Some(panic), _) => signature::of_panic(panic),
        (None, Some(failure)) => skeleton(failure),
        (None, None) => String::new(),
    };
    let signature = match trial.outcome {
        // Where a test hangs is not known.
        Outcome::TimedOut => "timed out".to_owned(),
        Outcome::Crashed(_) if told_apart.is_empty() => words.clone(),
        Outcome::Crashed(_) => format!("{words}; {told_apart}"),
        _ if told_apart.is_empty() => words.clone(),
        _ => told_apart,
    };
    Failure {
        signature,
        message: if line.trim().is_empty() { words } else { line },
        output: output(&trial.output, &told),
    }
}

/// Returns what was printed, with the text of the failures in front where no stream has it.
fn output(printed: &CapturedOutput, told: &str) -> CapturedOutput {
    let mut output = printed.clone();
    let holds = |stream: &[u8]| memchr::memmem::find(stream, told.trim().as_bytes()).is_some();
    if !told.trim().is_empty() && !holds(&output.stderr) && !holds(&output.stdout) {
        let mut stderr = told.trim_end().as_bytes().to_vec();
        stderr.push(b'\n');
        stderr.append(&mut output.stderr);
        output.stderr = stderr;
    }
    output
}

/// Returns a failure as text: its message, then what stands within it.
fn told(failure: &CaseFailure) -> String {
    let message = failure
        .message
        .as_ref()
        .map_or("", |message| message.text.trim_end());
    let text = failure.text.text.trim_end();
    match (message.is_empty(), text.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("{text}\n"),
        (false, true) => format!("{message}\n"),
        _ if text.contains(message) => format!("{text}\n"),
        _ => format!("{message}\n{text}\n"),
    }
}

/// Returns one line for people.
fn line(failure: &CaseFailure) -> String {
    let message = failure.message.as_ref().map_or("", |message| &message.text);
    let mut lines = message.lines().chain(failure.text.text.lines());
    let line = lines.find(|line| !line.trim().is_empty());
    let line = line.map(str::trim).unwrap_or_default();
    match &failure.class {
        Some(class) if !line.contains(class.as_str()) => format!("{class}: {line}"),
        _ => line.to_owned(),
    }
}

fn skeleton(failure: &CaseFailure) -> String {
    let what = signature::skeleton(&line(failure));
    match place(failure) {
        Some(place) => format!("{}: {what}", signature::skeleton(&place)),
        None => what,
    }
}

/// Returns where it failed, as far as somebody says so: the failure itself, the last `FILE:LINE:` of its text, as pytest
/// and go test print it, or the first `at ...` of a stack trace.
fn place(failure: &CaseFailure) -> Option<String> {
    if let Some((file, line)) = &failure.place {
        return Some(match line {
            Some(line) => format!("{file}:{line}"),
            None => file.clone(),
        });
    }
    let lines = || failure.text.text.lines().map(str::trim);
    let of_a_file = |line: &str| -> Option<String> {
        let (file, rest) = line.split_once(':')?;
        let number = rest.split(':').next()?;
        let is_place = file.contains('.')
            && !file.contains(char::is_whitespace)
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit());
        is_place.then(|| format!("{file}:{number}"))
    };
    lines().rev().find_map(of_a_file).or_else(|| {
        lines()
            .find(|line| line.starts_with("at "))
            .map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::junit::{Capped, Trial};

    fn case(class: &str, message: &str, text: &str) -> Case {
        let capped = |text: &str| Capped {
            text: text.to_owned(),
            omitted: 0,
        };
        Case {
            trial: Trial {
                outcome: Outcome::Failed,
                failures: vec![CaseFailure {
                    class: Some(class.to_owned()).filter(|class| !class.is_empty()),
                    message: Some(capped(message)).filter(|_| !message.is_empty()),
                    text: capped(text),
                    ..CaseFailure::default()
                }],
                ..Trial::default()
            },
            ..Case::default()
        }
    }

    fn signature_and_line(case: &Case) -> (String, String) {
        let failure = of_case(case, "tests::it_works");
        (failure.signature, failure.message)
    }

    #[test]
    fn a_panic_of_rust_has_the_signature_that_our_runner_gives_it() {
        let text = "thread 'tests::it_works' panicked at src/lib.rs:12:9:\nassertion failed: 3 < 2\nnote: run";
        let (signature, line) = signature_and_line(&case("test failure", "thread panicked", text));
        let panic = signature::find_panic(text.as_bytes(), "tests::it_works").unwrap();
        assert_eq!(signature, signature::of_panic(&panic));
        assert_eq!(line, "assertion failed: 3 < 2");
    }

    #[test]
    fn other_languages_are_told_apart_by_class_message_and_place() {
        let python = case(
            "",
            "AssertionError: assert 3 == 4",
            "def test_total():\n>  assert total() == 4\nE  AssertionError\n\ntests/test_cart.py:17: AssertionError",
        );
        assert_eq!(
            signature_and_line(&python),
            (
                "tests/test_cart.py:#: AssertionError: assert # == #".to_owned(),
                "AssertionError: assert 3 == 4".to_owned()
            )
        );
        let java = case(
            "java.lang.AssertionError",
            "expected <1> but was <2>",
            "java.lang.AssertionError: expected\n\tat org.example.CartTest.total(CartTest.java:17)\n\tat sun.reflect",
        );
        let (signature, line) = signature_and_line(&java);
        assert_eq!(line, "java.lang.AssertionError: expected <1> but was <2>");
        assert!(
            signature.starts_with("at org.example.CartTest.total(CartTest.java:#): "),
            "{signature}"
        );
    }

    #[test]
    fn a_failure_without_a_word_is_called_by_its_outcome() {
        let mut silent = case("", "", "");
        assert_eq!(
            signature_and_line(&silent),
            ("failed".into(), "failed".into())
        );
        silent.trial.outcome = Outcome::TimedOut;
        assert_eq!(signature_and_line(&silent).0, "timed out");
    }

    #[test]
    fn what_the_failure_tells_is_kept_once() {
        let mut told = case("", "it broke", "details");
        assert_eq!(of_case(&told, "").output.stderr, b"it broke\ndetails\n");
        told.trial.output.stdout = b"before\nit broke\ndetails\nafter".to_vec();
        assert!(of_case(&told, "").output.stderr.is_empty());
    }
}
