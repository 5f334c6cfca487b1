//! The report as a value: a stored run and its verdicts, selected, counted and grouped. Knows no format.
//!
//! Invariant: a function of its arguments alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::classify::{ArmEvidence, Finding, Verdicts};
use crate::domain::{
    Arm, Condition, KnobStatus, ListedTest, Observation, PassRecord, Policy, Problem, Revision,
    RunBy, RunId, Seed, StopReason, StoredAttribution, StoredRun, TestId, VerdictKind,
};

use super::absence;
pub use super::blocks::BlockFacts;
use super::blocks::block_facts;
pub use super::pass_counts::PassCounts;
use super::problems::problems;
use super::said;
use super::text::shell_word;

mod cluster;
mod since;
mod test;

pub use cluster::ClusterReport;
pub(super) use cluster::causes;
pub use test::{QuarantineReport, TestReport};

/// Everything any renderer says about a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The run itself.
    pub run: RunFacts,
    /// The tests, sorted by binary, then name.
    pub tests: Vec<TestReport>,
    /// Tests that it was asked to leave out.
    pub left_out: usize,
    /// The clusters, as in the verdicts.
    pub clusters: Vec<ClusterReport>,
    /// What people should know: the run's own problems first, then what its passes say.
    pub problems: Vec<Problem>,
    /// What makes the gate fail: the policy's conditions, unless the caller asks for others.
    pub conditions: Vec<Condition>,
    /// What the call that shows it could not read, beside what it took in: no part of the run.
    pub unread: Vec<String>,
    /// Names that tests of several binaries share.
    shared_names: BTreeSet<String>,
}

/// The run as a report shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFacts {
    /// Its identity.
    pub id: RunId,
    /// When it started, RFC 3339 in UTC.
    pub started_at: String,
    /// The commit, where there is one.
    pub revision: Option<Revision>,
    /// What ran the tests.
    pub runner: RunBy,
    /// The seed everything random follows from.
    pub seed: Seed,
    /// The name of the baseline's fidelity profile.
    pub baseline: String,
    /// The name of the target's fidelity profile.
    pub target: String,
    /// The thresholds.
    pub policy: Policy,
    /// What became of each knob.
    pub knobs: Vec<KnobStatus>,
    /// The command line after `cargo fidelity`.
    pub arguments: Vec<String>,
    /// The version of the tool.
    pub tool_version: String,
    /// The passes of this run alone.
    pub passes: PassCounts,
    /// Trials of this run alone, those of cut-short passes included: what was paid.
    pub trials: u64,
    /// Wall time in milliseconds; of a run without an end, that of its passes.
    pub wall_ms: u64,
    /// Why it stopped; none while it runs, or if it was killed.
    pub stop: Option<StopReason>,
    /// Earlier runs whose passes count too, oldest first.
    pub joined: Vec<JoinedRun>,
    /// Tests with a suspicious history among those it executes.
    pub suspicious: u32,
    /// The blocks of passes that ran elsewhere; none for a run whose passes were drawn.
    pub blocks: Option<BlockFacts>,
    /// How they are screened, for people; none where nobody is screened harder.
    pub screened_harder: Option<String>,
}

impl RunFacts {
    /// Returns the name of an arm's fidelity profile.
    pub fn arm(&self, arm: Arm) -> &str {
        match arm {
            Arm::Baseline => &self.baseline,
            Arm::Target => &self.target,
        }
    }

    /// Returns the knobs the arms differ in.
    pub fn differing_knobs(&self) -> impl Iterator<Item = &KnobStatus> {
        self.knobs
            .iter()
            .filter(|knob| knob.baseline != knob.target)
    }

    /// Returns the applied knobs of the target that are harsher than production.
    pub fn beyond_production(&self) -> impl Iterator<Item = &KnobStatus> {
        self.differing_knobs()
            .filter(|knob| knob.applied && knob.beyond_production && knob.target.is_some())
    }
}

/// An earlier run whose passes count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedRun {
    /// Its identity.
    pub id: RunId,
    /// When it started, RFC 3339 in UTC.
    pub started_at: String,
    /// Its completed passes.
    pub passes: u32,
}

impl Report {
    /// Returns the report of `run`, which joined the passes of `joined`, with the verdicts reached on all of them.
    pub fn new(run: &StoredRun, joined: &[StoredRun], verdicts: &Verdicts) -> Self {
        Self::of_some((run, joined), verdicts, None)
    }

    /// Returns the same of some tests alone: those for which `shown`, by position, is true. The verdicts are those that were
    /// reached with all of them.
    pub fn of_some(
        (run, joined): (&StoredRun, &[StoredRun]),
        verdicts: &Verdicts,
        shown: Option<&[bool]>,
    ) -> Self {
        let asked_for = |index: usize| shown.is_none_or(|shown| shown.get(index) != Some(&false));
        let listed = run.tests.iter().enumerate();
        let (shown, left_out): (Vec<_>, Vec<_>) = listed
            // Tests that only joined runs executed belong to the family, but nobody asked for them now.
            .filter(|(_, test)| test.selected)
            .partition(|(index, _)| asked_for(*index));
        let shown: BTreeMap<usize, &ListedTest> = shown.into_iter().collect();
        let facts = run_facts(run, joined);
        let beyond = facts.beyond_production().next().is_some();
        let mut tests: Vec<TestReport> = verdicts
            .findings
            .iter()
            .filter(|finding| {
                let index = finding.test.get();
                shown.contains_key(&index) || run.tests.len() <= index
            })
            .map(|finding| test_report(finding, run.tests.get(finding.test.get()), &facts, beyond))
            .collect();
        absence::mark(&mut tests, (run, joined));
        tests.sort_by(|one, other| one.id().cmp(other.id()));
        let of_shown: Vec<&ListedTest> = shown.values().copied().collect();
        let mut problems = problems(run, &facts, &of_shown);
        problems.extend(absence::problem(&facts, &tests));
        let clusters = verdicts
            .clusters
            .iter()
            .map(|cluster| ClusterReport {
                reason: cluster.reason.clone(),
                members: cluster
                    .members
                    .iter()
                    .filter_map(|member| shown.get(&member.get()))
                    .map(|test| test.id.clone())
                    .collect(),
            })
            .collect();
        Self {
            tests,
            left_out: left_out.len(),
            clusters,
            problems,
            shared_names: shared_names(&verdicts.findings),
            conditions: facts.policy.fail_on.clone(),
            unread: Vec::new(),
            run: facts,
        }
    }

    /// Returns the report with other conditions for its gate; none for no gate.
    #[must_use]
    pub fn with_conditions(mut self, conditions: Vec<Condition>) -> Self {
        self.conditions = conditions;
        self
    }

    /// Returns the report of a call that could not read all of its input.
    #[must_use]
    pub fn with_unread(mut self, unread: &[String]) -> Self {
        self.unread = unread.to_vec();
        self
    }

    /// Returns the report with what experiments showed of causes. Of several for one test the one that found something
    /// speaks.
    #[must_use]
    pub fn with_attributions(mut self, attributions: &[StoredAttribution]) -> Self {
        for test in &mut self.tests {
            let mut of_test: Vec<&StoredAttribution> = attributions
                .iter()
                .filter(|stored| stored.test == test.finding.test)
                .collect();
            of_test.sort_by_key(|stored| stored.attribution.cause.is_none());
            test.attribution = of_test.first().map(|stored| stored.attribution.clone());
        }
        self
    }

    /// Returns the tests with a verdict, in the order of names.
    pub fn of_kind(&self, kind: VerdictKind) -> impl Iterator<Item = &TestReport> {
        self.tests.iter().filter(move |test| test.kind() == kind)
    }

    /// Returns the tests with a verdict that the gate looks at: none in quarantine.
    pub fn at_the_gate(&self, kind: VerdictKind) -> impl Iterator<Item = &TestReport> {
        self.of_kind(kind).filter(|test| !test.is_in_quarantine())
    }

    /// Returns the word that names a test on the command line: its name where that is unique, else binary and name.
    pub fn command_name(&self, id: &TestId) -> String {
        if self.shared_names.contains(&id.test) {
            shell_word(&id.to_string())
        } else {
            shell_word(&id.test)
        }
    }
}

/// Returns the names that occur more than once.
fn shared_names(findings: &[Finding]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    findings
        .iter()
        .map(|finding| finding.id.test.as_str())
        .filter(|name| !seen.insert(*name))
        .map(str::to_owned)
        .collect()
}

fn run_facts(run: &StoredRun, joined: &[StoredRun]) -> RunFacts {
    let suspicious = run
        .tests
        .iter()
        .filter(|test| test.selected && test.suspicious)
        .count();
    let header = &run.header;
    let mut passes = PassCounts::default();
    for pass in &run.passes {
        passes.add(pass);
    }
    let pass_ms = run.passes.iter().filter_map(|pass| pass.end.as_ref());
    RunFacts {
        id: header.id,
        started_at: header.started_at.clone(),
        revision: header.revision.clone(),
        runner: header.runner.clone(),
        seed: header.seed,
        baseline: header.baseline.name.clone(),
        target: header.target.name.clone(),
        policy: header.policy.clone(),
        knobs: header.knobs.clone(),
        arguments: header.arguments.clone(),
        tool_version: header.tool_version.clone(),
        passes,
        trials: run.passes.iter().map(trials).sum(),
        wall_ms: match &run.end {
            Some(end) => end.wall_ms,
            None => pass_ms.map(|(_, elapsed_ms)| elapsed_ms).sum(),
        },
        stop: run.end.as_ref().map(|end| end.stop.clone()),
        joined: joined
            .iter()
            .map(joined_run)
            // Those that only joined others, or were withdrawn, add nothing.
            .filter(|earlier| !header.ingested || 0 < earlier.passes)
            .collect(),
        blocks: header.ingested.then(|| block_facts(run, joined)),
        suspicious: u32::try_from(suspicious).unwrap_or(u32::MAX),
        screened_harder: super::plan::screened_harder(header, &run.tests),
    }
}

fn trials(pass: &PassRecord) -> u64 {
    let is_trial = |seen: &&Observation| seen.outcome.is_trial();
    pass.observations.iter().filter(is_trial).count() as u64
}

fn joined_run(run: &StoredRun) -> JoinedRun {
    let mut passes = PassCounts::default();
    for pass in &run.passes {
        passes.add(pass);
    }
    JoinedRun {
        id: run.header.id,
        started_at: run.header.started_at.clone(),
        passes: passes.completed(),
    }
}

fn test_report(
    finding: &Finding,
    listed: Option<&ListedTest>,
    facts: &RunFacts,
    beyond: bool,
) -> TestReport {
    let tolerance = listed.map_or(facts.policy.tolerance, |listed| {
        listed.tolerance(&facts.policy)
    });
    let quarantine = listed.and_then(said::quarantine_of);
    let lean = (finding.verdict.kind == VerdictKind::Undetermined)
        .then(|| lean(finding, tolerance))
        .flatten();
    let worse_in_target = matches!(
        lean.unwrap_or(finding.verdict.kind),
        VerdictKind::HiddenDefect
    ) || finding.verdict.reason == "worse-in-target";
    TestReport {
        finding: finding.clone(),
        lean,
        beyond_production: beyond && worse_in_target,
        terms: listed.and_then(|listed| listed.terms.clone()),
        quarantine: quarantine.map(|quarantine| QuarantineReport {
            expired: quarantine.has_expired(&facts.started_at),
            said: quarantine.clone(),
        }),
        presence: Default::default(),
        attribution: None,
    }
}

/// Returns where the evidence of an undecided test points, the decision table read without its thresholds.
fn lean(finding: &Finding, tolerance: f64) -> Option<VerdictKind> {
    let (baseline, target) = (&finding.baseline, &finding.target);
    let passes_in = |arm: &ArmEvidence| {
        0 < arm.trials && f64::from(arm.failures) <= tolerance * f64::from(arm.trials)
    };
    let failures = baseline.failures + target.failures;
    if finding.verdict.reason.starts_with("leans broken, ") {
        return Some(VerdictKind::Broken);
    }
    if baseline.trials == 0 || target.trials == 0 || failures == 0 {
        None
    } else if failures == baseline.trials + target.trials {
        Some(VerdictKind::Broken)
    } else if passes_in(baseline) && finding.e_mirror <= finding.e_value && 1.0 < finding.e_value {
        Some(VerdictKind::HiddenDefect)
    } else if passes_in(target) && finding.e_value <= finding.e_mirror && 1.0 < finding.e_mirror {
        Some(VerdictKind::BaselineOnly)
    } else {
        // One trial that failed and one of the other arm that did not say nothing about either arm.
        let is_mixed = |arm: &ArmEvidence| 0 < arm.failures && arm.failures < arm.trials;
        (is_mixed(baseline) || is_mixed(target)).then_some(VerdictKind::Flaky)
    }
}

#[cfg(test)]
mod tests;
