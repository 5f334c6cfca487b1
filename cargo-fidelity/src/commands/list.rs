//! `cargo fidelity list`: the tests and what is known of them, without running any.

use std::collections::BTreeMap;

use fidelity_core::config::Settings;
use fidelity_core::domain::{ListedTest, TestId};
use fidelity_core::report::list::{LastSeen, ListedRow, Listing, render, render_json};
use fidelity_core::suite::{RunIgnored, Suite, SuiteError};

use super::ground::Ground;
use super::output::{no_tests, print, style};
use super::prepare::{self, LastVerdicts};
use super::record;
use crate::cli::{Format, Global, ListArgs, SelectionArgs};
use crate::error::CliError;
use crate::exit_code::ExitCode;
use crate::signals::Signals;

/// Prints the tests that were asked for.
pub fn run(arguments: &ListArgs, global: &Global) -> Result<ExitCode, CliError> {
    let signals = Signals::install()?;
    let selection = &arguments.selection;
    let expressions = selection.filtersets.parse()?;
    let ground = Ground::of(
        (&arguments.build, &arguments.profiles),
        selection.include_harnessless,
        (global, &signals),
    )?;
    ground.check(&expressions)?;
    let Ground {
        root,
        mut settings,
        suite,
        none,
        ..
    } = ground;
    let none_at_all = none.is_some();
    if let Some(error) = none {
        no_tests(selection.no_tests, error, global)?;
    }
    let last = prepare::last_verdicts(global, &root)?;
    let filter = prepare::filter(selection, expressions, &last);
    let run_ignored = prepare::run_ignored(selection, RunIgnored::All);
    let selected = match filter.select(&suite, run_ignored) {
        Err(error @ SuiteError::NothingSelected { .. }) => {
            // Which is told already where there is nothing to select from.
            if !none_at_all {
                no_tests(selection.no_tests, error.into(), global)?;
            }
            Vec::new()
        }
        selected => selected?,
    };
    let mut listing = listing(&suite, &selected, &mut settings, &last);
    listing.ignored = ignored(selection, &last, &suite)?;
    print(&match global.format {
        Format::Human | Format::Junit | Format::Csv | Format::Markdown => {
            render(&listing, &style(global))
        }
        Format::Json => render_json(&listing),
    })?;
    Ok(ExitCode::Passed)
}

/// Returns how many tests are wanted but ignored by their users, where these are left out.
fn ignored(
    selection: &SelectionArgs,
    last: &LastVerdicts,
    suite: &Suite,
) -> Result<usize, CliError> {
    let any = suite.tests.iter().any(|test| test.is_ignored());
    if !any || prepare::run_ignored(selection, RunIgnored::All) != RunIgnored::Default {
        return Ok(0);
    }
    let expressions = selection.filtersets.parse()?;
    let filter = prepare::filter(selection, expressions, last);
    match filter.select(suite, RunIgnored::Only) {
        Ok(ignored) => Ok(ignored.len()),
        Err(SuiteError::NothingSelected { .. }) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Puts together what is known of the selected tests. Knobs are taken to have the effect that is asked of them, which is said.
fn listing(
    suite: &Suite,
    selected: &[usize],
    settings: &mut Settings,
    last: &LastVerdicts,
) -> Listing {
    let mut tests = record::chosen(suite, selected);
    let noted = settings.notes.len();
    record::set_terms(&mut tests, suite, settings, &[]);
    let mut problems = suite.problems.clone();
    problems.extend(settings.notes.drain(noted..));
    problems.extend(record::assumed(suite));
    let by_id: BTreeMap<&TestId, usize> = selected
        .iter()
        .filter_map(|position| Some((&suite.tests.get(*position)?.id, *position)))
        .collect();
    let row = |listed: ListedTest| {
        let test = suite.tests.get(*by_id.get(&listed.id)?)?;
        let verdict = last.get(&listed.id);
        Some(ListedRow {
            kind: test.kind(suite.binaries.get(test.binary)?),
            ignored: test.is_ignored(),
            annotation: test.annotation.as_deref().cloned(),
            absent: listed.terms.map(|terms| terms.absent).unwrap_or_default(),
            verdict: verdict.map(|last| LastSeen {
                verdict: last.verdict.clone(),
                run: last.run,
                profiles: last.profiles.clone(),
            }),
            id: listed.id,
        })
    };
    Listing {
        tests: tests.into_iter().filter_map(row).collect(),
        profiles: [&settings.baseline, &settings.target].map(|profile| profile.name.clone()),
        available: suite.tests.len(),
        ignored: 0,
        now: record::now(),
        problems,
    }
}
