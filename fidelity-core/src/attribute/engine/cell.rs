//! What is known of one configuration.

use super::likelihood::Counts;

/// Trials that say nothing from which on their share matters.
const SAYS_NOTHING_FROM: u32 = 5;

/// One trial in so many that says nothing is too many.
const SILENT_SHARE: u32 = 3;

/// What is known of one configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Trials seen before the search.
    pub before: Counts,
    /// Outcomes of the search in order: whether each failed.
    pub outcomes: Vec<bool>,
    /// Trials that said nothing: other failures.
    pub silent: u32,
    /// Whether it cannot be tried.
    pub untestable: bool,
}

impl Cell {
    /// Returns the counts of the search.
    pub fn now(&self) -> Counts {
        let failures = self.outcomes.iter().filter(|failed| **failed).count();
        Counts::new(failures as u32, self.outcomes.len() as u32)
    }

    /// Returns whether so many trials said nothing that those which said something are not to be believed: passes would count, and
    /// the failures beside them would not.
    pub fn is_mostly_silent(&self) -> bool {
        let trials = self.outcomes.len() as u32 + self.silent;
        SAYS_NOTHING_FROM <= self.silent && trials <= SILENT_SHARE * self.silent
    }

    /// Returns all counts.
    pub fn counts(&self) -> Counts {
        self.before.plus(self.now())
    }
}
