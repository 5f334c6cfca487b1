//! Repositories for tests, made without a git binary.

use std::fs;
use std::path::Path;

use git2::{IndexAddOption, Oid, Repository, RepositoryInitOptions, Signature, Time};
use tempfile::TempDir;

/// A repository whose commits have fixed dates.
pub(super) struct Made {
    pub(super) directory: TempDir,
    pub(super) git: Repository,
    minutes: i64,
}

impl Made {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut options = RepositoryInitOptions::new();
        let git = Repository::init_opts(directory.path(), options.initial_head("main")).unwrap();
        Self {
            directory,
            git,
            minutes: 0,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Commits the work tree, with these further parents.
    pub(super) fn commit_merging(&mut self, subject: &str, others: &[Oid]) -> Oid {
        let mut index = self.git.index().unwrap();
        index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
        index.update_all(["*"], None).unwrap();
        index.write().unwrap();
        let tree = self.git.find_tree(index.write_tree().unwrap()).unwrap();
        self.minutes += 1;
        let when = Time::new(1_700_000_000 + self.minutes * 60, 60);
        let person = Signature::new("A Developer", "dev@example.com", &when).unwrap();
        let head = self.git.head().ok();
        let head = head.map(|head| head.peel_to_commit().unwrap());
        let others = others
            .iter()
            .map(|other| self.git.find_commit(*other).unwrap());
        let parents: Vec<_> = head.into_iter().chain(others).collect();
        let parents: Vec<_> = parents.iter().collect();
        self.git
            .commit(Some("HEAD"), &person, &person, subject, &tree, &parents)
            .unwrap()
    }

    /// Writes `fidelity.toml` and commits it.
    pub(super) fn configure(&mut self, subject: &str, toml: &str) -> Oid {
        self.write("fidelity.toml", toml);
        self.commit_merging(subject, &[])
    }

    /// Checks `commit` out, detached.
    pub(super) fn go_to(&self, commit: Oid) {
        self.git.set_head_detached(commit).unwrap();
        let mut options = git2::build::CheckoutBuilder::new();
        self.git
            .checkout_head(Some(options.force().remove_untracked(true)))
            .unwrap();
    }
}
