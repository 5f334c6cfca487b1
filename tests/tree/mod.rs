//! Cargo projects for tests to build, and the usual way to discover what is in them: copies of `testdata/`, with files added on the spot. Each is removed when
//! its value is dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use fidelity_core::suite::{CargoOptions, Discovery, Suite, SuiteError, discover, locate};
use tempfile::TempDir;

/// Nobody interrupts.
pub static NEVER: AtomicBool = AtomicBool::new(false);

/// Returns the usual request for discovery.
pub fn request(cargo: &CargoOptions) -> Discovery<'_> {
    Discovery {
        cargo,
        reporter: Path::new(env!("CARGO_BIN_EXE_cargo-fidelity")),
        harnessless: false,
        list_timeout: Duration::from_secs(60),
        interrupted: &NEVER,
    }
}

/// Discovers the suite that these options choose.
pub fn suite(cargo: &CargoOptions) -> Result<Suite, SuiteError> {
    discover(&locate(cargo, &NEVER)?, &request(cargo))
}

/// A project in a directory of its own, whose path holds a space and a letter beyond ASCII.
pub struct Tree {
    _directory: TempDir,
    /// Its root.
    pub root: PathBuf,
}

impl Tree {
    /// Returns a directory with nothing in it.
    pub fn empty() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("a prøject ")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        Self {
            _directory: directory,
            root,
        }
    }

    /// Returns a copy of the tree `testdata/<name>`.
    pub fn copy(name: &str) -> Self {
        let tree = Self::empty();
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tests/testdata")
            .join(name);
        copy(&source, &tree.root);
        tree
    }

    /// Returns options that make cargo work here, quietly.
    pub fn options(&self) -> CargoOptions {
        CargoOptions {
            directory: Some(self.root.clone()),
            quiet: true,
            ..CargoOptions::default()
        }
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn copy(source: &Path, target: &Path) {
    fs::create_dir_all(target).unwrap();
    for entry in fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), target.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}
