//! From evidence to verdicts: the decision table. The first row that applies, applies.
//!
//! | verdict | when | reason |
//! |---|---|---|
//! | broken, flaky, stable | the test is run in one arm only: from that arm | `baseline only`, `target only` |
//! | undetermined | an arm has no reported trial | `not compared: no trial`, `not compared: no baseline trial`, `not compared: no target trial` |
//! | broken | every trial failed, in each arm at least [`BROKEN_AFTER`] or as many as its authors allow | (none) |
//! | hidden-defect | e-BH says "worse in the target, and the baseline passes" | `always`, `intermittent`, `timeout` (still with more time), `timeout, passes with more time`, `timeout, not checked` |
//! | baseline-only | e-BH says "worse in the baseline, and the target passes" | `always`, `intermittent`, `timeout, not checked` |
//! | flaky | both outcomes within one arm, and it failed in the baseline or a target worse by ten points is excluded | (none), `worse-in-target`, `worse-in-baseline` |
//! | undetermined | it failed | `leans broken`, `leans hidden-defect`, `leans baseline-only`, `leans flaky`, `leans nowhere` |
//! | undetermined | it never failed, but some planned trial was not reported | `not reported` |
//! | undetermined | no first trial of a pass failed, but a further one did | `only further trials failed` |
//! | stable | no failure in either arm | (none) |
//!
//! An arm passes if at most the policy's `tolerance` of its trials failed. For a test that failed only in mass
//! failures the pool of the mass failure stands in where evidence is asked for, and `mass-failure` is added to the
//! reason (`always, mass-failure`); `one-off, mass-failure` is undetermined, and says that it did not happen again.
//!
//! Knows evidence and policy; nothing of stores, passes to come or formats.

use std::collections::BTreeMap;

use crate::domain::{Arm, ListedTest, Policy, StoredRun, TestId, TestIndex, Verdict};
use crate::evidence::Evidence;
use crate::evidence::book::{ArmCounts, TestBook};
use crate::evidence::family::Bond;
use crate::stats::binomial::{clopper_pearson, excluded_rate};
use crate::stats::fisher;

mod case;

use case::Case;

/// Trials that have to fail in each arm before a test is called broken.
pub const BROKEN_AFTER: u32 = 5;

/// Focus trials of the target that have to pass before a test is said to fail only in company.
const ALONE_AT_LEAST: u32 = 5;

/// The reason of a test that failed in further trials of a pass only: of those only the first is evidence.
pub(crate) const ONLY_FURTHER: &str = "only further trials failed";

/// What was counted of one test in one arm.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ArmEvidence {
    /// Reported trials that count (first attempts of completed passes, mass repeats and timeout checks left out).
    pub trials: u32,
    /// Trials that failed, timed out or crashed.
    pub failures: u32,
    /// Of the failures, those that timed out.
    pub timeouts: u32,
    /// Of the failures, those that crashed.
    pub crashes: u32,
    /// Planned trials that nobody reported; not among `trials`.
    pub not_reported: u32,
    /// Further trials of a pass, not among `trials` and no evidence, that failed.
    pub further_failures: u32,
    /// Clopper-Pearson interval of the failure rate at the policy's confidence; (0, 1) without trials. Without
    /// failures the upper end is the one-sided bound: the rate that is excluded.
    pub bounds: (f64, f64),
}

/// One test's verdict with the evidence behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Its position in the run's list.
    pub test: TestIndex,
    /// Its identity.
    pub id: TestId,
    /// The verdict.
    pub verdict: Verdict,
    /// What was counted in the baseline.
    pub baseline: ArmEvidence,
    /// What was counted in the target.
    pub target: ArmEvidence,
    /// Evidence for "worse in the target", 1 before the first failure.
    pub e_value: f64,
    /// Evidence for "worse in the baseline".
    pub e_mirror: f64,
    /// The e-value that would decide: the e-BH threshold of its family now; none for a test that is no suspect.
    pub e_needed: Option<f64>,
    /// About how many more passes would decide; none where none would, or where nothing is open.
    pub needs_passes: Option<u32>,
    /// Its generation of suspects, from 1; none for a test that never failed in a screening or company pass.
    pub generation: Option<u32>,
    /// Position of its cluster in [`Verdicts::clusters`].
    pub cluster: Option<usize>,
    /// The most frequent failure signature.
    pub signature: Option<String>,
    /// The message that goes with the signature.
    pub message: Option<String>,
    /// Mean wall time of its trials in microseconds; none without one.
    pub mean_duration_us: Option<u64>,
    /// Whether failures cluster between passes, so that the intervals are optimistic.
    pub clustered_failures: bool,
    /// Whether every failure of the target was seen in full or binary passes and none in focus passes.
    pub only_in_company: bool,
    /// One-sided Fisher p-value for "worse in the target": fixed sample, assumes independent runs; decides nothing.
    pub fisher_p: Option<f64>,
}

/// Tests that fail together or alike: one cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// Its members, at least two, sorted.
    pub members: Vec<TestIndex>,
    /// What joins them, for people: the signature, or "fail in the same passes", or "mass failure".
    pub reason: String,
}

/// The verdicts of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdicts {
    /// One entry a test, sorted by identity.
    pub findings: Vec<Finding>,
    /// Clusters of at least two tests, in the order of their first members.
    pub clusters: Vec<Cluster>,
}

/// Returns the verdicts of a run, from the stored passes of the run and of the runs it joins.
///
/// The result is what the live run said: both fill the same book with the same passes.
pub fn verdicts_of(run: &StoredRun, joined: &[StoredRun]) -> Verdicts {
    let policy = &run.header.policy;
    if run.header.ingested {
        return classify(&Evidence::of_blocks(run, joined), policy);
    }
    let mut evidence = Evidence::gather(&run.tests, policy, run.header.seed, joined);
    for pass in &run.passes {
        evidence.record(pass);
    }
    classify(&evidence, policy)
}

/// Returns one verdict a test, and the clusters.
pub fn classify(evidence: &Evidence, policy: &Policy) -> Verdicts {
    let clusters = clusters(evidence);
    let mut cluster_of = BTreeMap::new();
    for (position, cluster) in clusters.iter().enumerate() {
        for member in &cluster.members {
            cluster_of.insert(*member, position);
        }
    }
    let mut bounds = Bounds::new(policy.confidence);
    let findings = (0_u32..)
        .map(TestIndex)
        .zip(evidence.books())
        .map(|(test, book)| Finding {
            cluster: cluster_of.get(&test).copied(),
            ..finding(evidence, policy, (test, book), &mut bounds)
        })
        .collect();
    Verdicts { findings, clusters }
}

/// Returns whether every trial failed: such a test is sampled until it is broken.
pub fn fails_always(arms: &[ArmCounts; 2]) -> bool {
    arms.iter()
        .all(|arm| arm.trials > 0 && arm.failures == arm.trials && arm.not_reported == 0)
}

/// Returns how many trials of an arm have to fail before a test is called broken: [`BROKEN_AFTER`], unless its authors allow
/// fewer.
pub fn broken_after(listed: &ListedTest) -> u32 {
    let allowed = listed.annotation().and_then(|annotation| annotation.trials);
    allowed.map_or(BROKEN_AFTER, |allowed| allowed.min(BROKEN_AFTER))
}

/// Returns whether a test with these counts, that is broken after so many failures, is.
pub fn is_broken(arms: &[ArmCounts; 2], broken_after: u32) -> bool {
    fails_always(arms) && arms.iter().all(|arm| arm.trials >= broken_after)
}

fn finding(
    evidence: &Evidence,
    policy: &Policy,
    (test, book): (TestIndex, &TestBook),
    bounds: &mut Bounds,
) -> Finding {
    let [baseline, target] = &book.arms;
    let standing = evidence.standing(test);
    let case = Case::new(evidence, policy, test, book);
    let verdict = case.verdict();
    let e_value = |worse: Arm| {
        standing.map_or(1.0, |(suspicion, _)| {
            suspicion.log_e(worse).exp().min(f64::MAX)
        })
    };
    let log_needed = standing.map(|(suspicion, _)| evidence.log_needed(suspicion));
    let failing = book.failing.as_deref();
    let signature = failing
        .and_then(|failing| failing.main_signature())
        .and_then(|signature| evidence.signature(signature));
    let compared = baseline.trials > 0 && target.trials > 0;
    Finding {
        test,
        id: evidence.tests()[test.get()].id.clone(),
        needs_passes: case.needs_passes(&verdict, log_needed),
        verdict,
        baseline: bounds.evidence(baseline),
        target: bounds.evidence(target),
        e_value: e_value(Arm::Target),
        e_mirror: e_value(Arm::Baseline),
        e_needed: log_needed.map(f64::exp),
        generation: standing.map(|(suspicion, _)| {
            suspicion
                .generation
                .unwrap_or_else(|| evidence.next_generation())
        }),
        cluster: None,
        signature: signature.map(|signature| signature.text.clone()),
        message: signature.map(|signature| signature.message.clone()),
        mean_duration_us: book.mean_duration_us(),
        clustered_failures: failing.is_some_and(|failing| failing.clustered()),
        only_in_company: failing.is_some_and(|failing| {
            let alone = failing.alone[Arm::Target.index()];
            target.failures > 0 && alone.failures == 0 && alone.trials >= ALONE_AT_LEAST
        }),
        fisher_p: compared.then(|| fisher::one_sided(baseline.tally(false), target.tally(false))),
    }
}

/// Returns every unit of two or more tests, in the order of their first members.
fn clusters(evidence: &Evidence) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = evidence
        .generations()
        .iter()
        .flat_map(|generation| &generation.units)
        .filter(|unit| unit.members.len() >= 2)
        .map(|unit| Cluster {
            members: unit.members.clone(),
            reason: match unit.bond {
                Some(Bond::Signature(signature)) => evidence
                    .signature(signature)
                    .map_or_else(String::new, |signature| signature.text.clone()),
                _ => "fail in the same passes".to_owned(),
            },
        })
        .collect();
    if let Some(pool) = evidence.pool() {
        let members: Vec<TestIndex> = pool.represented(evidence.books()).collect();
        if members.len() >= 2 {
            clusters.push(Cluster {
                members,
                reason: "mass failure".to_owned(),
            });
        }
    }
    clusters.sort_by(|a, b| a.members.cmp(&b.members));
    clusters
}

/// Intervals by counts: most tests of a suite have the same.
struct Bounds {
    confidence: f64,
    known: BTreeMap<(u32, u32), (f64, f64)>,
}

impl Bounds {
    fn new(confidence: f64) -> Self {
        Self {
            confidence,
            known: BTreeMap::new(),
        }
    }

    fn evidence(&mut self, arm: &ArmCounts) -> ArmEvidence {
        let confidence = self.confidence;
        let bounds = *self
            .known
            .entry((arm.failures, arm.trials))
            .or_insert_with(|| {
                if arm.failures == 0 {
                    (0.0, excluded_rate(arm.trials, confidence).unwrap_or(1.0))
                } else {
                    clopper_pearson(arm.failures, arm.trials, confidence).unwrap_or((0.0, 1.0))
                }
            });
        ArmEvidence {
            trials: arm.trials,
            failures: arm.failures,
            timeouts: arm.timeouts,
            crashes: arm.crashes,
            not_reported: arm.not_reported,
            further_failures: arm.further_failures,
            bounds,
        }
    }
}

#[cfg(test)]
mod tests;
