//! The engine of every attribution: a noisy search over hypotheses, as a state machine without IO.
//!
//! A [`Space`] says which hypotheses there are and which configurations can be tried; [`Search::next`] says what to try,
//! [`Search::record`] takes what was seen. One trial is asked for at a time, and everything is worked out anew from the
//! counts, so that a search resumed from stored trials is where it was.
//!
//! The order of things: the gate (do both ends still differ?), the search by information per cost, the confirmation of
//! both sides of the claim, an [`Ending`]. What cannot be told apart is said, never rounded up.
//!
//! Knows no commit, knob, file or clock: prices are part of the question.

pub mod belief;
mod cell;
pub mod confirm;
pub mod ending;
pub mod gate;
pub mod likelihood;
pub mod outlook;
mod search;
mod step;

pub use belief::{Belief, credible_set};
pub use confirm::{Check, Expect};
pub use ending::{Checked, Ending, Left, Suspected};
pub use likelihood::Counts;
pub use outlook::{Outlook, Price};
pub use search::Search;
pub use step::{Experiment, Purpose, Rules, Seen, Step};

/// One of the two configurations that are known to differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Where the test passes.
    Low,
    /// Where it fails.
    High,
}

/// Hypotheses, and the configurations that tell them apart.
pub trait Space {
    /// What an experiment sets up.
    type Config: Clone + Ord + std::fmt::Debug;

    /// Returns the prior weight of each hypothesis: above 0, on any scale. Hypotheses are numbered by their place.
    fn weights(&self) -> Vec<f64>;

    /// Returns the hypothesis that nothing of the space is the cause, if there is one.
    fn none(&self) -> Option<usize>;

    /// Returns whether the test fails at its higher rate in `config` if `hypothesis` is true.
    fn is_active(&self, hypothesis: usize, config: &Self::Config) -> bool;

    /// Returns the configuration of an end; where an end is several, the one for its trial `number`.
    fn end(&self, end: End, number: u32) -> Self::Config;

    /// Returns which end a configuration is.
    fn end_of(&self, config: &Self::Config) -> Option<End>;

    /// Returns the configuration with the most bits per cost, none where nothing can be learned.
    fn best(&self, question: &Question<'_, Self::Config>) -> Option<Choice<Self::Config>>;

    /// Returns what has to be seen before a hypothesis is believed: both sides of its boundary, or what is nearest to
    /// them among the configurations that can be tried. One that cannot be tried leaves the hypothesis unconfirmed.
    fn checks(
        &self,
        hypothesis: usize,
        testable: &dyn Fn(&Self::Config) -> bool,
    ) -> Vec<Check<Self::Config>>;

    /// Changes the hypotheses where the space is too large to hold all at once, given the posterior so far; returns
    /// whether it did.
    fn refine(&mut self, posterior: &[f64]) -> bool {
        let _ = posterior;
        false
    }
}

/// What a space needs to choose the next experiment.
pub struct Question<'a, C> {
    /// What is believed, and what would be learned.
    pub outlook: &'a Outlook,
    /// What a configuration costs now.
    pub price: &'a dyn Fn(&C) -> Price,
    /// Whether a configuration can be tried.
    pub testable: &'a dyn Fn(&C) -> bool,
    /// What was tried so far.
    pub tried: &'a [C],
    /// What will have to be tried anyway if the most probable hypothesis is true.
    pub wanted: &'a [C],
    /// A number to draw from: the same for the same answers.
    pub draw: u64,
}

/// An experiment and what it promises.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice<C> {
    /// What to set up.
    pub config: C,
    /// Bits per cost, a little more where the trial will be needed anyway.
    pub rate: f64,
    /// Bits of the batch that has this rate.
    pub gain: f64,
    /// Trials of that batch.
    pub batch: u32,
    /// Whether nothing has to be set up for it.
    pub stands: bool,
    /// How far its active probability is from one half.
    pub distance: f64,
}

/// How much more a trial is worth that the confirmation will need anyway.
const WANTED: f64 = 1.15;

impl<C: PartialEq> Question<'_, C> {
    /// Returns what trying `config`, which makes this split, promises.
    pub fn promise(&self, config: C, split: &outlook::Split) -> Choice<C> {
        let price = (self.price)(&config);
        let (rate, batch) = self.outlook.rate(split, price);
        let wanted = self.wanted.contains(&config);
        Choice {
            rate: if wanted { WANTED * rate } else { rate },
            batch,
            gain: rate * (f64::from(batch) * price.run + price.setup),
            stands: price.setup <= 0.0,
            distance: (self.outlook.active_mass(split) - 0.5).abs(),
            config,
        }
    }
}

impl<C> Choice<C> {
    /// Returns whether this is to be tried rather than `other`: more bits per cost; among equals what stands already, then
    /// what is most central.
    pub fn beats(&self, other: &Self) -> bool {
        let tie = (self.rate - other.rate).abs() <= 1e-9 * self.rate.max(other.rate);
        if !tie {
            return self.rate > other.rate;
        }
        if self.stands != other.stands {
            return self.stands;
        }
        self.distance < other.distance - 1e-12
    }
}

#[cfg(test)]
mod tests;
