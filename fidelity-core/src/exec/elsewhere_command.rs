//! Suites that a command runs, on systems where nothing can be: everything says so.

use std::path::{Path, PathBuf};

use super::elsewhere::direct::{DirectRunner, RunnerOptions};
use crate::domain::{Environment, ListedTest, Problem, RunnerSettings, TestId};
use crate::exec::ExecError;
use crate::suite::Suite;

fn not_supported() -> ExecError {
    ExecError::NotSupported("running a command needs Unix processes".to_owned())
}

/// Why a command cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The runner could not be made.
    #[error(transparent)]
    Exec(#[from] ExecError),
}

/// A command that writes JUnit; not here.
#[derive(Clone, Debug)]
pub struct AnyCommand {
    _private: (),
}

impl AnyCommand {
    /// Answers that it is not supported.
    ///
    /// # Errors
    /// Always.
    pub fn find(_settings: &RunnerSettings, _root: &Path) -> Result<Self, CommandError> {
        Err(not_supported().into())
    }

    /// Returns where it runs.
    pub fn directory(&self) -> &Path {
        Path::new("")
    }

    /// Returns nothing: there is no command.
    pub fn suite(&self, _tests: &[TestId]) -> Suite {
        Suite::default()
    }

    /// Returns nothing: there is no program.
    ///
    /// # Errors
    /// Never.
    pub fn fingerprint(&self) -> Result<String, sources::SourcesError> {
        Ok(String::new())
    }

    /// Answers that it is not supported.
    ///
    /// # Errors
    /// Always.
    pub fn into_runner(
        self,
        _options: RunnerOptions,
        _watch: sources::Watch,
    ) -> Result<CommandRunner, CommandError> {
        Err(not_supported().into())
    }
}

/// A suite as a first pass of its command reports it.
#[derive(Debug, Default)]
pub struct Discovered {
    /// The tests, sorted.
    pub tests: Vec<TestId>,
    /// What should be known of it.
    pub problems: Vec<Problem>,
}

/// Runs a suite by a command; not here.
pub type CommandRunner = DirectRunner;

impl DirectRunner {
    /// Changes nothing: there is no command.
    pub fn set_everything(&mut self, _everything: bool, _listed: &[ListedTest]) {}

    /// Answers that it is not supported.
    ///
    /// # Errors
    /// Always.
    pub fn discover(&mut self, _environment: &Environment) -> Result<Discovered, ExecError> {
        Err(not_supported())
    }

    /// Returns nothing: nothing was printed.
    pub fn printed(&self) -> Option<&str> {
        None
    }
}

/// cargo-nextest as the command of a suite; not here.
pub mod nextest {
    use super::{CommandRunner, ExecError, RunnerOptions, Suite, not_supported};
    use crate::suite::nextest::{Nextest, NextestList};
    use crate::suite::{RunIgnored, Workspace};

    /// How cargo-nextest is asked to run.
    #[derive(Clone, Debug)]
    pub struct NextestPasses {
        /// The tool.
        pub nextest: Nextest,
        /// What it needs.
        pub list: NextestList,
        /// Its profile.
        pub profile: Option<String>,
        /// What of ignored tests is run.
        pub run_ignored: RunIgnored,
        /// How many tests run at a time.
        pub jobs: Option<usize>,
        /// How long a pass may take.
        pub timeout_ms: Option<u64>,
    }

    impl NextestPasses {
        /// Answers that it is not supported.
        ///
        /// # Errors
        /// Always.
        pub fn into_runner(
            self,
            _built: (&Suite, &Workspace),
            _options: RunnerOptions,
        ) -> Result<CommandRunner, ExecError> {
            Err(not_supported())
        }
    }
}

/// The code under test of a command; not here.
pub mod sources {
    use super::{Path, PathBuf};

    /// The files that stand for the code.
    #[derive(Clone, Debug, Default)]
    pub struct Sources;

    /// Looks after the code under test; not here.
    #[derive(Debug, Default)]
    pub struct Watch;

    /// Why the files could not be found.
    #[derive(Debug, thiserror::Error)]
    pub enum SourcesError {
        /// A pattern is none.
        #[error("`{pattern}` of `inputs` is no pattern")]
        Pattern {
            /// The pattern.
            pattern: String,
        },
        /// No file matches any of the patterns.
        #[error("`inputs` names no file")]
        Nothing,
        /// The repository cannot be read.
        #[error("could not read the git repository of {}", root.display())]
        Git {
            /// The directory.
            root: PathBuf,
        },
        /// A file cannot be read.
        #[error("could not read {}", path.display())]
        Io {
            /// The file.
            path: PathBuf,
        },
    }

    impl Sources {
        /// Returns nothing.
        ///
        /// # Errors
        /// Never.
        pub fn find(_: &Path, _: &[String], _: &[String]) -> Result<Self, SourcesError> {
            Ok(Self)
        }

        /// Returns that nothing stands for the code.
        pub fn is_known(&self) -> bool {
            false
        }

        /// Returns nothing.
        pub fn fingerprint(&self) -> String {
            String::new()
        }

        /// Returns what looks after nothing.
        ///
        /// # Errors
        /// Never.
        pub fn watch(&self) -> Result<Watch, SourcesError> {
            Ok(Watch)
        }
    }
}
