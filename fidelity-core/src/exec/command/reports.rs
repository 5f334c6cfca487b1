//! The reports of a pass: the files that match and that this pass has written. Others are never read, and none is removed.
//!
//! Must not know: tests, arms. Invariant: a file that was there before the pass, and was not written since, is not read.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::words::DIRECTORY;

/// What tells a file from one that was written anew: size, inode, times of change of content and of the rest, in
/// nanoseconds. The last cannot be set by anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp([i64; 6]);

impl Stamp {
    /// Returns the stamp of the file at `path`; none where it is no file.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        let metadata = path.metadata()?;
        Ok(metadata.is_file().then(|| {
            Self([
                metadata.size().cast_signed(),
                metadata.ino().cast_signed(),
                metadata.mtime(),
                metadata.mtime_nsec(),
                metadata.ctime(),
                metadata.ctime_nsec(),
            ])
        }))
    }
}

/// Where the reports of a pass are.
pub(super) struct Patterns(Vec<String>);

/// The files that match, and how they look.
#[derive(Debug, Default)]
pub(super) struct Matching(BTreeMap<PathBuf, Stamp>);

impl Patterns {
    /// Returns the patterns `written` in the configuration, for commands that run in `directory` and are given `reports`
    /// for `{dir}`.
    pub(super) fn new(written: &[String], directory: &Path, reports: &Path) -> Self {
        let literal = |path: &Path| glob::Pattern::escape(&path.to_string_lossy());
        let absolute = |pattern: &String| {
            let pattern = pattern.replace(DIRECTORY, &literal(reports));
            if pattern.starts_with('/') {
                return pattern;
            }
            format!("{}/{pattern}", literal(directory))
        };
        Self(written.iter().map(absolute).collect())
    }

    /// Returns the files that match now.
    ///
    /// # Errors
    /// The reason, where a pattern is none.
    pub(super) fn matching(&self) -> Result<Matching, String> {
        let mut found = BTreeMap::new();
        for pattern in &self.0 {
            let paths = glob::glob(pattern)
                .map_err(|error| format!("`{pattern}` is no pattern: {error}"))?;
            for path in paths.flatten() {
                // What vanishes meanwhile is not there.
                if let Ok(Some(stamp)) = Stamp::of(&path) {
                    found.insert(path, stamp);
                }
            }
        }
        Ok(Matching(found))
    }
}

impl Matching {
    /// Returns the files that were written since `before`, sorted, and whether others match.
    pub(super) fn written_since(&self, before: &Self) -> (Vec<PathBuf>, bool) {
        let is_new = |(path, stamp): &(&PathBuf, &Stamp)| before.0.get(*path) != Some(*stamp);
        let files: Vec<PathBuf> = self
            .0
            .iter()
            .filter(is_new)
            .map(|(path, _)| path.clone())
            .collect();
        let others = files.len() < self.0.len();
        (files, others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(files: &[PathBuf]) -> Vec<String> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        files.iter().map(name).collect()
    }

    #[test]
    fn only_what_was_written_since_is_read_however_it_was_written() {
        let top = tempfile::tempdir().unwrap();
        let directory = top.path().join("odd [name] *");
        fs::create_dir_all(directory.join("reports/deep")).unwrap();
        let write = |name: &str, text: &str| fs::write(directory.join(name), text).unwrap();
        for name in [
            "reports/stale.xml",
            "reports/same.xml",
            "reports/moved.xml",
            "reports/a.txt",
        ] {
            write(name, "<testsuite/>");
        }
        let written = ["reports/**/*.xml".to_owned(), "{dir}/*.xml".to_owned()];
        let patterns = Patterns::new(&written, &directory, &directory.join("own"));
        let before = patterns.matching().unwrap();
        assert_eq!(before.written_since(&Matching::default()).0.len(), 3);
        assert_eq!(
            patterns.matching().unwrap().written_since(&before),
            (Vec::new(), true)
        );

        // Times of change tick every few milliseconds only.
        let probe = directory.join("probe");
        let ticked = |time: Stamp| {
            time.0[4..]
                > before
                    .0
                    .values()
                    .map(|it| it.0[4..].to_vec())
                    .max()
                    .unwrap()[..]
        };
        while !Stamp::of(&probe).is_ok_and(|stamp| stamp.is_some_and(ticked)) {
            fs::write(&probe, "").unwrap();
        }
        write("reports/same.xml", "<testsuite/>");
        write("reports/deep/new.xml", "<testsuite/>");
        fs::create_dir(directory.join("own")).unwrap();
        write("own/given.xml", "<testsuite/>");
        write("elsewhere", "<testsuite/>");
        fs::rename(
            directory.join("elsewhere"),
            directory.join("reports/moved.xml"),
        )
        .unwrap();
        let (files, others) = patterns.matching().unwrap().written_since(&before);
        assert_eq!(
            names(&files),
            ["given.xml", "new.xml", "moved.xml", "same.xml"]
        );
        assert!(others, "the stale one");
        assert!(directory.join("reports/stale.xml").exists());
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        let patterns = Patterns::new(&["a/***/b".to_owned()], Path::new("/x"), Path::new("/y"));
        assert!(patterns.matching().unwrap_err().contains("is no pattern"));
    }
}
