//! Options of `audit`.

use clap::Args;

use super::{BuildArgs, FiltersetArgs, FiltersetHelp, ProfileArgs};

/// Tells what runs at which fidelity, what is mocked, and which differences to production matter most
///
/// Builds the suite, reads what authors say of their tests, and looks at the code, the configuration and the stored runs.
/// Runs no test.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(flatten)]
    pub filtersets: FiltersetArgs<Audited>,
    #[command(flatten)]
    pub profiles: ProfileArgs,
    #[command(flatten)]
    pub build: BuildArgs,
}

/// What `-E` does there.
#[derive(Debug)]
pub enum Audited {}

impl FiltersetHelp for Audited {
    const HELP: &str = "Audit the tests of this filterset, such as `kind(e2e)`; can be repeated, any may match. Trials, \
    and what code and manifests show, are told of the whole suite";
}
