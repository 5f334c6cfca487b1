//! Reading the configuration file. The only part of `config` that touches the file system.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::diagnostics::{ConfigError, ConfigErrors, ErrorKind};
use super::source::Source;

/// The name of the file at the workspace root.
pub const FILE_NAME: &str = "fidelity.toml";

/// The largest file that is read, in bytes. A configuration is written by people.
const LARGEST: u64 = 1 << 20;

/// Returns the configuration file: `explicit` if given, else `fidelity.toml` at the workspace root if there is one.
///
/// # Errors
/// The file is given but not there, not a file, not readable, larger than a megabyte, or not UTF-8.
pub fn load(
    workspace_root: &Path,
    explicit: Option<&Path>,
) -> Result<Option<Source>, ConfigErrors> {
    match explicit {
        Some(path) => read(path, &path.to_string_lossy(), true).map(Some),
        None => {
            let path = workspace_root.join(FILE_NAME);
            // A dangling link is a mistake to be told, not an absent file.
            match path.symlink_metadata() {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                _ => read(&path, FILE_NAME, false).map(Some),
            }
        }
    }
    .map_err(ConfigErrors::from)
}

/// Reads the file at `path`, which messages call `name`. One that is not regular (a pipe of the shell, say) is read
/// only if the user asked for it: opening another could wait for ever.
fn read(path: &Path, name: &str, asked_for: bool) -> Result<Source, ConfigError> {
    let unreadable = |error: std::io::Error| {
        ConfigError::unreadable(path, format!("could not read the configuration: {error}"))
    };
    let metadata = path.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        let error = ConfigError::unreadable(path, "the configuration is a directory, not a file");
        return Err(error.hint(format!(
            "name the file in it: `--config-file {name}/{FILE_NAME}`"
        )));
    }
    if !metadata.is_file() && !asked_for {
        return Err(ConfigError::unreadable(
            path,
            "the configuration is not a regular file",
        ));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if LARGEST < u64::try_from(bytes.len()).unwrap_or(u64::MAX) {
        let message = "the configuration is larger than 1 MiB";
        return Err(ConfigError::unreadable(path, message).hint("is this the right file?"));
    }
    from_bytes(path, name, bytes)
}

fn from_bytes(path: &Path, name: &str, bytes: Vec<u8>) -> Result<Source, ConfigError> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::file(path, name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let source = Source::file(path, name, lossy);
            let mark = char::REPLACEMENT_CHARACTER.len_utf8();
            let error = ConfigError::at(
                ErrorKind::Syntax,
                &source.span(at..at + mark),
                "the configuration is not UTF-8",
            );
            Err(error
                .label("this byte is no character")
                .hint("save the file as UTF-8"))
        }
    }
}
