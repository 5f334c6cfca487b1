//! Packages: how they come here, and what they say about themselves.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::row::Row;

/// Lets cargo download a package, copies it to a folder of its own, where it can be built, and returns that. A package
/// that is there already stays as it is.
pub fn fetch(row: &Row, place: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let (name, version) = (row.name, row.version);
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
        .and_then(|package| package["manifest_path"].as_str())
        .ok_or_else(|| format!("{name} {version} could not be fetched"))?;
    let source = Path::new(manifest)
        .parent()
        .ok_or("a manifest has a folder")?;
    // Complete or not there at all, whenever this is interrupted.
    let unfinished = place.join(format!("{name}-{version}.unfinished"));
    fs::create_dir_all(place)?;
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    copy(source, &unfinished)?;
    if let Some(dependency) = row.outdated {
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

/// Returns the commit that a package was made from, abbreviated, or `-` if it does not say.
pub fn commit(package: &Path) -> Result<String, Box<dyn Error>> {
    let path = package.join(".cargo_vcs_info.json");
    if !path.exists() {
        return Ok("-".to_owned());
    }
    let told: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let commit = told["git"]["sha1"].as_str().unwrap_or("-");
    Ok(commit.chars().take(8).collect())
}
