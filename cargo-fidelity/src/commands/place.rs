//! Where things are: the workspace and its store.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use fidelity_core::store::{SqliteStore, workspace_store};
use fidelity_core::suite::{CargoOptions, locate};

use crate::cli::{Global, PlaceArgs};
use crate::error::CliError;

/// Returns the root of the workspace for a command that builds nothing.
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
    Ok(locate(&options, &AtomicBool::new(false))?.root)
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
