//! What a run is about: a cargo workspace, whose tests the tool or cargo-nextest starts, or the command of any other suite.

use std::path::{Path, PathBuf};

use fidelity_core::config::Settings;
use fidelity_core::domain::{Arm, ListedTest, Policy, Problem, RunBy, RunnerKind, Seed};
use fidelity_core::exec::command::nextest::NextestPasses;
use fidelity_core::exec::command::sources::Sources;
use fidelity_core::exec::command::{AnyCommand, CommandRunner};
use fidelity_core::exec::direct::{DirectRunner, RunnerOptions};
use fidelity_core::exec::{self, Arms};
use fidelity_core::suite::annotation::configured;
use fidelity_core::suite::nextest::Nextest;
use fidelity_core::suite::{
    BuildFingerprint, CargoOptions, Filter, RunIgnored, Suite, SuiteError, Workspace, fingerprint,
};

use super::choice::{Choice, Chosen};
use super::record::chosen;
use super::{place, prepare};
use crate::error::{CliError, ErrorKind};

/// What a run is about.
pub struct Subject {
    /// The root of the project.
    pub root: PathBuf,
    /// What runs its tests.
    pub by: RunBy,
    /// The suite; without tests until a command has reported them.
    pub suite: Suite,
    how: How,
}

enum How {
    Direct(Workspace),
    Nextest(Workspace, Box<NextestPasses>),
    Command(Box<Commanded>),
}

/// A suite that a command runs.
struct Commanded {
    command: AnyCommand,
    sources: Sources,
}

/// A runner of either kind.
pub enum Runner {
    Direct(Box<DirectRunner>),
    Command(Box<CommandRunner>),
}

impl Runner {
    pub fn arms(&mut self) -> &mut dyn Arms {
        match self {
            Self::Direct(runner) => runner.as_mut(),
            Self::Command(runner) => runner.as_mut(),
        }
    }

    pub fn as_runner(&mut self) -> &mut dyn exec::Runner {
        match self {
            Self::Direct(runner) => runner.as_mut(),
            Self::Command(runner) => runner.as_mut(),
        }
    }
}

/// What stands for the code under test where nothing does: never equal to that of another run.
const UNKNOWN: &str = "unknown-";

impl Subject {
    /// Returns the built suite of a workspace, and the tests that were chosen.
    pub fn of_workspace(
        workspace: Workspace,
        cargo: &CargoOptions,
        choice: &Choice<'_>,
    ) -> Result<(Self, Vec<ListedTest>), CliError> {
        let chosen_runner = choice.of(&workspace)?;
        let harnessless = choice.arguments.selection.include_harnessless;
        let mut suite = prepare::build(&workspace, cargo, harnessless, choice.signals)?;
        let odd = configured::say(&mut suite, &choice.settings.tests);
        suite.problems.extend(odd);
        let named = choice.arguments.profiles.compared.config_file.as_deref();
        suite.problems.extend(place::not_read(&workspace, named));
        let run_ignored = prepare::run_ignored(&choice.arguments.selection, RunIgnored::Default);
        let selected = choice.filter.select(&suite, run_ignored)?;
        match chosen_runner {
            Chosen::Direct(problem) => {
                suite.problems.extend(problem);
                let tests = chosen(&suite, &selected);
                let subject = Self {
                    root: workspace.root.clone(),
                    by: RunBy::default(),
                    suite,
                    how: How::Direct(workspace),
                };
                Ok((subject, tests))
            }
            Chosen::Nextest(nextest, reason) => {
                let built = (suite, selected);
                Self::of_nextest(workspace, (cargo, choice), (nextest, reason), built)
            }
        }
    }

    /// Returns the suite of a workspace as cargo-nextest runs it: without what its configuration leaves out.
    fn of_nextest(
        workspace: Workspace,
        (cargo, choice): (&CargoOptions, &Choice<'_>),
        (nextest, reason): (Nextest, String),
        (mut suite, mut selected): (Suite, Vec<usize>),
    ) -> Result<(Self, Vec<ListedTest>), CliError> {
        let settings = &choice.settings.runner;
        let asked_for = |at: &usize| suite.tests.get(*at).is_some_and(|test| test.ignored);
        // What is held back from `cargo test` alone, cargo-nextest has to be told to run like what is ignored.
        let run_ignored =
            match prepare::run_ignored(&choice.arguments.selection, RunIgnored::Default) {
                RunIgnored::Default if selected.iter().any(asked_for) => RunIgnored::All,
                run_ignored => run_ignored,
            };
        let how = (settings.profile.as_deref(), run_ignored);
        let list = nextest.list(&workspace, cargo, how, choice.signals.flag())?;
        let asked = selected.len();
        selected.retain(|at| {
            let test = suite.tests.get(*at);
            test.is_some_and(|test| list.tests.contains(&test.id))
        });
        if selected.is_empty() {
            let available = suite.tests.len();
            return Err(SuiteError::NothingSelected { available }.into());
        }
        suite.problems.extend(left_out(asked - selected.len()));
        let by = RunBy {
            kind: RunnerKind::Nextest,
            name: format!("cargo-nextest {}", nextest.version),
            reason,
            runs_all: false,
            everything: selected.len() == list.tests.len(),
        };
        let jobs = choice.arguments.budget.jobs;
        let passes = NextestPasses {
            nextest,
            list,
            profile: settings.profile.clone(),
            run_ignored,
            jobs: jobs.map(|jobs| jobs.get() as usize),
            timeout_ms: settings.timeout_ms,
        };
        let tests = chosen(&suite, &selected);
        let subject = Self {
            root: workspace.root.clone(),
            by,
            suite,
            how: How::Nextest(workspace, Box::new(passes)),
        };
        Ok((subject, tests))
    }

    /// Returns the suite that a command runs; `root` is the directory of the configuration.
    pub fn of_command(choice: &Choice<'_>, root: &Path) -> Result<Self, CliError> {
        let settings = &choice.settings.runner;
        if !choice.arguments.arguments.is_empty() {
            let message =
                "there are no test binaries to pass arguments to: a command runs the suite";
            return Err(CliError::new(ErrorKind::Usage, message)
                .hint("leave out what comes after `--`, or write it into `command`"));
        }
        let command = AnyCommand::find(settings, root)?;
        let mut suite = Suite::default();
        let sources = Sources::find(root, &settings.inputs, &settings.junit)?;
        if !sources.is_known() {
            suite.problems.push(Problem {
                kind: "code-unknown".to_owned(),
                message: "nothing says which files are the code under test (`inputs`), and there is no git \
                          repository: this run is joined with no other"
                    .to_owned(),
            });
        }
        let by = RunBy {
            kind: RunnerKind::Command,
            name: match &settings.directory {
                Some(directory) => format!("`{}` in {directory}", settings.command.join(" ")),
                None => format!("`{}`", settings.command.join(" ")),
            },
            reason: String::new(),
            runs_all: settings.select.is_none(),
            everything: false,
        };
        if by.runs_all {
            suite.problems.push(Problem {
                kind: "whole-passes".to_owned(),
                message: "the command cannot be told which tests to run (`select`): each pass runs the whole suite"
                    .to_owned(),
            });
        }
        Ok(Self {
            root: root.to_owned(),
            by,
            suite,
            how: How::Command(Box::new(Commanded { command, sources })),
        })
    }

    /// Returns a runner for `tests`.
    pub fn runner(&self, tests: &[ListedTest], options: RunnerOptions) -> Result<Runner, CliError> {
        let own = |workspace: &Workspace| workspace.directories();
        Ok(match &self.how {
            How::Direct(workspace) => {
                let mut runner = DirectRunner::new(&self.suite, tests, options)?;
                runner.set_checkout(own(workspace));
                Runner::Direct(Box::new(runner))
            }
            How::Nextest(workspace, passes) => {
                let passes = NextestPasses::clone(passes);
                let mut runner = passes.into_runner((&self.suite, workspace), options)?;
                runner.set_checkout(own(workspace));
                runner.set_everything(self.by.everything, tests);
                Runner::Command(Box::new(runner))
            }
            How::Command(commanded) => {
                let watch = commanded.sources.watch()?;
                let mut runner = commanded.command.clone().into_runner(options, watch)?;
                runner.set_checkout(vec![
                    self.root.clone(),
                    commanded.command.directory().to_owned(),
                ]);
                runner.set_everything(self.by.everything, tests);
                Runner::Command(Box::new(runner))
            }
        })
    }

    /// Returns whether only a first run of the command says which tests there are.
    pub fn has_to_be_asked(&self) -> bool {
        matches!(self.how, How::Command(_))
    }

    /// Has the command run once for the list of its tests, and returns those that are chosen.
    pub fn ask(
        &mut self,
        runner: &mut Runner,
        settings: &Settings,
        (filter, run_ignored): (&Filter, RunIgnored),
    ) -> Result<Vec<ListedTest>, CliError> {
        let (How::Command(commanded), Runner::Command(runner)) = (&self.how, runner) else {
            return Ok(Vec::new());
        };
        // No draw of the run: its seed is not drawn yet.
        let environment = settings.baseline.draw(Seed(0), Arm::Baseline, 0);
        let found = runner.discover(&environment).map_err(|error| {
            let error = CliError::from(error);
            match runner.printed() {
                Some(printed) => error.printed(printed),
                None => error,
            }
        })?;
        let Suite {
            binaries, tests, ..
        } = commanded.command.suite(&found.tests);
        self.suite.binaries = binaries;
        self.suite.tests = tests;
        self.suite.problems.extend(found.problems);
        let odd = configured::say(&mut self.suite, &settings.tests);
        self.suite.problems.extend(odd);
        let selected = filter.select(&self.suite, run_ignored)?;
        self.by.everything = selected.len() == self.suite.tests.len();
        let tests = chosen(&self.suite, &selected);
        runner.set_everything(self.by.everything, &tests);
        Ok(tests)
    }

    /// Returns what has to be equal for two runs to have tested the same.
    pub fn fingerprint(&self, cargo: &CargoOptions) -> Result<BuildFingerprint, CliError> {
        match &self.how {
            How::Direct(workspace) | How::Nextest(workspace, _) => {
                Ok(fingerprint(&self.suite, workspace, cargo)?)
            }
            How::Command(commanded) => Ok(BuildFingerprint {
                binaries: match commanded.sources.is_known() {
                    true => commanded.sources.fingerprint(),
                    false => format!("{UNKNOWN}{:032x}", super::record::random_bits()?),
                },
                toolchain: commanded.command.fingerprint()?,
            }),
        }
    }

    /// Fits the policy to what runs the tests: what would cost as much as the whole suite is not done for a few tests.
    pub fn fit(&self, policy: &mut Policy) {
        if self.by.runs_all {
            policy.screen.suspicious = 0;
        }
    }
}

/// Returns whether a fingerprint says that nothing stood for the code.
pub fn is_unknown(fingerprint: &str) -> bool {
    fingerprint.starts_with(UNKNOWN)
}

/// Says that cargo-nextest leaves out tests that were selected.
fn left_out(tests: usize) -> Option<Problem> {
    (0 < tests).then(|| {
        let number = if tests == 1 {
            "1 test is".to_owned()
        } else {
            format!("{tests} tests are")
        };
        Problem {
            kind: "left-out-by-nextest".to_owned(),
            message: format!(
                "{number} left out by the configuration of cargo-nextest (`default-filter`)"
            ),
        }
    })
}
