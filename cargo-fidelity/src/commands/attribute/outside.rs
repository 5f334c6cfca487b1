//! What is known of the environment beside code and profile: the compiler and the lock file.
//!
//! Both reach the test through what is built. A commit that changes them is one of the line like any other, and what it changes is
//! said; what changed without a commit is compared between the runs. Neither is crossed with the code: an old lock file beside
//! manifests that ask for something else is no state that anybody had, since cargo writes a third one.

use fidelity_core::attribute::build::pinned_toolchain;
use fidelity_core::attribute::history::{CommitId, Repository};

use super::Session;

const LOCK: [&str; 2] = ["Cargo.lock", "**/Cargo.lock"];

const TOOLCHAIN: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// Returns what a commit is that changes the lock file or the toolchain.
pub fn of_commit(repository: &Repository, commit: &CommitId) -> Option<&'static str> {
    let both = [&LOCK[..], &TOOLCHAIN].concat();
    let touches = |globs: &[&str]| repository.touches(commit, globs).unwrap_or(false);
    let alone = repository.touches_only(commit, &both).unwrap_or(false);
    of_files([touches(&LOCK), touches(&TOOLCHAIN)], alone)
}

/// Returns the words for a commit, by whether it changes the lock file and the toolchain, and whether it changes nothing else.
fn of_files([lock, toolchain]: [bool; 2], alone: bool) -> Option<&'static str> {
    match (lock, toolchain, alone) {
        (true, false, true) => Some("it changes Cargo.lock alone: a dependency is what differs"),
        (false, true, true) => Some("it changes the toolchain alone"),
        (true, true, true) => Some("it changes the toolchain and Cargo.lock alone"),
        (true, false, false) => Some("it changes Cargo.lock as well: it may be a dependency"),
        (false, true, false) => Some("it changes the toolchain as well"),
        (true, true, false) => Some("it changes the toolchain and Cargo.lock as well"),
        (false, false, _) => None,
    }
}

/// Returns what there is to say where the ends ask for different toolchains and all commits were built with one.
pub fn of_toolchains(repository: &Repository, ends: [&CommitId; 2]) -> Option<String> {
    let pinned = pinned_toolchain()?;
    let [good, bad] = ends.map(|end| TOOLCHAIN.map(|file| repository.content_at(end, file)));
    (good != bad).then(|| {
        format!("all commits were built with the toolchain {pinned}, which RUSTUP_TOOLCHAIN names, whatever they ask for")
    })
}

/// Returns what is known to differ between the run that saw the failure and the last that saw the test pass at `good`, or not to.
pub fn of_runs(session: &Session<'_>, good: &CommitId) -> Option<&'static str> {
    let evidence = &session.evidence;
    let then = evidence.toolchains.get(good)?;
    let lock = |commit: Option<&CommitId>| session.repository.content_at(commit?, "Cargo.lock");
    let locks = (lock(Some(good)), lock(evidence.commit.as_ref()));
    Some(between(*then == evidence.toolchain, locks))
}

/// Returns the words, by whether compiler and lock file together were the same then and now, and by the committed lock files.
fn between(same: bool, locks: (Option<String>, Option<String>)) -> &'static str {
    match locks {
        _ if same => {
            "compiler and Cargo.lock are those with which it passed: time, the machine, or what the test reaches beyond it is left"
        }
        (Some(before), Some(now)) if before == now => {
            "the compiler is not that with which it passed (`rustc -vV`)"
        }
        (Some(_), Some(_)) => {
            "compiler or Cargo.lock are not those with which it passed; the latter changed between the commits"
        }
        _ => "compiler or Cargo.lock, which is not committed, are not those with which it passed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_beside_code_and_profile_is_said_in_words_of_its_own() {
        let lock = |text: &str| Some(text.to_owned());
        let said = [
            between(true, (lock("a"), lock("a"))),
            between(false, (lock("a"), lock("a"))),
            between(false, (lock("a"), lock("b"))),
            between(false, (None, None)),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        compiler and Cargo.lock are those with which it passed: time, the machine, or what the test reaches beyond it is left
        the compiler is not that with which it passed (`rustc -vV`)
        compiler or Cargo.lock are not those with which it passed; the latter changed between the commits
        compiler or Cargo.lock, which is not committed, are not those with which it passed
        ");
    }

    #[test]
    fn a_commit_that_changes_what_is_built_with_is_said_to() {
        let all = [false, true].into_iter().flat_map(|alone| {
            [[true, false], [false, true], [true, true], [false, false]]
                .map(|files| of_files(files, alone).unwrap_or("nothing"))
        });
        let said: Vec<&str> = all.collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        it changes Cargo.lock as well: it may be a dependency
        it changes the toolchain as well
        it changes the toolchain and Cargo.lock as well
        nothing
        it changes Cargo.lock alone: a dependency is what differs
        it changes the toolchain alone
        it changes the toolchain and Cargo.lock alone
        nothing
        ");
    }
}
