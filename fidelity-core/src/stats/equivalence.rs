//! Evidence that the suspected side is *not* much worse: an anytime-valid test of closeness.
//!
//! Knows coin passes and failures; not what a side stands for.
//!
//! Source: testing by betting on a bounded mean (Waudby-Smith & Ramdas, "Estimating means of bounded random variables
//! by betting", JRSS B 2024), with one fixed bet.

use super::eprocess::Side;

/// The difference of failure rates that is to be excluded.
pub const MARGIN: f64 = 0.1;
/// The share staked on each pass. Below 1 / (2 - MARGIN), so that the product stays positive.
const STAKE: f64 = 0.5;
/// The value from which a larger difference counts as excluded: one in 20 wrong, at whatever moment one looks.
pub const EXCLUDED_AT: f64 = 20.0;

/// Returns the logarithm of the factor of one coin pass.
///
/// # Method
/// `1 + STAKE (MARGIN - z)`, `z` = 2 for a failure on the suspected side, -2 for one on the reference side, 0 for a
/// pass. Over a fair coin the mean of `z` is the difference of the rates, so where that is `MARGIN` or more the factor
/// has a mean of at most 1.
pub fn log_factor(side: Side, failed: bool) -> f64 {
    let z = match (failed, side) {
        (false, _) => 0.0,
        (true, Side::Suspected) => 2.0,
        (true, Side::Reference) => -2.0,
    };
    (STAKE * (MARGIN - z)).ln_1p()
}

/// Returns the mean log factor of a coin pass at failure rates (reference, suspected).
pub fn growth((reference, suspected): (f64, f64)) -> f64 {
    let passes = 1.0 - 0.5 * (reference + suspected);
    passes * log_factor(Side::Reference, false)
        + 0.5 * reference * log_factor(Side::Reference, true)
        + 0.5 * suspected * log_factor(Side::Suspected, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_factor(reference: f64, suspected: f64) -> f64 {
        let mut mean = 0.0;
        for (side, rate) in [(Side::Reference, reference), (Side::Suspected, suspected)] {
            mean += 0.5 * rate * log_factor(side, true).exp();
            mean += 0.5 * (1.0 - rate) * log_factor(side, false).exp();
        }
        mean
    }

    #[test]
    fn where_the_difference_is_ten_points_the_mean_factor_is_one() {
        for percent in 0..=90 {
            let rate = f64::from(percent) / 100.0;
            assert!((mean_factor(rate, rate + MARGIN) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn beyond_ten_points_it_falls_and_below_it_grows() {
        assert!(mean_factor(0.0, 0.3) < 1.0);
        assert!(mean_factor(0.3, 0.0) > 1.0);
        assert!(mean_factor(0.2, 0.2) > 1.0);
    }

    #[test]
    fn sixty_two_passes_without_a_failure_exclude_ten_points() {
        let factor = log_factor(Side::Suspected, false);
        assert!(61.0 * factor < EXCLUDED_AT.ln() && EXCLUDED_AT.ln() <= 62.0 * factor);
    }
}
