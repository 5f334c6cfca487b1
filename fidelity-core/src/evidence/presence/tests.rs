//! What counts as absent, and what does not.

use super::*;
use crate::domain::{
    BlockId, Environment, ListedTest, Observation, Origin, PassSpec, Policy, Scope, Seed,
    SourceFile, TestId,
};
use crate::plan::Plan;

/// A pass of a block that names these tests; those above 100 as skipped ones of 100 less.
fn pass((block, number): (u32, u32), arm: Arm, tests: &[u32]) -> PassRecord {
    let observations: Vec<Observation> = tests
        .iter()
        .map(|test| Observation {
            test: TestIndex(test % 100),
            attempt: 0,
            outcome: match test / 100 {
                0 => Outcome::Passed,
                _ => Outcome::Skipped,
            },
            duration_us: 1,
            failure: None,
            leaked: 0,
        })
        .collect();
    PassRecord {
        spec: PassSpec {
            number,
            phase: Phase::Ingested,
            arm,
            target_probability: 0.0,
            scope: Scope::Suite,
            tests: observations.iter().map(|seen| seen.test).collect(),
            arm_pass: 0,
            order_seed: 0,
            timeout_factor: 1,
        },
        environment: Environment::default(),
        observations,
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

/// An ingested run over six tests.
fn run(passes: Vec<PassRecord>) -> StoredRun {
    let tests = (0..6).map(|number| ListedTest {
        id: TestId::new("planted", format!("test_{number}")),
        selected: true,
        suspicious: false,
        terms: None,
    });
    let plan = Plan {
        tests: tests.collect(),
        policy: Policy::default(),
        seed: Seed(1),
    };
    let mut run = crate::simulate::stored(&plan, passes);
    run.header.ingested = true;
    run
}

/// What is told: test, then passes, skipped and absent of the baseline and of the target.
fn told(run: &StoredRun, joined: &[StoredRun]) -> Vec<(u32, [[u32; 3]; 2])> {
    let numbers = |arm: Presence| [arm.passes, arm.skipped, arm.absent];
    presences(run, joined)
        .into_iter()
        .map(|(test, arms)| (test.0, arms.map(numbers)))
        .collect()
}

#[test]
fn a_test_that_a_pass_of_its_block_lacks_is_absent_from_it() {
    let passes = vec![
        pass((1, 1), Arm::Baseline, &[0, 1, 2]),
        pass((1, 2), Arm::Target, &[0]),
        pass((1, 3), Arm::Target, &[0, 1, 102]),
        pass((2, 4), Arm::Target, &[0, 1, 2]),
    ];
    let whole = run(passes.clone());
    assert_eq!(
        told(&whole, &[]),
        [(1, [[1, 0, 0], [3, 0, 1]]), (2, [[1, 0, 0], [3, 1, 1]])]
    );
    // Whichever run they are in.
    let (ours, theirs) = passes.split_at(2);
    let joined = [run(theirs.to_vec())];
    assert_eq!(told(&run(ours.to_vec()), &joined), told(&whole, &[]));
}

#[test]
fn a_test_is_not_absent_where_nothing_says_that_it_was_there() {
    // Another suite of the same block, and another commit before the test was written.
    let passes = vec![
        pass((1, 1), Arm::Baseline, &[0, 1]),
        pass((1, 2), Arm::Target, &[0, 1]),
        pass((1, 3), Arm::Baseline, &[3, 4]),
        pass((1, 4), Arm::Target, &[3, 4]),
        pass((2, 5), Arm::Baseline, &[0, 1, 2]),
        pass((2, 6), Arm::Target, &[0, 1, 2]),
    ];
    assert_eq!(told(&run(passes), &[]), []);
}

#[test]
fn suites_are_put_together_by_what_they_share_whichever_comes_first() {
    // The third joins what the first two have.
    let passes = vec![
        pass((1, 1), Arm::Baseline, &[0]),
        pass((1, 2), Arm::Baseline, &[1]),
        pass((1, 3), Arm::Baseline, &[0, 1]),
    ];
    let expected = [(0, [[3, 0, 1], [0, 0, 0]]), (1, [[3, 0, 1], [0, 0, 0]])];
    assert_eq!(told(&run(passes.clone()), &[]), expected);
    let turned = passes.into_iter().rev().collect();
    assert_eq!(told(&run(turned), &[]), expected);
}

#[test]
fn passes_of_our_own_tell_who_was_skipped() {
    let mut run = run(vec![
        pass((1, 1), Arm::Baseline, &[0, 101]),
        pass((1, 2), Arm::Target, &[0, 101]),
        pass((1, 3), Arm::Target, &[0]),
    ]);
    run.header.ingested = false;
    for pass in &mut run.passes {
        (pass.spec.phase, pass.origin) = (Phase::Screen, None);
    }
    let found = presences(&run, &[]);
    assert!(found[&TestIndex(1)].iter().all(|arm| arm.is_never_run()));
    assert_eq!(told(&run, &[]), [(1, [[1, 1, 0], [1, 1, 0]])]);
}
