//! The peer of the benchmark: a Bayesian bisection that knows nothing beforehand and ignores what a build costs, after the
//! published description of `git_bayesect` (hauntsaninja, v1.2).
//!
//! Written from that description alone: one unknown place B, failure rate p_new up to it and p_old after, Jeffreys' prior on
//! both, next the place with the least expected entropy (ties to the middle), an end at 95 %.

use std::collections::BTreeSet;

use fidelity_core::attribute::simulate::{Commits, Dice, Played};

/// Places by the counts of failures and passes seen there.
struct Seen {
    failures: Vec<f64>,
    passes: Vec<f64>,
    /// ln Γ(k/2 + 1/2) for k counted in halves would do; these are ln B by whole counts.
    half: Vec<f64>,
    whole: Vec<f64>,
}

impl Seen {
    fn new(length: usize) -> Self {
        let (mut half, mut whole) = (vec![0.5 * std::f64::consts::PI.ln()], vec![0.0]);
        for k in 1..10_000 {
            half.push(half[k - 1] + (k as f64 - 0.5).ln());
            whole.push(whole[k - 1] + (k as f64).ln());
        }
        Self {
            failures: vec![0.0; length],
            passes: vec![0.0; length],
            half,
            whole,
        }
    }

    fn ln_beta(&self, failures: f64, passes: f64) -> f64 {
        let (failures, passes) = (failures as usize, passes as usize);
        self.half[failures] + self.half[passes] - self.whole[failures + passes]
    }

    /// Returns the posterior of B with the predictive failure rates up to it and after it.
    fn posterior(&self) -> (Vec<f64>, Vec<[f64; 2]>) {
        let all = [
            self.failures.iter().sum::<f64>(),
            self.passes.iter().sum::<f64>(),
        ];
        let mut new = [0.0; 2];
        let (mut logs, mut rates) = (Vec::new(), Vec::new());
        for (failures, passes) in self.failures.iter().zip(&self.passes) {
            new[0] += failures;
            new[1] += passes;
            let old = [all[0] - new[0], all[1] - new[1]];
            logs.push(self.ln_beta(new[0], new[1]) + self.ln_beta(old[0], old[1]));
            rates.push([new, old].map(|[f, p]| (f + 0.5) / (f + p + 1.0)));
        }
        let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = logs.iter().map(|log| (log - highest).exp()).collect();
        let sum: f64 = weights.iter().sum();
        (weights.iter().map(|weight| weight / sum).collect(), rates)
    }
}

fn log_term(x: f64) -> f64 {
    if x > 0.0 { x * x.log2() } else { 0.0 }
}

/// Returns the place with the least expected entropy, the one nearest to the middle among equals.
fn least_entropy(posterior: &[f64], rates: &[[f64; 2]]) -> usize {
    // A test at place i is "new" for every B >= i.
    let side = |side: usize| {
        posterior.iter().zip(rates).map(move |(weight, rates)| {
            let failing = weight * rates[side];
            let passing = weight * (1.0 - rates[side]);
            [failing, log_term(failing), passing, log_term(passing)]
        })
    };
    let plus = |a: [f64; 4], b: [f64; 4]| std::array::from_fn(|i| a[i] + b[i]);
    let minus = |a: [f64; 4], b: [f64; 4]| std::array::from_fn(|i| a[i] - b[i]);
    let mut sums: [f64; 4] = side(0).fold([0.0; 4], plus);
    let middle = posterior.len() as f64 / 2.0;
    let mut best = (f64::INFINITY, f64::INFINITY, 0);
    for (place, (new, old)) in side(0).zip(side(1)).enumerate() {
        let expected = log_term(sums[0]) - sums[1] + log_term(sums[2]) - sums[3];
        let distance = (place as f64 - middle).abs();
        let tie = (expected - best.0).abs() < 1e-12;
        if (!tie && expected < best.0) || (tie && distance < best.1) {
            best = (expected, distance, place);
        }
        sums = plus(minus(sums, new), old);
    }
    best.2
}

/// Plays one search: the newest place is 0, as there.
pub fn play(commits: &Commits, seed: u64) -> Played {
    let mut dice = Dice::new(seed);
    // The place of the culprit counted from the newest commit.
    let culprit = commits.length - 1 - (1 + dice.below(commits.length - 1));
    let mut seen = Seen::new(commits.length);
    let mut built = BTreeSet::new();
    let mut runs = 0;
    loop {
        let (posterior, rates) = seen.posterior();
        let (place, most) = posterior
            .iter()
            .copied()
            .enumerate()
            .fold(
                (0, 0.0),
                |best, next| if next.1 > best.1 { next } else { best },
            );
        if most >= 0.95 {
            return Played {
                right: place == culprit,
                named: true,
                runs,
                setups: built.len() as u32,
            };
        }
        let next = least_entropy(&posterior, &rates);
        let failed = dice.happens(commits.rates.at(next <= culprit));
        let counts = if failed {
            &mut seen.failures
        } else {
            &mut seen.passes
        };
        counts[next] += 1.0;
        built.insert(next);
        runs += 1;
    }
}
