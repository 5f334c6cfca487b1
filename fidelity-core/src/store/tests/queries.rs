//! Finding runs: by the beginning of an id, by fingerprint, by age.

use super::super::*;
use super::fixtures::*;
use crate::domain::StopReason;

fn with_id(number: u64, id: u128) -> RunHeader {
    RunHeader {
        id: RunId(id),
        ..header(number)
    }
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_id() {
    let place = Place::new();
    let mut store = place.store();
    let ids = [0xabc1_u128 << 112, 0xabc2_u128 << 112, 0xf_u128, u128::MAX];
    for (number, id) in ids.into_iter().enumerate() {
        drop(store.create_run(&with_id(number as u64, id), &[]).unwrap());
    }
    assert_eq!(store.find_run("abc1").unwrap().0, ids[0]);
    assert_eq!(store.find_run("ABC2").unwrap().0, ids[1]);
    assert_eq!(store.find_run("0").unwrap().0, ids[2]);
    assert_eq!(store.find_run("f").unwrap().0, ids[3]);
    assert_eq!(
        store.find_run(&RunId(ids[3]).to_string()).unwrap().0,
        ids[3]
    );
    match store.find_run("abc") {
        Err(StoreError::AmbiguousRun { prefix, matches }) => {
            assert_eq!(prefix, "abc");
            assert_eq!(matches, [RunId(ids[0]), RunId(ids[1])]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_beginning_of_an_id_finds_nothing() {
    let place = Place::new();
    let mut store = place.store();
    drop(store.create_run(&with_id(1, 0xabc1 << 112), &[]).unwrap());
    let long = "a".repeat(33);
    for prefix in ["", "abd", "xyz", "-1", "+a", "äbc", "abc1 ", long.as_str()] {
        match store.find_run(prefix) {
            Err(StoreError::NoSuchRun { name }) => assert_eq!(name, prefix),
            other => panic!("{prefix}: {other:?}"),
        }
    }
    assert!(matches!(
        store.load(RunId(5)),
        Err(StoreError::NoSuchRun { .. })
    ));
    assert!(matches!(
        store.resume_run(RunId(5)),
        Err(StoreError::NoSuchRun { .. })
    ));
    let test = TestId::new("crate", "test_0001");
    assert!(matches!(
        store.trials_of(RunId(5), &test),
        Err(StoreError::NoSuchRun { .. })
    ));
}

#[test]
fn the_latest_run_is_the_one_that_started_last() {
    let place = Place::new();
    let mut store = place.store();
    assert!(matches!(
        store.find_run("latest"),
        Err(StoreError::NoRuns { .. })
    ));
    // Stored in another order than started, and one with fractions of a second and an offset.
    let starts = [
        "2026-05-01T00:00:00Z",
        "2026-05-03T01:00:00.5+02:00",
        "2026-05-02T22:59:59.123456Z",
    ];
    for (number, started_at) in (0..).zip(starts) {
        let header = RunHeader {
            started_at: started_at.to_owned(),
            ..header(number)
        };
        drop(store.create_run(&header, &[]).unwrap());
    }
    assert_eq!(store.find_run("latest").unwrap(), header(1).id);
    let order: Vec<_> = store
        .runs(9)
        .unwrap()
        .into_iter()
        .map(|run| run.started_at)
        .collect();
    assert_eq!(order, [starts[1], starts[2], starts[0]]);
}

#[test]
fn runs_of_the_same_fingerprint_are_comparable_unless_someone_writes_them() {
    let place = Place::new();
    let mut store = place.store();
    for number in [3, 1, 2] {
        let mut header = header(number);
        header.seed_given = number == 2;
        header.fingerprint.toolchain = if number == 3 { "t2" } else { "t1" }.to_owned();
        let mut log = store.create_run(&header, &[]).unwrap();
        if number == 2 {
            let end = RunEnd {
                stop: StopReason::Decided,
                wall_ms: 1,
                problems: Vec::new(),
            };
            log.end_run(&end, &[]).unwrap();
        }
    }
    let alive = store.create_run(&header(4), &[]).unwrap();
    let comparable = |number, seed_given| ComparableRun {
        id: header(number).id,
        seed: Seed(number),
        seed_given,
        ended: number == 2,
    };
    let expected = [comparable(1, false), comparable(2, true)];
    assert_eq!(store.comparable(&header(0).fingerprint).unwrap(), expected);
    assert!(store.runs(1).unwrap()[0].alive);
    drop(alive);
    assert_eq!(store.comparable(&header(0).fingerprint).unwrap().len(), 3);
    assert!(!store.runs(1).unwrap()[0].alive);
}

#[test]
fn an_unknown_test_has_no_history() {
    let place = Place::new();
    let mut store = place.store();
    drop(store.create_run(&header(1), &listed(3)).unwrap());
    drop(store.create_run(&header(2), &listed(2)).unwrap());
    for (binary, test) in [("crate", "other"), ("other", "test_0001"), ("", "")] {
        let test = TestId::new(binary, test);
        assert_eq!(store.history_of(&test).unwrap(), []);
        assert_eq!(store.trials_of(header(1).id, &test).unwrap(), []);
    }
    let third = TestId::new("crate", "test_0002");
    assert_eq!(store.history_of(&third).unwrap().len(), 1);
    assert_eq!(store.trials_of(header(2).id, &third).unwrap(), []);
}

#[test]
fn only_a_run_that_was_cut_short_is_resumed() {
    let place = Place::new();
    let mut store = place.store();
    let stops = [
        (StopReason::Decided, false),
        (StopReason::OutOfTime, false),
        (StopReason::OutOfTrials, false),
        (StopReason::Interrupted, true),
        (
            StopReason::Environment {
                reason: "x".to_owned(),
            },
            true,
        ),
    ];
    for (number, (stop, resumes)) in (0..).zip(stops) {
        let mut log = store.create_run(&header(number), &[]).unwrap();
        log.end_run(
            &RunEnd {
                stop,
                wall_ms: 1,
                problems: Vec::new(),
            },
            &[],
        )
        .unwrap();
        drop(log);
        match store.resume_run(header(number).id) {
            Ok(_) => assert!(resumes, "{number}"),
            Err(StoreError::Finished { run }) => assert!(!resumes && run == header(number).id),
            Err(other) => panic!("{other}"),
        }
    }
}
