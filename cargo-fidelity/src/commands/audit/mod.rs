//! `cargo fidelity audit`: what the suite says of production, without running any of it.

use std::collections::BTreeMap;

use fidelity_core::audit::{AuditedTest, Gathered, weigh};
use fidelity_core::config::Settings;
use fidelity_core::domain::{TestId, VerdictKind};
use fidelity_core::report::audit::{render, render_json, render_markdown};
use fidelity_core::store::{SqliteStore, StoreError, workspace_store};
use fidelity_core::suite::filterset::Filterset;
use fidelity_core::suite::{Filter, RunIgnored, Suite, SuiteError, Workspace, substitutes};

use super::output::{Follower, print, style};
use super::{prepare, record};
use crate::cli::{AuditArgs, Format, Global};
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::signals::Signals;

mod past;

/// Prints the audit.
pub fn run(arguments: &AuditArgs, global: &Global) -> Result<ExitCode, CliError> {
    let signals = Signals::install().map_err(|error| {
        CliError::new(ErrorKind::Internal, "could not handle signals").caused_by(&error)
    })?;
    let cargo = prepare::options(&arguments.build, global);
    let expressions = expressions(arguments)?;
    let workspace = prepare::rust_workspace(&arguments.build, &cargo, &signals)?;
    let mut settings = prepare::settings_of(&arguments.profiles, Vec::new(), &workspace.root)?;
    let mut follower = Follower::new(global);
    follower.console().build_started();
    let suite = prepare::build(&workspace, &cargo, false, &signals)?;
    let path = global.store.clone();
    let path = path.unwrap_or_else(|| workspace_store(&workspace.root));
    let past = match SqliteStore::open(&path) {
        Ok(store) => past::of(&store)?,
        Err(StoreError::NoStore { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let noted = settings.notes.len();
    let selected = if expressions.is_empty() {
        (0..suite.tests.len()).collect()
    } else {
        let filter = Filter {
            verdicts: verdicts(global, &workspace)?,
            expressions,
            ..Filter::default()
        };
        filter.select(&suite, RunIgnored::All)?
    };
    let tests = tests(&suite, &selected, &mut settings);
    let mut notes = suite.problems.clone();
    notes.extend(settings.notes.split_off(noted));
    notes.extend(record::assumed(&suite));
    let facts = settings.production.iter();
    let audit = weigh(&Gathered {
        tests,
        available: suite.tests.len(),
        now: record::now(),
        profiles: [&settings.baseline, &settings.target].map(|profile| profile.without_users()),
        production: facts
            .map(|(knob, fact)| (knob.clone(), fact.without_users()))
            .collect(),
        past,
        evidence: substitutes::look(&workspace),
        notes,
    });
    print(&match global.format {
        Format::Human | Format::Junit | Format::Csv => render(&audit, &style(global)),
        Format::Markdown => render_markdown(&audit),
        Format::Json => render_json(&audit),
    })?;
    Ok(ExitCode::Passed)
}

/// Returns the expressions of `-E`.
fn expressions(arguments: &AuditArgs) -> Result<Vec<Filterset>, SuiteError> {
    let expressions = arguments.filtersets.iter();
    let parsed = expressions.map(|expression| expression.parse::<Filterset>());
    Ok(parsed.collect::<Result<_, _>>()?)
}

/// Returns the last verdicts, for expressions that ask for them.
fn verdicts(
    global: &Global,
    workspace: &Workspace,
) -> Result<BTreeMap<TestId, VerdictKind>, CliError> {
    let last = prepare::last_verdicts(global, &workspace.root)?;
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
