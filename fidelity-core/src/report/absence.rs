//! What is to be said of tests that some passes do not have: they were skipped, or their reports do not name them.

use crate::domain::{Arm, Problem, StoredRun};
use crate::evidence::presence::{Presence, presences};

use super::model::{RunFacts, TestReport};
use super::number::{count, things};

impl TestReport {
    /// Returns what became of the test in passes of an arm that have no trial of it.
    pub fn presence(&self, arm: Arm) -> &Presence {
        &self.presence[arm.index()]
    }
}

/// Says of each test in how many passes it was skipped, and from how many it is absent.
pub(super) fn mark(tests: &mut [TestReport], (run, joined): (&StoredRun, &[StoredRun])) {
    let presences = presences(run, joined);
    for test in tests {
        let presence = presences.get(&test.finding.test);
        test.presence = presence.copied().unwrap_or_default();
    }
}

/// Returns from how many passes a test is absent, arm by arm: `absent from 3 of 8 high passes`. None where it is in all.
pub(super) fn words(run: &RunFacts, test: &TestReport) -> Option<String> {
    let arms: Vec<String> = Arm::BOTH
        .into_iter()
        .filter(|arm| 0 < test.presence(*arm).absent)
        .map(|arm| {
            let Presence { absent, passes, .. } = *test.presence(arm);
            let passes = things(u64::from(passes), &format!("{} pass", run.arm(arm)));
            format!("{} of {passes}", count(u64::from(absent)))
        })
        .collect();
    (!arms.is_empty()).then(|| format!("absent from {}", arms.join(" and ")))
}

/// Returns what to say of all tests that are absent from some passes.
pub(super) fn problem(run: &RunFacts, tests: &[TestReport]) -> Option<Problem> {
    let absent: Vec<(&TestReport, String)> = tests
        .iter()
        .filter_map(|test| Some((test, words(run, test)?)))
        .collect();
    // Of all, the one that is absent most often says most.
    let (example, words) = absent
        .iter()
        .rev()
        .max_by_key(|(test, _)| test.presence.iter().map(|arm| arm.absent).max())?;
    let others = match absent.len() {
        1 => String::new(),
        number => format!(
            ", and {} from some",
            things(number as u64 - 1, "other test")
        ),
    };
    Some(Problem {
        kind: "absent-tests".to_owned(),
        message: format!(
            "{} is {words}{others}, though other passes of the same blocks have them: a job that died half-way hides what it \
             did not get to, failures included",
            example.id()
        ),
    })
}
