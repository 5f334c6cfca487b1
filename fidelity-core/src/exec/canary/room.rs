//! How much fits into the temporary directory: a canary fills it, and empties it again.
//!
//! Must not know: what was asked of the pass beyond the numbers it is told.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::attempts;

/// Bytes that are really written; more are only asked for.
const MOST_BYTES: u64 = 16 << 20;
/// Files that are really made.
const MOST_FILES: u64 = 5_000;

/// The limits of a directory as they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RoomSeen {
    /// Of its size.
    pub(crate) bytes: Option<LimitSeen>,
    /// Of the number of its files.
    pub(crate) files: Option<LimitSeen>,
}

/// A limit as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LimitSeen {
    /// Whether it is there.
    pub(crate) reached: bool,
    /// How that was seen, for people.
    pub(crate) words: String,
}

/// Fills the temporary directory. `limits`: bytes and files, separated by a comma, `-` for none.
pub(super) fn fill(limits: &str) -> RoomSeen {
    let (bytes, files) = limits.split_once(',').unwrap_or((limits, "-"));
    let directory = std::env::temp_dir().join(format!("canary-{}", std::process::id()));
    let mut seen = RoomSeen::default();
    // The directory that the files are in is one of them.
    if let Ok(limit) = files.parse::<u64>() {
        let made = fs::create_dir(&directory);
        seen.files =
            Some(made.map_or_else(|error| failed(&error), |()| files_in(&directory, limit)));
        drop(fs::remove_dir_all(&directory));
    }
    if let Ok(limit) = bytes.parse() {
        seen.bytes = Some(bytes_in(&directory, limit));
        drop(fs::remove_file(&directory));
    }
    seen
}

/// Makes files in `directory`, which is one itself, until no more can be made.
fn files_in(directory: &Path, limit: u64) -> LimitSeen {
    for made in 1..=limit.min(MOST_FILES) {
        if let Err(error) = File::create_new(directory.join(made.to_string())) {
            return LimitSeen {
                reached: is_full(&error),
                words: format!("after {made}, {error}"),
            };
        }
    }
    if limit > MOST_FILES {
        return as_mounted("nr_inodes=");
    }
    LimitSeen {
        reached: false,
        words: format!("{} could be made all the same", limit + 1),
    }
}

/// Writes to `path` until no more can be written.
fn bytes_in(path: &Path, limit: u64) -> LimitSeen {
    let mut file = match File::create_new(path) {
        Ok(file) => file,
        Err(error) => return failed(&error),
    };
    if limit > MOST_BYTES {
        return match attempts::reserve(&file, limit.saturating_add(1 << 20)) {
            Err(error) if is_full(&error) => LimitSeen {
                reached: true,
                words: format!("more than {limit} bytes: {error}"),
            },
            _ => as_mounted("size="),
        };
    }
    let chunk = [1_u8; 4096];
    let mut written = 0_u64;
    // What is left of the last page may still be used.
    while written <= limit.next_multiple_of(1 << 16) {
        match file.write(&chunk) {
            Ok(length) => written += length as u64,
            Err(error) if is_full(&error) => {
                return LimitSeen {
                    reached: true,
                    words: format!("after {written} bytes, {error}"),
                };
            }
            // A limit on files comes first.
            Err(error) if error.raw_os_error() == Some(libc::EFBIG) => return as_mounted("size="),
            Err(error) => return failed(&error),
        }
    }
    LimitSeen {
        reached: false,
        words: format!("{written} bytes could be written all the same"),
    }
}

/// Judges by what the system says of the mount, where the limit is too far away to be tried.
fn as_mounted(option: &str) -> LimitSeen {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    // The path is escaped there; the name of what is mounted tells it from others.
    let found = mounts.lines().rev().find_map(|line| {
        let mut fields = line.split(' ');
        let ours = fields.next() == Some("room");
        let options = fields.nth(2).filter(|_| ours)?;
        options.split(',').find(|word| word.starts_with(option))
    });
    LimitSeen {
        reached: found.is_some(),
        words: match found {
            Some(found) => format!("mounted with {found}"),
            None => "there is no such limit".to_owned(),
        },
    }
}

fn is_full(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOSPC)
}

fn failed(error: &io::Error) -> LimitSeen {
    LimitSeen {
        reached: is_full(error),
        words: error.to_string(),
    }
}
