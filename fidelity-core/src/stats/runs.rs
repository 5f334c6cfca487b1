//! Do failures come in clusters? A warning that intervals which assume independent trials are optimistic.
//!
//! Knows a sequence of outcomes; not what caused it.
//!
//! Source: Wald & Wolfowitz, "On a test whether two samples are from the same population", Ann. Math. Stat. 1940.

use statrs::function::factorial::ln_binomial;

/// The level of the warning for one sequence: half a percent, so that a test with two arms is warned about by chance
/// at most once in a hundred.
pub const WARN_AT: f64 = 0.005;

/// Returns the probability of at most as many runs as `outcomes` has, if its failures were placed at random.
///
/// A run is a stretch of equal outcomes. The result is in (0, 1], and 1 for sequences without both outcomes.
///
/// # Method
/// The exact distribution of the number of runs given the numbers of passes and failures, summed from below.
/// # Guarantee
/// For exchangeable outcomes and a length fixed beforehand the result is a p-value. Sampling that stops by what was
/// seen bends it a little; it is a warning, not a verdict.
pub fn clustering_p(outcomes: impl IntoIterator<Item = bool>) -> f64 {
    let (mut failures, mut passes, mut runs) = (0_u64, 0_u64, 0_u64);
    let mut last = None;
    for failed in outcomes {
        failures += u64::from(failed);
        passes += u64::from(!failed);
        runs += u64::from(last != Some(failed));
        last = Some(failed);
    }
    if failures == 0 || passes == 0 {
        return 1.0;
    }
    let whole = ln_binomial(failures + passes, failures);
    // k groups of m things: C(m - 1, k - 1) ways.
    let split = |things: u64, groups: u64| {
        if groups >= 1 && groups <= things {
            ln_binomial(things - 1, groups - 1)
        } else {
            f64::NEG_INFINITY
        }
    };
    let chance = |count: u64| {
        let half = count / 2;
        let term = |a: u64, b: u64| (split(failures, a) + split(passes, b) - whole).exp();
        if count.is_multiple_of(2) {
            2.0 * term(half, half)
        } else {
            term(half, half + 1) + term(half + 1, half)
        }
    };
    (2..=runs)
        .map(chance)
        .sum::<f64>()
        .clamp(f64::MIN_POSITIVE, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs_of(bits: u32, length: u32) -> u32 {
        (1..length)
            .filter(|&i| (bits >> i & 1) != (bits >> (i - 1) & 1))
            .count() as u32
            + 1
    }

    #[test]
    fn every_sequence_up_to_twelve_agrees_with_counting() {
        for length in 1..=12_u32 {
            for bits in 0..(1_u32 << length) {
                let failures = bits.count_ones();
                if failures == 0 || failures == length {
                    continue;
                }
                let same: Vec<u32> = (0..(1_u32 << length))
                    .filter(|other| other.count_ones() == failures)
                    .collect();
                // One arrangement of each number of runs is enough to check.
                if bits
                    != *same
                        .iter()
                        .find(|&&o| runs_of(o, length) == runs_of(bits, length))
                        .unwrap()
                {
                    continue;
                }
                let few = same
                    .iter()
                    .filter(|&&o| runs_of(o, length) <= runs_of(bits, length))
                    .count();
                let expected = few as f64 / same.len() as f64;
                let p = clustering_p((0..length).map(|i| bits >> i & 1 == 1));
                assert!((p - expected).abs() < 1e-10, "{bits:b}: {p} {expected}");
            }
        }
    }

    #[test]
    fn ten_failures_in_a_row_among_thirty_are_a_cluster_and_alternation_is_none() {
        assert!(clustering_p((0..30).map(|pass| (10..20).contains(&pass))) < WARN_AT);
        assert!(clustering_p((0..30).map(|pass| pass % 2 == 0)) > 0.99);
    }

    #[test]
    fn without_both_outcomes_there_is_nothing_to_say() {
        assert!(clustering_p([]) == 1.0);
        assert!(clustering_p([true; 9]) == 1.0);
        assert!(clustering_p([false; 9]) == 1.0);
    }
}
