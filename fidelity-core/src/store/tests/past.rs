//! What earlier runs saw fail, against the same from whole runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::*;
use super::fixtures::*;
use crate::domain::{Arm, Outcome, Phase, VerdictKind};
use crate::history::{PastFailure, PastRun};

/// What a run saw fail, found by looking at everything.
fn expected(run: &StoredRun, verdicts: &[(TestIndex, Verdict)]) -> PastRun {
    let mut failed: BTreeMap<TestIndex, PastFailure> = BTreeMap::new();
    let passes = run.passes.iter().filter(|pass| {
        matches!(pass.end, Some((PassEnd::Completed, _)))
            && !matches!(pass.spec.phase, Phase::MassRepeat | Phase::TimeoutCheck)
    });
    for pass in passes {
        for seen in &pass.observations {
            let outcome = seen.outcome;
            let counts = outcome.is_failure() || outcome == Outcome::Passed;
            if seen.attempt > 0 || !counts {
                continue;
            }
            let failure = failed.entry(seen.test).or_insert_with(|| PastFailure {
                test: run.tests[seen.test.get()].id.clone(),
                verdict: verdicts
                    .iter()
                    .find(|(test, _)| *test == seen.test)
                    .filter(|_| run.end.is_some())
                    .map(|(_, verdict)| verdict.clone()),
                baseline_failures: 0,
                target: BTreeMap::new(),
            });
            match pass.spec.arm {
                Arm::Baseline => failure.baseline_failures += u32::from(outcome.is_failure()),
                Arm::Target => {
                    let count = failure.target.entry(pass.environment.clone()).or_default();
                    count.trials += 1;
                    count.failures += u32::from(outcome.is_failure());
                }
            }
        }
    }
    let ever_failed = |failure: &PastFailure| {
        failure.baseline_failures > 0 || failure.target.values().any(|count| count.failures > 0)
    };
    PastRun {
        id: run.header.id,
        failed: failed.into_values().filter(ever_failed).collect(),
    }
}

#[test]
fn what_failed_before_is_what_the_runs_themselves_say() {
    let place = Place::new();
    let mut store = place.store();
    let mut runs = Vec::new();
    for seed in 1..=8 {
        let (run, verdicts) = random_run(seed);
        write_run(&mut store, &run, &verdicts);
        runs.push(expected(&run, &verdicts));
    }
    assert!(runs.iter().any(|run| !run.failed.is_empty()));
    runs.sort_by_key(|run| {
        store
            .runs(100)
            .unwrap()
            .iter()
            .position(|line| line.id == run.id)
    });
    assert_eq!(store.failures_before(100, &[]).unwrap(), runs);
    assert_eq!(store.failures_before(3, &[]).unwrap(), runs[..3]);
    let left_out = [runs[0].id, runs[2].id];
    let rest = store.failures_before(2, &left_out).unwrap();
    assert_eq!(rest, [runs[1].clone(), runs[3].clone()]);
}

#[test]
fn the_first_run_with_a_seed_is_found() {
    let place = Place::new();
    let mut store = place.store();
    for (number, seed) in [(3, 7), (2, 7), (1, 8)] {
        let header = RunHeader {
            seed: Seed(seed),
            ..header(number)
        };
        drop(store.create_run(&header, &[]).unwrap());
    }
    assert_eq!(store.first_with_seed(Seed(7)).unwrap(), Some(header(2).id));
    assert_eq!(store.first_with_seed(Seed(9)).unwrap(), None);
}

/// A run in numbers, found by looking at everything.
fn counted(run: &StoredRun, verdicts: &[(TestIndex, Verdict)]) -> RunTally {
    let mut trials = [0; 2];
    let mut seen = [BTreeSet::new(), BTreeSet::new()];
    let completed = run
        .passes
        .iter()
        .filter(|pass| matches!(pass.end, Some((PassEnd::Completed, _))));
    for pass in completed {
        let arm = pass.spec.arm.index();
        for observation in &pass.observations {
            trials[arm] += u64::from(observation.outcome.is_trial());
            if observation.outcome.is_trial() && observation.outcome != Outcome::NotReported {
                seen[arm].insert(observation.test);
            }
        }
    }
    let hidden = verdicts
        .iter()
        .filter(|(_, verdict)| verdict.kind == VerdictKind::HiddenDefect);
    RunTally {
        header: run.header.clone(),
        trials,
        tests: Arc::clone(&run.tests),
        tried: seen[0].intersection(&seen[1]).copied().collect(),
        hidden_defects: run
            .end
            .as_ref()
            .filter(|_| !verdicts.is_empty())
            .map(|_| hidden.map(|(test, _)| *test).collect()),
        attributions: Vec::new(),
    }
}

#[test]
fn the_newest_runs_in_numbers_are_what_the_runs_themselves_say() {
    let place = Place::new();
    let mut store = place.store();
    let mut expected = BTreeMap::new();
    for seed in 1..=30 {
        let (run, verdicts) = random_run(seed);
        write_run(&mut store, &run, &verdicts);
        expected.insert(run.header.id, counted(&run, &verdicts));
    }
    let tallies = store.tallies(100).unwrap();
    assert_eq!(tallies.len(), 30);
    for tally in &tallies {
        assert_eq!(tally, &expected[&tally.header.id]);
    }
    assert!(tallies.iter().any(|tally| !tally.tried.is_empty()));
    assert!(tallies.iter().any(|tally| {
        let hidden = tally.hidden_defects.as_ref();
        hidden.is_some_and(|hidden| !hidden.is_empty())
    }));
    assert_eq!(store.tallies(3).unwrap(), tallies[..3]);
}
