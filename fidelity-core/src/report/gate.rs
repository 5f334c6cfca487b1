//! The gate: whether a run passes the conditions it was given. Knows no exit code.

use crate::domain::Condition;

use super::model::{Report, causes};
use super::number::things;
use super::problems::ASKED_KNOB_NOT_APPLIED;
use super::words::listed;

/// What the gate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// Whether no condition holds.
    pub passed: bool,
    /// A sentence for each condition that holds; none if it passed.
    pub reasons: Vec<String>,
}

/// Returns whether `report` passes: the gate fails if one of `conditions` holds.
pub fn gate(report: &Report, conditions: &[Condition]) -> Gate {
    let mut conditions = conditions.to_vec();
    conditions.sort_unstable();
    conditions.dedup();
    let reasons: Vec<String> = conditions
        .iter()
        .filter_map(|condition| match condition {
            Condition::KnobNotApplied => {
                let kinds = report.problems.iter().map(|problem| problem.kind.as_str());
                let knobs = kinds.filter(|kind| *kind == ASKED_KNOB_NOT_APPLIED).count();
                (knobs > 0)
                    .then(|| format!("{} asked for and not applied", things(knobs as u64, "knob")))
            }
            Condition::ExpiredQuarantine => expired(report),
            Condition::Verdict(kind) => {
                let tests = report.at_the_gate(*kind).count() as u64;
                let causes = causes(report.at_the_gate(*kind)) as u64;
                match tests {
                    0 => None,
                    _ if causes == tests => Some(format!("{} {kind}", things(tests, "test"))),
                    _ => Some(format!(
                        "{} {kind} ({})",
                        things(tests, "test"),
                        things(causes, "cause")
                    )),
                }
            }
        })
        .collect();
    Gate {
        passed: reasons.is_empty(),
        reasons,
    }
}

/// Returns who has to look after quarantines that are over.
fn expired(report: &Report) -> Option<String> {
    let over: Vec<String> = report
        .tests
        .iter()
        .filter_map(|test| test.quarantine.as_ref())
        .filter(|quarantine| quarantine.expired)
        .map(|quarantine| quarantine.said.owner.clone())
        .collect();
    let owners: std::collections::BTreeSet<&String> = over.iter().collect();
    let owners: Vec<String> = owners.into_iter().cloned().collect();
    (!over.is_empty()).then(|| {
        format!(
            "{} expired (of {})",
            things(over.len() as u64, "quarantine"),
            listed(&owners, "and")
        )
    })
}
