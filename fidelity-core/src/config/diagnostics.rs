//! Errors of the configuration, as people see them: the line, a caret, what was expected, and what to write instead.
//!
//! Every error points into the text it is about, or says why it cannot. How it is drawn, [`super::render`] knows.

use std::fmt;
use std::path::PathBuf;

use super::printable::printable;
use super::source::{Origin, Span};

/// How many errors are shown; the others are counted.
const SHOWN: usize = 20;

/// The sort of a [`ConfigError`], for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The file could not be read.
    Unreadable,
    /// The text is not TOML.
    Syntax,
    /// A key that means nothing.
    UnknownKey,
    /// A key or value that a later version may know.
    NotAvailable,
    /// A reference to a fidelity profile or preset that does not exist.
    UnknownName,
    /// A value of another type than the key takes.
    WrongType,
    /// A value of the right type, but outside what is allowed.
    OutOfRange,
    /// A text that is not written as it has to be: a duration, a size, a name.
    Malformed,
    /// Something given twice.
    Duplicate,
    /// Fidelity profiles that inherit in a circle.
    Cycle,
    /// Two settings of one profile that set the same thing.
    Conflict,
}

/// Where an error is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At this part of a text.
    Text(Span),
    /// In a file that could not be read, and so has no lines to show.
    File(PathBuf),
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", Locus(place))]
pub struct ConfigError {
    /// What sort of error it is.
    pub kind: ErrorKind,
    /// What is wrong, in a line.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What was expected there; written beside the caret.
    pub label: String,
    /// Another place that belongs to it, with its own words.
    pub related: Option<Box<(Span, String)>>,
    /// What to do, each an imperative.
    pub hints: Vec<String>,
}

impl ConfigError {
    /// Returns an error of sort `kind` at `span`.
    pub(crate) fn at(kind: ErrorKind, span: &Span, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            place: Place::Text(span.clone()),
            label: String::new(),
            related: None,
            hints: Vec::new(),
        }
    }

    /// Returns the error that the file at `path` could not be read.
    pub(crate) fn unreadable(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Unreadable,
            message: message.into(),
            place: Place::File(path.into()),
            label: String::new(),
            related: None,
            hints: Vec::new(),
        }
    }

    /// Says what was expected.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Says what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says what to do, where there is something to say.
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hints.extend(hint);
        self
    }

    /// Points at a second place.
    pub(crate) fn related(mut self, span: &Span, label: impl Into<String>) -> Self {
        self.related = Some(Box::new((span.clone(), label.into())));
        self
    }
}

/// The place of an error in front of its message: `fidelity.toml:3:7: `.
struct Locus<'a>(&'a Place);

impl fmt::Display for Locus<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Place::Text(span) => {
                let (line, column) = span.line_and_column();
                write!(f, "{}:{line}:{column}: ", printable(span.source().name()))
            }
            Place::File(path) => write!(f, "{}: ", printable(&path.to_string_lossy())),
        }
    }
}

/// Everything that is wrong with the configuration; at least one error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
    /// Whether looking for errors stopped before the end.
    more: bool,
}

impl ConfigErrors {
    /// Returns the errors, in the order of the text; at most a hundred: looking for more stops there.
    pub fn errors(&self) -> &[ConfigError] {
        &self.errors
    }

    /// Returns the first errors as people see them, and how many there are beyond. `plain` leaves out colours.
    pub fn render(&self, plain: bool) -> String {
        let mut shown: Vec<String> = self
            .errors
            .iter()
            .take(SHOWN)
            .map(|error| error.render(plain))
            .collect();
        let left = self.errors.len().saturating_sub(SHOWN);
        if left > 0 {
            let at_least = if self.more { "at least " } else { "" };
            shown.push(format!("... and {at_least}{left} more"));
        }
        shown.join("\n\n")
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self {
            errors: vec![error],
            more: false,
        }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.errors.iter().enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Errors as they are found, up to a number: a hostile file can hold a hundred thousand.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    errors: Vec<ConfigError>,
}

impl Findings {
    const KEPT: usize = 100;

    /// Takes down an error.
    pub(crate) fn add(&mut self, error: ConfigError) {
        if !self.full() {
            self.errors.push(error);
        }
    }

    /// Returns whether there are so many errors that looking for more is of no use.
    pub(crate) fn full(&self) -> bool {
        Self::KEPT <= self.errors.len()
    }

    /// Takes down the error of `result`, or returns its value.
    pub(crate) fn keep<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// Returns the errors in the order of the text, or `value` where there is none.
    pub(crate) fn into_result<T>(mut self, value: T) -> Result<T, ConfigErrors> {
        if self.errors.is_empty() {
            return Ok(value);
        }
        self.errors.sort_by_key(|error| match &error.place {
            Place::File(_) => (0, 0),
            Place::Text(span) => match span.source().origin() {
                Origin::BuiltIn => (1, span.range().start),
                Origin::File(_) => (2, span.range().start),
                Origin::Argument => (3, 0),
            },
        });
        // An arm's fidelity profile can be wrong in the same way as one that was looked at for itself.
        self.errors.dedup();
        Err(ConfigErrors {
            more: Self::KEPT <= self.errors.len(),
            errors: self.errors,
        })
    }
}
