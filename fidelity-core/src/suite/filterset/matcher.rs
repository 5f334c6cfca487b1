//! How a term compares names.

use regex_lite::Regex;

use super::glob;

/// A comparison with a fixed text or pattern.
#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Equal(String),
    Contains(String),
    Regex(Regex),
    Glob { text: String, pattern: Regex },
}

impl Matcher {
    pub(super) fn glob(text: String) -> Result<Self, String> {
        let pattern = glob::compile(&text)?;
        Ok(Self::Glob { text, pattern })
    }

    pub(super) fn regex(text: &str) -> Result<Self, String> {
        Regex::new(text)
            .map(Self::Regex)
            .map_err(|error| error.to_string())
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Equal(text) => name == text,
            Self::Contains(text) => name.contains(text.as_str()),
            Self::Regex(pattern) | Self::Glob { pattern, .. } => pattern.is_match(name),
        }
    }

    /// Returns the text it was made of.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Equal(text) | Self::Contains(text) | Self::Glob { text, .. } => text,
            Self::Regex(pattern) => pattern.as_str(),
        }
    }
}
