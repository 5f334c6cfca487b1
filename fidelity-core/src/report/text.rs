//! Text that is safe to show: escaping, width in columns, cutting, shell words. Knows nothing of what is shown.
//!
//! Invariant: what [`clean`] and [`clean_bytes`] return holds no control character, no bidirectional override and no
//! invisible mark, so that a test's name can neither move the cursor nor change how the rest of a line reads (see
//! "Trojan Source", Boucher & Anderson 2021).

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// What stands for text that was cut off.
const CUT: &str = "...";

/// Returns `text` with everything that is not visible text escaped: `\x1b`, `\r`, `\u{202e}`.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push_clean(&mut cleaned, character);
    }
    Cow::Owned(cleaned)
}

/// Returns `bytes` as text, what is not valid UTF-8 written `\xff`, and escaped like [`clean`].
pub fn clean_bytes(bytes: &[u8]) -> String {
    let mut cleaned = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        cleaned.push_str(&clean(chunk.valid()));
        for byte in chunk.invalid() {
            push_hex(&mut cleaned, u32::from(*byte));
        }
    }
    cleaned
}

/// Returns the columns `text` takes, which must be clean; never fewer than a terminal needs.
///
/// Joined emoji are counted one by one and a presentation selector as one more column, because terminals disagree.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.chars().map(char_width).sum()
}

/// Returns the columns one character of clean text takes.
pub fn char_width(character: char) -> usize {
    match character {
        '\u{fe0f}' => 1,
        _ => character.width().unwrap_or(0),
    }
}

/// Returns `text`, which must be clean, cut to at most `columns` (at least 3), the end given up.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(CUT.len());
    let end = prefix(text, room);
    Cow::Owned(format!("{}{CUT}", text[..end].trim_end()))
}

/// Returns `text`, which must be clean, cut to at most `columns` (at least 3), the middle given up: a test's module
/// and its own name both say something.
pub fn cut_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(CUT.len());
    let head = prefix(text, room / 3);
    let tail = suffix(text, room - width(&text[..head]));
    Cow::Owned(format!("{}{CUT}{}", &text[..head], &text[tail..]))
}

/// Returns `text` as one word of a POSIX shell, quoted only where needed.
///
/// A text that is not plain becomes `$'...'` with escapes (bash, zsh, ksh), so that it can be copied from a terminal.
pub fn shell_word(text: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "_-+=:,./@%".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    if !text.chars().any(is_unsafe) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = String::from("$'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => word.extend(['\\', character]),
            _ if !is_unsafe(character) => word.push(character),
            _ => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    push_hex(&mut word, u32::from(byte));
                }
            }
        }
    }
    word.push('\'');
    word
}

/// Returns whether a character must not reach a terminal as it is: a control character, a bidirectional control, a
/// line separator, an invisible mark or a tag.
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn push_clean(cleaned: &mut String, character: char) {
    match character {
        '\n' => cleaned.push_str("\\n"),
        '\r' => cleaned.push_str("\\r"),
        '\t' => cleaned.push_str("\\t"),
        _ if !is_unsafe(character) => cleaned.push(character),
        _ if u32::from(character) < 0x80 => push_hex(cleaned, u32::from(character)),
        _ => {
            let _ = write!(cleaned, "\\u{{{:x}}}", u32::from(character));
        }
    }
}

fn push_hex(text: &mut String, byte: u32) {
    let _ = write!(text, "\\x{byte:02x}");
}

/// Returns the end of the longest beginning of `text` that takes at most `columns`.
fn prefix(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (position, character) in text.char_indices() {
        used += char_width(character);
        if columns < used {
            return position;
        }
    }
    text.len()
}

/// Returns the start of the longest ending of `text` that takes at most `columns`.
fn suffix(text: &str, columns: usize) -> usize {
    let mut used = 0;
    let mut start = text.len();
    for (position, character) in text.char_indices().rev() {
        used += char_width(character);
        if columns < used {
            break;
        }
        start = position;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr as _;

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(clean("naïve 日本 🦀"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_moves_the_cursor_or_hides_is_escaped() {
        assert_eq!(
            clean("a\x1b[2Jb\r\n\t\0\x7f\u{9b}\u{202e}\u{2066}\u{feff}"),
            r"a\x1b[2Jb\r\n\t\x00\x7f\u{9b}\u{202e}\u{2066}\u{feff}"
        );
    }

    #[test]
    fn invalid_utf8_is_shown_byte_by_byte() {
        assert_eq!(
            clean_bytes(b"ok \xff\xfe\xe6\x97 \xe6\x97\xa5"),
            r"ok \xff\xfe\xe6\x97 日"
        );
    }

    #[test]
    fn every_character_is_either_escaped_or_as_wide_as_counted() {
        for character in (0..=0x10_ffff).filter_map(char::from_u32) {
            let text = character.to_string();
            let cleaned = clean(&text);
            assert!(
                !cleaned.chars().any(is_unsafe),
                "{:x}",
                u32::from(character)
            );
            assert!(
                cleaned.width() <= width(&cleaned),
                "{:x}",
                u32::from(character)
            );
        }
    }

    #[test]
    fn an_emoji_with_a_presentation_selector_is_not_undercounted() {
        let heart = "\u{2764}\u{fe0f}";
        assert_eq!(heart.width(), 2);
        assert_eq!(width(heart), 2);
    }

    #[test]
    fn cutting_keeps_to_the_columns_even_with_wide_characters() {
        let text = "日本語のテスト名前";
        for columns in 3..20 {
            for short in [cut(text, columns), cut_middle(text, columns)] {
                assert!(width(&short) <= columns, "{columns}: {short}");
            }
        }
        assert_eq!(cut("abcdefgh", 6), "abc...");
        assert_eq!(cut_middle("module::long::name", 12), "mod...::name");
        assert_eq!(cut("abc", 3), "abc");
    }

    #[test]
    fn shell_words_are_quoted_where_a_shell_would_split_or_expand() {
        assert_eq!(shell_word("dates::due"), "dates::due");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("a\x1b'\u{202e}"), r"$'a\x1b\'\xe2\x80\xae'");
    }
}
