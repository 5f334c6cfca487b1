//! What is outside code and profile: the compiler, and commits that change what is built with. The real binary, with a compiler
//! that says it is another one.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ledger;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use git2::{Oid, Repository, Signature, Time};
use ledger::{Ledger, planted};
use support::Ran;

fn commit(git: &Repository, message: &str) -> Oid {
    let mut index = git.index().unwrap();
    let all = git2::IndexAddOption::DEFAULT;
    index.add_all(["*"], all, None).unwrap();
    index.write().unwrap();
    let tree = git.find_tree(index.write_tree().unwrap()).unwrap();
    let person = Signature::new("A", "a@example.com", &Time::new(1_800_000_000, 0)).unwrap();
    let parent = git.head().unwrap().peel_to_commit().unwrap();
    git.commit(Some("HEAD"), &person, &person, message, &tree, &[&parent])
        .unwrap()
}

/// Returns a compiler that is the same but for the day it says it was made on.
fn another_compiler(ledger: &Ledger) -> PathBuf {
    let path = ledger.cache.path().with_extension("rustc");
    let real = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = -vV ] || exec {real} \"$@\"\n{real} -vV | sed 's/^commit-date: .*/commit-date: 2001-01-01/'\n"
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_compiler_that_is_not_the_one_with_which_it_passed_is_named_beside_outside() {
    let ledger = Ledger::new(planted());
    let git = Repository::open(&ledger.project.root).unwrap();
    let run = ["run", "--no-gate", "--seed", "1", "outside"];
    assert_eq!(Ran::of(ledger.tool(&run).output_of()).code, Some(0));
    let good = git.head().unwrap().target().unwrap();
    fs::write(ledger.project.root.join("docs/notes.md"), "- taken\n").unwrap();
    commit(&git, "Take a note");
    let compiler = another_compiler(&ledger);
    let changed = |arguments: &[&str]| {
        let mut ready = ledger.tool(arguments);
        ready.0.env("LEDGER_OUTSIDE", "1").env("RUSTC", &compiler);
        Ran::of(ready.output_of())
    };
    assert_eq!(changed(&run).code, Some(0));
    let ran = changed(&["attribute", "--commits", "--format", "json", "outside"]);
    let found = ran.exits_with(0).json()["attribution"].clone();
    assert_eq!(found["good"]["id"], good.to_string());
    assert_eq!(found["cause"]["kind"], "outside", "{found:#}");
    assert_eq!(found["cause"]["wording"], "environment outside the profile");
    let notes = found["notes"].to_string();
    let words = "the compiler is not that with which it passed";
    assert!(notes.contains(words), "{notes}");
    fs::remove_file(compiler).unwrap();
    ledger.is_clean();
}

#[test]
fn a_commit_that_changes_what_is_built_with_beside_the_code_is_said_to() {
    let ledger = Ledger::new(planted());
    let root = &ledger.project.root;
    let git = Repository::open(root).unwrap();
    let test = "#[test]\nfn with_newer() {
    let in_target = std::env::var(\"APP_STRICT\").is_ok();
    assert!(!(in_target && include_str!(\"../Cargo.lock\").contains(\"newer\")));\n}\n";
    fs::create_dir_all(root.join("tests")).unwrap();
    fs::write(root.join("tests/newer.rs"), test).unwrap();
    let good = commit(&git, "Test it").to_string();
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let newer = format!("{lock}\n[metadata]\nnewer = \"1\"\n");
    fs::write(root.join("Cargo.lock"), newer).unwrap();
    fs::write(root.join("docs/notes.md"), "- newer\n").unwrap();
    let culprit = commit(&git, "Take newer dependencies, and a note").to_string();
    let run = ["run", "--no-gate", "with_newer"];
    assert_eq!(Ran::of(ledger.tool(&run).output_of()).code, Some(0));
    let ran = ledger
        .attribute(&["with_newer", "--good", &good])
        .exits_with(0);
    let found = ran.json()["attribution"].clone();
    assert_eq!(found["cause"]["commit"]["id"], culprit, "{found:#}");
    let notes = found["notes"].to_string();
    let words = "it changes Cargo.lock as well: it may be a dependency";
    assert!(notes.contains(words), "{notes}");
    ledger.is_clean();
}
