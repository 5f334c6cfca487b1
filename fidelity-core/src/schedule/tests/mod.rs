//! Scripts: what the scheduler asks, what it is told, what it asks then.

use crate::classify::{Finding, Verdicts, classify};
use crate::domain::{Environment, ListedTest, Observation, Outcome, Seed, TestId, VerdictKind};
use crate::simulate::stored;

use super::*;

mod annotated;
mod company;
mod disturbed;
mod families;
mod focus;
mod harder;
mod mass;
mod odd;
mod reuse;
mod screening;

/// The default policy without limits of time and without company.
fn policy() -> Policy {
    Policy {
        max_time_ms: None,
        company_after: 0,
        ..Policy::default()
    }
}

/// `count` tests of one binary.
fn tests(count: usize) -> Vec<ListedTest> {
    (0..count)
        .map(|number| ListedTest {
            id: TestId::new("planted", format!("test_{number:04}")),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect()
}

fn plan(count: usize, policy: Policy, seed: u64) -> Plan {
    Plan {
        tests: tests(count),
        policy,
        seed: Seed(seed),
    }
}

/// A scheduler with everything it was told.
struct Play {
    plan: Plan,
    scheduler: Scheduler,
    passes: Vec<PassRecord>,
}

impl Play {
    fn new(plan: Plan, joined: &[StoredRun]) -> Self {
        Self {
            scheduler: Scheduler::new(plan.clone(), joined),
            plan,
            passes: Vec::new(),
        }
    }

    /// The pass asked for.
    fn asked(&self) -> PassSpec {
        match self.scheduler.next() {
            Step::Pass(spec) => spec,
            Step::Done(stop) => panic!("done: {stop:?}"),
        }
    }

    /// Answers the pass asked for, test by test, after one second, and returns what was asked.
    fn answer(&mut self, outcome: impl Fn(&PassSpec, u32) -> Outcome) -> PassSpec {
        let spec = self.asked();
        let pass = pass_of(&spec, outcome);
        self.tell(pass);
        spec
    }

    fn tell(&mut self, pass: PassRecord) {
        self.scheduler.record(&pass);
        self.passes.push(pass);
    }

    /// Answers until the scheduler is done, and returns why and how many passes of each phase that took.
    fn finish(&mut self, outcome: impl Fn(&PassSpec, u32) -> Outcome) -> StopReason {
        for _ in 0..2_000 {
            match self.scheduler.next() {
                Step::Pass(spec) => {
                    let pass = pass_of(&spec, &outcome);
                    self.tell(pass);
                }
                Step::Done(stop) => return stop,
            }
        }
        panic!("no end after 2,000 passes");
    }

    fn screened(plan: Plan, outcome: impl Fn(&PassSpec, u32) -> Outcome) -> Self {
        let mut play = Self::new(plan, &[]);
        while play.scheduler.screen_left != [0, 0] {
            play.answer(&outcome);
        }
        play
    }

    fn count(&self, phase: Phase) -> usize {
        self.passes
            .iter()
            .filter(|pass| pass.spec.phase == phase)
            .count()
    }

    fn verdicts(&self) -> Verdicts {
        classify(self.scheduler.evidence(), &self.plan.policy)
    }

    fn finding(&self, test: usize) -> Finding {
        self.verdicts().findings[test].clone()
    }

    /// The verdict in words: kind and reason.
    fn verdict(&self, test: usize) -> (VerdictKind, String) {
        let verdict = self.finding(test).verdict;
        (verdict.kind, verdict.reason)
    }

    /// The run as a store would give it back.
    fn stored(&self) -> StoredRun {
        stored(&self.plan, self.passes.clone())
    }
}

fn pass_of(spec: &PassSpec, outcome: impl Fn(&PassSpec, u32) -> Outcome) -> PassRecord {
    PassRecord {
        spec: spec.clone(),
        environment: Environment::default(),
        observations: spec
            .tests
            .iter()
            .map(|test| observation(*test, outcome(spec, test.0)))
            .collect(),
        end: Some((PassEnd::Completed, 1_000)),
        machine: None,
        origin: None,
    }
}

fn observation(test: TestIndex, outcome: Outcome) -> Observation {
    Observation {
        test,
        attempt: 0,
        outcome,
        duration_us: 1_000,
        failure: None,
        leaked: 0,
    }
}

fn failed_if(failed: bool) -> Outcome {
    if failed {
        Outcome::Failed
    } else {
        Outcome::Passed
    }
}

fn in_target(spec: &PassSpec) -> bool {
    spec.arm == Arm::Target
}
