//! The commit that a package was made from.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::Value;

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
