//! Attributions and searches are joined with their runs: any order, any number of times, and the copy that is further along.

use super::fixtures::{Place, assert_intact, header, listed, passed, spec};
use crate::domain::{
    Attribution, AttributionEnd, AttributionTrial, Environment, Outcome, PassEnd, RunEnd, Scope,
    StopReason, StoredAttribution, TestId, TestIndex,
};
use crate::store::{SqliteStore, Store, StoredSearch};

/// A store with run number 1 after so many passes, whose end it has if `ended`.
fn store_of(passes: u32, ended: bool) -> (Place, SqliteStore) {
    let place = Place::new();
    let mut store = place.store();
    let mut log = store.create_run(&header(1), &listed(3)).unwrap();
    for number in 1..=passes {
        log.begin_pass(&spec(number, 3), &Environment::default())
            .unwrap();
        log.append(&[passed(0)]).unwrap();
        log.end_pass(&PassEnd::Completed, 1, None).unwrap();
    }
    if ended {
        let end = RunEnd {
            stop: StopReason::Decided,
            wall_ms: 1,
            problems: Vec::new(),
        };
        log.end_run(&end, &[]).unwrap();
    }
    (place, store)
}

fn trial(test: u32, elapsed_ms: u64) -> AttributionTrial {
    AttributionTrial {
        stage: 0,
        test: TestIndex(test),
        config: "tz".to_owned(),
        scope: Scope::Suite,
        environment: Environment::default(),
        outcome: Some(Outcome::Failed),
        alike: true,
        elapsed_ms,
    }
}

fn result(wording: &str) -> Attribution {
    Attribution {
        end: AttributionEnd::NotReproducible,
        wording: wording.to_owned(),
        cause: None,
        suspects: Vec::new(),
        trials: 1,
        builds: 0,
        not_ruled_out: Vec::new(),
        second: None,
    }
}

/// Makes an attribution of a test of run 1, which has its `result` if one is given.
fn attribute(store: &mut SqliteStore, test: u32, trials: u64, ending: Option<&str>) {
    let mut log = store
        .attribute(header(1).id, TestIndex(test), "knobs")
        .unwrap();
    for elapsed_ms in log.trials().len() as u64..trials {
        log.append(&trial(test, elapsed_ms)).unwrap();
    }
    if let Some(wording) = ending {
        log.end(&result(wording)).unwrap();
    }
}

/// Everything a store holds of attributions: what has an end, and how far each test's record is.
fn attributions(store: &mut SqliteStore) -> (Vec<StoredAttribution>, Vec<usize>) {
    let ended = store.attributions(header(1).id).unwrap();
    let trials = (0..3).map(|test| {
        let log = store.attribute(header(1).id, TestIndex(test), "knobs");
        log.unwrap().trials().len()
    });
    (ended, trials.collect())
}

#[test]
fn attributions_are_joined_in_any_order_and_the_one_further_along_is_kept() {
    let [(_a, mut a), (_b, mut b), (_c, mut c)] = [1, 1, 1].map(|passes| store_of(passes, true));
    attribute(&mut a, 0, 2, None);
    attribute(&mut a, 1, 5, Some("one"));
    attribute(&mut b, 0, 4, Some("two"));
    attribute(&mut b, 1, 5, None);
    attribute(&mut c, 0, 4, None);
    attribute(&mut c, 2, 1, Some("three"));
    for order in [[&a, &b, &c], [&c, &b, &a], [&b, &a, &c]] {
        let place = Place::new();
        let mut joined = place.store();
        for other in order {
            joined.merge(other).unwrap();
        }
        for other in order {
            let again = joined.merge(other).unwrap();
            assert_eq!((again.causes, again.causes_busy), (0, 0));
        }
        let (ended, trials) = attributions(&mut joined);
        let words: Vec<(u32, &str)> = ended
            .iter()
            .map(|stored| (stored.test.0, stored.attribution.wording.as_str()))
            .collect();
        assert_eq!(words, [(0, "two"), (1, "one"), (2, "three")]);
        assert_eq!(trials, [4, 5, 1]);
        assert_intact(&place.file());
    }
}

#[test]
fn attributions_of_a_run_stay_when_a_copy_that_is_further_along_takes_its_place() {
    let (_a, mut a) = store_of(1, false);
    let (_b, b) = store_of(2, true);
    attribute(&mut a, 1, 3, Some("kept"));
    assert_eq!(a.merge(&b).unwrap().replaced, [header(1).id]);
    let (ended, trials) = attributions(&mut a);
    assert_eq!((ended.len(), trials), (1, vec![0, 3, 0]));
    // And they come along to where the run is further.
    let (_b, mut b) = store_of(2, true);
    let merged = b.merge(&a).unwrap();
    assert_eq!((merged.same, merged.causes), (vec![header(1).id], 1));
    assert_eq!(attributions(&mut b), attributions(&mut a));
}

#[test]
fn an_attribution_that_is_being_made_here_is_left_alone() {
    let (_a, mut a) = store_of(1, true);
    let (_b, mut b) = store_of(1, true);
    attribute(&mut b, 0, 3, Some("there"));
    let log = a.attribute(header(1).id, TestIndex(0), "knobs").unwrap();
    assert_eq!(a.merge(&b).unwrap().causes_busy, 1);
    drop(log);
    assert_eq!(a.merge(&b).unwrap().causes, 1);
    let mut search = a.open_search(&TestId::new("a", "t"), "why").unwrap();
    search.append("one").unwrap();
    let (_c, mut c) = store_of(1, true);
    c.merge(&a).unwrap();
    let mut there = c.open_search(&TestId::new("a", "t"), "why").unwrap();
    there.append("two").unwrap();
    drop(there);
    assert_eq!(a.merge(&c).unwrap().causes_busy, 1);
    drop(search);
    assert_eq!(a.merge(&c).unwrap().causes, 1);
}

/// Opens the search about a test, and adds to what it saw.
fn search(store: &mut SqliteStore, question: &str, events: &[&str], ending: Option<&str>) {
    let mut log = store.open_search(&TestId::new("a", "t"), question).unwrap();
    for event in events {
        log.append(event).unwrap();
    }
    if let Some(ending) = ending {
        log.end(ending).unwrap();
    }
}

fn searches(store: &SqliteStore) -> Vec<StoredSearch> {
    store.searches_of(&TestId::new("a", "t")).unwrap()
}

#[test]
fn searches_are_joined_in_any_order_and_the_one_further_along_is_kept() {
    let [(_a, mut a), (_b, mut b), (_c, mut c)] = [0, 0, 0].map(|passes| store_of(passes, false));
    search(&mut a, "why", &["one", "two"], Some("because"));
    search(&mut a, "why", &["three"], None);
    b.merge(&a).unwrap();
    search(&mut b, "why", &["four"], Some("therefore"));
    search(&mut c, "why", &["one", "two"], Some("because"));
    search(&mut c, "since when", &[], None);
    let mut expected: Option<Vec<StoredSearch>> = None;
    for order in [[&a, &b, &c], [&c, &b, &a], [&b, &a, &c]] {
        let place = Place::new();
        let mut joined = place.store();
        for other in order.into_iter().chain(order) {
            joined.merge(other).unwrap();
        }
        let found = searches(&joined);
        let last = expected.get_or_insert_with(|| found.clone());
        assert_eq!(&found, last);
        assert_intact(&place.file());
    }
    let events: Vec<Vec<String>> = expected
        .unwrap()
        .into_iter()
        .map(|search| search.events)
        .collect();
    // The newest first. Two that saw the same at different times are two.
    // One that was only begun is left where it is.
    let expected: [&[&str]; 3] = [&["one", "two"], &["three", "four"], &["one", "two"]];
    assert_eq!(events, expected);
}

#[test]
fn searches_of_stores_from_before_they_had_a_time_are_told_apart_by_what_they_hold() {
    let (place, mut a) = store_of(0, false);
    search(&mut a, "why", &["one"], Some("because"));
    search(&mut a, "why", &["two"], Some("because"));
    drop(a);
    let connection = rusqlite::Connection::open(place.file()).unwrap();
    connection
        .execute("UPDATE search SET began = 0", [])
        .unwrap();
    drop(connection);
    let a = SqliteStore::open(&place.file()).unwrap();
    let other = Place::new();
    let mut joined = other.store();
    assert_eq!(joined.merge(&a).unwrap().causes, 2);
    assert_eq!(joined.merge(&a).unwrap().causes, 0);
    assert_eq!(searches(&joined), searches(&a));
}

#[test]
fn an_attribution_that_no_version_writes_is_not_taken_in() {
    for damage in [
        "UPDATE attribution SET test = 3",
        "UPDATE attribution SET result = '{}'",
        "UPDATE attribution_trial SET body = 'x'",
    ] {
        let (place, mut b) = store_of(1, true);
        attribute(&mut b, 0, 3, Some("there"));
        drop(b);
        let connection = rusqlite::Connection::open(place.file()).unwrap();
        connection.execute(damage, []).unwrap();
        drop(connection);
        let b = SqliteStore::open(&place.file()).unwrap();
        let (_a, mut a) = store_of(1, true);
        let error = a.merge(&b).unwrap_err();
        assert!(error.is_about(b.path()), "{damage}: {error}");
        assert_eq!(a.attributions(header(1).id).unwrap(), []);
    }
}
