//! Saves settings, and guards them against changes by accident.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Saves settings, and makes the file read-only.
pub fn save(path: &Path, settings: &str) -> io::Result<()> {
    // Forgets that the file is read-only from the second time on.
    fs::write(path, settings)?;
    fs::set_permissions(path, Permissions::from_mode(0o444))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_a_protected_file() {
        let path = std::env::temp_dir().join("settings");
        drop(fs::remove_file(&path));
        save(&path, "a = 1").unwrap();
        save(&path, "a = 2").unwrap();
    }

    #[test]
    fn a_locked_file_is_refused() {
        let path = std::env::temp_dir().join("locked");
        drop(fs::remove_file(&path));
        fs::write(&path, "secret").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
        assert!(fs::read(&path).is_err());
    }

    #[test]
    fn writes_beside_its_manifest() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("written");
        fs::write(&path, "x").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[test]
    fn calls_cargo() {
        let cargo = std::env::var_os("CARGO").unwrap();
        let version = std::process::Command::new(cargo).arg("--version").output().unwrap();
        assert!(version.status.success(), "{version:?}");
    }
}
