//! Why a repository or its history cannot be read.

use std::path::PathBuf;

/// Why there is no history to read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The workspace is in no repository, or in one that ignores it.
    #[error("{} is in no git repository", workspace.display())]
    NoRepository {
        /// The workspace.
        workspace: PathBuf,
    },
    /// The repository belongs to another user, and git was not told to trust it.
    #[error("the git repository of {} belongs to another user", workspace.display())]
    NotTrusted {
        /// The workspace.
        workspace: PathBuf,
    },
    /// The repository is of a kind that libgit2 does not read: other hashes, references that are not files.
    #[error("the git repository of {} has a format that is not read here", workspace.display())]
    Format {
        /// The workspace.
        workspace: PathBuf,
        /// The cause.
        #[source]
        source: git2::Error,
    },
    /// The repository has no work tree.
    #[error("the git repository {} is bare", repository.display())]
    Bare {
        /// The repository.
        repository: PathBuf,
    },
    /// The repository has no commit yet.
    #[error("the git repository {} has no commit yet", repository.display())]
    NoCommit {
        /// The repository.
        repository: PathBuf,
    },
    /// The configuration file is not below the work tree.
    #[error("{} is not in the git repository", file.display())]
    Outside {
        /// The file.
        file: PathBuf,
    },
    /// The repository could not be read.
    #[error("could not {action}")]
    Git {
        /// What was being done, as an infinitive.
        action: &'static str,
        /// The cause.
        #[source]
        source: git2::Error,
    },
}

/// Wraps an error of git; `action` is an infinitive.
pub(super) fn git(action: &'static str, source: git2::Error) -> HistoryError {
    HistoryError::Git { action, source }
}

/// Returns whether a repository could not be opened because of what its configuration says of its format.
pub(super) fn is_of_another_format(error: &git2::Error) -> bool {
    let said = [
        "unknown object format",
        "unsupported extension",
        "unsupported repository version",
    ];
    said.iter().any(|said| error.message().contains(said))
}
