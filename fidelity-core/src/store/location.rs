//! Where a store is: the file, the directory that hides itself from version control, and the locks beside it.
//!
//! Must not know what is in the file, and must not open it.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::StoreError;

const DIRECTORY: &str = ".fidelity";
const FILE: &str = "history.db";

/// Returns where the store of the workspace at `root` is unless the user names another: `.fidelity/history.db`.
pub fn workspace_store(root: &Path) -> PathBuf {
    root.join(DIRECTORY).join(FILE)
}

/// Returns whether the file is where a workspace keeps its store.
fn is_workspace_store(file: &Path) -> bool {
    let directory = file.parent().and_then(Path::file_name);
    file.file_name() == Some(OsStr::new(FILE)) && directory == Some(OsStr::new(DIRECTORY))
}

/// Returns one spelling for every way to name the file, so that all users of a store meet at the same locks.
///
/// The file need not exist, its directory must.
pub(super) fn canonical(file: &Path) -> Result<PathBuf, StoreError> {
    if let Ok(path) = fs::canonicalize(file) {
        return Ok(path);
    }
    let (Some(directory), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(StoreError::NotAStore {
            path: file.to_owned(),
        });
    };
    let directory = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    };
    match fs::canonicalize(directory) {
        Ok(directory) => Ok(directory.join(name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::NoStore {
            path: file.to_owned(),
        }),
        Err(source) => Err(StoreError::from_io("find the directory of", file, source)),
    }
}

/// Makes the directory of a workspace's store, and the file in it that keeps it out of version control.
///
/// Does nothing for a store elsewhere, whose directory is the user's. A `.gitignore` that is there already is left as
/// it is, and one that a user removed from beside an existing store is not made again.
pub(super) fn prepare(file: &Path) -> Result<(), StoreError> {
    let Some(directory) = file.parent().filter(|_| is_workspace_store(file)) else {
        return Ok(());
    };
    if file.exists() {
        return Ok(());
    }
    make_self_ignoring(directory)
        .map_err(|source| StoreError::from_io("make the directory of", file, source))
}

/// Makes the directory and its `.gitignore`, which appears whole or not at all.
fn make_self_ignoring(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let ignore = directory.join(".gitignore");
    if ignore.symlink_metadata().is_ok() {
        return Ok(());
    }
    let mut draft = tempfile::NamedTempFile::new_in(directory)?;
    draft.write_all(b"*\n")?;
    match draft.persist_noclobber(&ignore) {
        Err(failure) if failure.error.kind() != io::ErrorKind::AlreadyExists => Err(failure.error),
        _ => Ok(()),
    }
}

/// Returns the directory of the locks that belong to the store at `file`, a canonical path.
pub(super) fn lock_directory(file: &Path) -> PathBuf {
    if is_workspace_store(file) {
        return file.with_file_name("runs");
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push("-runs");
    file.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_of_a_workspace_ignores_itself() {
        let root = tempfile::tempdir().unwrap();
        let file = workspace_store(root.path());
        prepare(&file).unwrap();
        let ignore = root.path().join(".fidelity/.gitignore");
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "*\n");
        assert_eq!(fs::read_dir(ignore.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn an_ignore_file_of_the_user_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let file = workspace_store(root.path());
        fs::create_dir(root.path().join(".fidelity")).unwrap();
        let ignore = root.path().join(".fidelity/.gitignore");
        fs::write(&ignore, "!history.db\n").unwrap();
        prepare(&file).unwrap();
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "!history.db\n");
    }

    #[test]
    fn the_directory_of_a_named_file_is_the_users() {
        let root = tempfile::tempdir().unwrap();
        prepare(&root.path().join("sub/mine.db")).unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn every_spelling_of_a_file_has_the_same_locks() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        let plain = canonical(&root.path().join("a/x.db")).unwrap();
        let round = canonical(&root.path().join("a/../a/x.db")).unwrap();
        assert_eq!(lock_directory(&plain), lock_directory(&round));
        assert!(lock_directory(&plain).ends_with("a/x.db-runs"));
        let workspace = canonical(root.path()).unwrap().join(".fidelity/history.db");
        assert!(lock_directory(&workspace).ends_with(".fidelity/runs"));
    }
}
