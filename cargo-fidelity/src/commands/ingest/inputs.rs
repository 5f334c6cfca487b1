//! What the arguments name: files with results, and stores. Standard input is kept in a file, because it is read twice.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use fidelity_core::ingest::inputs::{self, Input};
use fidelity_core::ingest::intake::Source;
use fidelity_core::ingest::junit::Problem;
use fidelity_core::ingest::rows;
use tempfile::NamedTempFile;

use crate::error::{CliError, ErrorKind};

/// The file name of a store in its directory.
const STORE: &str = "history.db";

/// Everything the arguments name.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Files with results.
    pub files: Vec<Source>,
    /// Stores.
    pub stores: Vec<PathBuf>,
    /// What could not be found.
    pub problems: Vec<Problem>,
    /// Keeps standard input while it is needed.
    _stdin: Option<NamedTempFile>,
}

/// Sorts arguments by what they name.
pub fn sort(arguments: &[String]) -> Result<Inputs, CliError> {
    let mut sorted = Inputs::default();
    let mut others = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        let within = path.join(STORE);
        if within.is_file() {
            sorted.stores.push(within);
        } else if path.join(".fidelity").join(STORE).is_file() {
            sorted.stores.push(path.join(".fidelity").join(STORE));
        } else if is_store(path) {
            sorted.stores.push(path.to_owned());
        } else {
            others.push(argument.clone());
        }
    }
    let (found, problems) = inputs::find(&others);
    sorted.problems = problems;
    for input in found {
        let name = input.name();
        sorted.files.push(match input {
            Input::File(path) => Source { name, path },
            Input::Stdin => {
                let kept = keep_stdin()?;
                let path = kept.path().to_owned();
                sorted._stdin = Some(kept);
                Source { name, path }
            }
        });
    }
    Ok(sorted)
}

fn is_store(path: &Path) -> bool {
    let mut start = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && rows::is_store(&start)
}

fn keep_stdin() -> Result<NamedTempFile, CliError> {
    let keep = || {
        let mut file = NamedTempFile::new()?;
        std::io::copy(&mut std::io::stdin().lock(), file.as_file_mut())?;
        Ok(file)
    };
    keep().map_err(|error: std::io::Error| {
        CliError::new(ErrorKind::Internal, "could not keep the standard input").caused_by(&error)
    })
}
