//! Checkouts of old commits: where they are, and that none is left behind.
//!
//! A checkout is a repository of its own that borrows the objects of the user's, with its head at the commit, so that build
//! scripts find what they expect there. The user's repository is read and never written: no work tree is registered with
//! it, no branch made, no index, stash or reference touched, so that a lock on it is of no matter. (git2 can only register a
//! work tree together with a branch.) Checkouts are outside the workspace, where cargo would take them for members.
//!
//! A process has a folder of its own, which it holds by a lock. What a killed one left is taken over by the next for the
//! same repository, so that a search goes on with what was built; the rest is removed. Never a process id. Of many
//! checkouts, those used last are kept.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use git2::Oid;

mod borrowed;
mod seeded;

pub use borrowed::{Note, WorktreeError};

/// The name of the lock in a process's folder.
const LOCK: &str = "cargo-fidelity.lock";

/// Checkouts that are kept at a time, with what was built in each.
pub const KEPT: usize = 12;

/// The checkouts of one repository that this process has.
#[derive(Debug)]
pub struct Worktrees {
    folder: PathBuf,
    _lock: File,
    /// Complete checkouts, the one used last at the end.
    kept: Vec<Oid>,
    /// The one whose build succeeded last.
    built: Option<Oid>,
}

/// A checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Its root, which is that of the repository.
    pub root: PathBuf,
    /// Where cargo is to put what it builds: each has a folder of its own, because what cargo copies to the top of it has
    /// the same name whatever the commit.
    pub target: PathBuf,
    /// What is not as in the user's work tree.
    pub notes: Vec<Note>,
}

impl Worktrees {
    /// Returns the folder in which the checkouts of all repositories are, unless told otherwise: in the user's cache.
    pub fn usual_folder() -> PathBuf {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let cache = variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".cache")))
            .or_else(|| variable("LOCALAPPDATA").map(PathBuf::from))
            .unwrap_or_else(std::env::temp_dir);
        cache.join("cargo-fidelity").join("worktrees")
    }

    /// Takes a folder below `parent` for the repository whose work tree is at `workdir`: one that a killed process left, or
    /// else a new one. Other folders of dead processes are removed, those for other repositories as well.
    ///
    /// # Errors
    /// [`WorktreeError::Io`] or [`WorktreeError::Full`] where it cannot be made.
    pub fn claim(parent: &Path, workdir: &Path) -> Result<Self, WorktreeError> {
        let name = blake3::hash(workdir.as_os_str().as_encoded_bytes()).to_hex();
        let base = parent.join(&name.as_str()[..16]);
        let failed = |source| WorktreeError::io("make a folder for checkouts", &base, source);
        fs::create_dir_all(&base).map_err(failed)?;
        remove_dead_of_others(parent, &base);
        let mut claimed: Option<Self> = None;
        let mut folders: Vec<PathBuf> = fs::read_dir(&base)
            .map_err(failed)?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        folders.sort_unstable();
        for folder in folders {
            let Some(lock) = lock_of_the_dead(&folder) else {
                continue;
            };
            if claimed.is_none() {
                claimed = Some(Self::taken_over(folder, lock)?);
            } else {
                remove(&folder)?;
            }
        }
        match claimed {
            Some(claimed) => Ok(claimed),
            None => Self::new(&base),
        }
    }

    fn new(base: &Path) -> Result<Self, WorktreeError> {
        let failed = |source| WorktreeError::io("make a folder for checkouts", base, source);
        // It gets its name when its lock is held, so that nobody takes it for a dead one.
        let unborn = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(base)
            .map_err(failed)?;
        let lock = File::create_new(unborn.path().join(LOCK)).map_err(failed)?;
        lock.try_lock().map_err(io::Error::from).map_err(failed)?;
        let name = unborn.path().file_name().unwrap_or_default();
        let folder = base.join(name.to_string_lossy().trim_start_matches(".new-"));
        fs::rename(unborn.path(), &folder).map_err(failed)?;
        drop(unborn.keep());
        Ok(Self {
            folder,
            _lock: lock,
            kept: Vec::new(),
            built: None,
        })
    }

    /// Takes what a dead process left: its checkouts are kept that are complete and were given a target folder, everything else is
    /// removed. The target of another commit, put beside sources that are older than it, would pass for built from them.
    fn taken_over(folder: PathBuf, lock: File) -> Result<Self, WorktreeError> {
        let entries = fs::read_dir(&folder)
            .map_err(|source| WorktreeError::io("read the folder of checkouts", &folder, source))?;
        let mut kept: Vec<Oid> = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(id) = name.strip_suffix(".done")
                && let Ok(id) = Oid::from_str(id)
                && folder.join(format!("{id}.target")).is_dir()
            {
                kept.push(id);
            }
        }
        kept.sort_unstable();
        let worktrees = Self {
            folder,
            _lock: lock,
            kept,
            built: None,
        };
        let entries = fs::read_dir(&worktrees.folder).into_iter().flatten();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let id = name.split('.').next().and_then(|id| Oid::from_str(id).ok());
            let is_ours = id.is_some_and(|id| worktrees.kept.contains(&id));
            if !is_ours && name != LOCK {
                remove(&entry.path())?;
            }
        }
        Ok(worktrees)
    }

    /// Returns a checkout of `commit`, which is made unless it is there. One that was not used for longest may be removed
    /// for it.
    ///
    /// # Errors
    /// [`WorktreeError`].
    pub fn checkout(
        &mut self,
        repository: &git2::Repository,
        commit: Oid,
    ) -> Result<Checkout, WorktreeError> {
        let (root, done) = (self.place(commit, ""), self.place(commit, ".done"));
        let target = self.place(commit, ".target");
        let checkout = |notes| Checkout {
            root: root.clone(),
            target,
            notes,
        };
        if let Some(position) = self.kept.iter().position(|kept| *kept == commit) {
            let checkout = checkout(borrowed::notes(&root));
            self.kept.remove(position);
            self.kept.push(commit);
            return Ok(checkout);
        }
        while KEPT <= self.kept.len() {
            let oldest = self.kept.remove(0);
            self.forget(oldest)?;
        }
        remove(&root)?;
        let made = borrowed::make(repository, commit, &root);
        if made.is_err() {
            remove(&root)?;
        }
        let checkout = checkout(made?);
        File::create(&done).map_err(|source| {
            WorktreeError::io("note that a checkout is complete", &done, source)
        })?;
        self.kept.push(commit);
        Ok(checkout)
    }

    /// Notes that the build of a checkout succeeded.
    pub fn note_built(&mut self, commit: Oid) {
        self.built = Some(commit);
    }

    /// Puts what was built last into the target folder of a checkout that has none, so that cargo compiles dependencies once
    /// for all commits. Files keep their times: cargo finds the sources of a new checkout to be newer, and builds those.
    ///
    /// # Errors
    /// [`WorktreeError`].
    pub fn seed(&self, checkout: &Checkout) -> Result<(), WorktreeError> {
        let Some(built) = self.built.filter(|built| self.has(*built)) else {
            return Ok(());
        };
        let (from, to) = (self.place(built, ".target"), &checkout.target);
        if to.exists() || from == *to || !from.is_dir() {
            return Ok(());
        }
        // Under its name it is complete.
        let unborn = to.with_extension("seed");
        remove(&unborn)?;
        seeded::copy(&from, &unborn)?;
        fs::rename(&unborn, to)
            .map_err(|source| WorktreeError::io("make a target folder in", to, source))
    }

    /// Returns whether a checkout of `commit` is there.
    pub fn has(&self, commit: Oid) -> bool {
        self.kept.contains(&commit)
    }

    /// Removes a checkout with what was built in it.
    ///
    /// # Errors
    /// [`WorktreeError::Io`].
    pub fn forget(&mut self, commit: Oid) -> Result<(), WorktreeError> {
        self.kept.retain(|kept| *kept != commit);
        // The mark first: what is half removed is not complete.
        remove(&self.place(commit, ".done"))?;
        remove(&self.place(commit, ".target"))?;
        remove(&self.place(commit, ""))
    }

    /// Removes everything.
    ///
    /// # Errors
    /// [`WorktreeError::Io`].
    pub fn finish(self) -> Result<(), WorktreeError> {
        remove(&self.folder)?;
        // Empty ones are of no use; others are somebody's.
        if let Some(base) = self.folder.parent() {
            drop(fs::remove_dir(base));
        }
        Ok(())
    }

    fn place(&self, commit: Oid, suffix: &str) -> PathBuf {
        self.folder.join(format!("{commit}{suffix}"))
    }
}

/// Removes what killed processes left for other repositories, as far as that can be done: it is not what was asked for.
fn remove_dead_of_others(parent: &Path, base: &Path) {
    let within = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    for repository in within(parent).map(|entry| entry.path()) {
        let name = repository.file_name().unwrap_or_default().to_string_lossy();
        let is_ours = name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_ours || repository == base {
            continue;
        }
        for folder in within(&repository).map(|entry| entry.path()) {
            if let Some(_lock) = lock_of_the_dead(&folder) {
                drop(remove(&folder));
            }
        }
        // Empty ones are of no use; others are somebody's.
        drop(fs::remove_dir(repository));
    }
}

/// Returns the lock of a folder whose process is dead; none where it lives, or is not ours.
fn lock_of_the_dead(folder: &Path) -> Option<File> {
    let path = folder.join(LOCK);
    if !fs::symlink_metadata(&path).ok()?.is_file() {
        return None;
    }
    let lock = File::open(path).ok()?;
    lock.try_lock().ok()?;
    Some(lock)
}

/// Removes a file or folder, if it is there.
fn remove(path: &Path) -> Result<(), WorktreeError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(WorktreeError::io("look at", path, source)),
    };
    let removed = if metadata.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.map_err(|source| WorktreeError::io("remove", path, source))
}

#[cfg(test)]
mod tests;
