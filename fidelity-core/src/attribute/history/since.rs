//! Since when a knob has its value: the last change in a history that gave it, as a function of values.

use super::{At, End, FidelityChange, FidelityHistory, FileFrom, Point, State};
use crate::domain::{Arm, CommitId, KnobId, KnobSetting, SetBy};

/// Whether a setting of a knob is the one whose time is asked for.
pub type Asked<'a> = &'a dyn Fn(Option<&KnobSetting>) -> bool;

/// Returns what gave the knob `knob` of `arm` a setting for which `is` holds, and none since took away; none where it does not hold
/// for the last point of `line`, or that cannot be read, or the line was not read far enough.
///
/// `line` and `history` are of one answer of [`super::Repository::history_to`] or [`super::Repository::history_since`].
pub fn set_by(
    line: &[Point],
    history: &FidelityHistory,
    (arm, knob): (Arm, &KnobId),
    is: Asked<'_>,
) -> Option<SetBy> {
    if !holds(line, (arm, knob), is) {
        return None;
    }
    match given(history, (arm, knob), is) {
        None => beginning(line, history),
        Some(at) => by_change(history.changes.get(at)?),
    }
}

/// Returns what gave the knob its setting in the baseline, where that came after what gave it its setting in the target; `is` are for
/// both, the baseline's first.
pub fn baseline_set_by(
    line: &[Point],
    history: &FidelityHistory,
    knob: &KnobId,
    is: [Asked<'_>; 2],
) -> Option<SetBy> {
    let [low, high] = is;
    let both = [(Arm::Baseline, low), (Arm::Target, high)];
    if !both.iter().all(|(arm, is)| holds(line, (*arm, knob), *is)) {
        return None;
    }
    let [low, high] = both.map(|(arm, is)| given(history, (arm, knob), is));
    // Changes are in the order of their points, and within a point the baseline's are before the target's.
    let later = history.changes.get(low.filter(|low| high < Some(*low))?)?;
    by_change(later)
}

/// Returns whether `is` holds for the last point.
fn holds(line: &[Point], (arm, knob): (Arm, &KnobId), is: Asked<'_>) -> bool {
    match line.last().map(|point| &point.state) {
        Some(State::Known(last)) => is(last.of(arm).get(knob)),
        _ => false,
    }
}

/// Returns the place of the last change that gave the knob a setting for which `is` holds.
fn given(history: &FidelityHistory, (arm, knob): (Arm, &KnobId), is: Asked<'_>) -> Option<usize> {
    history.changes.iter().rposition(|found| {
        let change = &found.change;
        change.arm == arm && change.knob == *knob && !is(change.before.as_ref())
    })
}

fn by_change(given: &FidelityChange) -> Option<SetBy> {
    Some(match &given.commit {
        None => SetBy::Uncommitted,
        Some(commit) => SetBy::Commit {
            commit: commit.clone(),
            merge: given.merge.clone(),
            unread_since: given.change.unread_since.as_ref().and_then(commit_at),
        },
    })
}

/// Returns what is known of a value that no change gave.
fn beginning(line: &[Point], history: &FidelityHistory) -> Option<SetBy> {
    let first = match (&history.end, &history.first) {
        (End::Enough, _) => return None,
        // Only the work tree can be read.
        (_, None) => return Some(SetBy::Uncommitted),
        (_, Some(first)) => first,
    };
    Some(match (&history.end, &history.file) {
        (End::Missing { shallow, .. }, _) => SetBy::BeforeThisClone {
            oldest: first.id.clone(),
            shallow: *shallow,
        },
        (_, FileFrom::Beginning) => SetBy::Always {
            unread: line.first().is_some_and(|point| !point.is_readable()),
            first: Some(first.clone()),
        },
        (_, FileFrom::Commit(commit)) => SetBy::BuiltIn {
            file: Some(commit.clone()),
        },
        (_, FileFrom::Nowhere) => SetBy::BuiltIn { file: None },
    })
}

fn commit_at(at: &At) -> Option<CommitId> {
    match at {
        At::Commit(id) => Some(id.clone()),
        At::Uncommitted => None,
    }
}
