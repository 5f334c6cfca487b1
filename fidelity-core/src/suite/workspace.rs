//! Where the project is and which packages it has: `cargo metadata`, without dependencies.
//!
//! Builds nothing and downloads nothing.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use cargo_metadata::{Metadata, MetadataCommand, Package};

use super::child::{How, Limits, STDERR_TAIL, run};
use super::{CargoOptions, SuiteError};

/// More than the metadata of a workspace of ten thousand packages.
const METADATA_LIMIT: usize = 512 * 1024 * 1024;

/// A cargo workspace; a lone package is a workspace of one.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The directory of its root manifest.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target_directory: PathBuf,
    pub(super) packages: Vec<Package>,
}

impl Workspace {
    /// Returns the directories that are a developer's own as a rule: that of the sources, that of what is built.
    pub fn directories(&self) -> Vec<PathBuf> {
        vec![self.root.clone(), self.target_directory.clone()]
    }

    /// Returns the folders of its packages, sorted.
    pub fn package_folders(&self) -> Vec<&Path> {
        let manifests = self.packages.iter().map(|package| &package.manifest_path);
        let mut folders: Vec<&Path> = manifests
            .filter_map(|manifest| Some(manifest.parent()?.as_std_path()))
            .collect();
        folders.sort_unstable();
        folders.dedup();
        folders
    }

    /// Returns the folders of the package `name` and of every package of the workspace it is built from.
    pub fn folders_behind(&self, name: &str) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = Vec::new();
        let mut next: Vec<&Package> = self
            .packages
            .iter()
            .filter(|package| package.name.as_str() == name)
            .collect();
        while let Some(package) = next.pop() {
            let Some(folder) = package.manifest_path.parent() else {
                continue;
            };
            let folder = folder.as_std_path().to_owned();
            if folders.contains(&folder) {
                continue;
            }
            folders.push(folder);
            let paths = package
                .dependencies
                .iter()
                .filter_map(|dependency| dependency.path.as_ref());
            for path in paths {
                next.extend(
                    self.packages
                        .iter()
                        .filter(|package| package.manifest_path.parent() == Some(path.as_path())),
                );
            }
        }
        folders.sort_unstable();
        folders
    }
}

/// Returns the workspace that cargo finds with these options.
///
/// # Errors
/// [`SuiteError::CargoMissing`]; [`SuiteError::Metadata`] where there is no manifest or cargo refuses it;
/// [`SuiteError::Interrupted`].
pub fn locate(options: &CargoOptions, interrupted: &AtomicBool) -> Result<Workspace, SuiteError> {
    let mut cargo = options.cargo();
    cargo.args([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--color",
        "never",
    ]);
    cargo.args(options.manifest_arguments());
    let limits = Limits {
        timeout: None,
        stdout: METADATA_LIMIT,
        stderr_tail: STDERR_TAIL,
        interrupted,
    };
    let ended = run(&mut cargo, &limits).map_err(|source| SuiteError::CargoMissing {
        program: cargo.get_program().to_string_lossy().into_owned(),
        source,
    })?;
    let refused = |message: String| SuiteError::Metadata { message };
    match ended.how {
        How::Exited(status) if status.success() => {}
        How::Interrupted => return Err(SuiteError::Interrupted),
        How::Exited(status) if ended.stderr.is_empty() => return Err(refused(status.to_string())),
        How::Exited(_) => {
            let said = ended
                .stderr
                .strip_prefix("error: ")
                .unwrap_or(&ended.stderr);
            return Err(refused(said.to_owned()));
        }
        How::TimedOut | How::TooMuchOutput => {
            return Err(refused("its metadata is too long".to_owned()));
        }
    }
    let text = String::from_utf8_lossy(&ended.stdout);
    // Wrappers around cargo may print lines of their own.
    let json = text
        .lines()
        .find(|line| line.starts_with('{'))
        .unwrap_or("");
    let Metadata {
        workspace_root,
        mut target_directory,
        packages,
        ..
    } = MetadataCommand::parse(json).map_err(|error| refused(error.to_string()))?;
    if let Some(directory) = &options.target_dir {
        let base = options.directory.clone().unwrap_or_default();
        let directory = std::path::absolute(base.join(directory))
            .map_err(|source| SuiteError::io("find the target directory", source))?;
        if let Ok(directory) = directory.try_into() {
            target_directory = directory;
        }
    }
    Ok(Workspace {
        root: workspace_root.into(),
        target_directory: target_directory.into(),
        packages,
    })
}
