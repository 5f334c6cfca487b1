//! Designs that fix the number of reruns beforehand.

use fidelity_core::simulate::Truth;
use fidelity_core::stats::eprocess::Tally;
use fidelity_core::stats::fisher;

use super::suite::{self, TESTS, defects, random, uniform};
use super::{FDR, Score, score};

/// A design with `n` passes in each arm, one-sided Fisher tests and Benjamini-Hochberg.
pub fn fixed(seed: u64, n: u32, only_failed: bool) -> Score {
    let mut random = random(seed, 2);
    let mut tallies: Vec<(Tally, Tally)> = Vec::new();
    for truth in suite::suite(seed) {
        let mut count = |rate: f64| Tally {
            trials: n,
            failures: (0..n).filter(|_| uniform(&mut random) < rate).count() as u32,
        };
        tallies.push(match truth {
            Truth::Rates(baseline, target) => (count(baseline), count(target)),
            _ => (count(0.0), count(0.0)),
        });
    }
    let mut values: Vec<(f64, usize)> = (0..)
        .zip(&tallies)
        .filter(|(_, (low, high))| !only_failed || low.failures + high.failures > 0)
        .map(|(test, (low, high))| (fisher::one_sided(*low, *high), test))
        .collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rejected = (1..=values.len())
        .rev()
        .find(|&k| values[k - 1].0 <= FDR * k as f64 / values.len() as f64)
        .unwrap_or(0);
    // "Passes in the baseline" is asked of this design too, or every rejected flaky test would count against it.
    let reported = values[..rejected]
        .iter()
        .map(|(_, test)| *test)
        .filter(|test| f64::from(tallies[*test].0.failures) <= 0.05 * f64::from(n));
    let (planted, others): (Vec<usize>, Vec<usize>) = reported.partition(|test| *test < defects());
    let detectable = tallies[..defects()]
        .iter()
        .filter(|(_, high)| high.failures > 0)
        .count();
    let trials = 2.0 * f64::from(n) * TESTS as f64;
    score(trials, planted.len(), detectable, others.len())
}
