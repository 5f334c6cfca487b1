//! What is known of one configuration.

use super::likelihood::Counts;

/// What is known of one configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Trials seen before the search.
    pub before: Counts,
    /// Outcomes of the search in order: whether each failed.
    pub outcomes: Vec<bool>,
    /// Trials that said nothing since one that did.
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

    /// Returns all counts.
    pub fn counts(&self) -> Counts {
        self.before.plus(self.now())
    }
}
