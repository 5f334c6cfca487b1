//! Bytes to UTF-8, whatever the encoding, a piece at a time.
//!
//! The encoding is that of the byte order mark, else that the first bytes show, else that of the XML declaration, else UTF-8.
//! What is no UTF-8 where it should be is read as windows-1252: nearly always that is what it is, and no byte is lost.

use std::io::{self, BufRead};

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::plain::instruction_end;
use super::problem::{Fault, ProblemKind};
use crate::config::printable::shown;

/// The declaration stands within so many bytes.
const HEAD: usize = 1024;
/// What a declaration begins with.
const DECLARATION: &[u8] = b"<?xml";
/// Bytes decoded at a time.
const PIECE: usize = 32 * 1024;

/// A source of UTF-8.
pub(super) struct Decoding<R> {
    source: R,
    /// First bytes that were looked at and wait to be decoded.
    head: Vec<u8>,
    /// The beginning of a character whose rest is still to come.
    torn: Vec<u8>,
    /// For encodings other than UTF-8.
    decoder: Option<Decoder>,
    /// Bytes that do not exist in the encoding.
    pub(super) foreign: u64,
    /// Decoded bytes.
    pub(super) decoded: u64,
}

impl<R: BufRead> Decoding<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            head: Vec::new(),
            torn: Vec::new(),
            decoder: None,
            foreign: 0,
            decoded: 0,
        }
    }

    /// Finds out the encoding. Returns what is to be said of it; the file can be read only if that does not break it.
    pub(super) fn begin(&mut self) -> io::Result<Option<Fault>> {
        let available = fill(&mut self.source)?;
        let start = &available[..available.len().min(HEAD)];
        if start.len() == HEAD || tells_all(start) {
            let (mark, encoding, fault) = detect(start);
            self.source.consume(mark);
            self.decode_from(encoding);
            return Ok(fault);
        }
        while self.head.len() < HEAD {
            let room = HEAD - self.head.len();
            let available = fill(&mut self.source)?;
            let taken = available.len().min(room);
            if taken == 0 {
                break;
            }
            self.head.extend_from_slice(&available[..taken]);
            self.source.consume(taken);
        }
        let (mark, encoding, fault) = detect(&self.head);
        self.head.drain(..mark);
        self.decode_from(encoding);
        Ok(fault)
    }

    fn decode_from(&mut self, encoding: &'static Encoding) {
        if encoding != UTF_8 {
            self.decoder = Some(encoding.new_decoder_without_bom_handling());
        }
    }

    /// Appends the next piece to `text`, at most so many bytes before they are decoded. Returns whether there is more to come.
    pub(super) fn fill(&mut self, text: &mut String, most: usize) -> io::Result<bool> {
        let before = text.len();
        let more = if self.head.is_empty() {
            let available = fill(&mut self.source)?;
            let piece = &available[..available.len().min(PIECE).min(most)];
            let taken = piece.len();
            if taken == 0 {
                self.finish(text);
            } else if let Some(decoder) = &mut self.decoder {
                self.foreign += u64::from(decode(decoder, piece, text, false));
            } else {
                self.foreign += join(&mut self.torn, piece, text);
            }
            self.source.consume(taken);
            taken > 0
        } else {
            let head = std::mem::take(&mut self.head);
            if let Some(decoder) = &mut self.decoder {
                self.foreign += u64::from(decode(decoder, &head, text, false));
            } else {
                self.foreign += join(&mut self.torn, &head, text);
            }
            true
        };
        self.decoded += (text.len() - before) as u64;
        Ok(more)
    }

    /// Decodes what is left over at the end.
    fn finish(&mut self, text: &mut String) {
        if let Some(mut decoder) = self.decoder.take() {
            self.foreign += u64::from(decode(&mut decoder, &[], text, true));
        }
        self.foreign += foreign(&self.torn, text);
        self.torn.clear();
    }
}

/// Returns buffered bytes, none at the end.
fn fill(source: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match source.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    // Asking again gives the same bytes: they were not consumed.
    source.fill_buf()
}

/// Decodes all of a piece. Returns whether it held what does not exist in the encoding.
fn decode(decoder: &mut Decoder, mut piece: &[u8], text: &mut String, last: bool) -> bool {
    let mut errors = false;
    loop {
        let room = decoder.max_utf8_buffer_length(piece.len()).unwrap_or(PIECE);
        text.reserve(room.max(16));
        let (result, read, bad) = decoder.decode_to_string(piece, text, last);
        errors |= bad;
        piece = &piece[read..];
        if result == encoding_rs::CoderResult::InputEmpty {
            return errors;
        }
    }
}

/// Appends bytes to a text, the torn character before them first. Returns how many bytes are no UTF-8.
fn join(torn: &mut Vec<u8>, mut bytes: &[u8], text: &mut String) -> u64 {
    let mut count = 0;
    while !torn.is_empty() {
        let Some((first, rest)) = bytes.split_first() else {
            return count;
        };
        torn.push(*first);
        match std::str::from_utf8(torn) {
            Ok(whole) => {
                text.push_str(whole);
                torn.clear();
                bytes = rest;
            }
            Err(error) if error.error_len().is_some() => {
                // The byte at hand may start a character of its own.
                torn.pop();
                count += foreign(torn, text);
                torn.clear();
            }
            Err(_) => bytes = rest,
        }
    }
    loop {
        match std::str::from_utf8(bytes) {
            Ok(whole) => {
                text.push_str(whole);
                return count;
            }
            Err(error) => {
                let (good, rest) = bytes.split_at(error.valid_up_to());
                // Valid up to here, so nothing of it is replaced.
                text.push_str(&String::from_utf8_lossy(good));
                let Some(length) = error.error_len() else {
                    torn.extend_from_slice(rest);
                    return count;
                };
                count += foreign(&rest[..length], text);
                bytes = &rest[length..];
            }
        }
    }
}

/// Appends bytes that are no UTF-8. Returns how many they are.
fn foreign(bytes: &[u8], text: &mut String) -> u64 {
    if !bytes.is_empty() {
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(bytes).0);
    }
    bytes.len() as u64
}

/// Returns the length of the byte order mark, the encoding, and what is to be said of it.
fn detect(head: &[u8]) -> (usize, &'static Encoding, Option<Fault>) {
    let wide = |name: &str| {
        let message =
            format!("its encoding is {name}, which is not supported: convert it to UTF-8");
        (0, UTF_8, Some(Fault::new(ProblemKind::Unreadable, message)))
    };
    match head {
        [0xFF, 0xFE, 0, 0, ..] | [b'<', 0, 0, 0, ..] => wide("UTF-32"),
        [0, 0, 0xFE, 0xFF, ..] | [0, 0, 0, b'<', ..] => wide("UTF-32"),
        [0x4C, 0x6F, 0xA7, 0x94, ..] => wide("EBCDIC"),
        [0xEF, 0xBB, 0xBF, ..] => (3, UTF_8, None),
        [0xFF, 0xFE, ..] => (2, UTF_16LE, None),
        [0xFE, 0xFF, ..] => (2, UTF_16BE, None),
        [b'<', 0, _, 0, ..] => (0, UTF_16LE, None),
        [0, b'<', 0, _, ..] => (0, UTF_16BE, None),
        _ => {
            let (encoding, fault) = declared(head);
            (0, encoding, fault)
        }
    }
}

/// Returns whether what follows these bytes would not change what they say of the encoding.
fn tells_all(start: &[u8]) -> bool {
    let text = start.trim_ascii_start();
    match text.strip_prefix(DECLARATION) {
        Some(rest) => instruction_end(rest).is_some(),
        None => text.len() >= DECLARATION.len(),
    }
}

/// Returns the encoding that the XML declaration names.
fn declared(head: &[u8]) -> (&'static Encoding, Option<Fault>) {
    let declaration = head.trim_ascii_start().strip_prefix(DECLARATION);
    let declaration = declaration.and_then(|rest| rest.get(..instruction_end(rest)?));
    let declaration = String::from_utf8_lossy(declaration.unwrap_or_default());
    let Some(label) = label(&declaration) else {
        return (UTF_8, None);
    };
    let quarrel = |what: &str| {
        let message = format!(
            "its declaration says `{}`, {what}: read as UTF-8",
            shown(label)
        );
        (UTF_8, Some(Fault::new(ProblemKind::Encoding, message)))
    };
    if label.eq_ignore_ascii_case("utf-8") {
        return (UTF_8, None);
    }
    match Encoding::for_label(label.as_bytes()) {
        None => quarrel("which is no known encoding"),
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
            quarrel("but each character is one byte")
        }
        Some(encoding) if !encoding.is_ascii_compatible() => quarrel("which is not supported"),
        Some(encoding) => (encoding, None),
    }
}

/// Returns the value of `encoding` in what an XML declaration says.
fn label(declaration: &str) -> Option<&str> {
    let after = declaration.split_once("encoding")?.1.trim_start();
    let value = after.strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split_once(quote).map(|(label, _)| label.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes bytes that come `step` at a time.
    fn decoded(bytes: &[u8], step: usize) -> (String, u64, Option<ProblemKind>) {
        let source = io::BufReader::with_capacity(step, bytes);
        let mut decoding = Decoding::new(source);
        let fault = decoding.begin().unwrap();
        let mut text = String::new();
        while decoding.fill(&mut text, usize::MAX).unwrap() {}
        (text, decoding.foreign, fault.map(|fault| fault.kind))
    }

    fn utf_16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text_however_it_is_cut() {
        let body = format!("<a>\u{fc}\u{20ac}\u{1f600}{}</a>", "x\u{e9}".repeat(1500));
        let little = utf_16(&body, u16::to_le_bytes);
        let big = utf_16(&body, u16::to_be_bytes);
        let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            body.clone().into_bytes(),
            marked(&[0xEF, 0xBB, 0xBF], body.as_bytes()),
            marked(&[0xFF, 0xFE], &little),
            marked(&[0xFE, 0xFF], &big),
            little,
            big,
        ] {
            for step in [1, 2, 3, 7, 1000, 100_000] {
                assert_eq!(decoded(&bytes, step), (body.clone(), 0, None));
            }
        }
    }

    #[test]
    fn the_declaration_is_believed_where_it_can_be() {
        let of = |label: &str, bytes: &[u8]| {
            decoded(
                &[
                    format!("<?xml version='1.0' encoding = '{label}' ?>").as_bytes(),
                    bytes,
                ]
                .concat(),
                5,
            )
        };
        let (text, foreign, problem) = of("ISO-8859-1", b"\xfc");
        assert!(text.ends_with('\u{fc}') && foreign == 0 && problem.is_none());
        let (text, _, _) = of("Shift_JIS", b"\x83\x65");
        assert!(text.ends_with('\u{30c6}'));
        let (text, foreign, problem) = of("klingon", b"\xc3\xbc");
        assert!(text.ends_with('\u{fc}') && foreign == 0);
        assert_eq!(problem, Some(ProblemKind::Encoding));
        let (text, _, problem) = of("utf-16", b"\xc3\xbc");
        assert!(text.ends_with('\u{fc}'));
        assert_eq!(problem, Some(ProblemKind::Encoding));
        let (_, _, problem) = decoded(b"<\0\0\0", 4);
        assert_eq!(problem, Some(ProblemKind::Unreadable));
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_read_as_windows_1252() {
        for step in [1, 2, 100] {
            let (text, foreign, _) =
                decoded(b"<a>\xe4\x80 \xc3\xa4 \xf0\x9f\x98\xe4</a>\xe2\x82", step);
            assert_eq!(
                text,
                "<a>\u{e4}\u{20ac} \u{e4} \u{f0}\u{178}\u{2dc}\u{e4}</a>\u{e2}\u{201a}"
            );
            assert_eq!(foreign, 8);
        }
    }
}
