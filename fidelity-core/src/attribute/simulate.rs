//! Planted truths driving the real search, for tests and for the benchmark. Every result follows from its seed.

use std::collections::BTreeSet;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use super::commits::{Chain, NONE};
use super::engine::{Counts, Ending, Price, Rules, Search, Seen, Space, Step};
use super::knobs::{Constraints, Hypothesis, KnobSpace, Mask, Prior, bit};

/// Failure rates of a truth, each in 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Where the truth is active.
    pub active: f64,
    /// Elsewhere.
    pub elsewhere: f64,
}

/// How a search over a planted truth ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Played {
    /// Whether it named the truth.
    pub right: bool,
    /// Whether it named anything.
    pub named: bool,
    /// Trials it made, those stored before not counted.
    pub runs: u32,
    /// Configurations it had to set up.
    pub setups: u32,
}

/// The random numbers of one simulation.
#[derive(Clone, Debug)]
pub struct Dice(Pcg64Mcg);

impl Dice {
    /// Returns the numbers that follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// Returns whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        let uniform = (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        uniform < probability
    }

    /// Returns a number below `limit`, each as likely as the other to within 2^-32 for limits below 2^32.
    pub fn below(&mut self, limit: usize) -> usize {
        let product = u128::from(self.0.next_u64()) * limit as u128;
        (product >> 64) as usize
    }
}

/// A chain of commits with one culprit, each place as likely as the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Commits {
    /// Places on the chain, good end included.
    pub length: usize,
    /// Failure rates from the culprit on, and before.
    pub rates: Rates,
    /// Trials known beforehand at each end.
    pub stored: u32,
    /// What building a commit costs, in trials.
    pub build: f64,
    /// Whether both sides of the claim are looked at again.
    pub confirm: bool,
}

impl Commits {
    /// Plays one search.
    pub fn play(&self, seed: u64) -> Played {
        let mut dice = Dice::new(seed);
        let culprit = 1 + dice.below(self.length - 1);
        let rules = Rules {
            confirm: self.confirm,
            budget: 5_000,
            established: true,
            seed,
            ..Rules::default()
        };
        let mut search = Search::new(Chain::uniform(self.length, NONE), rules);
        let fails = |dice: &mut Dice, place: usize| dice.happens(self.rates.at(place >= culprit));
        for place in [0, self.length - 1] {
            for _ in 0..self.stored {
                search.remember(&place, Counts::one(fails(&mut dice, place)));
            }
        }
        let (ending, played) = play(&mut search, self.build, |place| fails(&mut dice, *place));
        let found = ending.found();
        Played {
            named: found.is_some(),
            right: found.is_some_and(|cause| cause.hypothesis + 1 == culprit),
            ..played
        }
    }
}

impl Rates {
    /// Returns the rate where the truth is active or not.
    pub fn at(self, active: bool) -> f64 {
        if active { self.active } else { self.elsewhere }
    }
}

/// What causes the failures among the knobs of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// So many knobs together.
    All(u32),
    /// Either of so many knobs.
    Any(u32),
}

/// Knobs of which some cause the failures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knobs {
    /// How many there are.
    pub count: usize,
    /// Which kind of cause.
    pub truth: Truth,
    /// Failure rates where it is active, and elsewhere.
    pub rates: Rates,
    /// Trials known beforehand at each end.
    pub stored: u32,
}

/// The planted cause of one simulation, and what comes of every trial.
#[derive(Clone, Debug)]
pub struct Planted {
    /// What makes the test fail.
    pub truth: Hypothesis,
    rates: Rates,
    dice: Dice,
}

impl Planted {
    /// Returns whether a trial of this configuration fails.
    pub fn fails(&mut self, config: Mask) -> bool {
        self.dice
            .happens(self.rates.at(self.truth.is_active(config)))
    }
}

impl Knobs {
    /// Returns the cause of a seed; any set of so many knobs is as likely as any other.
    pub fn planted(&self, seed: u64) -> Planted {
        let mut dice = Dice::new(seed);
        let (Truth::All(members) | Truth::Any(members)) = self.truth;
        let mut mask: Mask = 0;
        while mask.count_ones() < members {
            mask |= bit(dice.below(self.count));
        }
        Planted {
            truth: match self.truth {
                Truth::All(_) => Hypothesis::all(mask),
                Truth::Any(_) => Hypothesis::any(mask),
            },
            rates: self.rates,
            dice,
        }
    }

    /// Returns the trials made beforehand: whether each failed, all of the low end first.
    pub fn pilot(&self, space: &KnobSpace, planted: &mut Planted) -> Vec<(Mask, bool)> {
        [0, space.constraints().everything()]
            .into_iter()
            .flat_map(|config| std::iter::repeat_n(config, self.stored as usize))
            .map(|config| (config, planted.fails(config)))
            .collect()
    }

    /// Plays one search with the default budget.
    pub fn play(&self, space: &KnobSpace, seed: u64) -> Played {
        let mut planted = self.planted(seed);
        let rules = Rules {
            established: true,
            seed,
            ..Rules::of_knobs()
        };
        let mut search = Search::new(space.clone(), rules);
        for (config, failed) in self.pilot(space, &mut planted) {
            search.remember(&config, Counts::one(failed));
        }
        let (ending, played) = play(&mut search, 0.0, |config| planted.fails(*config));
        let found = ending.found();
        let named = found.map(|cause| search.space().hypothesis(cause.hypothesis));
        Played {
            named: named.is_some(),
            right: named == Some(planted.truth),
            ..played
        }
    }

    /// Returns the space of all hypotheses over these knobs.
    pub fn space(&self) -> KnobSpace {
        KnobSpace::new(Constraints::free(self.count), Prior::default())
    }
}

/// Brings a search to its end; setting a configuration up costs `setup` trials the first time.
fn play<S: Space>(
    search: &mut Search<S>,
    setup: f64,
    mut fails: impl FnMut(&S::Config) -> bool,
) -> (Ending<S::Config>, Played) {
    let mut stands: BTreeSet<S::Config> = BTreeSet::new();
    loop {
        let step = search.next(&|config| Price {
            run: 1.0,
            setup: if stands.contains(config) { 0.0 } else { setup },
        });
        match step {
            Step::Try(experiment) => {
                let failed = fails(&experiment.config);
                let seen = if failed { Seen::Failed } else { Seen::Passed };
                search.record(&experiment.config, seen);
                stands.insert(experiment.config);
            }
            Step::Done(ending) => {
                let played = Played {
                    runs: search.spent(),
                    setups: stands.len() as u32,
                    ..Played::default()
                };
                return (ending, played);
            }
        }
    }
}

#[cfg(test)]
mod tests;
