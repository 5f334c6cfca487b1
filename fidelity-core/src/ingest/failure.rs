//! What is kept of a failing trial of a report, whoever reads it: a signature, a line for people, and what it printed. Pure.
//!
//! A panic of Rust is looked for first, and a signal or a time limit has the words of our own runner, so that a test has one
//! signature whoever ran it. Other languages are told apart by class and message of the failure, and by the place that its
//! text names.

use super::junit::{Capped, Case, CaseFailure};
use crate::domain::{CapturedOutput, Failure, Outcome};
use crate::exec::signature;

/// Kept of a stream at its beginning, and as much at its end, in bytes.
const KEPT: usize = 8 << 10;
/// Lines after that of a matcher in which stands what it compared.
const COMPARED: usize = 10;
/// Characters of the line for people.
const LINE: usize = 1_000;

/// Masks what must not be shown in a text, of which something was left out at the place given.
pub type Masking<'a> = &'a dyn Fn(Vec<u8>, Option<usize>) -> Vec<u8>;

/// Masks nothing: a report that was written elsewhere holds no secret of ours.
pub fn as_it_is(text: Vec<u8>, _cut: Option<usize>) -> Vec<u8> {
    text
}

/// Returns what is kept of the failing trial `case`, which is one of the test `name`. All of it is masked.
pub fn of_case(case: &Case, name: &str, mask: Masking<'_>) -> Failure {
    let trial = &case.trial;
    let failures: Vec<CaseFailure> = trial.failures.iter().map(|it| masked(it, mask)).collect();
    let told: String = failures.iter().map(told).collect();
    let mut printed = trial.output.clone();
    printed.stdout = cut_and_masked(printed.stdout, printed.stdout_omitted, mask);
    printed.stderr = cut_and_masked(printed.stderr, printed.stderr_omitted, mask);
    // As our own runner reads it, where the report has it.
    let streams = [&printed.stderr[..], &printed.stdout, told.as_bytes()];
    let panic = streams
        .iter()
        .find_map(|text| signature::find_panic(text, name));
    let (line, told_apart) = match (&panic, failures.first()) {
        (Some(panic), _) => (
            signature::in_one_line(&panic.message),
            signature::of_panic(panic),
        ),
        (None, Some(failure)) => (line(failure), skeleton(failure)),
        (None, None) => Default::default(),
    };
    let (message, signature) = in_words(trial.outcome, (&line, told_apart), panic.is_some());
    Failure {
        signature,
        message: message.chars().take(LINE).collect(),
        output: output(printed, &told),
    }
}

/// Returns the line for people and the signature of a trial of this outcome, whose failure has this line and signature.
fn in_words(
    outcome: Outcome,
    (line, told_apart): (&str, String),
    panicked: bool,
) -> (String, String) {
    match outcome {
        // Where a test hangs is not known.
        Outcome::TimedOut => (
            "still running at its time limit".to_owned(),
            "timed out".to_owned(),
        ),
        Outcome::Crashed(signal) => {
            let words = format!("died of signal {signal}{}", signature::signal_name(signal));
            // Without a panic the report says no more than that.
            if panicked {
                (
                    format!("{words} ({line})"),
                    format!("{words}; {told_apart}"),
                )
            } else {
                (words.clone(), words)
            }
        }
        outcome => {
            let or_words = |text: &str| match text.trim() {
                "" => outcome.to_string(),
                _ => text.to_owned(),
            };
            (or_words(line), or_words(&told_apart))
        }
    }
}

fn masked(failure: &CaseFailure, mask: Masking<'_>) -> CaseFailure {
    let text = |text: &str, omitted: u64| {
        let bytes = cut_and_masked(text.as_bytes().to_vec(), omitted, mask);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let capped = |capped: &Capped| Capped {
        text: text(&capped.text, capped.omitted),
        omitted: capped.omitted,
    };
    CaseFailure {
        kind: failure.kind,
        class: failure.class.as_deref().map(|class| text(class, 0)),
        message: failure.message.as_ref().map(capped),
        text: capped(&failure.text),
        place: failure
            .place
            .as_ref()
            .map(|(file, line)| (text(file, 0), *line)),
    }
}

/// Masks a text of which `omitted` bytes were left out in the middle.
fn cut_and_masked(text: Vec<u8>, omitted: u64, mask: Masking<'_>) -> Vec<u8> {
    let cut = (omitted > 0).then_some(text.len() / 2);
    mask(text, cut)
}

/// Returns what was printed, with the text of the failures in front where no stream has it, each stream cut in the middle.
fn output(mut output: CapturedOutput, told: &str) -> CapturedOutput {
    let sought = squeezed(told);
    let holds = |stream: &[u8]| squeezed(&String::from_utf8_lossy(stream)).contains(&sought);
    if !told.trim().is_empty() && !holds(&output.stderr) && !holds(&output.stdout) {
        let mut stderr = told.trim_end().as_bytes().to_vec();
        stderr.push(b'\n');
        stderr.append(&mut output.stderr);
        output.stderr = stderr;
    }
    output.stdout_omitted += shorten(&mut output.stdout);
    output.stderr_omitted += shorten(&mut output.stderr);
    output
}

/// Returns a text with a space for all that is white: an attribute of XML has no ends of lines, and who quotes indents.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts a stream in the middle where it is long; returns how many bytes that takes away.
fn shorten(stream: &mut Vec<u8>) -> u64 {
    let omitted = stream.len().saturating_sub(2 * KEPT);
    if omitted > 0 {
        stream.drain(KEPT..KEPT + omitted);
        stream.shrink_to_fit();
    }
    omitted as u64
}

/// The room for what failing trials printed, in bytes. The store keeps a few outputs of each test anyway.
#[derive(Debug)]
pub struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(8 << 20)
    }
}

impl Room {
    /// Leaves out what was printed where there is no room for it.
    pub fn fit(&mut self, output: &mut CapturedOutput) {
        let size = output.stdout.len() + output.stderr.len();
        match self.0.checked_sub(size) {
            Some(left) => self.0 = left,
            None => {
                *output = CapturedOutput {
                    stdout_omitted: output.stdout_omitted + output.stdout.len() as u64,
                    stderr_omitted: output.stderr_omitted + output.stderr.len() as u64,
                    ..CapturedOutput::default()
                };
            }
        }
    }
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
        _ if squeezed(text).contains(&squeezed(message)) => format!("{text}\n"),
        _ => format!("{message}\n{text}\n"),
    }
}

/// Returns one line for people.
fn line(failure: &CaseFailure) -> String {
    let message = failure.message.as_ref().map_or("", |message| &message.text);
    let lines = message.lines().chain(failure.text.text.lines());
    let mut lines = lines.map(str::trim).filter(|line| !line.is_empty());
    let first = lines.clone().next().unwrap_or_default();
    let line = lines.find(|line| says_something(line)).unwrap_or(first);
    let compared = compared(line, lines);
    let line = compared.as_deref().unwrap_or(line);
    match failure.class.as_deref().filter(|class| !class.is_empty()) {
        Some(class) if !line.contains(class) => format!("{class}: {line}"),
        _ => line.to_owned(),
    }
}

/// Returns what a matcher of Jest or Vitest compared: its first line is the same for all that were asked alike.
fn compared<'a>(line: &'a str, following: impl Iterator<Item = &'a str>) -> Option<String> {
    line.contains("expect(received)").then(|| {
        let says = |line: &&str| line.starts_with("Expected") || line.starts_with("Received");
        let mut parts = vec![line];
        parts.extend(following.take(COMPARED).filter(says));
        parts.join("; ")
    })
}

/// Returns whether a line is more than what go test and its converters write of every failure.
fn says_something(line: &str) -> bool {
    line != "Failed" && !line.starts_with("=== ") && !line.starts_with("--- FAIL: ")
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
        let failure = of_case(case, "tests::it_works", &as_it_is);
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
    fn a_matcher_of_jest_says_what_it_compared() {
        let jest = |compared: &str| {
            let text = format!(
                "Error: expect(received).toBe(expected) // Object.is equality\n\n{compared}\n    \
                 at Object.<anonymous> (/app/cart.test.js:5:19)\n    at Promise.then.completed (/app/node_modules/x.js:1:2)"
            );
            signature_and_line(&case("", "", &text))
        };
        let (of_zone, line) = jest("Expected: \"2026-03-01\"\nReceived: \"2026-02-28\"");
        assert_eq!(
            line,
            "Error: expect(received).toBe(expected) // Object.is equality; Expected: \"2026-03-01\"; Received: \"2026-02-28\""
        );
        let (of_limit, _) = jest("Expected: 3\nReceived: undefined");
        assert_ne!(of_zone, of_limit);
        let (other_day, _) = jest("Expected: \"2026-04-01\"\nReceived: \"2026-03-31\"");
        assert_eq!(of_zone, other_day);
        // Words that happen to begin so are no part of another tool's line.
        let other = case("", "", "Error: boom\nExpected: nothing\n");
        assert_eq!(signature_and_line(&other).1, "Error: boom");
    }

    #[test]
    fn what_every_failure_of_a_tool_says_is_no_message() {
        let go = case(
            "",
            "Failed",
            "=== RUN   TestDue/is_local\n    shop_test.go:15: due on day 28\n    --- FAIL: TestDue/is_local (0.00s)\n",
        );
        let (signature, line) = signature_and_line(&go);
        assert_eq!(line, "shop_test.go:15: due on day 28");
        assert!(signature.contains("due on day"), "{signature}");
        let parent = case(
            "",
            "Failed",
            "=== RUN   TestDue\n--- FAIL: TestDue (0.00s)\n",
        );
        assert_eq!(signature_and_line(&parent).1, "Failed");
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
    fn a_signal_has_the_words_of_our_runner_with_a_panic_if_there_was_one() {
        let said = "process aborted with signal 6 (SIGABRT)";
        let mut case = case("test abort", said, said);
        case.trial.outcome = Outcome::Crashed(6);
        let words = "died of signal 6 (SIGABRT)";
        assert_eq!(signature_and_line(&case), (words.into(), words.into()));
        case.trial.output.stderr =
            b"thread 'tests::it_works' panicked at src/lib.rs:3:5:\nno 17\n".to_vec();
        assert_eq!(
            signature_and_line(&case),
            (
                "died of signal 6 (SIGABRT); src/lib.rs:3:5: no #".to_owned(),
                "died of signal 6 (SIGABRT) (no 17)".to_owned()
            )
        );
    }

    #[test]
    fn secrets_are_masked_before_anything_is_said() {
        let mut told = case("Refused", "token hunter2", "tests/a.py:3: Refused hunter2");
        told.trial.output.stdout = b"hunter2".to_vec();
        let mask = |text: Vec<u8>, _: Option<usize>| {
            let text = String::from_utf8(text).unwrap();
            text.replace("hunter2", "***").into_bytes()
        };
        let failure = of_case(&told, "", &mask);
        assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        assert_eq!(failure.output.stdout, b"***");
        assert_eq!(failure.message, "Refused: token ***");
    }

    #[test]
    fn a_mass_of_failures_that_print_much_keeps_little() {
        let mut told = case("", "x", &"y".repeat(200_000));
        told.trial.output.stdout = vec![b'z'; 100_000];
        let mut room = Room::default();
        let mut kept = 0;
        for _ in 0..1_000 {
            let mut failure = of_case(&told, "", &as_it_is);
            assert!(failure.output.stderr.len() <= 2 * KEPT);
            room.fit(&mut failure.output);
            let CapturedOutput { stdout, stderr, .. } = &failure.output;
            let all = stdout.len() as u64 + failure.output.stdout_omitted;
            assert_eq!(all, 100_000);
            kept += stdout.capacity() + stderr.capacity();
        }
        assert!((1 << 20..9 << 20).contains(&kept), "{kept}");
        let mut long = case("", &"word ".repeat(100_000), "");
        long.trial.output = CapturedOutput::default();
        assert_eq!(of_case(&long, "", &as_it_is).message.len(), LINE);
    }

    #[test]
    fn what_the_failure_tells_is_kept_once() {
        let mut told = case("", "it broke", "details");
        assert_eq!(
            of_case(&told, "", &as_it_is).output.stderr,
            b"it broke\ndetails\n"
        );
        told.trial.output.stdout = b"before\nit broke\ndetails\nafter".to_vec();
        assert!(of_case(&told, "", &as_it_is).output.stderr.is_empty());
        // Indented as in a log, and on one line as an attribute has it.
        told.trial.output.stdout = b"before\n  it broke\n  details\nafter".to_vec();
        assert!(of_case(&told, "", &as_it_is).output.stderr.is_empty());
        let told = case("", "it broke badly", "it broke\n  badly\nin a.py");
        assert_eq!(
            of_case(&told, "", &as_it_is).output.stderr,
            b"it broke\n  badly\nin a.py\n"
        );
    }
}
