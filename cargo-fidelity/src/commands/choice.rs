//! Which runner is to run a workspace: what the settings say, and what fits the project where they leave it open.

use fidelity_core::config::Settings;
use fidelity_core::domain::{Problem, RunnerKind};
use fidelity_core::suite::nextest::{CONFIGURATION, Nextest};
use fidelity_core::suite::{Filter, Workspace};

use crate::cli::RunArgs;
use crate::error::{CliError, ErrorKind};
use crate::signals::Signals;

/// A runner for a workspace.
pub enum Chosen {
    /// The tool itself; with what should be known of that.
    Direct(Option<Problem>),
    /// cargo-nextest, with why; nothing is said where it was asked for.
    Nextest(Nextest, String),
}

/// What a choice of runner looks at.
pub struct Choice<'a> {
    pub arguments: &'a RunArgs,
    pub settings: &'a Settings,
    pub signals: &'a Signals,
    /// Which tests take part.
    pub filter: &'a Filter,
}

impl Choice<'_> {
    /// Returns what runs the tests of `workspace`.
    pub fn of(&self, workspace: &Workspace) -> Result<Chosen, CliError> {
        let passed_on = !self.arguments.arguments.is_empty();
        match self.settings.runner.kind {
            RunnerKind::Nextest if passed_on => {
                let message = "cargo-nextest passes no arguments to test binaries";
                let error = CliError::new(ErrorKind::Usage, message);
                Err(error
                    .hint("leave out what comes after `--`, or pass `--set runner.kind=direct`"))
            }
            RunnerKind::Nextest => match Nextest::find(self.signals.flag()) {
                Some(nextest) => Ok(Chosen::Nextest(nextest, String::new())),
                None => {
                    let message = "the runner is `nextest`, but cargo-nextest is not installed";
                    let error = CliError::new(ErrorKind::Usage, message);
                    Err(error
                        .hint("install it: `cargo install cargo-nextest --locked`")
                        .hint("or pass `--set runner.kind=direct`"))
                }
            },
            RunnerKind::Auto if workspace.root.join(CONFIGURATION).is_file() => {
                let instead = |why: &str| Problem {
                    kind: "nextest-not-used".to_owned(),
                    message: format!(
                        "{CONFIGURATION} is there, but {why}: the tests are started directly, without it"
                    ),
                };
                if passed_on {
                    return Ok(Chosen::Direct(Some(instead(
                        "cargo-nextest passes no arguments to test binaries",
                    ))));
                }
                Ok(match Nextest::find(self.signals.flag()) {
                    Some(nextest) => Chosen::Nextest(nextest, format!("{CONFIGURATION} is there")),
                    None => Chosen::Direct(Some(instead("cargo-nextest is not installed"))),
                })
            }
            _ => Ok(Chosen::Direct(None)),
        }
    }
}
