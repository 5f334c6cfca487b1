//! Markup that is written as nearly all is, recognised in one pass.
//!
//! quick-xml looks at a start tag twice, for its end and for its attributes, and checks for each piece that it is UTF-8, which the window
//! knows. Whatever is unusual in the least is left to it; `tests/plain.rs` holds that both see the same.

use memchr::{memchr, memmem};

use super::attributes::{Tag, is_plain, is_same};

/// Attributes of such a tag.
pub(super) const MOST: usize = 12;
const CDATA_BEGINS: &str = "<![CDATA[";
const CDATA_ENDS: &str = "]]>";

/// Names and values of the attributes of a tag, which are too many to be moved about.
pub(super) type Attributes<'a> = [(&'a str, &'a str); MOST];

/// A start tag, its attributes apart.
pub(super) struct PlainTag<'a> {
    name: &'a str,
    count: usize,
    /// Whether no value needs a second look; see [`Raw`](super::attributes::Raw).
    plain: bool,
    /// Whether it is an end tag too.
    pub(super) empty: bool,
    /// Its bytes.
    pub(super) length: usize,
}

impl<'a> PlainTag<'a> {
    /// Returns the tag that a text begins with, and its attributes in `attributes`; none if that is no start tag, or an unusual one.
    #[inline]
    pub(super) fn first(text: &'a str, attributes: &mut Attributes<'a>) -> Option<Self> {
        let inside = text.strip_prefix('<')?;
        if !inside.as_bytes().first()?.is_ascii_alphabetic() {
            return None;
        }
        let (name, mut rest) = inside.split_at(name_length(inside)?);
        if !matches!(
            rest.as_bytes(),
            [b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>', ..]
        ) {
            return None;
        }
        let mut count = 0;
        let empty = loop {
            rest = rest.trim_ascii_start();
            match rest.as_bytes() {
                [b'>', ..] => break false,
                [b'/', b'>', ..] => break true,
                _ => {}
            }
            let (attribute, value, after) = first_attribute(rest)?;
            let earlier = attributes.iter().take(count);
            let mut repeated = earlier.filter(|(earlier, _)| is_same(earlier, attribute));
            if count == MOST || repeated.next().is_some() {
                return None;
            }
            attributes[count] = (attribute, value);
            count += 1;
            rest = after;
        };
        let written = &inside[name.len()..inside.len() - rest.len()];
        let plain = is_plain(written);
        if !plain && written.contains('<') {
            return None;
        }
        Some(Self {
            name,
            count,
            plain,
            empty,
            length: text.len() - rest.len() + if empty { 2 } else { 1 },
        })
    }

    /// Returns the tag with its attributes.
    #[inline]
    pub(super) fn with<'t>(&self, attributes: &'t Attributes<'a>) -> Tag<'t>
    where
        'a: 't,
    {
        Tag::known(self.name, &attributes[..self.count], self.plain)
    }
}

/// Bytes of such names: letters, digits, `-`, `_`, `:` and `.`, looked up because most of a report is names.
const IN_NAMES: [bool; 256] = in_names();

const fn in_names() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let letter = byte as u8;
        table[byte] = letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b':' | b'.');
        byte += 1;
    }
    table
}

/// Returns the bytes of the name that a text begins with; none if the text ends with it.
#[inline]
fn name_length(text: &str) -> Option<usize> {
    text.bytes().position(|byte| !IN_NAMES[usize::from(byte)])
}

/// Returns name and value of the attribute that a text begins with, and what follows it.
#[inline]
fn first_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (name, after) = text.split_at(name_length(text)?);
    let (value, quote) = match after.as_bytes() {
        [b'=', quote @ (b'"' | b'\''), ..] => (&after[2..], *quote),
        _ => return None,
    };
    let end = memchr(quote, value.as_bytes())?;
    (!name.is_empty()).then(|| (name, &value[..end], &value[end + 1..]))
}

/// Returns what stands in the CDATA section that a text begins with, and the bytes of all of it; none if it does not end there.
pub(super) fn cdata(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix(CDATA_BEGINS)?;
    let length = memmem::find(inside.as_bytes(), CDATA_ENDS.as_bytes())?;
    let whole = CDATA_BEGINS.len() + length + CDATA_ENDS.len();
    Some((&inside[..length], whole))
}

/// Returns the bytes of the instruction or declaration `<?...?>` that a text begins with; none if it does not end there, or is an unusual one.
pub(super) fn instruction(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("<?")?;
    let named = inside.as_bytes().first()?.is_ascii_alphabetic();
    let length = instruction_end(inside.as_bytes())?;
    named.then_some("<?".len() + length + "?>".len())
}

/// Returns where the first `?>` stands.
pub(super) fn instruction_end(text: &[u8]) -> Option<usize> {
    let mut ends = memchr::memchr_iter(b'>', text);
    let end = ends.find(|end| text[..*end].ends_with(b"?"))?;
    Some(end - 1)
}
