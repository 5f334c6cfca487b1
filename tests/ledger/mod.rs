//! The repository that `examples/attribution/generate` makes, with a stored run, for the tests of attribution to commits.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "every test target uses its own part of this module"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::support::{Project, Ran, repository};

/// What is true of a test: kind, commit of the code, commit of the profile, knob.
pub type Truth = BTreeMap<String, [String; 4]>;

/// The generated repository, with one run at its newest commit; made once for all tests of this file.
pub struct Planted {
    pub folder: PathBuf,
    pub truth: Truth,
}

pub fn planted() -> &'static Planted {
    static MADE: OnceLock<Planted> = OnceLock::new();
    MADE.get_or_init(|| {
        let project = Project::empty("ledger");
        let folder = project.root.clone();
        std::mem::forget(project);
        let made = Command::new(repository().join("examples/attribution/generate"))
            .arg(&folder)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "the generator needs a shell and git");
        let text = fs::read_to_string(folder.with_extension("truth")).unwrap();
        let truth = text.lines().map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            let name = words.next().unwrap();
            (name, [(); 4].map(|()| words.next().unwrap()))
        });
        let planted = Planted {
            truth: truth.collect(),
            folder,
        };
        let anywhere = Project::empty("anywhere");
        let run = ["run", "--no-gate", "--seed", "5"];
        let ran = anywhere.tool(&run).current_dir(&planted.folder).output();
        let ran = Ran::of(ran.unwrap());
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        planted
    })
}

/// A copy of the generated repository with its store, for one test.
pub struct Ledger {
    pub project: Project,
    /// Where checkouts are made.
    pub cache: tempfile::TempDir,
}

/// A command that is ready to run.
pub struct Ready(pub Command);

impl Ready {
    pub fn output_of(mut self) -> std::process::Output {
        self.0.output().unwrap()
    }
}

impl Ledger {
    pub fn new(planted: &Planted) -> Self {
        let project = Project::empty("ledger");
        fs::remove_dir(&project.root).unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .args([&planted.folder, &project.root])
            .status()
            .unwrap();
        assert!(copied.success());
        Self {
            project,
            cache: tempfile::tempdir().unwrap(),
        }
    }

    pub fn tool(&self, arguments: &[&str]) -> Ready {
        let mut command = self.project.tool(arguments);
        command.env("XDG_CACHE_HOME", self.cache.path());
        Ready(command)
    }

    pub fn attribute(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["attribute", "--commits", "--format", "json"];
        all.extend(arguments);
        Ran::of(self.tool(&all).output_of())
    }

    /// Checks that nothing is left of checkouts, and that the repository is as it was made.
    pub fn is_clean(&self) {
        let left: Vec<_> = walk(self.cache.path());
        assert!(left.is_empty(), "left behind: {left:?}");
        let git = git2::Repository::open(&self.project.root).unwrap();
        assert!(git.worktrees().unwrap().is_empty());
        assert!(
            git.statuses(None)
                .unwrap()
                .iter()
                .all(|entry| entry.status().is_ignored())
        );
        assert!(!git.head_detached().unwrap());
    }
}

pub fn walk(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}
