//! The runs that the measurement writes: made up, and the same every time.

use fidelity_core::domain::{
    Arm, CapturedOutput, Environment, Failure, FidelityProfile, Fingerprint, KnobId, KnobSetting,
    KnobValue, ListedTest, Observation, Outcome, PassSpec, Phase, Policy, Revision, RunHeader,
    RunId, Scope, Seed, TestId, TestIndex, Verdict, VerdictKind,
};

/// A number that follows from where a trial is: SplitMix64 (Steele, Lea & Flood 2014, OOPSLA).
pub fn random(run: u32, pass: u32, test: u32) -> u64 {
    let place = (u64::from(run) << 40) ^ (u64::from(pass) << 24) ^ u64::from(test);
    let sum = place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let first = (sum ^ (sum >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let second = (first ^ (first >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    second ^ (second >> 31)
}

/// The observations of a pass: durations from 0.5 ms to 33 ms, one in a hundred failing with its own output.
pub fn observations(run: u32, pass: u32, tests: u32) -> Vec<Observation> {
    let seen = |test| {
        let number = random(run, pass, test);
        let fails = number.is_multiple_of(100);
        Observation {
            test: TestIndex(test),
            attempt: 0,
            outcome: if fails {
                Outcome::Failed
            } else {
                Outcome::Passed
            },
            duration_us: 500 + (number >> 20) % 32_768,
            failure: fails.then(|| {
                Box::new(Failure {
                    signature: format!(
                        "src/module_{}.rs:{} assertion failed",
                        test % 40,
                        test % 300
                    ),
                    message: format!("assertion failed: case {test} is even"),
                    output: CapturedOutput {
                        stderr: format!(
                            "thread 'module::case_{test:05}' ({number}) panicked at src/lib.rs\n"
                        )
                        .repeat(3)
                        .into(),
                        ..CapturedOutput::default()
                    },
                })
            }),
            leaked: 0,
        }
    };
    (0..tests).map(seen).collect()
}

/// The list of tests.
pub fn listed(tests: u32) -> Vec<ListedTest> {
    let listed = |test| ListedTest {
        id: TestId::new("bench", format!("module::case_{test:05}")),
        selected: true,
        suspicious: false,
        terms: None,
    };
    (0..tests).map(listed).collect()
}

/// A pass over the whole suite, every sixth in the baseline.
pub fn spec(number: u32, tests: u32) -> PassSpec {
    PassSpec {
        number,
        phase: Phase::Screen,
        arm: if number % 6 == 1 {
            Arm::Baseline
        } else {
            Arm::Target
        },
        target_probability: 0.5,
        scope: Scope::Suite,
        tests: (0..tests).map(TestIndex).collect(),
        arm_pass: number / 2,
        order_seed: random(0, number, 0),
        timeout_factor: 1,
    }
}

/// Verdicts of every kind.
pub fn verdicts(tests: u32) -> Vec<(TestIndex, Verdict)> {
    let verdict = |test| {
        let kind = VerdictKind::ALL[random(0, 0, test) as usize % VerdictKind::ALL.len()];
        (
            TestIndex(test),
            Verdict {
                kind,
                reason: "intermittent".to_owned(),
            },
        )
    };
    (0..tests).map(verdict).collect()
}

/// The knob values of every pass.
pub fn environment() -> Environment {
    Environment([(KnobId::from("tz"), KnobValue::Text("UTC".to_owned()))].into())
}

fn profile(name: &str) -> FidelityProfile {
    let setting = KnobSetting::Fixed(KnobValue::Text("UTC".to_owned()));
    FidelityProfile {
        name: name.to_owned(),
        knobs: [(KnobId::from("tz"), setting)].into(),
    }
}

/// The header of a run.
pub fn header(run: u32) -> RunHeader {
    RunHeader {
        id: RunId(u128::from(random(run, 0, 0)) << 64 | u128::from(random(run, 0, 1))),
        started_at: format!("2026-01-{:02}T{:02}:00:00Z", 1 + run / 24 % 28, run % 24),
        seed: Seed(u64::from(run)),
        seed_given: false,
        policy: Policy::default(),
        baseline: profile("low"),
        target: profile("high"),
        knobs: Vec::new(),
        parallelism: 2,
        fingerprint: Fingerprint {
            binaries: "b".repeat(64),
            profiles: "p".repeat(64),
            toolchain: "t".repeat(64),
        },
        runner: Default::default(),
        revision: Some(Revision {
            commit: "c".repeat(40),
            dirty: false,
        }),
        joined: Vec::new(),
        exposing: std::collections::BTreeMap::new(),
        binaries: Vec::new(),
        ingested: false,
        withdraws: Vec::new(),
        tool_version: "0.1.0".to_owned(),
        arguments: vec!["run".to_owned()],
        workspace: "/workspace".into(),
        problems: Vec::new(),
    }
}
