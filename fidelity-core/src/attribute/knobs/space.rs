//! The hypotheses of one search over knobs, as the engine wants them.

use super::candidates::{best, marginals, ranked};
pub use super::hypothesis::Prior;
use super::hypothesis::{Hypothesis, Shape, enumerate};
use super::{Constraints, Mask, bit, places};
use crate::attribute::engine::{Check, Choice, End, Expect, Question, Space};

/// With more knobs than this, triples must have one of the most probable knobs.
const ALL_TRIPLES_UP_TO: usize = 32;

/// How many of the most probable knobs.
const TRIPLES_WITH: usize = 8;

/// The hypotheses over one set of knobs.
#[derive(Clone, Debug)]
pub struct KnobSpace {
    constraints: Constraints,
    prior: Prior,
    triples_with: Mask,
    hypotheses: Vec<Hypothesis>,
    weights: Vec<f64>,
}

impl KnobSpace {
    /// Returns the space of all hypotheses over the knobs of `constraints` (1 to [`super::KNOBS_AT_MOST`]).
    pub fn new(constraints: Constraints, prior: Prior) -> Self {
        let count = constraints.count();
        let triples_with = if count <= ALL_TRIPLES_UP_TO {
            constraints.everything()
        } else {
            let weights: Vec<f64> = (0..count).map(|place| constraints.weight(place)).collect();
            most_probable(&weights)
        };
        let (hypotheses, weights) = enumerate(&constraints, prior, triples_with);
        Self {
            constraints,
            prior,
            triples_with,
            hypotheses,
            weights,
        }
    }

    /// Returns a space of these hypotheses with these prior weights.
    #[cfg(test)]
    pub(crate) fn of(constraints: Constraints, weighted: Vec<(Hypothesis, f64)>) -> Self {
        let (hypotheses, weights) = weighted.into_iter().unzip();
        Self {
            triples_with: constraints.everything(),
            constraints,
            prior: Prior::default(),
            hypotheses,
            weights,
        }
    }

    /// Returns a hypothesis by its number.
    pub fn hypothesis(&self, number: usize) -> Hypothesis {
        self.hypotheses[number]
    }

    /// Returns all hypotheses.
    #[cfg(test)]
    pub(crate) fn hypotheses(&self) -> &[Hypothesis] {
        &self.hypotheses
    }

    /// Returns what configurations are possible.
    pub fn constraints(&self) -> &Constraints {
        &self.constraints
    }
}

fn most_probable(marginals: &[f64]) -> Mask {
    ranked(marginals)
        .into_iter()
        .take(TRIPLES_WITH)
        .fold(0, |mask, place| mask | bit(place))
}

impl Space for KnobSpace {
    type Config = Mask;

    fn weights(&self) -> Vec<f64> {
        self.weights.clone()
    }

    fn none(&self) -> Option<usize> {
        self.hypotheses
            .iter()
            .position(|hypothesis| hypothesis.shape == Shape::Never)
    }

    fn is_active(&self, hypothesis: usize, config: &Mask) -> bool {
        self.hypotheses[hypothesis].is_active(*config)
    }

    fn end(&self, end: End, number: u32) -> Mask {
        match end {
            End::Low => 0,
            End::High => self.constraints.high(number),
        }
    }

    fn end_of(&self, config: &Mask) -> Option<End> {
        if *config == 0 {
            Some(End::Low)
        } else {
            self.constraints.is_high(*config).then_some(End::High)
        }
    }

    fn best(&self, question: &Question<'_, Mask>) -> Option<Choice<Mask>> {
        best(&self.constraints, &self.hypotheses, question)
    }

    fn checks(&self, hypothesis: usize, _: &dyn Fn(&Mask) -> bool) -> Vec<Check<Mask>> {
        let Hypothesis { shape, members } = self.hypotheses[hypothesis];
        let sufficient: Vec<Mask> = match shape {
            Shape::All => vec![self.constraints.only(members)],
            Shape::Any => places(members)
                .map(|place| self.constraints.only(bit(place)))
                .collect(),
            Shape::Never => Vec::new(),
        };
        let necessary: Vec<Mask> = match shape {
            Shape::All => places(members)
                .map(|place| self.constraints.without(bit(place), members))
                .collect(),
            Shape::Any => vec![self.constraints.without(members, 0)],
            Shape::Never => Vec::new(),
        };
        let check = |expect| move |config| Check { config, expect };
        sufficient
            .into_iter()
            .map(check(Expect::Fails))
            .chain(necessary.into_iter().map(check(Expect::Passes)))
            .filter(|check| self.constraints.is_possible(check.config))
            .collect()
    }

    fn refine(&mut self, posterior: &[f64]) -> bool {
        let count = self.constraints.count();
        if count <= ALL_TRIPLES_UP_TO {
            return false;
        }
        let wanted = most_probable(&marginals(count, &self.hypotheses, posterior));
        if wanted == self.triples_with {
            return false;
        }
        self.triples_with = wanted;
        (self.hypotheses, self.weights) = enumerate(&self.constraints, self.prior, wanted);
        true
    }
}
