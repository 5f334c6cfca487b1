//! Stores that are shared, full, read-only, damaged, foreign or gone: said clearly, and nothing is damaged.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Project, Ran};

const RUN: [&str; 6] = ["run", "--format", "json", "--offline", "-j", "2"];

fn planted() -> Project {
    Project::copy_of("tests/testdata/planted")
}

/// Runs the suite with a store at `store`.
fn run_with(project: &Project, store: &Path) -> Ran {
    project.run(&[&RUN[..], &["--store", store.to_str().unwrap()]].concat())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

/// Checks that `ran` failed with `code`, saying each of `words`, and saying what to do.
#[track_caller]
fn complains(ran: Ran, code: i32, words: &[&str]) {
    let ran = ran.exits_with(code);
    for word in words.iter().chain(&["hint:"]) {
        assert!(ran.stderr.contains(word), "no `{word}` in:\n{}", ran.stderr);
    }
    assert_eq!(ran.stdout, "");
}

#[track_caller]
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "waited in vain for {what}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn two_runs_at_once_on_one_store_both_complete_and_are_both_reported() {
    let project = planted();
    let build = project.run(&["run", "--dry-run", "--offline"]);
    let _ = build.exits_with(0);
    let start = |seed| {
        let arguments = [&RUN[..], &["--seed", seed, "--set", "policy.reuse=false"]].concat();
        let mut command = project.tool(&arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let tools = ["1", "2"].map(start);
    let ran = tools.map(|tool| Ran::of(tool.wait_with_output().unwrap()).exits_with(1));
    let list = project
        .run(&["report", "--list", "--format", "json"])
        .json();
    assert_eq!(list["runs"].as_array().unwrap().len(), 2);
    for ran in ran {
        let id = ran.json()["run"]["id"].as_str().unwrap().to_owned();
        let report = project
            .run(&["report", &id, "--format", "json"])
            .exits_with(1);
        assert_eq!(report.stdout, ran.stdout);
        assert_eq!(
            ran.verdicts()["planted tests::fails_in_the_target"],
            "hidden-defect"
        );
    }
}

/// A file system of a few hundred kilobytes.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where none can be mounted.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=768k", "small"])
            .arg(at);
        let mounted = mount.stderr(Stdio::null()).status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(at.to_owned()))
    }

    fn grow(&self) {
        let mut mount = Command::new("mount");
        mount.args(["-o", "remount,size=256m"]).arg(&self.0);
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_stops_the_run_which_is_resumed_when_there_is_room() {
    let project = planted();
    let Some(disk) = SmallDisk::mount(&project.root.parent().unwrap().join("disk")) else {
        println!("not run: no file system can be mounted here");
        return;
    };
    let store = disk.0.join("history.db");
    let arguments = [
        &RUN[..],
        &["--store", store.to_str().unwrap(), "--seed", "3"],
    ]
    .concat();
    let noisy = |arguments: &[&str]| {
        let mut tool = project.tool(arguments);
        Ran::of(tool.env("TRIAL_NOISE", "1").output().unwrap())
    };
    complains(noisy(&arguments), 70, &["no space", "resume"]);
    let list = ["report", "--list", "--format", "json", "--store"];
    let list = || project.run(&[&list[..], &[store.to_str().unwrap()]].concat());
    let before = list().exits_with(0).json();
    let trials = before["runs"][0]["trials"].as_u64().unwrap();
    assert!(trials > 0, "{before}");
    disk.grow();
    let resumed = ["--resume", "--store", store.to_str().unwrap()];
    let resumed = noisy(&[&RUN[..], &resumed].concat()).exits_with(1);
    assert_eq!(
        resumed.verdicts()["planted tests::fails_in_the_target"],
        "hidden-defect"
    );
    let after = list().exits_with(0).json();
    assert_eq!(after["runs"].as_array().unwrap().len(), 1, "{after}");
    assert_eq!(after["runs"][0]["id"], before["runs"][0]["id"]);
    assert!(after["runs"][0]["trials"].as_u64().unwrap() > trials);
}

#[test]
fn a_read_only_directory_is_said_to_be_one_and_is_left_as_it_was() {
    if !is_root() {
        println!("not run: only root can become somebody else");
        return;
    }
    let project = planted();
    let folder = project.root.parent().unwrap().join("store");
    fs::create_dir(&folder).unwrap();
    let store = folder.join("history.db");
    let first = run_with(&project, &store).exits_with(1);
    let given = Command::new("chown")
        .args(["-R", "65534:65534"])
        .arg(project.root.parent().unwrap())
        .status();
    assert!(given.unwrap().success());
    let mode = |mode: &str| {
        let chmod = Command::new("chmod")
            .args(["-R", mode])
            .arg(&folder)
            .status();
        assert!(chmod.unwrap().success());
    };
    mode("a-w");
    let before = contents(&folder);
    // As in tests/hostile_settings.rs: an ordinary user that may read a toolchain below root's home.
    let as_nobody = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .args([
                "--inh-caps=+dac_read_search",
                "--ambient-caps=+dac_read_search",
            ])
            .args([support::TOOL, "fidelity"])
            .args(arguments)
            .args(["--store", store.to_str().unwrap()])
            .current_dir(&project.root)
            .env_remove("CARGO_TARGET_DIR");
        Ran::of(command.output().unwrap())
    };
    complains(
        as_nobody(&RUN),
        70,
        &["cannot be written", "read-only", "--store"],
    );
    // What is there can be read all the same.
    let report = as_nobody(&["report", "--format", "json"]).exits_with(1);
    assert_eq!(report.stdout, first.stdout);
    assert_eq!(contents(&folder), before);
    mode("u+w");
}

/// Returns every file of a folder.
fn contents(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).ok()))
        .collect();
    files.sort();
    files
}

/// Runs and reports with the file `bytes` as the store: both complain, and leave the file alone.
fn refuses(name: &str, bytes: &[u8], code: i32, words: &[&str]) {
    let project = planted();
    let store = project.root.parent().unwrap().join(name);
    fs::write(&store, bytes).unwrap();
    complains(run_with(&project, &store), code, words);
    let report = project.run(&["report", "--store", store.to_str().unwrap()]);
    complains(report, code, words);
    assert_eq!(fs::read(&store).unwrap(), bytes, "{name} was changed");
}

/// Returns the bytes of a store with a run in it.
fn real_store() -> Vec<u8> {
    let project = planted();
    let _ = project.run(&RUN).exits_with(1);
    let store = project.root.join(".fidelity/history.db");
    assert!(!store.with_extension("db-wal").exists());
    fs::read(store).unwrap()
}

#[test]
fn what_is_no_store_is_left_alone() {
    refuses(
        "text",
        &b"Dear diary, today nothing failed.\n".repeat(99),
        2,
        &["not a store", "text"],
    );
    let mut foreign = real_store();
    // The number by which programs mark their files.
    foreign[68..72].copy_from_slice(&7_u32.to_be_bytes());
    refuses("foreign.db", &foreign, 2, &["not a store", "foreign.db"]);
}

#[test]
fn a_damaged_store_is_said_to_be_damaged_and_left_alone() {
    let whole = real_store();
    let mut cut = whole.clone();
    cut.truncate(whole.len() / 2);
    refuses("cut.db", &cut, 70, &["damaged", "move the file away"]);
    let mut scrambled = whole;
    // The first page holds the tables; behind its header it is overwritten.
    scrambled[100..4096].fill(0xa5);
    refuses(
        "scrambled.db",
        &scrambled,
        70,
        &["damaged", "move the file away"],
    );
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let mut newer = real_store();
    newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
    refuses("newer.db", &newer, 2, &["format 99", "newer"]);
}

#[test]
fn a_directory_in_the_place_of_the_store_is_left_alone() {
    let project = planted();
    let store = project.root.parent().unwrap().join("directory.db");
    fs::create_dir(&store).unwrap();
    complains(
        run_with(&project, &store),
        2,
        &["not a store", "directory.db"],
    );
    assert_eq!(fs::read_dir(&store).unwrap().count(), 0);
}

#[test]
fn a_store_that_is_deleted_during_the_run_stops_it() {
    let project = planted();
    let store = project.root.parent().unwrap().join("gone.db");
    let log = project.root.parent().unwrap().join("log");
    let mut tool = project.tool(&[&RUN[..], &["--store", store.to_str().unwrap()]].concat());
    tool.env("TRIAL_LOG", &log);
    let tool = tool
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("a trial", || log.exists());
    fs::remove_file(&store).unwrap();
    let ran = Ran::of(tool.wait_with_output().unwrap());
    complains(ran, 70, &["removed or replaced", "gone.db"]);
    assert!(!store.exists(), "it was made again");
}
