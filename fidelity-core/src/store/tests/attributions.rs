//! What experiments showed of the tests of a run: kept trial by trial, gone on with, and never taken for evidence.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::super::*;
use super::fixtures::*;
use crate::domain::{KnobId, KnobValue};

/// A store with the runs 1 and 2, of five tests each.
fn stored() -> (Place, SqliteStore) {
    let place = Place::new();
    let mut store = place.store();
    for number in [1, 2] {
        let mut log = store.create_run(&header(number), &listed(5)).unwrap();
        log.begin_pass(&spec(1, 5), &Environment::default())
            .unwrap();
        log.append(&[passed(0), failed(1, "out")]).unwrap();
        log.end_pass(&PassEnd::Completed, 1, None).unwrap();
    }
    (place, store)
}

fn run(number: u64) -> RunId {
    header(number).id
}

#[test]
fn what_was_cut_short_goes_on_where_it_was() {
    let (place, mut store) = stored();
    let mut log = store.attribute(run(1), TestIndex(1), "knobs").unwrap();
    assert!(log.trials().is_empty());
    log.append(&attribution_trial(1, "1f")).unwrap();
    log.append(&attribution_trial(1, "0")).unwrap();
    // Another process sees each trial as soon as it was appended, and no attribution before its end.
    let other = SqliteStore::open(&place.file()).unwrap();
    assert!(other.attributions(run(1)).unwrap().is_empty());
    drop(log);
    let mut log = store.attribute(run(1), TestIndex(1), "knobs").unwrap();
    let configs: Vec<&str> = log
        .trials()
        .iter()
        .map(|trial| trial.config.as_str())
        .collect();
    assert_eq!(configs, ["1f", "0"]);
    log.append(&attribution_trial(1, "3")).unwrap();
    log.end(&attribution("umask = 077")).unwrap();
    drop(log);
    let found = other.attributions(run(1)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].test, found[0].question.as_str()),
        (TestIndex(1), "knobs")
    );
    assert_eq!(found[0].attribution, attribution("umask = 077"));
    // More trials may be made of it, and what it came to takes the place of what it came to before.
    let mut log = store.attribute(run(1), TestIndex(1), "knobs").unwrap();
    assert_eq!(log.trials().len(), 3);
    log.end(&attribution("tz")).unwrap();
    drop(log);
    let found = other.attributions(run(1)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].attribution, attribution("tz"));
}

#[test]
fn every_run_test_and_question_has_its_own() {
    let (_place, mut store) = stored();
    let asked = [
        (1, 3, "knobs"),
        (1, 1, "knobs"),
        (1, 1, "other"),
        (2, 1, "knobs"),
    ];
    for (number, test, question) in asked {
        let mut log = store
            .attribute(run(number), TestIndex(test), question)
            .unwrap();
        assert!(log.trials().is_empty());
        log.append(&attribution_trial(test, question)).unwrap();
        log.end(&attribution(question)).unwrap();
    }
    let of = |number| -> Vec<(u32, String)> {
        let found = store.attributions(run(number)).unwrap();
        found
            .into_iter()
            .map(|one| (one.test.0, one.question))
            .collect()
    };
    let words = |test, question: &str| (test, question.to_owned());
    assert_eq!(
        of(1),
        [words(1, "knobs"), words(1, "other"), words(3, "knobs")]
    );
    assert_eq!(of(2), [words(1, "knobs")]);
}

#[test]
fn one_process_attributes_tests_of_a_run_at_a_time_while_others_go_on() {
    let (place, mut store) = stored();
    let held = store.attribute(run(1), TestIndex(1), "knobs").unwrap();
    let mut other = SqliteStore::open(&place.file()).unwrap();
    let refused = other.attribute(run(1), TestIndex(2), "knobs").err();
    assert!(matches!(refused, Some(StoreError::Attributing { run: id }) if id == run(1)));
    drop(other.attribute(run(2), TestIndex(2), "knobs").unwrap());
    // A run that is being attributed can be joined: it is not being written.
    assert_eq!(other.comparable(&header(3).fingerprint).unwrap().len(), 2);
    drop(held);
    drop(other.attribute(run(1), TestIndex(2), "knobs").unwrap());
}

#[test]
fn trials_of_an_attribution_are_no_trials_of_the_run() {
    let (_place, mut store) = stored();
    let before = store.load(run(1)).unwrap();
    let mut log = store.attribute(run(1), TestIndex(0), "knobs").unwrap();
    for _ in 0..20 {
        log.append(&attribution_trial(0, "1")).unwrap();
    }
    log.end(&attribution("tz")).unwrap();
    drop(log);
    assert_eq!(store.load(run(1)).unwrap(), before);
    let test = listed(1).remove(0).id;
    assert_eq!(store.trials_of(run(1), &test).unwrap().len(), 1);
    assert_eq!(store.history_of(&test).unwrap()[0].target.failures, 0);
}

#[test]
fn who_logs_in_by_a_url_is_not_stored() {
    let (place, mut store) = stored();
    let url = KnobValue::Text("postgres://ann:s3cret@db/x".to_owned());
    let mut trial = attribution_trial(1, "1");
    trial.environment = Environment(BTreeMap::from([(KnobId::from("env.URL"), url)]));
    let mut log = store.attribute(run(1), TestIndex(1), "knobs").unwrap();
    log.append(&trial).unwrap();
    drop((log, store));
    for end in ["", "-wal"] {
        let path = format!("{}{end}", place.file().display());
        let bytes = std::fs::read(path).unwrap_or_default();
        assert!(!bytes.windows(6).any(|window| window == b"s3cret"));
    }
}

#[test]
fn what_could_not_be_read_back_is_refused() {
    let (_place, mut store) = stored();
    let mut refused = |number, test, question: &str| {
        let refused = store.attribute(run(number), TestIndex(test), question);
        refused.err().unwrap()
    };
    assert!(matches!(
        refused(7, 1, "knobs"),
        StoreError::NoSuchRun { .. }
    ));
    assert!(matches!(
        refused(1, 5, "knobs"),
        StoreError::NotStorable { .. }
    ));
    let long = "?".repeat(2_000);
    assert!(matches!(
        refused(1, 1, &long),
        StoreError::NotStorable { .. }
    ));
}

#[test]
fn what_is_damaged_is_said_to_be() {
    let damages = [
        "UPDATE attribution SET test = 9",
        "UPDATE attribution SET test = -1",
        "UPDATE attribution SET result = '{}'",
        "UPDATE attribution SET result = 'no json'",
        "UPDATE attribution_trial SET body = '{\"stage\": 0}'",
        "UPDATE attribution_trial SET body = replace(body, '\"test\":1', '\"test\":9')",
    ];
    for damage in damages {
        let (place, mut store) = stored();
        let mut log = store.attribute(run(1), TestIndex(1), "knobs").unwrap();
        log.append(&attribution_trial(1, "1f")).unwrap();
        log.end(&attribution("tz")).unwrap();
        drop(log);
        let changed = Connection::open(place.file()).unwrap().execute(damage, []);
        assert_eq!(changed.unwrap(), 1, "{damage}");
        let read = store.attributions(run(1)).err();
        let opened = store.attribute(run(1), TestIndex(1), "knobs").err();
        let corrupt =
            |error: &Option<StoreError>| matches!(error, Some(StoreError::Corrupt { .. }));
        assert!(
            corrupt(&read) || corrupt(&opened),
            "{damage}: {read:?}, {opened:?}"
        );
    }
}
