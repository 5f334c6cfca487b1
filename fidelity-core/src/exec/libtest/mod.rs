//! What libtest says of the tests of one process, made out of its plain output.
//!
//! Tests print to the same stream, straight or through their children, so a line may be glued to noise, torn by it, or
//! imitated. The [`Scanner`] reads the stream as it comes and holds little of it; [`Lines`] is what it made out, and
//! [`Lines::settle`] is what of it can be relied on. Must not know: processes, arms, outcomes.
//! Invariant: nothing but a result line of a test, unambiguous or agreeing with the sum, makes that test pass.

use serde::{Deserialize, Serialize};

use super::result_line::ResultLine;

mod heads;
mod scanner;
mod sections;
#[cfg(test)]
mod tests;
mod word;

pub(crate) use scanner::{Manner, Scanner};

/// The word with which libtest ends the line of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Word {
    /// `ok`, or the figures of a benchmark.
    Passed,
    /// `FAILED`.
    Failed,
    /// `ignored`, with or without a reason.
    Ignored,
}

/// What was made out of one test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Said {
    /// No line of it was seen.
    #[default]
    Nothing,
    /// Its line began, and how it ended was not made out.
    Begun,
    /// Its result, from a line that stands where libtest writes one, whole and once.
    Surely(Word),
    /// Its result, from a line that something is odd about. To be relied on only if the sum agrees.
    Perhaps(Word),
    /// Lines that contradict each other, or one that can be read in two ways.
    Contradicted,
}

/// The part of the output that libtest shows for one failed test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Section {
    /// Position of the test among the names.
    pub(crate) test: u32,
    /// Bytes kept of it.
    pub(crate) length: usize,
    /// Bytes left out of its middle.
    pub(crate) omitted: u64,
}

/// What was made out of the output of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lines {
    /// By position of the test among the names.
    pub(crate) said: Vec<Said>,
    /// The test whose head was the last, where one runs at a time and nothing is odd about it.
    pub(crate) running: Option<u32>,
    /// Whether nothing that may be its result follows that head.
    pub(crate) wordless: bool,
    /// The last line that sums up.
    pub(crate) sum: Option<ResultLine>,
    /// Where the output of failed tests is, in the order of the bytes that come with this.
    pub(crate) sections: Vec<Section>,
}

/// What can be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// By position of the test among the names.
    pub(crate) results: Vec<Option<Word>>,
    /// Whether libtest summed up over exactly these tests and all were heard of, so that they have run.
    pub(crate) complete: bool,
}

impl Lines {
    /// Returns what can be relied on.
    ///
    /// Where libtest summed up over exactly the tests asked for, each of which was heard of to its end, the sum is held against the lines. If it agrees with
    /// all of them, every line is believed. If not, a line without anything odd is believed unless lines of its kind
    /// are too many, and an odd one only if those without account for all results of the other kinds. Without such a
    /// sum the process ended early, and only lines without anything odd are believed.
    pub(crate) fn settle(&self) -> Settled {
        const WORDS: [Word; 3] = [Word::Passed, Word::Failed, Word::Ignored];
        let sure = self.count(|said| matches!(said, Said::Surely(_)));
        let all = self.count(|_| true);
        let tests = self.said.len() as u64;
        let sum = self
            .sum
            .map(|sum| WORDS.map(|word| sum.of(word)))
            .filter(|_| !(self.running.is_some() && self.wordless))
            .filter(|sum| {
                sum.iter().fold(0, |all: u64, one| all.saturating_add(*one)) == tests
                    && !self.said.contains(&Said::Nothing)
            });
        let believes = |said: Said| {
            let Some(sum) = sum else {
                return matches!(said, Said::Surely(_));
            };
            match said {
                _ if all == sum => true,
                Said::Surely(word) => sure[word as usize] <= sum[word as usize],
                Said::Perhaps(word) => WORDS.into_iter().map(|other| other as usize).all(|other| {
                    if other == word as usize {
                        all[other] <= sum[other]
                    } else {
                        sure[other] == sum[other]
                    }
                }),
                Said::Nothing | Said::Begun | Said::Contradicted => false,
            }
        };
        let results = self
            .said
            .iter()
            .map(|said| said.word().filter(|_| believes(*said)));
        Settled {
            results: results.collect(),
            complete: sum.is_some(),
        }
    }

    /// Counts the results among `wanted`, by their word.
    fn count(&self, wanted: impl Fn(Said) -> bool) -> [u64; 3] {
        let mut counts = [0; 3];
        for said in self.said.iter().filter(|said| wanted(**said)) {
            if let Some(word) = said.word() {
                counts[word as usize] += 1;
            }
        }
        counts
    }
}

impl Said {
    /// Returns the result, if one was made out.
    fn word(self) -> Option<Word> {
        match self {
            Self::Surely(word) | Self::Perhaps(word) => Some(word),
            Self::Nothing | Self::Begun | Self::Contradicted => None,
        }
    }
}
