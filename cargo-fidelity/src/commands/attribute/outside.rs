//! What is known of the environment beside code and profile: the compiler and the lock file.
//!
//! Both reach the test through what is built. A commit that changes them is one of the line like any other, and what it changes is
//! said; what changed without a commit is compared between the runs.

use fidelity_core::attribute::history::{CommitId, Repository};

use super::Session;

/// Files that say which dependencies are built, and by which compiler, each with what a commit of them alone is.
const KINDS: [(&str, &[&str]); 3] = [
    (
        "it changes Cargo.lock alone: a dependency is what differs",
        &["Cargo.lock", "**/Cargo.lock"],
    ),
    (
        "it changes the toolchain alone",
        &["rust-toolchain", "rust-toolchain.toml"],
    ),
    (
        "it changes the toolchain and Cargo.lock alone",
        &[
            "Cargo.lock",
            "**/Cargo.lock",
            "rust-toolchain",
            "rust-toolchain.toml",
        ],
    ),
];

/// Returns what a commit is that changes nothing but the lock file or the toolchain.
pub fn of_commit(repository: &Repository, commit: &CommitId) -> Option<&'static str> {
    let only = |globs| repository.touches_only(commit, globs).unwrap_or(false);
    let kind = KINDS.iter().find(|(_, globs)| only(globs));
    kind.map(|(words, _)| *words)
}

/// Returns what is known to differ between the run that saw the failure and the last that saw the test pass at `good`, or not to.
pub fn of_runs(session: &Session<'_>, good: &CommitId) -> Option<&'static str> {
    let evidence = &session.evidence;
    let then = evidence.toolchains.get(good)?;
    let lock = |commit: Option<&CommitId>| session.repository.content_at(commit?, "Cargo.lock");
    let locks = (lock(Some(good)), lock(evidence.commit.as_ref()));
    Some(match locks {
        _ if *then == evidence.toolchain => {
            "compiler and Cargo.lock are those with which it passed: time, the machine, or what the test reaches beyond it is left"
        }
        (Some(before), Some(now)) if before == now => {
            "the compiler is not that with which it passed (`rustc -vV`)"
        }
        (Some(_), Some(_)) => {
            "compiler or Cargo.lock are not those with which it passed; the latter changed between the commits"
        }
        _ => "compiler or Cargo.lock, which is not committed, are not those with which it passed",
    })
}
