//! A chain of commits: the first one from which on the test fails at another rate. Serves every ordered axis, such as the
//! values of a numeric knob.
//!
//! Configurations are places on the chain: 0 is the last good place, `length - 1` the bad end. Hypothesis h says that
//! place h + 1 is the first bad one; the last hypothesis says that none is. Active means at or after the culprit.
//! Knows places and weights; no commit ids.

use super::engine::{Check, Choice, End, Expect, Question, Space};

/// Weight of a commit that touches what the test is built from.
pub const TOUCHES: f64 = 4.0;

/// Weight of a commit that changes nothing that can reach the test binary. Configuration files can.
pub const CANNOT_REACH: f64 = 0.1;

/// Probability that none of the commits is the cause, the ends being known to differ.
pub const NONE: f64 = 0.1;

/// The hypotheses of one chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Weight of each place but the first.
    weights: Vec<f64>,
    none: f64,
}

impl Chain {
    /// Returns a chain whose places after the first have these prior weights (above 0, on any scale; at least one place),
    /// and whose culprit is none of them with probability `none` (in 0..1).
    pub fn new(weights: Vec<f64>, none: f64) -> Self {
        Self { weights, none }
    }

    /// Returns a chain of `length` places (2 or more), each as likely as the other.
    pub fn uniform(length: usize, none: f64) -> Self {
        Self::new(vec![1.0; length - 1], none)
    }

    /// Returns the number of places.
    pub fn length(&self) -> usize {
        self.weights.len() + 1
    }

    /// Returns the place of the culprit of a hypothesis, none where it says that there is none.
    pub fn culprit(&self, hypothesis: usize) -> Option<usize> {
        (hypothesis < self.weights.len()).then_some(hypothesis + 1)
    }
}

impl Space for Chain {
    type Config = usize;

    fn weights(&self) -> Vec<f64> {
        let sum: f64 = self.weights.iter().sum();
        let scale = (1.0 - self.none) / sum;
        let mut weights: Vec<f64> = self.weights.iter().map(|weight| weight * scale).collect();
        if self.none > 0.0 {
            weights.push(self.none);
        }
        weights
    }

    fn none(&self) -> Option<usize> {
        (self.none > 0.0).then_some(self.weights.len())
    }

    fn is_active(&self, hypothesis: usize, place: &usize) -> bool {
        hypothesis < self.weights.len() && *place > hypothesis
    }

    fn end(&self, end: End, _: u32) -> usize {
        match end {
            End::Low => 0,
            End::High => self.weights.len(),
        }
    }

    fn end_of(&self, place: &usize) -> Option<End> {
        if *place == 0 {
            Some(End::Low)
        } else {
            (*place == self.weights.len()).then_some(End::High)
        }
    }

    /// Goes through the places once, one hypothesis becoming active at each.
    fn best(&self, question: &Question<'_, usize>) -> Option<Choice<usize>> {
        let mut split = question.outlook.nothing_active();
        let mut best: Option<Choice<usize>> = None;
        for place in 0..self.length() {
            if place > 0 {
                question.outlook.activate(&mut split, place - 1);
            }
            if !(question.testable)(&place) {
                continue;
            }
            let choice = question.promise(place, &split);
            if best.as_ref().is_none_or(|best| choice.beats(best)) {
                best = Some(choice);
            }
        }
        best
    }

    fn checks(&self, hypothesis: usize, testable: &dyn Fn(&usize) -> bool) -> Vec<Check<usize>> {
        let Some(culprit) = self.culprit(hypothesis) else {
            return Vec::new();
        };
        let side = |config: Option<usize>, expect| config.map(|config| Check { config, expect });
        let after = (culprit..self.length()).find(testable);
        let before = (0..culprit).rev().find(testable);
        [side(after, Expect::Fails), side(before, Expect::Passes)]
            .into_iter()
            .flatten()
            .collect()
    }
}
