//! Since when a knob has its value: the last change in a history that gave it, as a function of values.

use super::{At, End, FidelityHistory, Point, State};
use crate::domain::{Arm, CommitId, KnobId, KnobSetting, SetBy};

/// Returns what gave the knob `knob` of `arm` a setting for which `is` holds, and none since took away; none where it does not hold
/// for the last point of `line`, or that cannot be read.
///
/// `line` and `history` are of one answer of [`super::Repository::history_to`].
pub fn set_by(
    line: &[Point],
    history: &FidelityHistory,
    (arm, knob): (Arm, &KnobId),
    is: &dyn Fn(Option<&KnobSetting>) -> bool,
) -> Option<SetBy> {
    let State::Known(last) = &line.last()?.state else {
        return None;
    };
    if !is(last.of(arm).get(knob)) {
        return None;
    }
    let mut changes = history.changes.iter().rev();
    let given = changes.find(|found| {
        let change = &found.change;
        change.arm == arm && change.knob == *knob && !is(change.before.as_ref())
    });
    Some(match given {
        None => beginning(line, &history.end),
        Some(given) => match &given.commit {
            None => SetBy::Uncommitted,
            Some(commit) => SetBy::Commit {
                commit: commit.clone(),
                merge: given.merge.clone(),
                unread_since: given.change.unread_since.as_ref().and_then(commit_at),
            },
        },
    })
}

/// Returns what is known of a value that no change gave.
fn beginning(line: &[Point], end: &End) -> SetBy {
    let readable = |point: &&Point| matches!(point.state, State::Known(_));
    let first = line.iter().find(readable);
    match (end, first.and_then(|point| commit_at(&point.at))) {
        (End::Missing { shallow, .. }, Some(oldest)) => SetBy::BeforeThisClone {
            oldest,
            shallow: *shallow,
        },
        // Only the work tree can be read.
        (_, None) => SetBy::Uncommitted,
        (End::Root, Some(_)) => SetBy::Always {
            unread: line.first().is_some_and(|point| !readable(&point)),
        },
    }
}

fn commit_at(at: &At) -> Option<CommitId> {
    match at {
        At::Commit(id) => Some(id.clone()),
        At::Uncommitted => None,
    }
}
