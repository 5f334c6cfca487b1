//! Attributions are kept as they come, and go on where they were cut short.

use crate::domain::TestId;
use crate::store::{SqliteStore, Store, StoreError};

#[test]
fn a_search_that_was_cut_short_goes_on_and_one_that_ended_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.db");
    let mut store = SqliteStore::open_or_create(&file).unwrap();
    let test = TestId::new("a", "t");
    let mut log = store.open_search(&test, "why").unwrap();
    assert!(log.events().is_empty());
    log.append("one").unwrap();
    log.append("two").unwrap();
    let held = store.open_search(&test, "why").err();
    assert!(matches!(held, Some(StoreError::Searching { .. })));
    let mut other = store.open_search(&test, "since when").unwrap();
    other.append("three").unwrap();
    drop((log, other));
    let mut log = store.open_search(&test, "why").unwrap();
    assert_eq!(log.events(), ["one", "two"]);
    log.append("four").unwrap();
    log.end("because").unwrap();
    drop(log);
    let log = store.open_search(&test, "why").unwrap();
    assert!(log.events().is_empty());
    drop(log);
    let found = store.searches_of(&test).unwrap();
    let endings: Vec<Option<&str>> = found
        .iter()
        .map(|search| search.ending.as_deref())
        .collect();
    assert_eq!(endings, [None, None, Some("because")]);
    assert_eq!(found[2].events, ["one", "two", "four"]);
    assert!(
        store
            .searches_of(&TestId::new("b", "t"))
            .unwrap()
            .is_empty()
    );
}
