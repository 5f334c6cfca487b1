//! The order in which the tests of a pass start. A function of the seed alone.

use std::collections::BTreeSet;

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use crate::domain::{PassSpec, TestIndex};

/// Returns `tests`, what is left of the pass `spec`, in the order in which they start.
pub(super) fn of_starts(spec: &PassSpec, tests: &[TestIndex], shuffled: bool) -> Vec<TestIndex> {
    if !shuffled {
        let mut sorted = tests.to_vec();
        sorted.sort_unstable();
        return sorted;
    }
    // The whole pass is shuffled, so that a resumed pass goes on in the order it began with.
    let mut order = spec.tests.clone();
    shuffle(&mut order, spec.order_seed);
    let wanted: BTreeSet<TestIndex> = tests.iter().copied().collect();
    order.retain(|test| wanted.contains(test));
    order
}

/// Shuffles `items` by `seed` (Fisher and Yates): every order is equally likely.
pub(super) fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    for last in (1..items.len()).rev() {
        items.swap(last, below(&mut random, last as u64 + 1));
    }
}

/// Returns the seed of what happens to process `number` in a pass with this seed, whenever it starts: to the trial of the
/// test, or to the binary, of that number.
pub(super) fn trial_seed(pass_seed: u64, number: u32) -> u64 {
    // A large odd step keeps the seeds of neighbours apart.
    pass_seed.wrapping_add(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Returns a number below `bound`, each equally likely: draws that would favour small ones are thrown away.
fn below(random: &mut Pcg64Mcg, bound: u64) -> usize {
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let draw = random.next_u64();
        if draw < limit {
            return usize::try_from(draw % bound).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_same_seed_gives_the_same_order_and_another_seed_another() {
        let order = |seed| {
            let mut items: Vec<u32> = (0..50).collect();
            shuffle(&mut items, seed);
            items
        };
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
        let mut sorted = order(7);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn every_order_of_three_is_about_equally_likely() {
        let mut counts = BTreeMap::new();
        for seed in 0..6_000 {
            let mut items = [1, 2, 3];
            shuffle(&mut items, seed);
            *counts.entry(items).or_insert(0_u32) += 1;
        }
        // Binomial(6000, 1/6): six standard deviations are 173, a false alarm has a chance below 1e-8.
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|count| count.abs_diff(1_000) < 173),
            "{counts:?}"
        );
    }

    #[test]
    fn nothing_and_one_thing_stay_as_they_are() {
        shuffle::<u8>(&mut [], 1);
        let mut one = [9];
        shuffle(&mut one, 1);
        assert_eq!(one, [9]);
    }
}
