//! What is written is read back: runs with everything in them that a run can hold.

use super::super::*;
use super::fixtures::*;
use crate::domain::{Arm, Phase};
use crate::domain::{Outcome, StopReason};

#[test]
fn a_run_of_any_kind_is_read_back() {
    let place = Place::new();
    let mut store = place.store();
    let runs: Vec<_> = (0..150).map(random_run).collect();
    for (run, verdicts) in &runs {
        write_run(&mut store, run, verdicts);
    }
    drop(store);
    let store = SqliteStore::open(&place.file()).unwrap();
    for (seed, (run, _)) in runs.iter().enumerate() {
        let read = store.load(run.header.id).unwrap();
        assert!(read == without_outputs(run), "seed {seed}");
    }
    drop(store);
    assert_intact(&place.file());
}

#[test]
fn every_trial_of_a_test_is_read_back_with_its_output() {
    let place = Place::new();
    let mut store = place.store();
    for seed in 0..60 {
        let (run, verdicts) = random_run(seed);
        write_run(&mut store, &run, &verdicts);
        for (position, test) in run.tests.iter().enumerate() {
            let expected: Vec<_> = run
                .passes
                .iter()
                .flat_map(|pass| pass.observations.iter().map(move |seen| (pass, seen)))
                .filter(|(_, seen)| seen.test.get() == position)
                .map(|(pass, seen)| (pass.spec.number, pass.environment.clone(), seen.clone()))
                .collect();
            let read = store.trials_of(run.header.id, &test.id).unwrap();
            let read: Vec<_> = read
                .into_iter()
                .map(|trial| (trial.pass.number, trial.environment, trial.observation))
                .collect();
            assert_eq!(read, expected, "seed {seed}, test {position}");
        }
    }
}

#[test]
fn the_history_of_a_test_counts_what_its_runs_saw() {
    let place = Place::new();
    let mut store = place.store();
    let runs: Vec<_> = (0..60).map(random_run).collect();
    for (run, verdicts) in &runs {
        write_run(&mut store, run, verdicts);
    }
    let mut rows = 0;
    for (seed, (run, verdicts)) in runs.iter().enumerate() {
        for (position, test) in run.tests.iter().enumerate() {
            let index = TestIndex(position as u32);
            let history = store.history_of(&test.id).unwrap();
            let row = history.iter().find(|row| row.run == run.header.id).unwrap();
            let verdict = verdicts.iter().find(|(test, _)| *test == index);
            assert_eq!(
                row.verdict.as_ref(),
                verdict.map(|(_, verdict)| verdict),
                "seed {seed}"
            );
            assert_eq!(
                row.baseline,
                counted(run, index, Arm::Baseline),
                "seed {seed}"
            );
            assert_eq!(row.target, counted(run, index, Arm::Target), "seed {seed}");
            assert!(history.is_sorted_by(|a, b| a.started_at >= b.started_at));
            rows += history.len();
        }
    }
    assert!(rows > 1000, "{rows}");
}

fn counted(run: &StoredRun, test: TestIndex, arm: Arm) -> TrialCount {
    let passes = run.passes.iter().filter(|pass| {
        let side_step = matches!(pass.spec.phase, Phase::MassRepeat | Phase::TimeoutCheck);
        let completed = matches!(pass.end, Some((PassEnd::Completed, _)));
        pass.spec.arm == arm && completed && !side_step
    });
    let seen = passes.flat_map(|pass| &pass.observations).filter(|seen| {
        let says_something = !matches!(seen.outcome, Outcome::Skipped | Outcome::NotReported);
        seen.test == test && seen.attempt == 0 && says_something
    });
    seen.fold(TrialCount::default(), |count, seen| TrialCount {
        trials: count.trials + 1,
        failures: count.failures + u32::from(seen.outcome.is_failure()),
    })
}

#[test]
fn a_list_of_runs_sums_them_up() {
    let place = Place::new();
    let mut store = place.store();
    let runs: Vec<_> = (0..60).map(random_run).collect();
    for (run, verdicts) in &runs {
        write_run(&mut store, run, verdicts);
    }
    let read = store.runs(1000).unwrap();
    let expected: Vec<_> = runs.iter().rev().map(|(run, _)| summary(run)).collect();
    assert_eq!(read, expected);
    assert_eq!(store.runs(7).unwrap(), &expected[..7]);
    assert_eq!(store.runs(0).unwrap(), []);
}

fn summary(run: &StoredRun) -> RunSummary {
    let observations = run.passes.iter().flat_map(|pass| &pass.observations);
    let completed = |end: &Option<(PassEnd, u64)>| matches!(end, Some((PassEnd::Completed, _)));
    RunSummary {
        id: run.header.id,
        started_at: run.header.started_at.clone(),
        commit: run
            .header
            .revision
            .as_ref()
            .map(|revision| revision.commit.clone()),
        tests: run.tests.len() as u32,
        passes: run
            .passes
            .iter()
            .filter(|pass| completed(&pass.end))
            .count() as u32,
        trials: observations.filter(|seen| seen.outcome.is_trial()).count() as u64,
        end: run.end.clone(),
        ingested: run.header.ingested,
        withdraws: run.header.withdraws.iter().map(|it| it.run).collect(),
        alive: false,
    }
}

#[test]
fn a_run_is_resumed_where_it_was_left() {
    for seed in 0..80 {
        let place = Place::new();
        let (whole, verdicts) = random_run(seed);
        let mut partial = whole.clone();
        let mut random = super::random::Random::new(seed);
        let Some(last) = partial.passes.pop() else {
            continue;
        };
        let mut open = last.clone();
        open.end = None;
        open.machine = None;
        let keep = random.below(1 + open.observations.len() as u64) as usize;
        let rest = open.observations.split_off(keep);
        partial.passes.push(open);
        let interrupted = RunEnd {
            stop: StopReason::Interrupted,
            wall_ms: 17,
            problems: Vec::new(),
        };
        partial.end = random.once_in(2).then_some(interrupted);
        let mut store = place.store();
        write_run(&mut store, &partial, &[]);

        let (read, mut log) = place.store().resume_run(whole.header.id).unwrap();
        assert!(read == without_outputs(&partial), "seed {seed}");
        if random.once_in(2) {
            // The pass is open: opening it again changes nothing.
            log.begin_pass(&last.spec, &last.environment).unwrap();
        }
        log.append(&rest).unwrap();
        assert!(rest.is_empty() || store.load(whole.header.id).unwrap().end.is_none());
        if let Some((end, elapsed_ms)) = &last.end {
            log.end_pass(end, *elapsed_ms, last.machine).unwrap();
        }
        let end = RunEnd {
            stop: StopReason::Decided,
            wall_ms: 99,
            problems: Vec::new(),
        };
        log.end_run(&end, &verdicts).unwrap();
        drop(log);
        let expected = StoredRun {
            end: Some(end),
            ..whole
        };
        assert!(
            store.load(expected.header.id).unwrap() == without_outputs(&expected),
            "seed {seed}"
        );
    }
}

#[test]
fn a_resume_that_writes_nothing_leaves_the_end_as_it_was() {
    let place = Place::new();
    let mut store = place.store();
    let mut log = store.create_run(&header(1), &listed(3)).unwrap();
    let end = RunEnd {
        stop: StopReason::Interrupted,
        wall_ms: 5,
        problems: Vec::new(),
    };
    log.end_run(&end, &[]).unwrap();
    drop(log);
    drop(store.resume_run(header(1).id).unwrap());
    assert_eq!(store.load(header(1).id).unwrap().end, Some(end));
}

#[test]
fn what_is_appended_is_seen_by_others_at_once() {
    let place = Place::new();
    let mut store = place.store();
    let mut log = store.create_run(&header(1), &listed(10)).unwrap();
    let reader = SqliteStore::open(&place.file()).unwrap();
    log.begin_pass(&spec(1, 10), &Environment::default())
        .unwrap();
    for test in 0..10 {
        log.append(&[passed(test)]).unwrap();
        let read = reader.load(header(1).id).unwrap();
        let expected: Vec<_> = (0..=test).map(passed).collect();
        assert_eq!(read.passes[0].observations, expected);
        assert_eq!(read.passes[0].end, None);
    }
}
