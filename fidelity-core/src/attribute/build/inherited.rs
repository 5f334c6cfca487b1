//! What this process was given that holds for the user's place and not for a checkout.

use std::ffi::OsString;

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

/// Returns the variables that nothing in a checkout gets.
pub(super) fn of_the_users_place() -> Vec<OsString> {
    GIT.iter().map(OsString::from).collect()
}
