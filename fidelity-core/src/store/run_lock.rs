//! Who is writing a run: a file that the system keeps locked for as long as the writer lives, however it dies.
//!
//! Never a process id, which another process may carry by now. Must not know the store's file.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::RunId;

/// How often a lock is tried: someone may be looking whether it is held, which holds it for an instant.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(5);

/// The right to write a run. Given back when dropped, and by the system when the process ends.
#[derive(Debug)]
pub(super) struct RunLock {
    path: PathBuf,
    _file: File,
}

/// Why a run cannot be written.
#[derive(Debug)]
pub(super) enum LockFailure {
    /// A living process is writing it.
    Held,
    /// The lock could not be made.
    Io(io::Error),
}

impl RunLock {
    /// Takes the right to write run `id`, whose lock is in `directory`.
    pub(super) fn acquire(directory: &Path, id: RunId) -> Result<Self, LockFailure> {
        fs::create_dir_all(directory).map_err(LockFailure::Io)?;
        let path = lock_file(directory, id);
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(PAUSE);
            }
            match try_acquire(&path) {
                Err(LockFailure::Held) => {}
                Ok(None) => {}
                Ok(Some(lock)) => return Ok(lock),
                Err(other) => return Err(other),
            }
        }
        Err(LockFailure::Held)
    }

    /// Returns whether a living process is writing run `id`.
    pub(super) fn is_held(directory: &Path, id: RunId) -> io::Result<bool> {
        let file = match File::open(lock_file(directory, id)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Removes the lock files that killed processes left in `directory`.
    pub(super) fn sweep(directory: &Path) {
        // What cannot be removed now does no harm, and is tried again by the next run.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let named_by_us = path.file_stem().and_then(|stem| stem.to_str());
            let is_lock = path
                .extension()
                .is_some_and(|extension| extension == "lock");
            if is_lock && named_by_us.is_some_and(|stem| stem.parse::<RunId>().is_ok()) {
                drop(try_acquire(&path));
            }
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Removed while still locked: who opened it before sees that it is gone from its place, and starts over.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn lock_file(directory: &Path, id: RunId) -> PathBuf {
    directory.join(format!("{id}.lock"))
}

/// Tries once; none where the file was removed between opening and locking it.
fn try_acquire(path: &Path) -> Result<Option<RunLock>, LockFailure> {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(LockFailure::Io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(LockFailure::Held),
        Err(TryLockError::Error(error)) => return Err(LockFailure::Io(error)),
    }
    Ok(is_in_place(&file, path).then(|| RunLock {
        path: path.to_owned(),
        _file: file,
    }))
}

/// Returns whether `path` still leads to `file`.
fn is_in_place(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        match (file.metadata(), fs::metadata(path)) {
            (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: RunId = RunId(7);

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!RunLock::is_held(directory.path(), ID).unwrap());
        let lock = RunLock::acquire(directory.path(), ID).unwrap();
        assert!(RunLock::is_held(directory.path(), ID).unwrap());
        assert!(!RunLock::is_held(directory.path(), RunId(8)).unwrap());
        let second = RunLock::acquire(directory.path(), ID);
        assert!(matches!(second, Err(LockFailure::Held)));
        drop(lock);
        assert!(!RunLock::is_held(directory.path(), ID).unwrap());
        RunLock::acquire(directory.path(), ID).unwrap();
    }

    #[test]
    fn sweeping_removes_only_locks_that_nobody_holds() {
        let directory = tempfile::tempdir().unwrap();
        let held = RunLock::acquire(directory.path(), ID).unwrap();
        let stale = lock_file(directory.path(), RunId(8));
        fs::write(&stale, "").unwrap();
        let foreign = directory.path().join("notes.lock");
        fs::write(&foreign, "mine").unwrap();
        RunLock::sweep(directory.path());
        assert!(!stale.exists());
        assert!(foreign.exists());
        assert!(RunLock::is_held(directory.path(), ID).unwrap());
        drop(held);
    }

    #[test]
    fn of_many_who_want_a_lock_one_gets_it() {
        let directory = tempfile::tempdir().unwrap();
        for _ in 0..50 {
            let start = std::sync::Barrier::new(4);
            let take = || {
                start.wait();
                RunLock::acquire(directory.path(), ID).ok()
            };
            let taken: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
                threads
                    .into_iter()
                    .filter_map(|thread| thread.join().unwrap())
                    .collect()
            });
            assert_eq!(taken.len(), 1);
        }
    }

    #[test]
    fn a_lock_that_changes_hands_is_never_held_twice() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let directory = tempfile::tempdir().unwrap();
        let held = AtomicBool::new(false);
        let take = || {
            let mut times = 0;
            while times < 200 {
                if let Ok(Some(lock)) = try_acquire(&lock_file(directory.path(), ID)) {
                    assert!(!held.swap(true, Ordering::SeqCst), "held twice");
                    std::thread::yield_now();
                    held.store(false, Ordering::SeqCst);
                    times += 1;
                    drop(lock);
                }
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(take))));
    }
}
