//! Attributes of a tag: each name once, values as XML means them.

use quick_xml::events::BytesStart;
use quick_xml::events::attributes::AttrError;

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

/// Calls `visit` with name and raw value of each attribute of a tag.
pub(super) fn each<'a>(
    tag: &'a BytesStart<'_>,
    mut visit: impl FnMut(&'a str, &'a str) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut names = [""; COMPARED];
    let mut attributes = tag.attributes();
    attributes.with_checks(false);
    for (index, attribute) in attributes.enumerate() {
        let attribute = attribute.map_err(|error| malformed(tag, &error))?;
        let name = attribute.key.0;
        if names.iter().take(index).any(|earlier| *earlier == name) {
            return Err(Fault::new(
                ProblemKind::Malformed,
                format!("attribute `{}` is given twice", shown(name)),
            ));
        }
        if let Some(place) = names.get_mut(index) {
            *place = name;
        }
        let std::borrow::Cow::Borrowed(value) = attribute.value else {
            continue;
        };
        visit(name, value)?;
    }
    Ok(())
}

fn malformed(tag: &BytesStart<'_>, error: &AttrError) -> Fault {
    let what = match error {
        AttrError::ExpectedEq(_) => "an attribute has no `=`",
        AttrError::ExpectedValue(_) => "an attribute has no value",
        AttrError::UnquotedValue(_) => "a value stands in no quotes",
        AttrError::ExpectedQuote(..) => "a value has no closing quote",
        AttrError::Duplicated(..) => "an attribute is given twice",
    };
    let message = format!("in `<{}>` {what}", shown(tag.name().0));
    Fault::new(ProblemKind::Malformed, message)
}

/// Appends a value as XML means it: references replaced, white space as spaces.
pub(super) fn append(raw: &str, into: &mut String) -> Result<Odd, Fault> {
    // One pass without branches tells nearly all values to be plain.
    let special = raw.bytes().fold(false, |special, byte| {
        special | (byte < 0x20) | (byte == b'&') | (byte == b'<')
    });
    if !special {
        into.push_str(raw);
        return Ok(Odd::default());
    }
    if raw.contains('<') {
        let message = "a value contains `<`, as it does where a closing quote is missing";
        return Err(Fault::new(ProblemKind::Malformed, message));
    }
    Ok(append_special(raw, into))
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
fn reference(text: &str) -> Option<(char, usize)> {
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
pub(super) fn cut_name(name: &mut String, longest: usize) -> bool {
    if name.len() <= longest {
        return false;
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    name.truncate(boundary_before(name, longest));
    name.push_str("...#");
    name.push_str(&hash[..16]);
    true
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
            let odd = append(raw, &mut read).unwrap();
            assert_eq!((read.as_str(), odd.reference), (expected, unknown), "{raw}");
            assert!(!odd.forbidden);
        }
        let mut read = String::new();
        assert!(append("a\0\u{1b}b", &mut read).unwrap().forbidden);
        assert_eq!(read, "a\0\u{1b}b");
        assert!(append("a<b", &mut read).is_err());
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
