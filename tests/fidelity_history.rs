//! Since when knobs have their values: the real binary in repositories whose environment changed in every way it can.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commits;
mod support;

use std::fs;

use commits::git;
use serde_json::Value;
use support::{Project, Ran};

/// Tests that fail under one value of a knob each.
const SOURCE: &str = r#"
fn is(name: &str, value: &str) -> bool { std::env::var(name).as_deref() == Ok(value) }
#[test] fn inherited() { assert!(!is("REGION", "south")); }
#[test] fn old() { assert!(!is("MODE", "strict")); }
#[test] fn new() { assert!(!is("LIMIT", "1")); }
#[test] fn typed() { assert!(!is("TYPED", "yes")); }
"#;

/// Makes a repository: `REGION` is raised in a profile that is inherited from, then the file gets its name; then a file of `inputs`
/// changes; the limit is not committed.
fn planted() -> Project {
    let project = Project::library("planted", SOURCE);
    let root = project.root.clone();
    let words = "# What production is like, so that tests see some of it.\n".repeat(6);
    let file = |region: &str, more: &str| {
        format!(
            "{words}[profile.low]\n\n[profile.region]\nenv.REGION = \"{region}\"\n\n[profile.high]\ninherits = \
             \"region\"\ninputs = [\"schema/**\"]\nenv.MODE = \"strict\"\n{more}"
        )
    };
    let mut minute = 0;
    let mut commit = |subject: &str| {
        minute += 1;
        git(&root, minute, &["add", "--all"]);
        git(&root, minute, &["commit", "--quiet", "--message", subject]);
    };
    git(&root, 0, &["init", "--quiet"]);
    project.write(".gitignore", "target\n.fidelity\nCargo.lock\n");
    project.write("schema/1.sql", "CREATE TABLE account;\n");
    project.write("environment.toml", &file("north", ""));
    commit("Begin");
    project.write("environment.toml", &file("south", ""));
    commit("Move south");
    fs::rename(root.join("environment.toml"), root.join("fidelity.toml")).unwrap();
    commit("Call the file as the tool does");
    project.write("schema/2.sql", "CREATE TABLE entry;\n");
    commit("Add a table");
    project.write("fidelity.toml", &file("south", "env.LIMIT = \"1\"\n"));
    project
}

/// Returns the knob of the cause of a test.
#[track_caller]
fn knob(report: &Value, name: &str) -> Value {
    let tests = report["tests"].as_array().unwrap();
    let test = tests.iter().find(|test| test["test"] == name).unwrap();
    let knobs = test["cause"]["knobs"].as_array();
    let knobs = knobs.unwrap_or_else(|| panic!("no cause: {test:#}"));
    assert_eq!(knobs.len(), 1, "{test:#}");
    knobs[0].clone()
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const RUN: &[&str] = &["run", "--attribute", "all", "--no-gate"];
const JSON: &[&str] = &["--format", "json"];

#[test]
fn a_run_tells_since_when_the_knobs_of_its_causes_are_set() {
    let project = planted();
    let typed = ["--set", "high.env.TYPED=yes"];
    let ran = project.run(&[RUN, &typed, JSON].concat()).exits_with(0);
    let report = ran.json();
    let region = knob(&report, "inherited");
    assert_eq!(region["knob"], "env.REGION");
    let since = &region["since"];
    assert_eq!(since["by"], "commit", "{region:#}");
    assert_eq!(since["profile"], "high");
    assert_eq!(since["commit"]["subject"], "Move south");
    assert_eq!(since["commit"]["author"], "A Developer");
    assert_eq!(since["commit"]["date"], "2026-03-01T12:02:00+01:00");
    for (name, by) in [
        ("old", "always"),
        ("new", "uncommitted"),
        ("typed", "command-line"),
    ] {
        let knob = knob(&report, name);
        assert_eq!(knob["since"]["by"], by, "{knob:#}");
        assert_eq!(knob["since"]["commit"], Value::Null);
    }
    // When a knob was set is no claim about when the test began to fail.
    assert!(
        report["tests"]
            .as_array()
            .unwrap()
            .iter()
            .all(|test| test["cause"]["commit"].is_null())
    );

    // What is stored says it: the same bytes every time, whatever became of the repository.
    let id = since["commit"]["id"].as_str().unwrap();
    fs::remove_dir_all(project.root.join(".git")).unwrap();
    let again = project
        .run(&[&["report", "--no-gate"], JSON].concat())
        .exits_with(0);
    assert_eq!(again.stdout, ran.stdout);
    let sentence = format!(
        "env.REGION is south in high since {} (2026-03-01, A Developer): Move south",
        &id[..10]
    );
    let page = project.run(&["report", "--no-gate"]).exits_with(0).stdout;
    assert!(flat(&page).contains(&sentence), "{page}");
    assert!(
        flat(&page).contains("env.LIMIT is 1 in high by a change that is not committed yet"),
        "{page}"
    );
    let junit = project
        .run(&["report", "--no-gate", "--format", "junit"])
        .exits_with(0)
        .stdout;
    let property = format!("<property name=\"fidelity.cause.since\" value=\"{sentence}\"/>");
    assert!(junit.contains(&property), "{junit}");
    let told = project.run(&["explain", "inherited"]).exits_with(0).stdout;
    assert!(flat(&told).contains(&sentence), "{told}");
    assert!(flat(&told).contains("that is when it was set"), "{told}");
}

#[test]
fn an_attribution_of_a_stored_run_tells_it_too_and_a_shallow_clone_says_where_it_ends() {
    let project = planted();
    git(&project.root, 9, &["checkout", "--quiet", "fidelity.toml"]);
    let clone = Project::empty("clone");
    let from = format!("file://{}", project.root.display());
    git(
        &clone.root,
        9,
        &["clone", "--quiet", "--depth", "1", &from, "."],
    );
    let run = ["run", "--attribute", "never", "--no-gate", "inherited"];
    for (project, by) in [(&project, "commit"), (&clone, "before-this-clone")] {
        let _ran = project.run(&run).exits_with(0);
        let attributed = project.run(&[&["attribute", "inherited"], JSON].concat());
        let document = attributed.exits_with(0).json();
        let knob = &document["attributions"][0]["cause"]["knobs"][0];
        assert_eq!(knob["since"]["by"], by, "{document:#}");
        let report = project
            .run(&[&["report", "--no-gate"], JSON].concat())
            .exits_with(0);
        assert_eq!(self::knob(&report.json(), "inherited"), *knob);
    }
    let told = clone.run(&["explain", "inherited"]).exits_with(0).stdout;
    assert!(flat(&told).contains(": the history is shallow"), "{told}");
    let history = clone.run(&["history", "env.REGION"]).exits_with(0).stdout;
    assert!(history.contains("this clone is shallow"), "{history}");
    assert!(history.contains("git fetch --unshallow"), "{history}");
    let document = clone
        .run(&[&["history"], JSON].concat())
        .exits_with(0)
        .json();
    assert_eq!(
        (&document["complete"], &document["shallow"]),
        (&false.into(), &true.into())
    );
}

#[test]
fn the_history_of_each_knob_is_told() {
    let project = planted();
    insta::assert_snapshot!(
        "fidelity_history",
        project.run(&["history"]).exits_with(0).stdout
    );
    let one = project
        .run(&[&["history", "env.REGION"], JSON].concat())
        .exits_with(0)
        .json();
    let knobs = one["knobs"].as_array().unwrap();
    assert_eq!(knobs.len(), 1, "{one:#}");
    let changes = knobs[0]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{one:#}");
    assert_eq!(
        (&changes[0]["before"], &changes[0]["after"]),
        (&"north".into(), &"south".into())
    );
    assert_eq!(changes[0]["commit"]["subject"], "Move south");
    assert_eq!(one["renames"][0]["from"], "environment.toml");
    assert_eq!(
        (&one["commits"], &one["complete"]),
        (&4.into(), &true.into())
    );
    let never = project.run(&["history", "nice"]).exits_with(0).stdout;
    assert!(never.contains("nice was never set"), "{never}");
    let slip = project.run(&["history", "umaks"]).exits_with(2);
    assert!(
        slip.stderr.contains("did you mean `umask`?"),
        "{}",
        slip.stderr
    );
}

#[test]
fn without_a_repository_there_is_no_history_and_runs_say_nothing() {
    let project = Project::library("planted", SOURCE);
    project.write(
        "fidelity.toml",
        "[profile.low]\n[profile.high]\nenv.MODE = \"strict\"\n",
    );
    let none: Ran = project.run(&["history"]).exits_with(7);
    assert!(
        none.stderr.contains("is in no git repository"),
        "{}",
        none.stderr
    );
    assert!(none.stderr.contains("run it in a clone"), "{}", none.stderr);
    let ran = project.run(&[RUN, &["old"], JSON].concat()).exits_with(0);
    assert_eq!(knob(&ran.json(), "old")["since"], Value::Null);
    assert!(!ran.stderr.contains("not told"), "{}", ran.stderr);
    git(&project.root, 0, &["init", "--quiet"]);
    let empty = project.run(&["history"]).exits_with(7);
    assert!(
        empty.stderr.contains("has no commit yet"),
        "{}",
        empty.stderr
    );
}

#[test]
fn what_was_there_before_the_file_and_a_baseline_that_was_set_later_are_told() {
    let source = r#"
fn is(name: &str, value: &str) -> bool { std::env::var(name).as_deref() == Ok(value) }
#[test] fn sheltered() { assert!(is("MODE", "kind")); }
#[test] fn narrow() { assert!(!std::env::temp_dir().to_string_lossy().contains(' ')); }
"#;
    let project = Project::library("planted", source);
    let root = project.root.clone();
    let commit = |minute: u32, subject: &str| {
        git(&root, minute, &["add", "--all"]);
        git(&root, minute, &["commit", "--quiet", "--message", subject]);
    };
    git(&root, 0, &["init", "--quiet"]);
    project.write(".gitignore", "target\n.fidelity\nCargo.lock\n");
    commit(1, "Begin");
    let never = project.run(&["history", "tmpdir"]).exits_with(0).stdout;
    let words =
        "as in the built-in fidelity profile: no commit has a fidelity.toml\n    tmpdir   space";
    assert!(never.contains(words), "{never}");
    let file = |low: &str| {
        format!("[profile.low]\n{low}\n[profile.high]\ntmpdir = \"space\"\nenv.MODE = \"hard\"\n")
    };
    project.write("fidelity.toml", &file("env.MODE = \"hard\""));
    commit(2, "Say what production is like");
    project.write("fidelity.toml", &file("env.MODE = \"kind\""));
    commit(3, "Be kind to developers");
    let ran = project.run(&[RUN, JSON].concat()).exits_with(0);
    let narrow = knob(&ran.json(), "narrow")["since"].clone();
    assert_eq!(narrow["by"], "built-in", "{narrow:#}");
    assert_eq!(narrow["file"]["subject"], "Say what production is like");
    let mode = knob(&ran.json(), "sheltered")["since"].clone();
    assert_eq!(mode["commit"]["subject"], "Say what production is like");
    let low = &mode["baseline"];
    assert_eq!(
        (&low["profile"], &low["setting"]),
        (&"low".into(), &"kind".into())
    );
    assert_eq!(low["commit"]["subject"], "Be kind to developers");
    let told = flat(&project.run(&["explain", "sheltered"]).exits_with(0).stdout);
    let sentence = format!(
        "env.MODE is kind in low since {} (2026-03-01, A Developer): Be kind to developers",
        &low["commit"]["id"].as_str().unwrap()[..10]
    );
    assert!(told.contains(&sentence), "{told}");
    let history = project.run(&["history", "tmpdir"]).exits_with(0).stdout;
    let came = "fidelity.toml came with";
    assert!(history.contains(came), "{history}");
}
