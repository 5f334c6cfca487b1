//! The fidelity history as its readers see it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::*;
use crate::attribute::history::{Change, Point, Values};
use crate::domain::{CommitInfo, KnobValue};

fn id(letter: char) -> CommitId {
    CommitId(letter.to_string().repeat(40))
}

fn commit(letter: char, subject: &str) -> CommitInfo {
    CommitInfo {
        id: id(letter),
        author: "A Developer".to_owned(),
        date: "2023-11-14T23:17:20+01:00".to_owned(),
        subject: subject.to_owned(),
    }
}

fn text(value: &str) -> KnobSetting {
    KnobSetting::Fixed(KnobValue::Text(value.to_owned()))
}

fn change(
    knob: &str,
    (before, after): (Option<KnobSetting>, Option<KnobSetting>),
    by: Option<CommitInfo>,
) -> FidelityChange {
    let at = |info: &CommitInfo| At::Commit(info.id.clone());
    FidelityChange {
        change: Change {
            arm: Arm::Target,
            knob: knob.into(),
            before,
            after,
            at: by.as_ref().map_or(At::Uncommitted, at),
            merged_by: None,
            unread_since: None,
        },
        commit: by,
        merge: None,
    }
}

fn points(last: Values) -> Line {
    let point = |at, state| Point {
        at,
        merges: 0,
        has_file: true,
        state,
    };
    let values = |values| State::Known(Rc::new(values));
    vec![
        point(At::Commit(id('a')), values(Values::default())),
        point(At::Commit(id('c')), State::Unreadable("no TOML".into())),
        point(At::Uncommitted, values(last)),
    ]
}

/// A knob that two commits set, the second in a merge and after one that cannot be read; one that is not committed; one that
/// was always there; one that was taken away; and the content of files.
fn history(end: End, asked: Option<&str>) -> KnobHistory {
    let (utc, apia) = (text("UTC"), text("Pacific/Apia"));
    let mut moved = change(
        "tz",
        (Some(utc.clone()), Some(apia.clone())),
        Some(commit('d', "Move to the \u{1b}[31mislands")),
    );
    moved.merge = Some(commit('e', "Merge islands"));
    moved.change.unread_since = Some(At::Commit(id('c')));
    let database = text("postgres://someone:secret@db/ledger");
    let target = BTreeMap::from([
        ("env.DATABASE_URL".into(), database.clone()),
        (
            "inputs.migrations/**".into(),
            text("3 files, content 0badcafe"),
        ),
        ("tz".into(), apia),
        ("umask".into(), KnobSetting::Fixed(KnobValue::Mode(0o027))),
    ]);
    let line = points(Values::new(BTreeMap::new(), target));
    let files = (
        Some(text("2 files, content 00c0ffee")),
        Some(text("3 files, content 0badcafe")),
    );
    let history = FidelityHistory {
        changes: vec![
            change("tz", (None, Some(utc)), Some(commit('b', "Pin the zone"))),
            change(
                "nice",
                (Some(KnobSetting::Fixed(KnobValue::Count(5))), None),
                Some(commit('b', "Pin the zone")),
            ),
            moved,
            change(
                "inputs.migrations/**",
                files,
                Some(commit('f', "Add a column")),
            ),
            change("env.DATABASE_URL", (None, Some(database)), None),
        ],
        unreadable: vec![(At::Commit(id('c')), "expected a table".to_owned())],
        renames: vec![(
            id('f'),
            PathBuf::from("ci/environment.toml"),
            PathBuf::from("fidelity.toml"),
        )],
        commits: 128,
        first: Some(commit('a', "Begin")),
        file: FileFrom::Beginning,
        end,
    };
    KnobHistory::new(["low", "high"].map(str::to_owned), asked, (&line, history))
}

#[test]
fn each_knob_is_told_with_its_values_and_who_set_them() {
    let wide = Style {
        width: 100,
        ..Style::default()
    };
    insta::assert_snapshot!("human", render(&history(End::Root, None), &wide));
}

#[test]
fn a_narrow_page_stays_within_its_columns() {
    let page = render(
        &history(End::Root, None),
        &Style {
            width: 60,
            ..Style::default()
        },
    );
    assert!(
        page.lines().all(|line| line.chars().count() <= 60),
        "{page}"
    );
}

#[test]
fn a_clone_that_lacks_commits_says_so() {
    let end = End::Missing {
        oldest: id('a'),
        shallow: true,
    };
    insta::assert_snapshot!(
        "shallow",
        render(&history(end, Some("tz")), &Style::default())
    );
}

#[test]
fn a_history_whose_first_commits_cannot_be_read_says_from_where_on_it_is_known() {
    let last = BTreeMap::from([("nice".into(), KnobSetting::Fixed(KnobValue::Count(3)))]);
    let mut line = points(Values::new(BTreeMap::new(), last));
    line.swap(0, 1);
    let past = FidelityHistory {
        changes: Vec::new(),
        unreadable: Vec::new(),
        renames: Vec::new(),
        commits: 2,
        first: Some(commit('a', "Begin")),
        file: FileFrom::Beginning,
        end: End::Root,
    };
    let names = ["low", "high"].map(str::to_owned);
    let page = render(
        &KnobHistory::new(names, None, (&line, past)),
        &Style::default(),
    );
    assert!(
        page.contains("at aaaaaaaaaa already, the first that can be read\n    nice   3"),
        "{page}"
    );
}

#[test]
fn a_file_that_came_later_is_said_to_have_followed_the_built_in_profiles() {
    let mut later = history(End::Root, None);
    later.file = FileFrom::Commit(commit('b', "Add fidelity.toml"));
    insta::assert_snapshot!("later", render(&later, &Style::default()));
    later.file = FileFrom::Nowhere;
    let page = render(&later, &Style::default());
    assert!(
        page.contains(": no commit has a fidelity.toml\n    umask   027"),
        "{page}"
    );
}

#[test]
fn programs_get_the_same() {
    insta::assert_snapshot!("json", render_json(&history(End::Root, None)));
}

#[test]
fn a_knob_is_asked_for_by_its_name_or_its_first_parts() {
    let named = |asked: &str| {
        let history = history(End::Root, Some(asked));
        let knobs = history.knobs.into_iter();
        knobs.map(|past| past.knob.0).collect::<Vec<_>>()
    };
    assert_eq!(named("env"), ["env.DATABASE_URL"]);
    assert_eq!(named("env.DATABASE_URL"), ["env.DATABASE_URL"]);
    assert_eq!(named("env.DATABASE"), [""; 0]);
    assert_eq!(named("nice"), ["nice"]);
    assert!(history(End::Root, Some("t")).is_empty());
}

#[test]
fn a_knob_that_changed_often_is_cut_unless_it_was_asked_for() {
    let changes = (0..30).map(|number| {
        let value = |number| Some(KnobSetting::Fixed(KnobValue::Count(number)));
        let by = commit('b', &format!("Raise it to {}", number + 1));
        change("nice", (value(number), value(number + 1)), Some(by))
    });
    let past = FidelityHistory {
        changes: changes.collect(),
        unreadable: Vec::new(),
        renames: Vec::new(),
        commits: 31,
        first: Some(commit('a', "Begin")),
        file: FileFrom::Beginning,
        end: End::Root,
    };
    let last = BTreeMap::from([("nice".into(), KnobSetting::Fixed(KnobValue::Count(30)))]);
    let line = points(Values::new(BTreeMap::new(), last));
    let told = |asked| {
        let names = ["low", "high"].map(str::to_owned);
        let history = KnobHistory::new(names, asked, (&line, past.clone()));
        render(&history, &Style::default())
    };
    let all = told(None);
    assert_eq!(all.matches("since").count(), LISTED, "{all}");
    assert!(
        all.contains("-> and 21 earlier values: cargo fidelity history nice"),
        "{all}"
    );
    assert_eq!(told(Some("nice")).matches("since").count(), 30);
}
