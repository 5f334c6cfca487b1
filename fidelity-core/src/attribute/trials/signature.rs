//! Which failures are the same one, at commits where lines and files differ.

use crate::domain::{Observation, Outcome};

/// Returns whether two signatures without lines are of the same failure. The file of the panic may have had another name where
/// that of `wanted` is not there.
pub(super) fn are_alike(wanted: &str, found: &str, is_there: impl Fn(&str) -> bool) -> bool {
    if wanted == found {
        return true;
    }
    let parts = (wanted.split_once(": "), found.split_once(": "));
    let (Some((file, message)), Some((other, same))) = parts else {
        return false;
    };
    let is_source = |file: &str| file.ends_with(".rs");
    message == same && is_source(file) && is_source(other) && !is_there(file)
}

/// The longest signature that is told beside a commit, in characters.
const LONGEST: usize = 160;

/// Returns in words why a trial that ran says nothing of the failure that is looked into.
pub(super) fn nothing_said(observation: &Observation) -> String {
    match (&observation.outcome, &observation.failure) {
        (Outcome::Skipped, _) => "it is skipped".to_owned(),
        (Outcome::NotReported, _) | (_, None) => "nobody saw how it ended".to_owned(),
        (_, Some(failure)) => {
            let signature = without_lines(&failure.signature);
            let signature: String = signature.chars().take(LONGEST).collect();
            format!("it fails in another way: {signature}")
        }
    }
}

/// Returns a signature without the line and column of the panic, which move from commit to commit.
pub fn without_lines(signature: &str) -> String {
    let Some((place, message)) = signature.split_once(": ") else {
        return signature.to_owned();
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts: Vec<&str> = place.split(':').collect();
    while 1 < parts.len() && parts.last().is_some_and(|part| is_number(part)) {
        parts.pop();
    }
    format!("{}: {message}", parts.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_the_same_in_a_file_that_was_renamed() {
        let alike = |found, there| are_alike("tests/new.rs: it broke", found, |_| there);
        assert!(alike("tests/new.rs: it broke", true));
        assert!(alike("tests/old.rs: it broke", false));
        // Where both files are there it is another failure, as it is with another message.
        assert!(!alike("tests/old.rs: it broke", true));
        assert!(!alike("tests/old.rs: it bent", false));
        assert!(!alike("exit status: it broke", false));
        assert!(!alike("timed out", false));
    }

    #[test]
    fn lines_and_columns_are_no_part_of_what_is_compared() {
        for (signature, kept) in [
            (
                "src/lib.rs:10:5: left # right #",
                "src/lib.rs: left # right #",
            ),
            ("src/lib.rs:10: x", "src/lib.rs: x"),
            ("exit status: 3", "exit status: 3"),
            ("timed out", "timed out"),
            ("C:\\a.rs:1:2: m: n", "C:\\a.rs: m: n"),
        ] {
            assert_eq!(without_lines(signature), kept);
        }
    }
}
