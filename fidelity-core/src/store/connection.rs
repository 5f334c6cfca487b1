//! Opening the file: how much of it is believed, and how the engine is set up.
//!
//! A store may come from a stranger's clone. Nothing in it can run code, and every value is checked as it is read.
//! Never opens the file by other means than the engine: closing such a handle would drop the engine's locks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{Fault, StoreError};
use super::schema::{self, Format, LADDER};

/// The longest text or blob that is written or read, in bytes.
pub(super) const MAX_VALUE_BYTES: i32 = 64 << 20;

/// How long a writer waits for the writers of other runs: longer than the longest transaction takes, which holds a run of
/// many millions of trials. Tests wait for it to pass.
const BUSY_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 10 } else { 120 });

/// Prepared statements that are kept; more than the code has.
const STATEMENTS: usize = 64;

/// Whether a store may be made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// A missing store is an error.
    Refuse,
    /// A missing store is made.
    Create,
}

/// An open store file.
#[derive(Debug)]
pub(super) struct Handle {
    /// The engine's connection.
    pub(super) connection: Connection,
    /// The file.
    pub(super) path: PathBuf,
    identity: Option<Identity>,
}

/// What tells a file from one that took its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Handle {
    /// Opens the store at `path`, brings it to the current version and checks its tables.
    ///
    /// A file that cannot be written is opened for reading.
    pub(super) fn open(path: &Path, absent: Absent) -> Result<Self, StoreError> {
        refuse_what_is_no_file(path, absent)?;
        let opened = open_and_check(path, absent).or_else(|fault| match &fault {
            Fault::Engine(error) if lacks_permission(error) && !has_log(path) => {
                open_unchanging(path).map_err(|_| fault)
            }
            _ => Err(fault),
        });
        let connection = opened.map_err(|fault| match fault {
            Fault::Engine(error) if lacks_permission(&error) => why_not_open(path, error),
            other => other.at(path),
        })?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            identity: identity(path),
        })
    }

    /// Opens another connection to the same file, which was checked before.
    pub(super) fn another(&self) -> Result<Self, StoreError> {
        self.check_present()?;
        let connection =
            connect(&self.path, Absent::Refuse).map_err(|fault| fault.at(&self.path))?;
        Ok(Self {
            connection,
            path: self.path.clone(),
            identity: self.identity,
        })
    }

    /// Checks that the file still is where it was: writing to a removed file would succeed, and keep nothing.
    pub(super) fn check_present(&self) -> Result<(), StoreError> {
        if identity(&self.path) == self.identity {
            return Ok(());
        }
        Err(StoreError::Vanished {
            path: self.path.clone(),
        })
    }
}

/// Returns why the engine could not open or write a file: it knows that it could not, its directory tells the reason.
fn why_not_open(path: &Path, error: rusqlite::Error) -> StoreError {
    if error.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
        return StoreError::ReadOnly {
            path: path.to_owned(),
        };
    }
    match tempfile::tempfile_in(path.parent().unwrap_or(path)) {
        Ok(_) => Fault::Engine(error).at(path),
        Err(source) => StoreError::from_io("make files beside", path, source),
    }
}

/// Returns what tells the file at `path` from others; none where there is none.
fn identity(path: &Path) -> Option<Identity> {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some(Identity(metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        Some(Identity(0, 0))
    }
}

/// Refuses places where no store is and none may be made, before the engine makes one.
fn refuse_what_is_no_file(path: &Path, absent: Absent) -> Result<(), StoreError> {
    let path = || path.to_owned();
    match fs::metadata(path()) {
        Ok(metadata) if !metadata.is_file() => Err(StoreError::NotAStore { path: path() }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match absent {
            Absent::Create => Ok(()),
            Absent::Refuse => Err(StoreError::NoStore { path: path() }),
        },
        Err(source) => Err(StoreError::Io {
            action: "look at",
            path: path(),
            source,
        }),
    }
}

/// Opens the file, makes or migrates what has to be, and checks what is there.
fn open_and_check(path: &Path, absent: Absent) -> Result<Connection, Fault> {
    let mut connection = connect(path, absent)?;
    match schema::format_of(&connection)? {
        Format::Foreign => {
            return Err(StoreError::NotAStore {
                path: path.to_owned(),
            }
            .into());
        }
        Format::Fresh if absent == Absent::Refuse => {
            return Err(StoreError::NoStore {
                path: path.to_owned(),
            }
            .into());
        }
        // With the rollback journal a new file starts with, so that the tables are in the file and not in a log.
        Format::Fresh => schema::climb(&mut connection, LADDER)?,
        Format::Version(version) => {
            refuse_newer(path, version)?;
            if (version as usize) < LADDER.len() {
                schema::climb(&mut connection, LADDER)?;
            }
        }
    }
    schema::check(&connection, LADDER)?;
    if !connection.is_readonly("main")? {
        use_write_ahead_log(&connection)?;
    }
    Ok(connection)
}

/// Opens a file in a place where the engine cannot put its log: nobody can be writing it there.
fn open_unchanging(path: &Path) -> Result<Connection, Fault> {
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                address.push(char::from(*byte));
            }
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(address, flags)?;
    harden(&connection)?;
    match schema::format_of(&connection)? {
        Format::Version(version) if (version as usize) < LADDER.len() => {
            return Err(StoreError::ReadOnly {
                path: path.to_owned(),
            }
            .into());
        }
        Format::Version(version) => refuse_newer(path, version)?,
        Format::Fresh => {
            return Err(StoreError::NoStore {
                path: path.to_owned(),
            }
            .into());
        }
        Format::Foreign => {
            return Err(StoreError::NotAStore {
                path: path.to_owned(),
            }
            .into());
        }
    }
    schema::check(&connection, LADDER)?;
    Ok(connection)
}

/// Refuses a store of a later version of the tool.
fn refuse_newer(path: &Path, found: u32) -> Result<(), StoreError> {
    let supported = LADDER.len() as u32;
    if found <= supported {
        return Ok(());
    }
    Err(StoreError::TooNew {
        path: path.to_owned(),
        found,
        supported,
    })
}

/// Opens a connection, set up, without looking at what is in the file.
fn connect(path: &Path, absent: Absent) -> Result<Connection, Fault> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if absent == Absent::Create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(path, flags)?;
    harden(&connection)?;
    // A commit is one write to the log. It survives the death of any process; only a checkpoint waits for the disk.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 2_000)?;
    connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
    Ok(connection)
}

/// Takes from the file every way to make the engine do more than read and write rows.
fn harden(connection: &Connection) -> Result<(), Fault> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Switches the file to the write-ahead log, if it does not use it yet.
///
/// The engine does not wait here as it does elsewhere, so that several processes that make the store at once would
/// fail: they take turns by trying again. Where the file system has no shared memory the engine keeps its rollback
/// journal, which is slower and as safe.
fn use_write_ahead_log(connection: &Connection) -> Result<(), Fault> {
    let start = Instant::now();
    loop {
        let switched =
            connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get::<_, String>(0));
        match switched {
            Err(error) if is_busy(&error) && start.elapsed() < BUSY_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Returns whether the engine could not make or write a file it needs.
fn lacks_permission(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    )
}

/// Returns whether a log with rows that are not in the file yet lies beside it.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0)
}
