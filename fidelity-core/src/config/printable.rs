//! Texts of strangers, fit for a terminal: nothing in them can steer it.

/// Returns `text` with everything that could steer a terminal written as an escape.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Returns `text` fit for a message: printable, and cut to 60 characters.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut start: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        start.push_str("...");
    }
    printable(&start)
}

/// Returns `text` fit for a message, in backquotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

/// Returns whether a character is more than a mark: a control character, or one that changes the direction of writing.
pub(crate) fn steers(c: char) -> bool {
    let direction = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    c.is_control() || direction
}
