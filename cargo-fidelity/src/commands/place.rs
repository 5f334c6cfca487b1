//! Where things are: the project, its configuration and its store, also where results are from elsewhere.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use fidelity_core::config::{FILE_NAME, nearest_word};
use fidelity_core::domain::Problem;
use fidelity_core::revision::{repository_root, resolve, revision, unknown};
use fidelity_core::store::{SqliteStore, StoreError, workspace_store};
use fidelity_core::suite::{CargoOptions, Workspace, locate};

use crate::cli::{Global, PlaceArgs};
use crate::error::{CliError, ErrorKind};

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

/// Says which files of configuration stand where nobody reads them: beside a package of the workspace that is not at its root.
/// Who names a file knows which one is read.
pub fn not_read(workspace: &Workspace, named: Option<&Path>) -> Vec<Problem> {
    if named.is_some() {
        return Vec::new();
    }
    let root = workspace.root.as_path();
    let holds = match root.join(FILE_NAME).symlink_metadata() {
        Ok(_) => "the one at the workspace root holds",
        Err(_) => "there is none at the workspace root, where it is looked for",
    };
    let folders = workspace.package_folders().into_iter();
    let below = folders.filter(|folder| *folder != root && folder.join(FILE_NAME).is_file());
    let problem = |folder: &Path| {
        let file = folder.join(FILE_NAME);
        let file = file.strip_prefix(root).unwrap_or(&file).display();
        Problem {
            kind: "configuration-not-read".to_owned(),
            message: format!("{file} is not read: {holds} (`--config-file` reads it instead)"),
        }
    };
    below.map(problem).collect()
}

/// Returns whether cargo would find a manifest in a folder or above it.
pub fn has_manifest(folder: &Path) -> bool {
    let mut above = folder.ancestors();
    above.any(|folder| folder.join("Cargo.toml").exists())
}

/// Returns where results of other places are looked at: the nearest folder above that holds a store, or this one where a
/// store is named; none in a cargo workspace, whose own troubles come first.
pub fn looked_at(global: &Global) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    if has_manifest(&here) {
        return None;
    }
    if global.store.is_some() {
        return Some(here);
    }
    let mut above = here.ancestors();
    above
        .find(|root| workspace_store(root).exists())
        .map(Path::to_owned)
}

/// Opens the store for reading: the one named, or that of the workspace.
pub fn open_store(global: &Global, place: &PlaceArgs) -> Result<SqliteStore, CliError> {
    match &global.store {
        Some(path) => Ok(SqliteStore::open(path)?),
        None => Ok(SqliteStore::open(&workspace_store(&workspace_root(
            place,
        )?))?),
    }
}

/// Opens the store of the project at `root` for reading; none where there is none yet.
pub fn open_store_if_any(global: &Global, root: &Path) -> Result<Option<SqliteStore>, CliError> {
    match SqliteStore::open(&store_of(global, root)) {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::NoStore { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Opens the store of a workspace for writing, and makes it where there is none.
pub fn create_store(global: &Global, root: &Path) -> Result<SqliteStore, CliError> {
    Ok(SqliteStore::open_or_create(&store_of(global, root))?)
}

/// Returns the file of the store: the one named, or that of the project at `root`.
fn store_of(global: &Global, root: &Path) -> PathBuf {
    let named = global.store.clone();
    named.unwrap_or_else(|| workspace_store(root))
}

/// Where results of other places are kept.
#[derive(Debug)]
pub struct Place {
    /// Where `fidelity.toml` is looked for, and whose repository names commits.
    pub root: PathBuf,
    /// The file of the store.
    pub store: PathBuf,
    why: Why,
}

/// Why a place was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Named,
    Store,
    Workspace,
    Configuration,
    Repository,
    Here,
}

impl Place {
    /// Says where runs are kept, and why there.
    pub fn words(&self) -> String {
        let why = match self.why {
            Why::Named => "--store",
            Why::Store => "the nearest store",
            Why::Workspace => "the workspace",
            Why::Configuration => "where fidelity.toml is; there is no cargo workspace",
            Why::Repository => "the repository; there is no cargo workspace",
            Why::Here => "this directory; there is no cargo workspace and no repository",
        };
        format!("runs are kept in {} ({why})", self.store.display())
    }

    /// Returns the commit that `asked` names: its full id where the repository knows it, the name itself where not. Without a
    /// name, the commit the repository is at; none where there is none.
    pub fn commit(&self, asked: Option<&str>) -> Option<String> {
        match asked {
            Some(name) => Some(resolve(&self.root, name).unwrap_or_else(|| name.to_owned())),
            None => revision(&self.root)
                .ok()
                .flatten()
                .map(|found| found.commit),
        }
    }

    /// Returns what is to be said of a name that the repository does not know; none where there is no repository.
    pub fn doubt(&self, asked: Option<&str>) -> Option<String> {
        doubt_about(&self.root, asked?)
    }
}

/// Returns what is to be said of a name of a commit that the repository at `root` does not know.
fn doubt_about(root: &Path, name: &str) -> Option<String> {
    let unknown = unknown(root, name)?;
    let names: Vec<&str> = unknown.names.iter().map(String::as_str).collect();
    let meant = unknown.prefix.map(|id| id[..10].to_owned());
    let meant = match meant.or_else(|| nearest_word(name, &names)) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => String::new(),
    };
    let shallow = match unknown.shallow {
        true => " (a shallow clone lacks what was not fetched)",
        false => "",
    };
    Some(format!(
        "the repository knows no commit `{name}`{shallow}: it is taken as a name, and passes belong together only if the other \
         arm has the same{meant}"
    ))
}

/// Returns where results are kept that were made elsewhere: the store that is named, or the nearest one above; else the
/// workspace of cargo, else the repository, else this directory.
pub fn for_results(global: &Global, place: &PlaceArgs) -> Result<Place, CliError> {
    let here = std::env::current_dir().map_err(|error| {
        CliError::new(ErrorKind::Internal, "could not find the current directory").caused_by(&error)
    })?;
    let (root, why) = if place.manifest_path.is_some() {
        (workspace_root(place)?, Why::Workspace)
    } else if let Some(root) = here.ancestors().find(|root| workspace_store(root).exists()) {
        (root.to_owned(), Why::Store)
    } else if has_manifest(&here)
        && let Ok(root) = workspace_root(place)
    {
        (root, Why::Workspace)
    } else if let Some(root) = configured(None) {
        (root, Why::Configuration)
    } else if let Some(root) = repository_root(&here) {
        (root, Why::Repository)
    } else {
        (here, Why::Here)
    };
    Ok(match &global.store {
        Some(store) => Place {
            root,
            store: store.clone(),
            why: Why::Named,
        },
        None => Place {
            store: workspace_store(&root),
            root,
            why,
        },
    })
}
