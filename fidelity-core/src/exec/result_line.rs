//! The line with which libtest sums up: `test result: ok. 1 passed; 0 failed; ...`.
//!
//! An exit status of 0 alone says little: a test that calls `exit(0)` ends its process with it. Must not know: how the
//! output was captured.

use serde::{Deserialize, Serialize};

use super::libtest::Word;

/// What the line says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResultLine {
    /// Tests (and benchmarks) that ran and passed.
    pub(crate) passed: u64,
    /// Tests that ran and failed.
    pub(crate) failed: u64,
    /// Tests that were not run because they are marked so.
    pub(crate) ignored: u64,
}

impl ResultLine {
    /// Returns whether it counts one test.
    pub(crate) fn is_of_one(&self) -> bool {
        self.passed
            .saturating_add(self.failed)
            .saturating_add(self.ignored)
            == 1
    }

    /// Returns how many tests ended with `word`.
    pub(crate) fn of(&self, word: Word) -> u64 {
        match word {
            Word::Passed => self.passed,
            Word::Failed => self.failed,
            Word::Ignored => self.ignored,
        }
    }
}

/// Returns what the last result line of `output` says; none if there is no whole one.
///
/// Only a line that starts with the words counts, so a test that prints them within a sentence is not believed.
pub(crate) fn find(output: &[u8]) -> Option<ResultLine> {
    const START: &[u8] = b"test result: ";
    let line = output
        .split(|&byte| byte == b'\n')
        .rev()
        .find(|line| line.starts_with(START))?;
    parse(std::str::from_utf8(line.get(START.len()..)?).ok()?)
}

/// Parses what follows `test result: `.
fn parse(text: &str) -> Option<ResultLine> {
    let (_, counts) = text.split_once(". ")?;
    let mut line = ResultLine::default();
    let mut seen = 0;
    for part in counts.split(';') {
        let mut words = part.split_whitespace();
        let (Some(number), Some(word)) = (words.next(), words.next()) else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else {
            continue;
        };
        match word {
            "passed" | "measured" => line.passed = line.passed.saturating_add(number),
            "failed" => line.failed = line.failed.saturating_add(number),
            "ignored" => line.ignored = line.ignored.saturating_add(number),
            _ => continue,
        }
        seen += 1;
    }
    (seen >= 3).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &str = "\nrunning 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.00s\n\n";

    #[test]
    fn the_counts_of_the_line_are_read() {
        let line = find(OK.as_bytes()).unwrap();
        assert_eq!((line.passed, line.failed, line.ignored), (1, 0, 0));
        let line =
            find(b"test result: FAILED. 0 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out")
                .unwrap();
        assert_eq!((line.passed, line.failed, line.ignored), (0, 1, 2));
    }

    #[test]
    fn a_verdict_in_colour_does_not_hide_the_counts() {
        let line =
            b"\ntest result: \x1b[31mFAILED\x1b(B\x1b[m. 0 passed; 1 failed; 0 ignored; 0 measured";
        assert_eq!(find(line).unwrap().failed, 1);
    }

    #[test]
    fn numbers_that_no_suite_has_do_no_harm() {
        let most = u64::MAX;
        let text =
            format!("test result: ok. {most} passed; 0 failed; {most} ignored; {most} measured");
        let line = find(text.as_bytes()).unwrap();
        assert_eq!((line.passed, line.ignored), (most, most));
        assert!(!line.is_of_one());
    }

    #[test]
    fn without_a_whole_line_there_is_no_result() {
        for text in [
            "",
            "test a ... ok",
            "test result: ",
            "test result: ok. 1 pas",
            "  test result: ok. 1 passed; 0 failed; 0 ignored",
        ] {
            assert_eq!(find(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_last_line_counts_and_foreign_bytes_do_no_harm() {
        let mut output = b"test result: ok. 5 passed; 0 failed; 0 ignored; x\n\xff\xfe\n".to_vec();
        output.extend_from_slice(OK.as_bytes());
        output.extend_from_slice(b"\xff after");
        assert_eq!(find(&output).unwrap().passed, 1);
    }
}
