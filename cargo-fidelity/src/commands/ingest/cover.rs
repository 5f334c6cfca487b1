//! The run whose report covers everything that was ingested for a comparison.
//!
//! A report covers its run and those frozen at its start. Where others arrived since, from another process or another
//! store, a run without passes of its own joins them all. Its id and its start follow from theirs, so that whoever makes
//! it, in whatever order things arrived, makes the same.

use fidelity_core::domain::{
    Fingerprint, ListedTest, RunEnd, RunHeader, RunId, StopReason, TestId,
};
use fidelity_core::plan::{self, ingested_fingerprint};
use fidelity_core::store::{SqliteStore, Store, StoreError};

use super::Session;
use crate::commands::page::Page;
use crate::error::CliError;

/// Returns the run that covers the comparison of this session, or, where only stores were joined, the newest one of any;
/// made if need be. None where nothing was ingested.
pub fn latest(
    session: &Session<'_>,
    store: &mut SqliteStore,
    made: Option<RunId>,
) -> Result<Option<RunId>, CliError> {
    let own = ingested_fingerprint(&session.settings.baseline, &session.settings.target);
    let mut covering = of(store, &own)?;
    if made.is_none() && covering.is_none() {
        // The store that was joined holds another comparison than the one configured here.
        for run in store.runs(usize::MAX)? {
            if run.ingested && covering.is_none() {
                covering = of(store, &store.load(run.id)?.header.fingerprint)?;
            }
        }
    }
    Ok(covering)
}

/// Returns the run that covers a comparison, made if need be; none where it has no run.
pub fn of(store: &mut SqliteStore, fingerprint: &Fingerprint) -> Result<Option<RunId>, CliError> {
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
    let mut ids: Vec<TestId> = Vec::new();
    for run in &joined {
        ids.extend(store.tests_of(*run)?.into_iter().map(|test| test.id));
    }
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
    match store.create_run(&header, &listed(ids)) {
        Ok(mut log) => {
            let page = Page::load(store, id)?;
            let findings = page.verdicts.findings.into_iter();
            let verdicts: Vec<_> = findings
                .map(|finding| (finding.test, finding.verdict))
                .collect();
            let end = RunEnd {
                stop: StopReason::Ingested,
                wall_ms: 0,
                problems: Vec::new(),
            };
            log.end_run(&end, &verdicts)?;
            Ok(id)
        }
        // Another process made it meanwhile.
        Err(StoreError::RunExists { .. } | StoreError::Alive { .. }) => Ok(id),
        Err(error) => Err(error.into()),
    }
}

/// Returns the list of a run with these tests, which may be named several times.
pub fn listed(ids: Vec<TestId>) -> Vec<ListedTest> {
    let mut ids = ids;
    ids.sort();
    ids.dedup();
    ids.into_iter()
        .map(|id| ListedTest {
            id,
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect()
}
