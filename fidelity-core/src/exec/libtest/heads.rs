//! Heads of result lines: `test NAME ... `, wherever in a line they stand.
//!
//! The names are known, so that a head is found by its end and looked up, whatever a name holds. Knows no order.

use std::collections::BTreeMap;

use memchr::memmem;

/// What ends a head.
pub(super) const END: &[u8] = b" ... ";
const START: &[u8] = b"test ";
/// What libtest writes between a name and the end of the head.
const MODES: [&[u8]; 3] = [b" - should panic", b" - compile fail", b" - compile"];

/// The tests that may report.
pub(super) struct Names {
    positions: BTreeMap<Vec<u8>, u32>,
    longest: usize,
}

/// What stands before an end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The head of this test, which begins at this byte.
    Of(u32, usize),
    /// It can be read as the head of any of these.
    Ambiguous(Vec<u32>),
}

impl Names {
    /// Takes the names in order. Of equal ones the last counts.
    pub(super) fn new(names: &[Vec<u8>]) -> Self {
        Self {
            positions: names.iter().cloned().zip(0..).collect(),
            longest: names.iter().map(Vec::len).max().unwrap_or(0),
        }
    }

    /// Returns how many bytes before its end a head may begin, at most, benchmarks' padding included.
    pub(super) fn reach(&self) -> usize {
        START.len() + self.longest + MODES[0].len()
    }

    /// Returns the position of the test that is called `name`.
    pub(super) fn position(&self, name: &[u8]) -> Option<u32> {
        self.positions.get(name).copied()
    }

    /// Returns the head at the end of `text`, which is what precedes [`END`] on a line.
    pub(super) fn head_of(&self, text: &[u8]) -> Option<Head> {
        let from = text.len().saturating_sub(self.reach());
        let mut found = Vec::new();
        for at in memmem::find_iter(&text[from..], START) {
            let name = &text[from + at + START.len()..];
            if let Some(test) = self.named(name) {
                found.push((test, from + at));
            }
        }
        match found.as_slice() {
            [] => None,
            [(test, at)] => Some(Head::Of(*test, *at)),
            several => Some(Head::Ambiguous(
                several.iter().map(|(test, _)| *test).collect(),
            )),
        }
    }

    /// Returns the test that is called `text`, without what libtest adds to a name.
    fn named(&self, text: &[u8]) -> Option<u32> {
        let mode = MODES.into_iter().find_map(|mode| text.strip_suffix(mode));
        self.position(text)
            .or_else(|| self.position(mode?))
            // Names of benchmarks are padded.
            .or_else(|| self.position(text.trim_ascii_end()))
    }
}
