//! Counting doctests, which are not run: they have no binary of their own to start again and again.
//!
//! The count comes from the text of the sources, without building anything, and is an estimate: macros can make
//! documentation too.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;

use crate::domain::Problem;

/// A library of more files than this is counted no further.
const MOST_FILES: usize = 20_000;

/// Returns the problem to report about the doctests of `packages`, where there are any.
pub(super) fn not_run<'a>(packages: impl Iterator<Item = &'a Package>) -> Option<Problem> {
    let mut total = 0;
    let mut named = Vec::new();
    for package in packages {
        let count: usize = package
            .targets
            .iter()
            .filter(|target| target.doctest && (target.is_lib() || target.is_proc_macro()))
            .map(|target| {
                count_library(
                    target.src_path.as_std_path(),
                    package.manifest_path.parent().map(AsRef::as_ref),
                )
            })
            .sum();
        if count > 0 {
            total += count;
            named.push(format!("{} ({count})", package.name));
        }
    }
    if named.is_empty() {
        return None;
    }
    named.sort();
    let doctests = if total == 1 {
        "doctest is"
    } else {
        "doctests are"
    };
    Some(Problem {
        kind: "doctests-not-run".to_owned(),
        message: format!("about {total} {doctests} not run: {}", named.join(", ")),
    })
}

/// Counts the doctests of the library whose root file is `root`.
fn count_library(root: &Path, package: Option<&Path>) -> usize {
    let Some(directory) = root.parent() else {
        return 0;
    };
    let mut files = vec![root.to_path_buf()];
    // A library at the top of its package shares the directory with tests, examples and the target directory.
    if package != Some(directory) {
        files = Vec::new();
        collect(directory, &mut files);
    }
    files
        .iter()
        .filter_map(|file| Some(count_file(file, &fs::read_to_string(file).ok()?)))
        .sum()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        if files.len() >= MOST_FILES {
            return;
        }
        let path = entry.path();
        // The kind is the entry's own, so that a link to a directory above cannot lead in circles.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !path.join("Cargo.toml").exists() => collect(&path, files),
            Ok(kind) if kind.is_file() && path.extension().is_some_and(|end| end == "rs") => {
                files.push(path);
            }
            _ => {}
        }
    }
}

fn count_file(file: &Path, text: &str) -> usize {
    let documentation = text.lines().filter_map(documentation);
    let included = text.lines().filter_map(|line| {
        let name = line.split_once("include_str!(\"")?.1.split_once('"')?.0;
        line.contains("doc")
            .then(|| file.parent().map(|directory| directory.join(name)))?
    });
    let of_included: usize = included
        .filter_map(|path| Some(fences(fs::read_to_string(path).ok()?.lines())))
        .sum();
    fences(documentation) + of_included
}

/// Returns the documentation a line of source holds, where it holds any.
fn documentation(line: &str) -> Option<&str> {
    let line = line.trim_start();
    match line
        .strip_prefix("///")
        .or_else(|| line.strip_prefix("//!"))
    {
        Some(rest) if !rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

/// Counts the code blocks that rustdoc would run.
fn fences<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    let mut count = 0;
    let mut open: Option<&str> = None;
    for line in lines.map(str::trim) {
        let fence = ["```", "~~~"]
            .into_iter()
            .find(|fence| line.starts_with(fence));
        match (open, fence) {
            (Some(opened), Some(fence)) if opened == fence => open = None,
            (None, Some(fence)) => {
                open = Some(fence);
                count += usize::from(is_run(line.trim_start_matches(['`', '~'])));
            }
            _ => {}
        }
    }
    count
}

/// Returns whether rustdoc takes a block with these words after its fence for Rust.
fn is_run(words: &str) -> bool {
    words
        .split([',', ' ', '{', '}'])
        .filter(|word| !word.is_empty() && !word.starts_with("ignore-"))
        .all(|word| {
            matches!(
                word,
                "rust"
                    | "should_panic"
                    | "no_run"
                    | "compile_fail"
                    | "standalone_crate"
                    | "test_harness"
            ) || word.starts_with("edition")
                || word.starts_with("E0")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_rust_are_counted_and_others_are_not() {
        let text = "//! ```\n//! 1;\n//! ```\n//! ```text\n//! no\n//! ```\n\
                    /// ```no_run\n/// a();\n/// ```\nfn f() {}\n\
                    //// ```\n// ```\n\
                    /// ~~~should_panic,edition2021\n/// ```\n/// ~~~\n\
                    /// ```ignore\n/// x\n/// ```\n/// ```console\n/// ```\n";
        assert_eq!(count_file(Path::new("/nowhere/lib.rs"), text), 3);
    }

    #[test]
    fn an_included_page_is_counted_with_the_file_that_includes_it() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join("README.md"),
            "# x\n```rust\n1;\n```\n```sh\nls\n```\n",
        )
        .unwrap();
        let text = "#![doc = include_str!(\"../README.md\")]\n";
        fs::create_dir(directory.path().join("src")).unwrap();
        let root = directory.path().join("src/lib.rs");
        fs::write(&root, text).unwrap();
        assert_eq!(count_library(&root, Some(directory.path())), 1);
    }

    #[test]
    fn a_library_at_the_top_of_its_package_is_counted_alone() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("lib.rs");
        fs::write(&root, "/// ```\n/// ```\nfn f() {}\n").unwrap();
        fs::write(
            directory.path().join("example.rs"),
            "/// ```\n/// ```\nfn f() {}\n",
        )
        .unwrap();
        assert_eq!(count_library(&root, Some(directory.path())), 1);
    }
}
