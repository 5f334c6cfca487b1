//! Where the tests of a run are in its suite.

use std::collections::BTreeMap;

use crate::domain::ListedTest;
use crate::suite::Suite;

/// A test of the run's list, and where it is.
pub(super) struct Located {
    /// Position of its binary in the suite.
    pub(super) binary: usize,
    /// Its name within the binary.
    pub(super) name: String,
    /// Whether it is marked `#[ignore]`, so that the harness has to be told to run it.
    pub(super) ignored: bool,
    /// The time limit its authors give it, in milliseconds.
    pub(super) timeout_ms: Option<u64>,
}

/// Finds each listed test in the suite.
pub(super) fn located(suite: &Suite, listed: &[ListedTest]) -> Vec<Option<Located>> {
    let by_id: BTreeMap<_, _> = suite.tests.iter().map(|test| (&test.id, test)).collect();
    let locate = |listed: &ListedTest| {
        by_id.get(&listed.id).map(|test| Located {
            binary: test.binary,
            name: test.id.test.clone(),
            ignored: test.ignored,
            timeout_ms: listed.annotation().and_then(|said| said.timeout_ms),
        })
    };
    listed.iter().map(locate).collect()
}

/// Returns by binary the tests it lists, sorted, and whether each is ignored.
pub(super) fn names(suite: &Suite) -> Vec<Vec<(String, bool)>> {
    let mut names = vec![Vec::new(); suite.binaries.len()];
    for test in &suite.tests {
        if let Some(names) = names.get_mut(test.binary) {
            names.push((test.id.test.clone(), test.ignored));
        }
    }
    names.iter_mut().for_each(|names| names.sort());
    names
}
