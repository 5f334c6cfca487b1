//! Every library error as the user sees it: its kind, which says the exit code, and what to do about it.

use fidelity_core::attribute::build::BuildError;
use fidelity_core::attribute::history::HistoryError;
use fidelity_core::attribute::range::RangeError;
use fidelity_core::attribute::trials::TrialError;
use fidelity_core::attribute::worktree::WorktreeError;
use fidelity_core::config::ConfigErrors;
use fidelity_core::driver::DriveError;
use fidelity_core::exec::ExecError;
use fidelity_core::exec::command::CommandError;
use fidelity_core::exec::command::sources::SourcesError;
use fidelity_core::store::StoreError;
use fidelity_core::suite::SuiteError;

use crate::error::{CliError, ErrorKind};

impl From<ConfigErrors> for CliError {
    fn from(errors: ConfigErrors) -> Self {
        let count = errors.errors().len();
        let message = match count {
            // The one mistake speaks for itself.
            1 => String::new(),
            _ => format!("the configuration has {count} mistakes"),
        };
        let plain = !crate::console::color::stderr_has_colors();
        Self::new(ErrorKind::Usage, message).with_snippet(errors.render(plain))
    }
}

impl From<SuiteError> for CliError {
    fn from(error: SuiteError) -> Self {
        let kind = match &error {
            SuiteError::CargoMissing { .. }
            | SuiteError::Metadata { .. }
            | SuiteError::Filterset(_) => ErrorKind::Usage,
            SuiteError::NoBinaries
            | SuiteError::NoTests { .. }
            | SuiteError::NothingSelected { .. } => ErrorKind::NoTests,
            SuiteError::BuildFailed { .. }
            | SuiteError::ListFailed { .. }
            | SuiteError::ListTimedOut { .. }
            | SuiteError::ListTooLong { .. }
            | SuiteError::Nextest { .. }
            | SuiteError::NotCaptured { .. } => ErrorKind::Build,
            SuiteError::Interrupted => ErrorKind::Interrupted,
            SuiteError::Io { .. } => ErrorKind::Internal,
        };
        let cli = Self::from_error(kind, &error);
        match &error {
            SuiteError::CargoMissing { .. } => cli.hint("install Rust, or name cargo in $CARGO"),
            SuiteError::Metadata { .. } => cli
                .hint("run it in a package, or pass --manifest-path")
                .hint("for a suite of another language, `[runner]` in a fidelity.toml names its command"),
            SuiteError::BuildFailed { .. } => {
                cli.hint("cargo's messages are above; no test was run")
            }
            SuiteError::NoBinaries | SuiteError::NoTests { .. } => {
                cli.hint("pass `--no-tests pass` if that is as it should be")
            }
            SuiteError::NothingSelected { .. } => {
                cli.hint("loosen the filters, or pass `--no-tests pass` if that is as it should be")
            }
            SuiteError::Filterset(error) => cli.with_snippet(error.snippet()),
            SuiteError::ListFailed { stderr, .. } | SuiteError::ListTimedOut { stderr, .. } => {
                said(cli, stderr)
                    .hint("a test binary has to answer `--list` without running its tests")
            }
            SuiteError::Nextest { stderr, .. } => {
                said(cli, stderr).hint("`--set runner.kind=direct` does without cargo-nextest")
            }
            SuiteError::NotCaptured { stderr, .. } => said(cli, stderr),
            _ => cli,
        }
    }
}

/// Adds what a process said before it failed.
fn said(error: CliError, stderr: &str) -> CliError {
    if stderr.trim().is_empty() {
        return error;
    }
    let mut error = error;
    error.causes.push(format!("it said: {}", stderr.trim()));
    error
}

impl From<ExecError> for CliError {
    fn from(error: ExecError) -> Self {
        let kind = match &error {
            ExecError::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::Environment,
        };
        let cli = Self::from_error(kind, &error);
        match &error {
            ExecError::BinaryChanged { .. } => {
                cli.hint("let nothing build or replace it while tests run")
            }
            ExecError::SourceChanged { .. } => cli.hint(
                "let nothing write to the code while tests run; `inputs` of `[runner]` says which files it is",
            ),
            ExecError::CheckFailed { command, .. } if command.starts_with("cargo nextest") => {
                cli.hint("`--set runner.kind=direct` does without cargo-nextest")
            }
            ExecError::CheckFailed { .. } => cli.hint(
                "`check` of `[runner]` has to succeed before any knob is imposed: run it by hand, mend it, or leave it out",
            ),
            ExecError::CommandUnfit { .. } => cli.hint(
                "run the command by hand: it has to write what `junit` of `[runner]` names",
            ),
            ExecError::NotSupported(_) => cli.hint("run it on Linux"),
            _ => cli,
        }
    }
}

impl From<CommandError> for CliError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Exec(error) => error.into(),
            error => Self::from_error(ErrorKind::Usage, &error)
                .hint("`[runner]` in fidelity.toml says what is run, and where"),
        }
    }
}

impl From<SourcesError> for CliError {
    fn from(error: SourcesError) -> Self {
        let kind = match &error {
            SourcesError::Pattern { .. } | SourcesError::Nothing => ErrorKind::Usage,
            SourcesError::Git { .. } | SourcesError::Io { .. } => ErrorKind::Environment,
        };
        Self::from_error(kind, &error)
            .hint("`inputs` of `[runner]` says which files are the code under test")
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::NoStore { .. }
            | StoreError::NotAStore { .. }
            | StoreError::TooNew { .. }
            | StoreError::NoRuns { .. }
            | StoreError::NoSuchRun { .. }
            | StoreError::AmbiguousRun { .. }
            | StoreError::Finished { .. }
            | StoreError::Joined { .. }
            | StoreError::Alive { .. }
            | StoreError::Searching { .. }
            | StoreError::Attributing { .. } => ErrorKind::Usage,
            _ => ErrorKind::Internal,
        };
        let cli = Self::from_error(kind, &error);
        let cli = match error.advice() {
            Some(advice) => cli.hint(advice),
            None => cli,
        };
        match &error {
            StoreError::NoStore { .. } | StoreError::NoRuns { .. } => {
                cli.hint("`cargo fidelity run` makes the first run")
            }
            StoreError::NoSuchRun { .. } => {
                cli.hint("`cargo fidelity report --list` names the runs")
            }
            StoreError::Finished { run } => {
                cli.hint(format!("print it: `cargo fidelity report {}`", run.short()))
            }
            StoreError::Joined { .. } => cli.hint("a new run joins both: `cargo fidelity run`"),
            StoreError::ReadOnly { .. }
            | StoreError::Corrupt { .. }
            | StoreError::TooNew { .. } => cli.hint("`--store FILE` keeps runs elsewhere"),
            _ => cli,
        }
    }
}

impl From<DriveError> for CliError {
    fn from(error: DriveError) -> Self {
        match error {
            DriveError::Exec(error) => error.into(),
            DriveError::Store(error) => error.into(),
            DriveError::Diverged { .. } => Self::from_error(ErrorKind::Environment, &error)
                .hint("another version of cargo-fidelity began this run: start a new one"),
        }
    }
}

impl From<HistoryError> for CliError {
    fn from(error: HistoryError) -> Self {
        let cli = Self::from_error(ErrorKind::NoConclusion, &error);
        match &error {
            HistoryError::NoRepository { .. } => {
                cli.hint("the history is read from git: run it in a clone")
            }
            HistoryError::Bare { .. } => cli.hint("run it in a clone with a work tree"),
            HistoryError::NoCommit { .. } => cli.hint("commit first"),
            HistoryError::Outside { .. } => {
                cli.hint("name a file of the repository with `--config-file`")
            }
            HistoryError::NotTrusted { workspace } => cli.hint(format!(
                "say that it is trusted: `git config --global --add safe.directory {}`",
                workspace.display()
            )),
            HistoryError::Format { .. } => {
                cli.hint("repositories with SHA-1 objects and references in files are read")
            }
            HistoryError::Git { .. } => cli.hint("`git fsck` says what is damaged or missing"),
        }
    }
}

impl From<RangeError> for CliError {
    fn from(error: RangeError) -> Self {
        const FETCH: &str = "fetch the rest: `git fetch --unshallow`";
        let kind = match &error {
            RangeError::Unknown { .. } | RangeError::Same(_) => ErrorKind::Usage,
            _ => ErrorKind::NoConclusion,
        };
        let shallow = matches!(
            &error,
            RangeError::Unknown { shallow: true, .. }
                | RangeError::NotAncestor { shallow: true, .. }
        );
        let error = match error {
            RangeError::History(error) => return error.into(),
            error => error,
        };
        let cli = Self::from_error(kind, &error);
        match &error {
            _ if shallow => cli.hint(format!("this clone is shallow; {FETCH}")),
            RangeError::Missing { .. } => cli.hint(FETCH),
            RangeError::NotAncestor {
                base: Some(base),
                bad,
                good,
                ..
            } if base == bad => cli.hint(format!(
                "they are the wrong way round: try `--good {} --bad {}`",
                bad.short(),
                good.short()
            )),
            RangeError::NotAncestor {
                base: Some(base), ..
            } => cli.hint(format!(
                "both descend from {}: try `--good {}`",
                base.short(),
                base.short()
            )),
            RangeError::NotAncestor { base: None, .. } => {
                cli.hint("they have no commit in common: name one that is before the other")
            }
            RangeError::Unknown { .. } => cli.hint("`git log` names the commits"),
            RangeError::Same(_) => cli.hint("name an older commit with `--good`"),
            _ => cli,
        }
    }
}

/// Said where a search ends early.
const GOES_ON: &str = "what was seen is kept: the same command goes on";

impl From<WorktreeError> for CliError {
    fn from(error: WorktreeError) -> Self {
        let cli = Self::from_error(ErrorKind::NoConclusion, &error);
        match &error {
            WorktreeError::Full { .. } | WorktreeError::Io { .. } => cli
                .hint("check commits out elsewhere: `--worktrees DIRECTORY`")
                .hint(GOES_ON),
            _ => cli,
        }
    }
}

impl From<BuildError> for CliError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Worktree(error) => error.into(),
            BuildError::Suite(error @ SuiteError::Interrupted) => Self::from(error).hint(GOES_ON),
            BuildError::Suite(error) => error.into(),
            BuildError::Full { .. } => Self::from_error(ErrorKind::NoConclusion, &error)
                .hint("make room, or check commits out elsewhere: `--worktrees DIRECTORY`")
                .hint(GOES_ON),
        }
    }
}

impl From<TrialError> for CliError {
    fn from(error: TrialError) -> Self {
        match error {
            TrialError::Build(error) => error.into(),
            TrialError::Exec(error @ ExecError::Interrupted) => Self::from(error).hint(GOES_ON),
            TrialError::Exec(error) => error.into(),
            TrialError::Environment(_) => {
                Self::from_error(ErrorKind::Environment, &error).hint(GOES_ON)
            }
            TrialError::NotBuilt => Self::from_error(ErrorKind::Internal, &error),
        }
    }
}
