//! From evidence to verdicts: the decision table.

use crate::domain::{TestId, TestIndex, Verdict};

/// What was counted of one test in one arm.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ArmEvidence {
    /// Trials that count (first attempts of completed passes, mass repeats and timeout checks left out).
    pub trials: u32,
    /// Trials that failed, timed out or crashed.
    pub failures: u32,
    /// Of the failures, those that timed out.
    pub timeouts: u32,
    /// Of the failures, those that crashed.
    pub crashes: u32,
    /// Planned trials that nobody reported.
    pub not_reported: u32,
    /// Clopper-Pearson interval of the failure rate at the policy's confidence; (0, 1) without trials.
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
