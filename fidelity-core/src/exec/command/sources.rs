//! The code under test of a command: which files stand for it, whether two runs tested the same, and whether it changed
//! meanwhile.
//!
//! Where test binaries are built, their bytes say what was tested. A command builds what it likes, so that the files it is
//! made of stand for it: those that `inputs` names, or else all that git does not ignore. Where there is no git and no
//! `inputs`, nothing stands for the code, and no two runs are joined.
//! Must not know: tests, arms. Invariant: a file that was only touched is not changed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::reports::Stamp;
use crate::exec::ExecError;

/// The files that stand for the code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The files, with the hash of their contents; none for what is not there, as a link that leads nowhere.
    files: BTreeMap<PathBuf, Option<[u8; 32]>>,
    /// Those that must not change while tests run.
    watched: Vec<PathBuf>,
    root: PathBuf,
    known: bool,
}

/// Why the files could not be found.
#[derive(Debug, thiserror::Error)]
pub enum SourcesError {
    /// A pattern is none.
    #[error("`{pattern}` of `inputs` is no pattern")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The cause.
        #[source]
        source: glob::PatternError,
    },
    /// No file matches any of the patterns.
    #[error("`inputs` names no file")]
    Nothing,
    /// The repository cannot be read.
    #[error("could not read the git repository of {}", root.display())]
    Git {
        /// The directory.
        root: PathBuf,
        /// The cause.
        #[source]
        source: git2::Error,
    },
    /// A file cannot be read.
    #[error("could not read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl Sources {
    /// Returns the files that stand for the code below `root`: those that match `inputs`, or else what git does not ignore,
    /// but for files that match `reports`, which the suite writes itself.
    ///
    /// # Errors
    /// See [`SourcesError`].
    pub fn find(root: &Path, inputs: &[String], reports: &[String]) -> Result<Self, SourcesError> {
        let mut sources = Self {
            root: root.to_owned(),
            ..Self::default()
        };
        let Files { all, tracked } = if inputs.is_empty() {
            match not_ignored(root).map_err(|source| SourcesError::Git {
                root: root.to_owned(),
                source,
            })? {
                Some(found) => found,
                None => return Ok(sources),
            }
        } else {
            let files = matching(root, inputs)?;
            if files.is_empty() {
                return Err(SourcesError::Nothing);
            }
            Files {
                all: files.clone(),
                tracked: files,
            }
        };
        sources.known = true;
        let reports: Vec<glob::Pattern> = reports
            .iter()
            .filter_map(|pattern| glob::Pattern::new(&below(root, pattern)).ok())
            .collect();
        let is_report = |path: &PathBuf| reports.iter().any(|it| it.matches_path(path));
        for path in all {
            if !is_report(&path)
                && !path
                    .components()
                    .any(|part| part.as_os_str() == ".fidelity")
            {
                let hash = contents(&path)?;
                sources.files.insert(path, hash);
            }
        }
        let kept = |path: &PathBuf| sources.files.contains_key(path);
        sources.watched = tracked.into_iter().filter(kept).collect();
        Ok(sources)
    }

    /// Returns whether anything stands for the code.
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// Returns the hash of names and contents in hexadecimal.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (path, hash) in &self.files {
            let name = path.strip_prefix(&self.root).unwrap_or(path);
            let name = name.as_os_str().as_encoded_bytes();
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name);
            hasher.update(&[u8::from(hash.is_some())]);
            hasher.update(&hash.unwrap_or_default());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Returns what looks after the files from now on.
    ///
    /// # Errors
    /// [`SourcesError::Io`].
    pub fn watch(&self) -> Result<Watch, SourcesError> {
        let mut files = BTreeMap::new();
        for path in &self.watched {
            let hash = self.files.get(path).copied().flatten();
            files.insert(path.clone(), (stamp(path), hash));
        }
        Ok(Watch { files })
    }
}

/// Looks after the code under test while tests run.
#[derive(Debug, Default)]
pub struct Watch {
    files: BTreeMap<PathBuf, (Option<Stamp>, Option<[u8; 32]>)>,
}

impl Watch {
    /// Checks that no file has another content than at the start.
    ///
    /// # Errors
    /// [`ExecError::SourceChanged`].
    pub(super) fn check(&mut self) -> Result<(), ExecError> {
        for (path, (stamped, hash)) in &mut self.files {
            let now = stamp(path);
            if now == *stamped {
                continue;
            }
            // A file that is written again with what it holds is the same.
            let same = contents(path).is_ok_and(|now| now == *hash);
            if !same {
                return Err(ExecError::SourceChanged { path: path.clone() });
            }
            *stamped = now;
        }
        Ok(())
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    Stamp::of(path).ok().flatten()
}

/// Returns `pattern` as one below `root`.
fn below(root: &Path, pattern: &str) -> String {
    // What is meant by `src/**` is every file in it.
    let pattern = match pattern.strip_suffix("/**") {
        Some(directory) => format!("{directory}/**/*"),
        None => pattern.to_owned(),
    };
    let root = glob::Pattern::escape(&root.to_string_lossy());
    if pattern.starts_with('/') {
        pattern
    } else {
        format!("{root}/{pattern}")
    }
}

fn matching(root: &Path, patterns: &[String]) -> Result<Vec<PathBuf>, SourcesError> {
    let mut files = Vec::new();
    for pattern in patterns {
        let paths = glob::glob(&below(root, pattern)).map_err(|source| SourcesError::Pattern {
            pattern: pattern.clone(),
            source,
        })?;
        files.extend(paths.flatten().filter(|path| !path.is_dir()));
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// Files of a work tree.
struct Files {
    /// All that are not ignored.
    all: Vec<PathBuf>,
    /// Those that git tracks.
    tracked: Vec<PathBuf>,
}

/// Returns the files that git does not ignore; none where there is no work tree.
fn not_ignored(root: &Path) -> Result<Option<Files>, git2::Error> {
    let repository = match git2::Repository::discover(root) {
        Ok(repository) => repository,
        Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(top) = repository.workdir().map(Path::to_owned) else {
        return Ok(None);
    };
    if crate::revision::is_foreign(&repository, root)? {
        return Ok(None);
    }
    let index = repository.index()?;
    let tracked: Vec<PathBuf> = index
        .iter()
        .map(|entry| top.join(bytes_to_path(&entry.path)))
        .filter(|path| !path.is_dir())
        .collect();
    let mut options = git2::StatusOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_ignored(false)
        .update_index(false);
    let statuses = repository.statuses(Some(&mut options))?;
    let untracked = statuses
        .iter()
        .filter(|entry| entry.status().is_wt_new())
        .map(|entry| top.join(bytes_to_path(entry.path_bytes())))
        .filter(|path| !path.is_dir());
    let all = tracked.iter().cloned().chain(untracked).collect();
    Ok(Some(Files { all, tracked }))
}

fn bytes_to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

/// Returns the hash of a file's contents; none where there is nothing to read.
pub(super) fn contents(path: &Path) -> Result<Option<[u8; 32]>, SourcesError> {
    let failed = |source| SourcesError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut file, &mut hasher).map_err(failed)?;
    Ok(Some(*hasher.finalize().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn found(root: &Path, inputs: &[&str]) -> Sources {
        let inputs: Vec<String> = inputs.iter().map(ToString::to_string).collect();
        Sources::find(root, &inputs, &["out/*.xml".to_owned()]).unwrap()
    }

    /// A repository with one tracked file, `code`.
    fn repository() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init(directory.path()).unwrap();
        fs::write(directory.path().join("code"), "1").unwrap();
        fs::write(directory.path().join(".gitignore"), "*.tmp\n").unwrap();
        let mut index = repository.index().unwrap();
        index.add_path(Path::new("code")).unwrap();
        index.write().unwrap();
        directory
    }

    #[test]
    fn all_that_git_does_not_ignore_stands_for_the_code_but_for_reports() {
        let directory = repository();
        let root = directory.path().canonicalize().unwrap();
        let write = |name: &str, text: &str| {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), text).unwrap();
        };
        let first = found(&root, &[]).fingerprint();
        for ignored in ["a.tmp", "out/report.xml", ".fidelity/history.db"] {
            write(ignored, "x");
            assert_eq!(found(&root, &[]).fingerprint(), first, "{ignored}");
        }
        write("new", "x");
        let with_new = found(&root, &[]).fingerprint();
        assert_ne!(with_new, first);
        write("code", "2");
        assert_ne!(found(&root, &[]).fingerprint(), with_new);
    }

    #[test]
    fn inputs_say_what_stands_for_the_code_and_have_to_name_something() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("src/deep")).unwrap();
        fs::write(root.join("src/deep/a"), "1").unwrap();
        fs::write(root.join("other"), "1").unwrap();
        assert!(!found(root, &[]).is_known());
        let first = found(root, &["src/**"]);
        assert!(first.is_known());
        fs::write(root.join("other"), "2").unwrap();
        assert_eq!(found(root, &["src/**"]).fingerprint(), first.fingerprint());
        fs::write(root.join("src/deep/a"), "2").unwrap();
        assert_ne!(found(root, &["src/**"]).fingerprint(), first.fingerprint());
        let nothing = Sources::find(root, &["tests/**".to_owned()], &[]);
        assert!(matches!(nothing, Err(SourcesError::Nothing)));
        let wrong = Sources::find(root, &["***".to_owned()], &[]);
        assert!(matches!(wrong, Err(SourcesError::Pattern { .. })));
    }

    #[test]
    fn a_tracked_file_that_changes_is_noticed_and_one_that_is_only_touched_is_not() {
        let directory = repository();
        let root = directory.path().canonicalize().unwrap();
        fs::write(root.join("untracked"), "1").unwrap();
        let mut watch = found(&root, &[]).watch().unwrap();
        watch.check().unwrap();
        fs::write(root.join("untracked"), "2").unwrap();
        fs::write(root.join("code"), "1").unwrap();
        watch.check().unwrap();
        fs::write(root.join("code"), "22").unwrap();
        let changed = watch.check().unwrap_err();
        assert!(matches!(changed, ExecError::SourceChanged { path } if path.ends_with("code")));
        fs::remove_file(root.join("code")).unwrap();
        assert!(watch.check().is_err());
    }
}
