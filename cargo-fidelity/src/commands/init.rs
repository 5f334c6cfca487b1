//! `cargo fidelity init`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use fidelity_core::config::recipes::{self, Recipe};
use fidelity_core::config::{FILE_NAME, init};

use super::place::{configured, has_manifest, workspace_root};
use crate::cli::InitArgs;
use crate::error::{CliError, ErrorKind as Kind};
use crate::exit_code::ExitCode;

/// What is read of a file that may say which tool runs the suite.
const LONGEST: u64 = 1 << 20;

/// Writes a commented `fidelity.toml`, unless there is one.
pub fn run(arguments: &InitArgs) -> Result<ExitCode, CliError> {
    let (root, recipe) = place(arguments)?;
    let path = root.join(FILE_NAME);
    let mut options = OpenOptions::new();
    options.write(true);
    if arguments.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let text = init::text_for(recipe.as_ref());
    let written = options
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => {
            anstream::eprintln!("wrote {}", path.display());
            if let Some(recipe) = recipe {
                anstream::eprintln!(
                    "there is no Cargo.toml: `[runner]` there runs {}; see that it is what runs your suite, then `cargo fidelity run`",
                    recipe.tool
                );
            }
            Ok(ExitCode::Passed)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let message = format!("{} is there already", path.display());
            Err(CliError::new(Kind::Usage, message).hint("pass `--force` to replace it"))
        }
        Err(error) => {
            let message = format!("could not write {}", path.display());
            Err(CliError::new(Kind::Usage, message).caused_by(&error))
        }
    }
}

/// Returns where the file belongs, and what runs the suite where that is not cargo.
///
/// # Errors
/// There is no workspace, and no suite of another tool that is known.
fn place(arguments: &InitArgs) -> Result<(PathBuf, Option<Recipe>), CliError> {
    let here = std::env::current_dir().ok();
    let here = here.filter(|here| arguments.place.manifest_path.is_none() && !has_manifest(here));
    let Some(here) = here else {
        return Ok((workspace_root(&arguments.place)?, None));
    };
    let root = configured(None).unwrap_or(here);
    match recipes::recognised(&|file| read(&root.join(file))) {
        Some(recipe) => Ok((root, Some(recipe))),
        // Which is told before what it might have been replaced with.
        None if !arguments.force && root.join(FILE_NAME).exists() => Ok((root, None)),
        None => Err(not_recognised(&root)),
    }
}

/// Returns the text of a file, or of its beginning; none where it is not there.
fn read(path: &Path) -> Option<String> {
    let file = path.is_file().then(|| std::fs::File::open(path).ok())??;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Says what to do where nothing tells how the suite is run.
fn not_recognised(root: &Path) -> CliError {
    let tools: Vec<&str> = recipes::tools().collect();
    let message = format!(
        "there is no Cargo.toml in {} or above, and no suite of {} in it",
        root.display(),
        tools.join(", ")
    );
    let example = format!(
        "for a suite of another tool, write a {FILE_NAME} that says how it is run and where it writes JUnit:\n\
         [runner]\n\
         command = [\"make\", \"test\"]\n\
         junit = [\"reports/*.xml\"]"
    );
    CliError::new(Kind::Usage, message)
        .hint("for a Rust suite, run it in a package, or pass --manifest-path")
        .hint(example)
}
