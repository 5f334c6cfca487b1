//! What the arguments name: files with results, and stores. Standard input is kept in a file, because it is read twice.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use fidelity_core::ingest::inputs::{self, Input};
use fidelity_core::ingest::intake::Source;
use fidelity_core::ingest::junit::Problem;
use fidelity_core::ingest::rows;
use fidelity_core::report::number::things;
use tempfile::NamedTempFile;

use crate::error::{CliError, ErrorKind};

/// The file name of a store in its directory.
const STORE: &str = "history.db";
/// The directory of a workspace's store.
const WORKSPACE_STORE: &str = ".fidelity";

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
    /// What is not taken in, and how it would be.
    pub notes: Vec<String>,
}

/// Sorts arguments by what they name. A checkout stands for its store, unless that is our `own`; reports in it are taken in too where
/// it is said which `arm` they are of.
pub fn sort(arguments: &[String], own: &Path, arm: bool) -> Result<Inputs, CliError> {
    let (arguments, mut problems) = inputs::expand(arguments);
    let mut sorted = Inputs::default();
    let mut others = Vec::new();
    for argument in arguments {
        let path = Path::new(&argument);
        let within = path.join(STORE);
        let beside = path.join(WORKSPACE_STORE).join(STORE);
        if within.is_file() {
            sorted.stores.push(within);
        } else if is_store(path) {
            sorted.stores.push(path.to_owned());
        } else if beside.is_file() && !is_same(&beside, own) {
            let (reports, _) = inputs::find(std::slice::from_ref(&argument));
            if arm && !reports.is_empty() {
                others.push(argument);
            } else if !reports.is_empty() {
                sorted.notes.push(format!(
                    "{argument} has a store, which is joined; of {} there nothing is taken in (--fidelity-profile says what they are)",
                    things(reports.len() as u64, ".xml file")
                ));
            }
            sorted.stores.push(beside);
        } else {
            others.push(argument);
        }
    }
    let (found, missing) = inputs::find(&others);
    problems.extend(missing);
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

/// Returns whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(one).is_some_and(|one| real(other) == Some(one))
}

fn is_store(path: &Path) -> bool {
    // What is read from a pipe is gone.
    if !path.is_file() {
        return false;
    }
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
