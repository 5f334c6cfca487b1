//! One test's evidence for programs, `"schema": 1`: the test's entry of the report, and every trial behind it.

use serde::Serialize;

use super::Explanation;
use crate::domain::{Arm, Outcome, Phase, Scope, VerdictKind};
use crate::report::json::{SCHEMA, WireTest, pretty};
use crate::report::text::clean_bytes;

#[derive(Serialize)]
struct Wire<'a> {
    schema: u32,
    run: String,
    test: WireTest<'a>,
    trials: Vec<WireTrial<'a>>,
    splits: Vec<WireSplit<'a>>,
    failures: Vec<WireFailure<'a>>,
    history: Vec<WirePast<'a>>,
}

#[derive(Serialize)]
struct WireTrial<'a> {
    run: String,
    pass: u32,
    phase: Phase,
    arm: Arm,
    scope: Scope,
    drawn: Vec<WireDraw<'a>>,
    outcome: &'static str,
    signal: Option<i32>,
    duration_s: f64,
    counts: bool,
}

#[derive(Serialize)]
struct WireDraw<'a> {
    knob: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct WireSplit<'a> {
    arm: Arm,
    by: &'a str,
    rows: Vec<WireRow<'a>>,
}

#[derive(Serialize)]
struct WireRow<'a> {
    value: &'a str,
    trials: u32,
    failures: u32,
    bounds: [f64; 2],
}

#[derive(Serialize)]
struct WireFailure<'a> {
    signature: &'a str,
    message: &'a str,
    baseline: u32,
    target: u32,
    stdout: String,
    stderr: String,
}

#[derive(Serialize)]
struct WirePast<'a> {
    run: String,
    started_at: &'a str,
    commit: Option<&'a str>,
    verdict: VerdictKind,
    reason: &'a str,
}

/// Returns the explanation as JSON, ending with a line end. What a test printed is escaped like everything shown.
pub fn render(explanation: &Explanation) -> String {
    pretty(&Wire {
        schema: SCHEMA,
        run: explanation.run.id.to_string(),
        test: (&explanation.test).into(),
        trials: explanation.trials.iter().map(trial).collect(),
        splits: explanation.splits.iter().map(split).collect(),
        failures: explanation.failures.iter().map(failure).collect(),
        history: explanation.history.iter().map(past).collect(),
    })
}

fn trial(trial: &super::Trial) -> WireTrial<'_> {
    let (outcome, signal) = match trial.outcome {
        Outcome::Passed => ("passed", None),
        Outcome::Failed => ("failed", None),
        Outcome::TimedOut => ("timed-out", None),
        Outcome::Crashed(signal) => ("crashed", Some(signal)),
        Outcome::Skipped => ("skipped", None),
        Outcome::NotReported => ("not-reported", None),
    };
    WireTrial {
        run: trial.run.to_string(),
        pass: trial.pass,
        phase: trial.phase,
        arm: trial.arm,
        scope: trial.scope,
        drawn: trial
            .drawn
            .iter()
            .map(|(knob, value)| WireDraw { knob, value })
            .collect(),
        outcome,
        signal,
        duration_s: trial.duration_us as f64 / 1e6,
        counts: trial.counts,
    }
}

fn split(split: &super::Split) -> WireSplit<'_> {
    fn row(row: &super::SplitRow) -> WireRow<'_> {
        let super::SplitRow {
            value,
            trials,
            failures,
            bounds: (low, high),
        } = row;
        WireRow {
            value,
            trials: *trials,
            failures: *failures,
            bounds: [*low, *high],
        }
    }
    WireSplit {
        arm: split.arm,
        by: &split.by,
        rows: split.rows.iter().map(row).collect(),
    }
}

fn failure(failure: &super::FailureKind) -> WireFailure<'_> {
    let [baseline, target] = failure.number;
    WireFailure {
        signature: &failure.signature,
        message: &failure.message,
        baseline,
        target,
        stdout: clean_bytes(&failure.output.stdout),
        stderr: clean_bytes(&failure.output.stderr),
    }
}

fn past(past: &super::PastVerdict) -> WirePast<'_> {
    WirePast {
        run: past.run.to_string(),
        started_at: &past.started_at,
        commit: past
            .revision
            .as_ref()
            .map(|revision| revision.commit.as_str()),
        verdict: past.verdict.kind,
        reason: &past.verdict.reason,
    }
}
