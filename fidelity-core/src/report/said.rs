//! What the annotations of tests come to in a run, for people: who runs in one arm only, and who is in quarantine.
//!
//! Dates are judged at the run's start, so that a stored run reads the same ever after. Knows no format.

use std::collections::BTreeMap;

use crate::domain::{Annotation, Arm, ListedTest, Problem, Quarantine, StoredRun};

use super::number::{duration_ms, percent, things};
use super::words::listed;

/// The kind of the problem for a quarantine that is over.
pub const EXPIRED_QUARANTINE: &str = "expired-quarantine";

/// Tests named in one sentence.
const NAMED: usize = 3;

/// Returns what an annotation says, argument by argument: `needs service.db`, `at most 2 trials` ... `expired` is whether
/// its quarantine is over, where that is known.
pub(super) fn parts(said: &Annotation, expired: Option<bool>) -> Vec<String> {
    let names = |what: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    let quarantine = said.quarantine.as_ref().map(|quarantine| {
        let verb = match expired {
            Some(true) => "quarantine ended",
            _ => "quarantine until",
        };
        format!("{verb} {} ({})", quarantine.until, quarantine.owner)
    });
    let parts = [
        names("for", &said.profiles),
        names("needs", &said.needs),
        names("mocks", &said.mocks),
        names("real", &said.real),
        said.severity
            .map(|severity| match said.severity_place.as_str() {
                "" => format!("severity {severity}"),
                place => format!("severity {severity} ({place})"),
            }),
        said.tolerance
            .map(|rate| format!("tolerance {} %", percent(rate))),
        said.timeout_ms
            .map(|ms| format!("at most {}", duration_ms(ms))),
        said.trials
            .map(|trials| format!("at most {}", things(u64::from(trials), "trial"))),
        quarantine,
    ];
    parts.into_iter().flatten().collect()
}

/// Returns the notes for the tests of a run that are shown.
pub(super) fn problems(run: &StoredRun, shown: &[&ListedTest]) -> Vec<Problem> {
    let mut problems = expired(shown, &run.header.started_at);
    for arm in Arm::BOTH {
        let name = match arm {
            Arm::Baseline => &run.header.baseline.name,
            Arm::Target => &run.header.target.name,
        };
        let mut lacking: BTreeMap<&str, Vec<&ListedTest>> = BTreeMap::new();
        for test in shown {
            // Those that are run nowhere are among the tests that were not compared.
            if let (Some(why), None) = (test.absent_from(arm), test.absent_from(arm.other())) {
                lacking.entry(why).or_default().push(test);
            }
        }
        problems.extend(lacking.into_iter().map(|(why, tests)| Problem {
            kind: "run-in-one-arm".to_owned(),
            message: format!(
                "{} not run in {name}: {why} ({})",
                things(tests.len() as u64, "test"),
                named(&tests)
            ),
        }));
    }
    problems
}

fn expired(tests: &[&ListedTest], started_at: &str) -> Vec<Problem> {
    let over = tests.iter().filter_map(|test| {
        let quarantine = quarantine_of(test).filter(|over| over.has_expired(started_at))?;
        Some((test, quarantine))
    });
    over.map(|(test, quarantine)| {
        let Quarantine {
            until,
            owner,
            reason,
        } = quarantine;
        let place = test.annotation().map_or("", |said| said.place.as_str());
        Problem {
            kind: EXPIRED_QUARANTINE.to_owned(),
            message: format!(
                "the quarantine of {} ended on {until}; {owner} answers for it ({reason}), at {place}",
                test.id
            ),
        }
    })
    .collect()
}

/// Returns the quarantine that the authors of a test put it in, over or not.
pub(super) fn quarantine_of(test: &ListedTest) -> Option<&Quarantine> {
    test.annotation()?.quarantine.as_ref()
}

fn named(tests: &[&ListedTest]) -> String {
    let mut names: Vec<String> = tests
        .iter()
        .take(NAMED)
        .map(|test| test.id.to_string())
        .collect();
    if names.len() < tests.len() {
        names.push(format!("{} more", tests.len() - names.len()));
    }
    listed(&names, "and")
}
