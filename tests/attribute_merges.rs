//! Attribution to commits where lines part and meet: what is compared with what, and which side of a merge is looked into.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commits;
mod support;

use commits::Made;
use serde_json::Value;

const TEST: &str = r#"#[test]
fn works() {
    let mode = std::env::var("MODE").unwrap_or_default();
    assert!(!(shop::WRONG && mode == "production"), "it broke");
}
"#;

fn made() -> Made {
    let made = Made::new();
    made.write("tests/all.rs", TEST);
    mode(&made, "production");
    made
}

fn mode(made: &Made, mode: &str) {
    let text = format!("[profile.low]\n\n[profile.high]\nenv.MODE = \"{mode}\"\n");
    made.write("fidelity.toml", &text);
}

fn commit(made: &Made, wrong: bool, subject: &str) -> String {
    made.write("src/lib.rs", &format!("pub const WRONG: bool = {wrong};\n"));
    note(made, subject)
}

/// Commits what has nothing to do with it.
fn note(made: &Made, subject: &str) -> String {
    made.write(&format!("notes/{subject}"), subject);
    made.commit(subject)
}

fn branch(made: &Made, name: &str, from: &str) {
    made.git(&["checkout", "--quiet", "-b", name, from]);
}

fn merge(made: &Made, arguments: &[&str]) -> String {
    let common = ["merge", "--quiet", "--no-ff", "--message", "Merge"];
    made.git(&[&common[..], arguments].concat());
    made.id("HEAD")
}

fn main_of(made: &Made) {
    made.git(&["checkout", "--quiet", "main"]);
}

/// Runs the tests, attributes, and returns the attribution with a cause.
#[track_caller]
fn found(made: &Made, good: &str) -> Value {
    let run = ["run", "--no-gate", "--attribute", "never"];
    let _ran = made.does(&run).exits_with(0);
    made.attribute(&["works", "--good", good], 0).json()["attribution"].clone()
}

#[test]
fn a_commit_whose_parent_fails_as_well_is_not_blamed_because_the_good_end_is_on_another_line() {
    let made = made();
    commit(&made, true, "broken from the first");
    branch(&made, "mended", "main");
    let good = commit(&made, false, "mend it aside");
    main_of(&made);
    note(&made, "go on");
    note(&made, "go on further");
    // It says that it has the branch, and has nothing of it.
    let merge = merge(&made, &["--strategy", "ours", "mended"]);
    note(&made, "go on after it");
    let found = found(&made, &good);
    assert_eq!(found["cause"]["commit"]["id"], merge, "{found:#}");
    let notes = found["notes"].to_string();
    let said = "one side failed already where both parted, and the other passes";
    assert!(notes.contains(said), "{notes}");
}

#[test]
fn the_side_that_the_good_end_is_not_on_is_looked_into_as_well() {
    let made = made();
    commit(&made, false, "begin");
    branch(&made, "aside", "main");
    let good = note(&made, "go aside");
    note(&made, "go on aside");
    main_of(&made);
    note(&made, "go on");
    let culprit = commit(&made, true, "break it");
    note(&made, "go on after it");
    let merge = merge(&made, &["aside"]);
    let found = found(&made, &good);
    assert_eq!(found["cause"]["commit"]["id"], culprit, "{found:#}");
    assert_eq!(found["cause"]["merge"]["id"], merge, "{found:#}");
}

#[test]
fn a_commit_that_a_merge_of_three_brought_in_is_found() {
    let made = made();
    let good = commit(&made, false, "begin");
    branch(&made, "first", "main");
    note(&made, "go aside");
    branch(&made, "second", "main");
    note(&made, "go elsewhere");
    let culprit = commit(&made, true, "break it");
    note(&made, "go on elsewhere");
    main_of(&made);
    note(&made, "go on");
    merge(&made, &["first", "second"]);
    let found = found(&made, &good);
    assert_eq!(found["cause"]["commit"]["id"], culprit, "{found:#}");
}

#[test]
fn a_value_that_came_from_the_side_without_the_good_end_is_put_down_to_its_commit() {
    let made = made();
    mode(&made, "test");
    commit(&made, true, "begin");
    branch(&made, "aside", "main");
    let good = note(&made, "go aside");
    main_of(&made);
    note(&made, "go on");
    mode(&made, "production");
    let culprit = note(&made, "raise it");
    note(&made, "go on after it");
    merge(&made, &["aside"]);
    let found = found(&made, &good);
    assert_eq!(found["cause"]["kind"], "fidelity", "{found:#}");
    assert_eq!(found["cause"]["commit"]["id"], culprit, "{found:#}");
}

#[test]
fn of_lines_that_merged_each_other_the_merge_is_named_that_brought_it_in() {
    let made = made();
    let good = commit(&made, false, "begin");
    branch(&made, "aside", "main");
    let early = note(&made, "go aside");
    let culprit = commit(&made, true, "break it");
    main_of(&made);
    let base = note(&made, "go on");
    // Each takes an earlier state of the other.
    merge(&made, &[&early]);
    note(&made, "go on further");
    made.git(&["checkout", "--quiet", "aside"]);
    merge(&made, &[&base]);
    note(&made, "go on aside");
    main_of(&made);
    let merge = merge(&made, &["aside"]);
    let found = found(&made, &good);
    assert_eq!(found["cause"]["commit"]["id"], culprit, "{found:#}");
    assert_eq!(found["cause"]["merge"]["id"], merge, "{found:#}");
}
