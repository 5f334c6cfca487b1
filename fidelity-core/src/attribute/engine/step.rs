//! What a search is asked and answered: thresholds, experiments, outcomes.

use super::ending::Ending;

/// The thresholds of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The posterior that ends the search, in 0.5..1.
    pub confidence: f64,
    /// The posterior that ends it where the test also fails without the cause, at least `confidence`: between sets of knobs
    /// that look alike then, the posterior is right a little less often than it says.
    pub with_noise: f64,
    /// The posterior from which on both sides of the most probable hypothesis are looked at, at most `confidence`: their
    /// trials are needed anyway, and tell whether it is the cause about as well as any others.
    pub confirm_from: f64,
    /// Trials that may be spent, those seen before not counted.
    pub budget: u32,
    /// Whether both sides of a claim are looked at again.
    pub confirm: bool,
    /// Whether the trials seen before are enough to say that the ends differ. Else new trials have to.
    pub established: bool,
    /// Whether the trials seen before are as good as new ones for the gate and the confirmation: they were made just now.
    pub recent: bool,
    /// What draws follow from.
    pub seed: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            confidence: 0.95,
            with_noise: 0.95,
            confirm_from: 0.9,
            budget: 200,
            confirm: true,
            established: false,
            recent: false,
            seed: 0,
        }
    }
}

impl Rules {
    /// Returns the thresholds of a search over sets of knobs.
    pub fn of_knobs() -> Self {
        Self {
            with_noise: 0.97,
            ..Self::default()
        }
    }
}

/// What an experiment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To see whether the ends still differ.
    Gate,
    /// To tell hypotheses apart.
    Search,
    /// To see both sides of a claim.
    Confirm,
}

/// One trial to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment<C> {
    /// What to set up.
    pub config: C,
    /// What for.
    pub purpose: Purpose,
    /// Trials of it that are likely to be wanted in a row, 1 or more: for callers that can make several at once.
    pub likely: u32,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<C> {
    /// Make one trial and record it.
    Try(Experiment<C>),
    /// Stop.
    Done(Ending<C>),
}

/// What a trial showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It passed.
    Passed,
    /// It failed in the way that is looked into.
    Failed,
    /// It failed in another way, or was not run: no evidence.
    Nothing,
    /// The configuration cannot be tried at all: no evidence, and not asked for again.
    Untestable,
}
