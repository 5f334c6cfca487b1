//! Attribution to commits in repositories of every kind, and over histories in which not everything is there: each ends with words of
//! its own, and leaves the repository as it was.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commits;
mod support;

use std::fs;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use commits::{Made, files, git};
use serde_json::Value;
use support::{Project, Ran};

const LIB: &str = "pub mod code;\n#[cfg(test)]\nmod api;\n#[cfg(test)]\nmod db;\n";
/// The same before `api` had a test.
const UNTESTED: &str = "pub mod code;\n#[cfg(test)]\nmod db;\n";
/// Fails where the code is wrong, in production only. It waits where it is told to.
const API: &str = r#"#[test]
fn works() {
    let held = || std::env::var_os("HOLD").is_some_and(|file| std::path::Path::new(&file).exists());
    while held() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(!(crate::code::wrong() && std::env::var_os("MODE").is_some()), "it broke");
}
"#;
const MOVED: &str = r#"#[test]
fn moved() {
    assert!(!(shop::code::wrong() && std::env::var_os("MODE").is_some()), "it broke");
}
"#;
const HIGH: &str = "[profile.low]\n\n[profile.high]\nenv.MODE = \"production\"\n";

/// Writes the code as it is at the commit `number`.
fn code(made: &Made, wrong: bool, number: u32) {
    let text = format!("// {number}\npub fn wrong() -> bool {{\n    {wrong}\n}}\n");
    made.write("src/code.rs", &text);
}

/// Returns a copy of a repository whose third commit breaks two tests, with a run at its newest commit.
fn made() -> Made {
    static MADE: OnceLock<std::path::PathBuf> = OnceLock::new();
    let folder = MADE.get_or_init(|| {
        let made = Made::new();
        made.write("src/lib.rs", LIB);
        made.write("src/api.rs", API);
        made.write("src/db.rs", "#[test]\nfn works() {}\n");
        made.write("tests/new.rs", MOVED);
        made.write("fidelity.toml", HIGH);
        code(&made, false, 1);
        made.commit("Begin");
        made.git(&["tag", "begin"]);
        code(&made, false, 2);
        made.commit("Count");
        code(&made, true, 3);
        made.commit("Break it");
        made.git(&["tag", "culprit"]);
        code(&made, true, 4);
        made.commit("Go on");
        let run = ["run", "--no-gate", "--attribute", "never"];
        let ran = made.does(&run).exits_with(0);
        let found = "HIDDEN DEFECTS  2 tests";
        assert!(ran.stdout.contains(found), "{}", ran.stdout);
        fs::remove_dir_all(made.project.root.join("target")).unwrap();
        let folder = made.project.root.clone();
        std::mem::forget(made);
        folder
    });
    Made::copy_of(folder)
}

/// Goes back to the first commit, to a branch of its own.
fn branch() -> Made {
    let made = made();
    made.git(&["checkout", "--quiet", "-b", "branch", "begin"]);
    made
}

#[track_caller]
fn attribution(ran: &Ran) -> Value {
    ran.json()["attribution"].clone()
}

/// Attributes, and checks that `culprit` is found.
#[track_caller]
fn finds(made: &Made, arguments: &[&str], culprit: &str) -> Value {
    let found = attribution(&made.attribute(arguments, 0));
    assert_eq!(found["cause"]["commit"]["id"], culprit, "{found:#}");
    found
}

/// Attributes, and checks the word for why there is no cause.
#[track_caller]
fn ends(made: &Made, arguments: &[&str], reason: &str) -> Value {
    let found = attribution(&made.attribute(arguments, 7));
    assert_eq!(found["no_cause"]["reason"], reason, "{found:#}");
    found
}

/// Checks how an attribution is refused.
#[track_caller]
fn refuses(made: &Made, arguments: &[&str], code: i32, words: &[&str]) {
    let ran = made.attribute(arguments, code);
    for word in words {
        assert!(ran.stderr.contains(word), "no {word:?} in:\n{}", ran.stderr);
    }
}

#[test]
fn a_commit_without_the_test_is_no_evidence_whatever_else_is_called_so() {
    let made = branch();
    made.write("src/lib.rs", UNTESTED);
    code(&made, true, 5);
    let good = made.commit("Break it before anything tests it");
    made.write("src/lib.rs", LIB);
    made.commit("Test it");
    // `db::works` passes there, and is another test.
    let arguments = ["api::works", "--good", &good, "--bad", "branch"];
    let found = ends(&made, &arguments, "good-untestable");
    assert_eq!(
        found["untestable"][0]["reason"],
        "it has no test `api::works`"
    );
    let words = [&["attribute"], &arguments[..]].concat();
    let page = made.does(&words).exits_with(7).stdout;
    assert!(page.contains("--good REV"), "{page}");
}

#[test]
fn a_test_that_was_gone_on_the_way_leaves_the_commits_without_it() {
    let made = branch();
    made.write("src/lib.rs", UNTESTED);
    let mut suspects = vec![made.commit("Take the test out")];
    code(&made, true, 5);
    suspects.push(made.commit("Break it unseen"));
    made.write("src/lib.rs", LIB);
    suspects.push(made.commit("Put the test back"));
    code(&made, true, 6);
    made.commit("Go on");
    let arguments = ["api::works", "--good", "begin", "--bad", "branch"];
    let found = ends(&made, &arguments, "not-told-apart");
    let named = found["suspects"].as_array().unwrap().iter();
    let mut named: Vec<&str> = named
        .map(|suspect| suspect["commit"]["id"].as_str().unwrap())
        .collect();
    named.sort_unstable();
    suspects.sort_unstable();
    assert_eq!(named, suspects);
    let untestable = found["untestable"].to_string();
    assert!(untestable.contains("it has no test"), "{untestable}");
}

#[test]
fn a_failure_is_known_again_where_the_file_of_the_test_had_another_name() {
    let made = branch();
    made.git(&["mv", "tests/new.rs", "tests/old.rs"]);
    let good = made.commit("Call it old");
    code(&made, true, 5);
    let culprit = made.commit("Break it");
    code(&made, true, 6);
    made.commit("Go on");
    made.git(&["mv", "tests/old.rs", "tests/new.rs"]);
    made.commit("Call it new");
    let arguments = ["moved", "--good", &good, "--bad", "branch"];
    let found = finds(&made, &arguments, &culprit);
    let notes = found["notes"].to_string();
    assert!(
        notes.contains("the test is `shop::old moved` there"),
        "{notes}"
    );
}

#[test]
fn commits_of_other_lines_are_refused_with_what_both_have_in_common() {
    let made = branch();
    code(&made, false, 5);
    let aside = made.commit("Go another way");
    made.git(&["checkout", "--quiet", "--orphan", "alone"]);
    let alone = made.commit("Begin anew");
    made.git(&["checkout", "--quiet", "main"]);
    let base = &made.id("begin")[..10];
    let common = [
        "is no ancestor of",
        &format!("both descend from {base}: try `--good {base}`"),
    ];
    refuses(&made, &["api::works", "--good", &aside], 7, &common);
    let nothing = ["is no ancestor of", "they have no commit in common"];
    refuses(&made, &["api::works", "--good", &alone], 7, &nothing);
}

#[test]
fn a_work_tree_of_a_bare_repository_is_as_good_as_any() {
    let origin = made();
    let (outside, root) = (origin.project.root.parent().unwrap(), &origin.project.root);
    git(
        outside,
        1,
        &["clone", "--quiet", "--bare", "shop", "shop.git"],
    );
    let made = Made::at(Project::empty("tree"));
    let tree = made.project.root.to_str().unwrap();
    let bare = outside.join("shop.git");
    git(&bare, 1, &["worktree", "add", "--quiet", tree, "main"]);
    git(&bare, 1, &["worktree", "lock", tree]);
    copy(&root.join(".fidelity"), &made.project.root);
    let culprit = made.id("culprit");
    finds(&made, &["api::works", "--good", "begin"], &culprit);
}

/// Copies a folder into another.
fn copy(folder: &std::path::Path, into: &std::path::Path) {
    let mut copy = std::process::Command::new("cp");
    copy.arg("-a").args([folder, into]);
    assert!(copy.status().unwrap().success());
}

#[test]
fn a_shallow_clone_is_searched_as_far_as_it_goes() {
    let origin = made();
    let root = &origin.project.root;
    let made = Made::at(Project::empty("clone"));
    let from = format!("file://{}", root.display());
    made.git(&["clone", "--quiet", "--depth", "3", &from, "."]);
    copy(&root.join(".fidelity"), &made.project.root);
    let culprit = origin.id("culprit");
    let found = finds(&made, &["api::works", "--good", "HEAD~2"], &culprit);
    let notes = found["notes"].to_string();
    assert!(notes.contains("the clone is shallow"), "{notes}");
    let begin = origin.id("begin");
    let words = ["is no commit here", "this clone is shallow", "--unshallow"];
    refuses(&made, &["api::works", "--good", &begin], 2, &words);
}

/// Adds the submodule `vendor/rates` whose two commits differ in a rate, at the first; returns it.
fn with_submodule(made: &Made) -> Project {
    let rates = Project::empty("rates");
    git(&rates.root, 1, &["init", "--quiet"]);
    for (minute, rate) in [(1, "1"), (2, "2")] {
        rates.write("rate", rate);
        git(&rates.root, minute, &["add", "--all"]);
        git(
            &rates.root,
            minute,
            &["commit", "--quiet", "--message", rate],
        );
    }
    let from = rates.root.to_str().unwrap();
    made.git(&["submodule", "--quiet", "add", from, "vendor/rates"]);
    git(
        &made.project.root.join("vendor/rates"),
        2,
        &["checkout", "--quiet", "HEAD~1"],
    );
    rates
}

#[test]
fn submodules_are_checked_out_as_each_commit_has_them() {
    let made = branch();
    let rates = with_submodule(&made);
    let reads =
        "pub fn wrong() -> bool {\n    include_str!(\"../vendor/rates/rate\") == \"2\"\n}\n";
    made.write("src/code.rs", reads);
    let good = made.commit("Take the rate from elsewhere");
    made.write("notes", "1");
    made.commit("Take notes");
    git(
        &made.project.root.join("vendor/rates"),
        2,
        &["checkout", "--quiet", "main"],
    );
    let culprit = made.commit("Take the new rate");
    made.write("notes", "2");
    made.commit("Take notes again");
    let arguments = ["api::works", "--good", &good, "--bad", "branch"];
    finds(&made, &arguments, &culprit);

    // A commit of the submodule that was never fetched.
    made.git(&["checkout", "--quiet", "-b", "lost", &good]);
    rates.write("rate", "3");
    git(
        &rates.root,
        3,
        &["commit", "--quiet", "--all", "--message", "3"],
    );
    let id = git(&rates.root, 3, &["rev-parse", "HEAD"]);
    let entry = format!("160000,{},vendor/rates", id.trim());
    made.git(&["update-index", "--cacheinfo", &entry]);
    made.git(&[
        "commit",
        "--quiet",
        "--message",
        "Take a rate that is not here",
    ]);
    made.git(&["checkout", "--quiet", "--force", "main"]);
    let arguments = ["api::works", "--good", "lost~1", "--bad", "lost"];
    let found = ends(&made, &arguments, "bad-untestable");
    let reason = found["untestable"][0]["reason"].as_str().unwrap();
    let missing = format!(
        "submodule vendor/rates at {} is not in this clone",
        id.trim()
    );
    assert!(reason.starts_with(&missing), "{reason}");
}

#[test]
fn a_submodule_that_was_never_fetched_is_missed_only_where_it_is_needed() {
    let made = branch();
    let _rates = with_submodule(&made);
    let good = made.commit("Take rates from elsewhere, for later");
    code(&made, true, 5);
    let culprit = made.commit("Break it");
    code(&made, true, 6);
    made.commit("Go on");
    let needs =
        "pub fn wrong() -> bool {\n    include_str!(\"../vendor/rates/rate\") == \"1\"\n}\n";
    made.write("src/code.rs", needs);
    made.commit("Use them");
    made.git(&["submodule", "--quiet", "deinit", "--force", "vendor/rates"]);
    fs::remove_dir_all(made.project.root.join(".git/modules")).unwrap();
    let arguments = ["api::works", "--good", &good, "--bad", "branch~1"];
    let found = finds(&made, &arguments, &culprit);
    let said = "the submodule vendor/rates is not in this clone, and empty in the checkouts";
    let notes = found["notes"].to_string();
    assert!(notes.contains(said), "{notes}");
    let arguments = ["api::works", "--good", &good, "--bad", "branch"];
    let found = ends(&made, &arguments, "bad-untestable");
    let reason = found["untestable"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("it does not build"), "{reason}");
    assert!(reason.contains("git submodule update --init"), "{reason}");
}

#[test]
fn a_configuration_that_was_moved_unreadable_and_of_another_version_is_followed() {
    let made = branch();
    let words = "# What production is like, so that tests see some of it.\n".repeat(6);
    let file =
        |more: &str| format!("{words}[profile.low]\n\n[profile.high]\nenv.OTHER = \"1\"\n{more}");
    code(&made, true, 5);
    fs::remove_file(made.project.root.join("fidelity.toml")).unwrap();
    made.write("environment.toml", &file(""));
    let good = made.commit("Call it the environment");
    made.git(&["mv", "environment.toml", "fidelity.toml"]);
    made.commit("Call it as the tool does");
    made.write("fidelity.toml", &file("[profile.high\n"));
    made.commit("Make a slip");
    made.write("fidelity.toml", &file("niceness-of-old = 4\n"));
    let older = made.commit("Use what only an earlier version knew");
    made.write("fidelity.toml", &file(""));
    made.commit("Use what this version knows");
    made.write("fidelity.toml", &file("env.MODE = \"production\"\n"));
    let culprit = made.commit("Be like production");
    made.write("notes", "1");
    made.commit("Take notes");
    let arguments = ["api::works", "--good", &good, "--bad", "branch"];
    let found = finds(&made, &arguments, &culprit);
    assert_eq!(found["cause"]["kind"], "fidelity");
    assert_eq!(found["cause"]["knobs"][0]["knob"], "env.MODE");
    let notes = found["notes"].to_string();
    for said in [
        "renamed the configuration from environment.toml to fidelity.toml",
        &format!("the configuration at {} cannot be read", &older[..10]),
        "niceness-of-old",
    ] {
        assert!(notes.contains(said), "no {said:?} in {notes}");
    }
}

#[test]
fn a_profile_of_the_good_end_that_cannot_be_read_is_not_ruled_out() {
    let made = branch();
    made.write("fidelity.toml", "[profile.high\n");
    let slip = made.commit("Make a slip");
    made.write("fidelity.toml", HIGH);
    made.commit("Mend it");
    code(&made, true, 5);
    let culprit = made.commit("Break it");
    code(&made, true, 6);
    made.commit("Go on");
    let unread = format!(
        "the configuration at {} cannot be read, so that only the code was searched",
        &slip[..10]
    );
    // The old code passes under the new profile: the code made the difference, whatever the old profile was.
    let arguments = ["api::works", "--good", &slip, "--bad", "branch"];
    let found = finds(&made, &arguments, &culprit);
    assert!(found["notes"].to_string().contains(&unread), "{found:#}");

    // It fails under it: nobody knows whether it did under the old one.
    made.write("fidelity.toml", "[profile.high\n");
    let slip = made.commit("Make the slip again");
    made.write("fidelity.toml", HIGH);
    made.commit("Mend it again");
    let arguments = ["api::works", "--good", &slip, "--bad", "branch"];
    let found = ends(&made, &arguments, "good-unread");
    let message = found["no_cause"]["message"].as_str().unwrap();
    assert!(message.contains("cannot be read"), "{message}");
    assert!(
        message.contains("it may be the profile that changed"),
        "{message}"
    );
}

#[test]
fn a_search_that_another_process_is_at_is_left_to_it() {
    let made = made();
    let hold = made.cache.path().join("hold");
    fs::write(&hold, "").unwrap();
    let arguments = ["attribute", "api::works", "--good", "begin"];
    let mut first = made.tool(&arguments);
    first
        .env("HOLD", &hold)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut first = first.spawn().unwrap();
    let began = Instant::now();
    while !files(made.cache.path())
        .iter()
        .any(|path| path.extension().is_some_and(|end| end == "done"))
    {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "nothing is checked out"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = made.does(&arguments).exits_with(2);
    assert!(
        second.stderr.contains("another process"),
        "{}",
        second.stderr
    );
    fs::remove_file(&hold).unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert!(files(made.cache.path()).is_empty());
}

#[test]
fn a_damaged_repository_is_said_to_be() {
    let made = made();
    let tree = made.git(&["rev-parse", "culprit^{tree}"]);
    let tree = tree.trim();
    let object = format!(".git/objects/{}/{}", &tree[..2], &tree[2..]);
    let object = made.project.root.join(object);
    fs::remove_file(&object).unwrap();
    fs::write(&object, "damaged").unwrap();
    let words = ["could not compare a commit with its parent", "git fsck"];
    refuses(&made, &["api::works", "--good", "begin"], 7, &words);
}

#[test]
fn a_repository_of_another_format_is_not_called_damaged() {
    let made = made();
    let config = made.project.root.join(".git/config");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace("repositoryformatversion = 0", "repositoryformatversion = 1");
    fs::write(
        &config,
        format!("{text}[extensions]\n\trefstorage = reftable\n"),
    )
    .unwrap();
    let ran = made.does(&["attribute", "api::works", "--good", "begin"]);
    let ran = ran.exits_with(7);
    assert!(
        ran.stderr.contains("has a format that is not read here"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("fsck"), "{}", ran.stderr);
}

#[test]
fn where_the_workspace_was_moved_the_manifest_that_is_missing_is_named() {
    let made = branch();
    fs::create_dir(made.project.root.join("moved")).unwrap();
    let moved = [
        "src",
        "tests",
        "Cargo.toml",
        "Cargo.lock",
        "fidelity.toml",
        ".gitignore",
        "moved",
    ];
    made.git(&[&["mv"], &moved[..]].concat());
    fs::rename(
        made.project.root.join(".fidelity"),
        made.project.root.join("moved/.fidelity"),
    )
    .unwrap();
    made.commit("Move it");
    let within = made.project.root.join("moved");
    let options = [
        "attribute",
        "api::works",
        "--good",
        "begin",
        "--bad",
        "branch",
        "--format",
        "json",
    ];
    let ran = made.tool(&options).current_dir(within).output().unwrap();
    let found = attribution(&Ran::of(ran).exits_with(7));
    let reasons = found["untestable"].to_string();
    // The bad end is tried first, and has it.
    assert!(
        reasons.contains("there is no moved/Cargo.toml"),
        "{found:#}"
    );
}
