//! How long a decision will take.
//!
//! Knows rates, log evidence and growth; a forecast for people and for spending time well, never a guarantee.

use super::eprocess::{Side, log_factor};

/// A forecast beyond this many passes is the same as none.
const FAR_AWAY: f64 = 100_000.0;

/// Returns the mean log factor of a coin pass that bets on `believed` rates where the rates are `actual`, both
/// (reference, suspected).
pub fn expected_log_factor(believed: (f64, f64), actual: (f64, f64)) -> f64 {
    // What cannot happen has no weight, even if its logarithm is infinite.
    let weigh = |chance: f64, side, failed| {
        if chance > 0.0 {
            chance * log_factor(believed, side, 0.5, failed)
        } else {
            0.0
        }
    };
    let side = |side, rate: f64| weigh(rate, side, true) + weigh(1.0 - rate, side, false);
    0.5 * side(Side::Reference, actual.0) + 0.5 * side(Side::Suspected, actual.1)
}

/// Returns about how many coin passes lift the log evidence from `log_now` to `log_needed` at `growth` a pass.
///
/// None where the evidence does not grow, or so slowly that nobody would wait; 0 where it is there already.
pub fn passes_needed(log_now: f64, log_needed: f64, growth: f64) -> Option<u32> {
    let missing = log_needed - log_now;
    if missing <= 0.0 {
        return Some(0);
    }
    let passes = (missing / growth).ceil();
    // The range check makes the cast exact, and a NaN or an infinity fails it.
    (growth > 0.0 && passes <= FAR_AWAY).then_some(passes as u32)
}

/// Returns the rate estimated from `failures` of `trials`, kept off 0 and 1 by half a pseudo-trial of each kind.
pub fn smoothed_rate(failures: u32, trials: u32) -> f64 {
    (f64::from(failures) + 0.5) / (f64::from(trials) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn true_beliefs_grow_by_the_information_a_pass_holds() {
        // Rates (0, 1): the outcome tells the side, which is one bit.
        let growth = expected_log_factor((0.0, 1.0), (0.0, 1.0));
        assert!((growth - 2_f64.ln()).abs() < 1e-12);
        // Equal rates tell nothing.
        assert!(expected_log_factor((0.3, 0.3), (0.3, 0.3)).abs() < 1e-12);
    }

    #[test]
    fn false_beliefs_lose() {
        assert!(expected_log_factor((0.05, 0.5), (0.3, 0.3)) < 0.0);
    }

    #[test]
    fn no_growth_means_no_forecast() {
        assert_eq!(passes_needed(0.0, 3.0, 0.0), None);
        assert_eq!(passes_needed(0.0, 3.0, -0.1), None);
        assert_eq!(passes_needed(0.0, 3.0, f64::NAN), None);
        assert_eq!(passes_needed(0.0, 3.0, 1e-9), None);
        assert_eq!(passes_needed(0.0, 3.0, 0.5), Some(6));
        assert_eq!(passes_needed(4.0, 3.0, -1.0), Some(0));
        assert_eq!(passes_needed(f64::NEG_INFINITY, 3.0, 1.0), None);
    }
}
