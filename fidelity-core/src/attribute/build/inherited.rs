//! What this process was given that holds for the user's place and not for a checkout.

use std::ffi::OsString;
use std::path::PathBuf;

/// The variables by which git is told which repository it works on, as `git rev-parse --local-env-vars` has them. A hook, an alias
/// and `git rebase --exec` set some. Git in a checkout, started by a build script or a test, would read the user's repository with
/// them, and refresh its index.
const GIT: [&str; 15] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Set by rustup, together with the first, which says how it came to it.
const TOOLCHAIN: [&str; 2] = ["RUSTUP_TOOLCHAIN", "RUSTUP_TOOLCHAIN_SOURCE"];

/// Returns the variables that nothing in a checkout gets.
pub(super) fn of_the_users_place() -> Vec<OsString> {
    let git = GIT.iter().map(OsString::from);
    let toolchain = TOOLCHAIN.iter().filter(|_| is_of_the_place());
    git.chain(toolchain.map(OsString::from)).collect()
}

/// Returns the cargo that finds out which toolchain a checkout asks for; none where all commits are built with that of this process.
pub(super) fn cargo() -> Option<PathBuf> {
    is_of_the_place().then(|| "cargo".into())
}

/// Returns the toolchain with which all commits are built, whatever they ask for: the user said so, or a rustup that does not say
/// whether it was the user. None where each is built with its own.
pub fn pinned_toolchain() -> Option<String> {
    let [name, _] = TOOLCHAIN;
    let named = std::env::var_os(name).filter(|name| !name.is_empty())?;
    (!is_of_the_place()).then(|| named.to_string_lossy().into_owned())
}

/// Returns whether rustup took the toolchain of this process from a file of the user's work tree, or took the usual one for want of such
/// a file. As `cargo fidelity`, this process has it whether or not anybody asked for it.
fn is_of_the_place() -> bool {
    let [_, source] = TOOLCHAIN;
    std::env::var_os(source).is_some_and(|source| source == "toolchain-file" || source == "default")
}
