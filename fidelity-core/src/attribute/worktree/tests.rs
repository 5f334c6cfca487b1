//! Checkouts of real repositories.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{IndexAddOption, Oid, Repository, RepositoryInitOptions, Signature, Time};
use tempfile::TempDir;

use super::{KEPT, Note, WorktreeError, Worktrees};

struct Made {
    directory: TempDir,
    git: Repository,
    cache: TempDir,
}

impl Made {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut options = RepositoryInitOptions::new();
        let git = Repository::init_opts(directory.path(), options.initial_head("main")).unwrap();
        Self {
            directory,
            git,
            cache: tempfile::tempdir().unwrap(),
        }
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.directory.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) -> Oid {
        let mut index = self.git.index().unwrap();
        index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
        self.commit_index(&mut index)
    }

    fn commit_index(&self, index: &mut git2::Index) -> Oid {
        index.write().unwrap();
        let tree = self.git.find_tree(index.write_tree().unwrap()).unwrap();
        let person = Signature::new("A", "a@example.com", &Time::new(1_700_000_000, 0)).unwrap();
        let head = self.git.head().ok();
        let parents: Vec<_> = head
            .map(|head| head.peel_to_commit().unwrap())
            .into_iter()
            .collect();
        let parents: Vec<_> = parents.iter().collect();
        self.git
            .commit(Some("HEAD"), &person, &person, "m", &tree, &parents)
            .unwrap()
    }

    fn claim(&self) -> Worktrees {
        Worktrees::claim(self.cache.path(), self.directory.path()).unwrap()
    }

    /// Every file of the repository with its content.
    fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(self.directory.path())
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// Everything below the folder of checkouts, the lock left out.
fn left(made: &Made) -> usize {
    files(made.cache.path())
        .keys()
        .filter(|path| !path.ends_with(super::LOCK))
        .count()
}

/// Returns what a killed process leaves: its files with a lock that nobody holds.
fn killed(worktrees: Worktrees) {
    drop(worktrees);
}

#[test]
fn a_checkout_that_got_no_target_before_a_kill_is_not_taken_over() {
    let made = Made::new();
    made.write("a", "1");
    let first = made.commit();
    made.write("a", "2");
    let second = made.commit();
    let mut worktrees = made.claim();
    let whole = worktrees.checkout(&made.git, first).unwrap();
    fs::create_dir(&whole.target).unwrap();
    let begun = worktrees.checkout(&made.git, second).unwrap();
    killed(worktrees);
    let worktrees = made.claim();
    // Its sources are older than what the next process builds of another commit and would copy to it.
    assert!(worktrees.has(first) && !worktrees.has(second));
    assert!(!begun.root.exists() && whole.target.exists());
    worktrees.finish().unwrap();
    assert_eq!(left(&made), 0);
}

#[test]
fn what_was_killed_elsewhere_is_removed_and_what_lives_or_is_not_ours_is_left() {
    let (made, dead, living) = (Made::new(), Made::new(), Made::new());
    let mut checkouts = [&dead, &living].map(|other| {
        other.write("a", "1");
        let commit = other.commit();
        let claimed = Worktrees::claim(made.cache.path(), other.directory.path());
        let mut worktrees = claimed.unwrap();
        let checkout = worktrees.checkout(&other.git, commit).unwrap();
        (Some(worktrees), checkout)
    });
    killed(checkouts[0].0.take().unwrap());
    let stranger = made.cache.path().join("0123456789abcdef").join("mine");
    fs::create_dir_all(&stranger).unwrap();
    let worktrees = made.claim();
    assert!(!checkouts[0].1.root.exists());
    assert!(checkouts[1].1.root.exists() && stranger.exists());
    worktrees.finish().unwrap();
}

#[test]
fn a_checkout_is_the_commit_and_the_users_repository_is_not_touched() {
    let made = Made::new();
    made.write("a", "1");
    let first = made.commit();
    made.write("a", "2");
    made.write("b/c", "3");
    let second = made.commit();
    made.git
        .tag_lightweight(
            "v1",
            made.git.find_commit(first).unwrap().as_object(),
            false,
        )
        .unwrap();
    made.write("a", "not committed");
    made.write("new", "not tracked");
    let before = made.everything();
    let mut worktrees = made.claim();
    let old = worktrees.checkout(&made.git, first).unwrap();
    let new = worktrees.checkout(&made.git, second).unwrap();
    assert_eq!(fs::read_to_string(old.root.join("a")).unwrap(), "1");
    assert!(!old.root.join("b").exists());
    assert_eq!(fs::read_to_string(new.root.join("b/c")).unwrap(), "3");
    let own = Repository::open(&old.root).unwrap();
    assert_eq!(own.head().unwrap().target(), Some(first));
    assert!(own.head_detached().unwrap());
    assert!(own.statuses(None).unwrap().is_empty());
    assert_eq!(own.revparse_single("v1").unwrap().id(), first);
    assert!(worktrees.has(first));
    worktrees.finish().unwrap();
    assert_eq!(made.everything(), before);
    assert!(made.git.worktrees().unwrap().is_empty());
    assert_eq!(left(&made), 0);
}

#[test]
fn a_lock_on_the_users_repository_is_of_no_matter() {
    let made = Made::new();
    made.write("a", "1");
    let commit = made.commit();
    for lock in ["index.lock", "HEAD.lock", "packed-refs.lock"] {
        fs::write(made.git.path().join(lock), "").unwrap();
    }
    let mut worktrees = made.claim();
    let checkout = worktrees.checkout(&made.git, commit).unwrap();
    assert!(checkout.root.join("a").exists());
}

#[test]
fn what_a_killed_process_left_is_taken_over_and_the_rest_removed() {
    let made = Made::new();
    made.write("a", "1");
    let first = made.commit();
    made.write("a", "2");
    let second = made.commit();
    let mut worktrees = made.claim();
    let complete = worktrees.checkout(&made.git, first).unwrap();
    fs::create_dir_all(&complete.target).unwrap();
    fs::write(complete.target.join("built"), "").unwrap();
    let half = worktrees.checkout(&made.git, second).unwrap();
    fs::remove_file(half.root.with_file_name(format!("{second}.done"))).unwrap();
    // A second process at the same time has a folder of its own.
    let other = made.claim();
    assert_ne!(other.folder, worktrees.folder);
    other.finish().unwrap();
    // The lock is free, as after a kill; the folder stays.
    drop(worktrees);
    let mut next = made.claim();
    assert!(next.has(first) && !next.has(second));
    assert!(!half.root.exists());
    let again = next.checkout(&made.git, first).unwrap();
    assert_eq!(again.root, complete.root);
    assert!(again.target.join("built").exists());
    next.finish().unwrap();
    assert_eq!(left(&made), 0);
}

#[test]
fn those_used_last_are_kept() {
    let made = Made::new();
    let commits: Vec<Oid> = (0..=KEPT)
        .map(|number| {
            made.write("a", &number.to_string());
            made.commit()
        })
        .collect();
    let mut worktrees = made.claim();
    for commit in &commits[..KEPT] {
        worktrees.checkout(&made.git, *commit).unwrap();
    }
    worktrees.checkout(&made.git, commits[0]).unwrap();
    worktrees.checkout(&made.git, commits[KEPT]).unwrap();
    assert!(worktrees.has(commits[0]) && !worktrees.has(commits[1]));
    let kept = commits
        .iter()
        .filter(|commit| worktrees.has(**commit))
        .count();
    assert_eq!(kept, KEPT);
}

#[test]
fn submodules_are_checked_out_from_what_is_there_and_named_otherwise() {
    let inner = Made::new();
    inner.write("x", "inner");
    let id = inner.commit();
    let made = Made::new();
    made.write(
        ".gitmodules",
        "[submodule \"sub\"]\n\tpath = vendor/sub\n\turl = ../sub\n",
    );
    let mut index = made.git.index().unwrap();
    index.add_path(Path::new(".gitmodules")).unwrap();
    index
        .add(&git2::IndexEntry {
            ctime: git2::IndexTime::new(0, 0),
            mtime: git2::IndexTime::new(0, 0),
            dev: 0,
            ino: 0,
            mode: 0o160_000,
            uid: 0,
            gid: 0,
            file_size: 0,
            id,
            flags: 0,
            flags_extended: 0,
            path: b"vendor/sub".to_vec(),
        })
        .unwrap();
    let commit = made.commit_index(&mut index);
    let mut worktrees = made.claim();
    let empty = worktrees.checkout(&made.git, commit).unwrap();
    assert_eq!(empty.notes, [Note::Absent("vendor/sub".to_owned())]);
    assert!(!empty.root.join("vendor/sub/x").exists());
    // A checkout that is there already is described alike.
    let again = worktrees.checkout(&made.git, commit).unwrap();
    assert_eq!(again, empty);
    worktrees.forget(commit).unwrap();

    let modules = made.git.path().join("modules/sub");
    fs::create_dir_all(modules.parent().unwrap()).unwrap();
    let fetched = git2::build::RepoBuilder::new()
        .bare(true)
        .clone(inner.directory.path().to_str().unwrap(), &modules);
    let fetched = fetched.unwrap();
    let checkout = worktrees.checkout(&made.git, commit).unwrap();
    assert_eq!(
        fs::read_to_string(checkout.root.join("vendor/sub/x")).unwrap(),
        "inner"
    );
    assert_eq!(checkout.notes, []);
    worktrees.forget(commit).unwrap();

    // The commit was not fetched with the submodule.
    drop(fetched);
    fs::remove_dir_all(&modules).unwrap();
    Repository::init_bare(&modules).unwrap();
    let error = worktrees.checkout(&made.git, commit).unwrap_err();
    assert!(error.is_the_commits());
    assert_eq!(
        error.to_string(),
        format!("submodule vendor/sub at {id} is not in this clone")
    );
    assert!(!worktrees.has(commit));
}

#[test]
fn files_of_a_filter_are_said_to_be_what_is_stored() {
    let made = Made::new();
    made.write(
        ".gitattributes",
        "# filter=none\n*.bin filter=lfs diff=lfs\n",
    );
    let commit = made.commit();
    let checkout = made.claim().checkout(&made.git, commit).unwrap();
    assert_eq!(checkout.notes, [Note::Filtered("lfs".to_owned())]);
}

#[test]
fn a_commit_that_is_not_there_and_a_folder_that_cannot_be_made_are_errors() {
    let made = Made::new();
    made.write("a", "1");
    made.commit();
    let unknown = Oid::from_str("1234567890123456789012345678901234567890").unwrap();
    let error = made.claim().checkout(&made.git, unknown).unwrap_err();
    assert!(matches!(error, WorktreeError::Missing { .. }), "{error:?}");
    let file = made.cache.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Worktrees::claim(&file, made.directory.path()).unwrap_err();
    assert!(matches!(error, WorktreeError::Io { .. }), "{error:?}");
}

#[test]
fn what_was_built_last_seeds_the_next_target_folder_with_its_times() {
    let made = Made::new();
    made.write("a", "1");
    let first = made.commit();
    made.write("a", "2");
    let second = made.commit();
    let mut worktrees = made.claim();
    let old = worktrees.checkout(&made.git, first).unwrap();
    let deps = old.target.join("debug/deps");
    fs::create_dir_all(old.target.join("debug/incremental/x")).unwrap();
    fs::create_dir_all(&deps).unwrap();
    fs::write(deps.join("libdep-1.rlib"), "dep").unwrap();
    fs::write(deps.join("program-2"), "program").unwrap();
    let early = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file = fs::File::options()
        .write(true)
        .open(deps.join("libdep-1.rlib"))
        .unwrap();
    file.set_modified(early).unwrap();
    let new = worktrees.checkout(&made.git, second).unwrap();
    worktrees.seed(&new).unwrap();
    assert!(!new.target.exists());
    worktrees.note_built(first);
    worktrees.seed(&new).unwrap();
    let copied = new.target.join("debug/deps/libdep-1.rlib");
    assert_eq!(fs::metadata(&copied).unwrap().modified().unwrap(), early);
    assert!(!new.target.join("debug/deps/program-2").exists());
    assert!(!new.target.join("debug/incremental").exists());
    worktrees.finish().unwrap();
}
