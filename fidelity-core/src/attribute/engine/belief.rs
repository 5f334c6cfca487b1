//! What is believed of every hypothesis: counts on its two sides, and the posterior that follows.
//!
//! A hypothesis splits configurations into *active* ones, where the test fails at one unknown rate, and the others, where
//! it fails at another. Knows counts and weights; not what a hypothesis is about.

use super::likelihood::{Counts, Tables};

/// The posterior over hypotheses, numbered from 0.
#[derive(Clone, Debug)]
pub struct Belief {
    ln_prior: Vec<f64>,
    /// Counts where the hypothesis is active.
    active: Vec<Counts>,
    /// All counts: what is not active is the rest.
    total: Counts,
    tables: Tables,
    posterior: Vec<f64>,
}

impl Belief {
    /// Returns the belief before anything was seen. Weights are at least 0, on any scale; one of them is above 0.
    pub fn new(weights: &[f64]) -> Self {
        let mut belief = Self {
            ln_prior: weights.iter().map(|weight| weight.ln()).collect(),
            active: vec![Counts::default(); weights.len()],
            total: Counts::default(),
            tables: Tables::default(),
            posterior: Vec::new(),
        };
        belief.update();
        belief
    }

    /// Takes trials of one configuration, given which hypotheses are active there. [`Belief::update`] makes them count.
    pub fn take(&mut self, seen: Counts, active: impl Fn(usize) -> bool) {
        self.total = self.total.plus(seen);
        for (hypothesis, counts) in self.active.iter_mut().enumerate() {
            if active(hypothesis) {
                *counts = counts.plus(seen);
            }
        }
    }

    /// Works the posterior out anew.
    pub fn update(&mut self) {
        self.tables.reach(self.total.trials);
        let mut logs: Vec<f64> = (0..self.active.len())
            .map(|hypothesis| self.ln_prior[hypothesis] + self.ln_likelihood(hypothesis))
            .collect();
        let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for log in &mut logs {
            *log = (*log - highest).exp();
            sum += *log;
        }
        for weight in &mut logs {
            *weight /= sum;
        }
        self.posterior = logs;
    }

    /// Returns the logarithm of the likelihood of everything seen.
    pub fn ln_likelihood(&self, hypothesis: usize) -> f64 {
        let [active, rest] = self.sides(hypothesis);
        self.tables.ln_marginal(active) + self.tables.ln_marginal(rest)
    }

    /// Returns the counts where a hypothesis is active, and elsewhere.
    pub fn sides(&self, hypothesis: usize) -> [Counts; 2] {
        let active = self.active[hypothesis];
        [active, self.total.minus(active)]
    }

    /// Returns the posterior probabilities, which add up to 1.
    pub fn posterior(&self) -> &[f64] {
        &self.posterior
    }

    /// Returns the tables of this belief, reaching `ahead` trials beyond what was seen.
    pub(super) fn tables(&self, ahead: u32) -> Tables {
        let mut tables = self.tables.clone();
        tables.reach(self.total.trials + ahead);
        tables
    }

    /// Returns the posterior without hypotheses under which the test fails *less* where they are active. The likelihood
    /// is symmetric, and a fix is not what is looked for.
    pub fn oriented(&self) -> Vec<f64> {
        let mut kept: Vec<f64> = self
            .posterior
            .iter()
            .enumerate()
            .map(|(hypothesis, weight)| {
                let [active, rest] = self.sides(hypothesis);
                let reversed = active.trials > 0 && active.mean() < rest.mean();
                if reversed { 0.0 } else { *weight }
            })
            .collect();
        let sum: f64 = kept.iter().sum();
        if sum > 0.0 {
            for weight in &mut kept {
                *weight /= sum;
            }
        }
        kept
    }
}

/// Returns the smallest set of hypotheses that holds `mass` (in 0..1) of these probabilities, most probable first.
pub fn credible_set(probabilities: &[f64], mass: f64) -> Vec<(usize, f64)> {
    let mut ranked: Vec<(usize, f64)> = probabilities
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, probability)| *probability > 0.0)
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut held = 0.0;
    let enough = ranked.iter().position(|(_, probability)| {
        held += probability;
        held >= mass
    });
    ranked.truncate(enough.map_or(ranked.len(), |last| last + 1));
    ranked
}
