//! How many trials a failure rate takes to be seen, and which rates trials see.
//!
//! Knows numbers; assumes independent trials at one rate, which its callers have to say where it does not hold.

/// Returns the least number of trials of which at least one fails with a probability of at least `probability`, where
/// each fails at `rate`.
///
/// `rate` is in (0, 1], `probability` in (0, 1); none outside of that, and for rates so small that nobody could count so
/// far.
///
/// # Method
/// The least `n` with `1 - (1 - rate)^n >= probability`, which is `ceil(ln(1 - probability) / ln(1 - rate))`, corrected by
/// the definition where rounding made it one too large or small.
///
/// # Examples
/// ```
/// # use fidelity_core::stats::power::trials_to_see;
/// assert_eq!(trials_to_see(0.05, 0.9), Some(45));
/// assert_eq!(trials_to_see(1.0, 0.999), Some(1));
/// assert_eq!(trials_to_see(0.0, 0.9), None);
/// ```
pub fn trials_to_see(rate: f64, probability: f64) -> Option<u64> {
    if !(rate > 0.0 && rate <= 1.0 && probability > 0.0 && probability < 1.0) {
        return None;
    }
    let estimate = ((-probability).ln_1p() / (-rate).ln_1p()).ceil().max(1.0);
    if estimate > FAR_AWAY {
        return None;
    }
    // Below 2^53, so that the cast is exact.
    let estimate = estimate as u64;
    let enough = |trials: &u64| chance_to_see(rate, *trials) >= probability;
    (estimate.saturating_sub(1).max(1)..=estimate + 1).find(enough)
}

/// Counts beyond this are the same as never.
const FAR_AWAY: f64 = 1e15;

/// Returns the probability that at least one of `trials` fails, where each fails at `rate`, in [0, 1].
pub fn chance_to_see(rate: f64, trials: u64) -> f64 {
    if trials == 0 || rate <= 0.0 {
        return 0.0;
    }
    -((-rate.min(1.0)).ln_1p() * trials as f64).exp_m1()
}

/// Returns the least failure rate that shows among `trials` with a probability of at least `probability`; none for no
/// trials or a probability that is not strictly between 0 and 1.
pub fn rate_seen(trials: u32, probability: f64) -> Option<f64> {
    super::binomial::excluded_rate(trials, probability).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_trials_is_the_least_that_does_by_multiplying_out() {
        for rate in [1.0, 0.9, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01] {
            for probability in [0.01, 0.25, 0.5, 0.75, 0.8, 0.9, 0.95, 0.99] {
                let mut passing = 1.0;
                let mut least = 0;
                // The tolerance is for powers that meet the probability exactly, like 1 - 0.5^2 = 0.75.
                while 1.0 - passing < probability - 1e-12 {
                    passing *= 1.0 - rate;
                    least += 1;
                }
                assert_eq!(
                    trials_to_see(rate, probability),
                    Some(least),
                    "{rate} {probability}"
                );
            }
        }
    }

    #[test]
    fn tiny_rates_are_counted_without_losing_digits() {
        // For tiny rates the number is -ln(1 - P) / rate, and a half more or less.
        let trials = trials_to_see(1e-9, 0.95).unwrap();
        assert!((trials as f64 - 2.995_732_273_5e9).abs() < 2.0, "{trials}");
        assert_eq!(trials_to_see(1e-300, 0.95), None);
    }

    #[test]
    fn what_is_no_rate_and_no_probability_has_no_answer() {
        for (rate, probability) in [(0.0, 0.5), (-0.1, 0.5), (1.1, 0.5), (0.5, 0.0), (0.5, 1.0)] {
            assert_eq!(trials_to_see(rate, probability), None);
            assert_eq!(trials_to_see(f64::NAN, probability), None);
        }
        assert_eq!(trials_to_see(0.5, f64::NAN), None);
        assert_eq!(rate_seen(0, 0.9), None);
        assert_eq!(rate_seen(5, 1.0), None);
        assert!((chance_to_see(0.0, 9)).abs() < f64::EPSILON);
        assert!((chance_to_see(2.0, 1) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_rate_that_is_seen_is_seen_with_that_probability() {
        for trials in [1, 2, 5, 10, 100, 1_000] {
            for probability in [0.5, 0.8, 0.95] {
                let rate = rate_seen(trials, probability).unwrap();
                let chance = chance_to_see(rate, u64::from(trials));
                assert!(
                    (chance - probability).abs() < 1e-12,
                    "{trials} {probability}"
                );
            }
        }
    }
}
