//! Where a pass that ran elsewhere came from, and which passes belong together.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::RunId;

/// What is known of a pass that was ingested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The block it belongs to.
    pub block: BlockId,
    /// When it ran, as its files say: microseconds since 1970 in UTC. None where they do not say.
    pub at_us: Option<i64>,
    /// The files it was read from, sorted by digest.
    pub sources: Vec<SourceFile>,
    /// Tells passes of the same files apart: the iteration of a stress run, or the name of a pass.
    pub part: String,
}

impl Origin {
    /// Returns what puts passes of a block in an order that does not depend on their arms, nor on which was taken in first.
    pub fn order(&self) -> impl Ord + '_ {
        let digests: Vec<&[u8; 32]> = self.sources.iter().map(|source| &source.digest).collect();
        (
            self.at_us.is_none(),
            self.at_us,
            digests,
            self.part.as_str(),
        )
    }
}

/// A pass of a run, which keeps this name wherever it is exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PassName {
    /// The run.
    pub run: RunId,
    /// The number of the pass in it, from 1.
    pub pass: u32,
}

impl PassName {
    /// Returns the pass that a part of a CSV is, which is `RUN/PASS`; none where it is from elsewhere.
    pub fn of_part(part: &str) -> Option<Self> {
        let (run, pass) = part.split_once('/')?;
        Some(Self {
            run: run.parse().ok()?,
            pass: pass.parse().ok()?,
        })
    }
}

/// A file that was ingested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// BLAKE3 of its bytes, after decompression.
    pub digest: [u8; 32],
    /// What it was called.
    pub name: String,
}

/// Which passes belong together: those whose labels could have been swapped.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlockId {
    /// The commit the passes ran at; none where nobody said.
    pub commit: Option<String>,
    /// The name somebody gave the block; none where all passes of the commit are one.
    pub name: Option<String>,
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.commit, &self.name) {
            (Some(commit), Some(name)) => write!(f, "block {name} at commit {}", short(commit)),
            (Some(commit), None) => write!(f, "block of commit {}", short(commit)),
            (None, Some(name)) => write!(f, "block {name}"),
            (None, None) => f.write_str("block without a name"),
        }
    }
}

/// Returns a commit as people refer to it; what is no id stays as it is.
fn short(commit: &str) -> &str {
    let is_id = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { &commit[..10] } else { commit }
}

/// Compares texts as people count: `run 2` comes before `run 10`. Texts that only differ in leading zeros are told
/// apart all the same.
pub fn natural_order(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one.as_bytes(), other.as_bytes());
    loop {
        let (Some(a), Some(b)) = (left.first(), right.first()) else {
            return left.len().cmp(&right.len()).then_with(|| one.cmp(other));
        };
        let order = if a.is_ascii_digit() && b.is_ascii_digit() {
            let (first, second) = (take_digits(&mut left), take_digits(&mut right));
            first
                .len()
                .cmp(&second.len())
                .then_with(|| first.cmp(second))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            a.cmp(b)
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes the digits at the front, without leading zeros.
fn take_digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    *text = rest;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_counted() {
        let mut names = [
            "run 10", "run 9", "a", "run 9b", "run 09", "run", "b2", "b10", "",
        ];
        names.sort_by(|one, other| natural_order(one, other));
        assert_eq!(
            names,
            [
                "", "a", "b2", "b10", "run", "run 09", "run 9", "run 9b", "run 10"
            ]
        );
    }

    #[test]
    fn the_order_is_one_of_different_names() {
        let names = [
            "1", "01", "001", "1a", "a1", "a01", "é", "2", "10", "a", "ab",
        ];
        for a in names {
            for b in names {
                assert_eq!(
                    natural_order(a, b),
                    natural_order(b, a).reverse(),
                    "{a} {b}"
                );
                assert_eq!(natural_order(a, b).is_eq(), a == b, "{a} {b}");
                for c in names {
                    if natural_order(a, b).is_lt() && natural_order(b, c).is_lt() {
                        assert!(natural_order(a, c).is_lt(), "{a} {b} {c}");
                    }
                }
            }
        }
    }
}
