//! Deciding over many e-values at once: e-BH.
//!
//! Knows a list of e-values and a level; not what they are about.
//!
//! Source: Wang & Ramdas, "False discovery rate control with e-values", JRSS B 2022.

/// Returns the number of rejections and the log e-value they needed, for a family of `family` hypotheses at `level`.
///
/// `logs` are natural logarithms of e-values, in any order; hypotheses of the family without one (their e-value is
/// 0) may be left out. A hypothesis is rejected if its value is at least the second result, which is infinite where
/// nothing is.
///
/// # Method
/// The largest `k` with `e_(k) >= family / (k * level)`, `e_(k)` the `k`-th largest.
/// # Guarantee
/// The expected share of true nulls among the rejected is at most `level`, under any dependence.
pub fn rejections(logs: &[f64], family: usize, level: f64) -> (usize, f64) {
    let mut sorted: Vec<f64> = logs.iter().copied().filter(|log| !log.is_nan()).collect();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let found = (1..=sorted.len())
        .rev()
        .find(|&k| sorted[k - 1] >= log_threshold(family, k, level));
    match found {
        Some(k) => (k, log_threshold(family, k, level)),
        None => (0, f64::INFINITY),
    }
}

/// Returns the log e-value needed to be one of `rejected` rejections in a family of `family` at `level`.
pub fn log_threshold(family: usize, rejected: usize, level: f64) -> f64 {
    (family as f64 / (rejected.max(1) as f64 * level)).ln()
}

/// Returns the level of the `generation`-th family (from 1) when all families together are to keep `fdr`.
///
/// # Method
/// `fdr * 6 / (pi^2 g^2)`: the levels of all generations sum up to `fdr`, and so does the bound on the false share,
/// because the share over all families is at most the sum of the shares.
pub fn generation_level(fdr: f64, generation: u32) -> f64 {
    let rank = f64::from(generation.max(1));
    fdr * 6.0 / (std::f64::consts::PI * rank).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(values: &[f64]) -> Vec<f64> {
        values.iter().map(|value| value.ln()).collect()
    }

    #[test]
    fn a_worked_family_of_five() {
        // Level 0.1, five hypotheses: needed are 50, 25, 16.7, 12.5, 10 for k = 1 to 5.
        let (k, needed) = rejections(&logs(&[60.0, 17.0, 17.0, 3.0, 0.0]), 5, 0.1);
        assert_eq!(k, 3);
        assert!((needed - (5.0_f64 / 0.3).ln()).abs() < 1e-12);
        assert_eq!(rejections(&logs(&[49.0, 24.0, 16.0]), 5, 0.1).0, 0);
    }

    #[test]
    fn brute_force_over_small_families_agrees_with_the_definition() {
        let values = [0.0, 0.9, 12.0, 20.0, 41.0, 100.0];
        for pattern in 0..6_usize.pow(4) {
            let family: Vec<f64> = (0..4)
                .map(|digit| values[pattern / 6_usize.pow(digit) % 6])
                .collect();
            let expected = (1..=4)
                .filter(|&k| {
                    let bar = 4.0 / (k as f64 * 0.1);
                    family.iter().filter(|&&e| e >= bar).count() >= k
                })
                .max()
                .unwrap_or(0);
            assert_eq!(rejections(&logs(&family), 4, 0.1).0, expected, "{family:?}");
        }
    }

    #[test]
    fn raising_an_e_value_never_takes_a_rejection_away() {
        let values = [0.5, 11.0, 14.0, 22.0, 45.0];
        for pattern in 0..5_usize.pow(4) {
            let family: Vec<f64> = (0..4)
                .map(|digit| values[pattern / 5_usize.pow(digit) % 5])
                .collect();
            let (_, before) = rejections(&logs(&family), 4, 0.1);
            for raised in 0..4 {
                let mut higher = family.clone();
                higher[raised] *= 3.0;
                let (_, after) = rejections(&logs(&higher), 4, 0.1);
                assert!(after <= before, "{family:?} -> {higher:?}");
            }
        }
    }

    #[test]
    fn all_generations_together_spend_the_level_once() {
        let spent: f64 = (1..=100_000).map(|g| generation_level(0.05, g)).sum();
        assert!(spent < 0.05 && spent > 0.0499, "{spent}");
    }

    #[test]
    fn an_empty_family_rejects_nothing() {
        assert_eq!(rejections(&[], 0, 0.05).0, 0);
        assert_eq!(rejections(&[f64::NAN], 1, 0.05).0, 0);
        assert_eq!(rejections(&[f64::NEG_INFINITY], 1, 0.05).0, 0);
    }
}
