//! Texts that settings are read from: a file, a command line argument, or what is built in. Reads nothing itself.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A text with the name people know it by. Cheap to clone: every span holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    origin: Origin,
    name: String,
    text: String,
}

/// Where a text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file, at this path.
    File(PathBuf),
    /// An argument of the command line.
    Argument,
    /// The tool itself.
    BuiltIn,
}

impl Source {
    /// Returns the text of the file at `path`, which messages call `name`.
    pub fn file(
        path: impl Into<PathBuf>,
        name: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self::new(Origin::File(path.into()), name, text)
    }

    /// Returns an argument of the command line as it was typed: `--set high.tz=UTC`.
    pub fn argument(text: impl Into<String>) -> Self {
        Self::new(Origin::Argument, "command line", text)
    }

    /// Returns a text that is part of the tool.
    pub fn built_in(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(Origin::BuiltIn, name, text)
    }

    fn new(origin: Origin, name: impl Into<String>, text: impl Into<String>) -> Self {
        let (name, text) = (name.into(), text.into());
        Self(Arc::new(Inner { origin, name, text }))
    }

    /// Returns the path, where the text is a file's.
    pub fn path(&self) -> Option<&Path> {
        match &self.0.origin {
            Origin::File(path) => Some(path),
            Origin::Argument | Origin::BuiltIn => None,
        }
    }

    /// Returns where the text comes from.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// Returns the name people know the text by.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Returns the part `range` of the text, clamped to it and to whole characters.
    pub fn span(&self, range: Range<usize>) -> Span {
        let text = self.text();
        let start = text.floor_char_boundary_at(range.start);
        let end = text.floor_char_boundary_at(range.end.max(start));
        Span {
            source: self.clone(),
            start,
            end: end.max(start),
        }
    }
}

/// A part of a [`Source`], in bytes, always within it and on character boundaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    source: Source,
    start: usize,
    end: usize,
}

impl Span {
    /// Returns the text the span is a part of.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Returns the span's bytes.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Returns the part of the text itself.
    pub fn text(&self) -> &str {
        self.source.text().get(self.range()).unwrap_or_default()
    }

    /// Returns the part of the span that is `range` of it.
    pub fn part(&self, range: Range<usize>) -> Self {
        self.source
            .span(self.start + range.start..self.start + range.end)
    }

    /// Returns the line and the column (in characters) where the span starts, both counted from 1.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = self.source.text().get(..self.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        let column = 1 + before.get(line_start..).unwrap_or_default().chars().count();
        (line, column)
    }
}

/// `str::floor_char_boundary` is newer than the oldest compiler this crate builds with.
trait FloorCharBoundary {
    fn floor_char_boundary_at(&self, index: usize) -> usize;
}

impl FloorCharBoundary for str {
    fn floor_char_boundary_at(&self, index: usize) -> usize {
        let mut index = index.min(self.len());
        while !self.is_char_boundary(index) {
            index -= 1;
        }
        index
    }
}
