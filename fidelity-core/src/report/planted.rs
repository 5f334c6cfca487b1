//! Planted runs: stored runs and verdicts built by hand, for the tests of the renderers.

use statrs::distribution::{Beta, ContinuousCDF as _};

use crate::classify::{ArmEvidence, Cluster, Finding, Verdicts};
use crate::domain::{
    Arm, CapturedOutput, Environment, Failure, FidelityProfile, Fingerprint, KnobId, KnobSetting,
    KnobStatus, KnobValue, ListedTest, Observation, Outcome, PassEnd, PassRecord, PassSpec, Phase,
    Policy, Problem, Revision, RunEnd, RunHeader, RunId, Scope, Seed, StopReason, StoredRun,
    TestId, TestIndex, Verdict, VerdictKind,
};

use super::Report;

/// Returns the Clopper-Pearson interval.
pub(super) fn interval(failures: u32, trials: u32, confidence: f64) -> (f64, f64) {
    let (failed, passed) = (f64::from(failures), f64::from(trials - failures));
    let tail = (1.0 - confidence) / 2.0;
    let quantile = |a, b, p| Beta::new(a, b).unwrap().inverse_cdf(p);
    match (failures, trials) {
        (_, 0) => (0.0, 1.0),
        (0, _) => (0.0, quantile(1.0, passed, 1.0 - tail)),
        (f, n) if f == n => (quantile(failed, 1.0, tail), 1.0),
        _ => (
            quantile(failed, passed + 1.0, tail),
            quantile(failed + 1.0, passed, 1.0 - tail),
        ),
    }
}

/// A test to plant.
#[derive(Clone, Debug)]
pub(super) struct Plant {
    finding: Finding,
    cluster: Option<String>,
    output: CapturedOutput,
    outcome: Outcome,
    fails_under: Option<&'static str>,
}

/// Returns a test of binary `binary` with a verdict, `failures` of `trials` in each arm.
pub(super) fn plant(
    (binary, test): (&str, &str),
    (kind, reason): (VerdictKind, &str),
    low: (u32, u32),
    high: (u32, u32),
) -> Plant {
    let evidence = |(failures, trials)| ArmEvidence {
        trials,
        failures,
        bounds: interval(failures, trials, 0.95),
        ..ArmEvidence::default()
    };
    let finding = Finding {
        test: TestIndex(0),
        id: TestId::new(binary, test),
        verdict: Verdict {
            kind,
            reason: reason.to_owned(),
        },
        baseline: evidence(low),
        target: evidence(high),
        e_value: 1.0,
        e_mirror: 1.0,
        e_needed: None,
        needs_passes: None,
        generation: (0 < low.0 + high.0).then_some(1),
        cluster: None,
        signature: None,
        message: None,
        mean_duration_us: Some(12_500),
        clustered_failures: false,
        only_in_company: false,
        fisher_p: None,
    };
    Plant {
        finding,
        cluster: None,
        output: CapturedOutput::default(),
        outcome: Outcome::Failed,
        fails_under: None,
    }
}

/// Returns a test that never failed in 1 low and 5 high passes.
pub(super) fn stable(binary: &str, test: &str) -> Plant {
    plant((binary, test), (VerdictKind::Stable, ""), (0, 1), (0, 5))
}

impl Plant {
    pub(super) fn with(mut self, change: impl FnOnce(&mut Finding)) -> Self {
        change(&mut self.finding);
        self
    }

    pub(super) fn e(self, e_value: f64, e_mirror: f64, needed: f64) -> Self {
        self.with(|finding| {
            finding.e_value = e_value;
            finding.e_mirror = e_mirror;
            finding.e_needed = Some(needed);
        })
    }

    pub(super) fn says(self, message: &str) -> Self {
        self.with(|finding| {
            finding.message = Some(message.to_owned());
            finding.signature = Some(format!("src/lib.rs: {message}"));
        })
    }

    pub(super) fn prints(mut self, stderr: &[u8], stdout: &[u8]) -> Self {
        self.output.stderr = stderr.to_vec();
        self.output.stdout = stdout.to_vec();
        self
    }

    pub(super) fn ends(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    pub(super) fn in_cluster(mut self, reason: &str) -> Self {
        self.cluster = Some(reason.to_owned());
        self
    }

    /// In the target, fails whenever the pass drew this time zone, instead of evenly spread.
    pub(super) fn fails_under(mut self, tz: &'static str) -> Self {
        self.fails_under = Some(tz);
        self
    }

    fn fails(&self, arm: Arm, arm_pass: u32, environment: &Environment) -> bool {
        let evidence = match arm {
            Arm::Baseline => &self.finding.baseline,
            Arm::Target => &self.finding.target,
        };
        let drawn = environment.0.get(&KnobId::from("tz"));
        match (arm, self.fails_under, drawn) {
            (Arm::Target, Some(wanted), Some(drawn)) => drawn.to_string() == wanted,
            _ => {
                let so_far = |pass| pass * evidence.failures / evidence.trials.max(1);
                so_far(arm_pass) < so_far(arm_pass + 1)
            }
        }
    }
}

/// A run to plant tests in: `low` against `high`, one pass after the other.
#[derive(Clone, Debug)]
pub(super) struct Planted {
    pub(super) header: RunHeader,
    pub(super) end: Option<RunEnd>,
    pub(super) joined: Vec<StoredRun>,
    plants: Vec<Plant>,
}

impl Planted {
    pub(super) fn new() -> Self {
        let profile = |name: &str| FidelityProfile {
            name: name.to_owned(),
            knobs: [].into(),
        };
        Self {
            header: RunHeader {
                binaries: Vec::new(),
                id: RunId(0x3f2a_91bc_0d4e_5f60_7182_93a4_b5c6_d7e8),
                started_at: "2026-03-14T09:26:53Z".to_owned(),
                seed: Seed(8412),
                seed_given: false,
                policy: Policy::default(),
                baseline: profile("low"),
                target: profile("high"),
                knobs: Vec::new(),
                parallelism: 4,
                fingerprint: Fingerprint {
                    binaries: "b1".to_owned(),
                    profiles: "f2".to_owned(),
                    toolchain: "c3".to_owned(),
                },
                runner: Default::default(),
                revision: Some(Revision {
                    commit: "9c1f0e2d3b4a59687786a5b4c3d2e1f001122334".to_owned(),
                    dirty: false,
                }),
                joined: Vec::new(),
                exposing: std::collections::BTreeMap::new(),
                ingested: false,
                withdraws: Vec::new(),
                tool_version: "0.1.0".to_owned(),
                arguments: vec!["run".to_owned()],
                workspace: "workspace".into(),
                problems: Vec::new(),
            },
            end: Some(RunEnd {
                stop: StopReason::Decided,
                wall_ms: 41_300,
                problems: Vec::new(),
            }),
            joined: Vec::new(),
            plants: Vec::new(),
        }
    }

    /// Adds knobs that were applied as asked.
    pub(super) fn usual_knobs(self) -> Self {
        let zones = ["America/St_Johns", "Pacific/Apia"];
        let mut planted = self
            .knob("cpus", (None, Some("1")), Ok("1 CPU in the affinity mask"))
            .knob("open-files", (None, Some("256")), Ok("256 soft, 256 hard"))
            .knob(
                "tz",
                (None, Some("one of America/St_Johns, Pacific/Apia")),
                Ok("TZ=America/St_Johns, TZ=Pacific/Apia"),
            );
        let values = zones.map(|zone| KnobValue::Text(zone.to_owned())).to_vec();
        let tz = (KnobId::from("tz"), KnobSetting::OneOf(values));
        planted.header.target.knobs.extend([tz]);
        planted
    }

    pub(super) fn knob(
        mut self,
        knob: &str,
        (baseline, target): (Option<&str>, Option<&str>),
        seen: Result<&str, &str>,
    ) -> Self {
        self.header.knobs.push(KnobStatus {
            knob: KnobId::from(knob),
            baseline: baseline.map(str::to_owned),
            target: target.map(str::to_owned),
            applied: seen.is_ok(),
            reason: seen.unwrap_or_else(|why| why).to_owned(),
            beyond_production: false,
        });
        self
    }

    /// Marks the knob added last.
    pub(super) fn beyond_production(mut self) -> Self {
        self.header.knobs.last_mut().unwrap().beyond_production = true;
        self
    }

    pub(super) fn problem(mut self, kind: &str, message: &str) -> Self {
        self.header.problems.push(Problem {
            kind: kind.to_owned(),
            message: message.to_owned(),
        });
        self
    }

    pub(super) fn stopped(mut self, stop: StopReason) -> Self {
        self.end = Some(RunEnd {
            stop,
            wall_ms: 41_300,
            problems: Vec::new(),
        });
        self
    }

    pub(super) fn tests(mut self, plants: impl IntoIterator<Item = Plant>) -> Self {
        self.plants.extend(plants);
        self
    }

    pub(super) fn build(mut self) -> (StoredRun, Verdicts) {
        self.plants
            .sort_by(|one, other| one.finding.id.cmp(&other.finding.id));
        let clusters = self.number();
        let arms = self.arm_passes();
        let mut passes = Vec::new();
        let mut used = [0, 0];
        for (number, arm) in (1..).zip(arms) {
            passes.push(self.pass(number, arm, used[arm.index()]));
            used[arm.index()] += 1;
        }
        let tests = self.plants.iter().map(|plant| ListedTest {
            id: plant.finding.id.clone(),
            selected: true,
            suspicious: false,
            terms: None,
        });
        let run = StoredRun {
            header: self.header.clone(),
            tests: tests.collect(),
            passes,
            end: self.end.clone(),
        };
        let verdicts = Verdicts {
            findings: self.plants.into_iter().map(|plant| plant.finding).collect(),
            clusters,
        };
        (run, verdicts)
    }

    pub(super) fn report(self) -> Report {
        let joined = self.joined.clone();
        let (run, verdicts) = self.build();
        Report::new(&run, &joined, &verdicts)
    }

    /// Numbers tests and clusters, and returns the clusters.
    fn number(&mut self) -> Vec<Cluster> {
        let mut clusters: Vec<Cluster> = Vec::new();
        for (index, plant) in (0..).map(TestIndex).zip(&mut self.plants) {
            plant.finding.test = index;
            let Some(reason) = &plant.cluster else {
                continue;
            };
            let known = clusters
                .iter()
                .position(|cluster| cluster.reason == *reason);
            let position = known.unwrap_or(clusters.len());
            if known.is_none() {
                clusters.push(Cluster {
                    members: Vec::new(),
                    reason: reason.clone(),
                });
            }
            clusters[position].members.push(index);
            plant.finding.cluster = Some(position);
        }
        clusters
    }

    /// Returns the arms of the passes: as many of each as the busiest test has trials, mixed.
    fn arm_passes(&self) -> Vec<Arm> {
        let most = |trials: fn(&Finding) -> u32| {
            self.plants
                .iter()
                .map(|plant| trials(&plant.finding))
                .max()
                .unwrap_or(0)
        };
        let low = most(|finding| finding.baseline.trials);
        let high = most(|finding| finding.target.trials);
        let mut arms: Vec<(u32, Arm)> =
            (0..low).map(|pass| (pass * 2 + 1, Arm::Baseline)).collect();
        arms.extend((0..high).map(|pass| (pass * 2, Arm::Target)));
        arms.sort_unstable();
        arms.into_iter().map(|(_, arm)| arm).collect()
    }

    fn pass(&self, number: u32, arm: Arm, arm_pass: u32) -> PassRecord {
        let screen = match arm {
            Arm::Baseline => arm_pass < self.header.policy.screen.baseline,
            Arm::Target => arm_pass < self.header.policy.screen.target,
        };
        let profile = match arm {
            Arm::Baseline => &self.header.baseline,
            Arm::Target => &self.header.target,
        };
        let environment = Environment(
            profile
                .knobs
                .iter()
                .map(|(knob, setting)| {
                    let values = setting.values();
                    (
                        knob.clone(),
                        values[arm_pass as usize % values.len()].clone(),
                    )
                })
                .collect(),
        );
        let takes_part = |plant: &&Plant| {
            let (low, high) = (plant.finding.baseline.trials, plant.finding.target.trials);
            arm_pass < [low, high][arm.index()]
        };
        let observations: Vec<Observation> = self
            .plants
            .iter()
            .filter(takes_part)
            .map(|plant| observe(plant, plant.fails(arm, arm_pass, &environment), number))
            .collect();
        PassRecord {
            spec: PassSpec {
                number,
                phase: if screen { Phase::Screen } else { Phase::Focus },
                arm,
                target_probability: 0.5,
                scope: if screen {
                    Scope::Suite
                } else {
                    Scope::Suspects
                },
                tests: observations.iter().map(|seen| seen.test).collect(),
                arm_pass,
                order_seed: u64::from(number),
                timeout_factor: 1,
            },
            environment,
            observations,
            end: Some((PassEnd::Completed, 900)),
            machine: None,
            origin: None,
        }
    }
}

fn observe(plant: &Plant, fails: bool, pass: u32) -> Observation {
    let finding = &plant.finding;
    let failure = || Failure {
        signature: finding
            .signature
            .clone()
            .unwrap_or_else(|| "no message".to_owned()),
        message: finding
            .message
            .clone()
            .unwrap_or_else(|| "no message".to_owned()),
        output: plant.output.clone(),
    };
    Observation {
        test: finding.test,
        attempt: 0,
        outcome: if fails {
            plant.outcome
        } else {
            Outcome::Passed
        },
        duration_us: 1_200 + u64::from(pass) * 10,
        failure: fails.then(|| Box::new(failure())),
        leaked: 0,
    }
}
