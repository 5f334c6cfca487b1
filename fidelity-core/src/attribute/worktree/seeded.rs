//! Copies of what cargo built, with the times of the files.

use std::ffi::OsStr;
use std::fs::{self, File, FileTimes};
use std::path::Path;

use super::WorktreeError;

/// Copies the target folder `from` to `to`, but for what only the checkout it was built for needs: the programs in it, and
/// traces for the next build.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), WorktreeError> {
    let failed = |source| WorktreeError::io("copy", from, source);
    fs::create_dir_all(to).map_err(|source| WorktreeError::io("make", to, source))?;
    let in_deps = from.file_name() == Some(OsStr::new("deps"));
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let metadata = entry.metadata().map_err(failed)?;
        if metadata.is_dir() {
            if entry.file_name() != "incremental" {
                copy(&path, &target)?;
            }
        } else if metadata.is_file() && !(in_deps && path.extension().is_none()) {
            let copied = || {
                fs::copy(&path, &target)?;
                let times = FileTimes::new().set_modified(metadata.modified()?);
                // Its owner may set them, whether or not it can be written.
                File::open(&target)?.set_times(times)
            };
            copied().map_err(|source| WorktreeError::io("copy to", &target, source))?;
        }
    }
    Ok(())
}
