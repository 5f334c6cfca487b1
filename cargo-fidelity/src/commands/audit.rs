//! `cargo fidelity audit`: what the suite says of production, without running any of it.

use std::collections::BTreeMap;

use fidelity_core::audit::{AuditedTest, Gathered, PastTrials, Shown, weigh};
use fidelity_core::config::Settings;
use fidelity_core::domain::TestId;
use fidelity_core::report::audit::{render, render_json, render_markdown};
use fidelity_core::store::{RunTally, SqliteStore, Store, StoreError, workspace_store};
use fidelity_core::suite::{Suite, locate, substitutes};

use super::output::{Follower, print, style};
use super::{laboratory, prepare, record};
use crate::cli::{AuditArgs, Format, Global};
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::signals::Signals;

/// Stored runs that are looked at, the newest.
const RUNS: usize = 20;

/// Prints the audit.
pub fn run(arguments: &AuditArgs, global: &Global) -> Result<ExitCode, CliError> {
    let signals = Signals::install().map_err(|error| {
        CliError::new(ErrorKind::Internal, "could not handle signals").caused_by(&error)
    })?;
    let cargo = prepare::options(&arguments.build, global);
    let workspace = locate(&cargo, signals.flag())?;
    let mut settings = prepare::settings_of(&arguments.profiles, Vec::new(), &workspace.root)?;
    let mut follower = Follower::new(global);
    follower.console().build_started();
    let suite = prepare::build(&workspace, &cargo, false, &signals)?;
    let path = global.store.clone();
    let path = path.unwrap_or_else(|| workspace_store(&workspace.root));
    let past = match SqliteStore::open(&path) {
        Ok(store) => past(&store)?,
        Err(StoreError::NoStore { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let noted = settings.notes.len();
    let tests = tests(&suite, &mut settings);
    let mut notes = settings.notes.split_off(noted);
    notes.extend(record::assumed(&suite));
    let beyond = settings.target.knobs.iter();
    let audit = weigh(&Gathered {
        tests,
        beyond: beyond
            .filter(|(knob, setting)| settings.beyond_production(knob, setting))
            .map(|(knob, _)| knob.clone())
            .collect(),
        profiles: [&settings.baseline, &settings.target].map(|profile| profile.without_users()),
        production: settings.production.clone(),
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

/// Returns the tests of the suite; knobs are taken to have the effect that is asked of them.
fn tests(suite: &Suite, settings: &mut Settings) -> Vec<AuditedTest> {
    let all: Vec<usize> = (0..suite.tests.len()).collect();
    let mut listed = record::chosen(suite, &all);
    record::set_terms(&mut listed, suite, settings, &[]);
    let absent: BTreeMap<TestId, [Option<String>; 2]> = listed
        .into_iter()
        .filter_map(|test| Some((test.id, test.terms?.absent)))
        .collect();
    let audited = suite.tests.iter().filter_map(|test| {
        Some(AuditedTest {
            id: test.id.clone(),
            kind: test.kind(suite.binaries.get(test.binary)?),
            annotation: test.annotation.as_deref().cloned(),
            absent: absent.get(&test.id).cloned().unwrap_or_default(),
            ignored: test.is_ignored(),
        })
    });
    audited.collect()
}

/// Returns what the newest stored runs tried, found, and attributed.
fn past(store: &SqliteStore) -> Result<Vec<PastTrials>, CliError> {
    Ok(store.tallies(RUNS)?.into_iter().map(tried).collect())
}

fn tried(run: RunTally) -> PastTrials {
    let found = run.hidden_defects;
    let shown = run.attributions.iter().filter(|it| {
        let is_of_defect = found.as_ref().is_some_and(|found| found.contains(&it.test));
        is_of_defect && it.question == laboratory::QUESTION
    });
    PastTrials {
        profiles: [run.header.baseline.name, run.header.target.name],
        trials: run.trials,
        // What nobody has judged is neither a success nor a failure.
        tests: found.as_ref().map_or(0, |_| u64::from(run.tried)),
        hidden_defects: found.as_ref().map_or(0, |found| found.len() as u64),
        knobs: run.header.knobs,
        shown: shown.filter_map(|it| Shown::by(&it.attribution)).collect(),
    }
}
