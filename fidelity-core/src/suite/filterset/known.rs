//! The words that some sets take, and no others.

use crate::domain::{Severity, VerdictKind};

use super::matcher::Matcher;
use super::{FiltersetReason, Subject, nearest};

/// Kinds of binaries, and how much of the product tests cover.
const KINDS: [&str; 10] = [
    "lib",
    "bin",
    "test",
    "example",
    "bench",
    "proc-macro",
    "command",
    "unit",
    "integration",
    "e2e",
];

/// Says that a whole word is none of those there are: a typing error would otherwise select nothing, or everything.
pub(super) fn unknown_word(subject: Subject, matcher: &Matcher) -> Option<FiltersetReason> {
    let Matcher::Equal(word) = matcher else {
        return None;
    };
    let (what, known): (&'static str, Vec<&'static str>) = match subject {
        Subject::Kind => ("kind", KINDS.to_vec()),
        Subject::Severity => {
            let all = Severity::ALL.into_iter();
            ("severity", all.map(|severity| severity.as_str()).collect())
        }
        Subject::Verdict => {
            let all = VerdictKind::ALL.into_iter();
            let words = all.map(|kind| kind.as_str()).chain(["none"]);
            ("verdict", words.collect())
        }
        _ => return None,
    };
    let nearest = nearest(word, known.iter().copied());
    (!known.contains(&word.as_str())).then_some(FiltersetReason::UnknownWord { what, nearest })
}
