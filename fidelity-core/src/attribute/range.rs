//! The line of commits between a good and a bad one, out of the user's repository. Reads only.

use std::path::PathBuf;

use git2::Oid;

use super::commit_search::Place;
use super::history::{CommitId, HistoryError, Repository};
use super::prior;

/// Why there is no line to search.
#[derive(Debug, thiserror::Error)]
pub enum RangeError {
    /// A revision is no commit of this clone.
    #[error("`{revision}` is no commit here")]
    Unknown {
        /// What was asked for.
        revision: String,
        /// Whether the clone is shallow, so that it may be one elsewhere.
        shallow: bool,
    },
    /// Both ends are one commit.
    #[error("the good and the bad end are the same commit, {}", .0.short())]
    Same(CommitId),
    /// The good commit is not an ancestor of the bad one.
    #[error("{} is no ancestor of {}", .good.short(), .bad.short())]
    NotAncestor {
        /// The good end.
        good: CommitId,
        /// The bad end.
        bad: CommitId,
        /// The commit from which both descend, if there is one.
        base: Option<CommitId>,
        /// Whether the clone is shallow, so that the connection may be one that was left out.
        shallow: bool,
    },
    /// Some of the commits between the ends are not in this clone.
    #[error("commits before {} are not in this clone", .oldest.short())]
    Missing {
        /// The oldest commit of the line that is here.
        oldest: CommitId,
    },
    /// The repository could not be read.
    #[error(transparent)]
    History(#[from] HistoryError),
}

fn git(action: &'static str, source: git2::Error) -> RangeError {
    HistoryError::Git { action, source }.into()
}

/// Returns git's own form of a commit's id.
///
/// # Errors
/// It is no id.
pub fn oid(commit: &CommitId) -> Result<Oid, RangeError> {
    Oid::from_str(&commit.0).map_err(|error| git("read the id of a commit", error))
}

impl Repository {
    /// Returns the commit that `revision` names: an id, the beginning of one, a branch, a tag, `HEAD~3` ...
    ///
    /// # Errors
    /// [`RangeError::Unknown`].
    pub fn commit(&self, revision: &str) -> Result<CommitId, RangeError> {
        let found = self
            .git()
            .revparse_single(revision)
            .and_then(|object| object.peel_to_commit());
        match found {
            Ok(commit) => Ok(CommitId(commit.id().to_string())),
            Err(_) => Err(RangeError::Unknown {
                revision: revision.to_owned(),
                shallow: self.git().is_shallow(),
            }),
        }
    }

    /// Returns whether `first` is an ancestor of `last`, and another commit; false where one of them is not here.
    pub fn is_before(&self, first: &CommitId, last: &CommitId) -> bool {
        let (Ok(first), Ok(last)) = (oid(first), oid(last)) else {
            return false;
        };
        first != last && self.git().graph_descendant_of(last, first).unwrap_or(false)
    }

    /// Returns the line from `good` to `bad` along first parents: the commits that descend from `good`, after `good` itself. Where that
    /// came by a merge, the line goes on with the merge: the first parents before it do not have `good`, so that none of them can be
    /// compared with it. `folders` are those the test is built from, and weigh more.
    ///
    /// # Errors
    /// [`RangeError`].
    pub fn line(
        &self,
        good: &CommitId,
        bad: &CommitId,
        folders: &[PathBuf],
    ) -> Result<Vec<Place>, RangeError> {
        let (first, last) = (oid(good)?, oid(bad)?);
        if first == last {
            return Err(RangeError::Same(good.clone()));
        }
        let read = |error| git("compare two commits", error);
        let shallow = self.git().is_shallow();
        if !self.git().graph_descendant_of(last, first).map_err(read)? {
            let base = self.git().merge_base(last, first).ok();
            return Err(RangeError::NotAncestor {
                good: good.clone(),
                bad: bad.clone(),
                base: base.map(|base| CommitId(base.to_string())),
                shallow,
            });
        }
        let closure = self.within(folders);
        let mut places = Vec::new();
        let mut after = self.after(first, last)?;
        self.only_since(first, &mut after)?;
        for id in after.into_iter().chain([first]) {
            places.push(self.place(id, &closure)?);
        }
        places.reverse();
        Ok(places)
    }

    /// Returns the lines that `merge` brought to a line on which `before` comes before it: for each parent that `before` has not, from
    /// where both parted to that parent.
    ///
    /// # Errors
    /// [`RangeError`].
    pub fn side_lines(
        &self,
        merge: &CommitId,
        before: &CommitId,
        folders: &[PathBuf],
    ) -> Result<Vec<Vec<Place>>, RangeError> {
        let read = |error| git("read a merge", error);
        let (commit, before) = (self.git().find_commit(oid(merge)?), oid(before)?);
        let mut lines = Vec::new();
        for parent in commit.map_err(read)?.parent_ids() {
            let Ok(base) = self.git().merge_base(before, parent) else {
                continue;
            };
            if base != parent {
                let ends = [base, parent].map(|end| CommitId(end.to_string()));
                lines.push(self.line(&ends[0], &ends[1], folders)?);
            }
        }
        Ok(lines)
    }

    /// Returns the commits along first parents that `last` has and `first` has not, the newest first.
    fn after(&self, first: Oid, last: Oid) -> Result<Vec<Oid>, RangeError> {
        let walk = || {
            let mut walk = self.git().revwalk()?;
            walk.push(last)?;
            walk.hide(first)?;
            walk.simplify_first_parent()?;
            walk.collect::<Result<Vec<Oid>, _>>()
        };
        let found = walk().map_err(|error| git("list the commits between two", error))?;
        let Some(oldest) = found.last() else {
            return Ok(found);
        };
        let commit = self.git().find_commit(*oldest);
        let commit = commit.map_err(|error| git("read a commit", error))?;
        let missing = match commit.parent_id(0) {
            Ok(parent) => self.git().find_commit(parent).is_err(),
            // A root: `first` came by a line that is no line of first parents, or was left out.
            Err(_) => self.shallow().contains(oldest),
        };
        if missing {
            let oldest = CommitId(oldest.to_string());
            return Err(RangeError::Missing { oldest });
        }
        Ok(found)
    }

    /// Takes those commits out of a line of first parents, the newest first, that do not descend from `first`.
    fn only_since(&self, first: Oid, line: &mut Vec<Oid>) -> Result<(), RangeError> {
        let read = |error| git("compare two commits", error);
        let Some(oldest) = line.last() else {
            return Ok(());
        };
        let oldest = self.git().find_commit(*oldest).map_err(read)?;
        if oldest.parent_id(0).is_ok_and(|parent| parent == first) {
            return Ok(());
        }
        // Who has an ancestor that descends from it does so too.
        let (mut since, mut before) = (0, line.len());
        while since < before {
            let middle = usize::midpoint(since, before);
            if self
                .git()
                .graph_descendant_of(line[middle], first)
                .map_err(read)?
            {
                since = middle + 1;
            } else {
                before = middle;
            }
        }
        line.truncate(since);
        Ok(())
    }

    /// Returns whether a commit changes files that one of `globs` matches, relative to the workspace, and no others.
    ///
    /// # Errors
    /// [`RangeError`].
    pub fn touches_only(&self, commit: &CommitId, globs: &[&str]) -> Result<bool, RangeError> {
        let matches = self.matches(commit, globs)?;
        Ok(!matches.is_empty() && matches.iter().all(|matches| *matches))
    }

    /// Returns whether a commit changes a file that one of `globs` matches, relative to the workspace.
    ///
    /// # Errors
    /// [`RangeError`].
    pub fn touches(&self, commit: &CommitId, globs: &[&str]) -> Result<bool, RangeError> {
        Ok(self.matches(commit, globs)?.contains(&true))
    }

    /// Returns of each file that a commit changes whether one of `globs` matches it.
    fn matches(&self, commit: &CommitId, globs: &[&str]) -> Result<Vec<bool>, RangeError> {
        let (_, paths) = self.changed(oid(commit)?)?;
        let matches = |path: &String| {
            let within = std::path::Path::new(path).strip_prefix(self.workspace());
            within.is_ok_and(|path| {
                let path = path.to_string_lossy();
                let mut globs = globs.iter();
                globs.any(|glob| super::history::glob_matches(glob, &path))
            })
        };
        Ok(paths.iter().map(matches).collect())
    }

    /// Returns what is in a file of the workspace at a commit, as git names contents; none where there is no such file.
    pub fn content_at(&self, commit: &CommitId, file: &str) -> Option<String> {
        let commit = self.git().find_commit(oid(commit).ok()?).ok()?;
        let path = self.workspace().join(file);
        Some(commit.tree().ok()?.get_path(&path).ok()?.id().to_string())
    }

    fn place(&self, id: Oid, closure: &[String]) -> Result<Place, RangeError> {
        let (merges, paths) = self.changed(id)?;
        Ok(Place {
            commit: CommitId(id.to_string()),
            merges,
            weight: prior::weight(paths.iter().map(String::as_str), closure),
        })
    }

    /// Returns how many further parents a commit has, and the files that differ from its first.
    fn changed(&self, id: Oid) -> Result<(usize, Vec<String>), RangeError> {
        let read = |error| git("compare a commit with its parent", error);
        let commit = self.git().find_commit(id).map_err(read)?;
        let tree = commit.tree().map_err(read)?;
        let parent = commit.parent(0).ok().and_then(|parent| parent.tree().ok());
        let diff = self
            .git()
            .diff_tree_to_tree(parent.as_ref(), Some(&tree), None)
            .map_err(read)?;
        let paths: Vec<String> = diff
            .deltas()
            .flat_map(|delta| [delta.old_file().path(), delta.new_file().path()])
            .flatten()
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        Ok((commit.parent_count().saturating_sub(1), paths))
    }

    /// Returns those of the folders that are in the repository, relative to it.
    fn within(&self, folders: &[PathBuf]) -> Vec<String> {
        folders
            .iter()
            .filter_map(|folder| folder.canonicalize().ok())
            .filter_map(|folder| folder.strip_prefix(self.workdir()).ok().map(PathBuf::from))
            .map(|folder| folder.to_string_lossy().into_owned())
            .collect()
    }
}
