//! The claim on another test of the cluster: a few trials on each of its sides, in random order.

use super::{Mask, Seen};
use crate::attribute::engine::confirm::{mixed, next_side, trials_needed};
use crate::attribute::engine::{Checked, Counts, Expect};
use crate::domain::{SecondMember, Side, TestIndex};

/// The claim on a second test.
#[derive(Clone, Debug)]
pub(super) struct Second {
    test: TestIndex,
    name: String,
    needed: u32,
    seed: u64,
    sides: Vec<(Mask, Expect, Counts)>,
    /// Trials of each side that said nothing.
    silent: Vec<u32>,
}

impl Second {
    /// Returns the check of what was seen of the first test on `test`.
    pub(super) fn new(
        (test, name): (TestIndex, String),
        checked: &[Checked<Mask>],
        seed: u64,
    ) -> Self {
        let failing = checked
            .iter()
            .filter(|side| side.expect == Expect::Fails)
            .fold(Counts::default(), |all, side| all.plus(side.seen));
        let none = Counts::default();
        let sides = checked.iter().map(|side| (side.config, side.expect, none));
        Self {
            silent: vec![0; checked.len()],
            test,
            name,
            seed,
            needed: trials_needed(failing.mean(), false),
            sides: sides.collect(),
        }
    }

    pub(super) fn test(&self) -> TestIndex {
        self.test
    }

    /// Returns the configuration to look at next, none where every side was looked at enough.
    pub(super) fn next(&self) -> Option<Mask> {
        let sides = self.sides.iter().zip(&self.silent);
        let trials: Vec<u32> = sides
            .map(|((_, _, seen), silent)| seen.trials + silent)
            .collect();
        let made: u32 = trials.iter().sum();
        let open = trials.into_iter().enumerate();
        let open: Vec<(usize, u32)> = open.filter(|(_, trials)| *trials < self.needed).collect();
        let draw = mixed(self.seed ^ u64::from(made));
        next_side(&open, draw).map(|place| self.sides[place].0)
    }

    pub(super) fn trials(&self, config: Mask) -> u32 {
        let side = self.sides.iter().find(|side| side.0 == config);
        side.map_or(0, |side| side.2.trials)
    }

    /// Takes a trial; one that says nothing is no evidence, and none is made in its place, so that the check ends.
    pub(super) fn record(&mut self, config: Mask, seen: Seen) {
        let sides = self.sides.iter_mut().zip(&mut self.silent);
        for (side, silent) in sides.filter(|(side, _)| side.0 == config) {
            match seen {
                Seen::Passed | Seen::Failed => {
                    side.2 = side.2.plus(Counts::one(seen == Seen::Failed));
                }
                Seen::Nothing | Seen::Untestable => *silent += 1,
            }
        }
    }

    /// Returns what was seen, none before every side was looked at, or where a side said nothing.
    pub(super) fn seen(&self, words: impl Fn(Mask, Expect) -> String) -> Option<SecondMember> {
        let said_nothing = |side: &(Mask, Expect, Counts)| side.2.trials == 0;
        if self.next().is_some() || self.sides.iter().any(said_nothing) {
            return None;
        }
        let holds = |(_, expect, seen): &(Mask, Expect, Counts)| match expect {
            Expect::Fails => seen.failures > 0,
            Expect::Passes => seen.failures == 0,
        };
        Some(SecondMember {
            test: self.name.clone(),
            agrees: self.sides.iter().all(holds),
            sides: self
                .sides
                .iter()
                .map(|(config, expect, seen)| Side {
                    config: words(*config, *expect),
                    trials: seen.trials,
                    failures: seen.failures,
                })
                .collect(),
        })
    }
}
