//! Which knobs make a test fail: one search after the other, as a state machine without IO.
//!
//! 1. the search over sets of knobs, with its gate and confirmation;
//! 2. for each numeric knob of the set, the value from which on the test fails;
//! 3. the same claim on another test of the cluster.
//!
//! [`Locator::next`] says which trial to make, [`Locator::record`] takes it. A locator is where its trials have brought
//! it: one that was killed goes on by recording what is stored. Knows knobs and trials; no process, file or clock.

use std::collections::BTreeSet;

use super::commits::Chain;
use super::engine::{Checked, Counts, Ending, Price, Rules, Search, Seen, Step};
use super::knobs::{Hypothesis, KnobSpace, Mask, Prior, places};
use crate::domain::{Attribution, AttributionTrial, Environment, Scope, TestIndex};

pub mod factors;
pub mod grid;
mod needless;
pub mod pilot;
mod second;
mod threshold;
mod verdict;
pub mod weights;

pub use factors::Factors;
pub use needless::needless;
use second::Second;
use threshold::Threshold;
pub use weights::Weights;

/// What is to be found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Inquiry {
    /// The test.
    pub test: TestIndex,
    /// Another test of its cluster.
    pub second: Option<(TestIndex, String)>,
    /// Signatures of the failures that are looked into; any failure counts where there are none.
    pub signatures: BTreeSet<String>,
    /// Thresholds of the search.
    pub rules: Rules,
}

/// A trial to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Which part of the attribution asks.
    pub stage: u32,
    /// The test.
    pub test: TestIndex,
    /// The configuration, as the stage writes it.
    pub config: String,
    /// What the test runs among.
    pub scope: Scope,
    /// The knob values.
    pub environment: Environment,
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Locator {
    factors: Factors,
    inquiry: Inquiry,
    search: Search<KnobSpace>,
    ending: Option<Ending<Mask>>,
    /// Of the found set: what its members' values come to, in the order of places.
    thresholds: Vec<Threshold>,
    second: Option<Second>,
    stage: u32,
    stopped: bool,
    trials: u32,
}

/// A price of one configuration, by what it runs among and under.
pub type Pricing<'a> = &'a dyn Fn(&str, Scope) -> Price;

impl Locator {
    /// Returns a locator over `factors` that has seen nothing yet.
    pub fn new(factors: Factors, inquiry: Inquiry) -> Self {
        let space = KnobSpace::new(factors.constraints(), Prior::default());
        Self {
            search: Search::new(space, inquiry.rules.clone()),
            factors,
            inquiry,
            ending: None,
            thresholds: Vec::new(),
            second: None,
            stage: 0,
            stopped: false,
            trials: 0,
        }
    }

    /// Takes trials made before: evidence that costs nothing.
    pub fn remember(&mut self, environment: &Environment, scope: Scope, seen: Counts) {
        if let Some(config) = self.factors.mask_of(environment, scope) {
            self.search.remember(&config, seen);
        }
    }

    /// Returns whether a failure with this signature is one of those that are looked into.
    pub fn is_alike(&self, signature: Option<&str>) -> bool {
        let known = &self.inquiry.signatures;
        known.is_empty() || signature.is_some_and(|signature| known.contains(signature))
    }

    /// Has it end with what is known.
    pub fn stop(&mut self) {
        self.stopped = true;
        self.search.stop();
    }

    /// Returns the test that is looked into.
    pub fn subject(&self) -> TestIndex {
        self.inquiry.test
    }

    /// Returns how many trials were recorded.
    pub fn trials(&self) -> u32 {
        self.trials
    }

    /// Returns what differs between the arms.
    pub fn factors(&self) -> &Factors {
        &self.factors
    }

    /// Returns the trial to make, none where everything is decided.
    pub fn next(&mut self, price: Pricing<'_>) -> Option<Wanted> {
        if self.ending.is_none() {
            match self.next_of_search(price) {
                Step::Try(experiment) => return Some(self.of_search(experiment.config)),
                Step::Done(ending) => self.found(ending),
            }
        }
        if self.stopped || self.trials >= self.inquiry.rules.budget {
            return None;
        }
        let first = 1;
        for (threshold, stage) in self.thresholds.iter_mut().zip(first..) {
            if let Some((config, environment)) = threshold.next(&self.factors) {
                let scope = self.factors.scope(threshold.base());
                self.stage = stage;
                return Some(Wanted {
                    stage,
                    test: self.inquiry.test,
                    config,
                    scope,
                    environment,
                });
            }
        }
        let second = self.second.as_ref()?;
        let config = second.next()?;
        self.stage = first + self.thresholds.len() as u32;
        Some(Wanted {
            stage: self.stage,
            test: second.test(),
            config: written(config),
            scope: self.factors.scope(config),
            environment: self.factors.environment(config, second.trials(config)),
        })
    }

    /// Takes what a trial showed. Trials of another stage than the one at hand are not taken; returns whether it was.
    pub fn record(&mut self, trial: &AttributionTrial) -> bool {
        let seen = seen(trial);
        if trial.stage != self.stage {
            return false;
        }
        let config = read(&trial.config);
        // What ran among others than the configuration does here was of a search with other knobs.
        let config = config.filter(|config| self.factors.scope(*config) == trial.scope);
        if trial.stage == 0 && config.is_none() {
            return false;
        }
        self.trials += 1;
        let thresholds = self.thresholds.len() as u32;
        match trial.stage {
            0 => {
                if let Some(config) = config {
                    self.search.record(&config, seen);
                }
            }
            stage if stage <= thresholds => {
                return self.thresholds[stage as usize - 1].record(&trial.config, seen);
            }
            _ => match (&mut self.second, read(&trial.config)) {
                (Some(second), Some(config)) => second.record(config, seen),
                _ => return false,
            },
        }
        true
    }

    /// Returns what it came to; none before its end.
    pub fn attribution(&self) -> Option<Attribution> {
        let ending = self.ending.as_ref()?;
        Some(verdict::attribution(self, ending))
    }

    fn next_of_search(&self, price: Pricing<'_>) -> Step<Mask> {
        self.search
            .next(&|config| price(&written(*config), self.factors.scope(*config)))
    }

    fn of_search(&self, config: Mask) -> Wanted {
        let number = self.search.counts(&config).trials;
        Wanted {
            stage: 0,
            test: self.inquiry.test,
            config: written(config),
            scope: self.factors.scope(config),
            environment: self.factors.environment(config, number),
        }
    }

    /// Plans what follows a cause that was found.
    fn found(&mut self, ending: Ending<Mask>) {
        if let Ending::Found { cause, checked } = &ending {
            let hypothesis = self.search.space().hypothesis(cause.hypothesis);
            self.thresholds = self.plan_thresholds(hypothesis);
            self.second = self.plan_second(checked);
        }
        self.ending = Some(ending);
    }

    fn plan_thresholds(&self, hypothesis: Hypothesis) -> Vec<Threshold> {
        let constraints = self.search.space().constraints();
        let planned = places(hypothesis.members).filter_map(|place| {
            let (base, rest) = threshold::sides(constraints, hypothesis, place);
            let mut threshold = Threshold::new(&self.factors, (place, base))?;
            threshold.remember(self.search.counts(&rest), self.search.counts(&base));
            Some(threshold)
        });
        planned.collect()
    }

    fn plan_second(&self, checked: &[Checked<Mask>]) -> Option<Second> {
        let second = self.inquiry.second.clone()?;
        Some(Second::new(second, checked, self.inquiry.rules.seed))
    }
}

/// Returns a configuration as trials keep it.
fn written(config: Mask) -> String {
    format!("{config:x}")
}

/// Returns the configuration that a trial of the search over knobs kept.
pub(super) fn read(config: &str) -> Option<Mask> {
    Mask::from_str_radix(config, 16).ok()
}

/// Returns what a trial says.
fn seen(trial: &AttributionTrial) -> Seen {
    use crate::domain::Outcome;
    match trial.outcome {
        None => Seen::Untestable,
        Some(Outcome::Passed) => Seen::Passed,
        Some(outcome) if outcome.is_failure() && trial.alike => Seen::Failed,
        Some(_) => Seen::Nothing,
    }
}

#[cfg(test)]
mod tests;
