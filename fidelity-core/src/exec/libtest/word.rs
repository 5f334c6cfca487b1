//! The word that ends the line of a test.

use std::borrow::Cow;

use super::Word;

/// Returns what `rest`, all that follows ` ... ` on a line, says.
pub(super) fn whole(rest: &[u8]) -> Option<Word> {
    match rest {
        b"ok" => Some(Word::Passed),
        b"FAILED" => Some(Word::Failed),
        b"ignored" => Some(Word::Ignored),
        _ if rest.starts_with(b"ignored, ") => Some(Word::Ignored),
        _ if is_benchmark(rest) => Some(Word::Passed),
        _ => None,
    }
}

/// Returns the word at the end of a line on which other things may stand before it.
pub(super) fn at_end(line: &[u8]) -> Option<Word> {
    [
        (&b"ok"[..], Word::Passed),
        (b"FAILED", Word::Failed),
        (b"ignored", Word::Ignored),
    ]
    .into_iter()
    .find(|(word, _)| line.ends_with(word))
    .map(|(_, word)| word)
}

/// Returns whether `rest` is `bench:         123.45 ns/iter (+/- 6)` and the like.
fn is_benchmark(rest: &[u8]) -> bool {
    let Some(figures) = rest.strip_prefix(b"bench:") else {
        return false;
    };
    let figures = figures.trim_ascii_start();
    let number = figures
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.'))
        .count();
    0 < number && figures[number..].starts_with(b" ns/iter (+/- ") && rest.contains(&b')')
}

/// Returns `line` without what colours it and without a carriage return at its end.
pub(super) fn plain(line: &[u8]) -> Cow<'_, [u8]> {
    const ESCAPE: u8 = 0x1b;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.contains(&ESCAPE) {
        return Cow::Borrowed(line);
    }
    let mut result = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&first, after)) = rest.split_first() {
        rest = match (first, after) {
            (ESCAPE, [b'[', parameters @ ..]) => {
                let length = parameters
                    .iter()
                    .take_while(|byte| !byte.is_ascii_alphabetic())
                    .count();
                parameters.get(length + 1..).unwrap_or_default()
            }
            (ESCAPE, [b'(', b'B', after @ ..]) => after,
            _ => {
                result.push(first);
                after
            }
        };
    }
    Cow::Owned(result)
}
