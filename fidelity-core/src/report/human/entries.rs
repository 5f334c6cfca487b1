//! Findings grouped by cause: the tests of a cluster are one entry of a section. Knows no page.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use crate::domain::{Arm, Attribution};
use crate::report::model::TestReport;

/// Tests with one cause and one verdict; the one that speaks for them comes first.
pub(super) struct Entry<'a> {
    pub(super) tests: Vec<&'a TestReport>,
}

impl Entry<'_> {
    pub(super) fn leader(&self) -> &TestReport {
        self.tests[0]
    }

    /// Returns what experiments showed of any of its tests, best of all a cause: a cluster is attributed once.
    pub(super) fn attribution(&self) -> Option<&Attribution> {
        let shown = self
            .tests
            .iter()
            .filter_map(|test| test.attribution.as_ref());
        shown.min_by_key(|attribution| attribution.cause.is_none())
    }

    pub(super) fn is_mass_failure(&self) -> bool {
        1 < self.tests.len() && self.leader().finding.verdict.reason == MASS_FAILURE
    }
}

/// The reason that `classify` gives to the members of a mass failure.
const MASS_FAILURE: &str = "mass-failure";

/// Groups `tests` by cluster, and puts first what is clearest: undecided tests by the passes that would decide,
/// others by the difference between the arms, then by evidence, then by name.
pub(super) fn entries(mut tests: Vec<&TestReport>) -> Vec<Entry<'_>> {
    let rate = |test: &TestReport, arm| {
        let evidence = test.arm(arm);
        f64::from(evidence.failures) / f64::from(evidence.trials.max(1))
    };
    let difference =
        |test: &TestReport| (rate(test, Arm::Target) - rate(test, Arm::Baseline)).abs();
    tests.sort_by(|one, other| {
        let needed = |test: &TestReport| test.finding.needs_passes.unwrap_or(u32::MAX);
        let strength = |test: &TestReport| test.finding.e_value.max(test.finding.e_mirror);
        needed(one)
            .cmp(&needed(other))
            .then_with(|| difference(other).total_cmp(&difference(one)))
            .then_with(|| strength(other).total_cmp(&strength(one)))
            .then_with(|| one.id().cmp(other.id()))
    });
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut of_cluster: BTreeMap<usize, usize> = BTreeMap::new();
    for test in tests {
        let known = test
            .finding
            .cluster
            .map(|cluster| of_cluster.entry(cluster));
        match known {
            Some(Slot::Occupied(entry)) => {
                entries[*entry.get()].tests.push(test);
            }
            Some(Slot::Vacant(entry)) => {
                entry.insert(entries.len());
                entries.push(Entry { tests: vec![test] });
            }
            None => entries.push(Entry { tests: vec![test] }),
        }
    }
    entries
}
