//! Disks that are full, places that cannot be written, and files that go away.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::super::connection::{Absent, Handle};
use super::super::run_lock::RunLock;
use super::super::run_log::{SqliteRunLog, State};
use super::super::*;
use super::fixtures::*;

/// Names the directory in which one of the tests below does its work, started once more in a world of its own.
const INSIDE: &str = "FIDELITY_TEST_STORE_INSIDE";
const DONE: &str = "@done";

/// The arguments that make this binary run one of the tests below.
fn arguments(test: &str) -> [String; 4] {
    let name = format!("store::tests::disk::{test}");
    [
        "--exact".to_owned(),
        name,
        "--nocapture".to_owned(),
        "--test-threads=1".to_owned(),
    ]
}

/// Says that the work was done, where it was started for it.
fn inside() -> Option<PathBuf> {
    std::env::var_os(INSIDE).map(PathBuf::from)
}

#[track_caller]
fn assert_done(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains(DONE),
        "{text}\n{errors}"
    );
}

/// Appends until the disk is full; returns how many calls were acknowledged.
fn fill(log: &mut dyn RunLog) -> u32 {
    for test in 0.. {
        match log.append(&[failed(test, &format!("{test:06}").repeat(500))]) {
            Ok(()) => {}
            Err(StoreError::Full { .. }) => return test,
            Err(other) => panic!("{other:?}"),
        }
    }
    0
}

/// Checks that exactly the first `count` trials are stored.
fn assert_holds(file: &Path, count: u32) {
    let run = SqliteStore::open(file).unwrap().load(header(1).id).unwrap();
    let seen: Vec<u32> = run.passes[0]
        .observations
        .iter()
        .map(|seen| seen.test.0)
        .collect();
    assert_eq!(seen, (0..count).collect::<Vec<_>>());
}

#[test]
fn a_full_disk_simulated_by_a_page_limit_keeps_what_was_acknowledged() {
    let place = Place::new();
    drop(place.store().create_run(&header(1), &listed(5000)).unwrap());
    let store = place.store();
    let handle = Handle::open(store.path(), Absent::Refuse).unwrap();
    let pages = |limit: i64| format!("PRAGMA max_page_count = {limit}");
    let set_limit = |log: &SqliteRunLog, limit| {
        log.connection()
            .query_row(&pages(limit), [], |_| Ok(()))
            .unwrap();
    };
    let lock = RunLock::acquire(place.directory.path(), header(1).id).unwrap();
    let state = State {
        run: 1,
        tests: 5000,
        ..State::default()
    };
    let mut log = SqliteRunLog::new(handle, lock, state);
    log.begin_pass(&spec(1, 5000), &Environment::default())
        .unwrap();
    set_limit(&log, 300);
    let count = fill(&mut log);
    assert!(count > 20, "{count}");
    assert_holds(&place.file(), count);
    set_limit(&log, 100_000);
    log.append(&[passed(count)]).unwrap();
    drop(log);
    assert_holds(&place.file(), count + 1);
    assert_intact(&place.file());
}

#[test]
fn a_full_disk_keeps_what_was_acknowledged() {
    if let Some(directory) = inside() {
        let ballast = directory.join("ballast");
        fs::write(&ballast, vec![1; 5_000_000]).unwrap();
        let file = directory.join("history.db");
        let mut store = SqliteStore::open_or_create(&file).unwrap();
        let mut log = store.create_run(&header(1), &listed(9_999)).unwrap();
        log.begin_pass(&spec(1, 9_999), &Environment::default())
            .unwrap();
        let count = fill(&mut *log);
        assert!(count > 20, "{count}");
        assert!(matches!(
            log.append(&[failed(count, &"x".repeat(90_000))]),
            Err(StoreError::Full { .. })
        ));
        fs::remove_file(ballast).unwrap();
        log.append(&[passed(count)]).unwrap();
        log.end_pass(&PassEnd::Completed, 1, None).unwrap();
        drop(log);
        assert_holds(&file, count + 1);
        assert_intact(&file);
        println!("{DONE} after {count} appends");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let exe = std::env::current_exe().unwrap();
    // The mount is seen by this process only, and goes with it.
    let script = "mount -t tmpfs -o size=12m none \"$0\" || exit 99; exec \"$@\"";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script])
        .arg(directory.path())
        .arg(exe);
    command
        .args(arguments("a_full_disk_keeps_what_was_acknowledged"))
        .env(INSIDE, directory.path());
    match command.output() {
        Ok(output) if output.status.code() != Some(99) && is_root() => assert_done(&output),
        _ => eprintln!(
            "not run: mounting a small disk needs root; the page limit is tested beside it"
        ),
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

#[test]
fn a_read_only_place_is_read_and_not_written() {
    const NAME: &str = "a_read_only_place_is_read_and_not_written";
    if let Some(directory) = inside() {
        read_what_cannot_be_written(&directory);
        println!("{DONE}");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (file_only, both, empty) = ("file-only", "both", "empty");
    for name in [file_only, both, empty] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    for name in [file_only, both] {
        let file = directory.path().join(name).join("history.db");
        write_run(
            &mut SqliteStore::open_or_create(&file).unwrap(),
            &random_run(1).0,
            &[],
        );
        set_mode(&file, 0o444);
    }
    for name in [both, empty] {
        set_mode(&directory.path().join(name), 0o555);
    }
    set_mode(directory.path(), 0o755);
    set_mode(&directory.path().join(file_only), 0o777);
    let exe = std::env::current_exe().unwrap();
    let mut command = match is_root() {
        false => Command::new(&exe),
        true => {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
                .arg(&exe);
            command
        }
    };
    let output = command
        .args(arguments(NAME))
        .env(INSIDE, directory.path())
        .output();
    set_mode(&directory.path().join(both), 0o755);
    set_mode(&directory.path().join(empty), 0o755);
    match output {
        Ok(output) => assert_done(&output),
        Err(error) => {
            eprintln!("not run: root may write anything, and setpriv does not start ({error})");
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs as a user who may write neither the files nor, in two of three cases, their directories.
fn read_what_cannot_be_written(directory: &Path) {
    let (run, _) = random_run(1);
    for name in ["file-only", "both"] {
        let file = directory.join(name).join("history.db");
        for opened in [SqliteStore::open(&file), SqliteStore::open_or_create(&file)] {
            let mut store = opened.unwrap();
            assert_eq!(
                store.load(run.header.id).unwrap(),
                without_outputs(&run),
                "{name}"
            );
            assert_eq!(store.runs(9).unwrap().len(), 1);
            let refused = store.create_run(&header(900), &listed(2)).err();
            assert!(
                matches!(refused, Some(StoreError::ReadOnly { .. })),
                "{name}: {refused:?}"
            );
            let refused = store.resume_run(run.header.id).err();
            let expected = matches!(
                refused,
                Some(StoreError::ReadOnly { .. } | StoreError::Finished { .. })
            );
            assert!(expected, "{name}: {refused:?}");
        }
    }
    let empty = directory.join("empty");
    for file in [empty.join("history.db"), workspace_store(&empty)] {
        let refused = SqliteStore::open_or_create(&file).err();
        assert!(
            matches!(refused, Some(StoreError::ReadOnly { .. })),
            "{file:?}: {refused:?}"
        );
        assert!(matches!(
            SqliteStore::open(&file),
            Err(StoreError::NoStore { .. })
        ));
    }
}

#[test]
fn a_store_that_is_removed_or_replaced_during_a_run_is_reported() {
    for replaced in [false, true] {
        let place = Place::new();
        let mut store = place.store();
        let mut log = store.create_run(&header(1), &listed(5)).unwrap();
        log.begin_pass(&spec(1, 5), &Environment::default())
            .unwrap();
        log.append(&[passed(0)]).unwrap();
        fs::rename(place.file(), place.directory.path().join("away.db")).unwrap();
        if replaced {
            fs::write(place.file(), "another").unwrap();
        }
        let vanished = |result| matches!(result, Err(StoreError::Vanished { .. }));
        assert!(vanished(log.append(&[passed(1)])));
        assert!(vanished(log.end_pass(&PassEnd::Completed, 1, None)));
        assert!(vanished(store.create_run(&header(2), &[]).map(|_| ())));
        assert_eq!(
            place.file().exists(),
            replaced,
            "nothing was made in its place"
        );
        // Put back, it goes on.
        fs::rename(place.directory.path().join("away.db"), place.file()).unwrap();
        log.append(&[passed(1)]).unwrap();
        assert_holds(&place.file(), 2);
    }
}

#[test]
fn the_whole_directory_removed_during_a_run_is_reported() {
    let root = tempfile::tempdir().unwrap();
    let file = workspace_store(root.path());
    let mut store = SqliteStore::open_or_create(&file).unwrap();
    let mut log = store.create_run(&header(1), &listed(5)).unwrap();
    assert!(root.path().join(".fidelity/runs").exists());
    fs::remove_dir_all(root.path().join(".fidelity")).unwrap();
    let lost = log.begin_pass(&spec(1, 5), &Environment::default());
    assert!(matches!(lost, Err(StoreError::Vanished { .. })), "{lost:?}");
}

#[test]
fn a_place_without_a_store_is_told_from_a_store() {
    let place = Place::new();
    let missing = place.directory.path().join("missing/history.db");
    assert!(matches!(
        SqliteStore::open(&place.file()),
        Err(StoreError::NoStore { .. })
    ));
    assert!(!place.file().exists());
    assert!(matches!(
        SqliteStore::open(&missing),
        Err(StoreError::NoStore { .. })
    ));
    assert!(matches!(
        SqliteStore::open_or_create(&missing),
        Err(StoreError::NoStore { .. })
    ));
    let directory = place.directory.path();
    assert!(matches!(
        SqliteStore::open(directory),
        Err(StoreError::NotAStore { .. })
    ));
    assert!(matches!(
        SqliteStore::open_or_create(directory),
        Err(StoreError::NotAStore { .. })
    ));
    // An empty file is as good as none.
    fs::write(place.file(), "").unwrap();
    assert!(matches!(
        SqliteStore::open(&place.file()),
        Err(StoreError::NoStore { .. })
    ));
    place.store();
    SqliteStore::open(&place.file()).unwrap();
}
