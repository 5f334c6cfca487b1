//! Test binaries as files: is each still the one that was built?

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::domain::{Failure, Observation, Outcome, TestIndex};
use crate::exec::ExecError;
use crate::suite::TestBinary;

/// What tells a file from one that replaced it, without reading it: size, inode, time of change in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    size: u64,
    inode: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// Returns the stamp of the file at `path`.
    pub(super) fn of(path: &Path) -> Result<Self, ExecError> {
        let metadata = fs::metadata(path).map_err(|error| {
            ExecError::system(format!("find the test binary {}", path.display()), error)
        })?;
        Ok(Self {
            size: metadata.size(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }
}

/// Fails if the binary at position `at` is not the one `stamps` knows.
pub(super) fn check(binaries: &[TestBinary], stamps: &[Stamp], at: u32) -> Result<(), ExecError> {
    let at = at as usize;
    let (Some(binary), Some(stamp)) = (binaries.get(at), stamps.get(at)) else {
        return Ok(());
    };
    match Stamp::of(&binary.path) {
        Ok(now) if now == *stamp => Ok(()),
        _ => Err(ExecError::BinaryChanged {
            path: binary.path.clone(),
        }),
    }
}

/// Returns what is seen of a test that is in the run's list but in no binary.
pub(super) fn not_here(test: TestIndex) -> Observation {
    let message = "no test binary of this run holds the test".to_owned();
    Observation {
        test,
        attempt: 0,
        outcome: Outcome::NotReported,
        duration_us: 0,
        failure: Some(Box::new(Failure {
            signature: message.clone(),
            message,
            output: Default::default(),
        })),
        leaked: 0,
    }
}
