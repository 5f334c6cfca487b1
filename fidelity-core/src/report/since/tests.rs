//! The page and the JSON of an attribution to commits, as people and programs read them.

use super::*;
use crate::attribute::account::{Cost, KnobChange, Suspect, wording};
use crate::attribute::history::CommitId;
use crate::domain::{CauseKind, RunId, TestId};

fn commit(letter: char, subject: &str) -> CommitInfo {
    CommitInfo {
        id: CommitId(letter.to_string().repeat(40)),
        author: "A Developer".to_owned(),
        date: "2023-11-16T10:13:20+00:00".to_owned(),
        subject: subject.to_owned(),
    }
}

fn tally(place: &str, failures: u32, trials: u32) -> Tally {
    Tally {
        place: place.to_owned(),
        trials,
        failures,
    }
}

fn account() -> Account {
    Account {
        test: TestId::new("ledger", "region::tests::works"),
        run: Some(RunId(7)),
        good: commit('a', "Begin"),
        bad: commit('f', "Take a note"),
        commits: 58,
        from_history: false,
        cause: None,
        no_cause: None,
        suspects: Vec::new(),
        cells: Vec::new(),
        untestable: vec![(
            commit('e', "Tally"),
            "it does not build: expected `;`".to_owned(),
        )],
        notes: vec!["at bbbbbbbbbb the test is `region::works` there".to_owned()],
        cost: Cost {
            trials: 28,
            trials_ms: 1_900,
            builds: 10,
            builds_ms: 5_200,
        },
    }
}

fn both() -> Account {
    let words = (
        Some("bbbbbbbbbb \"Look it up\""),
        Some("cccccccccc \"Move to the region\""),
    );
    Account {
        cause: Some(Cause {
            kind: CauseKind::Both,
            wording: wording(CauseKind::Both, words, true, "aaaaaaaaaa"),
            confidence: 0.904,
            knobs: vec![KnobChange {
                knob: "env.APP_REGION".to_owned(),
                before: None,
                after: Some("eu-west".to_owned()),
            }],
            commit: Some(commit('b', "Look it up")),
            exposed_by: Some(commit('c', "Move to the region")),
            merge: Some(commit('d', "Merge \u{1b}[31mregions")),
            sufficient: Some(tally("at bbbbbbbbbb", 3, 3)),
            necessary: vec![tally("before it, at 9999999999", 0, 3)],
        }),
        cells: vec![
            tally("old code, old profile", 0, 3),
            tally("old code, new profile", 0, 0),
        ],
        ..account()
    }
}

#[test]
fn a_cause_is_told_with_what_it_rests_on() {
    insta::assert_snapshot!(render(&both(), &Style::default()));
}

#[test]
fn commits_that_are_not_told_apart_are_listed_with_what_to_do() {
    let suspects = (0..12).map(|number| Suspect {
        commit: commit('b', &format!("Change {number}")),
        probability: 1.0 / 12.0,
    });
    let account = Account {
        no_cause: Some((
            "out-of-budget".to_owned(),
            "the limit of trials was reached before one commit was left".to_owned(),
        )),
        suspects: suspects.collect(),
        ..account()
    };
    insta::assert_snapshot!(render(&account, &Style::default()));
}

#[test]
fn programs_get_the_same() {
    insta::assert_snapshot!(render_json(&both()));
}

#[test]
fn what_is_stored_is_read_back() {
    let text = serde_json::to_string(&both()).unwrap();
    assert_eq!(serde_json::from_str::<Account>(&text).unwrap(), both());
}
