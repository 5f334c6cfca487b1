//! Rules of the house that the compiler does not check: sizes, module heads, pure modules, documents that tell the truth.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Returns every Rust source below `folder`, sorted.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Returns the lines before a trailing test module.
fn production(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text)
}

/// Returns whether a source is compiled for tests only.
fn is_test(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("/tests/") || text.ends_with("tests.rs") || text.ends_with("/planted.rs")
}

fn crates() -> Vec<PathBuf> {
    let repository = repository();
    [
        "cargo-fidelity/src",
        "cargo-fidelity/examples",
        "fidelity-core/src",
        "fidelity-core/examples",
        "fidelity-macros/src",
    ]
    .iter()
    .flat_map(|folder| sources(&repository.join(folder)))
    .collect()
}

#[test]
fn every_file_says_what_it_is_for() {
    for path in crates() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} has no `//!` head",
            path.display()
        );
    }
}

#[test]
fn no_file_grows_beyond_400_lines() {
    for path in crates() {
        let text = fs::read_to_string(&path).unwrap();
        let lines = production(&text).lines().count();
        let limit = if is_test(&path) { 600 } else { 400 };
        assert!(
            lines <= limit,
            "{} has {lines} lines: split it by noun",
            path.display()
        );
    }
    for path in sources(&repository().join("tests"))
        .iter()
        .filter(|path| !path.to_string_lossy().contains("testdata"))
    {
        let lines = fs::read_to_string(path).unwrap().lines().count();
        assert!(
            lines <= 600,
            "{} has {lines} lines: split it by topic",
            path.display()
        );
    }
}

#[test]
fn no_file_is_a_drawer() {
    for path in crates() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !["util", "utils", "helpers", "imp", "common", "misc"].contains(&name.as_str()),
            "{}",
            path.display()
        );
    }
}

/// Folders of decisions.
const PURE_FOLDERS: &[&str] = &[
    "audit",
    "domain",
    "stats",
    "evidence",
    "schedule",
    "report",
    "attribute/engine",
    "attribute/knobs",
    "ingest/junit",
    "ingest/naming",
];

/// Files of decisions.
const PURE_FILES: &[&str] = &[
    "attribute/commit_search.rs",
    "attribute/commits.rs",
    "attribute/crossing.rs",
    "attribute/simulate.rs",
    "attribute/history/change.rs",
    "attribute/history/glob.rs",
    "attribute/history/since.rs",
    "attribute/inquiry.rs",
    "attribute/inquiry/cross.rs",
    "attribute/inquiry/profile.rs",
    "attribute/prior.rs",
    "classify.rs",
    "plan.rs",
    "driver.rs",
    "config/runner.rs",
    "exec/command/account.rs",
    "exec/command/cut_short.rs",
    "exec/command/nextest/configuration.rs",
    "exec/command/notes.rs",
    "exec/command/select.rs",
    "exec/command/words.rs",
    "simulate.rs",
    "config/resolve.rs",
    "config/test_rules.rs",
    "suite/filter.rs",
    "ingest/csv/mod.rs",
    "ingest/csv/read.rs",
    "ingest/failure.rs",
    "ingest/pairing.rs",
    "ingest/rows.rs",
    "suite/annotation/arms.rs",
    "suite/annotation/configured.rs",
    "suite/annotation/placed.rs",
    "suite/annotation/record.rs",
];

#[test]
fn deciding_code_touches_no_file_process_clock_or_environment() {
    let core = repository().join("fidelity-core/src");
    let mut paths: Vec<PathBuf> = PURE_FILES
        .iter()
        .map(|file| core.join(file))
        .filter(|path| path.exists())
        .collect();
    paths.extend(
        PURE_FOLDERS
            .iter()
            .flat_map(|folder| sources(&core.join(folder))),
    );
    assert!(paths.len() > 20, "only {} pure files found", paths.len());
    for path in paths.iter().filter(|path| !is_test(path)) {
        let text = fs::read_to_string(path).unwrap();
        for word in [
            "std::fs",
            "std::process",
            "std::env",
            "std::thread",
            "std::net",
            "std::time::Instant",
            "SystemTime",
        ] {
            assert!(
                !production(&text).contains(word),
                "{} uses {word}",
                path.display()
            );
        }
    }
}

#[test]
fn statistics_know_numbers_only() {
    for path in sources(&repository().join("fidelity-core/src/stats")) {
        let text = fs::read_to_string(&path).unwrap();
        for word in [
            "crate::domain",
            "crate::evidence",
            "crate::schedule",
            "crate::exec",
            "crate::store",
        ] {
            assert!(
                !production(&text).contains(word),
                "{} uses {word}",
                path.display()
            );
        }
    }
}

#[test]
fn every_path_named_in_the_architecture_exists() {
    let repository = repository();
    let text = fs::read_to_string(repository.join("ARCHITECTURE.md")).unwrap();
    let mut named = 0;
    for word in text.split('`').skip(1).step_by(2) {
        let looks_like_path =
            word.contains('/') && !word.contains([' ', '<', '*', ':']) || word.ends_with(".rs");
        if !looks_like_path || word.starts_with(['.', '/']) {
            continue;
        }
        named += 1;
        let places = [
            repository.join(word),
            repository.join("fidelity-core/src").join(word),
            repository.join("cargo-fidelity/src").join(word),
        ];
        assert!(
            places.iter().any(|place| place.exists()),
            "ARCHITECTURE.md names `{word}`, which does not exist"
        );
    }
    assert!(named > 10, "only {named} paths found");
}

#[test]
fn every_test_tree_has_a_readme_and_is_used() {
    let tests = repository().join("tests");
    let users: String = sources(&tests)
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for entry in fs::read_dir(tests.join("testdata")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            assert!(
                path.join("README.md").exists(),
                "{} has no README.md",
                path.display()
            );
            assert!(users.contains(&name), "no test uses tests/testdata/{name}");
        }
    }
}

#[test]
fn every_test_file_is_a_target() {
    let manifest = fs::read_to_string(repository().join("cargo-fidelity/Cargo.toml")).unwrap();
    for entry in fs::read_dir(repository().join("tests")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(
            !name.ends_with(".rs") || manifest.contains(&format!("../tests/{name}")),
            "tests/{name} is no target"
        );
    }
}

#[test]
fn no_test_is_ignored_and_nothing_is_left_to_do() {
    let repository = repository();
    let mut paths = crates();
    paths.extend(
        sources(&repository.join("tests"))
            .into_iter()
            .filter(|path| !path.to_string_lossy().contains("testdata")),
    );
    for path in paths.iter().filter(|path| !path.ends_with("tests/tidy.rs")) {
        let text = fs::read_to_string(path).unwrap();
        for word in ["\n#[ignore", "\n    #[ignore", "TODO", "FIXME"] {
            assert!(!text.contains(word), "{} holds {word:?}", path.display());
        }
    }
}

#[test]
fn no_dependency_asks_for_a_newer_rust_than_we_do() {
    let metadata = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--manifest-path",
        ])
        .arg(repository().join("Cargo.toml"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let version = |package: &serde_json::Value| -> Vec<u32> {
        let text = package["rust_version"].as_str().unwrap_or("0");
        text.split('.').map(|part| part.parse().unwrap()).collect()
    };
    let ours = packages
        .iter()
        .find(|package| package["name"] == "cargo-fidelity")
        .unwrap();
    let ours = version(ours);
    assert_eq!(ours, [1, 89], "the README names the version too");
    for package in packages {
        let name = format!("{} {}", package["name"], package["version"]);
        assert!(
            version(package) <= [ours.clone(), vec![u32::MAX]].concat(),
            "{name} wants {:?}",
            version(package)
        );
    }
}

#[test]
fn the_readme_names_every_knob_and_the_oldest_rust() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    for knob in fidelity_core::config::catalogue::KNOBS {
        let name = match knob.name {
            "env" => "`env.NAME`".to_owned(),
            "errno" => "`errno.SYSCALL`".to_owned(),
            name => format!("`{name}`"),
        };
        let mut rows = readme.lines().filter_map(|line| line.strip_prefix("| "));
        assert!(
            rows.any(|row| row
                .split(" | ")
                .next()
                .is_some_and(|knobs| knobs.contains(&name))),
            "no table of README.md names {name}"
        );
    }
    assert!(readme.contains("(1.89 or newer)"));
}
