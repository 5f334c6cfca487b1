//! Changes of effective values along a line of history, as a function of the values alone.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{At, Line, Point, State, Values};
use crate::domain::{Arm, KnobId, KnobSetting};

/// Merges within merges that are entered; a history deeper than that names the merge.
const DEEPEST: usize = 16;

/// A fidelity change: the effective value of a knob in an arm changed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The arm.
    pub arm: Arm,
    /// The knob; `inputs.GLOB` where it is the content of files.
    pub knob: KnobId,
    /// The value before; none where the knob was left alone.
    pub before: Option<KnobSetting>,
    /// The value from here on.
    pub after: Option<KnobSetting>,
    /// Where it changed.
    pub at: At,
    /// The merge on the line that brought it in; none for a point of the line itself.
    pub merged_by: Option<At>,
    /// The first of the points just before whose values could not be read: the change may have been made from there on.
    pub unread_since: Option<At>,
}

/// Returns the changes along `line`, the oldest first, by arm and knob within a point.
///
/// The first point is where the line begins: its values changed nowhere. Points that cannot be read are passed over; what
/// changed meanwhile is a change of the next one that can be. `sides` gives the lines that a merge brought in, each from
/// the point where it left to the merged one; it is asked only of merges that changed a value.
///
/// # Errors
/// Those of `sides`.
pub fn changes<E>(
    line: &[Point],
    sides: &mut dyn FnMut(&At) -> Result<Vec<Line>, E>,
) -> Result<Vec<Change>, E> {
    changes_within(line, sides, 0)
}

fn changes_within<E>(
    line: &[Point],
    sides: &mut dyn FnMut(&At) -> Result<Vec<Line>, E>,
    depth: usize,
) -> Result<Vec<Change>, E> {
    let mut found = Vec::new();
    let mut known: Option<&Rc<Values>> = None;
    let mut unread_since: Option<&At> = None;
    for point in line {
        let values = match &point.state {
            State::Known(values) => values,
            State::Unreadable(_) => {
                unread_since.get_or_insert(&point.at);
                continue;
            }
        };
        if let Some(before) = known.replace(values)
            && !Rc::ptr_eq(before, values)
        {
            let here = differences(before, values, point, unread_since);
            if point.merges == 0 || here.is_empty() || DEEPEST <= depth {
                found.extend(here);
            } else {
                found.extend(entered(here, sides, depth)?);
            }
        }
        unread_since = None;
    }
    Ok(found)
}

fn differences(
    before: &Values,
    after: &Values,
    point: &Point,
    unread_since: Option<&At>,
) -> Vec<Change> {
    let mut found = Vec::new();
    for arm in Arm::BOTH {
        let (before, after) = (before.of(arm), after.of(arm));
        let knobs: BTreeSet<&KnobId> = before.keys().chain(after.keys()).collect();
        for knob in knobs {
            let (before, after) = (before.get(knob), after.get(knob));
            if before != after {
                found.push(Change {
                    arm,
                    knob: knob.clone(),
                    before: before.cloned(),
                    after: after.cloned(),
                    at: point.at.clone(),
                    merged_by: None,
                    unread_since: unread_since.cloned(),
                });
            }
        }
    }
    found
}

/// Returns the changes `here` of a merge, each with the commit that the merge brought it in with: the last on a side line
/// that gave the knob the value it has since. A value that no side line had was made by the merge itself.
fn entered<E>(
    here: Vec<Change>,
    sides: &mut dyn FnMut(&At) -> Result<Vec<Line>, E>,
    depth: usize,
) -> Result<Vec<Change>, E> {
    let Some(merge) = here.first().map(|change| change.at.clone()) else {
        return Ok(here);
    };
    let mut made = Vec::new();
    for side in sides(&merge)? {
        made.extend(changes_within(&side, sides, depth + 1)?);
    }
    let origin = |change: &Change| {
        let mut same = made.iter().rev();
        same.find(|made| {
            made.arm == change.arm && made.knob == change.knob && made.after == change.after
        })
    };
    Ok(here
        .into_iter()
        .map(|change| match origin(&change) {
            None => change,
            Some(made) => Change {
                at: made.at.clone(),
                merged_by: Some(merge.clone()),
                unread_since: made.unread_since.clone(),
                ..change
            },
        })
        .collect())
}
