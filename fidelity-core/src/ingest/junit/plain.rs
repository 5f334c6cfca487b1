//! The start tag of a case where it is written as nearly all are, recognised in one pass.
//!
//! A report of passing tests is hardly anything else, and quick-xml looks at such a tag twice: for its end and for its attributes. Whatever
//! is unusual in the least is left to quick-xml; `tests/plain.rs` holds that both see the same.

use super::attributes::{Raw, is_plain, is_same};

/// Attributes of such a tag.
const MOST: usize = 8;
const BEGINS: &str = "<testcase ";
/// The end tag of a case.
pub(super) const ENDS: &str = "</testcase>";

/// A start tag of a case.
pub(super) struct PlainTag<'a> {
    attributes: [(&'a str, &'a str); MOST],
    count: usize,
    plain: bool,
    /// Whether it is an end tag too.
    pub(super) empty: bool,
    /// Its bytes.
    pub(super) length: usize,
}

impl<'a> PlainTag<'a> {
    /// Returns the tag that a text begins with; none if that is no start tag of a case, or an unusual one.
    #[inline]
    pub(super) fn first(text: &'a str) -> Option<Self> {
        let mut rest = text.strip_prefix(BEGINS)?;
        let mut attributes = [("", ""); MOST];
        let mut count = 0;
        let empty = loop {
            rest = rest.trim_ascii_start();
            match rest.as_bytes() {
                [b'>', ..] => break false,
                [b'/', b'>', ..] => break true,
                _ => {}
            }
            let length = rest
                .bytes()
                .position(|byte| !byte.is_ascii_alphanumeric() && byte != b'-')?;
            let (name, after) = rest.split_at(length);
            let (value, quote) = match after.as_bytes() {
                [b'=', quote @ (b'"' | b'\''), ..] => (&after[2..], *quote),
                _ => return None,
            };
            let end = memchr::memchr(quote, value.as_bytes())?;
            let earlier = attributes.iter().take(count);
            if count == MOST
                || name.is_empty()
                || earlier.clone().any(|(earlier, _)| is_same(earlier, name))
            {
                return None;
            }
            attributes[count] = (name, &value[..end]);
            count += 1;
            rest = &value[end + 1..];
        };
        let length = text.len() - rest.len() + if empty { 2 } else { 1 };
        let inside = &text[BEGINS.len()..length];
        let plain = is_plain(inside);
        if !plain && inside.contains('<') {
            return None;
        }
        Some(Self {
            attributes,
            count,
            plain,
            empty,
            length,
        })
    }

    /// Returns names and values.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'a str, Raw<'a>)> {
        let plain = self.plain;
        let known = self.attributes.iter().take(self.count);
        known.map(move |(name, value)| (*name, Raw::new(value, plain)))
    }
}
