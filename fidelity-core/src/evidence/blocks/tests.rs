//! The exact oracle for blocks: over every way to place the labels, a null's evidence has mean 1, whatever else goes on.

use crate::domain::{Environment, Observation, Outcome, PassSpec, SourceFile, TestId};
use crate::evidence::suspicion::Claim;

use super::*;

const TESTS: u32 = 16;

fn listed() -> Vec<ListedTest> {
    (0..TESTS)
        .map(|number| ListedTest {
            id: TestId::new("planted", format!("test_{number:02}")),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect()
}

/// A pass of block number `block`, in which the tests whose bits are set fail.
fn pass((block, number): (u32, u32), arm: Arm, failing: u32) -> PassRecord {
    let observation = |test: u32| Observation {
        test: TestIndex(test),
        attempt: 0,
        outcome: match failing >> test & 1 {
            1 => Outcome::Failed,
            _ => Outcome::Passed,
        },
        duration_us: 1,
        failure: None,
        leaked: 0,
    };
    PassRecord {
        spec: PassSpec {
            number,
            phase: Phase::Ingested,
            arm,
            target_probability: 0.0,
            scope: Scope::Suite,
            tests: (0..TESTS).map(TestIndex).collect(),
            arm_pass: 0,
            order_seed: 0,
            timeout_factor: 1,
        },
        environment: Environment::default(),
        observations: (0..TESTS).map(observation).collect(),
        end: Some((crate::domain::PassEnd::Completed, 1)),
        machine: None,
        origin: Some(Box::new(Origin {
            block: BlockId {
                commit: None,
                name: Some(format!("run {block}")),
            },
            at_us: None,
            sources: vec![SourceFile {
                digest: [number as u8; 32],
                name: format!("{number}.xml"),
            }],
            part: String::new(),
        })),
    }
}

fn arm(labels: u32, position: usize) -> Arm {
    match labels >> position & 1 {
        1 => Arm::Target,
        _ => Arm::Baseline,
    }
}

/// Passes of blocks of four, labelled by two bits of four each.
fn labelled(blocks: &[[u32; 4]], labels: &[u32]) -> Vec<PassRecord> {
    let mut passes = Vec::new();
    for (block, outcomes) in (0_u32..).zip(blocks) {
        for (position, failing) in outcomes.iter().enumerate() {
            let number = block * 4 + position as u32 + 1;
            passes.push(pass(
                (block, number),
                arm(labels[block as usize], position),
                *failing,
            ));
        }
    }
    passes
}

/// The six ways to place two labels of each kind on four passes.
const HALVES: [u32; 6] = [0b0011, 0b0101, 0b0110, 0b1001, 0b1010, 0b1100];

/// The mean e-values over all placements in three blocks: of every test, and of the pool last.
fn means(blocks: &[[u32; 4]; 3]) -> Vec<f64> {
    let mut sums = vec![0.0; TESTS as usize + 1];
    for a in HALVES {
        for b in HALVES {
            for c in HALVES {
                let passes = labelled(blocks, &[a, b, c]);
                let evidence = Evidence::of_ingested(&listed(), &Policy::default(), &passes);
                let own = evidence.books().iter().map(|book| book.suspicion());
                let all = own.chain([evidence.pool().map(|pool| &pool.suspicion)]);
                for (sum, suspicion) in sums.iter_mut().zip(all) {
                    *sum += suspicion.map_or(1.0, |suspicion| suspicion.log_e(Arm::Target).exp());
                }
            }
        }
    }
    sums.into_iter().map(|sum| sum / 216.0).collect()
}

#[test]
fn over_all_placements_every_null_has_mean_one_whatever_fails_together() {
    let nearly_all = 0xfff0;
    for blocks in [
        [[1, 0, 0, 0], [1, 3, 0, 0], [0, 0, 2, 1]],
        // One mass failure, then a smaller one, then members that fail by themselves.
        [
            [nearly_all, 1, 0, 0],
            [0, 0xfff1, 0x0030, 0],
            [0x0030, 0x0020, nearly_all, 3],
        ],
        // Two in a block, and tests that fail everywhere among them.
        [[7, 7, 7, 7], [0xffff, 7, 0xfff7, 7], [0xffff, 7, 7, 0x0fff]],
        [
            [nearly_all; 4],
            [nearly_all, nearly_all, 0, 0],
            [0x8001, 0, 0, 0],
        ],
    ] {
        for (test, mean) in means(&blocks).into_iter().enumerate() {
            assert!(
                (mean - 1.0).abs() < 1e-9,
                "{blocks:x?}: test {test} has mean {mean}"
            );
        }
    }
}

#[test]
fn the_order_in_which_passes_arrive_makes_no_difference() {
    let blocks = [
        [0xfff0, 1, 0, 0],
        [0, 0xfff1, 0x0030, 0],
        [0x0030, 0x0020, 0xfff0, 3],
    ];
    let mut passes = labelled(&blocks, &[0b0011, 0b0101, 0b1100]);
    let of = |passes: &[PassRecord]| {
        let evidence = Evidence::of_ingested(&listed(), &Policy::default(), passes);
        let value = |suspicion: Option<&Suspicion>| {
            suspicion.map(|suspicion| Arm::BOTH.map(|worse| suspicion.log_e(worse).to_bits()))
        };
        let own = evidence
            .books()
            .iter()
            .map(|book| (book.arms, value(book.suspicion())));
        (
            own.collect::<Vec<_>>(),
            value(evidence.pool().map(|pool| &pool.suspicion)),
        )
    };
    let expected = of(&passes);
    for turn in 1..passes.len() {
        passes.rotate_left(1);
        passes.swap(0, turn);
        assert_eq!(of(&passes), expected);
    }
    passes.extend_from_slice(&passes.clone());
    assert_eq!(of(&passes), expected, "what was ingested twice counts once");
}

#[test]
fn an_always_failing_defect_is_found_after_a_few_blocks_and_not_before() {
    let found = |blocks: u32| {
        let passes: Vec<PassRecord> = (0..blocks)
            .flat_map(|block| {
                [(0, Arm::Baseline, 0), (1, Arm::Target, 1)]
                    .map(|(place, arm, failing)| pass((block, 2 * block + place), arm, failing))
            })
            .collect();
        let evidence = Evidence::of_ingested(&listed(), &Policy::default(), &passes);
        evidence.books()[0]
            .suspicion()
            .unwrap()
            .claimed(Claim::HiddenDefect)
    };
    // Each block doubles the stake at best: 1 / (0.05 * 6 / pi^2) is 33, and two more pay for learning the rates.
    let first = (1..20).find(|blocks| found(*blocks)).unwrap();
    assert!((6..=9).contains(&first), "{first}");
    assert!((first..20).all(found));
}

#[test]
fn a_block_with_one_arm_only_is_counted_and_says_nothing() {
    let passes: Vec<PassRecord> = (0..9)
        .map(|number| {
            pass(
                (number % 2, number),
                if number % 2 == 0 {
                    Arm::Baseline
                } else {
                    Arm::Target
                },
                number % 2,
            )
        })
        .collect();
    let evidence = Evidence::of_ingested(&listed(), &Policy::default(), &passes);
    let book = &evidence.books()[0];
    assert_eq!(
        book.arms.map(|arm| (arm.trials, arm.failures)),
        [(5, 0), (4, 4)]
    );
    assert!(book.suspicion().unwrap().log_e(Arm::Target).abs() < 1e-12);
}

#[test]
fn a_file_that_is_part_of_two_passes_counts_once() {
    let whole = pass((1, 1), Arm::Target, 1);
    let mut part = whole.clone();
    // The same file alone, in a store where the rest of the pass never arrived.
    part.observations.truncate(4);
    part.spec.tests.truncate(4);
    let mut wider = whole.clone();
    wider.origin.as_mut().unwrap().sources.push(SourceFile {
        digest: [9; 32],
        name: "9.xml".to_owned(),
    });
    let evidence = Evidence::of_ingested(&listed(), &Policy::default(), [&whole, &part, &wider]);
    assert!(evidence.books().iter().all(|book| book.arms[1].trials == 1));
}

#[test]
fn a_pass_that_came_back_as_csv_counts_once() {
    let plan = crate::plan::Plan {
        tests: listed().to_vec(),
        policy: Policy::default(),
        seed: crate::domain::Seed(1),
    };
    let mut first = crate::simulate::stored(&plan, vec![pass((1, 1), Arm::Target, 1)]);
    first.header.ingested = true;
    let exported = |night: u8, run: &str| {
        let mut exported = first.passes[0].clone();
        let origin = exported.origin.as_mut().unwrap();
        origin.part = format!("{run}/{}", first.passes[0].spec.number);
        origin.sources[0].digest = [night; 32];
        let mut other = crate::simulate::stored(&plan, vec![exported]);
        other.header.id.0 = u128::from(night);
        other.header.ingested = true;
        other
    };
    let trials = |run: &StoredRun, joined: &[StoredRun]| {
        let evidence = Evidence::of_blocks(run, joined);
        evidence.books()[0].arms[1].trials
    };
    let own = first.header.id.to_string();
    let nights = [exported(8, &own), exported(9, &own)];
    assert_eq!(trials(&first, &nights), 1);
    assert_eq!(trials(&nights[0], &nights[1..]), 1);
    // What another tool calls a pass says nothing: it may call the next one so too.
    let foreign = [exported(8, "nightly"), exported(9, "nightly")];
    assert_eq!(trials(&foreign[0], &foreign[1..]), 2);
}
