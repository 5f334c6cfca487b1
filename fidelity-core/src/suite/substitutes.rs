//! What manifests and sources look like: mock crates, in-memory databases, fake implementations, real services.
//!
//! Lines are compared with fixed words: a hint for people, with the place to look at and how sure it is, and never more.
//! Only the packages of the workspace are read, and of each a bounded number of bounded files.

use std::path::{Path, PathBuf};

use crate::audit::{Confidence, Evidence};

use super::Workspace;

/// Files of a workspace, at most.
const FILES: usize = 20_000;
/// Bytes of a file, at most; generated ones are larger.
const FILE_BYTES: u64 = 1024 * 1024;
/// Lines that are told, at most.
const EVIDENCE: usize = 500;

/// Crates that exist to replace something.
const MOCK_CRATES: [&str; 12] = [
    "mockall",
    "mockall_double",
    "mockito",
    "wiremock",
    "httpmock",
    "httptest",
    "faux",
    "mry",
    "unimock",
    "mocktopus",
    "double",
    "mockd",
];
/// Crates that bring real services up.
const REAL_CRATES: [&str; 3] = ["testcontainers", "testcontainers-modules", "dockertest"];

/// Parts of lines, what they are, and how sure that is.
const WORDS: [(&str, &str, Confidence); 9] = [
    ("\":memory:\"", "an in-memory database", Confidence::High),
    ("sqlite::memory:", "an in-memory database", Confidence::High),
    ("open_in_memory(", "an in-memory database", Confidence::High),
    ("#[automock", "a generated mock", Confidence::High),
    ("MockServer::start", "a mock server", Confidence::High),
    ("mock! {", "a generated mock", Confidence::High),
    ("struct Mock", "a type named as a mock", Confidence::Medium),
    ("struct Fake", "a type named as a fake", Confidence::Medium),
    (
        "struct InMemory",
        "a type that keeps things in memory",
        Confidence::Low,
    ),
];

/// Returns what the packages of a workspace show, sorted.
pub fn look(workspace: &Workspace) -> Vec<Evidence> {
    let mut found = Vec::new();
    for package in &workspace.packages {
        let Some(folder) = package.manifest_path.as_std_path().parent() else {
            continue;
        };
        if let Some(text) = read(package.manifest_path.as_std_path()) {
            in_manifest(
                &text,
                &shown(workspace, package.manifest_path.as_std_path()),
                &mut found,
            );
        }
        let mut files = Vec::new();
        for part in ["src", "tests", "benches", "examples"] {
            sources(&folder.join(part), &mut files);
        }
        for file in files {
            if let Some(text) = read(&file) {
                in_source(&text, &shown(workspace, &file), &mut found);
            }
        }
    }
    found.sort();
    found.dedup();
    found.truncate(EVIDENCE);
    found
}

fn shown(workspace: &Workspace, file: &Path) -> String {
    let file = file.strip_prefix(&workspace.root).unwrap_or(file);
    file.display().to_string()
}

fn read(file: &Path) -> Option<String> {
    let small = std::fs::metadata(file).is_ok_and(|file| file.len() <= FILE_BYTES);
    small.then(|| std::fs::read_to_string(file).ok())?
}

/// Adds the Rust sources below a folder. Links are not followed, so that there is an end.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let path = entry.path();
        if files.len() >= FILES {
            return;
        }
        if kind.is_dir() {
            sources(&path, files);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn in_manifest(text: &str, file: &str, found: &mut Vec<Evidence>) {
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let table = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'));
        let name = match table {
            Some(table) => table.rsplit_once("dependencies.").map(|(_, name)| name),
            None => line.split_once(['=', '.']).map(|(name, _)| name.trim()),
        };
        let Some(name) = name.map(|name| name.trim_matches('"')) else {
            continue;
        };
        let real = REAL_CRATES.contains(&name);
        if real || MOCK_CRATES.contains(&name) {
            let what = if real {
                "brings real services up"
            } else {
                "a mock crate"
            };
            found.push(Evidence {
                real,
                confidence: Confidence::High,
                place: format!("{file}:{number}"),
                what: format!("depends on `{name}`, {what}"),
            });
        }
    }
}

fn in_source(text: &str, file: &str, found: &mut Vec<Evidence>) {
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        if line.starts_with("//") {
            continue;
        }
        if let Some((_, what, confidence)) = WORDS.iter().find(|(word, ..)| line.contains(word)) {
            found.push(Evidence {
                real: false,
                confidence: *confidence,
                place: format!("{file}:{number}"),
                what: (*what).to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(found: &[Evidence]) -> Vec<String> {
        let lines = found.iter();
        lines
            .map(|line| {
                format!(
                    "{} {} ({})",
                    line.place,
                    line.what,
                    line.confidence.as_str()
                )
            })
            .collect()
    }

    #[test]
    fn manifests_are_read_in_any_of_their_forms() {
        let mut found = Vec::new();
        let text = "[dev-dependencies]\nmockall = \"0.13\"\nserde = \"1\"\nwiremock.workspace = true\n[dev-dependencies.testcontainers]\nversion = \"0.28\"\n# mockito = \"1\"\n";
        in_manifest(text, "Cargo.toml", &mut found);
        insta::assert_snapshot!(places(&found).join("\n"));
    }

    #[test]
    fn sources_are_read_but_for_comments() {
        let mut found = Vec::new();
        let text = "let db = connect(\":memory:\");\n// let db = connect(\":memory:\");\nstruct FakeCards;\nfn main() {}\n";
        in_source(text, "tests/it.rs", &mut found);
        insta::assert_snapshot!(places(&found).join("\n"));
    }
}
