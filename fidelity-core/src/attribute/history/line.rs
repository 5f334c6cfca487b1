//! Lines of history: along first parents from a commit to where it began or to another line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::{Commit, ErrorCode, Oid, Repository};

use super::error::git;
use super::file::Files;
use super::repository::End;
use super::{At, CommitId, HistoryError, Line, Point, State};

/// Reads lines, each commit of them once.
pub(super) struct Lines<'r> {
    repository: &'r Repository,
    files: Files<'r>,
    shallow: BTreeSet<Oid>,
    /// Commits of the lines read so far, each with the path of the configuration there.
    known: BTreeMap<Oid, Rc<PathBuf>>,
    /// Where the file was renamed: the commit, the old path and the new one.
    renames: Vec<(CommitId, PathBuf, PathBuf)>,
    /// Where a line was read no further, with the path there.
    rest: Option<(Oid, Rc<PathBuf>)>,
}

/// A line as it was read.
pub(super) struct Read {
    pub(super) line: Line,
    pub(super) end: End,
}

impl<'r> Lines<'r> {
    pub(super) fn new(
        repository: &'r Repository,
        files: Files<'r>,
        shallow: BTreeSet<Oid>,
    ) -> Self {
        Self {
            repository,
            files,
            shallow,
            known: BTreeMap::new(),
            renames: Vec::new(),
            rest: None,
        }
    }

    pub(super) fn files(&mut self) -> &mut Files<'r> {
        &mut self.files
    }

    pub(super) fn renames(&self) -> &[(CommitId, PathBuf, PathBuf)] {
        &self.renames
    }

    /// Reads the line that ends with the commit `tip`, back to a commit of another line or to a point that is `enough`, which is its
    /// first point. `path` is where the configuration is in the commit that follows, whose tree is `child`.
    pub(super) fn read(
        &mut self,
        tip: Oid,
        (path, child): (Rc<PathBuf>, Option<Oid>),
        enough: &mut dyn FnMut(&Point) -> bool,
    ) -> Result<Read, HistoryError> {
        let (mut line, mut path) = (Line::new(), path);
        // The tree of the commit that follows, if the file is there.
        let mut child = child;
        let tip = self.repository.find_commit(tip);
        let tip = tip.map_err(|error| git("read a commit", error))?;
        let (mut next, mut end) = (Some(tip), End::Root);
        while let Some(commit) = next {
            let (id, tree) = (commit.id(), commit.tree_id());
            let (mut state, mut is_there) = self.state(tree, &path)?;
            if !is_there
                && let Some(child) = child
                && let Some(old) = self.earlier_path((tree, child), &path, line.last())?
            {
                path = old;
                (state, is_there) = self.state(tree, &path)?;
            }
            let point = Point {
                at: At::Commit(CommitId(id.to_string())),
                merges: commit.parent_count().saturating_sub(1),
                has_file: is_there,
                state,
            };
            let is_enough = enough(&point);
            line.push(point);
            if self.known.contains_key(&id) {
                break;
            }
            self.known.insert(id, Rc::clone(&path));
            child = is_there.then_some(tree);
            let parent = commit.parent_id(0).ok();
            if let (true, Some(parent)) = (is_enough, parent) {
                self.rest = Some((parent, Rc::clone(&path)));
                end = End::Enough;
                break;
            }
            next = match parent {
                Some(parent) => self.find(parent)?,
                None => None,
            };
            if next.is_none() && (parent.is_some() || self.shallow.contains(&id)) {
                end = End::Missing {
                    oldest: CommitId(id.to_string()),
                    shallow: self.shallow.contains(&id),
                };
                break;
            }
        }
        line.reverse();
        Ok(Read { line, end })
    }

    /// Reads the lines that the merge at `at` brought in.
    pub(super) fn sides(&mut self, at: &At) -> Result<Vec<Line>, HistoryError> {
        let At::Commit(CommitId(text)) = at else {
            return Ok(Vec::new());
        };
        let read = |error| git("read a merge", error);
        let id = Oid::from_str(text).map_err(read)?;
        let merge = self.repository.find_commit(id).map_err(read)?;
        let path = self.known.get(&id).cloned().unwrap_or_default();
        self.know_the_rest()?;
        let mut lines = Vec::new();
        for parent in merge.parent_ids().skip(1) {
            if self.find(parent)?.is_some() {
                let follows = (Rc::clone(&path), Some(merge.tree_id()));
                lines.push(self.read(parent, follows, &mut |_| false)?.line);
            }
        }
        Ok(lines)
    }

    /// Walks the part of a line that was not read, so that lines which left it there are read no further than that.
    fn know_the_rest(&mut self) -> Result<(), HistoryError> {
        let Some((mut next, path)) = self.rest.take() else {
            return Ok(());
        };
        while !self.known.contains_key(&next)
            && let Some(commit) = self.find(next)?
        {
            self.known.insert(next, Rc::clone(&path));
            match commit.parent_id(0) {
                Ok(parent) => next = parent,
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn state(&mut self, tree: Oid, path: &Path) -> Result<(State, bool), HistoryError> {
        self.files
            .state(tree, path)
            .map_err(|error| git("read the configuration of a commit", error))
    }

    /// Returns the path the file had before it was renamed to `path`, if it was.
    fn earlier_path(
        &mut self,
        trees: (Oid, Oid),
        path: &Path,
        child: Option<&Point>,
    ) -> Result<Option<Rc<PathBuf>>, HistoryError> {
        let renamed = self
            .files
            .renamed_from(trees, path)
            .map_err(|error| git("look for the configuration's earlier name", error))?;
        let Some(old) = renamed else { return Ok(None) };
        if let Some(At::Commit(id)) = child.map(|point| &point.at) {
            self.renames
                .push((id.clone(), old.clone(), path.to_owned()));
        }
        Ok(Some(Rc::new(old)))
    }

    /// Returns a commit, if it is in the repository: of a shallow or partial clone, some are not.
    fn find(&self, id: Oid) -> Result<Option<Commit<'r>>, HistoryError> {
        match self.repository.find_commit(id) {
            Ok(commit) => Ok(Some(commit)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(git("read a commit", error)),
        }
    }
}
