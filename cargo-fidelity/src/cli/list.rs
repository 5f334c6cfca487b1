//! Options of `list`.

use clap::Args;

use super::{BuildArgs, ProfileArgs, SelectionArgs};

/// Lists the tests: what they cover and need, where they are run, and the last verdict on each
///
/// Builds the suite and reads what authors say of their tests (`#[fidelity(...)]`) from the test binaries. Runs no test.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub profiles: ProfileArgs,
    #[command(flatten)]
    pub build: BuildArgs,
}
