//! `cargo fidelity run`: settings, suite, knobs, plan, passes, report.

use std::collections::BTreeMap;

use fidelity_core::config::Settings;
use fidelity_core::domain::{Policy, RunEnd, RunId, StopReason, StoredRun};
use fidelity_core::driver::{Clock, DriveError, World, drive};
use fidelity_core::exec::ExecError;
use fidelity_core::exec::direct::{DirectRunner, RunnerOptions};
use fidelity_core::plan::Plan;
use fidelity_core::report::plan;
use fidelity_core::schedule::Scheduler;
use fidelity_core::store::{RunLog, SqliteStore, Store};
use fidelity_core::suite::{CargoOptions, Suite, SuiteError, Workspace, locate};

use super::output::{Follower, print, style};
use super::page::{Page, conditions};
use super::place::create_store;
use super::prepare;
use super::record::{self, Facts};
use crate::cli::{Format, Global, NoTests, RunArgs};
use crate::clock::Stopwatch;
use crate::console::BuiltSuite;
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::signals::Signals;

/// What `run` works with.
struct Session<'a> {
    arguments: &'a RunArgs,
    global: &'a Global,
    signals: Signals,
    cargo: CargoOptions,
    workspace: Workspace,
    follower: Follower,
    started: Stopwatch,
    /// How many test binaries there are.
    binaries: usize,
}

/// Runs the suite under both profiles, stores what was seen, and prints it.
pub fn run(arguments: &RunArgs, global: &Global) -> Result<ExitCode, CliError> {
    let signals = Signals::install().map_err(|error| {
        CliError::new(ErrorKind::Internal, "could not handle signals").caused_by(&error)
    })?;
    // Before the build, so that a mistyped verdict or expression costs no time.
    conditions(&arguments.gate)?;
    let expressions = prepare::filtersets(arguments)?;
    let cargo = prepare::cargo_options(arguments, global);
    let workspace = locate(&cargo, signals.flag())?;
    let settings = prepare::settings(arguments, &workspace.root)?;
    let mut follower = Follower::new(global);
    follower.console().build_started();
    let harnessless = arguments.selection.include_harnessless;
    let built = prepare::build(&workspace, &cargo, harnessless, &signals).and_then(|suite| {
        let selected = prepare::select(arguments, expressions, &suite)?;
        Ok((suite, selected))
    });
    let (suite, selected) = match built {
        Err(
            error @ (SuiteError::NoBinaries
            | SuiteError::NoTests { .. }
            | SuiteError::NothingSelected { .. }),
        ) if arguments.selection.no_tests == NoTests::Pass => {
            follower.console().note(&error.to_string());
            return Ok(ExitCode::Passed);
        }
        built => built?,
    };
    let mut session = Session {
        arguments,
        global,
        signals,
        cargo,
        workspace,
        follower,
        started: Stopwatch::start(),
        binaries: suite.binaries.len(),
    };
    match &arguments.resume {
        Some(run) => session.resume(run, &settings, &suite),
        None => session.compare(settings, &suite, &selected),
    }
}

impl Session<'_> {
    /// Finds out what of the arms can be applied, and makes a new run.
    fn compare(
        &mut self,
        mut settings: Settings,
        suite: &Suite,
        selected: &[usize],
    ) -> Result<ExitCode, CliError> {
        let mut tests = record::chosen(suite, selected);
        let options = self.runner_options(&settings.policy, self.slots())?;
        let mut runner = DirectRunner::new(suite, &tests, options)?;
        runner.set_checkout(self.workspace.directories());
        let knobs = runner.apply(&settings.baseline, &settings.target, &settings.production)?;
        self.follower.console().knobs_checked(&knobs);
        record::narrow(&mut settings, &runner);
        record::set_terms(&mut tests, suite, &mut settings, &knobs);
        let mut store = create_store(self.global, &self.workspace.root)?;
        let mut header = Facts {
            settings,
            knobs,
            suite,
            cargo: &self.cargo,
            workspace: &self.workspace,
            parallelism: self.slots(),
            arguments: self.arguments,
        }
        .header()?;
        let joined = record::joinable(&store, &header)?;
        header.joined = joined.iter().map(|run| run.header.id).collect();
        let mut tests = record::with_joined(tests, &joined);
        record::look_back(&store, &mut header, &mut tests)?;
        runner.set_tests(suite, &tests);
        let plan = Plan {
            tests: tests.clone(),
            policy: header.policy.clone(),
            seed: header.seed,
        };
        if self.arguments.dry_run {
            let text = match self.global.format {
                Format::Human => plan::render(&header, &plan, &style(self.global)),
                Format::Json => plan::render_json(&header, &plan),
            };
            print(&text)?;
            return Ok(ExitCode::Passed);
        }
        if let Some(words) = plan::screened_harder(&header, &tests) {
            self.follower.console().note(&words);
        }
        let mut log = store.create_run(&header, &tests)?;
        let run = StoredRun {
            header,
            tests,
            passes: Vec::new(),
            end: None,
        };
        let scheduler = Scheduler::new(plan, &joined);
        drop(joined);
        let id = self.sample(run, scheduler, &mut runner, log.as_mut())?;
        drop(log);
        self.print(&store, id)
    }

    /// Goes on with a run that was cut short.
    fn resume(
        &mut self,
        prefix: &str,
        settings: &Settings,
        suite: &Suite,
    ) -> Result<ExitCode, CliError> {
        let mut store = create_store(self.global, &self.workspace.root)?;
        let id = store.find_run(prefix)?;
        let (mut run, mut log) = store.resume_run(id)?;
        record::restore_users(&mut run, settings)?;
        record::check_unchanged(&run, suite, &self.workspace, &self.cargo)?;
        record::check_conditions(&run, self.arguments)?;
        let header = &run.header;
        let options = self.runner_options(&header.policy, header.parallelism)?;
        let mut runner = DirectRunner::new(suite, &run.tests, options)?;
        runner.set_checkout(self.workspace.directories());
        // The machine may have changed; what was applied must not.
        let knobs = runner.apply(&header.baseline, &header.target, &BTreeMap::new())?;
        record::check_knobs(&run, &knobs, &runner)?;
        let joined = header.joined.iter().map(|id| store.load(*id));
        let joined: Vec<StoredRun> = joined.collect::<Result<_, _>>()?;
        let plan = Plan {
            tests: run.tests.clone(),
            policy: header.policy.clone(),
            seed: header.seed,
        };
        let scheduler = Scheduler::new(plan, &joined);
        drop(joined);
        // The last one may have been cut short.
        let ended = run.passes.iter().filter(|pass| pass.end.is_some()).count();
        let done = format!("resuming run {} after {ended} complete passes", id.short());
        self.follower.console().note(&done);
        let id = self.sample(run, scheduler, &mut runner, log.as_mut())?;
        drop(log);
        self.print(&store, id)
    }

    /// Runs passes until the scheduler has enough, and closes the run.
    fn sample(
        &mut self,
        run: StoredRun,
        mut scheduler: Scheduler,
        runner: &mut DirectRunner,
        log: &mut dyn RunLog,
    ) -> Result<RunId, CliError> {
        let StoredRun {
            header,
            tests,
            passes,
            end,
        } = run;
        // A run that was killed has no end to tell its time, but its passes tell theirs.
        let in_passes = passes.iter().filter_map(|pass| pass.end.as_ref());
        let in_passes_ms = in_passes.map(|(_, elapsed_ms)| elapsed_ms).sum();
        let before_ms = end.map_or(in_passes_ms, |end| end.wall_ms.max(in_passes_ms));
        self.follower.console().built(&BuiltSuite {
            tests: &tests,
            binaries: self.binaries,
            baseline: &header.baseline.name,
            target: &header.target.name,
        });
        let mut world = World {
            runner,
            log,
            observer: &mut self.follower,
            clock: &self.started,
        };
        let ended = drive(&mut scheduler, &header, passes, &mut world);
        self.follower.console().finished();
        let stop = match ended {
            Ok(stop) => stop,
            Err(DriveError::Exec(
                error @ (ExecError::BinaryChanged { .. } | ExecError::GuardianLost(_)),
            )) => StopReason::Environment {
                reason: error.to_string(),
            },
            Err(error) => return Err(error.into()),
        };
        let findings = scheduler.verdicts().findings.into_iter();
        let verdicts: Vec<_> = findings
            .map(|finding| (finding.test, finding.verdict))
            .collect();
        let wall_ms = before_ms + self.started.elapsed_ms();
        log.end_run(&RunEnd { stop, wall_ms }, &verdicts)?;
        Ok(header.id)
    }

    /// Prints the stored run.
    fn print(&self, store: &SqliteStore, id: RunId) -> Result<ExitCode, CliError> {
        let page = Page::load(store, id)?;
        let code = page.print(conditions(&self.arguments.gate)?, self.global)?;
        match page.run.end.map(|end| end.stop) {
            Some(StopReason::Environment { reason }) => {
                let kept = format!(
                    "what was seen is kept: `cargo fidelity report {}`",
                    id.short()
                );
                Err(CliError::new(ErrorKind::Environment, reason).hint(kept))
            }
            Some(StopReason::Interrupted) => Ok(ExitCode::Interrupted),
            _ => Ok(code),
        }
    }

    fn slots(&self) -> u32 {
        let cpus = || std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let jobs = self.arguments.budget.jobs.map(std::num::NonZeroU32::get);
        jobs.unwrap_or_else(|| u32::try_from(cpus()).unwrap_or(u32::MAX))
    }

    fn runner_options(&self, policy: &Policy, slots: u32) -> Result<RunnerOptions, CliError> {
        let wake = self.signals.wake().try_clone_to_owned().map_err(|error| {
            CliError::new(ErrorKind::Internal, "could not watch for signals").caused_by(&error)
        })?;
        Ok(RunnerOptions {
            helper: RunnerOptions::this_executable(),
            slots: slots as usize,
            timeout_ms: policy.timeout_ms,
            arguments: self.arguments.arguments.iter().map(Into::into).collect(),
            wake: Some(wake),
            parent: None,
        })
    }
}
