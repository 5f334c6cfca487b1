//! The search itself: what to try next, and when to stop.
//!
//! Invariant: the state is what was seen and nothing else, so that the same answers in any order lead to the same belief,
//! and the same answers in the same order to the same questions.

use std::collections::{BTreeMap, BTreeSet};

use super::belief::Belief;
use super::cell::Cell;
use super::confirm::mixed;
use super::ending::{Ending, Left, Suspected};
use super::gate::{self, Gate};
use super::likelihood::Counts;
use super::outlook::{Outlook, Price};
use super::step::{Experiment, Purpose, Rules, Seen, Step};
use super::{End, Question, Space};
use crate::stats::runs::clustering_p;

/// The share of the posterior that the set of remaining hypotheses holds.
const CREDIBLE: f64 = 0.9;

/// Fewer bits than this are nothing.
const NO_GAIN: f64 = 1e-6;

/// At this chance of so few changes between passing and failing, outcomes depend on time.
const TIME_DEPENDENT: f64 = 0.01;

/// The probability from which on the confirmation of the most probable hypothesis is thought of.
const WANTED_FROM: f64 = 0.1;

/// Failures at the low end after which it is said to fail now: one may be by chance.
const FAILS_NOW: u32 = 3;

mod conclusion;

use conclusion::suspects;

/// The state machine.
#[derive(Clone, Debug)]
pub struct Search<S: Space> {
    space: S,
    rules: Rules,
    cells: BTreeMap<S::Config, Cell>,
    belief: Belief,
    spent: u32,
    stopped: bool,
}

impl<S: Space> Search<S> {
    /// Returns a search that has seen nothing yet.
    pub fn new(space: S, rules: Rules) -> Self {
        let belief = Belief::new(&space.weights());
        Self {
            space,
            rules,
            cells: BTreeMap::new(),
            belief,
            spent: 0,
            stopped: false,
        }
    }

    /// Takes trials made before the search: its pilot data, which costs nothing.
    pub fn remember(&mut self, config: &S::Config, seen: Counts) {
        let cell = self.cells.entry(config.clone()).or_default();
        cell.before = cell.before.plus(seen);
        self.believe(config, seen);
    }

    /// Takes what a trial showed.
    pub fn record(&mut self, config: &S::Config, seen: Seen) {
        let cell = self.cells.entry(config.clone()).or_default();
        self.spent += u32::from(seen != Seen::Untestable);
        match seen {
            Seen::Passed | Seen::Failed => {
                let failed = seen == Seen::Failed;
                cell.outcomes.push(failed);
                self.believe(config, Counts::one(failed));
            }
            Seen::Nothing => {
                cell.silent += 1;
                if cell.is_mostly_silent() {
                    *cell = Cell {
                        untestable: true,
                        ..Cell::default()
                    };
                    self.believe_anew();
                }
            }
            Seen::Untestable => cell.untestable = true,
        }
    }

    /// Has the search end with what is known.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Returns the space.
    pub fn space(&self) -> &S {
        &self.space
    }

    /// Returns the belief.
    #[cfg(test)]
    pub(super) fn belief(&self) -> &Belief {
        &self.belief
    }

    /// Returns what is known of each configuration that was tried.
    #[cfg(test)]
    pub(super) fn cells(&self) -> &BTreeMap<S::Config, Cell> {
        &self.cells
    }

    /// Returns the trials made by this search.
    pub fn spent(&self) -> u32 {
        self.spent
    }

    /// Returns all counts of one configuration.
    pub fn counts(&self, config: &S::Config) -> Counts {
        self.cells
            .get(config)
            .map_or(Counts::default(), Cell::counts)
    }

    /// Returns whether the outcomes of any one configuration come in stretches, which independent trials would not.
    pub fn is_time_dependent(&self) -> bool {
        self.cells
            .values()
            .any(|cell| clustering_p(cell.outcomes.iter().copied()) < TIME_DEPENDENT)
    }

    /// Returns what to do next, given what configurations cost now: the same answer until something is recorded.
    pub fn next(&self, price: &dyn Fn(&S::Config) -> Price) -> Step<S::Config> {
        if let Some(step) = self.gate() {
            return step;
        }
        let (oriented, leader) = self.leader();
        let [_, elsewhere] = self.belief.sides(leader.hypothesis);
        let enough = match elsewhere.failures {
            0 => self.rules.confidence,
            _ => self.rules.with_noise,
        };
        if leader.probability >= enough {
            return self.conclude(leader, &oriented, price);
        }
        if let Some(left) = self.is_over() {
            let suspects = suspects(&oriented);
            return Step::Done(Ending::Inconclusive { suspects, left });
        }
        if let Some(step) = self.confirm_early(leader) {
            return step;
        }
        let outlook = Outlook::new(&self.belief);
        self.most_telling(&outlook, &self.wanted(leader), price)
            .unwrap_or_else(|| {
                Step::Done(Ending::CredibleSet {
                    suspects: suspects(&oriented),
                })
            })
    }

    /// Returns the experiment with the most bits per cost, none where nothing tells anything.
    fn most_telling(
        &self,
        outlook: &Outlook,
        wanted: &[S::Config],
        price: &dyn Fn(&S::Config) -> Price,
    ) -> Option<Step<S::Config>> {
        let tried: Vec<S::Config> = self.cells.keys().cloned().collect();
        let choice = self.space.best(&Question {
            wanted,
            outlook,
            price,
            testable: &|config| self.is_testable(config),
            tried: &tried,
            draw: self.draw(),
        })?;
        (choice.gain > NO_GAIN).then(|| {
            Step::Try(Experiment {
                config: choice.config,
                purpose: Purpose::Search,
                likely: choice.batch,
            })
        })
    }

    fn believe(&mut self, config: &S::Config, seen: Counts) {
        let space = &self.space;
        self.belief
            .take(seen, |hypothesis| space.is_active(hypothesis, config));
        self.belief.update();
        if self.space.refine(self.belief.posterior()) {
            self.believe_anew();
        }
    }

    /// Works out the belief from everything seen.
    fn believe_anew(&mut self) {
        let mut belief = Belief::new(&self.space.weights());
        for (config, cell) in &self.cells {
            belief.take(cell.counts(), |h| self.space.is_active(h, config));
        }
        belief.update();
        self.belief = belief;
    }

    /// Returns why no further trial may be made, none where one may.
    fn is_over(&self) -> Option<Left> {
        if self.stopped {
            return Some(Left::Stopped);
        }
        (self.spent >= self.rules.budget).then_some(Left::OutOfBudget)
    }

    fn is_testable(&self, config: &S::Config) -> bool {
        self.cells.get(config).is_none_or(|cell| !cell.untestable)
    }

    /// Returns what the confirmation of the most probable hypothesis would try, unless that is one of many.
    fn wanted(&self, leader: Suspected) -> Vec<S::Config> {
        if !self.rules.confirm || leader.probability < WANTED_FROM {
            return Vec::new();
        }
        let testable = |config: &S::Config| self.is_testable(config);
        let checks = self.space.checks(leader.hypothesis, &testable);
        checks.into_iter().map(|check| check.config).collect()
    }

    /// A number that is another one for every answer.
    fn draw(&self) -> u64 {
        mixed(self.rules.seed ^ u64::from(self.spent))
    }

    fn leader(&self) -> (Vec<f64>, Suspected) {
        let oriented = self.belief.oriented();
        let best = oriented
            .iter()
            .copied()
            .enumerate()
            .fold(
                (0, 0.0),
                |best, next| if next.1 > best.1 { next } else { best },
            );
        let leader = Suspected {
            hypothesis: best.0,
            probability: best.1,
        };
        (oriented, leader)
    }

    /// Returns the counts of an end: those before the search, and those of it.
    pub fn end_counts(&self, end: End) -> [Counts; 2] {
        let cells = self
            .cells
            .iter()
            .filter(|(config, _)| self.space.end_of(config) == Some(end));
        cells.fold([Counts::default(); 2], |[before, now], (_, cell)| {
            [before.plus(cell.before), now.plus(cell.now())]
        })
    }

    fn gate(&self) -> Option<Step<S::Config>> {
        if self.rules.established {
            return None;
        }
        let [low_before, low] = self.end_counts(End::Low);
        let [high_before, high] = self.end_counts(End::High);
        let (low, high) = if self.rules.recent {
            (low.plus(low_before), high.plus(high_before))
        } else {
            (low, high)
        };
        // Where it fails at both ends but did not before, nothing between the ends can be the reason.
        let differs = gate::gate(low_before, low) == Gate::Open;
        if !self.rules.recent && low.failures >= FAILS_NOW && differs {
            return Some(Step::Done(Ending::Outside {
                before: low_before,
                now: low,
            }));
        }
        let at_low = match gate::gate(low, high) {
            Gate::Open => return None,
            Gate::More { at_low } => at_low,
            Gate::Closed => return Some(Step::Done(Ending::NotReproducible { low, high })),
        };
        let (end, number) = if at_low {
            (End::Low, low.trials)
        } else {
            (End::High, high.trials)
        };
        let config = self.space.end(end, number);
        let left = if !self.is_testable(&config) {
            Some(Left::CannotBeTried)
        } else {
            self.is_over()
        };
        if let Some(left) = left {
            let suspects = Vec::new();
            return Some(Step::Done(Ending::Inconclusive { suspects, left }));
        }
        Some(Step::Try(Experiment {
            config,
            purpose: Purpose::Gate,
            likely: 1,
        }))
    }

    /// Returns the configurations that cannot be tried.
    pub fn untestable(&self) -> BTreeSet<&S::Config> {
        self.cells
            .iter()
            .filter(|(_, cell)| cell.untestable)
            .map(|(config, _)| config)
            .collect()
    }
}
