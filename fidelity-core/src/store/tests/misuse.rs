//! Calls in an order without meaning, and values that could not be read back: refused, and nothing written.

use super::super::*;
use super::fixtures::*;
use crate::domain::{StopReason, VerdictKind};

const END: RunEnd = RunEnd {
    stop: StopReason::Decided,
    wall_ms: 1,
    problems: Vec::new(),
};

#[track_caller]
fn assert_sequence(result: Result<(), StoreError>) {
    assert!(
        matches!(result, Err(StoreError::Sequence { .. })),
        "{result:?}"
    );
}

#[track_caller]
fn assert_not_storable<T>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::NotStorable { .. })));
}

#[test]
fn a_trial_is_recorded_once() {
    let place = Place::new();
    let mut store = place.store();
    let mut log = store.create_run(&header(1), &listed(5)).unwrap();
    log.begin_pass(&spec(1, 5), &Environment::default())
        .unwrap();
    log.append(&[passed(0), passed(1)]).unwrap();
    let again = log.append(&[passed(2), failed(3, "out"), passed(1)]);
    match again {
        Err(StoreError::AlreadyRecorded {
            pass: 1,
            test: 1,
            attempt: 0,
        }) => {}
        other => panic!("{other:?}"),
    }
    // Nothing of the failed call is kept, and the log goes on.
    log.append(&[failed(3, "out"), passed(2)]).unwrap();
    let read = store.load(header(1).id).unwrap();
    let seen: Vec<_> = read.passes[0]
        .observations
        .iter()
        .map(|seen| seen.test.0)
        .collect();
    assert_eq!(seen, [0, 1, 2, 3]);
}

#[test]
fn passes_open_and_close_in_order() {
    let place = Place::new();
    let mut store = place.store();
    let environment = Environment::default();
    let mut log = store.create_run(&header(1), &listed(5)).unwrap();
    assert_sequence(log.append(&[passed(0)]));
    assert_sequence(log.end_pass(&PassEnd::Completed, 1, None));
    log.begin_pass(&spec(2, 5), &environment).unwrap();
    assert_sequence(log.begin_pass(&spec(3, 5), &environment));
    assert_sequence(log.begin_pass(&spec(2, 4), &environment));
    log.end_pass(&PassEnd::Completed, 1, None).unwrap();
    assert_sequence(log.begin_pass(&spec(2, 5), &environment));
    assert_sequence(log.begin_pass(&spec(1, 5), &environment));
    log.end_run(&END, &[]).unwrap();
    assert_sequence(log.end_run(&END, &[]));
    assert_sequence(log.begin_pass(&spec(3, 5), &environment));
    assert_sequence(log.append(&[passed(0)]));
    assert_eq!(store.load(header(1).id).unwrap().passes.len(), 1);
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let place = Place::new();
    let mut store = place.store();
    let mut unsorted = listed(3);
    unsorted.swap(0, 2);
    assert_not_storable(store.create_run(&header(1), &unsorted));
    assert_not_storable(store.create_run(&header(1), &[listed(1), listed(1)].concat()));
    let undated = RunHeader {
        started_at: "yesterday".to_owned(),
        ..header(1)
    };
    assert_not_storable(store.create_run(&undated, &[]));
    assert_eq!(store.runs(9).unwrap(), []);

    let mut log = store.create_run(&header(1), &listed(3)).unwrap();
    let environment = Environment::default();
    for probability in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let spec = PassSpec {
            target_probability: probability,
            ..spec(1, 3)
        };
        assert_not_storable(log.begin_pass(&spec, &environment));
    }
    for tests in [vec![1, 0], vec![1, 1], vec![0, 3]] {
        let tests = tests.into_iter().map(TestIndex).collect();
        assert_not_storable(log.begin_pass(
            &PassSpec {
                tests,
                ..spec(1, 3)
            },
            &environment,
        ));
    }
    log.begin_pass(&spec(1, 3), &environment).unwrap();
    assert_not_storable(log.append(&[passed(0), passed(3)]));
    let stable = Verdict {
        kind: VerdictKind::Stable,
        reason: String::new(),
    };
    let twice = [
        (TestIndex(1), stable.clone()),
        (TestIndex(1), stable.clone()),
    ];
    assert_not_storable(log.end_run(&END, &twice));
    assert_not_storable(log.end_run(&END, &[(TestIndex(3), stable)]));
    let read = store.load(header(1).id).unwrap();
    assert_eq!(
        (
            read.passes.len(),
            read.passes[0].observations.len(),
            read.end
        ),
        (1, 0, None)
    );
}

#[test]
fn an_id_is_given_once() {
    let place = Place::new();
    let mut store = place.store();
    drop(store.create_run(&header(1), &listed(3)).unwrap());
    let again = store.create_run(&header(1), &listed(2)).err();
    assert!(matches!(again, Some(StoreError::RunExists { run }) if run == header(1).id));
    let alive = store.create_run(&header(2), &listed(3)).unwrap();
    let again = store.create_run(&header(2), &listed(3)).err();
    assert!(matches!(again, Some(StoreError::Alive { run }) if run == header(2).id));
    drop(alive);
    assert_eq!(store.runs(9).unwrap().len(), 2);
}

#[test]
fn a_run_that_a_later_one_joined_stays_as_it_was_then() {
    let place = Place::new();
    let mut store = place.store();
    drop(store.create_run(&header(1), &listed(3)).unwrap());
    drop(store.resume_run(header(1).id).unwrap());
    let later = RunHeader {
        joined: vec![header(1).id],
        ..header(2)
    };
    // Whether the later one is alive or not.
    let alive = store.create_run(&later, &listed(3)).unwrap();
    for _ in 0..2 {
        match store.resume_run(header(1).id).err() {
            Some(StoreError::Joined { run, by }) => {
                assert_eq!((run, by), (header(1).id, header(2).id));
            }
            other => panic!("{other:?}"),
        }
    }
    drop(alive);
    assert!(store.resume_run(header(1).id).is_err());
    assert!(store.resume_run(header(2).id).is_ok());
}

#[test]
fn a_long_line_is_shortened_between_characters() {
    let place = Place::new();
    let mut store = place.store();
    let mut log = store.create_run(&header(1), &listed(4)).unwrap();
    log.begin_pass(&spec(1, 4), &Environment::default())
        .unwrap();
    for (test, filler) in (0..).zip(["a", "ä", "€", "💥"]) {
        let mut seen = failed(test, "");
        let failure = seen.failure.as_mut().unwrap();
        failure.message = filler.repeat(100_000);
        failure.signature = filler.repeat(1024 / filler.len());
        log.append(&[seen]).unwrap();
    }
    let read = store.load(header(1).id).unwrap();
    for (seen, filler) in read.passes[0]
        .observations
        .iter()
        .zip(["a", "ä", "€", "💥"])
    {
        let failure = seen.failure.as_ref().unwrap();
        assert!(failure.message.ends_with('…'));
        assert!(
            (1018..=1024).contains(&failure.message.len()),
            "{}",
            failure.message.len()
        );
        assert_eq!(failure.signature, filler.repeat(1024 / filler.len()));
    }
}
