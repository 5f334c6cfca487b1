//! `cargo fidelity init`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use fidelity_core::config::{FILE_NAME, init};

use super::place::workspace_root;
use crate::cli::InitArgs;
use crate::error::{CliError, ErrorKind as Kind};
use crate::exit_code::ExitCode;

/// Writes a commented `fidelity.toml`, unless there is one.
pub fn run(arguments: &InitArgs) -> Result<ExitCode, CliError> {
    let path = workspace_root(&arguments.place)?.join(FILE_NAME);
    let mut options = OpenOptions::new();
    options.write(true);
    if arguments.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options
        .open(&path)
        .and_then(|mut file| file.write_all(init::text().as_bytes()));
    match written {
        Ok(()) => {
            anstream::eprintln!("wrote {}", path.display());
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
