//! Bets on a block: passes that belong together, of which only the sides are known and not how they were drawn.
//!
//! Knows two sides, their trials and failures. Assumes that within a block the sides could have been swapped: that every
//! placement of the labels on the passes was equally likely. Whoever calls it has to say so.
//!
//! Source: Turner, Ly & Grünwald, "Generic E-variables for exact sequential k-sample tests", JSPI 2024; the conditional
//! likelihood of a 2 x 2 table is Fisher's non-central hypergeometric.

use statrs::function::factorial::ln_binomial;

use super::eprocess::Tally;

/// Log odds ratios beyond this are the same as certain; it keeps differences of infinities out.
const CERTAIN: f64 = 1e4;

/// A forecast looks at blocks of at most so many passes a side; larger ones grow in proportion.
const FORECAST_SIDE: u32 = 24;

/// Every way to place the labels on the passes of a block, told apart by the only thing that matters of them.
///
/// # Method
/// With rates `p` (reference) and `q` (suspected), a placement that leaves `j` of the `K` failures on the suspected side
/// has the likelihood `q^j (1-q)^(n1-j) p^(K-j) (1-p)^(n0-K+j)`, which is a constant of the block times `exp(j * lambda)`
/// with `lambda = logit q - logit p`. Of all `C(n0 + n1, n1)` placements, `C(n1, j) C(n0, K-j) / C(n0 + n1, K)` of the
/// whole have that `j`. So the mean over all of them is a sum over `j`.
#[derive(Clone, Debug)]
pub struct Placements {
    /// The least `j`.
    least: u32,
    /// The logarithm of the share of placements with each `j` from there.
    log_shares: Vec<f64>,
}

impl Placements {
    /// Returns the placements of a block with these trials and failures on each side.
    pub fn new(reference: Tally, suspected: Tally) -> Self {
        let (n0, n1) = (u64::from(reference.trials), u64::from(suspected.trials));
        let failures = u64::from(reference.failures.min(reference.trials))
            + u64::from(suspected.failures.min(suspected.trials));
        let whole = ln_binomial(n0 + n1, failures);
        let log_share = |j: u64| ln_binomial(n1, j) + ln_binomial(n0, failures - j) - whole;
        let least = failures.saturating_sub(n0);
        Self {
            // Both are at most the trials of a side.
            least: u32::try_from(least).unwrap_or(u32::MAX),
            log_shares: (least..=failures.min(n1)).map(log_share).collect(),
        }
    }

    /// Returns the logarithm of `L(labels as they are) / mean of L over all placements`, where `failures` of the block
    /// are on the suspected side and the rates (reference, suspected) are in [0, 1].
    pub fn log_factor(&self, (reference, suspected): (f64, f64), failures: u32) -> f64 {
        if self.log_shares.len() < 2 {
            // One kind of placement only: nobody failed, everybody did, or a side is empty.
            return 0.0;
        }
        let odds = logit(suspected) - logit(reference);
        let lambda = if odds.is_nan() {
            0.0
        } else {
            odds.clamp(-CERTAIN, CERTAIN)
        };
        let count = |position: usize| f64::from(self.least) + position as f64;
        let terms = || {
            let shares = self.log_shares.iter().enumerate();
            shares.map(|(position, log_share)| log_share + lambda * count(position))
        };
        let top = terms().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = terms().map(|term| (term - top).exp()).sum();
        lambda * f64::from(failures) - top - sum.ln()
    }
}

fn logit(rate: f64) -> f64 {
    rate.ln() - (-rate).ln_1p()
}

/// Returns the logarithm of the factor by which a block multiplies the evidence, for rates (reference, suspected).
///
/// # Guarantee
/// With the outcomes of the passes fixed, the mean of the factor over all placements of the labels is exactly 1,
/// whatever the rates. A block without a failure, with nothing but failures, or with one side only has the factor 1.
///
/// # Examples
/// One pass a side, and the one on the suspected side failed; whoever is sure of it doubles the stake:
/// ```
/// # use fidelity_core::stats::{block, eprocess::Tally};
/// let passed = Tally { trials: 1, failures: 0 };
/// let failed = Tally { trials: 1, failures: 1 };
/// assert!((block::log_factor((0.0, 1.0), passed, failed) - 2_f64.ln()).abs() < 1e-12);
/// assert!(block::log_factor((0.2, 0.2), passed, failed).abs() < 1e-12);
/// ```
pub fn log_factor(rates: (f64, f64), reference: Tally, suspected: Tally) -> f64 {
    Placements::new(reference, suspected).log_factor(rates, suspected.failures)
}

/// Returns the mean log factor, per pass, of a block with `sides` passes (reference, suspected) that bets on `believed`
/// rates where the rates are `actual`; 0 where a side is empty. A forecast: it takes trials to be independent.
pub fn expected_log_factor(believed: (f64, f64), actual: (f64, f64), sides: (u32, u32)) -> f64 {
    let largest = sides.0.max(sides.1);
    let scaled = |side: u32| match u64::from(side) * u64::from(FORECAST_SIDE) {
        _ if largest <= FORECAST_SIDE => side,
        product => u32::try_from(product / u64::from(largest))
            .unwrap_or(side)
            .max(side.min(1)),
    };
    let (n0, n1) = (scaled(sides.0), scaled(sides.1));
    if n0 == 0 || n1 == 0 {
        return 0.0;
    }
    let (low, high) = (chances(n0, actual.0), chances(n1, actual.1));
    let mut mean = 0.0;
    for failures in 0..=n0 + n1 {
        let of = |k1: u32| {
            let tally = |trials, failures| Tally { trials, failures };
            (tally(n0, failures - k1), tally(n1, k1))
        };
        let (least, most) = (failures.saturating_sub(n0), failures.min(n1));
        let (reference, suspected) = of(least);
        let placements = Placements::new(reference, suspected);
        for k1 in least..=most {
            let chance = low[(failures - k1) as usize] * high[k1 as usize];
            if chance > 0.0 {
                mean += chance * placements.log_factor(believed, k1);
            }
        }
    }
    mean / f64::from(n0 + n1)
}

/// Returns the chances of 0, 1, ... `trials` failures at `rate`.
fn chances(trials: u32, rate: f64) -> Vec<f64> {
    let log = |k: u32| {
        let certain = |times: u32, log: f64| {
            if times == 0 {
                0.0
            } else {
                f64::from(times) * log
            }
        };
        ln_binomial(u64::from(trials), u64::from(k))
            + certain(k, rate.ln())
            + certain(trials - k, (-rate).ln_1p())
    };
    (0..=trials).map(|k| log(k).exp()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::eprocess::EProcess;

    const RATES: [(f64, f64); 6] = [
        (0.05, 0.9),
        (0.01, 0.02),
        (0.3, 0.3),
        (0.5, 0.999),
        (0.2, 0.1),
        (1e-9, 1.0 - 1e-9),
    ];

    fn tally(trials: u32, failures: u32) -> Tally {
        Tally { trials, failures }
    }

    /// The likelihood of outcomes (bit set: failed) under labels (bit set: suspected), multiplied out.
    fn likelihood((low, high): (f64, f64), passes: u32, outcomes: u32, labels: u32) -> f64 {
        let of = |pass: u32| {
            let rate = if labels >> pass & 1 == 1 { high } else { low };
            if outcomes >> pass & 1 == 1 {
                rate
            } else {
                1.0 - rate
            }
        };
        (0..passes).map(of).product()
    }

    fn sides(passes: u32, outcomes: u32, labels: u32) -> (Tally, Tally) {
        let suspected = tally(labels.count_ones(), (labels & outcomes).count_ones());
        let others = !labels & ((1 << passes) - 1);
        (
            tally(others.count_ones(), (others & outcomes).count_ones()),
            suspected,
        )
    }

    #[test]
    fn every_block_of_up_to_seven_passes_agrees_with_placing_the_labels_one_by_one() {
        let mut blocks = 0;
        for passes in 1..=7_u32 {
            for outcomes in 0..1_u32 << passes {
                for labels in 0..1_u32 << passes {
                    let same: Vec<u32> = (0..1 << passes)
                        .filter(|other: &u32| other.count_ones() == labels.count_ones())
                        .collect();
                    for rates in RATES {
                        let of = |labels| likelihood(rates, passes, outcomes, labels);
                        let mean =
                            same.iter().map(|other| of(*other)).sum::<f64>() / same.len() as f64;
                        let (reference, suspected) = sides(passes, outcomes, labels);
                        let factor = log_factor(rates, reference, suspected).exp();
                        let expected = of(labels) / mean;
                        assert!(
                            (factor - expected).abs() <= 1e-9 * expected.max(1e-6),
                            "{passes} {outcomes:b} {labels:b} {rates:?}: {factor} and not {expected}"
                        );
                        blocks += 1;
                    }
                }
            }
        }
        assert_eq!(blocks, 6 * (4 + 16 + 64 + 256 + 1024 + 4096 + 16384));
    }

    #[test]
    fn the_mean_of_the_factor_over_the_placements_is_one() {
        for (n0, n1) in [
            (1_u32, 1_u32),
            (1, 5),
            (5, 1),
            (3, 7),
            (30, 30),
            (1, 200),
            (400, 100),
        ] {
            for failures in 0..=n0 + n1 {
                for rates in RATES {
                    let mut mean = 0.0;
                    for j in failures.saturating_sub(n0)..=failures.min(n1) {
                        let (reference, suspected) = (tally(n0, failures - j), tally(n1, j));
                        let share = (ln_binomial(n1.into(), j.into())
                            + ln_binomial(n0.into(), (failures - j).into())
                            - ln_binomial((n0 + n1).into(), failures.into()))
                        .exp();
                        mean += share * log_factor(rates, reference, suspected).exp();
                    }
                    assert!(
                        (mean - 1.0).abs() < 1e-9,
                        "{n0} {n1} {failures} {rates:?}: {mean}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_mean_of_a_whole_process_over_every_placement_of_two_blocks_is_one() {
        // Outcomes of two blocks of four passes each; the second block's bet rests on what the first taught.
        for outcomes in [0b1000_0001_u32, 0b1100_1010, 0b1111_0110, 0b0001_0000] {
            let (first, second) = (outcomes & 15, outcomes >> 4);
            let halves: Vec<u32> = (0..16_u32)
                .filter(|labels| labels.count_ones() == 2)
                .collect();
            let mut mean = 0.0;
            for one in &halves {
                for other in &halves {
                    let mut process = EProcess::new(Tally::default(), Tally::default());
                    let (reference, suspected) = sides(4, first, *one);
                    process.bet_block(reference, suspected);
                    let (reference, suspected) = sides(4, second, *other);
                    process.bet_block(reference, suspected);
                    mean += process.log_e().exp() / (halves.len() * halves.len()) as f64;
                }
            }
            assert!((mean - 1.0).abs() < 1e-12, "{outcomes:b}: {mean}");
        }
    }

    #[test]
    fn trials_that_nobody_reported_lower_the_mean() {
        // Of three passes a side, one or two (by bit) are not reported: failed on the reference side, passed on the other.
        for outcomes in 0..64_u32 {
            for missing in [0b000_001_u32, 0b100_001, 0b001_100] {
                for rates in [(0.05, 0.9), (0.2, 0.6)] {
                    let labels: Vec<u32> = (0..64_u32).filter(|l| l.count_ones() == 3).collect();
                    let mean: f64 = labels
                        .iter()
                        .map(|labels| {
                            let seen = (outcomes & !missing) | (missing & !labels);
                            let (reference, suspected) = sides(6, seen, *labels);
                            log_factor(rates, reference, suspected).exp()
                        })
                        .sum::<f64>()
                        / labels.len() as f64;
                    assert!(
                        mean <= 1.0 + 1e-12,
                        "{outcomes:b} {missing:b} {rates:?}: {mean}"
                    );
                }
            }
        }
    }

    #[test]
    fn blocks_that_tell_nothing_have_the_factor_one() {
        for (reference, suspected) in [
            (tally(0, 0), tally(0, 0)),
            (tally(0, 0), tally(5, 3)),
            (tally(5, 2), tally(0, 0)),
            (tally(5, 0), tally(5, 0)),
            (tally(5, 5), tally(3, 3)),
        ] {
            assert!(log_factor((0.1, 0.9), reference, suspected).abs() < 1e-15);
        }
    }

    #[test]
    fn rates_of_zero_and_one_are_certain_and_never_undefined() {
        for rates in [(0.0, 1.0), (0.0, 0.5), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0)] {
            for (k0, k1) in [(0, 2), (2, 0), (1, 1), (2, 2)] {
                let log = log_factor(rates, tally(2, k0), tally(2, k1));
                assert!(!log.is_nan(), "{rates:?} {k0} {k1}");
            }
        }
        // Six placements, one of them possible.
        let log = log_factor((0.0, 1.0), tally(2, 0), tally(2, 2));
        assert!((log - 6_f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn a_forecast_is_the_mean_over_all_outcomes() {
        // One pass a side, rates 0 and 1: every block doubles the stake.
        let growth = expected_log_factor((1e-12, 1.0 - 1e-12), (0.0, 1.0), (1, 1));
        assert!((growth - 2_f64.ln() / 2.0).abs() < 1e-9);
        assert!(expected_log_factor((0.05, 0.5), (0.3, 0.3), (3, 3)) < 0.0);
        assert!(expected_log_factor((0.05, 0.5), (0.05, 0.5), (0, 3)).abs() < 1e-15);
        let (small, large) = [(24, 24), (240, 240)]
            .map(|sides| expected_log_factor((0.05, 0.5), (0.05, 0.5), sides))
            .into();
        assert!(small > 0.0 && (small - large).abs() < 1e-12);
    }
}
