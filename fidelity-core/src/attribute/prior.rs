//! How likely a commit is to be the cause, by what it touches, before any trial.
//!
//! A weight never excludes: it says where to look first. Configuration is never played down, because that is where
//! fidelity changes are. Knows paths; not what is in them.

use super::commits::{CANNOT_REACH, TOUCHES};

/// Endings of files that describe and do nothing.
const DOCUMENTS: [&str; 9] = [
    "md", "adoc", "rst", "png", "jpg", "jpeg", "gif", "svg", "pdf",
];

/// Returns the weight of a commit that touches `paths`, relative to the repository. `closure` are the folders of the test's
/// package and of the packages of the repository it depends on; one that is empty is the whole repository.
pub fn weight<'p>(paths: impl IntoIterator<Item = &'p str>, closure: &[String]) -> f64 {
    let (mut any, mut only_documents, mut touches) = (false, true, false);
    for path in paths {
        any = true;
        if is_document(path) {
            continue;
        }
        only_documents = false;
        touches |= changes_the_build(path) || closure.iter().any(|folder| is_below(path, folder));
    }
    // A commit that changes no file at all changes no binary either.
    if !any || only_documents {
        CANNOT_REACH
    } else if touches {
        TOUCHES
    } else {
        1.0
    }
}

fn is_document(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    match ending {
        Some(ending) => DOCUMENTS.contains(&ending.as_str()),
        None => ["LICENSE", "COPYING", "AUTHORS", "NOTICE"]
            .iter()
            .any(|start| name.starts_with(start)),
    }
}

/// Whether it says which versions of dependencies are built, or by which compiler.
fn changes_the_build(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["Cargo.lock", "rust-toolchain", "rust-toolchain.toml"].contains(&name)
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(paths: &[&str]) -> f64 {
        weight(
            paths.iter().copied(),
            &["crates/a".to_owned(), "crates/b".to_owned()],
        )
    }

    #[test]
    fn what_the_test_is_built_from_weighs_most_and_documents_least() {
        assert_eq!(of(&["crates/a/src/lib.rs"]), TOUCHES);
        assert_eq!(of(&["README.md", "crates/b/build.rs"]), TOUCHES);
        assert_eq!(of(&["Cargo.lock"]), TOUCHES);
        assert_eq!(of(&["rust-toolchain.toml"]), TOUCHES);
        assert_eq!(of(&["crates/ab/src/lib.rs"]), 1.0);
        assert_eq!(
            of(&["README.md", "docs/a.SVG", "LICENSE-MIT"]),
            CANNOT_REACH
        );
        assert_eq!(of(&["crates/a/README.md"]), CANNOT_REACH);
        assert_eq!(of(&[]), CANNOT_REACH);
        assert_eq!(weight(["src/lib.rs"], &[String::new()]), TOUCHES);
    }

    #[test]
    fn configuration_is_never_played_down() {
        for path in [
            "fidelity.toml",
            ".github/workflows/ci.yml",
            ".cargo/config.toml",
            "deploy/values.yaml",
            "Dockerfile",
            "LICENSE.json",
            "data/table.txt",
        ] {
            assert!(of(&[path]) >= 1.0, "{path}");
        }
    }
}
