//! Attributes of a tag: each name once, values as XML means them.

use quick_xml::events::BytesStart;

use super::Limits;
use super::case::Capped;
use super::problem::{Fault, ProblemKind};
use crate::config::printable::shown;

/// Attributes of a tag among which a repetition is noticed. No tool writes nearly as many.
const COMPARED: usize = 16;

/// What was odd about a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Odd {
    /// A character that XML does not allow.
    pub(super) forbidden: bool,
    /// A reference that is not replaced.
    pub(super) reference: bool,
}

/// A value as it stands in the tag.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) text: &'a str,
    /// Whether nothing in it needs a second look: no reference, no control character.
    plain: bool,
}

impl Raw<'_> {
    pub(super) fn is_empty(self) -> bool {
        self.text.is_empty()
    }
}

/// A start tag, whoever recognised it.
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    written: Written<'a>,
}

/// The attributes of a tag.
#[derive(Clone, Copy)]
enum Written<'a> {
    /// As they stand there.
    Raw(&'a str),
    /// Names, which differ, and values; and whether these are [plain](Raw::plain).
    Known(&'a [(&'a str, &'a str)], bool),
}

impl<'a> Tag<'a> {
    /// Returns a tag whose attributes are known.
    #[inline]
    pub(super) fn known(name: &'a str, attributes: &'a [(&'a str, &'a str)], plain: bool) -> Self {
        Self {
            name,
            written: Written::Known(attributes, plain),
        }
    }

    /// Returns the name without its prefix.
    #[inline]
    pub(super) fn local(&self) -> &'a str {
        self.name
            .split_once(':')
            .map_or(self.name, |(_, local)| local)
    }
}

impl<'a> From<&'a BytesStart<'_>> for Tag<'a> {
    fn from(tag: &'a BytesStart<'_>) -> Self {
        Self {
            name: tag.name().0,
            written: Written::Raw(tag.attributes_raw()),
        }
    }
}

/// Calls `visit` with name and value of each attribute of a tag; `visit` says whether it knows the name.
#[inline]
pub(super) fn each<'a>(
    tag: &Tag<'a>,
    mut visit: impl FnMut(&'a str, Raw<'a>) -> bool,
) -> Result<(), Fault> {
    match tag.written {
        Written::Known(attributes, plain) => {
            for (name, text) in attributes {
                visit(name, Raw { text, plain });
            }
            Ok(())
        }
        Written::Raw(attributes) => each_of(tag.name, attributes, visit),
    }
}

/// Does what quick-xml's iterator does with half its work, by searching for the quotes: a report is attributes for the most part.
fn each_of<'a>(
    tag: &str,
    attributes: &'a str,
    mut visit: impl FnMut(&'a str, Raw<'a>) -> bool,
) -> Result<(), Fault> {
    let mut names = [""; COMPARED];
    let mut rest = attributes;
    let plain = is_plain(rest);
    for index in 0.. {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            break;
        }
        let (name, text, after) = first(rest).map_err(|what| malformed(tag, what))?;
        if names
            .iter()
            .take(index)
            .any(|earlier| is_same(earlier, name))
        {
            return Err(Fault::new(
                ProblemKind::Malformed,
                format!("attribute `{}` is given twice", shown(name)),
            ));
        }
        if let Some(place) = names.get_mut(index) {
            *place = name;
        }
        if !plain && text.contains('<') {
            let what = "a value contains `<`, as it does where a closing quote is missing";
            return Err(malformed(tag, what));
        }
        let known = visit(name, Raw { text, plain });
        if !known && !is_name(name) {
            return Err(malformed(tag, "an attribute has no `=`"));
        }
        rest = after;
    }
    Ok(())
}

/// Returns whether nothing in a text needs a second look: one pass without branches tells that of nearly all.
#[inline]
pub(super) fn is_plain(text: &str) -> bool {
    !text.bytes().fold(false, |special, byte| {
        special | (byte < 0x20) | (byte == b'&') | (byte == b'<')
    })
}

/// Returns whether a text may be the name of an attribute.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '\t', '\n', '\r', '"', '\'', '/'])
}

/// Returns whether two names are equal; nearly all differ in length or in their last letter.
#[inline]
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.as_bytes().last() == other.as_bytes().last() && one == other
}

/// Returns name and value of the attribute that a text begins with, and what follows it; or what is wrong with it. The name may be none.
#[inline]
fn first(text: &str) -> Result<(&str, &str, &str), &'static str> {
    let length = memchr::memchr(b'=', text.as_bytes()).ok_or("an attribute has no `=`")?;
    let name = text[..length].trim_ascii_end();
    let rest = text[length + 1..].trim_ascii_start();
    let quote = match rest.as_bytes().first() {
        Some(quote @ (b'"' | b'\'')) => *quote,
        Some(_) => return Err("a value stands in no quotes"),
        None => return Err("an attribute has no value"),
    };
    let value = &rest[1..];
    let end = memchr::memchr(quote, value.as_bytes()).ok_or("a value has no closing quote")?;
    Ok((name, &value[..end], &value[end + 1..]))
}

fn malformed(tag: &str, what: &str) -> Fault {
    let message = format!("in `<{}>` {what}", shown(tag));
    Fault::new(ProblemKind::Malformed, message)
}

/// Appends a value as XML means it: references replaced, white space as spaces.
#[inline]
pub(super) fn append(raw: Raw<'_>, into: &mut String) -> Odd {
    if raw.plain || is_plain(raw.text) {
        into.push_str(raw.text);
        return Odd::default();
    }
    append_special(raw.text, into)
}

fn append_special(raw: &str, into: &mut String) -> Odd {
    let mut odd = Odd::default();
    let mut rest = raw;
    while let Some(found) = rest.find(|c: char| c < ' ' || c == '&') {
        into.push_str(&rest[..found]);
        rest = &rest[found..];
        let taken = match rest.as_bytes()[0] {
            b'&' => match reference(rest) {
                Some((c, length)) => {
                    into.push(c);
                    length
                }
                None => {
                    odd.reference = true;
                    into.push('&');
                    1
                }
            },
            b'\r' if rest.starts_with("\r\n") => {
                into.push(' ');
                2
            }
            b'\t' | b'\n' | b'\r' => {
                into.push(' ');
                1
            }
            forbidden => {
                odd.forbidden = true;
                into.push(char::from(forbidden));
                1
            }
        };
        rest = &rest[taken..];
    }
    into.push_str(rest);
    odd
}

/// Returns the character that a reference at the start of a text stands for, and the reference's length.
pub(super) fn reference(text: &str) -> Option<(char, usize)> {
    /// `&#x10FFFF;` and some zeros.
    const LONGEST: usize = 32;
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
    named(&text[1..end]).map(|c| (c, end + 1))
}

/// Returns the character that a reference with this name stands for; none if it is neither predefined nor a number.
pub(super) fn named(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let number = match digits.strip_prefix('x') {
                Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                    u32::from_str_radix(hex, 16)
                }
                None if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse(),
                _ => return None,
            };
            number.ok().and_then(char::from_u32)
        }
    }
}

/// Cuts a name that is too long. The cut name ends with a hash of the whole, so that different names stay apart.
///
/// Returns whether it was cut.
#[inline]
pub(super) fn cut_name(name: &mut String, longest: usize) -> bool {
    let long = name.len() > longest;
    if long {
        cut_long_name(name, longest);
    }
    long
}

fn cut_long_name(name: &mut String, longest: usize) {
    let hash = blake3::hash(name.as_bytes()).to_hex();
    name.truncate(boundary_before(name, longest));
    name.push_str("...#");
    name.push_str(&hash[..16]);
}

/// Cuts the middle out of a text that is too long.
pub(super) fn cap(text: &str, limits: &Limits) -> Capped {
    if text.len() <= limits.head + limits.tail {
        return Capped {
            text: text.to_owned(),
            omitted: 0,
        };
    }
    let head = boundary_before(text, limits.head);
    let tail = boundary_after(text, text.len() - limits.tail);
    Capped {
        text: [&text[..head], &text[tail..]].concat(),
        omitted: (tail - head) as u64,
    }
}

/// Returns the last boundary of characters up to a position.
pub(super) fn boundary_before(text: &str, position: usize) -> usize {
    (0..=position.min(text.len()))
        .rev()
        .find(|index| text.is_char_boundary(*index))
        .unwrap_or(0)
}

/// Returns the first boundary of characters from a position on.
pub(super) fn boundary_after(text: &str, position: usize) -> usize {
    (position..text.len())
        .find(|index| text.is_char_boundary(*index))
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn special(text: &str) -> Raw<'_> {
        Raw { text, plain: false }
    }

    #[test]
    fn references_are_replaced_once_and_unknown_ones_kept() {
        for (raw, expected, unknown) in [
            ("a", "a", false),
            ("&lt;&gt;&amp;&quot;&apos;", "<>&\"'", false),
            ("&amp;lt;", "&lt;", false),
            ("&#65;&#x42;&#x1F600;", "AB\u{1f600}", false),
            ("&#xA;", "\n", false),
            ("a\r\nb\nc\td", "a b c d", false),
            ("&lol;", "&lol;", true),
            ("a & b", "a & b", true),
            ("&", "&", true),
            (
                "&;&#;&#x;&#xD800;&#99999999999;",
                "&;&#;&#x;&#xD800;&#99999999999;",
                true,
            ),
            (
                "&\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9};",
                "&\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9};",
                true,
            ),
        ] {
            let mut read = String::new();
            let odd = append(special(raw), &mut read);
            assert_eq!((read.as_str(), odd.reference), (expected, unknown), "{raw}");
            assert!(!odd.forbidden);
        }
        let mut read = String::new();
        assert!(append(special("a\0\u{1b}b"), &mut read).forbidden);
        assert_eq!(read, "a\0\u{1b}b");
    }

    #[test]
    fn cut_names_stay_apart() {
        let mut names = ["\u{e9}".repeat(100) + "a", "\u{e9}".repeat(100) + "b"];
        for name in &mut names {
            assert!(cut_name(name, 51));
            assert!(name.starts_with(&"\u{e9}".repeat(25)) && name.len() < 80);
        }
        assert_ne!(names[0], names[1]);
        let mut short = "short".to_owned();
        assert!(!cut_name(&mut short, 5));
        assert_eq!(short, "short");
    }
}
