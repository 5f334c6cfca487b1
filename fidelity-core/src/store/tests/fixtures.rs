//! Runs made up from a seed, and how they are written and compared.

use crate::domain::{Arm, Phase, Scope};
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::*;
use super::random::Random;
use crate::domain::{
    Annotation, Attribution, AttributionEnd, AttributionTrial, BinaryFacts, BinaryId,
    CapturedOutput, Cause, Failure, FidelityProfile, KnobId, KnobSetting, KnobStatus, KnobValue,
    Outcome, PassRecord, Policy, Problem, Quarantine, Revision, Severity, StopReason, Terms,
    TestKind, VerdictKind,
};

/// A store in a directory of its own.
pub(super) struct Place {
    pub(super) directory: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.directory.path().join("history.db")
    }

    pub(super) fn store(&self) -> SqliteStore {
        SqliteStore::open_or_create(&self.file()).unwrap()
    }
}

pub(super) fn header(number: u64) -> RunHeader {
    RunHeader {
        id: RunId(u128::from(Random::new(number).next()) << 64 | u128::from(number)),
        started_at: format!("2026-03-01T12:{:02}:{:02}Z", number / 60 % 60, number % 60),
        seed: Seed(number),
        seed_given: false,
        policy: Policy::default(),
        baseline: profile("low", "UTC"),
        target: profile("high", "Pacific/Apia"),
        knobs: Vec::new(),
        parallelism: 2,
        fingerprint: Fingerprint {
            binaries: "b1".to_owned(),
            profiles: "p1".to_owned(),
            toolchain: "t1".to_owned(),
        },
        runner: Default::default(),
        revision: None,
        joined: Vec::new(),
        exposing: BTreeMap::new(),
        binaries: Vec::new(),
        ingested: false,
        withdraws: Vec::new(),
        tool_version: "0.1.0".to_owned(),
        arguments: Vec::new(),
        workspace: PathBuf::from("/workspace"),
        problems: Vec::new(),
    }
}

fn profile(name: &str, tz: &str) -> FidelityProfile {
    let setting = KnobSetting::Fixed(KnobValue::Text(tz.to_owned()));
    FidelityProfile {
        name: name.to_owned(),
        knobs: BTreeMap::from([(KnobId::from("tz"), setting)]),
    }
}

pub(super) fn listed(count: u32) -> Vec<ListedTest> {
    let listed = |number| ListedTest {
        id: TestId::new("crate", format!("test_{number:04}")),
        selected: true,
        suspicious: false,
        terms: None,
    };
    (0..count).map(listed).collect()
}

pub(super) fn spec(number: u32, tests: u32) -> PassSpec {
    PassSpec {
        number,
        phase: Phase::Screen,
        arm: Arm::Target,
        target_probability: 0.5,
        scope: Scope::Suite,
        tests: (0..tests).map(TestIndex).collect(),
        arm_pass: number - 1,
        order_seed: u64::from(number),
        timeout_factor: 1,
    }
}

pub(super) fn passed(test: u32) -> Observation {
    row_free(test, Outcome::Passed, 1000 + u64::from(test))
}

pub(super) fn failed(test: u32, output: &str) -> Observation {
    Observation {
        failure: Some(Box::new(Failure {
            signature: "src/lib.rs:1".to_owned(),
            message: "boom".to_owned(),
            output: CapturedOutput {
                stderr: output.as_bytes().to_vec(),
                ..CapturedOutput::default()
            },
        })),
        ..row_free(test, Outcome::Failed, 5)
    }
}

/// A trial of an attribution that failed as it was looked for.
pub(super) fn attribution_trial(test: u32, config: &str) -> AttributionTrial {
    AttributionTrial {
        stage: 0,
        test: TestIndex(test),
        config: config.to_owned(),
        scope: Scope::Alone,
        environment: Environment::default(),
        outcome: Some(Outcome::Failed),
        alike: true,
        elapsed_ms: 7,
    }
}

/// An attribution that found this cause.
pub(super) fn attribution(wording: &str) -> Attribution {
    Attribution {
        end: AttributionEnd::Found,
        wording: format!("because {wording}"),
        cause: Some(Cause {
            knobs: Vec::new(),
            either: false,
            confidence: 0.99,
            sufficient: Vec::new(),
            necessary: Vec::new(),
            kind: None,
            commit: None,
            wording: wording.to_owned(),
        }),
        suspects: Vec::new(),
        trials: 1,
        builds: 0,
        not_ruled_out: vec!["more".to_owned()],
        second: None,
    }
}

fn row_free(test: u32, outcome: Outcome, duration_us: u64) -> Observation {
    Observation {
        test: TestIndex(test),
        attempt: 0,
        outcome,
        duration_us,
        failure: None,
        leaked: 0,
    }
}

/// A run with everything in it that a run can hold, and its verdicts.
pub(super) fn random_run(seed: u64) -> (StoredRun, Vec<(TestIndex, Verdict)>) {
    let mut random = Random::new(seed);
    let tests = random_tests(&mut random);
    let passes = random.below(7) as u32;
    let passes: Vec<PassRecord> = (1..=passes)
        .map(|number| random_pass(&mut random, number, tests.len() as u32, number == passes))
        .collect();
    let end = random.once_in(2).then(|| RunEnd {
        stop: match random.below(5) {
            0 => StopReason::Decided,
            1 => StopReason::OutOfTime,
            2 => StopReason::OutOfTrials,
            3 => StopReason::Interrupted,
            _ => StopReason::Environment {
                reason: "no \"space\"\n".to_owned(),
            },
        },
        wall_ms: random.next() >> 1,
        problems: Vec::new(),
    });
    let verdicts = match end {
        None => Vec::new(),
        Some(_) => (0..tests.len() as u32)
            .filter(|_| !random.once_in(5))
            .map(|test| (TestIndex(test), random_verdict(test, seed)))
            .collect(),
    };
    let header = random_header(&mut random, seed);
    (
        StoredRun {
            header,
            tests: tests.into(),
            passes,
            end,
        },
        verdicts,
    )
}

fn random_verdict(test: u32, seed: u64) -> Verdict {
    let mut random = Random::new(seed ^ u64::from(test));
    Verdict {
        kind: random.pick(&VerdictKind::ALL),
        reason: random.pick(&["always", "intermittent", ""]).to_owned(),
    }
}

fn random_header(random: &mut Random, seed: u64) -> RunHeader {
    let values = vec![
        KnobValue::Unset,
        KnobValue::Count(random.next()),
        KnobValue::Bytes(0),
        KnobValue::Mode(0o77),
        KnobValue::Text("{env:SECRET} \u{7f}\"".to_owned()),
    ];
    let mut header = header(seed);
    header
        .target
        .knobs
        .insert(KnobId::from("x"), KnobSetting::OneOf(values));
    header.seed = Seed(random.next());
    header.seed_given = random.once_in(2);
    header.policy.max_time_ms = random.once_in(2).then(|| random.next());
    header.policy.tolerance = random.next() as f64 / u64::MAX as f64;
    header.knobs = vec![KnobStatus {
        knob: KnobId::from("x"),
        baseline: None,
        target: Some("one of 1, 2".to_owned()),
        applied: random.once_in(2),
        reason: "seen".to_owned(),
        beyond_production: random.once_in(2),
    }];
    header.parallelism = random.next() as u32;
    header.revision = random.once_in(2).then(|| Revision {
        commit: "c0ffee".to_owned(),
        dirty: random.once_in(2),
    });
    header.joined = (0..random.below(3))
        .map(|_| RunId(u128::from(random.next())))
        .collect();
    header.binaries = (0..random.below(3))
        .map(|number| BinaryFacts {
            id: BinaryId(format!("shop::it_{number}")),
            package: "shop".to_owned(),
            target: format!("it_{number}"),
            kind: "test".to_owned(),
        })
        .collect();
    header.arguments = vec!["run".to_owned(), "\0 \u{1b}[31m".to_owned()];
    header.problems = vec![Problem {
        kind: "doctests-not-run".to_owned(),
        message: "3".to_owned(),
    }];
    #[cfg(unix)]
    if random.once_in(2) {
        let bytes = b"/odd \xff\xfe".to_vec();
        let path: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
        header.workspace = path.into();
    }
    header
}

fn random_tests(random: &mut Random) -> Vec<ListedTest> {
    let odd = [
        "",
        "\0",
        "\u{1b}[2J",
        "ünï::cödé",
        "a b",
        "\n",
        "'; DROP TABLE run; --",
        "💥",
    ];
    let mut tests: Vec<ListedTest> = (0..random.below(60))
        .map(|number| ListedTest {
            id: TestId::new(
                random.pick(&["alpha", "alpha::it", "", "beta::bin/\n"]),
                format!("{}{}", random.pick(&odd), number),
            ),
            selected: !random.once_in(4),
            suspicious: random.once_in(5),
            terms: random.once_in(3).then(|| random_terms(random)),
        })
        .collect();
    tests.sort_by(|a, b| a.id.cmp(&b.id));
    tests
}

fn random_terms(random: &mut Random) -> Box<Terms> {
    let words = |random: &mut Random| {
        let mut words = vec![
            "service.db".to_owned(),
            random.pick(&["stripe", "ünï"]).to_owned(),
        ];
        words.truncate(random.below(3) as usize);
        words
    };
    Box::new(Terms {
        annotation: Annotation {
            profiles: words(random),
            needs: words(random),
            kind: random.once_in(2).then_some(TestKind::EndToEnd),
            mocks: words(random),
            real: words(random),
            tolerance: random.once_in(2).then_some(0.1),
            timeout_ms: random.once_in(2).then_some(5_000),
            trials: random.once_in(2).then_some(7),
            severity: random.once_in(2).then_some(Severity::Critical),
            severity_place: random.pick(&["", "fidelity.toml:12"]).to_owned(),
            quarantine: random.once_in(2).then(|| Quarantine {
                until: "2027-01-31".to_owned(),
                owner: "payments".to_owned(),
                reason: "flaky".to_owned(),
            }),
            place: "src/lib.rs:7".to_owned(),
        },
        absent: [
            random
                .once_in(2)
                .then(|| "meant for `high` only".to_owned()),
            None,
        ],
    })
}

fn random_pass(random: &mut Random, number: u32, tests: u32, last: bool) -> PassRecord {
    let ends = !last || random.once_in(2);
    let planned: Vec<TestIndex> = (0..tests)
        .filter(|_| !random.once_in(6))
        .map(TestIndex)
        .collect();
    let seen = planned
        .iter()
        .filter(|_| ends || random.once_in(2))
        .copied()
        .collect::<Vec<_>>();
    let observations = seen.into_iter().flat_map(|test| {
        let attempts = if random.once_in(15) {
            1 + random.below(3) as u16
        } else {
            1
        };
        (0..attempts)
            .map(|attempt| random_observation(random, test, attempt))
            .collect::<Vec<_>>()
    });
    let observations = observations.collect();
    let phases = [
        Phase::Screen,
        Phase::Focus,
        Phase::Company,
        Phase::MassRepeat,
        Phase::TimeoutCheck,
    ];
    PassRecord {
        spec: PassSpec {
            number,
            phase: random.pick(&phases),
            arm: random.pick(&Arm::BOTH),
            target_probability: random.pick(&[0.0, 1.0, 0.5, 1.0 / 3.0, f64::MIN_POSITIVE]),
            scope: random.pick(&[Scope::Suite, Scope::Binary, Scope::Suspects, Scope::Alone]),
            tests: planned,
            arm_pass: random.next() as u32,
            order_seed: random.next(),
            timeout_factor: random.next() as u32,
        },
        environment: Environment(BTreeMap::from([
            (
                KnobId::from("tz"),
                KnobValue::Text(random.pick(&["UTC", "\u{0}"]).to_owned()),
            ),
            (KnobId::from("cpus"), KnobValue::Count(random.below(3))),
        ])),
        observations,
        end: ends.then(|| (random_end(random), random.next() >> 1)),
        machine: (ends && random.once_in(2)).then(|| MachineLoad {
            foreign: random.next() as u32,
            cpus: random.next() as u32,
        }),
        origin: None,
    }
}

fn random_end(random: &mut Random) -> PassEnd {
    let reason = "db did not come up".to_owned();
    match random.below(8) {
        0 | 1 => PassEnd::Discarded { reason },
        2 => PassEnd::Disturbed { reason },
        _ => PassEnd::Completed,
    }
}

fn random_observation(random: &mut Random, test: TestIndex, attempt: u16) -> Observation {
    let outcome = match random.below(30) {
        0..=2 => Outcome::Failed,
        3 => Outcome::TimedOut,
        4 => Outcome::Crashed(random.next() as i32),
        5 => Outcome::Crashed(11),
        6 => Outcome::Skipped,
        7 => Outcome::NotReported,
        _ => Outcome::Passed,
    };
    let keeps = outcome.is_failure() || random.once_in(40);
    Observation {
        test,
        attempt,
        outcome,
        duration_us: random.next() >> (1 + random.below(60)),
        failure: keeps.then(|| Box::new(random_failure(random))),
        leaked: if random.once_in(30) {
            random.next() as u32
        } else {
            0
        },
    }
}

/// A failure with one of five outputs, so that no test has more than are kept.
fn random_failure(random: &mut Random) -> Failure {
    let which = random.below(5);
    let mut fixed = Random::new(which);
    Failure {
        signature: format!("src/a.rs:{}: \u{1}", random.below(4)),
        message: "left != right".to_owned(),
        output: CapturedOutput {
            stdout: fixed.bytes(which as usize * 300),
            stdout_omitted: fixed.next() >> 1,
            stderr: fixed.bytes(which as usize),
            stderr_omitted: which,
        },
    }
}

/// Writes a run in batches of random sizes.
pub(super) fn write_run(
    store: &mut SqliteStore,
    run: &StoredRun,
    verdicts: &[(TestIndex, Verdict)],
) {
    let mut random = Random::new(run.header.seed.0);
    let mut log = store.create_run(&run.header, &run.tests).unwrap();
    for pass in &run.passes {
        log.begin_pass(&pass.spec, &pass.environment).unwrap();
        let mut rest = pass.observations.clone();
        while !rest.is_empty() {
            // In the order they end, not in the order they are listed.
            let size = 1 + random.below(rest.len() as u64) as usize;
            let batch: Vec<Observation> = (0..size)
                .map(|_| rest.swap_remove(random.below(rest.len() as u64) as usize))
                .collect();
            log.append(&batch).unwrap();
        }
        if let Some((end, elapsed_ms)) = &pass.end {
            log.end_pass(end, *elapsed_ms, pass.machine).unwrap();
        }
    }
    if let Some(end) = &run.end {
        log.end_run(end, verdicts).unwrap();
    }
}

/// The run as [`Store::load`] gives it back: outputs counted as left out.
pub(super) fn without_outputs(run: &StoredRun) -> StoredRun {
    let mut run = run.clone();
    for pass in &mut run.passes {
        pass.observations = std::mem::take(&mut pass.observations)
            .into_iter()
            .map(without_output)
            .collect();
    }
    run
}

/// An observation as [`Store::load`] gives it back.
pub(super) fn without_output(mut seen: Observation) -> Observation {
    if let Some(failure) = &mut seen.failure {
        let output = &mut failure.output;
        output.stdout_omitted += std::mem::take(&mut output.stdout).len() as u64;
        output.stderr_omitted += std::mem::take(&mut output.stderr).len() as u64;
    }
    seen
}

/// Checks the file as the engine sees it.
pub(super) fn assert_intact(file: &std::path::Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}
