//! What manifests and sources look like: mock crates, in-memory databases, fake implementations, real services.
//!
//! Lines are compared with fixed words: a hint for people, with the place to look at and how sure it is, and never more.
//! Only the packages of the workspace are read, and of each a bounded number of bounded files.

use std::path::{Path, PathBuf};

use cargo_metadata::Dependency;

use crate::audit::substitutes::ranked;
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

/// Returns what the packages of a workspace show, what tells most first.
pub fn look(workspace: &Workspace) -> Vec<Evidence> {
    let mut found = Vec::new();
    for package in &workspace.packages {
        let Some(folder) = package.manifest_path.as_std_path().parent() else {
            continue;
        };
        if let Some(text) = read(package.manifest_path.as_std_path()) {
            let file = shown(workspace, package.manifest_path.as_std_path());
            in_manifest(&package.dependencies, &text, &file, &mut found);
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
    let mut found = ranked(&found);
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

/// Adds what a package depends on. cargo knows it exactly; the text of the manifest says where.
fn in_manifest(dependencies: &[Dependency], text: &str, file: &str, found: &mut Vec<Evidence>) {
    for dependency in dependencies {
        let name = dependency.name.as_str();
        let real = REAL_CRATES.contains(&name);
        if !real && !MOCK_CRATES.contains(&name) {
            continue;
        }
        let what = match real {
            true => "brings real services up",
            false => "a mock crate",
        };
        let key = dependency.rename.as_deref().unwrap_or(name);
        found.push(Evidence {
            real,
            confidence: Confidence::High,
            file: file.to_owned(),
            line: line_of(text, key),
            what: format!("depends on `{name}`, {what}"),
        });
    }
}

/// Returns the line of a manifest that names a dependency, in any of its forms.
fn line_of(text: &str, key: &str) -> Option<u32> {
    let mut of_dependencies = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let table = line
            .strip_prefix('[')
            .and_then(|line| line.split(']').next());
        let name = match table {
            Some(table) => {
                of_dependencies = table.ends_with("dependencies");
                table.rsplit_once("dependencies.").map(|(_, name)| name)
            }
            None if of_dependencies => line.split_once(['=', '.']).map(|(name, _)| name),
            None => None,
        };
        if name.is_some_and(|name| name.trim().trim_matches('"') == key) {
            return Some(number);
        }
    }
    None
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
                file: file.to_owned(),
                line: Some(number),
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
                    line.place(),
                    line.what,
                    line.confidence.as_str()
                )
            })
            .collect()
    }

    fn dependency(name: &str, rename: Option<&str>) -> Dependency {
        let json = serde_json::json!({
            "name": name, "req": "*", "kind": "dev", "rename": rename, "optional": false,
            "uses_default_features": true, "features": [],
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn dependencies_are_those_that_cargo_knows_and_found_in_any_form() {
        let mut found = Vec::new();
        let text = "[features]\nfaux = []\nmockall = []\n[dev-dependencies]\nmockall = \"0.13\"\nserde = \"1\"\nwiremock.workspace = true\nhttp = { package = \"httpmock\", version = \"1\" }\n[dev-dependencies.testcontainers]\nversion = \"0.28\"\n# mockito = \"1\"\n";
        let dependencies = [
            dependency("mockall", None),
            dependency("serde", None),
            dependency("wiremock", None),
            dependency("httpmock", Some("http")),
            dependency("testcontainers", None),
        ];
        in_manifest(&dependencies, text, "Cargo.toml", &mut found);
        insta::assert_snapshot!(places(&found).join("\n"));
    }

    #[test]
    fn what_is_real_comes_first_and_lines_are_numbers() {
        let mut found = Vec::new();
        for line in 1..12 {
            let text = "\n".repeat(line) + "struct MockCards;\n";
            in_source(&text, "src/lib.rs", &mut found);
        }
        in_manifest(
            &[dependency("testcontainers", None)],
            "",
            "Cargo.toml",
            &mut found,
        );
        let ranked = places(&ranked(&found));
        assert!(ranked[0].contains("testcontainers"), "{ranked:?}");
        let tenth = ranked
            .iter()
            .position(|place| place.starts_with("src/lib.rs:10 "));
        let ninth = ranked
            .iter()
            .position(|place| place.starts_with("src/lib.rs:9 "));
        assert!(ninth < tenth, "{ranked:?}");
    }

    #[test]
    fn sources_are_read_but_for_comments() {
        let mut found = Vec::new();
        let text = "let db = connect(\":memory:\");\n// let db = connect(\":memory:\");\nstruct FakeCards;\nfn main() {}\n";
        in_source(text, "tests/it.rs", &mut found);
        insta::assert_snapshot!(places(&found).join("\n"));
    }
}
