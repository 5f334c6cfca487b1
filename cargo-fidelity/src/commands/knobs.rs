//! `cargo fidelity attribute` where no commit is asked for: which knobs make a test fail. The experiments are in
//! [`super::laboratory`].

use std::collections::BTreeMap;

use clap::Parser;
use fidelity_core::attribute::locator::needless;
use fidelity_core::domain::{AttributionEnd, RunHeader, StoredRun, TestIndex};
use fidelity_core::exec::direct::RunnerOptions;
use fidelity_core::report::attribution::{Attributed, render, render_json};
use fidelity_core::store::{SqliteStore, Store};
use fidelity_core::suite::locate;

use super::choice::Choice;
use super::dating::Dating;
use super::laboratory::{Experiments, Results, defects};
use super::output::{Follower, print, style};
use super::page::Page;
use super::place::open_store;
use super::subject::Subject;
use super::{explain, prepare, resuming};
use crate::cli::{
    AttributeArgs, Cargo, CargoSubcommand, Command, Fidelity, Format, Global, PlaceArgs, RunArgs,
};
use crate::clock::Stopwatch;
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::signals::Signals;

/// Looks into the test that was named, or into every hidden defect of the run.
pub fn run(arguments: &AttributeArgs, global: &Global) -> Result<ExitCode, CliError> {
    let place = PlaceArgs {
        manifest_path: arguments.build.compilation.manifest_path.clone(),
    };
    let mut store = open_store(global, &place)?;
    let id = store.find_run(&arguments.run)?;
    let mut page = Page::load(&store, id)?;
    page.keep(&arguments.filtersets.parse()?)?;
    if page.run.header.runner.runs_all {
        let message = "the command of this run always runs all tests: none can be run by itself";
        return Err(CliError::new(ErrorKind::Usage, message)
            .hint("use the direct runner or cargo-nextest to look for knobs"));
    }
    let tests = if arguments.test.is_empty() {
        let all = defects(&page.run, &page.verdicts).into_iter();
        all.filter(|test| page.shows(test.get())).collect()
    } else {
        vec![explain::find(&arguments.test, &page)?]
    };
    if tests.is_empty() {
        let of = match page.is_filtered() {
            true => " of this filterset",
            false => "",
        };
        let message = format!("run {} has no hidden defect{of} to attribute", id.short());
        return Err(CliError::new(ErrorKind::Usage, message)
            .hint("name a test: `cargo fidelity attribute TEST`"));
    }
    let results = match known(&page, &tests)? {
        Some(attributed) => Results {
            attributed,
            interrupted: false,
        },
        None => knobs(arguments, global, page, (&mut store, &tests))?,
    };
    let text = match global.format {
        Format::Human | Format::Junit | Format::Csv | Format::Markdown => {
            render(&results.attributed, &style(global))
        }
        Format::Json => render_json(id, &results.attributed),
    };
    print(&text)?;
    Ok(if results.interrupted {
        ExitCode::Interrupted
    } else if results.attributed.iter().all(is_found) {
        ExitCode::Passed
    } else {
        ExitCode::NoConclusion
    })
}

/// Returns what came of the tests where nothing has to be built or tried for it; none where one of them needs that.
fn known(page: &Page, tests: &[TestIndex]) -> Result<Option<Vec<Attributed>>, CliError> {
    // Of what was not run here nothing is attributed.
    as_typed(&page.run.header)?;
    let runs: Vec<&StoredRun> = page.joined.iter().chain([&page.run]).collect();
    let known = tests.iter().map(|test| {
        let id = page.run.tests[test.get()].id.clone();
        let attribution = needless(&page.run, &runs, &id)?;
        Some(Attributed { id, attribution })
    });
    Ok(known.collect())
}

fn is_found(attributed: &Attributed) -> bool {
    attributed.attribution.end == AttributionEnd::Found
}

/// Builds the suite as the run did, and experiments with its knobs.
fn knobs(
    arguments: &AttributeArgs,
    global: &Global,
    page: Page,
    (store, tests): (&mut SqliteStore, &[TestIndex]),
) -> Result<Results, CliError> {
    let signals = Signals::install()?;
    let Page {
        mut run,
        joined,
        verdicts,
        ..
    } = page;
    let limit = arguments.budget.max_time.clone();
    let limit = limit.or_else(|| Some("none".to_owned()));
    let until_ms = prepare::policy_of(&[("max-time", &limit)])?.max_time_ms;
    let typed = as_typed(&run.header)?;
    let mut cargo = prepare::cargo_options(&typed, global);
    if arguments.build.compilation.manifest_path.is_some() {
        cargo
            .manifest_path
            .clone_from(&arguments.build.compilation.manifest_path);
    }
    let workspace = locate(&cargo, signals.flag())?;
    let settings = prepare::settings(&typed, &workspace.root)?;
    let mut follower = Follower::new(global);
    follower.console().build_started();
    let choice = Choice {
        arguments: &typed,
        settings: &settings,
        signals: &signals,
        filter: &prepare::filter(&typed.selection, Vec::new(), &BTreeMap::new()),
    };
    let (mut subject, _) = Subject::of_workspace(workspace, &cargo, &choice)?;
    resuming::restore_users(&mut run, &settings)?;
    resuming::check_unchanged(&run, &subject, &cargo)?;
    let header = &run.header;
    let options = options(header, &typed, &signals)?;
    subject.by = header.runner.clone();
    let mut runner = subject.runner(&run.tests, options)?;
    let arms = runner.arms();
    let applied = arms.apply(&header.baseline, &header.target, &BTreeMap::new())?;
    resuming::check_knobs(&run, &applied, arms)?;
    arms.set_tests(&subject.suite, &run.tests);
    let clock = Stopwatch::start();
    let mut experiments = Experiments {
        run: &run,
        joined: &joined,
        verdicts: &verdicts,
        suite: &subject.suite,
        runner: runner.as_runner(),
        store,
        clock: &clock,
        console: follower.console(),
        recent: false,
        budget: arguments.budget.max_trials,
        until_ms,
        others: arguments.test.is_empty(),
        dating: Dating::new(&subject.root, &typed.profiles),
    };
    let results = experiments.on(tests);
    follower.console().finished();
    results
}

/// Returns how trials are run: as in that run.
fn options(
    header: &RunHeader,
    typed: &RunArgs,
    signals: &Signals,
) -> Result<RunnerOptions, CliError> {
    let options = signals.runner_options(header.parallelism as usize, header.policy.timeout_ms)?;
    Ok(RunnerOptions {
        arguments: typed.arguments.iter().map(Into::into).collect(),
        ..options
    })
}

/// Returns the command line of a run, as if it was typed again: its cargo flags and test arguments have to be the same.
pub(super) fn as_typed(header: &RunHeader) -> Result<RunArgs, CliError> {
    let unknown = || {
        let id = header.id.short();
        let message = format!(
            "run {id} was not made by `cargo fidelity run` here: there is nothing to build"
        );
        CliError::new(ErrorKind::Usage, message).hint(
            "attribute a test of a run that ran here; `cargo fidelity report --list` names them",
        )
    };
    let words = ["cargo", "fidelity"]
        .into_iter()
        .map(str::to_owned)
        .chain(header.arguments.iter().cloned());
    let cargo = Cargo::try_parse_from(words).map_err(|_| unknown())?;
    let CargoSubcommand::Fidelity(Fidelity { command, .. }) = cargo.subcommand;
    match command {
        Command::Run(arguments) => Ok(*arguments),
        _ => Err(unknown()),
    }
}
