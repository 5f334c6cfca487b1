//! A repository of its own at one commit, with the objects of another.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use git2::build::CheckoutBuilder;
use git2::{
    ErrorCode, ObjectType, Oid, Repository, RepositoryInitOptions, TreeWalkMode, TreeWalkResult,
};

/// Settings of the user's repository that decide what files look like.
const SETTINGS: [&str; 5] = [
    "core.autocrlf",
    "core.eol",
    "core.filemode",
    "core.ignorecase",
    "core.symlinks",
];

/// Submodules within submodules.
const DEEPEST: usize = 8;

/// Why there is no checkout.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    /// The disk is full.
    #[error("no space is left for {}", path.display())]
    Full {
        /// What was being written.
        path: PathBuf,
    },
    /// A commit, or what belongs to it, is not in this clone.
    #[error("{what} is not in this clone")]
    Missing {
        /// What: `submodule vendor/x at 1a2b3c`, `a file of the commit`.
        what: String,
    },
    /// The commit could not be checked out.
    #[error("could not check out {commit}")]
    Git {
        /// The commit.
        commit: Oid,
        /// The cause.
        #[source]
        source: git2::Error,
    },
    /// A file or folder could not be made or removed.
    #[error("could not {action} {}", path.display())]
    Io {
        /// What was being done, as an infinitive.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl WorktreeError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }

    fn git(commit: Oid, path: &Path, source: git2::Error) -> Self {
        // All that libgit2 says of the system's error is its text.
        if source.message().contains("No space left on device") {
            return Self::Full {
                path: path.to_owned(),
            };
        }
        match source.code() {
            ErrorCode::NotFound => Self::Missing {
                what: format!("something of commit {commit}"),
            },
            _ => Self::Git { commit, source },
        }
    }

    /// Returns whether it says something of the commit, and nothing of the machine.
    pub fn is_the_commits(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}

/// What of a checkout is not as in the user's work tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// Files that a filter program writes, such as those of git-lfs, are what is stored of them.
    Filtered(String),
    /// The submodule at this path is not in the user's clone, so that its folder is empty.
    Absent(String),
}

/// Makes a checkout of `commit` at `root`, which is not there.
pub(super) fn make(
    repository: &Repository,
    commit: Oid,
    root: &Path,
) -> Result<Vec<Note>, WorktreeError> {
    at_depth(repository, commit, root, 0)?;
    Ok(notes(root))
}

/// Checks out `commit` and its submodules. One that was never fetched stays empty, as in the user's work tree; a commit that is not in
/// one that was is missing.
fn at_depth(
    repository: &Repository,
    commit: Oid,
    root: &Path,
    depth: usize,
) -> Result<(), WorktreeError> {
    let failed = |source| WorktreeError::git(commit, root, source);
    let mut options = RepositoryInitOptions::new();
    options.no_reinit(true).external_template(false);
    let own = Repository::init_opts(root, &options).map_err(failed)?;
    borrow(repository, &own)?;
    // Opened anew, so that it knows where its objects are.
    let own = Repository::open(root).map_err(failed)?;
    let mut config = own.config().map_err(failed)?;
    let theirs = repository.config().map_err(failed)?;
    for name in SETTINGS {
        if let Ok(value) = theirs.get_string(name) {
            config.set_str(name, &value).map_err(failed)?;
        }
    }
    own.set_head_detached(commit).map_err(failed)?;
    own.checkout_head(Some(CheckoutBuilder::new().force()))
        .map_err(failed)?;
    for (path, id) in submodules(&own, commit).map_err(failed)? {
        let missing = || WorktreeError::Missing {
            what: format!("submodule {path} at {id}"),
        };
        if DEEPEST <= depth {
            return Err(missing());
        }
        let Some(theirs) = submodule(repository, &own, &path) else {
            continue;
        };
        if theirs.find_commit(id).is_err() {
            return Err(missing());
        }
        at_depth(&theirs, id, &root.join(&path), depth + 1)?;
    }
    Ok(())
}

/// Has `own` use the objects of `repository`, and know its tags, which build scripts look for.
fn borrow(repository: &Repository, own: &Repository) -> Result<(), WorktreeError> {
    let theirs = repository.commondir();
    let theirs = theirs.canonicalize().unwrap_or_else(|_| theirs.to_owned());
    let write = |name: &str, text: &str| {
        let path = own.path().join(name);
        let written = match path.parent() {
            Some(folder) => fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)),
            None => Ok(()),
        };
        written.map_err(|source| WorktreeError::io("write", &path, source))
    };
    let objects = theirs.join("objects");
    write(
        "objects/info/alternates",
        &format!("{}\n", objects.to_string_lossy()),
    )?;
    if let Ok(shallow) = fs::read_to_string(theirs.join("shallow")) {
        write("shallow", &shallow)?;
    }
    let mut tags: Vec<String> = Vec::new();
    for tag in repository
        .references_glob("refs/tags/*")
        .into_iter()
        .flatten()
        .flatten()
    {
        if let (Ok(name), Some(id)) = (tag.name(), tag.target()) {
            tags.push(format!("{id} {name}\n"));
        }
    }
    write("packed-refs", &tags.concat())
}

/// Returns the submodules of a commit: their paths and commits.
fn submodules(own: &Repository, commit: Oid) -> Result<Vec<(String, Oid)>, git2::Error> {
    let mut found = Vec::new();
    if !own
        .workdir()
        .is_some_and(|root| root.join(".gitmodules").exists())
    {
        return Ok(found);
    }
    let tree = own.find_commit(commit)?.tree()?;
    tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        if entry.kind() == Some(ObjectType::Commit) {
            let name = String::from_utf8_lossy(entry.name_bytes());
            found.push((format!("{folder}{name}"), entry.id()));
        }
        TreeWalkResult::Ok
    })?;
    Ok(found)
}

/// Returns the user's own repository of the submodule at `path` of the checkout `own`.
fn submodule(repository: &Repository, own: &Repository, path: &str) -> Option<Repository> {
    let modules = own.workdir()?.join(".gitmodules");
    let by_name = name_of(&modules, path)
        .ok()
        .flatten()
        .map(|name| repository.commondir().join("modules").join(name));
    let in_place = repository.workdir().map(|root| root.join(path));
    [by_name, in_place]
        .into_iter()
        .flatten()
        .find_map(|place| Repository::open(place).ok())
}

/// Returns the name that a `.gitmodules` file gives the submodule at `path`.
fn name_of(modules: &Path, path: &str) -> Result<Option<String>, git2::Error> {
    let config = git2::Config::open(modules)?;
    let mut entries = config.entries(Some("submodule\\..*\\.path"))?;
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if let (Ok(key), Ok(value)) = (entry.name(), entry.value())
            && value == path
        {
            let name = key
                .strip_prefix("submodule.")
                .and_then(|key| key.strip_suffix(".path"));
            return Ok(name.map(str::to_owned));
        }
    }
    Ok(None)
}

/// Returns what of a checkout is not as in the user's work tree.
pub(super) fn notes(root: &Path) -> Vec<Note> {
    let text = fs::read_to_string(root.join(".gitattributes")).unwrap_or_default();
    let filters = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(str::split_whitespace)
        .filter_map(|word| word.strip_prefix("filter="));
    let mut notes: Vec<Note> = filters
        .map(|name| Note::Filtered(name.to_owned()))
        .collect();
    notes.extend(absent(root, "").into_iter().map(Note::Absent));
    notes.sort_unstable();
    notes.dedup();
    notes
}

/// Returns the submodules of a checkout that are empty, submodules within submodules as well, by their paths after `within`.
fn absent(root: &Path, within: &str) -> Vec<String> {
    let listed = || {
        let own = Repository::open(root)?;
        let head = own.head()?.peel_to_commit()?.id();
        submodules(&own, head)
    };
    // What cannot be read was said when the checkout was made.
    let listed: Vec<(String, Oid)> = listed().unwrap_or_default();
    let mut found = Vec::new();
    for (path, _) in listed {
        let (inner, path) = (root.join(&path), format!("{within}{path}"));
        if inner.join(".git").exists() {
            found.extend(absent(&inner, &format!("{path}/")));
        } else {
            found.push(path);
        }
    }
    found
}
