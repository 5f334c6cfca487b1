//! How bad it is that a knob exposes something, or would: by the tests that can meet it.
//!
//! The mean weight of the tests that run in the target and say that they need the knob, or of all that run there where none
//! does, counts as one defect. Each defect that the knob exposed counts with its share, and with the weight of the
//! heaviest test that it makes fail.

use super::AuditedTest;
use super::ledger::Ledger;
use crate::domain::{Arm, KnobId, Severity, TestId};

/// Returns the severity of a knob, in the weights of [`super::weight`]. `tests` are sorted by identity.
pub(super) fn of(tests: &[AuditedTest], ledger: &Ledger<'_>, knob: &KnobId) -> f64 {
    let weight = |id: &TestId| {
        let place = tests.binary_search_by(|test| test.id.cmp(id));
        place.ok().map(|place| tests[place].weight())
    };
    let (mut sum, mut defects) = (of_meeting(tests, knob), 1.0);
    for (known, share) in ledger.exposures(knob) {
        let known = known.members.iter().filter_map(|test| weight(test));
        // Nobody knows how bad the failure of a test is that is not there any more.
        if let Some(weight) = known.reduce(f64::max) {
            sum += share * weight;
            defects += share;
        }
    }
    sum / defects
}

/// Returns the mean weight of the tests that run in the target and need the knob, or of all that run there, or of all.
fn of_meeting(tests: &[AuditedTest], knob: &KnobId) -> f64 {
    let needs = |test: &&AuditedTest| {
        let said = test.annotation.as_ref();
        said.is_some_and(|said| {
            said.needs
                .iter()
                .any(|need| knob.0 == *need || knob.0.starts_with(&format!("{need}.")))
        })
    };
    let run = || tests.iter().filter(|test| test.runs_in(Arm::Target));
    if run().any(|test| needs(&test)) {
        mean(run().filter(needs))
    } else if run().next().is_some() {
        mean(run())
    } else {
        mean(tests.iter())
    }
}

/// Returns the mean weight of tests; that of a test of which nothing is said, where there is none.
pub(super) fn mean<'a>(tests: impl Iterator<Item = &'a AuditedTest>) -> f64 {
    let (mut sum, mut count) = (0.0, 0_u32);
    for test in tests {
        sum += test.weight();
        count += 1;
    }
    match count {
        0 => super::weight(Severity::default()),
        count => sum / f64::from(count),
    }
}
