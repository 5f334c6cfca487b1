//! Which files make a pass, and which passes a block. Pure: the order in which files are given makes no difference.
//!
//! A *part* is what one file holds of one arm and block: the whole file, or one iteration of a stress run in it, or one pass
//! of a CSV. The rules:
//!
//! 1. Parts of one commit and one block name, in one arm, are looked at together, each iteration of stress runs and each
//!    named pass for itself.
//! 2. They are taken in the order of file names (`run 2` before `run 10`), then of the times they say, then of contents.
//! 3. Files that share no test belong to one pass: they are shards of one job. A file that repeats a test of the pass starts
//!    the next one.
//!
//! Rule 3 can be replaced: every file a pass of its own, or all files one pass. What it decides matters little: a test's
//! evidence is its trials in a block, whichever passes they are in. Passes are what mass failures are judged by.

use std::sync::Arc;

use crate::domain::{Arm, BlockId, natural_order};

/// How parts are made into passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// Files that share no test are one pass.
    #[default]
    Disjoint,
    /// Every file is a pass.
    PerFile,
    /// All files (of one arm and block) are one pass. Where they repeat a test, those are further trials of it.
    One,
}

/// What tells parts apart that are never one pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartKey {
    /// The arm.
    pub arm: Arm,
    /// The block.
    pub block: BlockId,
    /// The iteration of a stress run, or the name of a pass; empty for a whole file.
    pub part: String,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it belongs to.
    pub key: PartKey,
    /// The position of its file in the list of files.
    pub file: usize,
    /// When it ran, in microseconds since 1970; none where the file does not say.
    pub at_us: Option<i64>,
    /// The tests in it, as numbers, sorted.
    pub tests: Arc<[u32]>,
    /// How many trials, skipped ones among them.
    pub trials: u64,
}

/// A pass to be: positions of parts, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassPlan {
    /// What it belongs to.
    pub key: PartKey,
    /// Its parts.
    pub parts: Vec<usize>,
    /// When the first of them ran.
    pub at_us: Option<i64>,
    /// How many trials it has.
    pub trials: u64,
}

/// A file that parts are of.
#[derive(Clone, Copy, Debug)]
pub struct FileName<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The digest of its bytes.
    pub digest: &'a [u8; 32],
}

/// Returns the passes that `parts` make: blocks in the order of names, the baseline first.
pub fn compose(parts: &[Part], files: &[FileName<'_>], grouping: Grouping) -> Vec<PassPlan> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|one, other| {
        let (a, b) = (&parts[*one], &parts[*other]);
        let (first, second) = (files[a.file], files[b.file]);
        let text = |name: &Option<String>| name.clone().unwrap_or_default();
        natural_order(&text(&a.key.block.name), &text(&b.key.block.name))
            .then_with(|| a.key.block.cmp(&b.key.block))
            .then_with(|| a.key.arm.cmp(&b.key.arm))
            .then_with(|| natural_order(&a.key.part, &b.key.part))
            .then_with(|| natural_order(first.name, second.name))
            .then_with(|| (a.at_us.is_none(), a.at_us).cmp(&(b.at_us.is_none(), b.at_us)))
            .then_with(|| first.digest.cmp(second.digest))
    });
    let mut passes: Vec<PassPlan> = Vec::new();
    let mut taken = Taken::default();
    for position in order {
        let part = &parts[position];
        let joins = passes.last().is_some_and(|pass| {
            pass.key == part.key
                && match grouping {
                    Grouping::Disjoint => taken.none_of(&part.tests),
                    Grouping::PerFile => false,
                    Grouping::One => true,
                }
        });
        match passes.last_mut().filter(|_| joins) {
            Some(pass) => {
                pass.parts.push(position);
                pass.trials += part.trials;
                pass.at_us = [pass.at_us, part.at_us].into_iter().flatten().min();
            }
            None => {
                passes.push(PassPlan {
                    key: part.key.clone(),
                    parts: vec![position],
                    at_us: part.at_us,
                    trials: part.trials,
                });
                taken.pass += 1;
            }
        }
        taken.add(&part.tests);
    }
    passes
}

/// The tests of a pass, for any number of files: asking and adding take as long as the file is, however long the pass.
#[derive(Debug, Default)]
struct Taken {
    /// The number of the pass.
    pass: usize,
    /// The pass that each test was last in.
    last: Vec<usize>,
}

impl Taken {
    fn none_of(&self, tests: &[u32]) -> bool {
        let is_taken = |test: &u32| self.last.get(*test as usize) == Some(&self.pass);
        !tests.iter().any(is_taken)
    }

    fn add(&mut self, tests: &[u32]) {
        for test in tests {
            let test = *test as usize;
            if self.last.len() <= test {
                self.last.resize(test + 1, 0);
            }
            self.last[test] = self.pass;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(file: usize, arm: Arm, block: &str, part: &str, tests: &[u32]) -> Part {
        Part {
            key: PartKey {
                arm,
                block: BlockId {
                    commit: None,
                    name: Some(block.to_owned()),
                },
                part: part.to_owned(),
            },
            file,
            at_us: None,
            tests: tests.into(),
            trials: tests.len() as u64,
        }
    }

    /// The passes as lists of file names, each block and arm in front.
    fn passes(files: &[&str], parts: &[Part], grouping: Grouping) -> Vec<String> {
        let digests: Vec<[u8; 32]> = (0..files.len()).map(|number| [number as u8; 32]).collect();
        let named: Vec<FileName<'_>> = files
            .iter()
            .zip(&digests)
            .map(|(name, digest)| FileName { name, digest })
            .collect();
        compose(parts, &named, grouping)
            .into_iter()
            .map(|pass| {
                let files: Vec<&str> = pass.parts.iter().map(|at| files[parts[*at].file]).collect();
                let PartKey { arm, block, part } = &pass.key;
                let block = block.name.clone().unwrap_or_default();
                format!("{block} {arm} {part}: {}", files.join(" "))
            })
            .collect()
    }

    #[test]
    fn shards_are_one_pass_and_a_repeated_test_starts_the_next() {
        let files = ["run10/a.xml", "run10/b.xml", "run2/a.xml", "run2/b.xml"];
        let low = |file, tests: &[u32]| part(file, Arm::Baseline, "x", "", tests);
        let parts = [low(0, &[1, 2]), low(1, &[3]), low(2, &[1, 2]), low(3, &[3])];
        let expected = [
            "x baseline : run2/a.xml run2/b.xml",
            "x baseline : run10/a.xml run10/b.xml",
        ];
        assert_eq!(passes(&files, &parts, Grouping::Disjoint), expected);
        assert_eq!(passes(&files, &parts, Grouping::PerFile).len(), 4);
        assert_eq!(passes(&files, &parts, Grouping::One).len(), 1);
    }

    #[test]
    fn arms_blocks_and_iterations_are_never_mixed() {
        let files = ["a", "b", "c", "d", "e"];
        let parts = [
            part(0, Arm::Baseline, "2", "", &[1]),
            part(1, Arm::Target, "2", "", &[2]),
            part(2, Arm::Baseline, "10", "", &[3]),
            part(3, Arm::Baseline, "2", "stress 1", &[4]),
            part(3, Arm::Baseline, "2", "stress 0", &[4]),
            part(4, Arm::Baseline, "2", "stress 0", &[5]),
        ];
        assert_eq!(
            passes(&files, &parts, Grouping::Disjoint),
            [
                "2 baseline : a",
                "2 baseline stress 0: d e",
                "2 baseline stress 1: d",
                "2 target : b",
                "10 baseline : c",
            ]
        );
    }

    #[test]
    fn the_order_in_which_files_are_given_makes_no_difference() {
        let files = ["s1.xml", "s2.xml", "s1.xml", "s2.xml", "s3.xml"];
        let mut parts: Vec<Part> = [&[1_u32, 2][..], &[3], &[1], &[3, 4], &[9]]
            .iter()
            .enumerate()
            .map(|(file, tests)| part(file, Arm::Target, "x", "", tests))
            .collect();
        let expected = passes(&files, &parts, Grouping::Disjoint);
        for turn in 0..parts.len() {
            parts.rotate_left(1);
            parts.swap(0, turn);
            assert_eq!(passes(&files, &parts, Grouping::Disjoint), expected);
        }
    }

    #[test]
    fn a_pass_began_when_the_first_of_its_parts_did() {
        let mut parts = [
            part(0, Arm::Target, "x", "", &[1]),
            part(1, Arm::Target, "x", "", &[2]),
        ];
        (parts[0].at_us, parts[1].at_us) = (Some(7), Some(5));
        let digest = [0; 32];
        let names = ["a", "b"].map(|name| FileName {
            name,
            digest: &digest,
        });
        let plans = compose(&parts, &names, Grouping::Disjoint);
        assert_eq!(
            (plans.len(), plans[0].at_us, plans[0].trials),
            (1, Some(5), 2)
        );
    }
}
