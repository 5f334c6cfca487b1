//! `cargo fidelity audit`: what the suite says of production, without running any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fidelity_core::audit::{AuditedTest, Gathered, weigh};
use fidelity_core::config::Settings;
use fidelity_core::domain::{KnobId, Problem, RunnerKind, TestId, VerdictKind};
use fidelity_core::report::audit::{render, render_json, render_markdown};
use fidelity_core::suite::filterset::Filterset;
use fidelity_core::suite::nextest::CONFIGURATION;
use fidelity_core::suite::{Filter, RunIgnored, Suite, substitutes};

use super::ground::{By, Ground};
use super::output::{print, style};
use super::place::open_store_if_any;
use super::{prepare, record};
use crate::cli::{AuditArgs, Format, Global};
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::signals::Signals;

mod here;
mod past;

/// Prints the audit.
pub fn run(arguments: &AuditArgs, global: &Global) -> Result<ExitCode, CliError> {
    let signals = Signals::install()?;
    let expressions = arguments.filtersets.parse()?;
    let ground = Ground::of(
        (&arguments.build, &arguments.profiles),
        false,
        (global, &signals),
    )?;
    ground.check(&expressions)?;
    let runner = runner(&ground);
    let Ground {
        root,
        mut settings,
        suite,
        by,
        none,
    } = ground;
    refuse_nothing(&by, none)?;
    let past = match open_store_if_any(global, &root)? {
        Some(store) => past::of(&store)?,
        None => Vec::new(),
    };
    let noted = settings.notes.len();
    let selected = selected((&suite, &root), expressions, global)?;
    let tests = tests(&suite, &selected, &mut settings);
    let mut notes = suite.problems.clone();
    notes.extend(settings.notes.split_off(noted));
    notes.extend(record::assumed(&suite));
    let evidence = match &by {
        By::Workspace(workspace) => Some(substitutes::look(workspace)),
        By::Command | By::Elsewhere => None,
    };
    if evidence.is_none() {
        notes.extend(not_known(&suite, &by));
    }
    let here = here::of(&named(&settings), &suite)?;
    let facts = settings.production.iter();
    let audit = weigh(&Gathered {
        tests,
        available: suite.tests.len(),
        now: record::now(),
        profiles: [&settings.baseline, &settings.target].map(|profile| profile.without_users()),
        production: facts
            .map(|(knob, fact)| (knob.clone(), fact.without_users()))
            .collect(),
        runner,
        here,
        past,
        evidence,
        notes,
    });
    print(&match global.format {
        Format::Human | Format::Junit | Format::Csv => render(&audit, &style(global)),
        Format::Markdown => render_markdown(&audit),
        Format::Json => render_json(&audit),
    })?;
    Ok(ExitCode::Passed)
}

/// Refuses a workspace without tests: what is passed over elsewhere is all there is to audit.
fn refuse_nothing(by: &By, none: Option<CliError>) -> Result<(), CliError> {
    match (by, none) {
        (By::Workspace(_), Some(mut error)) => {
            let hint = "an audit is of tests: name the packages that have some, with `-p` or `--workspace`";
            error.hints = vec![hint.to_owned()];
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Returns the knobs that production or an arm sets.
fn named(settings: &Settings) -> BTreeSet<KnobId> {
    let arms = [&settings.baseline, &settings.target].into_iter();
    let set = arms.flat_map(|profile| profile.knobs.keys());
    set.chain(settings.production.keys()).cloned().collect()
}

/// Returns what runs the tests, as far as that is known without looking for programs.
fn runner(ground: &Ground) -> RunnerKind {
    let configured = ground
        .workspace()
        .is_some_and(|it| it.root.join(CONFIGURATION).is_file());
    match ground.settings.runner.kind {
        RunnerKind::Auto if configured => RunnerKind::Nextest,
        kind => kind,
    }
}

/// Says what an audit cannot know of tests that a command runs.
fn not_known(suite: &Suite, by: &By) -> Vec<Problem> {
    let problem = |kind: &str, message: &str| Problem {
        kind: kind.to_owned(),
        message: message.to_owned(),
    };
    let mut problems = vec![problem(
        "substitutes-not-looked-for",
        "what tests mock is not known: only Rust tests can say it, and only Rust code and manifests are looked at for substitutes",
    )];
    if suite.tests.is_empty() {
        problems.push(problem(
            "tests-unknown",
            match by {
                By::Elsewhere => {
                    "no results say yet which tests there are: `cargo fidelity ingest FILE...` takes some in"
                }
                _ => "no run has said yet which tests there are: `cargo fidelity run` makes one",
            },
        ));
    }
    problems
}

/// Returns the positions of the tests that are audited, ignored ones included.
fn selected(
    (suite, root): (&Suite, &Path),
    expressions: Vec<Filterset>,
    global: &Global,
) -> Result<Vec<usize>, CliError> {
    if expressions.is_empty() {
        return Ok((0..suite.tests.len()).collect());
    }
    let filter = Filter {
        verdicts: verdicts(global, root)?,
        expressions,
        ..Filter::default()
    };
    Ok(filter.select(suite, RunIgnored::All)?)
}

/// Returns the last verdicts, for expressions that ask for them.
fn verdicts(global: &Global, root: &Path) -> Result<BTreeMap<TestId, VerdictKind>, CliError> {
    let last = prepare::last_verdicts(global, root)?;
    let kinds = last.into_iter();
    Ok(kinds
        .map(|(test, last)| (test, last.verdict.kind))
        .collect())
}

/// Returns the chosen tests of the suite; knobs are taken to have the effect that is asked of them.
fn tests(suite: &Suite, selected: &[usize], settings: &mut Settings) -> Vec<AuditedTest> {
    let mut listed = record::chosen(suite, selected);
    record::set_terms(&mut listed, suite, settings, &[]);
    let lacking = record::lacking(suite, settings);
    let absent: BTreeMap<TestId, [Option<String>; 2]> = listed
        .into_iter()
        .filter_map(|test| Some((test.id, test.terms?.absent)))
        .collect();
    let chosen = selected
        .iter()
        .filter_map(|position| suite.tests.get(*position));
    let audited = chosen.filter_map(|test| {
        let lacks = lacking.get(&test.id).copied().unwrap_or_default();
        Some(AuditedTest {
            id: test.id.clone(),
            kind: test.kind(suite.binaries.get(test.binary)?),
            annotation: test.annotation.as_deref().cloned(),
            absent: absent.get(&test.id).cloned().unwrap_or_default(),
            lacks: lacks.map(|need| need.map(str::to_owned)),
            ignored: test.is_ignored(),
        })
    });
    let mut audited: Vec<AuditedTest> = audited.collect();
    audited.sort_by(|one, other| one.id.cmp(&other.id));
    audited
}
