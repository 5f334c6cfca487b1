//! Globs, by translation into a regular expression, which cannot be made to run for long.
//!
//! `?` is any character, `*` any number of them (a `/` too), `[a-z]` and `[!a-z]` are classes, `{a,b}` alternatives,
//! `\` takes the next character literally; `**/`, `/**/` and `/**` stand for any number of whole path parts.

use std::fmt::Write;

use regex_lite::Regex;

/// Nesting of alternatives.
const DEEPEST: usize = 16;

/// Returns the regular expression that matches what the glob matches, or what is wrong with the glob.
pub(super) fn compile(glob: &str) -> Result<Regex, String> {
    let mut translation = Translation {
        rest: glob,
        regex: String::from("(?s)^"),
        open: 0,
    };
    translation.run()?;
    translation.regex.push('$');
    Regex::new(&translation.regex).map_err(|error| error.to_string())
}

struct Translation<'a> {
    rest: &'a str,
    regex: String,
    /// Alternatives begun and not ended.
    open: usize,
}

impl Translation<'_> {
    fn run(&mut self) -> Result<(), String> {
        if self.take("**/") {
            self.regex.push_str("(?:/?|.*/)");
        }
        while !self.rest.is_empty() {
            if self.take("/**/") {
                self.regex.push_str("(?:/|/.*/)");
            } else if self.rest == "/**" {
                self.rest = "";
                self.regex.push_str("/.*");
            } else if let Some(character) = self.next() {
                self.character(character)?;
            }
        }
        if self.open > 0 {
            return Err("`{` without `}`".to_owned());
        }
        Ok(())
    }

    fn character(&mut self, character: char) -> Result<(), String> {
        match character {
            '?' => self.regex.push('.'),
            '*' => self.regex.push_str(".*"),
            '[' => self.class()?,
            '{' => {
                self.open += 1;
                if self.open > DEEPEST {
                    return Err(format!("alternatives nested deeper than {DEEPEST} levels"));
                }
                self.regex.push_str("(?:");
            }
            '}' if self.open > 0 => {
                self.open -= 1;
                self.regex.push(')');
            }
            '}' => return Err("`}` without `{`".to_owned()),
            ',' if self.open > 0 => self.regex.push('|'),
            '\\' => {
                let escaped = self.next().ok_or("nothing after `\\`")?;
                self.literal(escaped);
            }
            plain => self.literal(plain),
        }
        Ok(())
    }

    /// Translates a class whose `[` is taken. A `]` that stands first is a member.
    fn class(&mut self) -> Result<(), String> {
        const UNCLOSED: &str = "`[` without `]`";
        let negated = self.take("!") || self.take("^");
        self.regex.push_str(if negated { "[^" } else { "[" });
        let mut first = true;
        loop {
            let low = self.next().ok_or(UNCLOSED)?;
            if low == ']' && !first {
                break;
            }
            first = false;
            self.member(low);
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.next();
                let high = self.next().ok_or(UNCLOSED)?;
                if high < low {
                    return Err(format!("`{low}-{high}` is no range"));
                }
                self.regex.push('-');
                self.member(high);
            }
        }
        self.regex.push(']');
        Ok(())
    }

    /// By number, so that no character has a meaning of its own.
    fn member(&mut self, character: char) {
        // Writing to a string does not fail.
        let _ = write!(self.regex, "\\x{{{:x}}}", u32::from(character));
    }

    fn literal(&mut self, character: char) {
        self.regex
            .push_str(&regex_lite::escape(character.encode_utf8(&mut [0; 4])));
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_what_they_say() {
        let cases = [
            ("", "", true),
            ("a*c", "abbc", true),
            ("a*c", "a/b/c", true),
            ("a*c", "abd", false),
            ("a?c", "aλc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "zx", true),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("[a\\]", "\\", true),
            ("{ab,c*}d", "abd", true),
            ("{ab,c*}d", "cccd", true),
            ("{ab,c*}d", "d", false),
            ("{a,{b,c}}", "c", true),
            ("a.b", "axb", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**", "a/x", true),
            ("a/**", "a", false),
            ("**/a", "x/a", true),
            ("**/a", "a", true),
            ("(+$^", "(+$^", true),
            ("*", "line\nbreak", true),
            ("a,b", "a,b", true),
        ];
        for (glob, text, expected) in cases {
            assert_eq!(
                compile(glob).unwrap().is_match(text),
                expected,
                "{glob:?} on {text:?}"
            );
        }
    }

    #[test]
    fn globs_that_mean_nothing_are_errors() {
        for glob in [
            "[",
            "[a",
            "[]",
            "[z-a]",
            "{a",
            "a}",
            "\\",
            "{{{{{{{{{{{{{{{{{{",
        ] {
            assert!(compile(glob).is_err(), "{glob:?}");
        }
    }
}
