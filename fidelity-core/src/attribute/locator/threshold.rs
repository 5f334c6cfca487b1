//! The value of a numeric knob from which on the test fails: a search along a chain of values, mildest first.

use super::{Chain, Factors, Seen};
use crate::attribute::engine::{Counts, Ending, Price, Rules, Search, Step};
use crate::attribute::knobs::{Constraints, Hypothesis, Mask, Shape, bit};
use crate::domain::{Environment, KnobId, KnobValue};

/// Probability that the test fails at none of the values before the last.
const NONE: f64 = 0.02;

/// Trials that each look at an interval may take.
const BUDGET: u32 = 80;

/// How often the interval between the last passing and the first failing value is looked into once more.
const LEVELS: u32 = 3;

/// One numeric knob of a cause.
#[derive(Clone, Debug)]
pub(super) struct Threshold {
    place: usize,
    /// The configuration in which the knob has its high value and the test fails.
    base: Mask,
    knob: KnobId,
    /// Mildest first; the first is known to pass, and may leave the knob alone.
    values: Vec<Option<KnobValue>>,
    level: u32,
    search: Search<Chain>,
}

/// Returns the configuration in which a member of a cause makes the difference, and that without it.
pub(super) fn sides(
    constraints: &Constraints,
    hypothesis: Hypothesis,
    place: usize,
) -> (Mask, Mask) {
    let members = match hypothesis.shape {
        Shape::All => hypothesis.members,
        Shape::Any | Shape::Never => bit(place),
    };
    let base = constraints.only(members);
    (base, constraints.lowered(base, place))
}

/// Returns the search along so many values.
fn chain(values: usize) -> Search<Chain> {
    let rules = Rules {
        budget: BUDGET,
        established: true,
        // What is known of the ends was seen by the search over knobs.
        recent: true,
        ..Rules::default()
    };
    Search::new(Chain::uniform(values, NONE), rules)
}

impl Threshold {
    /// Returns the search for a knob, none where it has no values between.
    pub(super) fn new(factors: &Factors, (place, base): (usize, Mask)) -> Option<Self> {
        let (knob, low, high) = factors.numeric(place)?;
        let grid = super::grid::between(knob, low, high)?;
        let values: Vec<Option<KnobValue>> = std::iter::once(low.cloned())
            .chain(grid.into_iter().map(Some))
            .collect();
        Some(Self {
            place,
            base,
            knob: knob.clone(),
            search: chain(values.len()),
            values,
            level: 0,
        })
    }

    /// Takes what is known of both ends.
    pub(super) fn remember(&mut self, low: Counts, high: Counts) {
        self.search.remember(&0, low);
        self.search.remember(&(self.values.len() - 1), high);
    }

    pub(super) fn base(&self) -> Mask {
        self.base
    }

    pub(super) fn place(&self) -> usize {
        self.place
    }

    /// Returns the next configuration with its environment, none at the end.
    pub(super) fn next(&mut self, factors: &Factors) -> Option<(String, Environment)> {
        loop {
            match self.search.next(&|_| Price::RUN) {
                Step::Try(experiment) => {
                    let place = experiment.config;
                    let mut environment = factors.environment(self.base, 0);
                    match self.values[place].clone() {
                        Some(value) => environment.0.insert(self.knob.clone(), value),
                        None => environment.0.remove(&self.knob),
                    };
                    return Some((format!("{}.{place}", self.level), environment));
                }
                Step::Done(ending) => {
                    let first_failing = ending.found()?.hypothesis + 1;
                    if !self.look_closer(first_failing) {
                        return None;
                    }
                }
            }
        }
    }

    /// Goes on between the last value that passes and the first that fails, where there is something between.
    fn look_closer(&mut self, first_failing: usize) -> bool {
        let (Some(passing), Some(failing)) =
            (&self.values[first_failing - 1], &self.values[first_failing])
        else {
            return false;
        };
        if self.level + 1 >= LEVELS {
            return false;
        }
        let Some(grid) = super::grid::between(&self.knob, Some(passing), failing) else {
            return false;
        };
        let known = [first_failing - 1, first_failing].map(|place| self.search.counts(&place));
        self.values = std::iter::once(Some(passing.clone()))
            .chain(grid.into_iter().map(Some))
            .collect();
        self.search = chain(self.values.len());
        self.level += 1;
        self.remember(known[0], known[1]);
        true
    }

    pub(super) fn record(&mut self, config: &str, seen: Seen) -> bool {
        let Some((level, place)) = config.split_once('.') else {
            return false;
        };
        match (level.parse::<u32>(), place.parse::<usize>()) {
            (Ok(level), Ok(place)) if level == self.level && place < self.values.len() => {
                self.search.record(&place, seen);
                if seen == Seen::Untestable && self.values[0].is_none() {
                    // Beyond what the machine has; what is milder still is so too.
                    for milder in 1..place {
                        self.search.record(&milder, Seen::Untestable);
                    }
                }
                true
            }
            _ => false,
        }
    }

    /// Returns from where on the test fails; none where that was not found.
    pub(super) fn words(&self) -> Option<String> {
        let Step::Done(Ending::Found { cause, .. }) = self.search.next(&|_| Price::RUN) else {
            return None;
        };
        let fails = self.values.get(cause.hypothesis + 1)?.as_ref()?;
        let before = self.values.get(cause.hypothesis)?.as_ref();
        Some(super::grid::words(fails, before))
    }
}
