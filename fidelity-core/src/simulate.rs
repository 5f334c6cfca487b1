//! Planted truths driving the real scheduler: for tests, benchmarks and planning. No IO.
//!
//! A [`World`] knows how each test behaves and answers passes; [`run`] lets the scheduler ask until it is done. The
//! world's randomness is its own, so that what is drawn for a test never depends on what the scheduler draws.

use std::collections::BTreeMap;

use crate::classify::{Finding, classify};
use crate::domain::{
    Arm, FidelityProfile, Fingerprint, PassRecord, Policy, RunHeader, RunId, Seed, StopReason,
    StoredRun, TestIndex, VerdictKind,
};
use crate::plan::Plan;
use crate::schedule::{Scheduler, Step};

pub mod lone;
pub mod matrix;
mod world;

pub use world::{Truth, World};

/// A run that came to its end.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The scheduler, with all evidence.
    pub scheduler: Scheduler,
    /// Why it stopped.
    pub stop: StopReason,
    /// Trials made.
    pub trials: u64,
    /// Passes made.
    pub passes: u32,
}

/// Lets the scheduler ask and the world answer until the run is over; `watch` sees every pass after it was recorded.
pub fn run(
    plan: Plan,
    joined: &[StoredRun],
    world: &mut World,
    mut watch: impl FnMut(&Scheduler, PassRecord),
) -> Ended {
    let mut scheduler = Scheduler::new(plan, joined);
    let (mut trials, mut passes) = (0, 0);
    loop {
        match scheduler.next() {
            Step::Done(stop) => {
                return Ended {
                    scheduler,
                    stop,
                    trials,
                    passes,
                };
            }
            Step::Pass(spec) => {
                let pass = world.answer(&spec);
                trials += pass.observations.len() as u64;
                passes += 1;
                scheduler.record(&pass);
                watch(&scheduler, pass);
            }
        }
    }
}

/// Returns a simulated run as a store would give it back, so that others can join it.
pub fn stored(plan: &Plan, passes: Vec<PassRecord>) -> StoredRun {
    StoredRun {
        header: header(plan),
        tests: plan.tests.clone().into(),
        passes,
        end: None,
    }
}

fn header(plan: &Plan) -> RunHeader {
    let profile = |name: &str| FidelityProfile {
        name: name.to_owned(),
        knobs: BTreeMap::new(),
    };
    RunHeader {
        binaries: Vec::new(),
        id: RunId(u128::from(plan.seed.0)),
        started_at: "2025-01-01T00:00:00Z".to_owned(),
        seed: plan.seed,
        seed_given: false,
        policy: plan.policy.clone(),
        baseline: profile("low"),
        target: profile("high"),
        knobs: Vec::new(),
        parallelism: 1,
        fingerprint: Fingerprint {
            binaries: String::new(),
            profiles: String::new(),
            toolchain: String::new(),
        },
        runner: Default::default(),
        revision: None,
        joined: Vec::new(),
        exposing: BTreeMap::new(),
        ingested: false,
        withdraws: Vec::new(),
        tool_version: String::new(),
        arguments: Vec::new(),
        workspace: "workspace".into(),
        problems: Vec::new(),
    }
}

/// Returns the highest log e-value for "worse in the target" that a lone test reaches over the screening and
/// `passes` focus passes, looked at after every pass; none where it never became a suspect.
///
/// Nothing but a closed question (a large difference is excluded) stops the run earlier: whoever looks, looks as
/// often as possible.
///
/// With `suspicious` the test has a history, and is screened with 10 target passes instead of 5.
pub fn highest_log_e(truth: Truth, seed: u64, passes: u32, suspicious: bool) -> Option<f64> {
    let policy = Policy {
        // So small that no e-value of these lengths is ever enough to stop.
        fdr: f64::MIN_POSITIVE,
        max_passes: passes,
        futile_after: passes,
        company_after: 0,
        max_time_ms: None,
        ..Policy::default()
    };
    let mut world = World::new(vec![truth], seed);
    let mut tests = world.tests();
    for test in &mut tests {
        test.suspicious = suspicious;
    }
    let plan = Plan {
        tests,
        policy,
        seed: Seed(seed),
    };
    let mut highest: Option<f64> = None;
    run(plan, &[], &mut world, |scheduler, _| {
        if let Some((suspicion, _)) = scheduler.evidence().standing(TestIndex(0)) {
            let now = suspicion.log_e(Arm::Target);
            highest = Some(highest.map_or(now, |before| before.max(now)));
        }
    });
    highest
}

/// Returns how many of a suite's tests are reported as hidden defects by one run under this policy.
pub fn reported_defects(truths: &[Truth], policy: &Policy, seed: u64) -> usize {
    let mut world = World::new(truths.to_vec(), seed);
    let plan = Plan {
        tests: world.tests(),
        policy: policy.clone(),
        seed: Seed(seed),
    };
    reported(&run(plan, &[], &mut world, |_, _| {}), policy)
}

/// Returns how many of a suite's tests the second of two runs reports as hidden defects, where the first does not join and
/// is the second's history: `picks` says which tests it makes suspicious.
pub fn reported_with_history(
    truths: &[Truth],
    policy: &Policy,
    seed: u64,
    picks: impl Fn(&Finding) -> bool,
) -> usize {
    let mut world = World::new(truths.to_vec(), seed);
    let mut plan = Plan {
        tests: world.tests(),
        policy: policy.clone(),
        seed: Seed(seed),
    };
    let first = run(plan.clone(), &[], &mut world, |_, _| {});
    let verdicts = classify(first.scheduler.evidence(), policy);
    for (test, finding) in plan.tests.iter_mut().zip(&verdicts.findings) {
        test.suspicious = picks(finding);
    }
    plan.seed = Seed(seed.wrapping_add(SECOND_RUN));
    reported(&run(plan, &[], &mut world, |_, _| {}), policy)
}

/// Keeps the seeds of second runs off those of first ones.
const SECOND_RUN: u64 = 1 << 40;

fn reported(ended: &Ended, policy: &Policy) -> usize {
    classify(ended.scheduler.evidence(), policy)
        .findings
        .iter()
        .filter(|finding| finding.verdict.kind == VerdictKind::HiddenDefect)
        .count()
}

#[cfg(test)]
mod calibration;
