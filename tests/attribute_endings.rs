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
    let words = ["is no ancestor of", "hint: they are the wrong way round"];
    refuses(&ledger, &backwards, 7, &words);
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
        let notes = found["notes"].to_string();
        let same = "compiler and Cargo.lock are those with which it passed";
        assert!(notes.contains(same), "{notes}");
    }
}

fn commit(git: &git2::Repository, message: &str) -> git2::Oid {
    let mut index = git.index().unwrap();
    index
        .add_all(["*"], git2::IndexAddOption::DEFAULT, None)
        .unwrap();
    index.write().unwrap();
    let tree = git.find_tree(index.write_tree().unwrap()).unwrap();
    let person = git2::Signature::new("A", "a@example.com", &git2::Time::new(1_800_000_000, 0));
    let (person, parent) = (
        person.unwrap(),
        git.head().unwrap().peel_to_commit().unwrap(),
    );
    let made = git.commit(Some("HEAD"), &person, &person, message, &tree, &[&parent]);
    made.unwrap()
}

#[test]
fn a_commit_of_the_lock_file_alone_is_a_commit_like_any_other_and_said_to_be_one() {
    let ledger = Ledger::new(planted());
    let root = &ledger.project.root;
    let git = git2::Repository::open(root).unwrap();
    let test = "#[test]\nfn locked() {
    let in_target = std::env::var(\"APP_STRICT\").is_ok();
    assert!(!(in_target && include_str!(\"../Cargo.lock\").contains(\"newer\")));\n}\n";
    fs::create_dir_all(root.join("tests")).unwrap();
    fs::write(root.join("tests/locked.rs"), test).unwrap();
    let good = commit(&git, "Test it").to_string();
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    fs::write(
        root.join("Cargo.lock"),
        format!("{lock}\n[metadata]\nnewer = \"1\"\n"),
    )
    .unwrap();
    let culprit = commit(&git, "Take newer dependencies").to_string();
    fs::write(root.join("notes.md"), "1\n").unwrap();
    commit(&git, "Take notes");
    let run = ["run", "--no-gate", "locked"];
    assert_eq!(Ran::of(ledger.tool(&run).output_of()).code, Some(0));
    let ran = ledger.attribute(&["locked", "--good", &good]).exits_with(0);
    let found = ran.json()["attribution"].clone();
    assert_eq!(
        found["cause"]["commit"]["id"],
        culprit.as_str(),
        "{found:#}"
    );
    assert_eq!(found["cause"]["kind"], "code");
    let notes = found["notes"].to_string();
    assert!(notes.contains("it changes Cargo.lock alone"), "{notes}");
    ledger.is_clean();
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
    let child = started(&ledger, &arguments);
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    assert!(sent.success());
    let ended = Ran::of(child.wait_with_output().unwrap()).exits_with(5);
    let goes_on = "what was seen is kept: the same command goes on";
    assert!(ended.stderr.contains(goes_on), "{}", ended.stderr);
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
        .stderr(Stdio::piped())
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

/// Runs the tool with a disk of its own of so many KiB for checkouts, and returns what it said and what it left there; none where
/// this machine lets nobody mount one.
fn with_disk_of(ledger: &Ledger, kib: u32, arguments: &[&str]) -> Option<(Ran, String)> {
    let disk = ledger.cache.path().join("disk");
    let left = ledger.cache.path().join("left");
    fs::create_dir_all(&disk).unwrap();
    let mounted = format!(
        "mount -t tmpfs -o size={kib}k none {} || exit 99\n",
        disk.display()
    );
    let script = format!(
        "{mounted}\"$@\"\ncode=$?\nfind {} -mindepth 1 > {}\nexit $code",
        disk.display(),
        left.display()
    );
    // A mount in a namespace of mounts is gone with the last process that is in it. Without a right to mount, a user namespace gives it.
    let spaces = [&["-m"][..], &["-U", "-r", "-m"]];
    let may = |space: &&&[&str]| {
        let mut tried = std::process::Command::new("unshare");
        tried.args(**space).args(["sh", "-c", &mounted]);
        let status = tried.stdin(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let space = spaces.iter().find(may)?;
    let tool = ledger.tool(arguments).0;
    let mut command = std::process::Command::new("unshare");
    command.args(*space).args(["sh", "-c", &script, "sh"]);
    command.arg(tool.get_program()).args(tool.get_args());
    if let Some(folder) = tool.get_current_dir() {
        command.current_dir(folder);
    }
    for (name, value) in tool.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let ran = Ran::of(command.stdin(Stdio::null()).output().unwrap());
    let said = fs::read_to_string(&left).unwrap_or_default();
    fs::remove_file(left).unwrap();
    fs::remove_dir(disk).unwrap();
    Some((ran, said))
}

#[test]
fn a_full_disk_is_said_leaves_nothing_and_is_gone_on_from() {
    let ledger = Ledger::new(planted());
    let disk = ledger.cache.path().join("disk");
    let folder = disk.to_str().unwrap().to_owned();
    let arguments = |folder| {
        let what = [
            "attribute",
            "--format",
            "json",
            "booking",
            "--good",
            "main~46",
        ];
        let how = ["--bad", "main~40", "--worktrees", folder];
        [&what[..], &how[..]].concat()
    };
    // Too little for a checkout, and for what is built in one.
    for kib in [32, 1 << 10] {
        let Some((ran, left)) = with_disk_of(&ledger, kib, &arguments(&folder)) else {
            println!("did not run: nobody may mount a file system here");
            return;
        };
        let ran = ran.exits_with(7);
        assert!(ran.stderr.contains("no space is left"), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
        assert!(ran.stderr.contains("--worktrees"), "{}", ran.stderr);
        assert_eq!(left, "", "left on a disk of {kib} KiB");
    }
    let room = ledger.cache.path().join("room");
    let ran = Ran::of(ledger.tool(&arguments(room.to_str().unwrap())).output_of());
    assert_eq!(
        ran.exits_with(0).json()["attribution"]["cause"]["kind"],
        "code"
    );
    assert!(walk(&room).is_empty());
    ledger.is_clean();
}
