//! Since when a knob has its value, in real repositories.

use std::fs;

use super::made::Made;
use crate::attribute::history::{Repository, Subject, set_by};
use crate::domain::{Arm, KnobSetting, SetBy};

/// What gave `knob` of the target a setting that has `value`, in short.
fn set(made: &Made, knob: &str, value: Option<&str>) -> String {
    let repository = Repository::of(made.path()).unwrap();
    let (line, history) = repository.history_to(&Subject::default(), None).unwrap();
    let is = |setting: Option<&KnobSetting>| match (setting, value) {
        (Some(setting), Some(value)) => setting.values().iter().any(|one| one.to_string() == value),
        (setting, value) => setting.is_none() && value.is_none(),
    };
    match set_by(&line, &history, (Arm::Target, &knob.into()), &is) {
        None => "-".to_owned(),
        Some(SetBy::Commit {
            commit,
            merge,
            unread_since,
        }) => {
            let merge = merge.map_or_else(String::new, |merge| format!(" ({})", merge.subject));
            let unread = if unread_since.is_some() { "?" } else { "" };
            format!("{}{merge}{unread}", commit.subject)
        }
        Some(SetBy::Always { unread: true }) => "always?".to_owned(),
        Some(other) => other.as_str().to_owned(),
    }
}

const HIGH: &str = "[profile.high]\n";

#[test]
fn the_last_change_that_gave_a_value_is_named() {
    let mut made = Made::new();
    made.configure("Begin", &format!("{HIGH}nice = 3\numask = \"027\"\n"));
    made.configure("Raise", &format!("{HIGH}nice = 5\numask = \"027\"\n"));
    made.configure("Lower", &format!("{HIGH}nice = 3\numask = \"027\"\n"));
    made.configure("Raise again", &format!("{HIGH}nice = 5\numask = \"027\"\n"));
    made.configure(
        "Say why",
        &format!("# why\n{HIGH}nice = 5\numask = \"027\"\n"),
    );
    assert_eq!(set(&made, "nice", Some("5")), "Raise again");
    assert_eq!(set(&made, "nice", Some("3")), "-");
    assert_eq!(set(&made, "umask", Some("027")), "always");
    assert_eq!(set(&made, "cpus", None), "always");
    made.write("fidelity.toml", &format!("{HIGH}nice = 7\n"));
    assert_eq!(set(&made, "nice", Some("7")), "uncommitted");
    assert_eq!(set(&made, "umask", None), "uncommitted");
}

#[test]
fn a_value_among_several_is_there_since_it_joined_them() {
    let mut made = Made::new();
    let one_of = |zones: &str| format!("{HIGH}tz = {{ one-of = [{zones}] }}\n");
    made.configure("Begin", &one_of("\"UTC\", \"Asia/Tokyo\""));
    made.configure("Add", &one_of("\"UTC\", \"Asia/Tokyo\", \"Pacific/Apia\""));
    made.configure("Drop", &one_of("\"UTC\", \"Pacific/Apia\""));
    assert_eq!(set(&made, "tz", Some("Pacific/Apia")), "Add");
    assert_eq!(set(&made, "tz", Some("UTC")), "always");
}

#[test]
fn merges_gaps_and_clones_that_lack_commits_are_told() {
    let mut made = Made::new();
    let begin = made.configure("Begin", &format!("{HIGH}nice = 3\n"));
    let side = made.configure("Raise on a branch", &format!("{HIGH}nice = 5\n"));
    made.go_to(begin);
    made.write("other.txt", "");
    let parent = made.commit_merging("Meanwhile", &[]).to_string();
    made.write("fidelity.toml", &format!("{HIGH}nice = 5\n"));
    let merge = made.commit_merging("Merge", &[side]);
    assert_eq!(set(&made, "nice", Some("5")), "Raise on a branch (Merge)");
    made.configure("Break", "high = [\n");
    made.configure("Mend", &format!("{HIGH}nice = 5\ncpus = 1\n"));
    assert_eq!(set(&made, "cpus", Some("1")), "Mend?");
    fs::write(made.git.path().join("shallow"), format!("{merge}\n")).unwrap();
    let objects = made.git.path().join("objects");
    fs::remove_file(objects.join(&parent[..2]).join(&parent[2..])).unwrap();
    assert_eq!(set(&made, "nice", Some("5")), "before-this-clone");
    assert_eq!(set(&made, "cpus", Some("1")), "Mend?");
}

#[test]
fn commits_before_the_first_that_can_be_read_leave_it_open() {
    let mut made = Made::new();
    made.configure("Begin with a mistake", "high = [\n");
    made.configure("Mend", &format!("{HIGH}nice = 5\n"));
    assert_eq!(set(&made, "nice", Some("5")), "always?");
}
