//! `cargo fidelity run`: settings, suite, knobs, plan, passes, report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use fidelity_core::config::Settings;
use fidelity_core::domain::{
    FidelityProfile, ListedTest, Policy, RunEnd, RunHeader, RunId, StopReason, StoredRun,
};
use fidelity_core::driver::{Clock, DriveError, World, drive};
use fidelity_core::exec::ExecError;
use fidelity_core::exec::direct::RunnerOptions;
use fidelity_core::plan::Plan;
use fidelity_core::report::plan;
use fidelity_core::schedule::Scheduler;
use fidelity_core::store::{RunLog, SqliteStore, Store};
use fidelity_core::suite::{CargoOptions, Filter, RunIgnored, Workspace, locate};

use super::choice::Choice;
use super::laboratory::AfterRun;
use super::output::{Follower, no_tests, print, style};
use super::page::{Page, conditions};
use super::place::create_store;
use super::prepare;
use super::record::{self, Facts};
use super::resuming;
use super::subject::{Runner, Subject};
use crate::cli::{Format, Global, RunArgs};
use crate::clock::Stopwatch;
use crate::console::BuiltSuite;
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::signals::Signals;

/// Returns the profiles of a run that is about to be made.
fn profiles(run: &StoredRun) -> [FidelityProfile; 2] {
    [run.header.baseline.clone(), run.header.target.clone()]
}

/// What `run` works with.
struct Session<'a> {
    arguments: &'a RunArgs,
    global: &'a Global,
    signals: &'a Signals,
    cargo: CargoOptions,
    subject: Subject,
    follower: &'a mut Follower,
    started: Stopwatch,
}

/// Where a suite is that is to be run.
enum Place {
    /// A cargo workspace.
    Workspace(Workspace),
    /// A project whose suite a command runs.
    Project(PathBuf),
}

/// Runs the suite under both profiles, stores what was seen, and prints it.
pub fn run(arguments: &RunArgs, global: &Global) -> Result<ExitCode, CliError> {
    let signals = Signals::install()?;
    let mut follower = Follower::new(global);
    match ask_and_run((arguments, global), &signals, &mut follower) {
        Err(error) if error.kind == ErrorKind::NoTests => {
            no_tests(arguments.selection.no_tests, error, global)?;
            Ok(ExitCode::Passed)
        }
        ended => ended,
    }
}

fn ask_and_run(
    (arguments, global): (&RunArgs, &Global),
    signals: &Signals,
    follower: &mut Follower,
) -> Result<ExitCode, CliError> {
    // Before the build, so that a mistyped verdict or expression costs no time.
    conditions(&arguments.gate)?;
    let expressions = arguments.selection.filtersets.parse()?;
    let cargo = prepare::cargo_options(arguments, global);
    let (place, mut settings) = match prepare::command_settings(arguments)? {
        Some((root, settings)) => (Place::Project(root), settings),
        None => {
            let workspace = locate(&cargo, signals.flag())?;
            let settings = prepare::settings(arguments, &workspace.root)?;
            (Place::Workspace(workspace), settings)
        }
    };
    let root = match &place {
        Place::Workspace(workspace) => &workspace.root,
        Place::Project(root) => root,
    };
    let filter = prepare::asked_for((&arguments.selection, global), expressions, root)?;
    let choice = Choice {
        arguments,
        settings: &settings,
        signals,
        filter: &filter,
    };
    let (subject, tests) = match place {
        Place::Project(root) => (Subject::of_command(&choice, &root)?, Vec::new()),
        Place::Workspace(workspace) => {
            follower.console().build_started();
            Subject::of_workspace(workspace, &cargo, &choice)?
        }
    };
    subject.fit(&mut settings.policy);
    let mut session = Session {
        arguments,
        global,
        signals,
        cargo,
        subject,
        follower,
        started: Stopwatch::start(),
    };
    match &arguments.resume {
        Some(run) => session.resume(run, &settings),
        None => session.compare(settings, tests, &filter),
    }
}

impl Session<'_> {
    /// Finds out what of the arms can be applied, and makes a new run.
    fn compare(
        &mut self,
        mut settings: Settings,
        tests: Vec<ListedTest>,
        filter: &Filter,
    ) -> Result<ExitCode, CliError> {
        let options = self.runner_options(&settings.policy, self.slots())?;
        let mut runner = self.subject.runner(&tests, options)?;
        let knobs =
            runner
                .arms()
                .apply(&settings.baseline, &settings.target, &settings.production)?;
        self.follower.console().knobs_checked(&knobs);
        record::narrow(&mut settings, runner.arms());
        let mut tests = if self.subject.has_to_be_asked() {
            let note = "the command runs once for the list of its tests; what comes of them does not count";
            self.follower.console().note(note);
            let run_ignored = prepare::run_ignored(&self.arguments.selection, RunIgnored::Default);
            let wanted = (filter, run_ignored);
            self.subject.ask(&mut runner, &settings, wanted)?
        } else {
            tests
        };
        record::set_terms(&mut tests, &self.subject.suite, &mut settings, &knobs);
        let mut store = create_store(self.global, &self.subject.root)?;
        let mut header = Facts {
            settings,
            knobs,
            subject: &self.subject,
            cargo: &self.cargo,
            parallelism: self.slots(),
            arguments: self.arguments,
        }
        .header()?;
        let joined = record::joinable(&store, &header)?;
        header.joined = joined.iter().map(|run| run.header.id).collect();
        let mut tests = record::with_joined(tests, &joined);
        record::look_back(&store, &mut header, &mut tests)?;
        runner.arms().set_tests(&self.subject.suite, &tests);
        let plan = Plan {
            tests: tests.clone(),
            policy: header.policy.clone(),
            seed: header.seed,
        };
        if self.arguments.dry_run {
            return self.print_plan(&header, &plan);
        }
        if let Some(words) = plan::screened_harder(&header, &tests) {
            self.follower.console().note(&words);
        }
        let mut log = store.create_run(&header, &tests)?;
        let run = StoredRun {
            header,
            tests: tests.into(),
            passes: Vec::new(),
            end: None,
        };
        let scheduler = scheduler(plan, &run, &joined);
        drop(joined);
        let profiles = profiles(&run);
        let id = self.sample(run, scheduler, &mut runner, log.as_mut())?;
        drop(log);
        self.conclude(id, profiles, (&mut runner, &mut store))
    }

    /// Goes on with a run that was cut short.
    fn resume(&mut self, prefix: &str, settings: &Settings) -> Result<ExitCode, CliError> {
        let mut store = create_store(self.global, &self.subject.root)?;
        let id = store.find_run(prefix)?;
        let (mut run, mut log) = store.resume_run(id)?;
        if run.header.ingested {
            let message = format!("run {} was ingested: there is nothing to run", id.short());
            return Err(CliError::new(ErrorKind::Usage, message).hint(
                "give the files to `cargo fidelity ingest` again: what is there already is skipped",
            ));
        }
        resuming::restore_users(&mut run, settings)?;
        resuming::check_unchanged(&run, &self.subject, &self.cargo)?;
        resuming::check_conditions(&run, self.arguments)?;
        let header = &run.header;
        let options = self.runner_options(&header.policy, header.parallelism)?;
        self.subject.by = header.runner.clone();
        let mut runner = self.subject.runner(&run.tests, options)?;
        // The machine may have changed; what was applied must not.
        let arms = runner.arms();
        let knobs = arms.apply(&header.baseline, &header.target, &BTreeMap::new())?;
        resuming::check_knobs(&run, &knobs, arms)?;
        arms.set_tests(&self.subject.suite, &run.tests);
        let joined = store.load_all(&header.joined)?;
        let plan = Plan {
            tests: run.tests.to_vec(),
            policy: header.policy.clone(),
            seed: header.seed,
        };
        let scheduler = scheduler(plan, &run, &joined);
        drop(joined);
        // The last one may have been cut short.
        let ended = run.passes.iter().filter(|pass| pass.end.is_some()).count();
        let done = format!("resuming run {} after {ended} complete passes", id.short());
        self.follower.console().note(&done);
        let profiles = profiles(&run);
        let id = self.sample(run, scheduler, &mut runner, log.as_mut())?;
        drop(log);
        self.conclude(id, profiles, (&mut runner, &mut store))
    }

    /// Runs passes until the scheduler has enough, and closes the run.
    fn sample(
        &mut self,
        run: StoredRun,
        mut scheduler: Scheduler,
        runner: &mut Runner,
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
        let before_ms = end
            .as_ref()
            .map_or(in_passes_ms, |end| end.wall_ms.max(in_passes_ms));
        let mut problems = end.map_or_else(Vec::new, |end| end.problems);
        // A command that goes on is not asked for its suite again: the list says it.
        let binaries: BTreeSet<_> = tests.iter().map(|test| &test.id.binary).collect();
        self.follower.console().built(&BuiltSuite {
            tests: &tests,
            binaries: binaries.len(),
            baseline: &header.baseline.name,
            target: &header.target.name,
        });
        let mut world = World {
            runner: runner.as_runner(),
            log,
            observer: self.follower,
            clock: &self.started,
        };
        let ended = drive(&mut scheduler, &header, passes, &mut world);
        self.follower.console().finished();
        let stop = match ended {
            Ok(stop) => stop,
            Err(DriveError::Exec(
                error @ (ExecError::BinaryChanged { .. }
                | ExecError::SourceChanged { .. }
                | ExecError::GuardianLost(_)),
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
        problems.extend(runner.arms().remarks());
        problems.sort();
        problems.dedup();
        let end = RunEnd {
            stop,
            wall_ms,
            problems,
        };
        log.end_run(&end, &verdicts)?;
        Ok(header.id)
    }

    /// Prints what would be done.
    fn print_plan(&self, header: &RunHeader, plan: &Plan) -> Result<ExitCode, CliError> {
        print(&match self.global.format {
            Format::Json => plan::render_json(header, plan),
            _ => plan::render(header, plan, &style(self.global)),
        })?;
        Ok(ExitCode::Passed)
    }

    /// Looks into causes, and prints the run.
    fn conclude(
        &mut self,
        id: RunId,
        arms: [FidelityProfile; 2],
        (runner, store): (&mut Runner, &mut SqliteStore),
    ) -> Result<ExitCode, CliError> {
        let stopped = self.attribute(id, arms, (&mut *runner, &mut *store))?;
        let code = self.print(store, id, runner)?;
        Ok(if stopped { ExitCode::Interrupted } else { code })
    }

    /// Looks into what causes the hidden defects, as far as was asked for; returns whether the user interrupted it.
    fn attribute(
        &mut self,
        id: RunId,
        arms: [FidelityProfile; 2],
        (runner, store): (&mut Runner, &mut SqliteStore),
    ) -> Result<bool, CliError> {
        let stopped = AfterRun {
            arguments: self.arguments,
            arms,
            subject: &self.subject,
            runner: runner.as_runner(),
            store,
            clock: &self.started,
            console: self.follower.console(),
        }
        .attribute(id);
        self.follower.console().finished();
        stopped
    }

    /// Prints the stored run.
    fn print(
        &self,
        store: &SqliteStore,
        id: RunId,
        runner: &mut Runner,
    ) -> Result<ExitCode, CliError> {
        let page = Page::load(store, id)?;
        let code = page.print(conditions(&self.arguments.gate)?, self.global)?;
        match page.run.end.map(|end| end.stop) {
            Some(StopReason::Environment { reason }) => {
                let report = format!("cargo fidelity report {}", id.short());
                let kept = format!("what was seen is kept: `{report}`");
                let error = CliError::new(ErrorKind::Environment, reason).hint(kept);
                Err(match runner.arms().printed() {
                    Some(printed) => error.printed(printed),
                    None => error,
                })
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
        let options = self
            .signals
            .runner_options(slots as usize, policy.timeout_ms)?;
        Ok(RunnerOptions {
            arguments: self.arguments.arguments.iter().map(Into::into).collect(),
            ..options
        })
    }
}

/// Returns the scheduler of a run at its start.
fn scheduler(plan: Plan, run: &StoredRun, joined: &[StoredRun]) -> Scheduler {
    let scheduler = Scheduler::new(plan, joined);
    if run.header.runner.runs_all {
        scheduler.of_whole_passes()
    } else {
        scheduler
    }
}
