//! The output of failed tests, which libtest shows at the end: `---- NAME stdout ----` and what the test printed.
//!
//! It decides about messages and never about outcomes. Invariant: bounded, however many tests fail and print.

use std::collections::BTreeSet;

use super::super::capture::Capture;
use super::Section;

/// Bytes kept of the beginning and of the end of each section, as long as all of them are not more than [`PLENTY`].
const FULL: (usize, usize) = (64 * 1024, 64 * 1024);
/// What is kept of each from there on, so that every failure has its message.
const SCANT: (usize, usize) = (2 * 1024, 1024);
const PLENTY: usize = 16 << 20;
/// Bytes of all sections, at most.
const MOST: usize = 40 << 20;

/// The sections seen so far.
#[derive(Default)]
pub(super) struct Sections {
    done: Vec<Section>,
    begun: BTreeSet<u32>,
    bytes: Vec<u8>,
    open: Option<(u32, Capture)>,
}

impl Sections {
    /// Returns whether there is a section of `test`.
    pub(super) fn has(&self, test: u32) -> bool {
        self.begun.contains(&test)
    }

    /// Begins the section of `test`, which ends the one before.
    pub(super) fn begin(&mut self, test: u32) {
        self.end();
        self.begun.insert(test);
        let (head, tail) = match self.bytes.len() {
            0..PLENTY => FULL,
            PLENTY..MOST => SCANT,
            _ => return,
        };
        self.open = Some((test, Capture::of(head, tail)));
    }

    /// Appends to the section that is open.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if let Some((_, capture)) = &mut self.open {
            capture.extend(bytes);
        }
    }

    /// Ends the section that is open.
    pub(super) fn end(&mut self) {
        if let Some((test, capture)) = self.open.take() {
            let (mut bytes, omitted) = capture.finish();
            self.done.push(Section {
                test,
                length: bytes.len(),
                omitted,
            });
            self.bytes.append(&mut bytes);
        }
    }

    /// Returns the sections and their bytes, one after the other.
    pub(super) fn finish(mut self) -> (Vec<Section>, Vec<u8>) {
        self.end();
        (self.done, self.bytes)
    }
}
