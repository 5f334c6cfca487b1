//! Errors drawn: the line, a caret, what was expected there, and what to do.
//!
//! Nothing a file or an argument holds reaches the terminal as a control character.

use annotate_snippets::{AnnotationKind, Group, Level, Origin as At, Renderer, Snippet};

use super::diagnostics::{ConfigError, Place};
use super::printable::{printable, steers};
use super::source::{Origin, Span};

/// How many bytes of the text behind an error are handed to the renderer.
const MARGIN: usize = 2_000;

/// How many bytes of a line before an error are; columns further out are counted from there.
const INDENT: usize = 20_000;

impl ConfigError {
    /// Returns the error as people see it. `plain` leaves out colours.
    pub fn render(&self, plain: bool) -> String {
        let title = printable(&self.message);
        let labels = (
            printable(&self.label),
            self.related
                .as_ref()
                .map(|related| printable(&related.1))
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
        let Some((related, _)) = self.related.as_deref() else {
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
        // Without a path the second excerpt would be headed by nothing, so that an argument has its name there.
        let name = printable(related.source().name());
        let second = Excerpt::of(related)
            .snippet(name.clone(), AnnotationKind::Context, related_label)
            .path(name);
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
        let before = range.start.saturating_sub(INDENT);
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
        let line = text.get(line_start..line_end).unwrap_or_default();
        let first_line = span
            .source()
            .span(line_start..line_start)
            .line_and_column()
            .0;
        Self {
            text: line.strip_suffix('\r').unwrap_or(line).to_owned(),
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
