//! Archiving by the tools of the system.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

/// Packs the files of `directory` into `directory/archive.tar`.
///
/// The defect: the command line falls apart at a space in the path.
pub fn pack(directory: &Path) -> io::Result<bool> {
    let command = format!("cd {0} && ls > archive.tar", directory.display());
    Ok(Command::new("sh")
        .arg("-c")
        .arg(command)
        .output()?
        .status
        .success())
}

/// Runs `work` under a lock file, so that two archives are not written at once.
///
/// The defect: a caller that returns early leaves the lock behind, and the next one trips over it.
pub fn locked(lock: &Path, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    if lock.exists() {
        fs::remove_file(lock)?;
        return Err(io::Error::other("the archive is locked"));
    }
    File::create(lock)?;
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_packed() {
        let directory = std::env::temp_dir().join(format!("invoicing-pack-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        assert!(pack(&directory).unwrap(), "packing failed");
    }

    #[test]
    fn the_archive_is_written_under_a_lock() {
        // Flaky everywhere: every second time it finds what the time before left behind.
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        fs::create_dir_all(&target).unwrap();
        locked(&target.join("invoicing.lock"), || Ok(())).unwrap();
    }
}
