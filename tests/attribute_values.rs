//! Which of the values that a commit changed at once a failure takes: the real binary on commits that raise several knobs.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commits;
mod ledger;
mod support;

use std::fs;

use commits::Made;
use git2::{Commit, Oid, Repository, Signature, Time};
use ledger::{Ledger, planted};
use serde_json::Value;
use support::Ran;

/// Tests of which each needs other values.
const TESTS: &str = r#"
fn is_set(name: &str) -> bool {
    std::env::var(name).is_ok()
}

#[test]
fn one() {
    assert!(!is_set("RAISED_B"), "b");
}

#[test]
fn together() {
    assert!(!(is_set("RAISED_A") && is_set("RAISED_D")), "a and d");
}

#[test]
fn either() {
    assert!(!(is_set("RAISED_B") || is_set("RAISED_C")), "b or c");
}

#[test]
fn merged() {
    assert!(!is_set("RAISED_F"), "f");
}

#[test]
fn four() {
    let all = ["RAISED_A", "RAISED_B", "RAISED_C", "RAISED_D"];
    assert!(!all.into_iter().all(is_set), "all four");
}
"#;

/// The repository, and the commits that matter.
struct Raised {
    ledger: Ledger,
    good: Oid,
    at_once: Oid,
    within_merge: Oid,
}

fn commit(git: &Repository, message: &str, parents: &[Oid]) -> Oid {
    let mut index = git.index().unwrap();
    let all = git2::IndexAddOption::DEFAULT;
    index.add_all(["*"], all, None).unwrap();
    index.write().unwrap();
    let tree = git.find_tree(index.write_tree().unwrap()).unwrap();
    let person = Signature::new("A", "a@example.com", &Time::new(1_800_000_000, 0)).unwrap();
    let parents: Vec<Commit<'_>> = parents
        .iter()
        .map(|parent| git.find_commit(*parent).unwrap())
        .collect();
    let parents: Vec<&Commit<'_>> = parents.iter().collect();
    git.commit(None, &person, &person, message, &tree, &parents)
        .unwrap()
}

fn raised() -> Raised {
    let ledger = Ledger::new(planted());
    let root = &ledger.project.root;
    let git = Repository::open(root).unwrap();
    let raise = |names: &[&str]| {
        let path = root.join("fidelity.toml");
        let mut text = fs::read_to_string(&path).unwrap();
        for name in names {
            text += &format!("env.RAISED_{name} = \"1\"\n");
        }
        fs::write(path, text).unwrap();
    };
    let begin = git.head().unwrap().target().unwrap();
    fs::create_dir_all(root.join("tests")).unwrap();
    fs::write(root.join("tests/values.rs"), TESTS).unwrap();
    let good = commit(&git, "Test what is raised", &[begin]);
    raise(&["A", "B", "C", "D"]);
    let at_once = commit(&git, "Raise four at once", &[good]);
    raise(&["E"]);
    let first = commit(&git, "Raise E", &[at_once]);
    raise(&["F"]);
    let within_merge = commit(&git, "Raise F", &[first]);
    let merge = commit(&git, "Merge what is raised", &[at_once, within_merge]);
    git.reference("refs/heads/main", merge, true, "test")
        .unwrap();
    let run = [
        "run",
        "--no-gate",
        "--attribute",
        "never",
        "-E",
        "binary(values)",
    ];
    assert_eq!(Ran::of(ledger.tool(&run).output_of()).code, Some(0));
    Raised {
        ledger,
        good,
        at_once,
        within_merge,
    }
}

impl Raised {
    fn attributed(&self, test: &str) -> Value {
        let good = self.good.to_string();
        let ran = self
            .ledger
            .attribute(&[test, "--good", &good])
            .exits_with(0);
        self.ledger.is_clean();
        ran.json()["attribution"].clone()
    }
}

#[track_caller]
fn check(found: &Value, commit: Oid, knobs: &[&str]) {
    let cause = &found["cause"];
    assert_eq!(cause["kind"], "fidelity", "{found:#}");
    assert_eq!(cause["commit"]["id"], commit.to_string(), "{found:#}");
    let named = cause["knobs"].as_array().unwrap().iter();
    let named: Vec<&str> = named.map(|knob| knob["knob"].as_str().unwrap()).collect();
    assert_eq!(named, knobs, "{found:#}");
    // Both ends, and nothing for the values.
    assert!(found["cost"]["builds"].as_u64().unwrap() <= 2, "{found:#}");
}

#[test]
fn of_four_values_that_a_commit_changed_those_are_named_that_it_takes() {
    let raised = raised();
    let found = raised.attributed("one");
    check(&found, raised.at_once, &["env.RAISED_B"]);
    let cause = &found["cause"];
    assert_eq!(
        cause["sufficient"]["place"],
        "profile before + env.RAISED_B"
    );
    assert_eq!(
        cause["sufficient"]["failures"],
        cause["sufficient"]["trials"]
    );
    assert_eq!(
        cause["necessary"][0]["place"],
        "profile since - env.RAISED_B"
    );
    assert_eq!(cause["necessary"][0]["failures"], 0, "{found:#}");
    let found = raised.attributed("together");
    check(&found, raised.at_once, &["env.RAISED_A", "env.RAISED_D"]);
    let notes = found["notes"].to_string();
    assert!(notes.contains("it takes these values together"), "{notes}");
    let found = raised.attributed("either");
    check(&found, raised.at_once, &["env.RAISED_B", "env.RAISED_C"]);
    let notes = found["notes"].to_string();
    assert!(
        notes.contains("either of these values is enough"),
        "{notes}"
    );
}

#[test]
fn a_value_is_traced_to_its_own_commit_within_a_merge_that_changed_several() {
    let raised = raised();
    let found = raised.attributed("merged");
    check(&found, raised.within_merge, &["env.RAISED_F"]);
    assert_eq!(found["cause"]["merge"]["subject"], "Merge what is raised");
}

#[test]
fn values_that_no_small_set_explains_are_not_blamed() {
    let raised = raised();
    let found = raised.attributed("four");
    check(&found, raised.at_once, &[]);
    let notes = found["notes"].to_string();
    let all =
        "the values of env.RAISED_A, env.RAISED_B, env.RAISED_C, env.RAISED_D changed at once";
    assert!(notes.contains(all), "{notes}");
}

/// Makes a commit for each value of `MODE`, runs the tests, attributes from the first on, and checks that `culprit` is found.
#[track_caller]
fn blames_of_values(values: &[&str], culprit: usize) {
    let made = Made::new();
    made.write("src/lib.rs", "");
    let test = r#"#[test]
fn works() {
    assert_ne!(std::env::var("MODE").as_deref(), Ok("production"), "it broke");
}
"#;
    made.write("tests/all.rs", test);
    let commits: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(number, value)| {
            let text = format!("[profile.low]\n\n[profile.high]\nenv.MODE = \"{value}\"\n");
            made.write("fidelity.toml", &text);
            made.write("number", &number.to_string());
            made.commit(value)
        })
        .collect();
    let run = ["run", "--no-gate", "--attribute", "never"];
    let _ran = made.does(&run).exits_with(0);
    let ran = made.attribute(&["works", "--good", &commits[0]], 0);
    let found = ran.json()["attribution"].clone();
    assert_eq!(found["cause"]["kind"], "fidelity", "{found:#}");
    let cause = found["cause"]["commit"]["id"].as_str();
    assert_eq!(cause, Some(&*commits[culprit]), "{found:#}");
}

#[test]
fn of_values_that_go_back_and_forth_the_last_change_is_the_cause() {
    // Back to what passed at the good end, which is known to pass, and to another that passes as well.
    blames_of_values(&["test", "production", "test", "production"], 3);
    blames_of_values(
        &["test", "production", "stage", "production", "production"],
        3,
    );
}
