//! The search for the commit from which on a test fails: a chain of commits, what trials cost on each, and the endings.
//!
//! [`CommitSearch::next`] says at which commit to try, [`CommitSearch::record`] takes what was seen. Knows commits by their
//! places on the line; nothing of repositories, builds or processes. A commit that cannot be tested is no evidence; commits
//! that nothing tells apart are named together.

use super::commits::{Chain, NONE};
use super::engine::{
    Counts, End, Ending, Experiment, Left, Price, Purpose, Rules, Search, Seen, Step,
};
use super::history::CommitId;

/// What a build is assumed to cost before one was measured, in trials.
const BUILD_UNKNOWN: f64 = 20.0;

/// Trials of the good end after which it is said to fail, if it fails as often as the bad one.
const GOOD_FAILS_AFTER: u32 = 8;

/// Trials of the bad end, all passed, after which it is said to pass: a failure rate of 1 in 5 would have shown itself with
/// a probability of 99.9 %.
const BAD_PASSES_AFTER: u32 = 30;

/// A commit on the line that is searched.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The commit.
    pub commit: CommitId,
    /// How many further parents it merges.
    pub merges: usize,
    /// How likely it is to be the cause before any trial, above 0 on any scale.
    pub weight: f64,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum CommitStep {
    /// Make one trial at the commit at this place.
    Try {
        /// The place on the line.
        place: usize,
        /// What for.
        purpose: Purpose,
    },
    /// Stop.
    Done(CommitEnding),
}

/// How a search for a commit ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CommitEnding {
    /// One commit: its parent passes, it fails.
    Found {
        /// Its place.
        place: usize,
        /// The posterior probability.
        probability: f64,
    },
    /// One of several that could not be told apart, the most probable first, each with its probability.
    OneOf {
        /// The places.
        suspects: Vec<(usize, f64)>,
        /// Why no fewer.
        why: Why,
    },
    /// The test fails at the good end as it does at the bad one.
    GoodFails,
    /// The test fails at the good end now, where stored trials of it passed: something else has changed.
    Outside {
        /// What was seen there before.
        before: Counts,
    },
    /// The test passes at the bad end.
    BadPasses,
    /// The ends do not differ enough to be told from chance.
    NotReproducible,
    /// An end cannot be tested: it does not build, or lacks the test.
    EndUntestable {
        /// Whether it is the good end.
        good: bool,
    },
    /// Neither commit explains the difference between the ends.
    NoneOfThese {
        /// The probability of that.
        probability: f64,
    },
}

/// Why several commits are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The others between them cannot be tested.
    Untestable,
    /// The limit of trials was reached.
    OutOfBudget,
    /// The user, or the time limit, stopped it.
    Stopped,
    /// Where the likeliest says that the test fails, it did not when looked at again.
    Unconfirmed,
    /// Where the likeliest says that the test passes, it fails as well.
    NotNecessary,
}

impl From<Left> for Why {
    fn from(left: Left) -> Self {
        match left {
            Left::Unconfirmed => Self::Unconfirmed,
            Left::NotNecessary => Self::NotNecessary,
            Left::CannotBeTried => Self::Untestable,
            Left::OutOfBudget => Self::OutOfBudget,
            Left::Stopped => Self::Stopped,
        }
    }
}

/// What trials and builds have cost so far, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Trials.
    pub trials: u32,
    /// Their time.
    pub trials_ms: u64,
    /// Builds, those that failed included.
    pub builds: u32,
    /// Their time.
    pub builds_ms: u64,
}

impl Spent {
    /// Returns both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            trials: self.trials.saturating_add(other.trials),
            trials_ms: self.trials_ms.saturating_add(other.trials_ms),
            builds: self.builds.saturating_add(other.builds),
            builds_ms: self.builds_ms.saturating_add(other.builds_ms),
        }
    }

    /// Returns what a build costs in trials.
    fn build_price(self) -> f64 {
        if self.builds == 0 || self.trials == 0 {
            return BUILD_UNKNOWN;
        }
        let mean = |ms: u64, count: u32| ms as f64 / f64::from(count);
        mean(self.builds_ms, self.builds) / mean(self.trials_ms, self.trials).max(1.0)
    }
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct CommitSearch {
    places: Vec<Place>,
    search: Search<Chain>,
    spent: Spent,
}

impl CommitSearch {
    /// Returns a search along `places`, of which the first is the good end and the last the bad one; at least two.
    pub fn new(places: Vec<Place>, rules: Rules) -> Self {
        let weights = places.iter().skip(1).map(|place| place.weight).collect();
        Self {
            places,
            search: Search::new(Chain::new(weights, NONE), rules),
            spent: Spent::default(),
        }
    }

    /// Returns the line.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Returns all counts at a place.
    pub fn counts(&self, place: usize) -> Counts {
        self.search.counts(&place)
    }

    /// Returns the places that cannot be tested.
    pub fn untestable(&self) -> Vec<usize> {
        self.search.untestable().into_iter().copied().collect()
    }

    /// Returns whether outcomes at one commit come in stretches.
    pub fn is_time_dependent(&self) -> bool {
        self.search.is_time_dependent()
    }

    /// Takes stored trials at a place.
    pub fn remember(&mut self, place: usize, seen: Counts) {
        self.search.remember(&place, seen);
    }

    /// Takes what a build cost, whether it succeeded or not.
    pub fn built(&mut self, ms: u64) {
        self.spent.builds += 1;
        self.spent.builds_ms = self.spent.builds_ms.saturating_add(ms);
    }

    /// Takes what a trial showed, and how long it took.
    pub fn record(&mut self, place: usize, seen: Seen, ms: u64) {
        if seen != Seen::Untestable {
            self.spent.trials += 1;
            self.spent.trials_ms = self.spent.trials_ms.saturating_add(ms);
        }
        self.search.record(&place, seen);
    }

    /// Has the search end with what is known.
    pub fn stop(&mut self) {
        self.search.stop();
    }

    /// Returns what to do next; `ready` says whether a place is built.
    pub fn next(&self, ready: &dyn Fn(usize) -> bool) -> CommitStep {
        let last = self.places.len() - 1;
        for (place, good) in [(last, false), (0, true)] {
            if self.untestable().contains(&place) {
                return CommitStep::Done(CommitEnding::EndUntestable { good });
            }
        }
        let build = self.spent.build_price();
        let price = |place: &usize| Price {
            run: 1.0,
            setup: if ready(*place) { 0.0 } else { build },
        };
        match self.search.next(&price) {
            Step::Try(Experiment {
                purpose: Purpose::Gate,
                config,
                ..
            }) => match no_difference(self.now(End::Low), self.now(End::High)) {
                Some(ending) => CommitStep::Done(ending),
                None => CommitStep::Try {
                    place: config,
                    purpose: Purpose::Gate,
                },
            },
            Step::Try(experiment) => CommitStep::Try {
                place: experiment.config,
                purpose: experiment.purpose,
            },
            Step::Done(ending) => CommitStep::Done(self.ending(ending)),
        }
    }

    fn now(&self, end: End) -> Counts {
        let [_, now] = self.search.end_counts(end);
        now
    }

    fn ending(&self, ending: Ending<usize>) -> CommitEnding {
        let place = |hypothesis: usize| self.search.space().culprit(hypothesis);
        let suspects = |suspects: Vec<super::engine::Suspected>| {
            let places = suspects.into_iter();
            places
                .filter_map(|suspect| Some((place(suspect.hypothesis)?, suspect.probability)))
                .collect()
        };
        match ending {
            Ending::Found { cause, .. } => match place(cause.hypothesis) {
                Some(place) => CommitEnding::Found {
                    place,
                    probability: cause.probability,
                },
                None => CommitEnding::NoneOfThese {
                    probability: cause.probability,
                },
            },
            Ending::NoneOfThese { probability } => CommitEnding::NoneOfThese { probability },
            Ending::CredibleSet { suspects: left } => CommitEnding::OneOf {
                suspects: suspects(left),
                why: Why::Untestable,
            },
            Ending::Inconclusive {
                suspects: left,
                left: why,
            } => CommitEnding::OneOf {
                suspects: suspects(left),
                why: why.into(),
            },
            Ending::NotReproducible { low, high } => match (low.failures, high.failures) {
                (_, 0) => CommitEnding::BadPasses,
                (1.., _) if high.rate() <= low.rate() => CommitEnding::GoodFails,
                _ => CommitEnding::NotReproducible,
            },
            Ending::Outside { before, .. } => CommitEnding::Outside { before },
        }
    }
}

/// Returns the ending that the counts of the ends speak for already: the engine would go on to its limit.
pub(crate) fn no_difference(low: Counts, high: Counts) -> Option<CommitEnding> {
    if BAD_PASSES_AFTER <= high.trials && high.failures == 0 {
        return Some(CommitEnding::BadPasses);
    }
    let enough = GOOD_FAILS_AFTER <= low.trials && GOOD_FAILS_AFTER <= high.trials;
    (enough && 3 <= low.failures && high.rate() <= low.rate()).then_some(CommitEnding::GoodFails)
}

#[cfg(test)]
mod tests;
