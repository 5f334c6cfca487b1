//! Errors of the configuration, as people see them: the line, a caret, what was expected, and what to write instead.
//!
//! Every error points into the text it is about, or says why it cannot. Nothing a file holds reaches the terminal as
//! a control character.

use std::fmt;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Group, Level, Origin as At, Renderer, Snippet};

use super::source::{Origin, Span};

/// How many errors are shown; the others are counted.
const SHOWN: usize = 20;

/// How many bytes of the text around an error are handed to the renderer, on each side of it.
const MARGIN: usize = 2_000;

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
    pub related: Option<(Span, String)>,
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
        self.related = Some((span.clone(), label.into()));
        self
    }

    /// Returns the error as people see it. `plain` leaves out colours.
    pub fn render(&self, plain: bool) -> String {
        let title = printable(&self.message);
        let labels = (
            printable(&self.label),
            self.related
                .as_ref()
                .map(|(_, label)| printable(label))
                .unwrap_or_default(),
        );
        let name = match &self.place {
            Place::Text(span) => printable(span.source().name()),
            Place::File(path) => printable(&path.to_string_lossy()),
        };
        let group = Group::with_title(Level::ERROR.primary_title(title));
        let mut group = match &self.place {
            Place::File(_) => group.element(At::path(name)),
            Place::Text(span) => self.excerpts(group, span, name, labels),
        };
        for hint in &self.hints {
            group = group.element(Level::HELP.message(printable(hint)));
        }
        let renderer = if plain {
            Renderer::plain()
        } else {
            Renderer::styled()
        };
        defused(&renderer.render(&[group]), plain)
    }

    /// Adds the text around the error, and around what is related to it.
    fn excerpts<'a>(
        &self,
        group: Group<'a>,
        span: &Span,
        name: String,
        (label, related_label): (String, String),
    ) -> Group<'a> {
        let mut snippet = Excerpt::of(span).snippet(name, AnnotationKind::Primary, label);
        let Some((related, _)) = &self.related else {
            return group.element(snippet);
        };
        let near = related.source() == span.source()
            && related.range().start.abs_diff(span.range().start) < MARGIN;
        if near {
            let covering = related.range().start.min(span.range().start)
                ..related.range().end.max(span.range().end);
            let excerpt = Excerpt::of(&span.source().span(covering));
            let annotation = AnnotationKind::Context
                .span(excerpt.relative(related))
                .label(related_label);
            let primary = AnnotationKind::Primary
                .span(excerpt.relative(span))
                .label(printable(&self.label));
            snippet = excerpt
                .bare(printable(span.source().name()))
                .annotation(primary)
                .annotation(annotation);
            return group.element(snippet);
        }
        let name = printable(related.source().name());
        let second = Excerpt::of(related).snippet(name, AnnotationKind::Context, related_label);
        group.element(snippet).element(second)
    }
}

/// The lines around a span: a renderer that is given a megabyte for each error takes its time.
struct Excerpt {
    text: String,
    first_line: usize,
    offset: usize,
    span: Span,
}

impl Excerpt {
    fn of(span: &Span) -> Self {
        let text = span.source().text();
        let range = span.range();
        let before = range.start.saturating_sub(MARGIN);
        let after = range.end.min(range.start + MARGIN).saturating_add(MARGIN);
        let window = span.source().span(before..after);
        let inner = window.range();
        let line_start = text
            .get(inner.start..range.start)
            .and_then(|part| part.rfind('\n'))
            .map_or(inner.start, |newline| inner.start + newline + 1);
        let stop = range.end.clamp(line_start, inner.end);
        let line_end = text
            .get(stop..inner.end)
            .and_then(|part| part.find('\n'))
            .map_or(inner.end, |newline| stop + newline);
        let first_line = span
            .source()
            .span(line_start..line_start)
            .line_and_column()
            .0;
        Self {
            text: text
                .get(line_start..line_end)
                .unwrap_or_default()
                .to_owned(),
            first_line,
            offset: line_start,
            span: span.clone(),
        }
    }

    fn relative(&self, span: &Span) -> std::ops::Range<usize> {
        let length = self.text.len();
        let start = span.range().start.saturating_sub(self.offset).min(length);
        let end = span.range().end.saturating_sub(self.offset).min(length);
        start..end.max(start)
    }

    fn bare<'a>(&self, name: String) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let snippet = Snippet::source(self.text.clone());
        match self.span.source().origin() {
            Origin::Argument => snippet.line_numbering(false),
            Origin::File(_) | Origin::BuiltIn => snippet.path(name).line_start(self.first_line),
        }
    }

    fn snippet<'a>(
        &self,
        name: String,
        kind: AnnotationKind,
        label: String,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let annotation = kind.span(self.relative(&self.span));
        self.bare(name).annotation(annotation.label(label))
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

    /// Returns whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
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
        Err(ConfigErrors {
            more: Self::KEPT <= self.errors.len(),
            errors: self.errors,
        })
    }
}

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

/// Replaces what is left of control characters in a rendered error. The renderer writes the older control characters
/// as pictures, but lets the newer ones (U+0080 to U+009F) and some marks of writing direction through.
fn defused(rendered: &str, plain: bool) -> String {
    rendered
        .chars()
        .map(|c| match c {
            '\n' => c,
            '\u{1b}' if !plain => c,
            c if steers(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

fn steers(c: char) -> bool {
    let direction = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    c.is_control() || direction
}
