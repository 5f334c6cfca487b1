//! The commit a workspace is at. Reads git's files, never the network, and writes nothing.

use std::path::{Path, PathBuf};

use git2::{
    ErrorCode, Index, IndexEntryExtendedFlag, Repository, Status, StatusEntry, StatusOptions,
};

use crate::domain::Revision;

/// Why the commit of a workspace could not be read, although it seems to have one.
#[derive(Debug, thiserror::Error)]
#[error("could not read the git repository of {}", workspace.display())]
pub struct RevisionError {
    /// The workspace.
    pub workspace: PathBuf,
    /// The cause: an owner that git does not trust, a damaged or unknown repository.
    #[source]
    pub source: git2::Error,
}

/// Returns the commit the workspace is at, and whether tracked files differ from it: anywhere in the repository, for a
/// test may depend on all of it. Untracked and ignored files do not count.
///
/// The result is none where there is no repository, no commit yet, or no work tree (a bare repository), and where the
/// repository ignores the workspace: such a tree merely lies within somebody else's.
///
/// # Errors
/// [`RevisionError`] where there is a repository that cannot be read. A run can do without; it should say so.
pub fn revision(workspace: &Path) -> Result<Option<Revision>, RevisionError> {
    read(workspace).map_err(|source| RevisionError {
        workspace: workspace.to_path_buf(),
        source,
    })
}

/// Returns the full id of the commit that `name` names in the repository of `workspace`: a branch, a tag, `HEAD~2`, the
/// first digits of an id. None where there is no repository, or it knows no such commit.
pub fn resolve(workspace: &Path, name: &str) -> Option<String> {
    let repository = Repository::discover(workspace).ok()?;
    let commit = repository
        .revparse_single(name)
        .ok()?
        .peel_to_commit()
        .ok()?;
    Some(commit.id().to_string())
}

/// What a repository knows in the place of a name that it does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The branches and tags it has, and `HEAD`.
    pub names: Vec<String>,
    /// The longest beginning of the name that is that of a commit, where the name could be the first digits of an id.
    pub prefix: Option<String>,
    /// Whether it is a shallow clone, which lacks what was not fetched.
    pub shallow: bool,
}

/// Returns what the repository of `workspace` knows where it does not know `name`; none where it knows it, where there is no
/// repository, and for a whole id: nobody mistypes these, and a shallow clone lacks most.
pub fn unknown(workspace: &Path, name: &str) -> Option<Unknown> {
    const NAMES: usize = 10_000;
    let is_id = name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id && [40, 64].contains(&name.len()) || resolve(workspace, name).is_some() {
        return None;
    }
    let repository = Repository::discover(workspace).ok()?;
    let mut names = vec!["HEAD".to_owned()];
    for reference in repository.references().ok()?.flatten().take(NAMES) {
        names.extend(reference.shorthand().map(str::to_owned));
    }
    // Fewer digits are those of some object in every other repository.
    let prefix = (6..name.len().min(40)).rev().find_map(|digits| {
        let prefix = name.get(..digits).filter(|_| is_id)?;
        let found = repository.find_commit_by_prefix(prefix).ok()?;
        Some(found.id().to_string())
    });
    Some(Unknown {
        names,
        prefix,
        shallow: repository.is_shallow(),
    })
}

/// Returns the top of the work tree that `place` lies in; none where there is no repository.
pub fn repository_root(place: &Path) -> Option<PathBuf> {
    let repository = Repository::discover(place).ok()?;
    repository.workdir().map(Path::to_owned)
}

fn read(workspace: &Path) -> Result<Option<Revision>, git2::Error> {
    let repository = match Repository::discover(workspace) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if repository.is_bare() {
        return Ok(None);
    }
    if is_foreign(&repository, workspace)? {
        return Ok(None);
    }
    let commit = match repository.head() {
        Ok(head) => head.peel_to_commit()?.id(),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut tracked = StatusOptions::new();
    tracked
        .include_untracked(false)
        .include_ignored(false)
        // A read that refreshes the index would be a write.
        .update_index(false);
    let (statuses, index) = (
        repository.statuses(Some(&mut tracked))?,
        repository.index()?,
    );
    let dirty = statuses.iter().any(|entry| !is_left_out(&index, &entry));
    Ok(Some(Revision {
        commit: commit.to_string(),
        dirty,
    }))
}

/// Whether a file is not there because the checkout is sparse, which libgit2 takes for removed.
fn is_left_out(index: &Index, entry: &StatusEntry<'_>) -> bool {
    let known = entry.path().ok().map(Path::new);
    let known = known.and_then(|path| index.get_path(path, 0));
    entry.status() == Status::WT_DELETED
        && known.is_some_and(|known| {
            let flags = IndexEntryExtendedFlag::from_bits_truncate(known.flags_extended);
            flags.contains(IndexEntryExtendedFlag::SKIP_WORKTREE)
        })
}

/// Whether the repository's rules ignore the workspace and nothing of it is tracked all the same.
pub(crate) fn is_foreign(repository: &Repository, workspace: &Path) -> Result<bool, git2::Error> {
    let root = repository
        .workdir()
        .and_then(|root| root.canonicalize().ok());
    let (Some(root), Ok(workspace)) = (root, workspace.canonicalize()) else {
        return Ok(false);
    };
    // The rules are asked about a file: one that ends with a slash matches directories above it only.
    let manifest = workspace.join("Cargo.toml");
    let Ok(manifest) = manifest.strip_prefix(&root) else {
        return Ok(false);
    };
    let tracked = repository.index()?.get_path(manifest, 0).is_some();
    Ok(!tracked && repository.is_path_ignored(manifest)?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use git2::{IndexAddOption, RepositoryInitOptions, Signature, Time};
    use tempfile::TempDir;

    use super::*;

    fn repository() -> (TempDir, Repository) {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::init_opts(
            directory.path(),
            RepositoryInitOptions::new().initial_head("main"),
        )
        .unwrap();
        (directory, repository)
    }

    fn commit(repository: &Repository, file: &str, text: &str) -> String {
        fs::write(repository.workdir().unwrap().join(file), text).unwrap();
        let mut index = repository.index().unwrap();
        index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let person = Signature::new("A", "a@example.com", &Time::new(1_000_000_000, 0)).unwrap();
        let parents: Vec<_> = repository
            .head()
            .ok()
            .map(|head| head.peel_to_commit().unwrap())
            .into_iter()
            .collect();
        let parents: Vec<_> = parents.iter().collect();
        repository
            .commit(Some("HEAD"), &person, &person, "m", &tree, &parents)
            .unwrap()
            .to_string()
    }

    #[test]
    fn a_tree_that_the_repository_ignores_has_no_commit() {
        let (directory, repository) = repository();
        commit(&repository, ".gitignore", "target/\n");
        let inner = directory.path().join("target/vendored");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("Cargo.toml"), "").unwrap();
        assert!(revision(&inner).unwrap().is_none());
        assert!(revision(directory.path()).unwrap().is_some());

        // Tracked by force, it belongs to the repository.
        let mut index = repository.index().unwrap();
        index
            .add_path(Path::new("target/vendored/Cargo.toml"))
            .unwrap();
        index.write().unwrap();
        assert!(revision(&inner).unwrap().is_some());
    }

    fn found(directory: &Path) -> (String, bool) {
        let revision = revision(directory).unwrap().unwrap();
        (revision.commit, revision.dirty)
    }

    #[test]
    fn a_clean_work_tree_is_at_its_commit() {
        let (directory, repository) = repository();
        commit(&repository, "a", "1");
        let second = commit(&repository, "a", "2");
        assert_eq!(found(directory.path()), (second, false));
    }

    #[test]
    fn a_workspace_below_the_top_belongs_to_the_repository() {
        let (directory, repository) = repository();
        let inner = directory.path().join("crates/inner");
        fs::create_dir_all(&inner).unwrap();
        let only = commit(&repository, "crates/inner/Cargo.toml", "");
        assert_eq!(found(&inner), (only, false));
    }

    #[test]
    fn changed_staged_and_removed_files_make_it_dirty_and_new_ones_do_not() {
        let (directory, repository) = repository();
        let only = commit(&repository, "a", "1");
        let file = directory.path().join("a");
        fs::write(directory.path().join("new"), "").unwrap();
        assert_eq!(found(directory.path()), (only.clone(), false));
        fs::write(&file, "changed").unwrap();
        assert_eq!(found(directory.path()), (only.clone(), true));
        fs::remove_file(&file).unwrap();
        assert_eq!(found(directory.path()), (only.clone(), true));
        fs::write(&file, "1").unwrap();
        assert_eq!(found(directory.path()), (only.clone(), false));
        let mut index = repository.index().unwrap();
        index.add_path(Path::new("new")).unwrap();
        index.write().unwrap();
        assert_eq!(found(directory.path()), (only, true));
    }

    #[test]
    fn files_that_a_sparse_checkout_leaves_out_are_no_change() {
        let (directory, repository) = repository();
        commit(&repository, "kept", "1");
        let last = commit(&repository, "left-out", "1");
        fs::remove_file(directory.path().join("left-out")).unwrap();
        assert_eq!(found(directory.path()), (last.clone(), true));
        let mut index = repository.index().unwrap();
        let mut entry = index.get_path(Path::new("left-out"), 0).unwrap();
        entry.flags_extended |= IndexEntryExtendedFlag::SKIP_WORKTREE.bits();
        index.add(&entry).unwrap();
        index.write().unwrap();
        assert_eq!(found(directory.path()), (last.clone(), false));
        fs::write(directory.path().join("kept"), "2").unwrap();
        assert_eq!(found(directory.path()), (last, true));
    }

    #[test]
    fn a_detached_head_is_a_commit() {
        let (directory, repository) = repository();
        let first = commit(&repository, "a", "1");
        commit(&repository, "a", "2");
        repository
            .set_head_detached(first.parse().unwrap())
            .unwrap();
        repository
            .checkout_head(Some(git2::build::CheckoutBuilder::new().force()))
            .unwrap();
        assert_eq!(found(directory.path()), (first, false));
    }

    #[test]
    fn no_repository_no_commit_and_no_work_tree_are_no_revision() {
        let plain = tempfile::tempdir().unwrap();
        assert_eq!(revision(plain.path()).unwrap(), None);
        let (unborn, _repository) = repository();
        assert_eq!(revision(unborn.path()).unwrap(), None);
        let bare = tempfile::tempdir().unwrap();
        Repository::init_bare(bare.path()).unwrap();
        assert_eq!(revision(bare.path()).unwrap(), None);
    }

    #[test]
    fn a_shallow_clone_has_a_revision_like_any_other() {
        let (directory, repository) = repository();
        commit(&repository, "a", "1");
        let last = commit(&repository, "a", "2");
        // What a shallow clone is: a commit whose parents are not there, and a file that says so.
        fs::write(repository.path().join("shallow"), format!("{last}\n")).unwrap();
        let parent = repository
            .find_commit(last.parse().unwrap())
            .unwrap()
            .parent_id(0)
            .unwrap()
            .to_string();
        fs::remove_file(
            repository
                .path()
                .join("objects")
                .join(&parent[..2])
                .join(&parent[2..]),
        )
        .unwrap();
        assert_eq!(found(directory.path()), (last, false));
    }

    #[test]
    fn of_a_name_that_is_not_known_it_is_told_what_is() {
        let (directory, repository) = repository();
        let first = commit(&repository, "a", "1");
        let at = repository.find_commit(first.parse().unwrap()).unwrap();
        repository.branch("release", &at, false).unwrap();
        repository
            .tag_lightweight("v1.0", at.as_object(), false)
            .unwrap();
        let known = ["HEAD", "release", "v1.0", &first, &first[..9]];
        for name in known {
            assert_eq!(unknown(directory.path(), name), None, "{name}");
        }
        let unknown = |name: &str| unknown(directory.path(), name);
        let mut names = unknown("HEAAD").unwrap().names;
        names.sort();
        assert_eq!(names, ["HEAD", "main", "release", "v1.0"]);
        assert_eq!(unknown("HEAAD").unwrap().prefix, None);
        let last = if first.as_bytes()[8] == b'0' {
            '1'
        } else {
            '0'
        };
        let mistyped = format!("{}{last}", &first[..8]);
        assert_eq!(unknown(&mistyped).unwrap().prefix, Some(first));
        // A whole id may be one that was not fetched.
        assert_eq!(unknown(&"0123456789".repeat(4)), None);
        let plain = tempfile::tempdir().unwrap();
        assert_eq!(super::unknown(plain.path(), "HEAAD"), None);
    }

    #[test]
    fn a_damaged_repository_is_an_error() {
        let (directory, repository) = repository();
        commit(&repository, "a", "1");
        fs::write(repository.path().join("refs/heads/main"), "no commit\n").unwrap();
        assert!(revision(directory.path()).is_err());
    }
}
