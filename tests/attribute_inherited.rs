//! Attribution to commits by a process that was given what holds for the user's place alone: which repository git works on, which
//! toolchain rustup chose.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commits;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use commits::Made;
use support::{Project, Ran};

const HIGH: &str = "[profile.low]\n\n[profile.high]\nenv.MODE = \"production\"\n";

/// Asks git where it is, as build scripts do, and then for what it would refresh the index.
const BUILD: &str = r#"fn main() {
    let git = |what: &[&str]| std::process::Command::new("git").args(what).output().unwrap().stdout;
    let at = String::from_utf8(git(&["rev-parse", "HEAD"])).unwrap();
    git(&["status"]);
    println!("cargo:rustc-env=AT={}", at.trim());
}
"#;

/// Writes down which commit it was built of, and which one git finds where it runs.
const TEST: &str = r#"#[test]
fn works() {
    let git = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output().unwrap();
    let at = String::from_utf8(git.stdout).unwrap();
    if let Some(log) = std::env::var_os("AT_LOG") {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        std::fs::write(log, format!("{text}{} {}\n", env!("AT"), at.trim())).unwrap();
    }
    assert!(!(shop::WRONG && std::env::var_os("MODE").is_some()), "it broke");
}
"#;

fn commit(made: &Made, wrong: bool, subject: &str) -> String {
    let text = format!("// {subject}\npub const WRONG: bool = {wrong};\n");
    made.write("src/lib.rs", &text);
    made.commit(subject)
}

fn run(made: &Made) {
    let run = ["run", "--no-gate", "--attribute", "never"];
    let _ran = made.does(&run).exits_with(0);
}

#[test]
fn git_in_a_checkout_is_not_sent_to_the_users_repository() {
    let made = Made::new();
    made.write("fidelity.toml", HIGH);
    made.write("build.rs", BUILD);
    made.write("tests/all.rs", TEST);
    let begin = commit(&made, false, "Begin");
    let culprit = commit(&made, true, "Break it");
    let last = commit(&made, true, "Go on");
    run(&made);
    // Older than what the index says, so that whoever asks for the status refreshes it.
    let source = made.project.root.join("src/lib.rs");
    fs::write(&source, fs::read(&source).unwrap()).unwrap();
    let index = made.project.root.join(".git/index");
    let before = fs::read(&index).unwrap();
    let outside = Project::empty("outside");
    let log = outside.root.join("log");
    let options = ["attribute", "works", "--good", &begin, "--format", "json"];
    let mut tool = made.tool(&options);
    // As in a hook.
    tool.env("GIT_DIR", made.project.root.join(".git"))
        .env("GIT_INDEX_FILE", &index)
        .env("AT_LOG", &log);
    let found = Ran::of(tool.output().unwrap()).exits_with(0).json();
    let cause = &found["attribution"]["cause"]["commit"]["id"];
    assert_eq!(cause, culprit.as_str(), "{found:#}");
    assert_eq!(fs::read(&index).unwrap(), before, "the index was written");
    let seen = fs::read_to_string(&log).unwrap();
    let mut seen: Vec<&str> = seen.lines().collect();
    seen.sort_unstable();
    seen.dedup();
    let mut expected = [&begin, &culprit, &last].map(|id| format!("{id} {id}"));
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

/// Compiles in which toolchain it was built with.
const CHANNEL: &str = r#"fn main() {
    println!("cargo:rerun-if-env-changed=CHANNEL");
    println!("cargo:rustc-env=CHANNEL={}", std::env::var("CHANNEL").unwrap_or_default());
}
"#;

/// Fails where it was built with the newer one.
const BUILT_WITH: &str = r#"#[test]
fn works() {
    assert!(!(env!("CHANNEL") == "newer" && std::env::var_os("MODE").is_some()), "it broke");
}
"#;

/// Writes a `cargo` that reads which toolchain it is to be of where it is started, as that of rustup does, into a folder of its own.
fn proxy(folder: &Project) -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap();
    let pinned = std::env::var("RUSTUP_TOOLCHAIN").map(|name| format!("RUSTUP_TOOLCHAIN={name} "));
    let pinned = pinned.unwrap_or_default();
    let script = format!(
        "#!/bin/sh\nCHANNEL=$(cat rust-toolchain 2>&1)\nexport CHANNEL\n{pinned}exec {cargo} \"$@\"\n"
    );
    folder.write("cargo", &script);
    let path = folder.root.join("cargo");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn each_commit_is_built_with_the_toolchain_it_asks_for_unless_the_user_names_one() {
    let made = Made::new();
    made.write("fidelity.toml", HIGH);
    made.write("build.rs", CHANNEL);
    made.write("tests/all.rs", BUILT_WITH);
    made.write("rust-toolchain", "older");
    let begin = commit(&made, false, "Begin");
    commit(&made, false, "Go on");
    made.write("rust-toolchain", "newer");
    let culprit = commit(&made, false, "Take a newer one");
    commit(&made, false, "Go on after it");
    let folder = Project::empty("proxy");
    let proxy = proxy(&folder);
    let run = ["run", "--no-gate", "--attribute", "never"];
    let ran = made.tool(&run).env("CARGO", &proxy).output().unwrap();
    let _ran = Ran::of(ran).exits_with(0);
    let path = format!(
        "{}:{}",
        folder.root.display(),
        std::env::var("PATH").unwrap()
    );
    let attributed = |source: &str, code: i32| {
        let ends = [
            "--good",
            &begin,
            "--bad",
            if source == "cli" { &culprit } else { "HEAD" },
        ];
        let options = [&["attribute", "works", "--format", "json"], &ends[..]].concat();
        let mut tool = made.tool(&options);
        tool.env("PATH", &path)
            .env("RUSTUP_TOOLCHAIN_SOURCE", source);
        if std::env::var_os("RUSTUP_TOOLCHAIN").is_none() {
            tool.env("RUSTUP_TOOLCHAIN", "stable");
        }
        let ran = Ran::of(tool.output().unwrap()).exits_with(code);
        ran.json()["attribution"].clone()
    };
    // As `cargo +toolchain fidelity` has it: cargo of that toolchain builds everything, and here is none of the two.
    let pinned = attributed("cli", 7);
    let notes = pinned["notes"].to_string();
    assert!(
        notes.contains("all commits were built with the toolchain"),
        "{pinned:#}"
    );
    let found = attributed("toolchain-file", 0);
    assert_eq!(
        found["cause"]["commit"]["id"],
        culprit.as_str(),
        "{found:#}"
    );
    // What was built with another toolchain does not count.
    let fails = &found["cause"]["sufficient"];
    assert_eq!(fails["failures"], fails["trials"], "{found:#}");
    let notes = found["notes"].to_string();
    assert!(
        notes.contains("it changes the toolchain as well"),
        "{notes}"
    );
}
