//! The text of a failure while it is read: whole as long as it may be kept whole, and then its beginning and end.

use super::{Capped, Limits};
use crate::exec::capture::Capture;

/// A text.
pub(super) struct Passage {
    text: String,
    /// What takes over where the text is too long to be kept whole.
    long: Option<Capture>,
    kept: (usize, usize),
}

impl Passage {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            text: String::new(),
            long: None,
            kept: (limits.head, limits.tail),
        }
    }

    /// Appends what was read.
    #[inline]
    pub(super) fn extend(&mut self, piece: &str) {
        let (head, tail) = self.kept;
        if self.long.is_none() && self.text.len() + piece.len() <= head + tail {
            self.text.push_str(piece);
            return;
        }
        let long = self.long.get_or_insert_with(|| Capture::of(head, tail));
        long.extend(self.text.as_bytes());
        long.extend(piece.as_bytes());
        self.text.clear();
    }

    /// Returns the text as it is kept, blank lines around it left out, and starts anew.
    pub(super) fn take(&mut self) -> Capped {
        let mut text = std::mem::take(&mut self.text);
        let mut omitted = 0;
        if let Some(long) = self.long.take() {
            let bytes;
            (bytes, omitted) = long.finish();
            // The cut may go through a character.
            text = String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        }
        text.truncate(text.trim_end().len());
        let blank = text.len() - text.trim_start_matches(['\n', '\r']).len();
        if blank > 0 {
            text.drain(..blank);
        }
        Capped { text, omitted }
    }

    /// Takes back a text that nobody needs any more: its memory is used for the next one.
    pub(super) fn reuse(&mut self, spent: String) {
        if self.text.capacity() < spent.capacity() && self.text.is_empty() {
            self.text = spent;
            self.text.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a text in pieces of so many characters, of which at most 4 + 4 bytes are kept.
    fn read(passage: &mut Passage, text: &str, step: usize) -> (String, u64) {
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(step) {
            passage.extend(&piece.iter().collect::<String>());
        }
        let Capped { text, omitted } = passage.take();
        (text, omitted)
    }

    #[test]
    fn a_text_loses_its_middle_however_it_comes_and_whatever_came_before() {
        let limits = Limits {
            head: 4,
            tail: 4,
            ..Limits::default()
        };
        let mut passage = Passage::new(&limits);
        for (text, expected, omitted) in [
            ("", "", 0),
            ("12345678", "12345678", 0),
            ("123456789", "12346789", 1),
            ("12345678901234567890", "12347890", 12),
            ("\n\r a\n ", " a", 0),
            (" \n\n", "", 0),
            ("\u{e9}\u{e9}\u{e9}\u{e9}", "\u{e9}\u{e9}\u{e9}\u{e9}", 0),
            ("123\u{e9}456789", "123\u{fffd}6789", 3),
        ] {
            for step in 1..=text.chars().count().max(1) {
                let read = read(&mut passage, text, step);
                assert_eq!(read, (expected.to_owned(), omitted), "{text:?} by {step}");
                passage.reuse(read.0);
            }
        }
    }
}
