//! Histories of real repositories.

use std::fs;

use git2::Oid;

use super::made::Made;
use crate::attribute::history::{
    At, CommitId, End, FidelityHistory, HistoryError, Repository, Subject,
};

fn history(made: &Made) -> FidelityHistory {
    history_of(made, &Subject::default())
}

fn history_of(made: &Made, subject: &Subject<'_>) -> FidelityHistory {
    let repository = Repository::of(made.path()).unwrap();
    repository.fidelity_history(subject).unwrap()
}

/// The changes of the target in short: `knob before->after: subject`.
fn said(history: &FidelityHistory) -> Vec<String> {
    let value = |setting: &Option<crate::domain::KnobSetting>| {
        setting.as_ref().map_or("-".to_owned(), ToString::to_string)
    };
    let lines = history.changes.iter().map(|found| {
        let change = &found.change;
        let subject = found
            .commit
            .as_ref()
            .map_or("uncommitted", |info| &info.subject);
        let (before, after) = (value(&change.before), value(&change.after));
        let mut words = format!("{} {before}->{after}: {subject}", change.knob);
        if let Some(merge) = &found.merge {
            words += &format!(" ({})", merge.subject);
        }
        words
    });
    lines.collect()
}

const HIGH: &str = "[profile.high]\n";

#[test]
fn effective_values_count_and_texts_do_not() {
    let mut made = Made::new();
    made.configure("Begin", &format!("{HIGH}nice = 3\n"));
    made.configure("Reformat", &format!("# words\n{HIGH}nice   = 3\n"));
    made.configure(
        "Inherit",
        &format!("[profile.base]\nnice = 3\n{HIGH}inherits = \"base\"\n"),
    );
    made.configure(
        "Raise what is inherited",
        &format!("[profile.base]\nnice = 5\n{HIGH}inherits = \"base\"\n"),
    );
    made.configure(
        "Take an old preset",
        &format!("{HIGH}inherits = \"preset:realistic@1\"\nnice = 5\n"),
    );
    made.configure(
        "Take a new preset with the same values",
        &format!("{HIGH}inherits = \"preset:realistic\"\nnice = 5\n"),
    );
    let history = history(&made);
    assert_eq!(history.commits, 6);
    assert_eq!(
        said(&history),
        [
            "nice 3->5: Raise what is inherited",
            "cpus -->2: Take an old preset",
            "open-files -->1024: Take an old preset",
            "order -->shuffle: Take an old preset",
            "tmpdir -->space: Take an old preset",
            "tz -->one of America/St_Johns, Pacific/Apia: Take an old preset",
            "umask -->027: Take an old preset",
        ]
    );
    let info = history.changes[0].commit.as_ref().unwrap();
    assert_eq!(info.author, "A Developer");
    assert_eq!(info.date, "2023-11-14T23:17:20+01:00");
    assert_eq!(history.end, End::Root);
}

#[test]
fn without_a_file_the_built_in_profiles_hold() {
    let mut made = Made::new();
    made.write("lib.rs", "");
    made.commit_merging("No file", &[]);
    made.configure(
        "The same, written",
        "[profile.high]\ninherits = \"preset:realistic\"\n",
    );
    made.configure(
        "Another",
        "[profile.high]\ninherits = \"preset:realistic\"\ncpus = 1\n",
    );
    fs::remove_file(made.path().join("fidelity.toml")).unwrap();
    made.commit_merging("Removed", &[]);
    assert_eq!(
        said(&history(&made)),
        ["cpus 2->1: Another", "cpus 1->2: Removed"]
    );
}

#[test]
fn a_renamed_file_is_followed() {
    let mut made = Made::new();
    let padding = "# the same words in both, so that they are alike\n".repeat(5);
    made.write("ci.toml", &format!("{padding}{HIGH}nice = 1\n"));
    made.commit_merging("Begin", &[]);
    made.write("ci.toml", &format!("{padding}{HIGH}nice = 2\n"));
    made.commit_merging("Raise", &[]);
    fs::rename(
        made.path().join("ci.toml"),
        made.path().join("fidelity.toml"),
    )
    .unwrap();
    let renamed = made.commit_merging("Rename", &[]);
    made.configure("Raise again", &format!("{padding}{HIGH}nice = 3\n"));
    let history = history(&made);
    assert_eq!(
        said(&history),
        ["nice 1->2: Raise", "nice 2->3: Raise again"]
    );
    let (commit, from, to) = &history.renames[0];
    assert_eq!(commit.0, renamed.to_string());
    assert_eq!(
        (from.to_str(), to.to_str()),
        (Some("ci.toml"), Some("fidelity.toml"))
    );
    let file = made.path().join("fidelity.toml");
    let named = Subject {
        config_file: Some(&file),
        ..Subject::default()
    };
    assert_eq!(history_of(&made, &named), history);
}

#[test]
fn the_content_of_inputs_is_a_value() {
    let mut made = Made::new();
    let toml = format!("{HIGH}inputs = [\"migrations/**\", \"*.csv\"]\n");
    made.write("migrations/1.sql", "a");
    made.configure("Begin", &toml);
    made.write("migrations/deep/2.sql", "b");
    made.commit_merging("Add one", &[]);
    made.write("src/lib.rs", "");
    made.commit_merging("Something else", &[]);
    made.write("table.csv", "1,2");
    made.commit_merging("Add a table", &[]);
    let found = said(&history(&made));
    let subjects: Vec<&str> = found
        .iter()
        .map(|line| line.rsplit(": ").next().unwrap())
        .collect();
    assert_eq!(subjects, ["Add one", "Add a table"]);
    assert!(
        found[0].starts_with("inputs.migrations/** 1 file, content "),
        "{found:?}"
    );
    assert!(found[0].contains("->2 files, content "), "{found:?}");
    assert!(
        found[1].starts_with("inputs.*.csv no file->1 file"),
        "{found:?}"
    );

    made.write("migrations/1.sql", "changed");
    let found = said(&history(&made));
    assert!(found[2].contains("->not committed, content "), "{found:?}");
    assert!(found[2].ends_with(": uncommitted"), "{found:?}");
}

#[test]
fn a_merge_that_brought_a_value_in_is_entered() {
    let mut made = Made::new();
    let base = made.configure("Begin", &format!("{HIGH}nice = 1\n"));
    made.configure("Raise aside", &format!("{HIGH}nice = 2\n"));
    made.write("b", "");
    let side = made.commit_merging("Go on aside", &[]);
    made.go_to(base);
    made.write("a", "");
    made.commit_merging("Go on", &[]);
    made.write("fidelity.toml", &format!("{HIGH}nice = 2\n"));
    made.commit_merging("Merge", &[side]);
    assert_eq!(said(&history(&made)), ["nice 1->2: Raise aside (Merge)"]);
}

#[test]
fn what_is_not_committed_is_the_last_change() {
    let mut made = Made::new();
    made.configure("Begin", &format!("{HIGH}nice = 1\n"));
    made.write("fidelity.toml", &format!("{HIGH}nice = 9\n"));
    let history = history(&made);
    assert_eq!(said(&history), ["nice 1->9: uncommitted"]);
    assert_eq!(history.changes[0].change.at, At::Uncommitted);
}

#[test]
fn files_that_cannot_be_read_are_named_with_the_reason() {
    let mut made = Made::new();
    made.configure("Begin", &format!("{HIGH}nice = 1\n"));
    let broken = made.configure("Break", "[profile.high\n");
    let later = made.configure("Old schema", &format!("{HIGH}niceness-of-old = 4\n"));
    let binary = made.configure("Not UTF-8", "x");
    fs::write(made.path().join("fidelity.toml"), b"\xff\xfe").unwrap();
    let bytes = made.commit_merging("Bytes", &[]);
    made.configure("Repair", &format!("{HIGH}nice = 2\n"));
    let history = history(&made);
    assert_eq!(said(&history), ["nice 1->2: Repair"]);
    let since = history.changes[0].change.unread_since.clone();
    assert_eq!(since, Some(At::Commit(CommitId(broken.to_string()))));
    let ids: Vec<String> = history
        .unreadable
        .iter()
        .map(|(at, _)| match at {
            At::Commit(id) => id.0.clone(),
            At::Uncommitted => "uncommitted".to_owned(),
        })
        .collect();
    assert_eq!(
        ids,
        [broken, later, binary, bytes].map(|id: Oid| id.to_string())
    );
    let reasons: Vec<&str> = history
        .unreadable
        .iter()
        .map(|(_, why)| why.as_str())
        .collect();
    assert!(reasons[1].contains("niceness-of-old"), "{reasons:?}");
    assert_eq!(reasons[3], "the file is not UTF-8");
}

#[test]
fn a_shallow_clone_says_where_it_ends() {
    let mut made = Made::new();
    made.configure("Begin", &format!("{HIGH}nice = 1\n"));
    let oldest = made.configure("Raise", &format!("{HIGH}nice = 2\n"));
    made.configure("Raise again", &format!("{HIGH}nice = 3\n"));
    fs::write(made.git.path().join("shallow"), format!("{oldest}\n")).unwrap();
    let parent = made
        .git
        .find_commit(oldest)
        .unwrap()
        .parent_id(0)
        .unwrap()
        .to_string();
    let objects = made.git.path().join("objects");
    fs::remove_file(objects.join(&parent[..2]).join(&parent[2..])).unwrap();
    let history = history(&made);
    assert_eq!(said(&history), ["nice 2->3: Raise again"]);
    let oldest = CommitId(oldest.to_string());
    assert_eq!(
        history.end,
        End::Missing {
            oldest,
            shallow: true
        }
    );
}

#[test]
fn a_workspace_below_the_top_has_its_own_file_and_inputs() {
    let mut made = Made::new();
    made.write(
        "service/fidelity.toml",
        &format!("{HIGH}nice = 1\ninputs = [\"data/*\"]\n"),
    );
    made.commit_merging("Begin", &[]);
    made.write("data/elsewhere", "");
    made.write("fidelity.toml", &format!("{HIGH}nice = 5\n"));
    made.commit_merging("Elsewhere", &[]);
    made.write("service/data/here", "");
    made.commit_merging("Here", &[]);
    let repository = Repository::of(&made.path().join("service")).unwrap();
    let history = repository.fidelity_history(&Subject::default()).unwrap();
    let found = said(&history);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with(": Here"), "{found:?}");
}

#[test]
fn no_repository_no_commit_and_no_work_tree_are_each_an_error() {
    let plain = tempfile::tempdir().unwrap();
    let error = Repository::of(plain.path()).err();
    assert!(matches!(error, Some(HistoryError::NoRepository { .. })));
    let bare = tempfile::tempdir().unwrap();
    git2::Repository::init_bare(bare.path()).unwrap();
    let error = Repository::of(bare.path()).err();
    assert!(matches!(error, Some(HistoryError::Bare { .. })));
    let made = Made::new();
    let error = Repository::of(made.path())
        .unwrap()
        .fidelity_history(&Subject::default());
    assert!(matches!(error, Err(HistoryError::NoCommit { .. })));
    let mut made = Made::new();
    made.configure("Begin", HIGH);
    let elsewhere = plain.path().join("fidelity.toml");
    let subject = Subject {
        config_file: Some(&elsewhere),
        ..Subject::default()
    };
    let error = Repository::of(made.path())
        .unwrap()
        .fidelity_history(&subject);
    assert!(matches!(error, Err(HistoryError::Outside { .. })));
}
