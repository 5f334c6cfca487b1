//! What can go wrong with a store, in words that tell apart what a user has to do about it.
//!
//! Must not know what the tables are. A result of a test is never one of these.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::domain::{RunId, TestId};

/// Why the store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no store at this place yet.
    #[error("there is no store at {path}")]
    NoStore {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// The file is none of ours.
    #[error("{path} is not a store of fidelity runs")]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of the tool wrote the store.
    #[error(
        "the store {path} has format {found}, and this version reads formats up to {supported}"
    )]
    TooNew {
        /// The store.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this version reads.
        supported: u32,
    },
    /// The store holds what no version of the tool writes.
    #[error("the store {path} is damaged: {detail}")]
    Corrupt {
        /// The store.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The store or its directory cannot be written.
    #[error("the store {path} cannot be written: the file or its directory is read-only")]
    ReadOnly {
        /// The store.
        path: PathBuf,
    },
    /// The disk is full. What was acknowledged before is kept.
    #[error("no space is left for the store {path}")]
    Full {
        /// The store.
        path: PathBuf,
    },
    /// Another process kept the store locked for longer than we wait.
    #[error("the store {path} is locked by another process")]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// The file was removed or replaced while it was written.
    #[error("the store {path} was removed or replaced during the run")]
    Vanished {
        /// Where it was.
        path: PathBuf,
    },
    /// A file or directory beside the store could not be used.
    #[error("could not {action} {path}")]
    Io {
        /// What was being done, as an infinitive.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The database engine failed in a way that has no variant of its own.
    #[error("could not use the store {path}")]
    Engine {
        /// The store.
        path: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// The store holds no run at all.
    #[error("the store {path} holds no run")]
    NoRuns {
        /// The store.
        path: PathBuf,
    },
    /// No run has this id, or an id that begins like this.
    #[error("no run is called `{name}`")]
    NoSuchRun {
        /// What was asked for.
        name: String,
    },
    /// Several runs have ids that begin like this.
    #[error("{} runs have ids that begin with `{prefix}`", matches.len())]
    AmbiguousRun {
        /// What was asked for.
        prefix: String,
        /// Up to ten of the runs that fit.
        matches: Vec<RunId>,
    },
    /// A run with this id is stored already.
    #[error("run {run} is stored already")]
    RunExists {
        /// The run.
        run: RunId,
    },
    /// The run came to its own end: nothing is left to resume.
    #[error("run {run} is finished")]
    Finished {
        /// The run.
        run: RunId,
    },
    /// A living process is writing the run.
    #[error("run {run} is being made by another process")]
    Alive {
        /// The run.
        run: RunId,
    },
    /// A living process is searching for the same thing.
    #[error("another process is looking into the same question about {test}")]
    Searching {
        /// The test.
        test: TestId,
    },
    /// A living process is attributing tests of the run.
    #[error("tests of run {run} are being attributed by another process")]
    Attributing {
        /// The run.
        run: RunId,
    },
    /// A later run joined what was seen of this run until then: more of it would change the later run's verdicts.
    #[error("run {run} was joined by run {by}")]
    Joined {
        /// The run.
        run: RunId,
        /// The later run.
        by: RunId,
    },
    /// The trial was recorded before.
    #[error("attempt {attempt} of test {test} in pass {pass} is recorded already")]
    AlreadyRecorded {
        /// The pass.
        pass: u32,
        /// Position of the test in the run's list.
        test: u32,
        /// The attempt.
        attempt: u16,
    },
    /// The value breaks a rule of its type, so that it could not be read back.
    #[error("{what} cannot be stored")]
    NotStorable {
        /// The value, and the rule it breaks.
        what: String,
    },
    /// The calls came in an order that has no meaning.
    #[error("{what}")]
    Sequence {
        /// What was called, and what stood against it.
        what: String,
    },
}

impl StoreError {
    /// Returns what a user can do about the error, as an imperative; none where the text says it all.
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotAStore { .. } => "name another file; this one was left as it is",
            Self::TooNew { .. } => {
                "install the version of cargo-fidelity that wrote it, or a newer one"
            }
            Self::Corrupt { .. } => {
                "move the file away together with its -wal and -shm neighbours; the next run starts a new one"
            }
            Self::ReadOnly { .. } => "make it writable, or name a store elsewhere",
            Self::Full { .. } => "make room, then resume the run: what was seen so far is kept",
            Self::Busy { .. } => "wait for the other process to end",
            Self::Vanished { .. } => {
                "do not clean the directory of the store during a run; what came after is lost"
            }
            Self::AmbiguousRun { .. } => "give more digits",
            _ => return None,
        })
    }
}

impl StoreError {
    /// Returns whether it is the store at `path` that failed.
    pub fn is_about(&self, path: &Path) -> bool {
        match self {
            Self::NoStore { path: place }
            | Self::NotAStore { path: place }
            | Self::TooNew { path: place, .. }
            | Self::Corrupt { path: place, .. }
            | Self::ReadOnly { path: place }
            | Self::Full { path: place }
            | Self::Busy { path: place }
            | Self::Vanished { path: place }
            | Self::Io { path: place, .. }
            | Self::Engine { path: place, .. }
            | Self::NoRuns { path: place } => place == path,
            _ => false,
        }
    }

    /// Returns the error of a system call beside the store at `path`.
    pub(super) fn from_io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { path }
            }
            io::ErrorKind::StorageFull => Self::Full { path },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }
}

/// A failure on its way to becoming a [`StoreError`]: it does not know yet which store it happened in.
#[derive(Debug)]
pub(super) enum Fault {
    /// The engine reported it.
    Engine(rusqlite::Error),
    /// A stored value is none that we write.
    Damaged(String),
    /// It is complete as it is.
    Ready(StoreError),
}

impl Fault {
    /// Returns the error for the store at `path`.
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Engine(error) => engine_error(path, error),
            Self::Damaged(detail) => StoreError::Corrupt {
                path: path.to_owned(),
                detail,
            },
            Self::Ready(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Ready(error)
    }
}

/// Returns the fault of a stored value that no version of the tool writes.
pub(super) fn damaged(detail: impl Into<String>) -> Fault {
    Fault::Damaged(detail.into())
}

/// Returns the fault of a value that could not be read back if it were written.
pub(super) fn not_storable(what: impl Into<String>) -> Fault {
    Fault::Ready(StoreError::NotStorable { what: what.into() })
}

/// Sorts an error of the engine by what a user can do about it.
fn engine_error(path: &Path, error: rusqlite::Error) -> StoreError {
    use rusqlite::Error as E;
    let path = path.to_owned();
    match &error {
        E::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy { path },
            ErrorCode::DiskFull => StoreError::Full { path },
            ErrorCode::ReadOnly => StoreError::ReadOnly { path },
            ErrorCode::NotADatabase => StoreError::NotAStore { path },
            ErrorCode::TooBig => StoreError::NotStorable {
                what: format!(
                    "a value of more than {} bytes",
                    super::connection::MAX_VALUE_BYTES
                ),
            },
            ErrorCode::DatabaseCorrupt | ErrorCode::SchemaChanged | ErrorCode::TypeMismatch => {
                StoreError::Corrupt {
                    path,
                    detail: error.to_string(),
                }
            }
            // The file that holds the shared index of the log could not grow: the disk is full.
            _ if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => {
                StoreError::Full { path }
            }
            // Our statements are sound on tables that were checked: what they stumble over is a value, or the head.
            _ if failure.extended_code == rusqlite::ffi::SQLITE_ERROR => StoreError::Corrupt {
                path,
                detail: error.to_string(),
            },
            _ => StoreError::Engine {
                path,
                source: error,
            },
        },
        // The same while a statement is prepared.
        E::SqlInputError { msg, .. } => StoreError::Corrupt {
            path,
            detail: msg.clone(),
        },
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..)
        | E::QueryReturnedNoRows => StoreError::Corrupt {
            path,
            detail: error.to_string(),
        },
        _ => StoreError::Engine {
            path,
            source: error,
        },
    }
}
