//! What is written as CSV is read back without loss, whatever names and signatures are.

use super::write_some;
use crate::domain::{
    Arm, BlockId, CapturedOutput, Environment, Failure, ListedTest, Observation, Origin, Outcome,
    PassEnd, PassRecord, PassSpec, Phase, Policy, Scope, Seed, SourceFile, StoredRun, TestId,
    TestIndex,
};
use crate::ingest::csv::{Line, read};
use crate::plan::Plan;

/// Parts of names that CSV, spreadsheets or terminals treat in a way of their own.
const ODD: [&str; 20] = [
    "=1+1", "+", "-2", "@x", "\t", "\r", "\n", "\r\n", "'", "''", "\"", "\"\"", ",", ";", "\u{0}",
    "\u{feff}", "ä", "\u{202e}", " ", "plain",
];

/// A name made of three odd parts.
fn odd(number: usize) -> String {
    let part = |step: usize| ODD[(number * 7 + step * 13 + number / 20 * step) % ODD.len()];
    format!("{}{}{}", part(0), part(1), part(2))
}

fn failure(number: usize) -> Option<Box<Failure>> {
    Some(Box::new(Failure {
        signature: odd(number + 3),
        message: "not exported".to_owned(),
        output: CapturedOutput::default(),
    }))
}

/// A run whose every text is odd.
fn run(seed: u64) -> StoredRun {
    let seed_number = seed as usize;
    let mut tests: Vec<ListedTest> = (0..40_usize)
        .map(|number| ListedTest {
            id: TestId::new(odd(number + seed_number), odd(number * 3 + seed_number)),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect();
    tests.sort_by(|one, other| one.id.cmp(&other.id));
    tests.dedup_by(|one, other| one.id == other.id);
    let passes = (1..=6).map(|number| pass(number, tests.len() as u32));
    let plan = Plan {
        tests: tests.clone(),
        policy: Policy::default(),
        seed: Seed(seed),
    };
    crate::simulate::stored(&plan, passes.collect())
}

fn pass(number: u32, tests: u32) -> PassRecord {
    let outcomes = [
        Outcome::Passed,
        Outcome::Failed,
        Outcome::TimedOut,
        Outcome::Crashed(11),
        Outcome::Skipped,
        Outcome::NotReported,
    ];
    let trial = |(test, attempt): (u32, u16)| {
        let outcome = outcomes[(test + number + u32::from(attempt)) as usize % 6];
        Observation {
            test: TestIndex(test),
            attempt,
            outcome,
            duration_us: u64::from(test) * 1_234_567,
            failure: if outcome.is_failure() {
                failure(test as usize)
            } else {
                None
            },
            leaked: 0,
        }
    };
    PassRecord {
        spec: PassSpec {
            number,
            phase: Phase::Ingested,
            arm: Arm::BOTH[number as usize % 2],
            target_probability: 0.0,
            scope: Scope::Suite,
            tests: (0..tests).map(TestIndex).collect(),
            arm_pass: 0,
            order_seed: 0,
            timeout_factor: 1,
        },
        environment: Environment::default(),
        observations: (0..tests)
            .flat_map(|test| (0..=test as u16 % 2).map(move |attempt| (test, attempt)))
            .map(trial)
            .collect(),
        end: Some((PassEnd::Completed, 1)),
        machine: None,
        origin: Some(Box::new(Origin {
            block: BlockId {
                commit: Some(odd(number as usize + 5)),
                name: (!number.is_multiple_of(3)).then(|| odd(number as usize + 9)),
            },
            at_us: (!number.is_multiple_of(4)).then(|| i64::from(number) * 1_700_000_000_123_457),
            sources: vec![SourceFile {
                digest: [0; 32],
                name: String::new(),
            }],
            part: String::new(),
        })),
    }
}

fn written(run: &StoredRun) -> String {
    let mut bytes = Vec::new();
    write_some((run, &[]), &|_| true, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn read_back(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut take = |_, line| {
        lines.push(line);
        Ok(())
    };
    read(text.as_bytes(), &mut take).unwrap();
    lines
}

fn expected(run: &StoredRun) -> Vec<Line> {
    let lines = run.passes.iter().flat_map(|pass| {
        let origin = pass.origin.as_ref().unwrap();
        pass.observations.iter().map(move |seen| {
            let id = &run.tests[seen.test.get()].id;
            let signature = seen
                .failure
                .as_ref()
                .map(|failure| failure.signature.clone());
            Line {
                run: run.header.id.to_string(),
                block: origin.block.name.clone(),
                pass: pass.spec.number.to_string(),
                arm: pass.spec.arm,
                binary: id.binary.0.clone(),
                test: id.test.clone(),
                outcome: seen.outcome,
                duration_us: seen.duration_us,
                signature: signature.unwrap_or_default(),
                commit: origin.block.commit.clone(),
                at_us: origin.at_us,
                profile: Some(match pass.spec.arm {
                    Arm::Baseline => run.header.baseline.name.clone(),
                    Arm::Target => run.header.target.name.clone(),
                }),
            }
        })
    });
    lines.collect()
}

#[test]
fn every_observation_is_read_back_without_loss() {
    for seed in 0..60 {
        let run = run(seed);
        let lines = read_back(&written(&run));
        assert_eq!(lines, expected(&run), "seed {seed}");
    }
}

#[test]
fn no_cell_is_a_formula() {
    for seed in 0..60 {
        let text = written(&run(seed));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for record in reader.records() {
            for cell in record.unwrap().iter() {
                assert!(
                    !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                    "{cell:?}"
                );
            }
        }
    }
}

#[test]
fn repeats_checks_and_passes_that_do_not_count_are_left_out() {
    let mut run = run(1);
    run.passes[0].end = None;
    run.passes[1].end = Some((
        PassEnd::Discarded {
            reason: String::new(),
        },
        1,
    ));
    run.passes[2].spec.phase = Phase::MassRepeat;
    run.passes[3].spec.phase = Phase::TimeoutCheck;
    let lines = read_back(&written(&run)).into_iter();
    let mut passes: Vec<String> = lines.map(|line| line.pass).collect();
    passes.dedup();
    assert_eq!(passes, ["5", "6"]);
}
