//! A suite with planted behaviour that answers passes. Its randomness is its own. No IO.

use std::collections::BTreeMap;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::domain::{
    Arm, CapturedOutput, Environment, Failure, FidelityProfile, KnobId, KnobSetting, KnobValue,
    ListedTest, Observation, Outcome, PassEnd, PassRecord, PassSpec, Seed, TestId,
};

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
    /// Fails with this rate in the target while the world's choice has this value, and never otherwise.
    Under(u64, f64),
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
    choice: Option<Choice>,
}

/// A `one-of` knob of the target.
#[derive(Clone, Debug)]
struct Choice {
    target: FidelityProfile,
    exposing: BTreeMap<KnobId, Vec<u32>>,
    seed: Seed,
}

/// The name of the one knob a world can have.
const CHOICE: &str = "choice";

impl Choice {
    /// Returns the value a pass draws; none in the baseline.
    fn value(&self, spec: &PassSpec) -> Option<u64> {
        let target = match spec.screens_harder() {
            true => self.target.limited_to(&self.exposing),
            false => self.target.clone(),
        };
        let drawn = target.draw(self.seed, spec.arm, spec.arm_pass);
        match drawn.0.get(&KnobId::from(CHOICE)) {
            Some(KnobValue::Count(value)) if spec.arm == Arm::Target => Some(*value),
            _ => None,
        }
    }
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
            choice: None,
        }
    }

    /// Gives the target a knob that draws one of the values 0, 1 ... below `values` for each pass, those at the positions
    /// `exposing` having exposed defects before.
    #[must_use]
    pub fn with_choice(mut self, values: u64, exposing: Vec<u32>, seed: u64) -> Self {
        let knob = KnobId::from(CHOICE);
        let values = (0..values).map(KnobValue::Count).collect();
        self.choice = Some(Choice {
            target: FidelityProfile {
                name: "high".to_owned(),
                knobs: BTreeMap::from([(knob.clone(), KnobSetting::OneOf(values))]),
            },
            exposing: BTreeMap::from([(knob, exposing)]),
            seed: Seed(seed),
        });
        self
    }

    /// Returns a list of tests of one binary for this world, all selected.
    pub fn tests(&self) -> Vec<ListedTest> {
        (0..self.truths.len())
            .map(|number| ListedTest {
                id: TestId::new("planted", format!("test_{number:06}")),
                selected: true,
                suspicious: false,
                terms: None,
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
            machine: None,
            origin: None,
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
                self.uniform() < in_arm(baseline, target) && !spec.scope.is_narrow()
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
            Truth::Under(value, rate) => {
                let drawn = self.choice.as_ref().and_then(|choice| choice.value(spec));
                self.uniform() < rate && drawn == Some(value)
            }
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
