//! Reading the output of libtest as it comes: which test was said to end how, and how surely.
//!
//! libtest itself writes, for one test after the other, a head (`test NAME ... `), a word and a line end. Anything may
//! come between these three writes, and between tests. With one thread the head is written before the test runs, so that
//! what the test prints stands between head and word, and the next head follows the word at once; with several threads
//! all three are written after it. Where the order of starts is known, at most as many tests as there are threads can be
//! running, so that a line of any later one is odd.
//! Invariant: holds a bounded part of the stream; never fails, whatever is fed to it.

use memchr::{memchr, memmem};
use serde::{Deserialize, Serialize};

use super::heads::{END, Head, Names};
use super::sections::Sections;
use super::{Lines, Said, Word, word};
use crate::exec::result_line::{self, ResultLine};

/// Bytes of a line that are held, at most; of a longer one, what no head can reach back to is let go.
const LINE: usize = 64 * 1024;

/// How libtest runs the tests of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manner {
    /// Tests at a time, at least 1.
    pub(crate) threads: usize,
    /// Whether they start in the order of the names.
    pub(crate) in_order: bool,
}

/// Reads the output of one process.
pub(crate) struct Scanner {
    names: Names,
    manner: Manner,
    said: Vec<Said>,
    /// How many tests have a head.
    begun: usize,
    /// No test before this position is without a head.
    next: usize,
    /// The test whose head was the last, while its word is looked for, and whether there is something odd about it.
    open: Option<(u32, bool)>,
    /// The test whose word was found by the head of the open one.
    closed: Option<u32>,
    /// Words that stand by themselves since the last head.
    own_words: Vec<Word>,
    /// Words after which all results may have ended since the last head.
    last_words: Vec<Ending>,
    /// Something stood between a word and the next head, so that a head may be an imitation (one thread).
    odd: bool,
    line: Line,
    /// The word at the end of the previous line, and of the one before an empty line.
    word_above: Option<Ending>,
    word_before_blank: Option<Ending>,
    blank_above: bool,
    part: Part,
    sections: Sections,
    sum: Option<ResultLine>,
}

/// The line that is being read.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    /// Whether its beginning was let go.
    cut: bool,
    /// Up to where heads were looked for.
    searched: usize,
    /// Where what follows the last head begins; none if there was no head, or if that was let go.
    rest: Option<usize>,
}

/// A word at the end of a line, and whether it is all that follows a head there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ending {
    word: Word,
    clean: bool,
}

/// Where in the output of libtest the stream is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Results,
    /// After `failures:`.
    Failures,
    /// After a `failures:` within that, which should be followed by names.
    Listing,
}

impl Scanner {
    /// Returns a scanner for a process that runs the tests called `names`, in the order of their starts.
    pub(crate) fn new(names: &[Vec<u8>], manner: Manner) -> Self {
        Self {
            names: Names::new(names),
            manner,
            said: vec![Said::Nothing; names.len()],
            begun: 0,
            next: 0,
            open: None,
            closed: None,
            own_words: Vec::new(),
            last_words: Vec::new(),
            odd: false,
            line: Line::default(),
            word_above: None,
            word_before_blank: None,
            blank_above: false,
            part: Part::Results,
            sections: Sections::default(),
            sum: None,
        }
    }

    /// Returns a number that grows whenever a test is heard of for the first time.
    pub(crate) fn progress(&self) -> usize {
        self.begun
    }

    /// Returns how much memory is held of the stream.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.line.bytes.capacity() + self.own_words.capacity() + self.last_words.capacity()
    }

    /// Takes the next bytes of the stream.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr(b'\n', bytes) {
            self.line.bytes.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            self.end_line();
        }
        self.line.bytes.extend_from_slice(bytes);
        if self.line.bytes.len() > LINE + self.names.reach() {
            self.let_go();
        }
    }

    /// Returns what was made out, and the bytes of the sections.
    pub(crate) fn finish(mut self) -> (Lines, Vec<u8>) {
        self.find_heads();
        self.sections.extend(&self.line.bytes);
        let last = self.open.filter(|_| !self.is_parallel());
        if let (Some((test, _)), [ending]) = (last, self.last_words.as_slice())
            && self.own_words.iter().all(|word| *word == ending.word)
        {
            self.say(test, ending.word, true);
        }
        let (sections, bytes) = self.sections.finish();
        let lines = Lines {
            running: last.filter(|(_, odd)| !odd).map(|(test, _)| test),
            wordless: self.own_words.is_empty() && self.last_words.is_empty(),
            said: self.said,
            sum: self.sum,
            sections,
        };
        (lines, bytes)
    }

    /// Lets go of the beginning of an endless line.
    fn let_go(&mut self) {
        self.find_heads();
        let surplus = self.line.bytes.len() - self.names.reach() - END.len();
        self.sections.extend(&self.line.bytes[..surplus]);
        self.line.bytes.drain(..surplus);
        self.line.cut = true;
        self.line.searched = self.line.searched.saturating_sub(surplus);
        self.line.rest = None;
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        if self.part == Part::Results {
            self.line = line;
            self.find_heads();
            line = std::mem::take(&mut self.line);
            self.take_line(&line);
        } else {
            self.take_line_of_failures(&line);
        }
        // The next line is read into the same memory.
        line.bytes.clear();
        self.line.bytes = line.bytes;
    }

    /// Takes a line among the results.
    fn take_line(&mut self, line: &Line) {
        let text = word::plain(&line.bytes);
        let whole = line
            .rest
            .and_then(|rest| word::whole(&word::plain(&line.bytes[rest..])));
        if let (Some(word), Some((test, odd)), true) = (whole, self.open, self.is_parallel()) {
            self.say(test, word, odd);
            self.open = None;
        }
        if text.is_empty() && !line.cut {
            self.word_before_blank = self.word_above.take();
            self.blank_above = true;
            return;
        }
        if !line.cut {
            self.may_end_results(&text);
        }
        let by_itself = whole.or_else(|| word::whole(&text).filter(|_| !line.cut));
        // Each once: a test may print them for ever.
        self.own_words
            .extend(by_itself.filter(|word| !self.own_words.contains(word)));
        let ending = by_itself.or_else(|| word::at_end(&text));
        self.word_above = ending.map(|word| Ending {
            word,
            clean: whole.is_some(),
        });
        self.blank_above = false;
    }

    /// Takes a line with which the results may have ended.
    fn may_end_results(&mut self, text: &[u8]) {
        let sum = result_line::find(text);
        let is_end = sum.is_some() || text == b"failures:";
        self.sum = sum.or(self.sum);
        if !is_end || !self.blank_above {
            return;
        }
        if let Some(ending) = self.word_before_blank
            && !self.last_words.contains(&ending)
        {
            self.last_words.push(ending);
        }
        if sum.is_none() && self.begun == self.said.len() {
            self.part = Part::Failures;
        }
    }

    /// Takes a line among the output of failed tests.
    fn take_line_of_failures(&mut self, line: &Line) {
        let text = word::plain(&line.bytes);
        let after_blank = std::mem::replace(&mut self.blank_above, text.is_empty());
        if !line.cut {
            self.sum = result_line::find(&text).or(self.sum);
            if let Some(test) = self.section_of(&text) {
                self.part = Part::Failures;
                self.sections.begin(test);
                return;
            }
            match self.part {
                Part::Failures if after_blank && *text == *b"failures:" => {
                    self.part = Part::Listing;
                    return;
                }
                Part::Listing if self.is_listed(&text) => return,
                Part::Listing => {
                    // It was the test that printed it.
                    self.part = Part::Failures;
                    self.sections.extend(b"failures:\n");
                }
                _ => {}
            }
        }
        self.sections.extend(&line.bytes);
        self.sections.extend(b"\n");
    }

    /// Returns the failed test whose output begins with this line.
    fn section_of(&self, text: &[u8]) -> Option<u32> {
        let name = text.strip_prefix(b"---- ")?.strip_suffix(b" stdout ----")?;
        let test = self.names.position(name)?;
        let failed = match self.said[test as usize] {
            Said::Surely(word) | Said::Perhaps(word) => word == Word::Failed,
            _ => true,
        };
        (failed && !self.sections.has(test)).then_some(test)
    }

    /// Returns whether a line may belong to the list of failed tests, or to what follows it.
    fn is_listed(&self, text: &[u8]) -> bool {
        text.is_empty()
            || result_line::find(text).is_some()
            || text
                .strip_prefix(b"    ")
                .is_some_and(|name| self.names.position(name).is_some())
    }

    /// Looks for heads in what is there of the line.
    fn find_heads(&mut self) {
        if self.part != Part::Results {
            return;
        }
        while let Some(found) = memmem::find(&self.line.bytes[self.line.searched..], END) {
            let end = self.line.searched + found;
            self.line.searched = end + END.len();
            match self.names.head_of(&self.line.bytes[..end]) {
                Some(Head::Of(test, at)) => {
                    let at_start = at == 0 && !self.line.cut;
                    if self.begin(test, at_start) {
                        self.line.rest = Some(end + END.len());
                    }
                }
                Some(Head::Ambiguous(tests)) => {
                    for test in tests {
                        self.mark_begun(test);
                        self.said[test as usize] = Said::Contradicted;
                    }
                }
                None => {}
            }
        }
        let overlap = END.len() - 1;
        let length = self.line.bytes.len();
        self.line.searched = self.line.searched.max(length.saturating_sub(overlap));
    }

    /// Takes a head. Returns whether it is believed to be one.
    fn begin(&mut self, test: u32, at_start: bool) -> bool {
        let Some(odd) = self.oddity(test, at_start) else {
            return false;
        };
        self.closed = None;
        let before = self.open.take().filter(|_| !self.is_parallel());
        if let Some((before, was_odd)) = before
            && let Some(Ending { word, clean }) = self.word_above.filter(|_| at_start)
            && self.own_words.iter().all(|own| *own == word)
        {
            self.say(before, word, was_odd || odd || !clean);
            self.closed = Some(before);
        }
        self.own_words.clear();
        self.last_words.clear();
        self.mark_begun(test);
        self.open = Some((test, odd));
        true
    }

    /// Returns whether there is something odd about a head; none if it is no head at all.
    fn oddity(&mut self, test: u32, at_start: bool) -> Option<bool> {
        let position = test as usize;
        let is_new = self.said[position] == Said::Nothing;
        if self.is_parallel() {
            let may_run = !self.manner.in_order || position < self.begun + self.manner.threads;
            return Some(!is_new || !may_run);
        }
        let is_next = !self.manner.in_order || position == self.next;
        let follows = at_start && (self.word_above.is_some() || self.begun == 0);
        match (is_new, is_next, follows) {
            (true, true, true) => {}
            (true, false, true) => self.odd = true,
            // Output of the test that runs, or of what another left behind.
            (true, _, false) => return None,
            // A test runs once: one of the two heads is an imitation.
            (false, ..) => {
                self.doubt(test);
                return None;
            }
        }
        Some(self.odd)
    }

    fn is_parallel(&self) -> bool {
        1 < self.manner.threads
    }

    fn mark_begun(&mut self, test: u32) {
        let said = &mut self.said[test as usize];
        if *said == Said::Nothing {
            *said = Said::Begun;
            self.begun += 1;
        }
        while self
            .said
            .get(self.next)
            .is_some_and(|said| *said != Said::Nothing)
        {
            self.next += 1;
        }
    }

    /// Notes what a line says of a test that has a head.
    fn say(&mut self, test: u32, word: Word, odd: bool) {
        let said = &mut self.said[test as usize];
        *said = match *said {
            Said::Nothing | Said::Begun if odd => Said::Perhaps(word),
            Said::Nothing | Said::Begun => Said::Surely(word),
            Said::Surely(before) | Said::Perhaps(before) if before == word => Said::Perhaps(word),
            Said::Surely(_) | Said::Perhaps(_) | Said::Contradicted => Said::Contradicted,
        };
    }

    /// Notes that a head of the test was seen once more (one thread).
    fn doubt(&mut self, test: u32) {
        let is_open = self.open.is_some_and(|(open, _)| open == test);
        if is_open {
            // The first may have been printed by the test before, which then did not end there.
            self.odd = true;
            self.open = Some((test, true));
        }
        let doubtful = [Some(test), self.closed.filter(|_| is_open)];
        for test in doubtful.into_iter().flatten() {
            let said = &mut self.said[test as usize];
            if let Said::Surely(word) = *said {
                *said = Said::Perhaps(word);
            }
        }
    }
}
