//! A cause that is known from both sides: which knob, and since which commit.

use super::*;
use crate::attribute::account::Cost;
use crate::domain::{CommitId, CommitInfo, RunId, TestId};
use crate::report::cause::line;

fn commit(letter: char) -> CommitInfo {
    CommitInfo {
        id: CommitId(letter.to_string().repeat(40)),
        author: "A Developer".to_owned(),
        date: "2023-11-16T10:13:20+00:00".to_owned(),
        subject: "Read the zone once".to_owned(),
    }
}

fn account(cause: Option<Since>) -> Account {
    Account {
        test: TestId::new("shop", "due"),
        run: Some(RunId(1)),
        good: commit('a'),
        bad: commit('b'),
        commits: 12,
        from_history: false,
        cause,
        no_cause: None,
        suspects: Vec::new(),
        cells: Vec::new(),
        untestable: Vec::new(),
        notes: Vec::new(),
        cost: Cost {
            trials: 30,
            trials_ms: 1,
            builds: 4,
            builds_ms: 1,
        },
    }
}

fn since() -> Since {
    Since {
        kind: CauseKind::Code,
        wording: "introduced by cccccccccc \"Read the zone once\" (code)".to_owned(),
        confidence: 0.97,
        knobs: Vec::new(),
        commit: Some(commit('c')),
        exposed_by: None,
        merge: None,
        sufficient: Some(Tally {
            place: "at cccccccccc".to_owned(),
            trials: 5,
            failures: 5,
        }),
        necessary: vec![Tally {
            place: "before it, at dddddddddd".to_owned(),
            trials: 5,
            failures: 0,
        }],
    }
}

/// What experiments with knobs came to.
fn of_knobs() -> Attribution {
    let mut known = of_commits(&since());
    known.wording = "because tz = Pacific/Apia".to_owned();
    let cause = known.cause.as_mut().unwrap();
    cause.wording = "tz = Pacific/Apia".to_owned();
    cause.sufficient[0].config = "low + tz".to_owned();
    cause.necessary[0].config = "high - tz".to_owned();
    known.trials = 8;
    known
}

#[test]
fn a_knob_and_a_commit_are_told_in_one_line() {
    let joined = joined(Some(of_knobs()), &account(Some(since()))).unwrap();
    assert_eq!((joined.trials, joined.builds), (38, 4));
    insta::assert_snapshot!(line(&joined), @"because tz = Pacific/Apia (low + tz fails 5/5, high - tz passes 5/5), since cccccccccc of 2023-11-16 (code): Read the zone once");
    let cause = joined.cause.unwrap();
    assert_eq!(cause.kind, Some(CauseKind::Code));
    assert_eq!(cause.commit, Some(commit('c')));
}

#[test]
fn a_commit_alone_is_a_cause_too() {
    let inconclusive = Attribution {
        end: AttributionEnd::Inconclusive,
        cause: None,
        ..of_knobs()
    };
    for known in [None, Some(inconclusive)] {
        let joined = joined(known, &account(Some(since()))).unwrap();
        insta::allow_duplicates! {
            insta::assert_snapshot!(line(&joined), @r#"introduced by cccccccccc "Read the zone once" (code) (at cccccccccc fails 5/5, before it, at dddddddddd passes 5/5)"#);
        }
        assert_eq!(joined.end, AttributionEnd::Found);
    }
}

#[test]
fn an_account_without_a_cause_changes_nothing() {
    assert_eq!(joined(Some(of_knobs()), &account(None)), Some(of_knobs()));
    assert_eq!(joined(None, &account(None)), None);
}
