//! `cargo fidelity run`: settings, suite, knobs, plan, passes, report.

use std::path::Path;

use fidelity_core::config::Settings;
use fidelity_core::domain::{ListedTest, RunEnd, RunId, StopReason, StoredRun};
use fidelity_core::driver::{DriveError, World, drive};
use fidelity_core::exec::direct::{DirectRunner, RunnerOptions};
use fidelity_core::exec::{ExecError, Runner as _};
use fidelity_core::plan::Plan;
use fidelity_core::schedule::Scheduler;
use fidelity_core::store::{RunLog, SqliteStore, Store};
use fidelity_core::suite::{CargoOptions, Suite, SuiteError, Workspace, locate};

use super::page::{Page, conditions};
use super::place::create_store;
use super::prepare;
use super::record::{self, Facts};
use crate::cli::{Global, NoTests, RunArgs};
use crate::clock::Stopwatch;
use crate::console::Console;
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::signals::Signals;

/// What `run` works with.
struct Session<'a> {
    arguments: &'a RunArgs,
    global: &'a Global,
    console: &'a Console,
    signals: Signals,
    cargo: CargoOptions,
    workspace: Workspace,
}

/// Runs the suite under both profiles, stores what was seen, and prints it.
pub fn run(arguments: &RunArgs, global: &Global, console: &Console) -> Result<ExitCode, CliError> {
    let signals = Signals::install()
        .map_err(|error| CliError::new(ErrorKind::Internal, "could not handle signals").because(error))?;
    // Before the build, so that a mistyped verdict costs no time.
    conditions(&arguments.gate)?;
    let cargo = prepare::cargo_options(arguments, global);
    let workspace = locate(&cargo, signals.flag())?;
    let session = Session { arguments, global, console, signals, cargo, workspace };
    let settings = prepare::settings(arguments, &session.workspace.root)?;
    let suite = prepare::build(&session.workspace, &session.cargo, &session.signals)?;
    let selected = match prepare::select(arguments, &suite) {
        Err(error @ (SuiteError::NoTests { .. } | SuiteError::NothingSelected { .. }))
            if arguments.selection.no_tests == NoTests::Pass =>
        {
            console.note(&error.to_string());
            return Ok(ExitCode::Passed);
        }
        selected => selected?,
    };
    console.built(suite.binaries.len(), selected.len());
    session.compare(settings, &suite, &selected)
}

impl Session<'_> {
    /// Finds out what of the arms can be applied, and runs or resumes the comparison.
    fn compare(&self, settings: Settings, suite: &Suite, selected: &[usize]) -> Result<ExitCode, CliError> {
        let started = Stopwatch::start();
        if let Some(run) = &self.arguments.resume {
            return self.resume(run, suite, &started);
        }
        let tests = record::chosen(suite, selected);
        let mut runner = DirectRunner::new(suite, &tests, self.runner_options(&settings.policy.timeout_ms)?)?;
        let knobs = runner.apply(&settings.baseline, &settings.target, &settings.production)?;
        self.console.knobs_checked(&knobs);
        let mut store = create_store(self.global, &self.workspace.root)?;
        let facts = Facts {
            settings,
            knobs,
            suite,
            cargo: &self.cargo,
            workspace: &self.workspace,
            parallelism: self.slots(),
            seed: self.arguments.budget.seed,
        };
        let mut header = facts.header()?;
        let joined = record::joinable(&store, &header)?;
        header.joined = joined.iter().map(|run| run.header.id).collect();
        let tests = record::with_joined(tests, &joined);
        runner.set_tests(suite, &tests);
        let plan = Plan { tests: tests.clone(), policy: header.policy.clone(), seed: header.seed };
        if self.arguments.dry_run {
            self.console.print(&record::describe(&header, &plan, &self.console.style()))?;
            return Ok(ExitCode::Passed);
        }
        let mut log = store.create_run(&header, &tests)?;
        let run = StoredRun { header, tests, passes: Vec::new(), end: None };
        let scheduler = Scheduler::new(plan, &joined);
        drop(joined);
        self.sample(run, scheduler, &mut runner, log.as_mut(), &started)
            .and_then(|id| self.print(&store, id))
    }

    /// Goes on with a run that was cut short.
    fn resume(&self, prefix: &str, suite: &Suite, started: &Stopwatch) -> Result<ExitCode, CliError> {
        let mut store = create_store(self.global, &self.workspace.root)?;
        let id = store.find_run(prefix)?;
        let (run, mut log) = store.resume_run(id)?;
        record::check_unchanged(&run, suite, &self.workspace, &self.cargo)?;
        let mut runner =
            DirectRunner::new(suite, &run.tests, self.runner_options(&run.header.policy.timeout_ms)?)?;
        // The machine may have changed; what was applied must not.
        let knobs = runner.apply(&run.header.baseline, &run.header.target, &Default::default())?;
        record::check_knobs(&run, &knobs)?;
        let joined: Vec<StoredRun> =
            run.header.joined.iter().map(|id| store.load(*id)).collect::<Result<_, _>>()?;
        let plan = Plan {
            tests: run.tests.clone(),
            policy: run.header.policy.clone(),
            seed: run.header.seed,
        };
        let scheduler = Scheduler::new(plan, &joined);
        drop(joined);
        self.console.note(&format!("resuming run {} after {} passes", id.short(), run.passes.len()));
        let id = self.sample(run, scheduler, &mut runner, log.as_mut(), started)?;
        self.print(&store, id)
    }

    /// Runs passes until the scheduler has enough, and closes the run.
    fn sample(
        &self,
        run: StoredRun,
        mut scheduler: Scheduler,
        runner: &mut DirectRunner,
        log: &mut dyn RunLog,
        started: &Stopwatch,
    ) -> Result<RunId, CliError> {
        let StoredRun { header, passes, end, .. } = run;
        let before_ms = end.map_or(0, |end| end.wall_ms);
        let mut progress = self.console.progress(&header);
        let mut world = World { runner, log, observer: &mut progress, clock: started };
        let ended = drive(&mut scheduler, &header, passes, &mut world);
        progress.finish();
        let stop = match ended {
            Ok(stop) => stop,
            Err(DriveError::Exec(error @ (ExecError::BinaryChanged { .. } | ExecError::GuardianLost(_)))) => {
                StopReason::Environment { reason: error.to_string() }
            }
            Err(error) => return Err(error.into()),
        };
        let verdicts = scheduler.verdicts();
        let verdicts: Vec<_> =
            verdicts.findings.iter().map(|finding| (finding.test, finding.verdict.clone())).collect();
        let wall_ms = before_ms + fidelity_core::driver::Clock::elapsed_ms(started);
        log.end_run(&RunEnd { stop, wall_ms }, &verdicts)?;
        Ok(header.id)
    }

    /// Prints the stored run.
    fn print(&self, store: &SqliteStore, id: RunId) -> Result<ExitCode, CliError> {
        let page = Page::load(store, id)?;
        let code = page.print(conditions(&self.arguments.gate)?, self.global, self.console)?;
        if let Some(StopReason::Environment { reason }) = page.run.end.map(|end| end.stop) {
            return Err(CliError::new(ErrorKind::Environment, reason)
                .hint(format!("what was seen until then is kept: `cargo fidelity report {}`", id.short())));
        }
        Ok(code)
    }

    fn slots(&self) -> u32 {
        let cpus = || std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u32);
        self.arguments.budget.jobs.map_or_else(cpus, |jobs| jobs.get())
    }

    fn runner_options(&self, timeout_ms: &u64) -> Result<RunnerOptions, CliError> {
        let wake = self.signals.wake().try_clone_to_owned().map_err(|error| {
            CliError::new(ErrorKind::Internal, "could not watch for signals").because(error)
        })?;
        Ok(RunnerOptions {
            helper: RunnerOptions::this_executable(),
            slots: self.slots() as usize,
            timeout_ms: *timeout_ms,
            arguments: self.arguments.arguments.iter().map(Into::into).collect(),
            wake: Some(wake),
            parent: None,
        })
    }
}
