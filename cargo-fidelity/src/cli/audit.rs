//! Options of `audit`.

use clap::Args;

use super::{BuildArgs, ProfileArgs};

/// Tells what runs at which fidelity, what is mocked, and which differences to production matter most
///
/// Builds the suite, reads what authors say of their tests, and looks at the code, the configuration and the stored runs.
/// Runs no test.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(flatten)]
    pub profiles: ProfileArgs,
    #[command(flatten)]
    pub build: BuildArgs,
}
