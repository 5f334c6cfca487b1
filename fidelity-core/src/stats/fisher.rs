//! The test people know: Fisher's exact test, one-sided.
//!
//! Knows a two-by-two table. It assumes a sample whose size was fixed beforehand and independent trials, so it stands
//! beside the evidence and decides nothing.
//!
//! Summed here because the ready-made two-sided test calls tables with nearly equal probabilities ties.

use statrs::function::factorial::ln_binomial;

use super::eprocess::Tally;

/// Returns the probability of at least as many failures on the suspected side, given all margins of the table.
///
/// The result is in (0, 1], and 1 where a side has no trial.
///
/// # Method
/// The upper hypergeometric tail, summed term by term from the observed table outwards; never one minus a tail.
///
/// # Examples
/// ```
/// # use fidelity_core::stats::{eprocess::Tally, fisher::one_sided};
/// let none_of_three = Tally { trials: 3, failures: 0 };
/// let all_of_three = Tally { trials: 3, failures: 3 };
/// assert!((one_sided(none_of_three, all_of_three) - 1.0 / 20.0).abs() < 1e-12);
/// ```
pub fn one_sided(reference: Tally, suspected: Tally) -> f64 {
    let (n0, n1) = (u64::from(reference.trials), u64::from(suspected.trials));
    let observed = u64::from(suspected.failures.min(suspected.trials));
    let failures = observed + u64::from(reference.failures.min(reference.trials));
    if n0 == 0 || n1 == 0 {
        return 1.0;
    }
    let whole = ln_binomial(n0 + n1, failures);
    let tail: f64 = (observed..=failures.min(n1))
        .filter(|&k| failures - k <= n0)
        .map(|k| (ln_binomial(n1, k) + ln_binomial(n0, failures - k) - whole).exp())
        .sum();
    tail.clamp(f64::MIN_POSITIVE, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(trials: u32, failures: u32) -> Tally {
        Tally { trials, failures }
    }

    /// Exact tail in integers: C(n1, k) C(n0, m - k) summed over C(n0 + n1, m).
    fn exact(reference: Tally, suspected: Tally) -> f64 {
        fn choose(n: u32, k: u32) -> u128 {
            (0..k).fold(1, |value, step| {
                value * u128::from(n - step) / u128::from(step + 1)
            })
        }
        let failures = reference.failures + suspected.failures;
        let sum: u128 = (suspected.failures..=failures.min(suspected.trials))
            .filter(|&k| failures - k <= reference.trials)
            .map(|k| choose(suspected.trials, k) * choose(reference.trials, failures - k))
            .sum();
        sum as f64 / choose(reference.trials + suspected.trials, failures) as f64
    }

    #[test]
    fn every_small_table_agrees_with_exact_integers() {
        for n0 in 1..=9 {
            for n1 in 1..=9 {
                for f0 in 0..=n0 {
                    for f1 in 0..=n1 {
                        let (low, high) = (tally(n0, f0), tally(n1, f1));
                        let p = one_sided(low, high);
                        assert!(
                            (p / exact(low, high) - 1.0).abs() < 1e-11,
                            "{low:?} {high:?}"
                        );
                        assert!(p > 0.0 && p <= 1.0);
                    }
                }
            }
        }
    }

    #[test]
    fn tables_on_which_a_two_sided_test_went_wrong() {
        // [46, 13; 49, 2] and [30, 0; 0, 30], passes and failures of each side.
        let p = one_sided(tally(51, 2), tally(59, 13));
        assert!((p / exact(tally(51, 2), tally(59, 13)) - 1.0).abs() < 1e-11);
        let p = one_sided(tally(30, 0), tally(30, 30));
        assert!((p * 118_264_581_564_861_424.0 - 1.0).abs() < 1e-11, "{p:e}");
    }

    #[test]
    fn the_lady_tasting_tea() {
        // Fisher (1935): all four cups right, 1 in 70; three right or better, 17 in 70.
        assert!((one_sided(tally(4, 0), tally(4, 4)) - 1.0 / 70.0).abs() < 1e-13);
        assert!((one_sided(tally(4, 1), tally(4, 3)) - 17.0 / 70.0).abs() < 1e-13);
    }

    #[test]
    fn a_side_without_trials_says_nothing() {
        assert!(one_sided(tally(0, 0), tally(5, 5)) == 1.0);
        assert!(one_sided(tally(5, 0), tally(5, 0)) == 1.0);
    }
}
