//! One test's evidence: every trial, rates by arm and by what each pass drew, failures by signature, history. This
//! file selects and counts; its page puts it into words.
//!
//! Invariant: a function of stored things alone, like the report.

use std::collections::BTreeMap;

use crate::classify::Verdicts;
use crate::domain::{
    Arm, CapturedOutput, FidelityProfile, KnobSetting, Observation, Outcome, PassRecord, Phase,
    Revision, RunId, RunnerKind, Scope, StoredAttribution, StoredRun, TestId, TestIndex, Verdict,
};

use super::model::{Report, RunFacts, TestReport};

mod annotated;
pub mod json;
mod output;
mod page;
mod trials;
mod verdict;

#[cfg(test)]
mod tests;

pub use page::render;

/// Returns the interval of a failure rate: `failures` of `trials` (at least 1) at a confidence in (0, 1).
pub type Interval = fn(failures: u32, trials: u32, confidence: f64) -> (f64, f64);

/// The knob-like name under which trials are told apart by what they ran among.
const SCOPE: &str = "scope";
/// What a trial can run among, from nothing to everything.
const SCOPES: [Scope; 4] = [Scope::Alone, Scope::Suspects, Scope::Binary, Scope::Suite];

/// What an explanation is made from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The run.
    pub run: &'a StoredRun,
    /// The earlier runs whose passes it joined, oldest first.
    pub joined: &'a [StoredRun],
    /// The verdicts of the run.
    pub verdicts: &'a Verdicts,
    /// The verdicts of the test in earlier runs, oldest first.
    pub history: &'a [PastVerdict],
    /// What experiments showed of the tests of the run.
    pub attributions: &'a [StoredAttribution],
    /// How intervals are computed.
    pub interval: Interval,
}

/// A verdict that a test got in an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastVerdict {
    /// The run.
    pub run: RunId,
    /// When it started, RFC 3339 in UTC.
    pub started_at: String,
    /// The commit it was made at, where there was one.
    pub revision: Option<Revision>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Everything that is known of one test.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The run the verdict belongs to.
    pub run: RunFacts,
    /// The test with its verdict.
    pub test: TestReport,
    /// The word that names it on the command line.
    pub command_name: String,
    /// Its trials, in the order they were made; those of joined runs first.
    pub trials: Vec<Trial>,
    /// Its rates by what the passes differed in within one arm.
    pub splits: Vec<Split>,
    /// Its failures by signature, the most frequent first.
    pub failures: Vec<FailureKind>,
    /// The other members of its cluster, and what joins them.
    pub mates: Option<(String, Vec<TestId>)>,
    /// Its verdicts in earlier runs, oldest first.
    pub history: Vec<PastVerdict>,
}

/// One trial of the test.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The run it was made in.
    pub run: RunId,
    /// The number of its pass in that run.
    pub pass: u32,
    /// Why the pass was made.
    pub phase: Phase,
    /// The arm.
    pub arm: Arm,
    /// What the pass drew for knobs that can take several values.
    pub drawn: Vec<(String, String)>,
    /// What it ran among.
    pub scope: Scope,
    /// What it came to.
    pub outcome: Outcome,
    /// Its wall time in microseconds.
    pub duration_us: u64,
    /// Whether it is evidence: a first attempt in a completed pass that is no repeat and no check.
    pub counts: bool,
}

/// The rates of one arm by the values of something that varied between its passes.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The arm.
    pub arm: Arm,
    /// What varied: a knob, or `scope`.
    pub by: String,
    /// One row a value, in the order of values; by scope, the one with the least company first.
    pub rows: Vec<SplitRow>,
}

/// The rate under one value.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitRow {
    /// The value.
    pub value: String,
    /// Trials that count.
    pub trials: u32,
    /// Of them, failures.
    pub failures: u32,
    /// The interval of the failure rate at the policy's confidence.
    pub bounds: (f64, f64),
}

/// Failures that are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureKind {
    /// The signature they share.
    pub signature: String,
    /// The message of the example.
    pub message: String,
    /// How many there are: in the baseline, in the target.
    pub number: [u32; 2],
    /// Where the example was seen, as a position in the trials.
    pub example: usize,
    /// What the example printed; where a report told it, the text of the failure stands at the beginning of its stderr unless a
    /// stream has it.
    pub output: CapturedOutput,
    /// Whether a report told it.
    pub reported: bool,
}

impl Explanation {
    /// Returns the explanation of the test at position `test` of the run's list; none if the verdicts do not hold it.
    pub fn new(sources: &Sources<'_>, test: TestIndex) -> Option<Self> {
        let report = Report::new(sources.run, sources.joined, sources.verdicts)
            .with_attributions(sources.attributions);
        let id = &sources
            .verdicts
            .findings
            .iter()
            .find(|finding| finding.test == test)?
            .id;
        let test = report
            .tests
            .iter()
            .find(|report| report.id() == id)?
            .clone();
        let seen: Vec<Seen<'_>> = sources
            .joined
            .iter()
            .chain([sources.run])
            .flat_map(|run| seen_in(run, id))
            .collect();
        let trials: Vec<Trial> = seen.iter().map(Seen::trial).collect();
        let mates = test
            .finding
            .cluster
            .and_then(|cluster| report.clusters.get(cluster))
            .map(|cluster| {
                let others = cluster.members.iter().filter(|member| *member != id);
                (cluster.reason.clone(), others.cloned().collect())
            });
        Some(Self {
            splits: splits(&trials, sources),
            failures: failures(&seen),
            command_name: report.command_name(id),
            history: sources.history.to_vec(),
            run: report.run,
            test,
            trials,
            mates,
        })
    }
}

/// A trial beside the pass it belongs to.
struct Seen<'a> {
    run: &'a StoredRun,
    pass: &'a PassRecord,
    observation: &'a Observation,
}

impl Seen<'_> {
    fn trial(&self) -> Trial {
        let spec = &self.pass.spec;
        let header = &self.run.header;
        let profile = match spec.arm {
            Arm::Baseline => &header.baseline,
            Arm::Target => &header.target,
        };
        let completed = self.pass.is_completed();
        let is_check = spec.phase.is_check();
        Trial {
            run: header.id,
            pass: spec.number,
            phase: spec.phase,
            arm: spec.arm,
            drawn: drawn(profile, self.pass),
            scope: spec.scope,
            outcome: self.observation.outcome,
            duration_us: self.observation.duration_us,
            counts: completed && !is_check && self.observation.attempt == 0,
        }
    }
}

/// Returns the trials of a test in one run, whose list may have it at another position or not at all.
fn seen_in<'a>(run: &'a StoredRun, id: &TestId) -> impl Iterator<Item = Seen<'a>> {
    let position = run.tests.binary_search_by(|test| test.id.cmp(id)).ok();
    let index = position.and_then(|position| u32::try_from(position).ok());
    run.passes.iter().flat_map(move |pass| {
        pass.observations
            .iter()
            .filter(move |seen| Some(seen.test.0) == index && seen.outcome.is_trial())
            .map(move |observation| Seen {
                run,
                pass,
                observation,
            })
    })
}

/// Returns what a pass drew for the knobs of its profile that can take several values.
fn drawn(profile: &FidelityProfile, pass: &PassRecord) -> Vec<(String, String)> {
    profile
        .knobs
        .iter()
        .filter(|(_, setting)| matches!(setting, KnobSetting::OneOf(values) if 1 < values.len()))
        .filter_map(|(knob, _)| {
            let value = pass.environment.0.get(knob)?;
            Some((knob.0.clone(), value.to_string()))
        })
        .collect()
}

fn splits(trials: &[Trial], sources: &Sources<'_>) -> Vec<Split> {
    let mut counted: BTreeMap<(Arm, String), BTreeMap<String, (u32, u32)>> = BTreeMap::new();
    for trial in trials.iter().filter(|trial| trial.counts) {
        let failures = match trial.outcome {
            Outcome::NotReported => continue,
            outcome => u32::from(outcome.is_failure()),
        };
        let scope = (SCOPE.to_owned(), scope_name(trial.scope).to_owned());
        for (by, value) in trial.drawn.iter().cloned().chain([scope]) {
            let row = counted
                .entry((trial.arm, by))
                .or_default()
                .entry(value)
                .or_default();
            *row = (row.0 + failures, row.1 + 1);
        }
    }
    let confidence = sources.run.header.policy.confidence;
    counted
        .into_iter()
        .filter(|(_, rows)| 1 < rows.len())
        .map(|((arm, by), rows)| {
            let mut rows: Vec<SplitRow> = rows
                .into_iter()
                .map(|(value, (failures, trials))| SplitRow {
                    value,
                    trials,
                    failures,
                    bounds: (sources.interval)(failures, trials, confidence),
                })
                .collect();
            if by == SCOPE {
                // The less company the earlier, so that what company does is read from top to bottom.
                rows.sort_by_key(|row| {
                    SCOPES
                        .map(scope_name)
                        .iter()
                        .position(|name| *name == row.value)
                });
            }
            Split { arm, by, rows }
        })
        .collect()
}

fn failures(seen: &[Seen<'_>]) -> Vec<FailureKind> {
    let mut kinds: BTreeMap<&str, FailureKind> = BTreeMap::new();
    for (position, seen) in seen.iter().enumerate() {
        let Some(failure) = &seen.observation.failure else {
            continue;
        };
        let kind = kinds
            .entry(&failure.signature)
            .or_insert_with(|| FailureKind {
                signature: failure.signature.clone(),
                message: failure.message.clone(),
                number: [0, 0],
                example: position,
                output: failure.output.clone(),
                reported: is_reported(seen.run),
            });
        kind.number[seen.pass.spec.arm.index()] += 1;
        // The store keeps equal outputs once and may have dropped old ones: any that is left will do.
        if is_empty(&kind.output) && !is_empty(&failure.output) {
            kind.message.clone_from(&failure.message);
            kind.output.clone_from(&failure.output);
            kind.reported = is_reported(seen.run);
            kind.example = position;
        }
    }
    let mut kinds: Vec<FailureKind> = kinds.into_values().collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.number[0] + kind.number[1]));
    kinds
}

/// Returns whether somebody else's report tells of the failures of a run.
fn is_reported(run: &StoredRun) -> bool {
    let by = run.header.runner.kind;
    run.header.ingested || matches!(by, RunnerKind::Nextest | RunnerKind::Command)
}

fn is_empty(output: &CapturedOutput) -> bool {
    output.stdout.is_empty() && output.stderr.is_empty()
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Suite => "the whole suite",
        Scope::Binary => "its binary",
        Scope::Suspects => "the suspects only",
        Scope::Alone => "nothing: alone",
    }
}
