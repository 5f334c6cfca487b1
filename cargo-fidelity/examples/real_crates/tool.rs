//! The tool that is tried: built from this repository, with optimisation.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds the tool with optimisation and returns its path.
///
/// # Errors
/// Where it does not build, or the example itself was built without optimisation.
pub fn build_tool() -> Result<PathBuf, Box<dyn Error>> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "-p", "cargo-fidelity"])
        .current_dir(repository())
        .status()?;
    // The example is in `release/examples`, the tool in `release`.
    let own = std::env::current_exe()?;
    let folder = own.ancestors().nth(2).ok_or("the example has no folder")?;
    let tool = folder.join("cargo-fidelity");
    if built.success() && folder.ends_with("release") && tool.exists() {
        Ok(tool)
    } else {
        Err("the tool does not build, or the example was not started with --release".into())
    }
}
