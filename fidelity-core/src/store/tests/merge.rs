//! Joining stores: any order, any number of times, and whatever one of them holds.

use rusqlite::Connection;

use super::fixtures::{Place, assert_intact, header, listed, passed, random_run, spec, write_run};
use crate::domain::{Environment, Outcome, PassEnd, RunEnd, RunId, StopReason, StoredRun};
use crate::domain::{TestId, Verdict};
use crate::store::{Merged, RunLog, SqliteStore, Store, StoreError};

/// A store with these made-up runs.
fn store_of(seeds: &[u64]) -> (Place, SqliteStore) {
    let place = Place::new();
    let mut store = place.store();
    for seed in seeds {
        let (run, verdicts) = random_run(*seed);
        write_run(&mut store, &run, &verdicts);
    }
    (place, store)
}

/// Everything that a store holds: its runs, and what each test printed and came to.
fn contents(store: &SqliteStore) -> Vec<(StoredRun, Vec<String>)> {
    let mut runs: Vec<_> = store
        .runs(usize::MAX)
        .unwrap()
        .into_iter()
        .map(|summary| {
            let run = store.load(summary.id).unwrap();
            let tests = run.tests.iter().map(|test| &test.id);
            let seen = tests
                .map(|id: &TestId| {
                    let history = store.history_of(id).unwrap();
                    let verdict: Vec<Option<Verdict>> = history
                        .into_iter()
                        .filter(|row| row.run == summary.id)
                        .map(|row| row.verdict)
                        .collect();
                    format!("{verdict:?} {:?}", store.trials_of(summary.id, id).unwrap())
                })
                .collect();
            (run, seen)
        })
        .collect();
    runs.sort_by_key(|(run, _)| run.header.id);
    runs
}

#[test]
fn stores_may_be_joined_in_any_order_and_any_number_of_times() {
    let (_a, a) = store_of(&[1, 2, 3]);
    let (_b, b) = store_of(&[3, 4, 5, 6]);
    let (_c, c) = store_of(&[6, 7, 1]);
    let (_all, all) = store_of(&[1, 2, 3, 4, 5, 6, 7]);
    let expected = contents(&all);
    for order in [[&a, &b, &c], [&c, &b, &a], [&b, &a, &c]] {
        let place = Place::new();
        let mut joined = place.store();
        for _ in 0..2 {
            for other in order {
                joined.merge(other).unwrap();
            }
        }
        assert_eq!(contents(&joined), expected);
        assert_intact(&place.file());
    }
}

#[test]
fn what_became_of_each_run_is_told() {
    let (_a, mut a) = store_of(&[1, 2]);
    let (_b, b) = store_of(&[2, 3]);
    let id = |seed: u64| random_run(seed).0.header.id;
    let merged = a.merge(&b).unwrap();
    assert_eq!(
        merged,
        Merged {
            added: vec![id(3)],
            same: vec![id(2)],
            ..Merged::default()
        }
    );
    assert_eq!(a.merge(&b).unwrap().same, [id(2), id(3)]);
}

/// Writes `passes` passes of run number 1, and its end if it has one.
fn stored(passes: u32, end: bool) -> (Place, SqliteStore, Box<dyn RunLog>) {
    let place = Place::new();
    let mut store = place.store();
    let mut log = store.create_run(&header(1), &listed(2)).unwrap();
    for number in 1..=passes {
        log.begin_pass(&spec(number, 2), &Environment::default())
            .unwrap();
        log.append(&[passed(0), passed(1)]).unwrap();
        log.end_pass(&PassEnd::Completed, 5, None).unwrap();
    }
    if end {
        let end = RunEnd {
            stop: StopReason::Decided,
            wall_ms: 9,
            problems: Vec::new(),
        };
        log.end_run(&end, &[]).unwrap();
    }
    (place, store, log)
}

#[test]
fn of_two_copies_of_a_run_the_one_that_is_further_along_is_kept() {
    let id: RunId = header(1).id;
    for (fewer, more) in [
        ((1, false), (2, false)),
        ((2, false), (2, true)),
        ((0, false), (3, true)),
    ] {
        let (_a, mut a, log) = stored(fewer.0, fewer.1);
        drop(log);
        let (_b, mut b, log) = stored(more.0, more.1);
        drop(log);
        let expected = contents(&b);
        assert_eq!(b.merge(&a).unwrap().kept, [id]);
        assert_eq!(a.merge(&b).unwrap().replaced, [id]);
        assert_eq!(contents(&a), expected);
        assert_eq!(contents(&b), expected);
        assert_eq!(a.merge(&b).unwrap().same, [id]);
    }
}

#[test]
fn a_run_that_is_being_written_here_is_left_alone() {
    let (_a, mut a, log) = stored(1, false);
    let (_b, b, _) = stored(2, true);
    assert_eq!(a.merge(&b).unwrap().busy, [header(1).id]);
    drop(log);
    assert_eq!(a.merge(&b).unwrap().replaced, [header(1).id]);
}

#[test]
fn a_damaged_run_is_copied_not_at_all_and_the_other_store_is_named() {
    let (place, other) = store_of(&[8, 9]);
    let (run, _) = random_run(9);
    drop(other);
    let connection = Connection::open(place.file()).unwrap();
    connection
        .execute(
            "UPDATE run SET tests = x'ff' WHERE name = ?1",
            [run.header.id.0.to_be_bytes()],
        )
        .unwrap();
    drop(connection);
    let other = SqliteStore::open(&place.file()).unwrap();
    let mine = Place::new();
    let mut store = mine.store();
    let error = store.merge(&other).unwrap_err();
    assert!(error.is_about(other.path()), "{error:?}");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    let kept: Vec<RunId> = store
        .runs(9)
        .unwrap()
        .into_iter()
        .map(|run| run.id)
        .collect();
    assert_eq!(kept, [random_run(8).0.header.id]);
    assert_intact(&mine.file());
}

#[test]
fn a_pass_is_recorded_as_a_whole_and_found_by_its_files() {
    let place = Place::new();
    let mut store = place.store();
    let (header, tests) = (header(1), listed(5));
    let mut log = store.create_run(&header, &tests).unwrap();
    let mut spec = spec(1, 5);
    spec.phase = crate::domain::Phase::Ingested;
    let mut observations: Vec<_> = (0..5).map(passed).collect();
    observations[0].outcome = Outcome::Skipped;
    let origin = crate::domain::Origin {
        block: crate::domain::BlockId {
            commit: Some("c".to_owned()),
            name: None,
        },
        at_us: Some(-5),
        sources: vec![crate::domain::SourceFile {
            digest: [7; 32],
            name: "a\u{0}.xml".to_owned(),
        }],
        part: "stress 3".to_owned(),
    };
    let pass = crate::domain::PassRecord {
        spec,
        environment: Environment::default(),
        observations,
        end: Some((PassEnd::Completed, 5)),
        machine: None,
        origin: Some(Box::new(origin.clone())),
    };
    log.record_pass(&pass).unwrap();
    assert!(matches!(
        log.record_pass(&pass),
        Err(StoreError::Sequence { .. })
    ));
    drop(log);
    assert_eq!(store.load(header.id).unwrap().passes, [pass]);
    let found = store.ingested_from(&[7; 32]).unwrap();
    assert_eq!((found.len(), &found[0].origin), (1, &origin));
    assert!(store.ingested_from(&[8; 32]).unwrap().is_empty());
}
