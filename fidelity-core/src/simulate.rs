//! Planted truths driving the real scheduler: for tests, benchmarks and planning. No IO.
//!
//! A [`World`] knows how each test behaves and answers passes; [`run`] lets the scheduler ask until it is done. The
//! world's randomness is its own, so that what is drawn for a test never depends on what the scheduler draws.

use std::collections::BTreeMap;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::classify::{Finding, classify};
use crate::domain::{
    Arm, CapturedOutput, Environment, Failure, FidelityProfile, Fingerprint, ListedTest,
    Observation, Outcome, PassEnd, PassRecord, PassSpec, Policy, RunHeader, RunId, Scope, Seed,
    StopReason, StoredRun, TestId, TestIndex, VerdictKind,
};
use crate::plan::Plan;
use crate::schedule::{Scheduler, Step};

pub mod lone;

/// How a test behaves. The first number of a pair of rates is the baseline's, the second the target's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Truth {
    /// Never fails.
    Sound,
    /// Fails with these rates, each trial for itself.
    Rates(f64, f64),
    /// Fails with these rates, in the same passes as every other test of the group.
    Together(u32, f64, f64),
    /// Times out with these rates; with more time it passes.
    Slow(f64, f64),
    /// Fails with these rates among the whole suite or its binary, never among suspects only.
    InCompany(f64, f64),
    /// Fails with the first rate for ten passes, with the second for the next ten, and so on, in either arm.
    Drifting(f64, f64),
    /// Passes and fails in turn, in either arm.
    Alternating,
    /// Fails in whatever pass follows a baseline pass: something was left behind.
    AfterBaseline,
    /// Never runs.
    Ignored,
}

/// Passes before [`Truth::Drifting`] changes its rate.
const DRIFT_EVERY: u32 = 10;
/// Wall time of a trial and of the overhead of a pass.
const TRIAL_US: u64 = 1_000;

/// A suite with planted behaviour.
#[derive(Clone, Debug)]
pub struct World {
    truths: Vec<Truth>,
    random: Pcg64Mcg,
    passes: u32,
    previous: Option<Arm>,
}

impl World {
    /// Returns a world in which the tests of a list behave like this, in the list's order.
    pub fn new(truths: Vec<Truth>, seed: u64) -> Self {
        let mut state = [0; 16];
        state[..8].copy_from_slice(&seed.to_le_bytes());
        state[8..].copy_from_slice(&0x5eed_u64.to_le_bytes());
        let mut random = Pcg64Mcg::from_seed(state);
        // Neighbouring seeds start alike; a few steps part them.
        for _ in 0..8 {
            random.next_u64();
        }
        Self {
            truths,
            random,
            passes: 0,
            previous: None,
        }
    }

    /// Returns a list of tests of one binary for this world, all selected.
    pub fn tests(&self) -> Vec<ListedTest> {
        (0..self.truths.len())
            .map(|number| ListedTest {
                id: TestId::new("planted", format!("test_{number:06}")),
                selected: true,
                suspicious: false,
            })
            .collect()
    }

    /// Executes a pass.
    pub fn answer(&mut self, spec: &PassSpec) -> PassRecord {
        self.passes += 1;
        let mut groups = BTreeMap::new();
        let observations: Vec<Observation> = spec
            .tests
            .iter()
            .map(|test| {
                let truth = self.truths.get(test.get()).copied();
                let outcome = self.outcome(truth.unwrap_or(Truth::Sound), spec, &mut groups);
                Observation {
                    test: *test,
                    attempt: 0,
                    outcome,
                    duration_us: TRIAL_US,
                    failure: outcome
                        .is_failure()
                        .then(|| Box::new(failure(truth, test.0))),
                    leaked: 0,
                }
            })
            .collect();
        self.previous = Some(spec.arm);
        let elapsed_ms = observations.len() as u64 * TRIAL_US / 1_000;
        PassRecord {
            spec: spec.clone(),
            environment: Environment::default(),
            observations,
            end: Some((PassEnd::Completed, elapsed_ms)),
        }
    }

    fn outcome(
        &mut self,
        truth: Truth,
        spec: &PassSpec,
        groups: &mut BTreeMap<u32, f64>,
    ) -> Outcome {
        let in_arm = |baseline, target| match spec.arm {
            Arm::Baseline => baseline,
            Arm::Target => target,
        };
        let failed = match truth {
            Truth::Sound => false,
            Truth::Rates(baseline, target) => self.uniform() < in_arm(baseline, target),
            Truth::Together(group, baseline, target) => {
                let draw = *groups.entry(group).or_insert_with(|| self.uniform());
                draw < in_arm(baseline, target)
            }
            Truth::Slow(baseline, target) => {
                return if self.uniform() < in_arm(baseline, target) && spec.timeout_factor < 2 {
                    Outcome::TimedOut
                } else {
                    Outcome::Passed
                };
            }
            Truth::InCompany(baseline, target) => {
                self.uniform() < in_arm(baseline, target) && spec.scope != Scope::Suspects
            }
            Truth::Drifting(first, second) => {
                let turn = (self.passes - 1) / DRIFT_EVERY;
                self.uniform()
                    < if turn.is_multiple_of(2) {
                        first
                    } else {
                        second
                    }
            }
            Truth::Alternating => self.passes % 2 == 1,
            Truth::AfterBaseline => self.previous == Some(Arm::Baseline),
            Truth::Ignored => return Outcome::Skipped,
        };
        if failed {
            Outcome::Failed
        } else {
            Outcome::Passed
        }
    }

    /// Returns a number uniform in [0, 1).
    fn uniform(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Tests of a group fail with one signature, every other test with its own.
fn failure(truth: Option<Truth>, test: u32) -> Failure {
    let signature = match truth {
        Some(Truth::Together(group, ..)) => format!("group {group}"),
        _ => format!("test {test}"),
    };
    Failure {
        message: signature.clone(),
        signature,
        output: CapturedOutput::default(),
    }
}

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
        tests: plan.tests.clone(),
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
        revision: None,
        joined: Vec::new(),
        exposing: BTreeMap::new(),
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
