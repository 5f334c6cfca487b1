//! How attributions to commits end that come to no cause, or are cut short: each with words of its own, and nothing left behind.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ledger;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ledger::{Ledger, planted, walk};
use support::Ran;

/// Attributes, and returns the word for why there is no cause.
#[track_caller]
fn no_cause(ledger: &Ledger, arguments: &[&str]) -> String {
    let ran = ledger.attribute(arguments).exits_with(7);
    let found = ran.json()["attribution"].clone();
    ledger.is_clean();
    found["no_cause"]["reason"].as_str().unwrap().to_owned()
}

/// Checks how an attribution is refused: the exit code, and words of the error.
#[track_caller]
fn refuses(ledger: &Ledger, arguments: &[&str], code: i32, words: &[&str]) {
    let ran = ledger.attribute(arguments).exits_with(code);
    for word in words {
        assert!(ran.stderr.contains(word), "no {word:?} in:\n{}", ran.stderr);
    }
    ledger.is_clean();
}

#[test]
fn ends_that_do_not_differ_are_said_to() {
    let ledger = Ledger::new(planted());
    let ends = ["booking", "--good", "begin", "--bad", "main~50"];
    assert_eq!(no_cause(&ledger, &ends), "bad-passes");
    assert_eq!(
        no_cause(&ledger, &["booking", "--good", "main~2"]),
        "good-fails"
    );
}

#[test]
fn revisions_that_make_no_line_are_refused_with_a_hint() {
    let ledger = Ledger::new(planted());
    let backwards = ["booking", "--good", "main", "--bad", "begin"];
    refuses(&ledger, &backwards, 7, &["is no ancestor of", "hint: "]);
    let unknown = ["booking", "--good", "nowhere"];
    refuses(&ledger, &unknown, 2, &["`nowhere` is no commit here"]);
    let same = ["booking", "--good", "main", "--bad", "main"];
    refuses(&ledger, &same, 2, &["are the same commit"]);
}

#[test]
fn a_test_that_no_run_saw_fail_is_told_what_to_do() {
    let ledger = Ledger::new(planted());
    let stable = ["number_7", "--good", "begin"];
    refuses(
        &ledger,
        &stable,
        7,
        &["no run has seen", "cargo fidelity run"],
    );
    refuses(
        &ledger,
        &["no_such_test", "--good", "begin"],
        2,
        &["has no test"],
    );
    // Without a good end, and with no run at an earlier commit, there is nothing to start from.
    refuses(&ledger, &["booking"], 7, &["--good REV"]);
}

#[test]
fn a_shallow_clone_says_what_is_missing() {
    let ledger = Ledger::new(planted());
    let git = git2::Repository::open(&ledger.project.root).unwrap();
    let oldest = git.revparse_single("main~20").unwrap().id();
    let begin = git.revparse_single("begin").unwrap().id().to_string();
    fs::write(git.path().join("shallow"), format!("{oldest}\n")).unwrap();
    refuses(
        &ledger,
        &["booking", "--good", &begin],
        7,
        &["shallow", "git fetch --unshallow"],
    );
    refuses(
        &ledger,
        &["booking", "--good", "main~30"],
        2,
        &["is no commit here", "shallow"],
    );
}

#[test]
fn no_repository_and_a_bare_one_are_each_said() {
    let ledger = Ledger::new(planted());
    let folder = ledger.project.root.join(".git");
    let bare = git2::Repository::open(&folder).unwrap();
    bare.config().unwrap().set_bool("core.bare", true).unwrap();
    let ran = ledger
        .attribute(&["booking", "--good", "begin"])
        .exits_with(7);
    assert!(ran.stderr.contains("is bare"), "{}", ran.stderr);
    fs::rename(&folder, ledger.project.root.join("moved")).unwrap();
    let ran = ledger
        .attribute(&["booking", "--good", "begin"])
        .exits_with(7);
    assert!(
        ran.stderr.contains("is in no git repository"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_detached_head_a_dirty_tree_and_locks_are_left_as_they_are() {
    let ledger = Ledger::new(planted());
    let root = &ledger.project.root;
    let git = git2::Repository::open(root).unwrap();
    let head = git.head().unwrap().target().unwrap();
    git.set_head_detached(head).unwrap();
    let changed = root.join("src/entry.rs");
    fs::write(&changed, "pub const ENTRY: u32 = 99;\n").unwrap();
    fs::write(root.join("fidelity.toml"), "[profile.high]\n").unwrap();
    fs::write(git.path().join("index.lock"), "").unwrap();
    let before = fs::read(git.path().join("index")).unwrap();
    let ends = ["booking", "--good", "main~46", "--bad", "main~40"];
    let ran = ledger.attribute(&ends).exits_with(0);
    // The profile of the work tree is not the one under which it failed, and is not asked.
    assert_eq!(ran.json()["attribution"]["cause"]["kind"], "code");
    assert_eq!(fs::read(git.path().join("index")).unwrap(), before);
    assert!(git.path().join("index.lock").exists());
    assert_eq!(
        fs::read_to_string(changed).unwrap(),
        "pub const ENTRY: u32 = 99;\n"
    );
    assert!(git.head_detached().unwrap());
    assert!(walk(ledger.cache.path()).is_empty());
}

#[test]
fn what_changed_outside_of_code_and_profile_is_said_to_be_outside() {
    // With the second seed the newest run has no pass of suspects alone in the target.
    for seed in ["1", "5"] {
        let ledger = Ledger::new(planted());
        let git = git2::Repository::open(&ledger.project.root).unwrap();
        let earlier = git.revparse_single("main~1").unwrap().id();
        go_to(&git, earlier);
        let run = ["run", "--no-gate", "--seed", seed, "outside"];
        assert_eq!(Ran::of(ledger.tool(&run).output_of()).code, Some(0));
        git.set_head("refs/heads/main").unwrap();
        git.checkout_head(Some(git2::build::CheckoutBuilder::new().force()))
            .unwrap();
        let outside = |arguments: &[&str]| {
            let mut ready = ledger.tool(arguments);
            ready.0.env("LEDGER_OUTSIDE", "1");
            Ran::of(ready.output_of())
        };
        assert_eq!(outside(&run).code, Some(0));
        let ran = outside(&["attribute", "--commits", "--format", "json", "outside"]);
        let found = ran.exits_with(0).json()["attribution"].clone();
        assert_eq!(found["cause"]["kind"], "outside", "{found:#}");
        assert_eq!(found["cause"]["wording"], "environment outside the profile");
        assert_eq!(found["good"]["id"], earlier.to_string());
    }
}

fn go_to(git: &git2::Repository, commit: git2::Oid) {
    git.set_head_detached(commit).unwrap();
    git.checkout_head(Some(git2::build::CheckoutBuilder::new().force()))
        .unwrap();
}

#[test]
fn stored_results_alone_name_the_commits_they_do_not_tell_apart() {
    let ledger = Ledger::new(planted());
    let git = git2::Repository::open(&ledger.project.root).unwrap();
    go_to(&git, git.revparse_single("main~6").unwrap().id());
    let run = ["run", "--no-gate", "rounding"];
    assert_eq!(Ran::of(ledger.tool(&run).output_of()).code, Some(0));
    let ran = ledger
        .attribute(&["rounding", "--from-history"])
        .exits_with(7);
    let found = ran.json()["attribution"].clone();
    assert_eq!(found["from_history"], true);
    assert_eq!(found["cost"]["builds"], 0);
    let culprit = git.revparse_single("main~3").unwrap().id().to_string();
    let suspects = found["suspects"].as_array().unwrap();
    assert!(
        suspects
            .iter()
            .any(|suspect| suspect["commit"]["id"] == culprit.as_str()),
        "{found:#}"
    );
}

#[test]
fn a_killed_search_leaves_nothing_that_survives_the_next_and_goes_on() {
    let ledger = Ledger::new(planted());
    let arguments = ["attribute", "--format", "json", "region", "--good", "begin"];
    let mut child = started(&ledger, &arguments);
    child.kill().unwrap();
    child.wait().unwrap();
    let git = git2::Repository::open(&ledger.project.root).unwrap();
    assert!(git.worktrees().unwrap().is_empty());
    let ran = Ran::of(ledger.tool(&arguments).output_of()).exits_with(0);
    assert!(ran.stderr.contains("going on after"), "{}", ran.stderr);
    assert_eq!(ran.json()["attribution"]["cause"]["kind"], "both");
    ledger.is_clean();
}

#[test]
fn an_interrupted_search_cleans_up_and_goes_on_and_is_explained_when_it_has_ended() {
    let ledger = Ledger::new(planted());
    let arguments = ["attribute", "--format", "json", "region", "--good", "begin"];
    let mut child = started(&ledger, &arguments);
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(5));
    ledger.is_clean();
    let ran = Ran::of(ledger.tool(&arguments).output_of()).exits_with(0);
    assert!(ran.stderr.contains("going on after"), "{}", ran.stderr);
    let explained = Ran::of(ledger.tool(&["explain", "region"]).output_of()).exits_with(0);
    assert!(
        explained.stdout.contains("SINCE WHEN, AND BY WHAT"),
        "{}",
        explained.stdout
    );
    let explain = ["explain", "region", "--format", "json"];
    let explained = Ran::of(ledger.tool(&explain).output_of()).exits_with(0);
    assert_eq!(explained.json()["attribution"]["cause"]["kind"], "both");
}

/// Starts the tool, and waits until some commits were checked out: something was built, and trials were made.
fn started(ledger: &Ledger, arguments: &[&str]) -> std::process::Child {
    let mut ready = ledger.tool(arguments);
    let mut child = ready
        .0
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while walk(ledger.cache.path())
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "done"))
        .count()
        < 3
    {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "nothing was checked out"
        );
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn a_limit_of_trials_is_kept_before_the_ends_were_seen_to_differ() {
    let ledger = Ledger::new(planted());
    let ran = ledger.attribute(&["rounding", "--good", "before-rounding", "--max-trials", "4"]);
    let ran = ran.exits_with(7);
    let found = ran.json()["attribution"].clone();
    assert_eq!(found["no_cause"]["reason"], "out-of-budget", "{found:#}");
    let made = found["cost"]["trials"].as_u64().unwrap();
    assert!(made <= 4, "{found:#}");
}

#[test]
fn a_folder_that_takes_no_checkouts_is_said() {
    let ledger = Ledger::new(planted());
    let file = ledger.cache.path().join("file");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    let file = file.to_str().unwrap();
    let ran = ledger
        .attribute(&["booking", "--good", "begin", "--worktrees", file])
        .exits_with(7);
    assert!(
        ran.stderr.contains("--worktrees DIRECTORY"),
        "{}",
        ran.stderr
    );
}
