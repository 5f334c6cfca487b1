//! The words that some sets take, and no others.

use crate::domain::{Severity, VerdictKind};

use super::matcher::Matcher;
use super::{FiltersetReason, Subject, nearest};

/// Says that a whole word is none of those there are: a typing error would otherwise select nothing, or everything.
pub(super) fn unknown_word(subject: Subject, matcher: &Matcher) -> Option<FiltersetReason> {
    let Matcher::Equal(word) = matcher else {
        return None;
    };
    let (what, known): (&'static str, Vec<&'static str>) = match subject {
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
