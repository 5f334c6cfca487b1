//! The repository of a workspace: finds it, and reads its fidelity history. Reads only, and never the network.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::{ErrorCode, Oid};
use serde::{Deserialize, Serialize};

use super::error::{HistoryError, git, is_of_another_format};
use super::file::Files;
use super::line::Lines;
use super::uncommitted;
use super::{At, Change, CommitId, CommitInfo, Line, Point, State, changes};
use crate::config::FILE_NAME;

/// Whose history is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// The configuration file, if it is not `fidelity.toml` at the workspace root.
    pub config_file: Option<&'a Path>,
    /// The fidelity profile that is the baseline, if not the file's own.
    pub baseline: Option<&'a str>,
    /// The fidelity profile that is the target, if not the file's own.
    pub target: Option<&'a str>,
}

/// How far back a history goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// To its first commit.
    Root,
    /// To a commit whose parents are not in this clone.
    Missing {
        /// The oldest commit that is here.
        oldest: CommitId,
        /// Whether the clone is shallow; else the objects are lost, or left at a server.
        shallow: bool,
    },
    /// As far as was asked for.
    Enough,
}

/// Where the configuration file on a line comes from. Without one the built-in fidelity profiles hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFrom {
    /// It is there from the first commit on that can be read.
    Beginning,
    /// This commit brought it.
    Commit(CommitInfo),
    /// No commit has one.
    Nowhere,
}

/// A change with what is known of its commit, and of the merge that brought it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FidelityChange {
    /// The change.
    pub change: Change,
    /// Its commit; none for what is not committed.
    pub commit: Option<CommitInfo>,
    /// The merge.
    pub merge: Option<CommitInfo>,
}

/// The fidelity history of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FidelityHistory {
    /// Every change, the oldest first.
    pub changes: Vec<FidelityChange>,
    /// Commits whose configuration cannot be read, the oldest first, each with the reason.
    pub unreadable: Vec<(At, String)>,
    /// The first commit whose configuration can be read; none where none can.
    pub first: Option<CommitInfo>,
    /// Where the configuration file comes from.
    pub file: FileFrom,
    /// Where the configuration file was renamed: the commit, from where, to where.
    pub renames: Vec<(CommitId, PathBuf, PathBuf)>,
    /// How many commits the line of first parents has.
    pub commits: usize,
    /// How far it goes back.
    pub end: End,
}

/// A git repository with the workspace in it.
pub struct Repository {
    git: git2::Repository,
    workdir: PathBuf,
    /// The workspace within the repository.
    workspace: PathBuf,
}

impl Repository {
    /// Finds the repository of a workspace.
    ///
    /// # Errors
    /// [`HistoryError::NoRepository`], [`HistoryError::NotTrusted`], [`HistoryError::Bare`], or it could not be read.
    pub fn of(workspace: &Path) -> Result<Self, HistoryError> {
        let found = match git2::Repository::discover(workspace) {
            Ok(found) => found,
            Err(error) if error.code() == ErrorCode::NotFound => {
                return Err(HistoryError::NoRepository {
                    workspace: workspace.to_owned(),
                });
            }
            Err(error) if error.code() == ErrorCode::Owner => {
                return Err(HistoryError::NotTrusted {
                    workspace: workspace.to_owned(),
                });
            }
            Err(source) if is_of_another_format(&source) => {
                return Err(HistoryError::Format {
                    workspace: workspace.to_owned(),
                    source,
                });
            }
            Err(error) => return Err(git("open the git repository", error)),
        };
        let Some(workdir) = found.workdir() else {
            return Err(HistoryError::Bare {
                repository: found.path().to_owned(),
            });
        };
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let workdir = canonical(workdir);
        let workspace = canonical(workspace);
        let within = workspace.strip_prefix(&workdir).map(Path::to_owned);
        let Ok(within) = within else {
            return Err(HistoryError::NoRepository { workspace });
        };
        Ok(Self {
            git: found,
            workdir,
            workspace: within,
        })
    }

    /// Returns git's own view of it.
    pub fn git(&self) -> &git2::Repository {
        &self.git
    }

    /// Returns the root of the work tree.
    pub fn workdir(&self) -> &Path {
        &self.workdir
    }

    /// Returns the workspace, relative to the work tree.
    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// Returns the commit the work tree is at.
    ///
    /// # Errors
    /// [`HistoryError::NoCommit`], or it could not be read.
    pub fn head(&self) -> Result<Oid, HistoryError> {
        let head = self.git.head().and_then(|head| head.peel_to_commit());
        match head {
            Ok(commit) => Ok(commit.id()),
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                Err(HistoryError::NoCommit {
                    repository: self.git.path().to_owned(),
                })
            }
            Err(error) => Err(git("find the commit the work tree is at", error)),
        }
    }

    /// Returns every change of an effective value along the first parents of the work tree's commit, the work tree itself
    /// last.
    ///
    /// # Errors
    /// [`HistoryError`] but [`HistoryError::Bare`]. A file that cannot be read is part of the answer.
    pub fn fidelity_history(&self, subject: &Subject<'_>) -> Result<FidelityHistory, HistoryError> {
        Ok(self.history_to(subject, None)?.1)
    }

    /// Returns the line of first parents that ends with `tip`, and the changes along it; with none, the line ends with the
    /// work tree.
    ///
    /// # Errors
    /// Those of [`Self::fidelity_history`].
    pub fn history_to(
        &self,
        subject: &Subject<'_>,
        tip: Option<&CommitId>,
    ) -> Result<(Line, FidelityHistory), HistoryError> {
        self.history_since(subject, tip, &mut |_| false)
    }

    /// Returns the same of the newest part of the line, back to the first point that is `enough`. It is asked of one commit after the
    /// other, the newest first.
    ///
    /// # Errors
    /// Those of [`Self::fidelity_history`].
    pub fn history_since(
        &self,
        subject: &Subject<'_>,
        tip: Option<&CommitId>,
        enough: &mut dyn FnMut(&Point) -> bool,
    ) -> Result<(Line, FidelityHistory), HistoryError> {
        let last = match tip {
            None => self.head()?,
            Some(tip) => Oid::from_str(&tip.0).map_err(|error| git("read a commit's id", error))?,
        };
        let path = Rc::new(self.config_path(subject)?);
        let files = Files::new(&self.git, subject, self.workspace.clone());
        let mut lines = Lines::new(&self.git, files, self.shallow());
        let read = lines.read(last, (Rc::clone(&path), None), enough)?;
        let mut line = read.line;
        let commits = line.len();
        if tip.is_none() {
            line.extend(uncommitted::point(self, lines.files(), &path, line.last())?);
        }
        let found = changes(&line, &mut |at| lines.sides(at))?;
        let unreadable = line.iter().filter_map(|point| match &point.state {
            State::Known(_) => None,
            State::Unreadable(reason) => Some((point.at.clone(), reason.to_string())),
        });
        let mut readable = line
            .iter()
            .filter(|point| point.is_readable())
            .filter_map(|point| Some((point.commit()?, point.has_file)));
        let first = readable.next();
        let file = match first {
            Some((_, true)) => FileFrom::Beginning,
            _ => match readable.find(|(_, has_file)| *has_file) {
                Some((commit, _)) => FileFrom::Commit(self.info(commit)?),
                None => FileFrom::Nowhere,
            },
        };
        let history = FidelityHistory {
            unreadable: unreadable.collect(),
            changes: self.named(found)?,
            first: first.map(|(commit, _)| self.info(commit)).transpose()?,
            file,
            renames: lines.renames().to_vec(),
            commits,
            end: read.end,
        };
        Ok((line, history))
    }

    /// Returns what the configuration at `commit` comes to, where it is called as it is today.
    ///
    /// # Errors
    /// Those of [`Self::fidelity_history`].
    pub fn state_at(
        &self,
        subject: &Subject<'_>,
        commit: &CommitId,
    ) -> Result<State, HistoryError> {
        let path = self.config_path(subject)?;
        let tree = Oid::from_str(&commit.0)
            .and_then(|id| self.git.find_commit(id))
            .map(|commit| commit.tree_id())
            .map_err(|error| git("read a commit", error))?;
        let mut files = Files::new(&self.git, subject, self.workspace.clone());
        let state = files.state(tree, &path);
        let (state, _) = state.map_err(|error| git("read the configuration of a commit", error))?;
        Ok(state)
    }

    fn named(&self, changes: Vec<Change>) -> Result<Vec<FidelityChange>, HistoryError> {
        let named = |change: Change| {
            Ok(FidelityChange {
                commit: self.info_at(&change.at)?,
                merge: match &change.merged_by {
                    Some(at) => self.info_at(at)?,
                    None => None,
                },
                change,
            })
        };
        changes.into_iter().map(named).collect()
    }

    fn info_at(&self, at: &At) -> Result<Option<CommitInfo>, HistoryError> {
        match at {
            At::Uncommitted => Ok(None),
            At::Commit(id) => self.info(id).map(Some),
        }
    }

    /// Returns what is known of a commit.
    ///
    /// # Errors
    /// It could not be read.
    pub fn info(&self, id: &CommitId) -> Result<CommitInfo, HistoryError> {
        let commit = Oid::from_str(&id.0).and_then(|id| self.git.find_commit(id));
        let commit = commit.map_err(|error| git("read a commit", error))?;
        let author = commit.author();
        Ok(CommitInfo {
            id: id.clone(),
            author: String::from_utf8_lossy(author.name_bytes()).into_owned(),
            date: date(author.when()),
            subject: String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default())
                .into_owned(),
        })
    }

    /// Returns the commits whose parents a shallow clone has left out.
    pub(crate) fn shallow(&self) -> BTreeSet<Oid> {
        let text = fs::read_to_string(self.git.commondir().join("shallow")).unwrap_or_default();
        text.lines()
            .filter_map(|line| Oid::from_str(line.trim()).ok())
            .collect()
    }

    /// Returns where the configuration file is within the repository, there or not.
    fn config_path(&self, subject: &Subject<'_>) -> Result<PathBuf, HistoryError> {
        let Some(file) = subject.config_file else {
            return Ok(self.workspace.join(FILE_NAME));
        };
        let absolute = file
            .canonicalize()
            .or_else(|_| std::path::absolute(file))
            .unwrap_or_else(|_| file.to_owned());
        match absolute.strip_prefix(&self.workdir) {
            Ok(within) => Ok(within.to_owned()),
            Err(_) => Err(HistoryError::Outside {
                file: file.to_owned(),
            }),
        }
    }
}

/// Returns a time of git as RFC 3339; the number of seconds where no calendar has it.
fn date(time: git2::Time) -> String {
    let offset = jiff::tz::Offset::from_seconds(time.offset_minutes().saturating_mul(60));
    let moment = jiff::Timestamp::from_second(time.seconds());
    match (moment, offset) {
        (Ok(moment), Ok(offset)) => moment.display_with_offset(offset).to_string(),
        _ => format!("{} s", time.seconds()),
    }
}
