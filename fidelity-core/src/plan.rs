//! The plan of a run: everything decided before the first pass. It can be printed (`--dry-run`) and is what a stored
//! run remembers of the question it was asked.

use crate::domain::{ListedTest, Policy, Seed};

/// What the scheduler has to know of a suite.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The tests, sorted by identity; those of joined runs included.
    pub tests: Vec<ListedTest>,
    /// The thresholds.
    pub policy: Policy,
    /// The seed everything random follows from.
    pub seed: Seed,
}
