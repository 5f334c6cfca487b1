//! Simulated CI matrices: blocks of passes whose labels nobody drew, over tests that behave as CI makes them behave.
//!
//! Its randomness is its own. No IO.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use crate::classify::classify;
use crate::domain::{
    Arm, BlockId, Environment, ListedTest, Observation, Origin, Outcome, PassEnd, PassRecord,
    PassSpec, Phase, Policy, Scope, SourceFile, TestId, TestIndex, VerdictKind,
};
use crate::evidence::Evidence;

/// How the tests that do not care about the arm behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Each at its own rate, always.
    Steady,
    /// Rates wander from block to block, for all tests together and for each on its own.
    Drifting,
    /// In most blocks a test is sound, in some it fails nearly always.
    Clustered,
    /// Both, and passes in which the machine goes away and most of the suite fails, whatever the arm; and groups of ten tests
    /// that fail in the same passes.
    Stormy,
    /// What the rule for blocks does not allow: passes of the target ran on slower machines, where flaky tests fail three
    /// times as often.
    Unfair,
}

/// A CI matrix.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    /// Tests that fail now and then, in both arms alike: their rates are spread from 0.001 to 0.9.
    pub flaky: u32,
    /// Tests that fail in the target only.
    pub defects: u32,
    /// The rate at which those fail there.
    pub defect_rate: f64,
    /// Blocks.
    pub blocks: u32,
    /// Passes of each block: baseline, target.
    pub sides: (u32, u32),
    /// How the flaky tests behave.
    pub weather: Weather,
}

/// What came of a matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcomes {
    /// Flaky tests that failed at least once.
    pub suspects: u32,
    /// Of these, called hidden-defect.
    pub false_defects: u32,
    /// Defects called hidden-defect.
    pub found: u32,
    /// Flaky suspects whose e-value reached 20, 100 and 1,000.
    pub reached: [u32; 3],
}

impl Outcomes {
    /// Returns the share of false ones among the reported hidden defects; 0 where none is reported.
    pub fn false_share(&self) -> f64 {
        f64::from(self.false_defects) / f64::from((self.false_defects + self.found).max(1))
    }
}

/// Returns what `policy` makes of a matrix drawn from `seed`.
pub fn outcomes(matrix: &Matrix, policy: &Policy, seed: u64) -> Outcomes {
    let tests: Vec<ListedTest> = (0..matrix.flaky + matrix.defects)
        .map(|number| ListedTest {
            id: TestId::new("matrix", format!("test_{number:05}")),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect();
    let evidence = Evidence::of_ingested(&tests, policy, &passes(matrix, seed));
    let mut outcomes = Outcomes::default();
    for finding in classify(&evidence, policy).findings {
        let reported = finding.verdict.kind == VerdictKind::HiddenDefect;
        if finding.test.0 >= matrix.flaky {
            outcomes.found += u32::from(reported);
            continue;
        }
        outcomes.suspects += u32::from(finding.generation.is_some());
        outcomes.false_defects += u32::from(reported);
        for (reached, bar) in outcomes.reached.iter_mut().zip([20.0, 100.0, 1000.0]) {
            *reached += u32::from(finding.e_value >= bar);
        }
    }
    outcomes
}

/// Returns the passes of a matrix drawn from `seed`.
pub fn passes(matrix: &Matrix, seed: u64) -> Vec<PassRecord> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut climate = Climate::new(matrix, &mut random);
    let mut passes = Vec::new();
    for block in 0..matrix.blocks {
        climate.turn(&mut random);
        let sides = [
            (Arm::Baseline, matrix.sides.0),
            (Arm::Target, matrix.sides.1),
        ];
        for (arm, count) in sides {
            for _ in 0..count {
                let failing = climate.failing(arm, &mut random);
                let number = passes.len() as u32 + 1;
                passes.push(pass((block, number), arm, &failing));
            }
        }
    }
    passes
}

/// The rates of the flaky tests, as they change from block to block.
struct Climate {
    matrix: Matrix,
    /// Log odds of failing, by nature and with the weather of this block.
    own: Vec<f64>,
    now: Vec<f64>,
    common: f64,
}

/// Tests that fail together, where the weather is stormy.
const GROUP: usize = 10;

impl Climate {
    fn new(matrix: &Matrix, random: &mut Pcg64Mcg) -> Self {
        let rate = |random: &mut Pcg64Mcg| (0.001_f64.ln() + uniform(random) * 900_f64.ln()).exp();
        let own: Vec<f64> = (0..matrix.flaky)
            .map(|_| {
                let rate = rate(random);
                (rate / (1.0 - rate)).ln()
            })
            .collect();
        Self {
            matrix: *matrix,
            now: own.clone(),
            own,
            common: 0.0,
        }
    }

    /// Goes on to the next block.
    fn turn(&mut self, random: &mut Pcg64Mcg) {
        let mut step = |size: f64| -> f64 { size * (2.0 * uniform(random) - 1.0) };
        match self.matrix.weather {
            Weather::Steady | Weather::Unfair => {}
            Weather::Drifting => {
                self.common += step(1.0);
                for odds in &mut self.now {
                    *odds += step(1.0);
                }
            }
            Weather::Clustered | Weather::Stormy => {
                self.common = step(2.0);
                for (now, own) in self.now.iter_mut().zip(&self.own) {
                    *now = if step(1.0) > 0.4 {
                        own + 5.0
                    } else {
                        own - 3.0
                    };
                }
            }
        }
    }

    /// Returns which tests fail in a pass.
    fn failing(&self, arm: Arm, random: &mut Pcg64Mcg) -> Vec<bool> {
        let stormy = self.matrix.weather == Weather::Stormy;
        let outage = stormy && uniform(random) < 0.05;
        let unfair = self.matrix.weather == Weather::Unfair && arm == Arm::Target;
        let mut together = uniform(random);
        let mut failing = Vec::new();
        for (test, odds) in self.now.iter().enumerate() {
            let odds = odds + self.common + if unfair { 3_f64.ln() } else { 0.0 };
            let rate = 1.0 / (1.0 + (-odds).exp());
            let in_group = stormy && test < 3 * GROUP;
            let draw = uniform(random);
            if in_group && test % GROUP == 0 {
                together = draw;
            }
            let draw = if in_group { together } else { draw };
            failing.push(draw < rate || (outage && uniform(random) < 0.9));
        }
        for _ in 0..self.matrix.defects {
            let draw = uniform(random);
            failing.push(arm == Arm::Target && draw < self.matrix.defect_rate);
        }
        failing
    }
}

fn pass((block, number): (u32, u32), arm: Arm, failing: &[bool]) -> PassRecord {
    let tests: Vec<TestIndex> = (0..failing.len() as u32).map(TestIndex).collect();
    let observations = tests.iter().zip(failing).map(|(test, failed)| Observation {
        test: *test,
        attempt: 0,
        outcome: if *failed {
            Outcome::Failed
        } else {
            Outcome::Passed
        },
        duration_us: 1_000,
        failure: None,
        leaked: 0,
    });
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_le_bytes());
    PassRecord {
        observations: observations.collect(),
        spec: PassSpec {
            number,
            phase: Phase::Ingested,
            arm,
            target_probability: if arm == Arm::Target { 1.0 } else { 0.0 },
            scope: Scope::Suite,
            tests,
            arm_pass: 0,
            order_seed: 0,
            timeout_factor: 1,
        },
        environment: Environment::default(),
        end: Some((PassEnd::Completed, 1_000)),
        machine: None,
        origin: Some(Box::new(Origin {
            block: BlockId {
                commit: None,
                name: Some(block.to_string()),
            },
            at_us: None,
            sources: vec![SourceFile {
                digest,
                name: format!("{number}.xml"),
            }],
            part: String::new(),
        })),
    }
}

/// Returns a number in [0, 1).
fn uniform(random: &mut Pcg64Mcg) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Matrices in a row of the test.
    const SEEDS: u64 = 120;

    /// False hidden-defects are rarer than promised. Each matrix without defects yields one with a probability of at most
    /// `fdr` = 0.05. If it were exactly that, more than 22 of 120 would have a chance of 2e-8 (binomial tail), and so the
    /// three rows together fail by chance with less than 1e-7.
    #[test]
    fn matrices_without_a_defect_seldom_yield_one() {
        for weather in [Weather::Drifting, Weather::Clustered, Weather::Stormy] {
            let matrix = Matrix {
                flaky: 40,
                defects: 0,
                defect_rate: 0.0,
                blocks: 12,
                sides: (2, 3),
                weather,
            };
            let of = |seed| outcomes(&matrix, &Policy::default(), seed);
            let all: Vec<Outcomes> = (0..SEEDS).map(of).collect();
            let wrong = all
                .iter()
                .filter(|outcomes| outcomes.false_defects > 0)
                .count();
            assert!(wrong <= 22, "{weather:?}: {wrong} of {SEEDS} matrices");
            let suspects: u32 = all.iter().map(|outcomes| outcomes.suspects).sum();
            assert!(suspects > 120 * 15, "{weather:?}: only {suspects} suspects");
        }
    }

    /// A test that fails in every target pass and never otherwise is found in every matrix: 12 blocks of 2 and 3 passes
    /// multiply the stake by up to 10 each.
    #[test]
    fn planted_defects_are_found() {
        let matrix = Matrix {
            flaky: 20,
            defects: 3,
            defect_rate: 1.0,
            blocks: 12,
            sides: (2, 3),
            weather: Weather::Stormy,
        };
        for seed in 0..10 {
            let outcomes = outcomes(&matrix, &Policy::default(), seed);
            assert_eq!(outcomes.found, 3, "seed {seed}");
        }
    }
}
