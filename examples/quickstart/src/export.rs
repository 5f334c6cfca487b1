//! Exporting invoices to files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes one file an invoice into `directory` and returns how many.
///
/// The defect: every file stays open until the last is written.
pub fn export_all(directory: &Path, invoices: u32) -> io::Result<usize> {
    fs::create_dir_all(directory)?;
    let mut open = Vec::new();
    for number in 0..invoices {
        let mut file = File::create(directory.join(format!("{number}.txt")))?;
        writeln!(file, "invoice {number}")?;
        open.push(file);
    }
    Ok(open.len())
}

/// Writes the summary that the accounting group reads, and returns its path.
pub fn write_summary(directory: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let path = directory.join("summary.txt");
    fs::write(&path, "3 invoices\n")?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("invoicing-{name}-{}", std::process::id()))
    }

    #[test]
    fn a_months_invoices_are_exported() {
        assert_eq!(export_all(&directory("month"), 100).unwrap(), 100);
    }

    #[test]
    fn a_days_invoices_are_exported() {
        assert_eq!(export_all(&directory("day"), 5).unwrap(), 5);
    }

    #[test]
    fn nothing_is_exported_without_invoices() {
        assert_eq!(export_all(&directory("none"), 0).unwrap(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn the_accounting_group_can_read_the_summary() {
        use std::os::unix::fs::PermissionsExt;
        let path = write_summary(&directory("summary")).unwrap();
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_ne!(mode & 0o040, 0, "mode is {mode:o}");
    }
}
