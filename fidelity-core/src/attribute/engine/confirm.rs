//! The last step before a claim: enough trials on both sides of its boundary, in random order.
//!
//! A posterior is only as good as the assumption that trials are independent; trials that alternate between both sides
//! are what drift cannot imitate.

use super::likelihood::{Counts, Tables};

/// What the claim says of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The test fails there: the claimed cause is sufficient.
    Fails,
    /// The test passes there: the claimed cause is necessary.
    Passes,
}

/// One side of a claimed boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check<C> {
    /// Where to look.
    pub config: C,
    /// What the claim says of it.
    pub expect: Expect,
}

/// How often a side that is said to pass is looked at before it is said to fail, in times of what is needed: a few failures that
/// happen everywhere may come first.
const PASSES_TIMES: u32 = 4;

/// Failures that have to be seen where a claim says that the test fails.
const FAILURES_WANTED: u32 = 2;

/// Returns the trials that a side needs that is said to pass: enough that a cause with this failure rate would have shown itself
/// with a probability of 95 %, within 3..=20; twice that where outcomes depend on time. A rate of 1 gives the fewest.
pub fn trials_needed(failure_rate: f64, time_dependent: bool) -> u32 {
    let needed = (0.05_f64.ln() / (1.0 - failure_rate).ln()).ceil();
    let needed = needed.clamp(3.0, 20.0) as u32;
    if time_dependent { 2 * needed } else { needed }
}

/// What a side still lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacks {
    /// Nothing.
    Nothing,
    /// More trials.
    Trials,
    /// It was looked at twice as often as needed, and did not fail.
    Failures,
    /// It was looked at four times as often as needed, and fails as the other side does.
    Passes,
}

/// A claim whose sides are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What was seen where it says that the test fails at its higher rate, everywhere.
    pub active: Counts,
    /// What was seen elsewhere, its own sides left out.
    pub elsewhere: Counts,
    /// Trials that every side needs at least. One that is said to fail needs no more once it failed twice: passes would not take
    /// that back, while one that is said to pass has to be given the chance to fail.
    pub fewest: u32,
    /// Trials that a side needs that is said to pass, at least `fewest`; one that is said to fail may take twice as many.
    pub needed: u32,
}

impl Claim {
    /// Returns what a side lacks that has these counts.
    pub fn lacks(&self, expect: Expect, seen: Counts) -> Lacks {
        let fewest = match expect {
            Expect::Fails => self.fewest,
            Expect::Passes => self.needed,
        };
        if seen.trials < fewest {
            return Lacks::Trials;
        }
        let (holds, times, lacks) = match expect {
            Expect::Fails => (seen.failures >= FAILURES_WANTED, 2, Lacks::Failures),
            Expect::Passes => (!self.fails_as_well(seen), PASSES_TIMES, Lacks::Passes),
        };
        if holds {
            Lacks::Nothing
        } else if seen.trials < times * self.needed {
            Lacks::Trials
        } else {
            lacks
        }
    }

    /// Returns whether the counts of a side are rather those of where the test fails: the best hypothesis of a space may be wrong
    /// there, if the truth is not in the space.
    fn fails_as_well(&self, seen: Counts) -> bool {
        if seen.failures == 0 {
            return false;
        }
        let mut tables = Tables::default();
        tables.reach(seen.trials + self.active.trials.max(self.elsewhere.trials));
        tables.predict(seen, self.elsewhere) < tables.predict(seen, self.active)
    }
}

/// Returns which of the lacking sides comes next, given the trials each has (their places are those of the checks): one of those with
/// the fewest, at random by `draw`. So sides are tried in rounds, each in an order of its own, which neither drift nor a test that
/// fails at fixed intervals can imitate.
pub fn next_side(trials: &[(usize, u32)], draw: u64) -> Option<usize> {
    let fewest = trials.iter().map(|(_, count)| *count).min()?;
    let least = || trials.iter().filter(|(_, count)| *count == fewest);
    let chosen = (draw >> 32) % least().count() as u64;
    least().nth(chosen as usize).map(|(place, _)| *place)
}

/// Returns a number whose upper bits depend on all bits of `number`: what draws are made of.
pub fn mixed(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_trials_needed_follow_the_rate_within_bounds() {
        assert_eq!(trials_needed(0.999, false), 3);
        assert_eq!(trials_needed(1.0, false), 3);
        assert_eq!(trials_needed(0.5, false), 5);
        assert_eq!(trials_needed(0.2, false), 14);
        assert_eq!(trials_needed(0.01, false), 20);
        assert_eq!(trials_needed(0.5, true), 10);
    }

    #[test]
    fn sides_are_tried_in_rounds_each_in_a_random_order() {
        let mut orders = BTreeMap::new();
        for seed in 0..600 {
            let mut counts = [0_u32; 3];
            let order: Vec<usize> = (0..6)
                .filter_map(|trial| {
                    let sides: Vec<_> = counts.iter().copied().enumerate().collect();
                    let side = next_side(&sides, mixed(seed ^ trial << 32))?;
                    counts[side] += 1;
                    Some(side)
                })
                .collect();
            assert_eq!(counts, [2; 3], "{order:?}");
            for round in order.chunks(3) {
                *orders.entry(round.to_vec()).or_insert(0) += 1;
            }
        }
        // Six orders of 1,200 rounds, each 200 times but for chance: five standard deviations.
        assert_eq!(orders.len(), 6);
        assert!(
            orders.values().all(|count| (135..=265).contains(count)),
            "{orders:?}"
        );
        assert_eq!(next_side(&[], 1), None);
    }

    fn claim() -> Claim {
        Claim {
            active: Counts::new(15, 30),
            elsewhere: Counts::new(1, 30),
            fewest: 3,
            needed: 5,
        }
    }

    #[test]
    fn a_side_said_to_fail_has_to_fail_twice() {
        let lacks = |failures, trials| claim().lacks(Expect::Fails, Counts::new(failures, trials));
        assert_eq!(lacks(2, 2), Lacks::Trials);
        assert_eq!(lacks(2, 3), Lacks::Nothing);
        assert_eq!(lacks(1, 5), Lacks::Trials);
        assert_eq!(lacks(1, 10), Lacks::Failures);
    }

    #[test]
    fn a_side_said_to_pass_must_not_fail_as_the_other_does() {
        let lacks = |failures, trials| claim().lacks(Expect::Passes, Counts::new(failures, trials));
        assert_eq!(lacks(0, 4), Lacks::Trials);
        assert_eq!(lacks(0, 5), Lacks::Nothing);
        // One failure may be of those that happen everywhere.
        assert_eq!(lacks(1, 10), Lacks::Nothing);
        assert_eq!(lacks(3, 5), Lacks::Trials);
        assert_eq!(lacks(5, 10), Lacks::Trials);
        assert_eq!(lacks(10, 20), Lacks::Passes);
        assert_eq!(lacks(3, 20), Lacks::Nothing);
    }
}
