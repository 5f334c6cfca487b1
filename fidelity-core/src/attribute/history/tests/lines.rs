//! Changes along lines of values.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::rc::Rc;

use crate::attribute::history::{At, Change, CommitId, Line, Point, State, Values, changes};
use crate::domain::{Arm, KnobId, KnobSetting, KnobValue};

fn at(name: &str) -> At {
    At::Commit(CommitId(name.to_owned()))
}

/// A point whose target has `nice = value`; a value of 0 stands for a file that cannot be read.
fn point(name: &str, merges: usize, value: u64) -> Point {
    let nice = KnobSetting::Fixed(KnobValue::Count(value));
    let target = BTreeMap::from([(KnobId::from("nice"), nice)]);
    Point {
        at: at(name),
        merges,
        has_file: true,
        state: match value {
            0 => State::Unreadable("no".into()),
            _ => State::Known(Rc::new(Values::new(BTreeMap::new(), target))),
        },
    }
}

fn line(points: &[(&str, u64)]) -> Line {
    points
        .iter()
        .map(|(name, value)| match name.strip_suffix('+') {
            Some(name) => point(name, 1, *value),
            None => point(name, 0, *value),
        })
        .collect()
}

fn found(line: &Line, sides: &[(&str, Line)]) -> Vec<Change> {
    let mut sides = |merge: &At| -> Result<Vec<Line>, Infallible> {
        let asked = sides.iter().filter(|(name, _)| at(name) == *merge);
        Ok(asked.map(|(_, line)| line.clone()).collect())
    };
    changes(line, &mut sides).unwrap()
}

/// What a change says, in short: `before->after at (by merge) (unread since)`.
fn said(changes: &[Change]) -> Vec<String> {
    let value = |setting: &Option<KnobSetting>| {
        setting.as_ref().map_or("-".to_owned(), ToString::to_string)
    };
    changes
        .iter()
        .map(|change| {
            assert_eq!(change.arm, Arm::Target);
            let mut words = format!(
                "{}->{} {}",
                value(&change.before),
                value(&change.after),
                change.at
            );
            if let Some(merge) = &change.merged_by {
                words += &format!(" by {merge}");
            }
            if let Some(since) = &change.unread_since {
                words += &format!(" unread since {since}");
            }
            words
        })
        .collect()
}

#[test]
fn a_value_that_stays_changes_nowhere_and_the_first_commit_changes_nothing() {
    assert!(found(&line(&[("a", 1), ("b", 1), ("c", 1)]), &[]).is_empty());
    assert!(found(&Line::new(), &[]).is_empty());
}

#[test]
fn every_change_is_found_there_and_back() {
    let line = line(&[("a", 1), ("b", 2), ("c", 2), ("d", 1)]);
    assert_eq!(said(&found(&line, &[])), ["1->2 b", "2->1 d"]);
}

#[test]
fn what_cannot_be_read_is_passed_over_and_said() {
    let line = line(&[("a", 1), ("b", 0), ("c", 0), ("d", 2), ("e", 0), ("f", 2)]);
    assert_eq!(said(&found(&line, &[])), ["1->2 d unread since b"]);
}

#[test]
fn a_merge_is_entered_and_the_last_commit_that_gave_the_value_named() {
    let main = line(&[("a", 1), ("m+", 3), ("z", 3)]);
    let side = line(&[("a", 1), ("s", 3), ("t", 2), ("u", 3), ("v", 3)]);
    assert_eq!(said(&found(&main, &[("m", side)])), ["1->3 u by m"]);
}

#[test]
fn a_value_that_no_side_had_is_the_merges_own() {
    let main = line(&[("a", 1), ("m+", 7)]);
    let side = line(&[("a", 1), ("s", 3)]);
    assert_eq!(said(&found(&main, &[("m", side)])), ["1->7 m"]);
}

#[test]
fn a_merge_within_a_merge_is_entered_too() {
    let main = line(&[("a", 1), ("m+", 2)]);
    let side = line(&[("a", 1), ("n+", 2)]);
    let inner = line(&[("a", 1), ("s", 2)]);
    let sides = [("m", side), ("n", inner)];
    assert_eq!(said(&found(&main, &sides)), ["1->2 s by m"]);
}

#[test]
fn a_merge_that_changes_nothing_is_not_looked_into() {
    let main = line(&[("a", 1), ("m+", 1)]);
    let mut asked = 0;
    let mut sides = |_: &At| -> Result<Vec<Line>, Infallible> {
        asked += 1;
        Ok(Vec::new())
    };
    assert!(changes(&main, &mut sides).unwrap().is_empty());
    assert_eq!(asked, 0);
}

#[test]
fn a_knob_that_is_left_alone_has_no_value() {
    let nothing = Point {
        at: at("a"),
        merges: 0,
        has_file: true,
        state: State::Known(Rc::default()),
    };
    let line = vec![nothing.clone(), point("b", 0, 4), nothing];
    assert_eq!(said(&found(&line, &[])), ["-->4 b", "4->- a"]);
}
