//! The randomness of a run: every draw has its own stream, so that one never shifts another.
//!
//! Invariant: a draw depends on the seed, its purpose and its number alone, and its value is the same on every
//! platform and with every version of the packages (PCG with seeds mixed here, by SplitMix64: Steele, Lea & Flood,
//! "Fast splittable pseudorandom number generators", OOPSLA 2014).

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::domain::{Arm, Seed, TestIndex};

/// What a draw is for.
#[derive(Clone, Copy)]
enum Purpose {
    Arm,
    Order,
    Representative,
}

/// All draws of a run.
#[derive(Clone, Copy, Debug)]
pub struct Draws(Seed);

impl Draws {
    /// Returns the draws that follow from this seed.
    pub fn new(seed: Seed) -> Self {
        Self(seed)
    }

    /// Draws the arm of pass `number` of a screening with so many passes left in each arm (baseline, target); returns
    /// it with the probability of the target. None when nothing is left.
    pub fn screening_arm(self, number: u32, left: [u32; 2]) -> Option<(Arm, f64)> {
        let [baseline, target] = left.map(u64::from);
        let all = baseline + target;
        if all == 0 {
            return None;
        }
        // The high half of the product is uniform below `all` to within 2^-31, for counts below 2^33.
        let place = (u128::from(self.draw(Purpose::Arm, number)) * u128::from(all)) >> 64;
        let arm = if place < u128::from(target) {
            Arm::Target
        } else {
            Arm::Baseline
        };
        Some((arm, target as f64 / all as f64))
    }

    /// Draws the arm of pass `number` by a fair coin.
    pub fn coin_arm(self, number: u32) -> Arm {
        if self.draw(Purpose::Arm, number) >> 63 == 1 {
            Arm::Target
        } else {
            Arm::Baseline
        }
    }

    /// Returns the seed of the order in which the tests of pass `number` start.
    pub fn order_seed(self, number: u32) -> u64 {
        self.draw(Purpose::Order, number)
    }

    /// Returns `count` of `members`, drawn without regard to order, sorted; all where there are no more.
    ///
    /// A member keeps its rank when others join, so that the same tests go on standing for a growing set.
    pub fn representatives(
        self,
        members: impl Iterator<Item = TestIndex>,
        count: usize,
    ) -> Vec<TestIndex> {
        let mut ranked: Vec<(u64, TestIndex)> = members
            .map(|member| (self.draw(Purpose::Representative, member.0), member))
            .collect();
        ranked.sort_unstable();
        ranked.truncate(count);
        let mut chosen: Vec<TestIndex> = ranked.into_iter().map(|(_, member)| member).collect();
        chosen.sort_unstable();
        chosen
    }

    fn draw(self, purpose: Purpose, number: u32) -> u64 {
        let stream = (purpose as u64) << 32 | u64::from(number);
        let mut state = self.0.0 ^ split_mix(&mut stream.wrapping_add(1));
        let mut seed = [0; 16];
        for half in seed.chunks_exact_mut(8) {
            half.copy_from_slice(&split_mix(&mut state).to_le_bytes());
        }
        Pcg64Mcg::from_seed(seed).next_u64()
    }
}

/// Returns the next number of a SplitMix64 sequence.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_keep_their_values() {
        // Stored runs replay only while these stay what they are.
        let draws = Draws::new(Seed(1));
        let arms: String = (1..=16)
            .map(|number| match draws.coin_arm(number) {
                Arm::Baseline => 'b',
                Arm::Target => 't',
            })
            .collect();
        assert_eq!(
            (arms.as_str(), draws.order_seed(1)),
            ("btbttbbttbbbttbt", 15_161_869_734_276_615_509)
        );
    }

    /// False-alarm chance below 1e-6: five standard deviations on each of seven counts, seeds fixed.
    #[test]
    fn coins_are_fair_and_screening_orders_uniform() {
        let runs = 12_000_u64;
        let mut heads = 0.0;
        let mut first_baseline = [0.0; 6];
        for seed in 0..runs {
            let draws = Draws::new(Seed(seed));
            heads += f64::from(u8::from(draws.coin_arm(7) == Arm::Target));
            let mut left = [1, 5];
            for number in 1..=6_u32 {
                let (arm, _) = draws.screening_arm(number, left).unwrap();
                left[arm.index()] -= 1;
                if arm == Arm::Baseline {
                    first_baseline[number as usize - 1] += 1.0;
                }
            }
            assert_eq!(left, [0, 0]);
            assert_eq!(draws.screening_arm(7, left), None);
        }
        let n = runs as f64;
        assert!((heads - n / 2.0).abs() < 5.0 * (n / 4.0).sqrt(), "{heads}");
        for count in first_baseline {
            let deviation = 5.0 * (n * 5.0 / 36.0).sqrt();
            assert!((count - n / 6.0).abs() < deviation, "{first_baseline:?}");
        }
    }

    #[test]
    fn representatives_stay_when_members_join() {
        let draws = Draws::new(Seed(3));
        let few = draws.representatives((0..30).map(TestIndex), 10);
        let many = draws.representatives((0..60).map(TestIndex), 10);
        assert_eq!(few.len(), 10);
        assert!(
            many.iter()
                .filter(|test| test.0 < 30)
                .all(|test| few.contains(test))
        );
        assert_eq!(draws.representatives((0..3).map(TestIndex), 10).len(), 3);
    }
}
