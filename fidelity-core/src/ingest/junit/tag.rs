//! A tag so long that it is not looked at in one piece: a message of megabytes in an attribute.
//!
//! Values lose their end as they come by, so that what is left is a tag like any other.

use super::Limits;
use super::attributes::boundary_before;

/// A long tag while it is read.
pub(super) struct LongTag {
    kept: String,
    /// The quote that ends the value at hand.
    quote: Option<u8>,
    /// Bytes kept of the value at hand.
    value: usize,
    /// What was left out of the value at hand.
    hash: blake3::Hasher,
    cut: u64,
    /// Bytes left out of all values.
    pub(super) omitted: u64,
    longest: usize,
    room: usize,
}

/// How reading went on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The tag goes on.
    More,
    /// It ended after so many bytes of the piece.
    Done(usize),
    /// It is too long even without its values.
    TooLong,
}

impl LongTag {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            kept: String::new(),
            quote: None,
            value: 0,
            hash: blake3::Hasher::new(),
            cut: 0,
            omitted: 0,
            longest: (limits.head + limits.tail).max(limits.name),
            room: limits.tag,
        }
    }

    /// Takes the next piece of the tag.
    pub(super) fn take(&mut self, piece: &str) -> Progress {
        let mut at = 0;
        while at < piece.len() {
            let rest = &piece[at..];
            let step = match self.quote {
                Some(quote) => {
                    let length = memchr::memchr(quote, rest.as_bytes()).unwrap_or(rest.len());
                    self.keep_value(&rest[..length]);
                    if length < rest.len() {
                        self.end_value(quote);
                        length + 1
                    } else {
                        length
                    }
                }
                None => {
                    let found = memchr::memchr3(b'"', b'\'', b'>', rest.as_bytes());
                    let length = found.map_or(rest.len(), |index| index + 1);
                    self.kept.push_str(&rest[..length]);
                    match found.map(|index| rest.as_bytes()[index]) {
                        Some(b'>') => return Progress::Done(at + length),
                        quote => self.quote = quote,
                    }
                    length
                }
            };
            if self.kept.len() > self.room {
                return Progress::TooLong;
            }
            at += step;
        }
        Progress::More
    }

    fn keep_value(&mut self, part: &str) {
        // Once something was left out, so is all that follows.
        let room = if self.cut > 0 {
            0
        } else {
            self.longest - self.value
        };
        let kept = boundary_before(part, room);
        self.kept.push_str(&part[..kept]);
        self.value += kept;
        self.hash.update(&part.as_bytes()[kept..]);
        self.cut += (part.len() - kept) as u64;
    }

    fn end_value(&mut self, quote: u8) {
        if self.cut > 0 {
            // Names that differ only in what was left out stay apart.
            self.kept.push_str("...#");
            self.kept.push_str(&self.hash.finalize().to_hex()[..16]);
            self.hash.reset();
        }
        self.kept.push(char::from(quote));
        self.omitted += self.cut;
        self.cut = 0;
        self.value = 0;
        self.quote = None;
    }

    /// Returns the tag without what was left out of its values.
    pub(super) fn finish(self) -> String {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortened(tag: &str, step: usize) -> (String, u64, usize) {
        let limits = Limits {
            head: 4,
            tail: 4,
            name: 8,
            tag: 200,
            ..Limits::default()
        };
        let mut long = LongTag::new(&limits);
        let mut at = 0;
        loop {
            let end = super::super::attributes::boundary_after(tag, (at + step).min(tag.len()));
            match long.take(&tag[at..end]) {
                Progress::More => at = end,
                Progress::Done(taken) => {
                    let omitted = long.omitted;
                    return (long.finish(), omitted, at + taken);
                }
                Progress::TooLong => panic!("too long"),
            }
        }
    }

    #[test]
    fn values_lose_their_end_however_the_tag_is_cut() {
        let tag = "<a b='12345678' c=\"1234567\u{e4}9>'\" d='123456789'/>rest";
        let expected = shortened(tag, 1000);
        assert_eq!(expected.1, 6);
        assert_eq!(expected.2, tag.len() - 4);
        assert!(expected.0.starts_with("<a b='12345678' c=\"1234567...#"));
        assert!(expected.0.ends_with("'/>"));
        for step in 1..20 {
            assert_eq!(shortened(tag, step), expected);
        }
        assert_ne!(
            shortened("<a b='12345678x'>", 5).0,
            shortened("<a b='12345678y'>", 5).0
        );
    }

    #[test]
    fn a_tag_of_names_alone_is_too_long() {
        let limits = Limits {
            tag: 100,
            ..Limits::default()
        };
        let mut long = LongTag::new(&limits);
        assert_eq!(
            long.take(&format!("<{}", "a".repeat(101))),
            Progress::TooLong
        );
    }
}
