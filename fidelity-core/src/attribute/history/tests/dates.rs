//! Since when a knob has its value, in real repositories.

use std::fs;

use super::made::Made;
use crate::attribute::history::{
    FidelityHistory, Line, Repository, State, Subject, baseline_set_by, set_by,
};
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
        Some(SetBy::Always { unread: true, .. }) => "always?".to_owned(),
        Some(SetBy::BuiltIn { file: Some(file) }) => format!("built in until {}", file.subject),
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

#[test]
fn what_held_before_there_was_a_file_is_that_of_the_built_in_profile() {
    let mut made = Made::new();
    made.write("lib.rs", "");
    made.commit_merging("No file", &[]);
    assert_eq!(set(&made, "cpus", Some("2")), "built-in");
    made.write(
        "fidelity.toml",
        "[profile.high]\ninherits = \"preset:realistic\"\n",
    );
    assert_eq!(set(&made, "cpus", Some("2")), "built-in");
    made.commit_merging("The same, written", &[]);
    made.configure(
        "More",
        "[profile.high]\ninherits = \"preset:realistic\"\nnice = 5\n",
    );
    assert_eq!(
        set(&made, "cpus", Some("2")),
        "built in until The same, written"
    );
    assert_eq!(set(&made, "nice", Some("5")), "More");
}

/// Reads no further back than to where `nice` of the target was something else, and returns how many commits that were, with what gave
/// it its value in the target and later in the baseline.
fn as_far_as_needed(made: &Made) -> (usize, Option<SetBy>, Option<SetBy>) {
    let knob = "nice".into();
    let repository = Repository::of(made.path()).unwrap();
    let subject = Subject::default();
    let (whole, all) = repository.history_to(&subject, None).unwrap();
    let State::Known(now) = &whole.last().unwrap().state else {
        panic!("it cannot be read now");
    };
    let of = |arm| now.of(arm).get(&knob).cloned();
    let (low, high) = (of(Arm::Baseline), of(Arm::Target));
    let low = |setting: Option<&KnobSetting>| setting == low.as_ref();
    let high = |setting: Option<&KnobSetting>| setting == high.as_ref();
    let told = |line: &Line, history: &FidelityHistory| {
        let baseline = baseline_set_by(line, history, &knob, [&low, &high]);
        (set_by(line, history, (Arm::Target, &knob), &high), baseline)
    };
    let part = repository.history_since(&subject, None, &mut |point| match &point.state {
        State::Known(values) => !high(values.of(Arm::Target).get(&knob)),
        State::Unreadable(_) => false,
    });
    let (line, history) = part.unwrap();
    let (target, baseline) = told(&line, &history);
    assert_eq!((target.clone(), baseline.clone()), told(&whole, &all));
    (history.commits, target, baseline)
}

#[test]
fn no_more_is_read_than_tells_it() {
    let mut made = Made::new();
    let both = |low: u32, high: u32| format!("[profile.low]\nnice = {low}\n{HIGH}nice = {high}\n");
    let subject = |set_by: Option<SetBy>| match set_by {
        Some(SetBy::Commit { commit, .. }) => commit.subject,
        other => format!("{other:?}"),
    };
    made.configure("Begin", &both(1, 1));
    made.configure("Raise the baseline", &both(2, 1));
    let fork = made.configure("Raise", &both(2, 5));
    let (commits, target, baseline) = as_far_as_needed(&made);
    assert_eq!((commits, baseline), (2, None));
    assert_eq!(subject(target), "Raise");
    made.configure("Lower the baseline", &both(1, 5));
    let (commits, target, baseline) = as_far_as_needed(&made);
    assert_eq!(commits, 3);
    assert_eq!(subject(target), "Raise");
    assert_eq!(subject(baseline), "Lower the baseline");

    // The branch left the line before the part that is read of it, with the value that the merge goes back to.
    made.write("aside", "");
    let line = made.configure("Lower", &both(1, 3));
    made.go_to(fork);
    made.write("aside", "");
    let side = made.commit_merging("Go aside", &[]);
    made.go_to(line);
    made.configure("Go on", &both(1, 3));
    made.write("fidelity.toml", &both(1, 5));
    made.commit_merging("Merge", &[side]);
    let (commits, target, _) = as_far_as_needed(&made);
    assert_eq!(commits, 2);
    assert_eq!(subject(target), "Merge");
}
