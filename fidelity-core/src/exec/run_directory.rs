//! The run directory: where a run's trials find their temporary directories, and which never outlives the run.
//!
//! Every process of a run holds a shared lock on a file in it; whoever leaves last removes the directory. What a run
//! left behind that was killed with all its guardians is removed by the next one: its lock is free. Process ids play
//! no part in it, because they are reused. Must not know: trials, arms.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{group, sys};

/// What the names of run directories begin with. Short, because a socket's path is limited to about 100 bytes.
const PREFIX: &str = "fidelity-";
/// What the names begin with until the lock is held.
const UNBORN: &str = ".fidelity-";
const LOCK: &str = "cargo-fidelity.lock";
/// Between two looks at a lock that others hold.
const RETRY: Duration = Duration::from_millis(2);

/// A run directory this process uses.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    lock: File,
}

impl RunDirectory {
    /// Returns a free path for a run directory under `parent`, after removing the directories of runs that are dead.
    ///
    /// The first guardian makes it and not the tool: whatever happens to the tool, somebody is left to remove it.
    ///
    /// # Errors
    /// Where no name can be found.
    pub fn reserve(parent: &Path) -> io::Result<PathBuf> {
        remove_stale(parent);
        let free = tempfile::Builder::new()
            .prefix(PREFIX)
            .make_in(parent, |path| match fs::symlink_metadata(path) {
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(_) => Ok(path.to_owned()),
            })?;
        Ok(free.path().to_owned())
    }

    /// Makes the run directory at `path`.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let parent = path.parent().ok_or(io::ErrorKind::NotFound)?;
        // The directory gets its name only when its lock is held, so that nobody takes it for a dead one.
        let unborn = tempfile::Builder::new().prefix(UNBORN).tempdir_in(parent)?;
        let lock = File::create_new(unborn.path().join(LOCK))?;
        lock.try_lock_shared().map_err(io::Error::from)?;
        fs::rename(unborn.path(), path)?;
        // It is no longer there to be removed under its old name.
        drop(unborn.keep());
        Ok(Self {
            path: path.to_owned(),
            lock,
        })
    }

    /// Takes part in the run directory at `path`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn join(path: &Path) -> io::Result<Self> {
        let lock = File::open(path.join(LOCK))?;
        lock.try_lock_shared().map_err(io::Error::from)?;
        Ok(Self {
            path: path.to_owned(),
            lock,
        })
    }

    /// Gives the directory up, and removes it if nobody else uses it. Returns whether it is gone.
    ///
    /// Of two that leave at the same time at least one finds the lock free. Waits up to `patience` for others: the
    /// socket of a process that dies may break before its locks are free.
    pub fn leave(self, patience: Duration) -> bool {
        drop(self.lock.unlock());
        let began = Instant::now();
        while self.lock.try_lock().is_err() {
            if !self.path.exists() {
                return true;
            }
            if began.elapsed() >= patience {
                return false;
            }
            std::thread::sleep(RETRY);
        }
        remove(&self.path).is_ok()
    }

    /// Stops using the directory, which is left to the others.
    pub fn hand_over(self) -> PathBuf {
        self.path
    }

    /// Removes the directory at `path` if nobody uses it: those it was left to were killed.
    pub fn remove_unused(path: &Path) {
        if let Some(stale) = Stale::at(path.to_owned()) {
            drop(remove(&stale.path));
        }
    }
}

/// Removes the run directories under `parent` whose runs are dead, and kills what still runs in them.
fn remove_stale(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        let candidate =
            name.starts_with(PREFIX) || name.starts_with(UNBORN) && is_old(&entry.path());
        if candidate && let Some(stale) = Stale::at(entry.path()) {
            kill_marked(&stale.path, &BTreeSet::new());
            drop(remove(&stale.path));
        }
    }
}

/// Returns whether what is at `path` was made more than an hour ago: nobody takes that long to lock it.
fn is_old(path: &Path) -> bool {
    let age = fs::symlink_metadata(path)
        .and_then(|metadata| metadata.modified())
        .map(|modified| modified.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age > Duration::from_secs(3600))
}

/// A run directory nobody uses, locked.
struct Stale {
    path: PathBuf,
    _lock: File,
}

impl Stale {
    /// Returns the directory at `path` if it is ours and its run is dead.
    fn at(path: PathBuf) -> Option<Self> {
        let metadata = fs::symlink_metadata(&path).ok()?;
        if !metadata.is_dir() || metadata.uid() != sys::effective_user() {
            return None;
        }
        let lock_path = path.join(LOCK);
        if !fs::symlink_metadata(&lock_path).ok()?.is_file() {
            return None;
        }
        let lock = File::open(lock_path).ok()?;
        lock.try_lock().ok()?;
        Some(Self { path, _lock: lock })
    }
}

/// Kills every process but the `spared` whose environment names `directory`: what a run started whose guardians were killed as well.
///
/// The name holds random letters, so nobody else's environment has it.
pub(crate) fn kill_marked(directory: &Path, spared: &BTreeSet<sys::Pid>) {
    let mark = directory.as_os_str().as_bytes();
    let Ok(entries) = fs::read_dir("/proc") else {
        return;
    };
    for entry in entries.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if pid == sys::own_pid() || spared.contains(&pid) {
            continue;
        }
        let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else {
            continue;
        };
        if environment.windows(mark.len()).any(|window| window == mark) {
            drop(sys::kill(pid, libc::SIGKILL));
        }
    }
}

/// Removes the run directory at `path`, and the control groups that it lists.
fn remove(path: &Path) -> io::Result<()> {
    group::remove_listed(path);
    remove_tree(path)
}

/// Removes `path` and everything below it, also where tests took away their own permissions.
///
/// # Errors
/// What stopped it in the end.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => {
            make_writable(path);
            fs::remove_dir_all(path)
        }
        Ok(()) => Ok(()),
    }
}

/// Gives the owner every permission on the directories below `path`. Follows no symbolic links.
fn make_writable(path: &Path) {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    if !is_directory {
        return;
    }
    drop(fs::set_permissions(path, fs::Permissions::from_mode(0o700)));
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        make_writable(&entry.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_in(parent: &Path) -> RunDirectory {
        RunDirectory::create(&RunDirectory::reserve(parent).unwrap()).unwrap()
    }

    #[test]
    fn who_leaves_waits_for_a_lock_that_is_about_to_be_free() {
        let parent = tempfile::tempdir().unwrap();
        let first = made_in(parent.path());
        let path = first.path.to_owned();
        let dying = RunDirectory::join(&path).unwrap();
        let leaver = std::thread::spawn(move || first.leave(Duration::from_secs(20)));
        // The lock is given up, and nothing else done: so a killed process goes.
        drop(dying);
        assert!(leaver.join().unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn a_reserved_path_is_free_and_nothing_is_made_there() {
        let parent = tempfile::tempdir().unwrap();
        let path = RunDirectory::reserve(parent.path()).unwrap();
        assert!(!path.exists());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn whoever_leaves_last_removes_the_directory() {
        let parent = tempfile::tempdir().unwrap();
        let first = made_in(parent.path());
        let path = first.path.to_owned();
        let second = RunDirectory::join(&path).unwrap();
        assert!(!first.leave(Duration::ZERO));
        assert!(path.exists());
        assert!(second.leave(Duration::ZERO));
        assert!(!path.exists());
    }

    #[test]
    fn the_directory_of_a_dead_run_is_removed_and_that_of_a_living_one_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let dead = made_in(parent.path());
        let dead_path = dead.path.to_owned();
        let living = made_in(parent.path());
        assert!(dead_path.exists());
        drop(dead);
        fs::create_dir(parent.path().join("fidelity-notes")).unwrap();
        let next = made_in(parent.path());
        assert!(!dead_path.exists());
        assert!(living.path.exists() && next.path.exists());
        assert!(parent.path().join("fidelity-notes").exists());
        assert!(living.leave(Duration::ZERO) && next.leave(Duration::ZERO));
    }

    #[test]
    fn a_directory_without_permissions_is_removed_all_the_same() {
        let parent = tempfile::tempdir().unwrap();
        let run = made_in(parent.path());
        let inner = run.path.join("1/tmp/locked");
        fs::create_dir_all(inner.join("deeper")).unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o000)).unwrap();
        assert!(run.leave(Duration::ZERO));
    }

    #[test]
    fn a_link_in_the_place_of_a_run_directory_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let target = tempfile::tempdir().unwrap();
        File::create(target.path().join(LOCK)).unwrap();
        let link = parent.path().join("fidelity-link");
        std::os::unix::fs::symlink(target.path(), &link).unwrap();
        let run = made_in(parent.path());
        assert!(target.path().join(LOCK).exists());
        assert!(run.leave(Duration::ZERO));
    }
}
