//! Since when a test fails that fails beside another one only: the real binary on a repository in which one test begins to leave a
//! mark that another stumbles over.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ledger;
mod support;

use std::fs;

use git2::{Oid, Repository, Signature, Time};
use ledger::{Ledger, planted};
use serde_json::Value;
use support::{Project, Ran};

/// Tests that share a process, of which the first leaves a mark or not.
fn tests(mark: bool) -> String {
    format!(
        r#"use std::sync::atomic::{{AtomicBool, Ordering::SeqCst}};

static MARK: AtomicBool = AtomicBool::new(false);

#[test]
fn a_leaves_a_mark() {{
    MARK.store({mark}, SeqCst);
}}

#[test]
fn b_passes() {{}}

#[test]
fn z_expects_no_mark() {{
    assert!(!MARK.load(SeqCst), "there is a mark");
}}
"#
    )
}

/// The repository, and its commits that matter.
struct Marked {
    ledger: Ledger,
    good: Oid,
    culprit: Oid,
}

fn marked() -> Marked {
    let ledger = Ledger::new(planted());
    let root = &ledger.project.root;
    let git = Repository::open(root).unwrap();
    let commit = |message: &str| {
        let mut index = git.index().unwrap();
        let all = git2::IndexAddOption::DEFAULT;
        index.add_all(["*"], all, None).unwrap();
        index.write().unwrap();
        let tree = git.find_tree(index.write_tree().unwrap()).unwrap();
        let person = Signature::new("A", "a@example.com", &Time::new(1_800_000_000, 0)).unwrap();
        let parent = git.head().unwrap().peel_to_commit().unwrap();
        git.commit(Some("HEAD"), &person, &person, message, &tree, &[&parent])
            .unwrap()
    };
    let profile = fs::read_to_string(root.join("fidelity.toml")).unwrap();
    let shared = format!("{profile}process = \"shared\"\nthreads = 1\n");
    fs::write(root.join("fidelity.toml"), shared).unwrap();
    fs::create_dir_all(root.join("tests")).unwrap();
    fs::write(root.join("tests/company.rs"), tests(false)).unwrap();
    let good = commit("Test in one process");
    let note = |text: &str| {
        fs::write(
            root.join("src/entry.rs"),
            format!("//! {text}\npub const ENTRY: u32 = 1;\n"),
        )
        .unwrap();
        commit(text)
    };
    note("Renumber once more");
    fs::write(root.join("tests/company.rs"), tests(true)).unwrap();
    let culprit = commit("Leave a mark");
    note("Renumber again");
    note("Renumber for the last time");
    Marked {
        ledger,
        good,
        culprit,
    }
}

impl Marked {
    /// Makes a run of the tests with a seed, attributes the one that fails, and checks that its commit is named.
    #[track_caller]
    fn is_found_after(&self, seed: &str, options: &[&str]) -> Ran {
        let run = ["run", "--no-gate", "--attribute", "never", "--seed", seed];
        let run = [&run[..], &["-E", "binary(company)"], options].concat();
        let ran = Ran::of(self.ledger.tool(&run).output_of());
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        let good = self.good.to_string();
        let ran = self
            .ledger
            .attribute(&["z_expects_no_mark", "--good", &good]);
        let ran = ran.exits_with(0);
        let found = ran.json()["attribution"].clone();
        assert_eq!(found["cause"]["kind"], "code", "{found:#}");
        assert_eq!(found["cause"]["commit"]["id"], self.culprit.to_string());
        let notes = found["notes"].to_string();
        let words = "it fails among other tests only: at each commit it was run among all tests";
        assert!(notes.contains(words), "{notes}");
        self.ledger.is_clean();
        ran
    }
}

/// Passes at the bad end, alone, after which a failure is said not to be there.
const PASSES: u64 = 30;

#[test]
fn what_a_run_saw_pass_alone_is_tried_beside_the_others_at_once() {
    // With the first seed it then failed in a pass of its binary, with the third in passes of the suite alone.
    for (seed, among) in [
        ("1", "all tests of its binary"),
        ("3", "all tests that the run selected"),
    ] {
        let ran = marked().is_found_after(seed, &[]);
        let words = format!("it passes alone, and is tried among {among}");
        assert!(ran.stderr.contains(&words), "{}", ran.stderr);
        let cost = &ran.json()["attribution"]["cost"];
        assert!(cost["trials"].as_u64().unwrap() < PASSES, "{cost}");
    }
}

#[test]
fn what_passes_alone_at_the_bad_end_is_tried_beside_the_others_then() {
    // So few trials are all of passes of the suite.
    let ran = marked().is_found_after("1", &["--max-trials", "8"]);
    let cost = &ran.json()["attribution"]["cost"];
    assert!(PASSES < cost["trials"].as_u64().unwrap(), "{cost}");
    // Both ends were built for the trials alone, and two commits between them.
    assert!(cost["builds"].as_u64().unwrap() <= 4, "{cost}");
}

/// Two tests of which each, under the target's settings, stumbles over what the other left: whichever comes second.
const EACH_OTHER: &str = r#"fn works(own: &str, other: &str) {
    let place = std::env::temp_dir();
    std::fs::write(place.join(own), "").unwrap();
    let is_strict = std::env::var_os("MODE").is_some();
    assert!(!(is_strict && place.join(other).exists()), "there is a mark");
}

#[test]
fn a_works() {
    works("a", "b");
}

#[test]
fn b_works() {
    works("b", "a");
}

#[test]
fn c_passes() {}
"#;

#[test]
fn tests_that_fail_by_each_other_among_suspects_alone_are_tried_among_their_binary() {
    let project = Project::library("one", "");
    let write = |name: &str, text: &str| {
        let path = project.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("tests/each_other.rs", EACH_OTHER);
    write(
        "fidelity.toml",
        "[profile.low]\n\n[profile.high]\nenv.MODE = \"strict\"\norder = \"shuffle\"\n",
    );
    let does = |arguments: &[&str]| Ran::of(project.tool(arguments).output().unwrap());
    let run = ["run", "--no-gate", "-j", "1", "--attribute", "never"];
    let _ran = does(&[&run[..], &["--seed", "1"]].concat()).exits_with(0);
    let explained = does(&["explain", "b_works"]).exits_with(0).stdout;
    assert!(
        explained.contains("the suspects only   fails"),
        "{explained}"
    );
    let ran = does(&["attribute", "b_works", "--format", "json"]).exits_with(0);
    let words = "b_works does not fail alone, and is tried among";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let json = ran.json();
    let cause = &json["attributions"][0]["cause"];
    let knobs = cause["knobs"].as_array().unwrap().iter();
    let names: Vec<&str> = knobs.map(|knob| knob["knob"].as_str().unwrap()).collect();
    assert_eq!(names, ["env.MODE", "scope"], "{json:#}");
    // What was seen alone is not tried again.
    let trials = |json: &Value| {
        let attribution = &json["attributions"][0]["attribution"];
        attribution["trials"].as_u64().unwrap()
    };
    let again = does(&["attribute", "b_works", "--format", "json"]).exits_with(0);
    assert_eq!(trials(&again.json()), trials(&json));
}
