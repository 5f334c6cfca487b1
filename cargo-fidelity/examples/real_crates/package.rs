//! Packages: how they come here, and what they say about themselves.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A version of a crate.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    pub name: &'static str,
    pub version: &'static str,
    /// A dependency whose locked version does not compile with today's compiler, to be updated.
    pub outdated: Option<&'static str>,
}

/// Lets cargo download a package, copies it to a folder of its own, where it can be built, and returns that. A package
/// that is there already stays as it is.
pub fn fetch(wanted: Package, place: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let Package {
        name,
        version,
        outdated,
    } = wanted;
    let package = place.join(format!("{name}-{version}"));
    if package.exists() {
        return Ok(package);
    }
    let fetching = tempfile::Builder::new().prefix("fetch-").tempdir()?;
    fs::create_dir(fetching.path().join("src"))?;
    fs::write(fetching.path().join("src/lib.rs"), "")?;
    fs::write(
        fetching.path().join("Cargo.toml"),
        format!(
            "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [dependencies]\n{name} = {{ version = \"={version}\", default-features = false }}\n"
        ),
    )?;
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--quiet", "--format-version", "1"])
        .current_dir(fetching.path())
        .stderr(Stdio::inherit())
        .output()?;
    let metadata: Value = serde_json::from_slice(&told.stdout)?;
    let manifest = metadata["packages"]
        .as_array()
        .and_then(|packages| packages.iter().find(|package| package["name"] == name))
        .and_then(|package| package["manifest_path"].as_str());
    let source = match manifest.and_then(|manifest| Path::new(manifest).parent()) {
        Some(folder) => folder.to_owned(),
        // A package without a library is downloaded, but is no dependency.
        None => unpacked(name, version)
            .ok_or_else(|| format!("{name} {version} could not be fetched"))?,
    };
    // Complete or not there at all, whenever this is interrupted.
    let unfinished = place.join(format!("{name}-{version}.unfinished"));
    fs::create_dir_all(place)?;
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    copy(&source, &unfinished)?;
    if let Some(dependency) = outdated {
        let updated = Command::new(env!("CARGO"))
            .args(["update", "--quiet", "--package", dependency])
            .current_dir(&unfinished)
            .status()?;
        if !updated.success() {
            return Err(format!("{name}: {dependency} could not be updated").into());
        }
    }
    fs::rename(&unfinished, &package)?;
    Ok(package)
}

/// Returns where cargo unpacked a package, if it did.
fn unpacked(name: &str, version: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = fs::read_dir(home.join("registry/src")).ok()?;
    let folders = registries.filter_map(|registry| {
        let folder = registry.ok()?.path().join(format!("{name}-{version}"));
        folder.join("Cargo.toml").exists().then_some(folder)
    });
    folders.max()
}

fn copy(source: &Path, target: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(target)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let (from, to) = (entry.path(), target.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}
