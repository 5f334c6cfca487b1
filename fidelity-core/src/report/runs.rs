//! The list of stored runs.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Style;
use super::json::pretty;
use super::number::{duration_ms, things};
use super::page::{Indent, Page, Tone, plain, span};
use super::words::started;
use crate::domain::{RunId, StopReason};
use crate::store::RunSummary;

/// Returns the list as a page, newest first, ending with a line end.
pub fn render(runs: &[RunSummary], style: &Style) -> String {
    let mut page = Page::new(style);
    if runs.is_empty() {
        page.text(
            Indent::all(0),
            &[plain("no runs yet: `cargo fidelity run` makes one")],
        );
    }
    let withdrawn = withdrawn(runs);
    for run in runs {
        let commit = run
            .commit
            .as_deref()
            .map_or("no commit", |commit| commit.get(..8).unwrap_or(commit));
        let words = format!(
            " {} {commit}  {}, {}, {}  {}",
            started(&run.started_at),
            things(u64::from(run.tests), "test"),
            things(u64::from(run.passes), "pass"),
            things(run.trials, "trial"),
            match withdrawn.contains(&run.id) {
                true => "ingested, and withdrawn".to_owned(),
                false => state(run),
            },
        );
        page.text(
            Indent::hanging(0),
            &[span(Tone::Strong, run.id.short()), plain(words)],
        );
    }
    page.finish()
}

/// Returns the runs that others withdrew.
fn withdrawn(runs: &[RunSummary]) -> BTreeSet<RunId> {
    runs.iter()
        .flat_map(|run| run.withdraws.iter().copied())
        .collect()
}

/// Returns how a run stands, for people.
fn state(run: &RunSummary) -> String {
    match &run.end {
        None if run.alive => "running".to_owned(),
        None if run.ingested => "cut short: ingest the files again".to_owned(),
        None => "cut short: --resume goes on".to_owned(),
        Some(end) => {
            let wall = duration_ms(end.wall_ms);
            match &end.stop {
                StopReason::Decided => format!("done in {wall}"),
                StopReason::Ingested if !run.withdraws.is_empty() => {
                    let names: Vec<String> = run.withdraws.iter().map(|id| id.short()).collect();
                    format!("withdraws {}", names.join(", "))
                }
                StopReason::Ingested if run.passes == 0 => "ingested: joins others".to_owned(),
                StopReason::Ingested => "ingested".to_owned(),
                StopReason::Interrupted if run.ingested => {
                    "interrupted: ingest the files again".to_owned()
                }
                StopReason::OutOfTime => format!("out of time after {wall}"),
                StopReason::OutOfTrials => format!("out of trials after {wall}"),
                StopReason::Interrupted => format!("interrupted after {wall}: --resume goes on"),
                StopReason::Environment { .. } => format!("environment failed after {wall}"),
            }
        }
    }
}

/// Returns the list as JSON, `"schema": 1`, newest first.
pub fn render_json(runs: &[RunSummary]) -> String {
    #[derive(Serialize)]
    struct Row<'a> {
        id: String,
        started_at: &'a str,
        commit: Option<&'a str>,
        tests: u32,
        passes: u32,
        trials: u64,
        stop: Option<&'a StopReason>,
        wall_ms: Option<u64>,
        alive: bool,
        ingested: bool,
        withdrawn: bool,
    }
    #[derive(Serialize)]
    struct Wire<'a> {
        schema: u32,
        runs: Vec<Row<'a>>,
    }
    let withdrawn = withdrawn(runs);
    let rows = runs.iter().map(|run| Row {
        withdrawn: withdrawn.contains(&run.id),
        id: run.id.to_string(),
        started_at: &run.started_at,
        commit: run.commit.as_deref(),
        tests: run.tests,
        passes: run.passes,
        trials: run.trials,
        stop: run.end.as_ref().map(|end| &end.stop),
        wall_ms: run.end.as_ref().map(|end| end.wall_ms),
        alive: run.alive,
        ingested: run.ingested,
    });
    pretty(&Wire {
        schema: 1,
        runs: rows.collect(),
    })
}
