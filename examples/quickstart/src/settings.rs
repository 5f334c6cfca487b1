//! Settings kept in the user's home.

use std::{env, fs, io, path::PathBuf};

/// Stores the printer to use and returns the file it went to.
///
/// The defect: a service account need not have a home.
pub fn remember_printer(printer: &str) -> io::Result<PathBuf> {
    let home = env::var_os("HOME").ok_or_else(|| io::Error::other("no home"))?;
    let path = PathBuf::from(home).join(format!(".invoicing-{}", std::process::id()));
    fs::write(&path, printer)?;
    Ok(path)
}

/// Returns the mode the service runs in.
pub fn mode() -> Option<String> {
    env::var("APP_MODE").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printer_is_remembered() {
        let path = remember_printer("upstairs").expect("the settings can be written");
        assert_eq!(fs::read_to_string(&path).unwrap(), "upstairs");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_banner_shows_the_mode() {
        // Fails on a developer's machine only: nobody sets the variable there.
        assert_eq!(
            mode().as_deref(),
            Some("production"),
            "APP_MODE tells the mode"
        );
    }

    #[test]
    fn a_printer_name_may_hold_spaces() {
        assert!("third floor".contains(' '));
    }
}
