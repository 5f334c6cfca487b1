//! Where things are: the project, its configuration and its store.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use fidelity_core::config::FILE_NAME;
use fidelity_core::store::{SqliteStore, workspace_store};
use fidelity_core::suite::{CargoOptions, locate};

use crate::cli::{Global, PlaceArgs};
use crate::error::CliError;

/// Returns the root of the project for a command that builds nothing: the workspace, or where a suite that is not cargo's
/// has its configuration.
///
/// The nearest folder above that holds a store is as good as cargo's answer and a hundred times faster.
pub fn workspace_root(place: &PlaceArgs) -> Result<PathBuf, CliError> {
    if place.manifest_path.is_none()
        && let Ok(here) = std::env::current_dir()
        && let Some(root) = here.ancestors().find(|root| workspace_store(root).exists())
    {
        return Ok(root.to_owned());
    }
    let options = CargoOptions {
        manifest_path: place.manifest_path.clone(),
        ..CargoOptions::default()
    };
    match locate(&options, &AtomicBool::new(false)) {
        Ok(workspace) => Ok(workspace.root),
        Err(error) => configured(place.manifest_path.as_deref()).ok_or_else(|| error.into()),
    }
}

/// Returns the nearest folder with a `fidelity.toml`: here or above, within the git repository.
pub fn configured(manifest: Option<&Path>) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let here = match manifest.and_then(Path::parent) {
        Some(folder) => here.join(folder),
        None => here,
    };
    let has = |folder: &&Path| folder.join(FILE_NAME).symlink_metadata().is_ok();
    let git = |folder: &Path| folder.join(".git").symlink_metadata().is_ok();
    let Some(top) = here.ancestors().find(|folder| git(folder)) else {
        return has(&here.as_path()).then_some(here);
    };
    let mut within = here
        .ancestors()
        .take_while(|folder| folder.starts_with(top));
    within.find(has).map(Path::to_owned)
}

/// Opens the store for reading: the one named, or that of the workspace.
pub fn open_store(global: &Global, place: &PlaceArgs) -> Result<SqliteStore, CliError> {
    let path = match &global.store {
        Some(path) => path.clone(),
        None => workspace_store(&workspace_root(place)?),
    };
    Ok(SqliteStore::open(&path)?)
}

/// Opens the store of a workspace for writing, and makes it where there is none.
pub fn create_store(global: &Global, root: &Path) -> Result<SqliteStore, CliError> {
    let path = global
        .store
        .clone()
        .unwrap_or_else(|| workspace_store(root));
    Ok(SqliteStore::open_or_create(&path)?)
}
