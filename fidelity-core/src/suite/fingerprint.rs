//! What has to be equal for the trials of two runs to be joined, as far as the suite goes: the bytes of the test
//! binaries, the compiler, the lock file. What the profiles are is hashed elsewhere.
//!
//! BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn 2020), 256 bits in hexadecimal.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::child::{How, Limits, STDERR_TAIL, run};
use super::{CargoOptions, Suite, SuiteError, Workspace};

/// The parts of a [`crate::domain::Fingerprint`] that come from the build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildFingerprint {
    /// Names and contents of the test binaries.
    pub binaries: String,
    /// `rustc -vV` and `Cargo.lock`.
    pub toolchain: String,
}

/// Returns the fingerprint of a built suite. Reads every test binary once, in order.
///
/// # Errors
/// [`SuiteError::Io`] where a binary or the lock file cannot be read, or neither rustc nor cargo can be asked for its
/// version.
pub fn fingerprint(
    suite: &Suite,
    workspace: &Workspace,
    options: &CargoOptions,
) -> Result<BuildFingerprint, SuiteError> {
    let mut binaries = blake3::Hasher::new();
    for binary in &suite.binaries {
        part(&mut binaries, binary.id.0.as_bytes());
        part(&mut binaries, &contents(&binary.path)?.unwrap_or_default());
    }
    let mut toolchain = blake3::Hasher::new();
    part(&mut toolchain, &compiler(options)?);
    part(
        &mut toolchain,
        &contents(&workspace.root.join("Cargo.lock"))?.unwrap_or_default(),
    );
    Ok(BuildFingerprint {
        binaries: binaries.finalize().to_hex().to_string(),
        toolchain: toolchain.finalize().to_hex().to_string(),
    })
}

/// Adds a byte string with its length, so that no two sequences of strings look alike.
fn part(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

/// Returns the hash of a file's contents; none where there is no such file.
fn contents(path: &Path) -> Result<Option<[u8; 32]>, SuiteError> {
    let failed = |source| SuiteError::io(format!("read {}", path.display()), source);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Some(*hasher.finalize().as_bytes())),
            Ok(count) => {
                hasher.update(&buffer[..count]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Returns what the compiler says of itself. Where it cannot be started (it may be configured in a way only cargo
/// knows), cargo, which comes with it, stands in.
fn compiler(options: &CargoOptions) -> Result<Vec<u8>, SuiteError> {
    let mut rustc =
        std::process::Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    if let Some(directory) = &options.directory {
        rustc.current_dir(directory);
    }
    let never = AtomicBool::new(false);
    let limits = Limits {
        timeout: None,
        stdout: 64 * 1024,
        stderr_tail: STDERR_TAIL,
        interrupted: &never,
    };
    if let Ok(ended) = run(rustc.arg("-vV"), &limits)
        && matches!(ended.how, How::Exited(status) if status.success())
    {
        return Ok(ended.stdout);
    }
    let ended = run(options.cargo().arg("-vV"), &limits)
        .map_err(|source| SuiteError::io("ask cargo for its version", source))?;
    Ok(ended.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BinaryId;
    use crate::suite::TestBinary;

    fn suite(files: &[(&str, &Path)]) -> Suite {
        let binaries = files.iter().map(|(id, path)| TestBinary {
            id: BinaryId((*id).to_owned()),
            package: "p".to_owned(),
            kind: "lib".to_owned(),
            target: "p".to_owned(),
            path: path.to_path_buf(),
            directory: "/".into(),
            environment: Vec::new(),
            runner: Vec::new(),
            says_result: true,
            own_harness: false,
            lists: true,
        });
        Suite {
            binaries: binaries.collect(),
            ..Suite::default()
        }
    }

    fn workspace(root: &Path) -> Workspace {
        Workspace {
            root: root.to_path_buf(),
            target_directory: root.join("target"),
            packages: Vec::new(),
        }
    }

    #[test]
    fn a_changed_byte_or_name_changes_the_binaries_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let file = root.join("test");
        let take = |id: &str, bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            fingerprint(
                &suite(&[(id, &file)]),
                &workspace(root),
                &CargoOptions::default(),
            )
            .unwrap()
        };
        let first = take("a", b"0123");
        assert_eq!(first, take("a", b"0123"));
        for other in [take("a", b"0124"), take("b", b"0123"), take("a", b"012")] {
            assert_ne!(first.binaries, other.binaries);
            assert_eq!(first.toolchain, other.toolchain);
        }
    }

    #[test]
    fn a_changed_lock_file_changes_the_toolchain_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let take = || {
            fingerprint(
                &suite(&[]),
                &workspace(directory.path()),
                &CargoOptions::default(),
            )
            .unwrap()
        };
        let without = take();
        std::fs::write(directory.path().join("Cargo.lock"), "version = 4\n").unwrap();
        let with = take();
        assert_ne!(without.toolchain, with.toolchain);
        assert_eq!(without.binaries, with.binaries);
    }
}
