//! Tests with one cause, which count as one.

use std::collections::BTreeSet;

use super::TestReport;
use crate::domain::TestId;

/// Tests with one cause.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterReport {
    /// What joins them.
    pub reason: String,
    /// Its members, sorted.
    pub members: Vec<TestId>,
}

/// Returns how many causes tests have: a cluster is one.
pub(in crate::report) fn causes<'a>(tests: impl Iterator<Item = &'a TestReport>) -> usize {
    let mut clusters = BTreeSet::new();
    tests
        .filter(|test| {
            test.finding
                .cluster
                .is_none_or(|cluster| clusters.insert(cluster))
        })
        .count()
}
