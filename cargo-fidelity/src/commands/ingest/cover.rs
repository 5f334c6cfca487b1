//! The run whose report covers everything that was ingested for a comparison.
//!
//! A report covers its run and those frozen at its start. Where others arrived since, from another process or another
//! store, a run without passes of its own joins them all. Its id and its start follow from theirs, so that whoever makes
//! it, in whatever order things arrived, makes the same.

use std::collections::BTreeSet;

use fidelity_core::domain::{Fingerprint, ListedTest, RunHeader, RunId, Terms, TestId};
use fidelity_core::plan::{self, ingested_fingerprint};
use fidelity_core::store::{SqliteStore, Store, StoreError};

use super::{Session, close};
use crate::commands::page::Page;
use crate::error::CliError;

/// Returns the run that covers the comparison of this session, or, where only stores were joined, the newest one of any;
/// made if need be. None where nothing was ingested.
pub fn latest(
    session: &Session<'_>,
    store: &mut SqliteStore,
    has_new_passes: bool,
) -> Result<Option<RunId>, CliError> {
    let own = ingested_fingerprint(&session.settings.baseline, &session.settings.target);
    let mut covering = of(store, &own)?;
    if !has_new_passes && covering.is_none() {
        // The store that was joined holds another comparison than the one configured here.
        for run in store.runs(usize::MAX)? {
            if run.ingested && covering.is_none() {
                covering = of(store, &store.header_of(run.id)?.fingerprint)?;
            }
        }
    }
    Ok(covering)
}

/// Returns the run that covers a comparison, made if need be; none where it has no run.
pub fn of(store: &mut SqliteStore, fingerprint: &Fingerprint) -> Result<Option<RunId>, CliError> {
    settle(store, fingerprint)?;
    let mut runs: Vec<RunHeader> = Vec::new();
    for run in store.comparable(fingerprint)? {
        let header = store.header_of(run.id)?;
        if header.ingested {
            runs.push(header);
        }
    }
    let Some(newest) = runs.last().cloned() else {
        return Ok(None);
    };
    let covers = |run: &RunHeader| {
        let covered = |other: &RunHeader| other.id == run.id || run.joined.contains(&other.id);
        runs.iter().all(covered)
    };
    if covers(&newest) {
        return Ok(Some(newest.id));
    }
    make(store, &runs, newest).map(Some)
}

/// Makes a run that joins `runs`, which are not empty.
fn make(store: &mut SqliteStore, runs: &[RunHeader], newest: RunHeader) -> Result<RunId, CliError> {
    let mut joined: Vec<RunId> = runs.iter().map(|run| run.id).collect();
    joined.sort();
    let id = plan::id_of_all(&joined);
    let in_order: Vec<RunId> = runs.iter().map(|run| run.id).collect();
    // What is said of a test is what was said of it last.
    let tests = tests_of(store, &in_order)?.into_iter();
    let tests = listed(tests.map(|test| (test.id, test.terms)));
    // The newest by its start, and by its id among those of one second: whoever looks finds the same one.
    let model = runs
        .iter()
        .max_by_key(|run| (run.started_at.clone(), run.id))
        .cloned()
        .unwrap_or(newest);
    let header = RunHeader {
        id,
        joined,
        revision: None,
        problems: Vec::new(),
        ..model
    };
    match store.create_run(&header, &tests) {
        Ok(log) => {
            close(Page::load(store, id)?, log, 0)?;
            Ok(id)
        }
        // Another process made it meanwhile.
        Err(StoreError::RunExists { .. } | StoreError::Alive { .. }) => Ok(id),
        Err(error) => Err(error.into()),
    }
}

/// Closes the runs of a comparison whose process died after their passes were stored, and before it closed them.
pub fn settle(store: &mut SqliteStore, fingerprint: &Fingerprint) -> Result<(), CliError> {
    for run in store.comparable(fingerprint)? {
        if run.ended || !store.header_of(run.id)?.ingested {
            continue;
        }
        match store.resume_run(run.id) {
            Ok((_, log)) => {
                close(Page::load(store, run.id)?, log, 0)?;
            }
            // Another process is at it or has done it, or a run that covers it speaks for it.
            Err(
                StoreError::Alive { .. } | StoreError::Finished { .. } | StoreError::Joined { .. },
            ) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Returns the tests of runs that are in the order of their starts. A run lists the tests of all that it joins.
pub fn tests_of(store: &SqliteStore, runs: &[RunId]) -> Result<Vec<ListedTest>, CliError> {
    let mut listed: BTreeSet<RunId> = BTreeSet::new();
    let mut tests = Vec::new();
    for run in runs.iter().rev() {
        if listed.contains(run) {
            continue;
        }
        listed.extend(store.header_of(*run)?.joined);
        tests.extend(store.tests_of(*run)?);
    }
    Ok(tests)
}

/// Returns the list of a run with these tests, which may be named several times: what is said of a test is what is said of it
/// first.
pub fn listed(tests: impl Iterator<Item = (TestId, Option<Box<Terms>>)>) -> Vec<ListedTest> {
    let listed = tests.map(|(id, terms)| ListedTest {
        id,
        selected: true,
        suspicious: false,
        terms,
    });
    let mut tests: Vec<ListedTest> = listed.collect();
    tests.sort_by(|one, other| one.id.cmp(&other.id));
    tests.dedup_by(|later, first| later.id == first.id);
    tests
}
