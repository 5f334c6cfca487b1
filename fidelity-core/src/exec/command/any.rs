//! Any command that writes JUnit: what the configuration says, filled in for each pass.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use super::reports::Patterns;
use super::sources::{self, SourcesError, Watch};
use super::words::{self, Blanks};
use super::{Call, CommandRunner, Manners, Only, Prepared, Tool, select};
use crate::domain::{BinaryId, KnobId, KnobValue, RunnerSettings, TestId};
use crate::exec::ExecError;
use crate::exec::direct::{RunnerOptions, find_program};
use crate::ingest::naming::{Rule, Rules};
use crate::suite::{Suite, TestBinary};

/// Why a command cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The directory is not there.
    #[error("the directory {} of the command is not there", .0.display())]
    NoDirectory(PathBuf),
    /// There is no such program.
    #[error("there is no program `{0}`")]
    NoProgram(String),
    /// It refers to what is not there.
    #[error("the command cannot be filled in: {0}")]
    NotFilled(String),
    /// The runner could not be made.
    #[error(transparent)]
    Exec(#[from] ExecError),
}

/// A command that writes JUnit.
#[derive(Clone, Debug)]
pub struct AnyCommand {
    settings: RunnerSettings,
    directory: PathBuf,
    variables: Vec<(OsString, OsString)>,
    /// Where the program is.
    program: PathBuf,
}

impl AnyCommand {
    /// Finds out where the command of `settings` runs, and whether it is there. `root` is the directory of the configuration.
    ///
    /// # Errors
    /// [`CommandError::NoDirectory`], [`CommandError::NoProgram`], [`CommandError::NotFilled`].
    pub fn find(settings: &RunnerSettings, root: &Path) -> Result<Self, CommandError> {
        let directory = root.join(settings.directory.as_deref().unwrap_or_default());
        if !directory.is_dir() {
            return Err(CommandError::NoDirectory(directory));
        }
        let variables: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        let name = settings.command.first().cloned().unwrap_or_default();
        let filled = words::fill(
            std::slice::from_ref(&name),
            &Blanks {
                directory: "",
                port: None,
                select: &[],
                variable: &variable,
            },
        );
        let filled = filled.map_err(CommandError::NotFilled)?;
        let program = filled.command.first().cloned().unwrap_or_default();
        let path = variables.iter().find(|(name, _)| name == "PATH");
        let found = find_program(&program, path.map(|(_, path)| path.as_os_str()));
        // A program with a path is looked for from where it starts.
        let found = directory.join(found);
        if !found.is_file() {
            return Err(CommandError::NoProgram(name));
        }
        Ok(Self {
            settings: settings.clone(),
            directory,
            variables,
            program: found,
        })
    }

    /// Returns where it runs.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the hash of its program in hexadecimal: another interpreter or script is another toolchain.
    ///
    /// # Errors
    /// [`SourcesError::Io`].
    pub fn fingerprint(&self) -> Result<String, SourcesError> {
        let hash = sources::contents(&self.program)?.unwrap_or_default();
        Ok(blake3::Hash::from_bytes(hash).to_hex().to_string())
    }

    /// Returns the suite of these tests, each of which belongs to the binary that its report says.
    pub fn suite(&self, tests: &[TestId]) -> Suite {
        let mut suite = Suite::default();
        for id in tests {
            if suite
                .binaries
                .last()
                .is_none_or(|binary| binary.id != id.binary)
            {
                suite.binaries.push(self.binary(id.binary.clone()));
            }
            suite.tests.push(crate::suite::SuiteTest {
                id: id.clone(),
                binary: suite.binaries.len() - 1,
                ignored: false,
                annotation: None,
                held_back: Default::default(),
            });
        }
        suite
    }

    /// Returns the arguments that select these tests; none where they cannot be named, so that all are run.
    fn selection(&self, only: &Only<'_>) -> Option<Vec<String>> {
        let select = self.settings.select.as_ref()?;
        // A test that no report has named yet cannot be selected by name.
        let named: Option<Vec<_>> = only.iter().map(|(_, named)| *named).collect();
        let exists = |path: &str| self.directory.join(path).is_file();
        select::arguments(select, &named?, &exists)
    }

    /// Returns the rules by which tests are named.
    fn rules(&self) -> Rules {
        let off = self.settings.keep_names.iter();
        off.filter_map(|word| Rule::named(word))
            .fold(Rules::default(), Rules::without)
    }

    fn binary(&self, id: BinaryId) -> TestBinary {
        TestBinary {
            package: id.0.clone(),
            target: id.0.clone(),
            id,
            kind: "command".to_owned(),
            path: self.program.clone(),
            directory: self.directory.clone(),
            environment: self.variables.clone(),
            runner: Vec::new(),
            says_result: false,
            own_harness: true,
            lists: false,
        }
    }

    /// Returns a runner of the command. `watch` looks after the code under test.
    ///
    /// # Errors
    /// [`CommandError::Exec`].
    pub fn into_runner(
        self,
        options: RunnerOptions,
        watch: Watch,
    ) -> Result<CommandRunner, CommandError> {
        let ground = Suite {
            binaries: vec![self.binary(BinaryId("the command".to_owned()))],
            ..Suite::default()
        };
        let timeout_ms = self.settings.timeout_ms;
        let limits = (timeout_ms, watch);
        Ok(CommandRunner::new(
            Box::new(self),
            (&ground, options),
            limits,
        )?)
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Says why a knob cannot be imposed on a command.
fn refuses(knob: &KnobId, _value: &KnobValue) -> Option<String> {
    let how = match knob.0.as_str() {
        "order" => "starts its tests in an order of its own",
        "threads" => "says itself how many tests run at a time",
        "process" => "says itself which tests share a process",
        _ => return None,
    };
    Some(format!("the command {how}"))
}

impl Tool for AnyCommand {
    fn prepare(&self, call: &Call<'_>) -> Result<Prepared, String> {
        let select = call.only.and_then(|only| self.selection(only));
        let command = &self.settings.command;
        // Nobody holds the port until the command takes it, as with every port that is handed on.
        let listener = words::wants_port(command).then(|| TcpListener::bind("127.0.0.1:0"));
        let listener = listener
            .transpose()
            .map_err(|error| format!("no TCP port is free: {error}"))?;
        let port = listener.and_then(|listener| listener.local_addr().ok());
        let filled = words::fill(
            command,
            &Blanks {
                directory: &call.reports.to_string_lossy(),
                port: port.map(|address| address.port()),
                select: &select.unwrap_or_default(),
                variable: &variable,
            },
        )?;
        Ok(Prepared {
            command: filled.command,
            secrets: filled.secrets,
            patterns: Patterns::new(&self.settings.junit, &self.directory, call.reports),
            rules: self.rules(),
        })
    }

    fn manners(&self) -> Manners {
        Manners {
            refuses,
            check: self.settings.check.iter().map(OsString::from).collect(),
            writable: Vec::new(),
        }
    }

    fn selects(&self) -> bool {
        self.settings.select.is_some()
    }

    fn selects_these(&self, only: &Only<'_>) -> bool {
        self.selection(only).is_some()
    }

    fn check_in_words(&self) -> String {
        self.settings.check.join(" ")
    }

    fn place(&self) -> (&Path, &[(OsString, OsString)]) {
        (&self.directory, &self.variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RunnerKind;

    #[test]
    fn what_a_command_decides_is_refused() {
        let value = KnobValue::Text("shared".to_owned());
        for knob in RunnerKind::Command.decides() {
            assert!(refuses(&KnobId::from(*knob), &value).is_some(), "{knob}");
        }
    }
}
