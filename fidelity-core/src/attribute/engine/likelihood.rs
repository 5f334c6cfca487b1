//! What counts say about an unknown failure rate: marginal likelihoods and predictions under Jeffreys' prior.
//!
//! Knows counts only. Source: the Beta-Binomial model; the prior is Beta(1/2, 1/2) on both sides, which is the one that
//! keeps stated confidences honest (sharper priors buy a tenth of the trials and lose calibration).

/// Trials and the failures among them. `failures <= trials`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counts {
    /// Trials that failed.
    pub failures: u32,
    /// Trials that failed or passed.
    pub trials: u32,
}

impl Counts {
    /// Returns so many failures in so many trials.
    pub fn new(failures: u32, trials: u32) -> Self {
        Self { failures, trials }
    }

    /// Returns the counts of one trial.
    pub fn one(failed: bool) -> Self {
        Self::new(u32::from(failed), 1)
    }

    /// Returns both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::new(self.failures + other.failures, self.trials + other.trials)
    }

    /// Returns what is left without `other`, which must be part of it.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self::new(self.failures - other.failures, self.trials - other.trials)
    }

    /// Returns the predictive probability that the next trial fails, in (0, 1): (f + 1/2) / (n + 1).
    pub fn mean(self) -> f64 {
        (f64::from(self.failures) + 0.5) / (f64::from(self.trials) + 1.0)
    }

    /// Returns the observed share of failures in 0..=1; 0 without trials.
    pub fn rate(self) -> f64 {
        f64::from(self.failures) / f64::from(self.trials.max(1))
    }
}

/// Logarithms of the Gamma function at halves and at whole numbers, grown as counts grow.
#[derive(Clone, Debug)]
pub struct Tables {
    /// ln Γ(k + 1/2).
    half: Vec<f64>,
    /// ln Γ(k + 1).
    whole: Vec<f64>,
}

impl Default for Tables {
    fn default() -> Self {
        let ln_root_pi = 0.5 * std::f64::consts::PI.ln();
        Self {
            half: vec![ln_root_pi],
            whole: vec![0.0],
        }
    }
}

impl Tables {
    /// Makes the tables reach counts of `trials`.
    pub fn reach(&mut self, trials: u32) {
        while self.half.len() <= trials as usize + 1 {
            let k = self.half.len() as f64;
            self.half
                .push(self.half[self.half.len() - 1] + (k - 0.5).ln());
            self.whole.push(self.whole[self.whole.len() - 1] + k.ln());
        }
    }

    /// Returns ln B(f + 1/2, n - f + 1/2).
    fn ln_beta(&self, counts: Counts) -> f64 {
        let Counts { failures, trials } = counts;
        self.half[failures as usize] + self.half[(trials - failures) as usize]
            - self.whole[trials as usize]
    }

    /// Returns the logarithm of the chance of one particular sequence with these counts, its rate unknown. The tables
    /// must reach `counts.trials`.
    pub fn ln_marginal(&self, counts: Counts) -> f64 {
        self.ln_beta(counts) - std::f64::consts::PI.ln()
    }

    /// Returns the chance in 0..=1 of `ahead.failures` failures in the next `ahead.trials` trials, having seen `seen`.
    /// The tables must reach the sum of both.
    ///
    /// # Method
    /// The Beta-Binomial distribution BetaBin(f; m, 1/2 + f_s, 1/2 + n_s - f_s).
    pub fn predict(&self, ahead: Counts, seen: Counts) -> f64 {
        let ways = self.whole[ahead.trials as usize]
            - self.whole[ahead.failures as usize]
            - self.whole[(ahead.trials - ahead.failures) as usize];
        (ways + self.ln_beta(seen.plus(ahead)) - self.ln_beta(seen)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::function::gamma::ln_gamma;

    fn tables() -> Tables {
        let mut tables = Tables::default();
        tables.reach(500);
        tables
    }

    #[test]
    fn marginals_agree_with_the_gamma_function() {
        let tables = tables();
        for trials in [0_u32, 1, 2, 7, 40, 499] {
            for failures in [0, trials / 3, trials] {
                let (f, n) = (f64::from(failures), f64::from(trials));
                let expected = ln_gamma(f + 0.5) + ln_gamma(n - f + 0.5)
                    - ln_gamma(n + 1.0)
                    - std::f64::consts::PI.ln();
                let got = tables.ln_marginal(Counts::new(failures, trials));
                assert!((got - expected).abs() < 1e-9, "{failures}/{trials}");
            }
        }
    }

    #[test]
    fn the_chances_of_all_sequences_add_up_to_one() {
        let tables = tables();
        for n in 0..=10_u32 {
            let all: f64 = (0..1_u32 << n)
                .map(|bits| tables.ln_marginal(Counts::new(bits.count_ones(), n)).exp())
                .sum();
            assert!((all - 1.0).abs() < 1e-12, "{n}: {all}");
        }
    }

    #[test]
    fn predictions_add_up_and_a_single_one_is_the_mean() {
        let tables = tables();
        for seen in [Counts::new(0, 0), Counts::new(3, 7), Counts::new(20, 20)] {
            for m in [1, 4, 16] {
                let all: f64 = (0..=m)
                    .map(|f| tables.predict(Counts::new(f, m), seen))
                    .sum();
                assert!((all - 1.0).abs() < 1e-12);
            }
            let one = tables.predict(Counts::new(1, 1), seen);
            assert!((one - seen.mean()).abs() < 1e-12);
        }
    }
}
