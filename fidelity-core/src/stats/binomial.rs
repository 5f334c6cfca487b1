//! Bounds for a failure probability.
//!
//! Knows counts; assumes independent trials at one rate, which its callers have to say where it does not hold.

use statrs::distribution::{Beta, ContinuousCDF};

/// Why there is no interval.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum IntervalError {
    /// More failures than trials.
    #[error("{failures} failures in {trials} trials")]
    CountsDisagree {
        /// Failures given.
        failures: u32,
        /// Trials given.
        trials: u32,
    },
    /// There were no trials.
    #[error("no trials")]
    NoTrials,
    /// The confidence is not strictly between 0 and 1.
    #[error("a confidence of {0} is not between 0 and 1")]
    ConfidenceOutOfRange(f64),
}

/// Returns the Clopper-Pearson interval of a failure probability.
///
/// `failures` of `trials` (`failures <= trials`, `1 <= trials`); `confidence` in (0, 1). The result is closed, within
/// [0, 1], and contains `failures / trials`.
///
/// # Method
/// Clopper & Pearson (1934), Biometrika 26, 404-413, by Beta quantiles, half of the error on either side; the lower
/// end is exactly 0 for no failures, the upper exactly 1 for all.
/// # Guarantee
/// Coverage is at least `confidence` for every true probability.
/// # Errors
/// [`IntervalError`] for counts that disagree, no trials, or a confidence out of range.
///
/// # Examples
/// ```
/// # use fidelity_core::stats::binomial::{IntervalError, clopper_pearson};
/// let (low, high) = clopper_pearson(1, 10, 0.95)?;
/// assert!((low - 0.0025286).abs() < 1e-6 && (high - 0.4450161).abs() < 1e-6);
/// assert_eq!(clopper_pearson(0, 0, 0.95), Err(IntervalError::NoTrials));
/// # Ok::<(), IntervalError>(())
/// ```
pub fn clopper_pearson(
    failures: u32,
    trials: u32,
    confidence: f64,
) -> Result<(f64, f64), IntervalError> {
    check(failures, trials, confidence)?;
    let tail = 0.5 * (1.0 - confidence);
    let (failed, passed) = (f64::from(failures), f64::from(trials - failures));
    let low = if failures == 0 {
        0.0
    } else {
        beta_quantile(failed, passed + 1.0, tail).unwrap_or(0.0)
    };
    let high = if failures == trials {
        1.0
    } else {
        // The upper quantile is one minus the lower quantile of the passes, which keeps the small tail accurate.
        1.0 - beta_quantile(passed, failed + 1.0, tail).unwrap_or(0.0)
    };
    Ok((low, high))
}

/// Returns the failure rate that `trials` without a failure exclude: every rate above it would have shown a failure
/// with a probability of at least `confidence`.
///
/// # Method
/// `1 - (1 - confidence)^(1 / trials)`, the one-sided Clopper-Pearson bound.
/// # Errors
/// [`IntervalError`] without trials or for a confidence out of range.
///
/// # Examples
/// ```
/// # use fidelity_core::stats::binomial::{IntervalError, excluded_rate};
/// assert!((excluded_rate(5, 0.95)? - 0.451).abs() < 1e-3);
/// assert_eq!(excluded_rate(0, 0.95), Err(IntervalError::NoTrials));
/// # Ok::<(), IntervalError>(())
/// ```
pub fn excluded_rate(trials: u32, confidence: f64) -> Result<f64, IntervalError> {
    check(0, trials, confidence)?;
    Ok(-((-confidence).ln_1p() / f64::from(trials)).exp_m1())
}

fn check(failures: u32, trials: u32, confidence: f64) -> Result<(), IntervalError> {
    if trials == 0 {
        Err(IntervalError::NoTrials)
    } else if failures > trials {
        Err(IntervalError::CountsDisagree { failures, trials })
    } else if !(confidence > 0.0 && confidence < 1.0) {
        Err(IntervalError::ConfidenceOutOfRange(confidence))
    } else {
        Ok(())
    }
}

fn beta_quantile(a: f64, b: f64, probability: f64) -> Option<f64> {
    Some(Beta::new(a, b).ok()?.inverse_cdf(probability))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probability of `k` failures in `n` trials.
    fn pmf(k: u32, n: u32, p: f64) -> f64 {
        let mut value = 1.0;
        for step in 0..k {
            value *= f64::from(n - step) / f64::from(step + 1) * p;
        }
        value * (1.0 - p).powi((n - k).cast_signed())
    }

    #[test]
    fn coverage_is_at_least_nominal_at_every_rate_of_a_grid() {
        for confidence in [0.8, 0.95, 0.99] {
            for n in [1, 2, 3, 5, 8, 13, 21, 40, 60] {
                let intervals: Vec<_> = (0..=n)
                    .map(|k| clopper_pearson(k, n, confidence).unwrap())
                    .collect();
                for step in 0..=200 {
                    let p = f64::from(step) / 200.0;
                    let covered: f64 = (0..=n)
                        .filter(|&k| {
                            let (low, high) = intervals[k as usize];
                            low <= p && p <= high
                        })
                        .map(|k| pmf(k, n, p))
                        .sum();
                    assert!(
                        covered >= confidence - 1e-9,
                        "{n} {p} {confidence}: {covered}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_ends_have_the_tails_they_promise_by_direct_summation() {
        for n in [1_u32, 4, 17, 60] {
            for k in 0..=n {
                let (low, high) = clopper_pearson(k, n, 0.95).unwrap();
                let above: f64 = (k..=n).map(|j| pmf(j, n, low)).sum();
                let below: f64 = (0..=k).map(|j| pmf(j, n, high)).sum();
                assert!(
                    k == 0 || (above - 0.025).abs() < 1e-9,
                    "{k}/{n} low {above}"
                );
                assert!(
                    k == n || (below - 0.025).abs() < 1e-9,
                    "{k}/{n} high {below}"
                );
            }
        }
    }

    #[test]
    fn ends_are_exact_and_mirrored() {
        for n in [1, 7, 33] {
            assert!(clopper_pearson(0, n, 0.95).unwrap().0 == 0.0);
            assert!(clopper_pearson(n, n, 0.95).unwrap().1 == 1.0);
            for k in 0..=n {
                let (low, high) = clopper_pearson(k, n, 0.95).unwrap();
                let (mirror_low, mirror_high) = clopper_pearson(n - k, n, 0.95).unwrap();
                assert!((low + mirror_high - 1.0).abs() < 1e-12);
                assert!((high + mirror_low - 1.0).abs() < 1e-12);
                let rate = f64::from(k) / f64::from(n);
                assert!(low <= rate && rate <= high);
            }
        }
    }

    #[test]
    fn more_failures_never_lower_a_bound() {
        let mut last = (0.0, 0.0);
        for k in 0..=30 {
            let now = clopper_pearson(k, 30, 0.95).unwrap();
            assert!(now.0 >= last.0 && now.1 >= last.1);
            last = now;
        }
    }

    #[test]
    fn five_passes_exclude_rates_above_45_percent() {
        let excluded = excluded_rate(5, 0.95).unwrap();
        assert!(((1.0 - excluded).powi(5) - 0.05).abs() < 1e-14);
        assert_eq!((excluded * 100.0).round(), 45.0);
    }

    #[test]
    fn impossible_counts_are_refused() {
        assert_eq!(
            clopper_pearson(3, 2, 0.95),
            Err(IntervalError::CountsDisagree {
                failures: 3,
                trials: 2
            })
        );
        assert_eq!(
            clopper_pearson(1, 2, 1.0),
            Err(IntervalError::ConfidenceOutOfRange(1.0))
        );
    }
}
