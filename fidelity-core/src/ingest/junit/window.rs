//! The piece of a report that is looked at: UTF-8 that moves over the file, and knows where it is.

use std::cell::Cell;
use std::io::{self, BufRead};

use super::decoding::Decoding;
use super::problem::Fault;

/// Bytes that are looked at together, where events are short.
const USUAL: usize = 64 * 1024;

thread_local! {
    /// The memory of the last window: asking for it anew is a good part of what a small report takes.
    static SPENT: Cell<String> = const { Cell::new(String::new()) };
}

/// A place in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u64,
    /// In characters, from 1.
    pub(super) column: u64,
}

/// A count of lines that goes on where it stopped, so that each byte is looked at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    line: u64,
    at: usize,
}

impl From<Place> for Lines {
    fn from(place: Place) -> Self {
        Self {
            line: place.line,
            at: 0,
        }
    }
}

impl Lines {
    /// Returns the line of a position in the window's text, not before the last one asked for.
    pub(super) fn line_at(&mut self, text: &str, position: usize) -> u64 {
        self.line += newlines(&text[self.at..position]);
        self.at = position;
        self.line
    }
}

/// The window.
pub(super) struct Window<R> {
    decoding: Decoding<R>,
    text: String,
    /// Bytes of `text` that are done with.
    start: usize,
    /// The line of `start`.
    line: u64,
    /// Characters of that line before `start`.
    before: u64,
    ended: bool,
}

impl<R: BufRead> Window<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            decoding: Decoding::new(source),
            text: SPENT.take(),
            start: 0,
            line: 1,
            before: 0,
            ended: false,
        }
    }

    /// Gives its memory to the next window of the thread, unless it grew.
    pub(super) fn spend(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        if text.capacity() <= 2 * USUAL {
            SPENT.set(text);
        }
    }

    /// Finds out the encoding; see [`Decoding::begin`].
    pub(super) fn begin(&mut self) -> io::Result<Option<Fault>> {
        self.decoding.begin()
    }

    /// Returns what is still to be looked at.
    pub(super) fn text(&self) -> &str {
        &self.text[self.start..]
    }

    /// Returns a count of lines from the start of the text.
    pub(super) fn lines(&self) -> Lines {
        Lines {
            line: self.line,
            at: 0,
        }
    }

    /// Returns whether the text goes to the end of the file.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Returns the bytes decoded so far.
    pub(super) fn decoded(&self) -> u64 {
        self.decoding.decoded
    }

    /// Returns the bytes so far that do not exist in the encoding.
    pub(super) fn foreign(&self) -> u64 {
        self.decoding.foreign
    }

    /// Is done with so many bytes of the text, which `lines` may have counted a part of.
    pub(super) fn advance(&mut self, bytes: usize, mut lines: Lines) {
        let passed = &self.text[self.start..self.start + bytes];
        let line = lines.line_at(passed, bytes);
        self.before = match passed.rfind('\n') {
            Some(last) => passed[last + 1..].chars().count() as u64,
            None => self.before + passed.chars().count() as u64,
        };
        self.line = line;
        self.start += bytes;
    }

    /// Is done with so many bytes.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.advance(bytes, self.lines());
    }

    /// Makes the text longer: to the usual length, or to twice what it is.
    pub(super) fn refill(&mut self) -> io::Result<()> {
        self.text.drain(..self.start);
        self.start = 0;
        let wanted = USUAL.max(2 * self.text.len());
        while !self.ended && self.text.len() < wanted {
            let room = wanted - self.text.len();
            self.ended = !self.decoding.fill(&mut self.text, room)?;
        }
        Ok(())
    }

    /// Returns the place of a position in the text.
    pub(super) fn place(&self, position: usize) -> Place {
        let passed = &self.text()[..position];
        let column = match passed.rfind('\n') {
            Some(last) => passed[last + 1..].chars().count() as u64,
            None => self.before + passed.chars().count() as u64,
        };
        Place {
            line: self.line + newlines(passed),
            column: column + 1,
        }
    }
}

fn newlines(text: &str) -> u64 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64
}

#[cfg(test)]
mod tests {
    use super::super::attributes::boundary_after;
    use super::*;

    #[test]
    fn places_are_right_wherever_the_window_is_cut() {
        let text = "a\nb\u{e4}c\n\nd".repeat(30_000);
        for step in [1, 4, 5, 9, 70_000] {
            let mut window = Window::new(text.as_bytes());
            let mut position = 0;
            for _ in 0..200 {
                window.refill().unwrap();
                let bytes = boundary_after(window.text(), step.min(window.text().len()));
                let passed = &text[..position + bytes];
                let line = passed.matches('\n').count() as u64 + 1;
                let column = passed.rsplit('\n').next().unwrap().chars().count() as u64 + 1;
                assert_eq!(window.place(bytes), Place { line, column });
                window.skip(bytes);
                position += bytes;
            }
        }
    }
}
