//! Evidence by betting: can the side a pass was drawn from be guessed from what the test did?
//!
//! Knows two sides, draw probabilities and failures; not what a side stands for. A process is directed: it gains when
//! failures go with the *suspected* side, and for the opposite claim a second process is kept with the sides swapped.
//!
//! Invariant: given the past and this pass's outcome, the mean of [`EProcess::bet`]'s factor over the draw is 1, so
//! that the product exceeds 1/alpha with probability at most alpha, whenever one looks (Ville 1939).
//!
//! Source: Shekhar & Ramdas, "Nonparametric two-sample testing by betting", IEEE Trans. Inf. Theory 2024; Duan, Ramdas
//! & Wasserman, "Interactive rank testing by betting", CLeaR 2022.

use super::block::Placements;

/// The two sides of a bet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side that should fail less.
    Reference,
    /// The side suspected of failing more.
    Suspected,
}

/// Trials and failures of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Trials.
    pub trials: u32,
    /// Trials that failed, at most `trials`.
    pub failures: u32,
}

impl Tally {
    /// Adds one trial.
    pub fn add(&mut self, failed: bool) {
        self.trials = self.trials.saturating_add(1);
        self.failures = self.failures.saturating_add(u32::from(failed));
    }
}

/// A Beta prior for each side's failure rate: (failures, passes) in pseudo-trials.
struct Prior {
    reference: (f64, f64),
    suspected: (f64, f64),
}

/// Three opinions to start from: fails sometimes, fails nearly always, no opinion. Their average is never worse than
/// a third of the best of them.
const PRIORS: [Prior; 3] = [
    Prior {
        reference: (0.05, 1.0),
        suspected: (0.5, 0.5),
    },
    Prior {
        reference: (0.1, 1.0),
        suspected: (1.0, 0.3),
    },
    Prior {
        reference: (0.5, 0.5),
        suspected: (0.5, 0.5),
    },
];

/// The evidence that failures go with the suspected side.
#[derive(Clone, Debug, PartialEq)]
pub struct EProcess {
    reference: Tally,
    suspected: Tally,
    logs: [f64; 3],
}

impl EProcess {
    /// Returns a process that has not bet, whose first estimates rest on trials already seen. Its value is 1.
    pub fn new(reference: Tally, suspected: Tally) -> Self {
        Self {
            reference,
            suspected,
            logs: [0.0; 3],
        }
    }

    /// Bets on a pass drawn from `side`, then learns from it.
    ///
    /// `suspected_probability` is the probability with which the draw says [`Side::Suspected`], given the past. At 0
    /// or 1 nothing was drawn and the factor is exactly 1.
    ///
    /// # Guarantee
    /// With the outcome fixed, the mean of the factor over the draw is exactly 1, whatever was seen before. Where
    /// `failed` itself was decided by the side (an unreported trial that counts as failed on the reference side and
    /// as passed on the suspected one), the factor is at most 1, because the estimates are ordered.
    pub fn bet(&mut self, side: Side, suspected_probability: f64, failed: bool) {
        for (prior, log) in PRIORS.iter().zip(&mut self.logs) {
            let rates = ordered_rates(prior, self.reference, self.suspected);
            *log += log_factor(rates, side, suspected_probability, failed);
        }
        self.learn(side, failed);
    }

    /// Pays for a pass drawn from `side` whose outcome nobody will see, by the worse of both outcomes.
    ///
    /// # Guarantee
    /// The factor is at most that of [`Self::bet`] with the outcome the pass would have had, so that passes may be lost
    /// for any reason, their side included.
    pub fn forfeit(&mut self, side: Side, suspected_probability: f64) {
        for (prior, log) in PRIORS.iter().zip(&mut self.logs) {
            let rates = ordered_rates(prior, self.reference, self.suspected);
            let factor = |failed| log_factor(rates, side, suspected_probability, failed);
            *log += factor(false).min(factor(true));
        }
    }

    /// Bets on a block of passes whose labels could have been swapped, then learns from it.
    ///
    /// # Guarantee
    /// With the outcomes of the passes fixed, the mean of the factor over all ways to place the labels is exactly 1
    /// (see [`super::block::log_factor`]). Where unreported trials count as failed on the reference side and as passed on the
    /// suspected one, the mean is at most 1.
    pub fn bet_block(&mut self, reference: Tally, suspected: Tally) {
        let placements = Placements::new(reference, suspected);
        for (prior, log) in PRIORS.iter().zip(&mut self.logs) {
            let rates = ordered_rates(prior, self.reference, self.suspected);
            *log += placements.log_factor(rates, suspected.failures);
        }
        for (known, new) in [
            (&mut self.reference, reference),
            (&mut self.suspected, suspected),
        ] {
            known.trials = known.trials.saturating_add(new.trials);
            known.failures = known.failures.saturating_add(new.failures);
        }
    }

    /// Learns from a trial without betting on it.
    pub fn learn(&mut self, side: Side, failed: bool) {
        match side {
            Side::Reference => self.reference.add(failed),
            Side::Suspected => self.suspected.add(failed),
        }
    }

    /// Returns the natural logarithm of the e-value: of the average of the three products.
    pub fn log_e(&self) -> f64 {
        let top = self.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !top.is_finite() {
            return top;
        }
        let sum: f64 = self.logs.iter().map(|log| (log - top).exp()).sum();
        top + (sum / self.logs.len() as f64).ln()
    }

    /// Returns the rates the next bet believes in, (reference, suspected): the three opinions weighed by what they
    /// have earned.
    pub fn believed_rates(&self) -> (f64, f64) {
        let top = self.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sums = (0.0, 0.0, 0.0);
        for (prior, log) in PRIORS.iter().zip(self.logs) {
            let weight = if top.is_finite() {
                (log - top).exp()
            } else {
                1.0
            };
            let (reference, suspected) = ordered_rates(prior, self.reference, self.suspected);
            sums.0 += weight;
            sums.1 += weight * reference;
            sums.2 += weight * suspected;
        }
        (sums.1 / sums.0, sums.2 / sums.0)
    }
}

/// Returns the Beta-Binomial means of both sides, the suspected side's raised to the reference's where it is lower.
fn ordered_rates(prior: &Prior, reference: Tally, suspected: Tally) -> (f64, f64) {
    let mean = |(a, b): (f64, f64), tally: Tally| {
        (a + f64::from(tally.failures)) / (a + b + f64::from(tally.trials))
    };
    let low = mean(prior.reference, reference);
    (low, mean(prior.suspected, suspected).max(low))
}

/// Returns the logarithm of the factor by which a bet on rates (reference, suspected) multiplies the evidence.
///
/// # Method
/// `p_s(y) / (pi p_1(y) + (1 - pi) p_0(y))`, where `s` is the side drawn, `y` the outcome and `pi` the probability of
/// the suspected side. Without a draw (`pi` not strictly between 0 and 1) it is 0.
pub fn log_factor(
    (reference, suspected): (f64, f64),
    side: Side,
    suspected_probability: f64,
    failed: bool,
) -> f64 {
    if !(suspected_probability > 0.0 && suspected_probability < 1.0) {
        return 0.0;
    }
    let chance = |rate: f64| if failed { rate } else { 1.0 - rate };
    let (low, high) = (chance(reference), chance(suspected));
    let mixed = suspected_probability * high + (1.0 - suspected_probability) * low;
    let own = match side {
        Side::Reference => low,
        Side::Suspected => high,
    };
    if mixed > 0.0 && own > 0.0 {
        (own / mixed).ln()
    } else if mixed > 0.0 {
        f64::NEG_INFINITY
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
