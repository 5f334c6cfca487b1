//! Old and new versions of the file.

use rusqlite::Connection;

use super::super::schema::{APPLICATION_ID, LADDER, check, climb};
use super::super::*;
use super::fixtures::*;
use crate::domain::{
    Condition, KnobId, KnobSetting, KnobStatus, KnobValue, Outcome, Problem, Revision, StopReason,
    VerdictKind,
};

/// A version after the current one, as the tests imagine it.
const NEXT_STEP: &str =
    "ALTER TABLE run ADD COLUMN note TEXT; CREATE TABLE mark (id INTEGER PRIMARY KEY) STRICT;";

fn version_of(connection: &Connection) -> usize {
    let version: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    version as usize
}

fn next_ladder() -> Vec<&'static str> {
    LADDER.iter().copied().chain([NEXT_STEP]).collect()
}

#[test]
fn an_older_store_climbs_and_keeps_its_runs() {
    let place = Place::new();
    let (run, verdicts) = random_run(3);
    write_run(&mut place.store(), &run, &verdicts);
    let mut connection = Connection::open(place.file()).unwrap();
    climb(&mut connection, &next_ladder()).unwrap();
    assert_eq!(version_of(&connection), LADDER.len() + 1);
    check(&connection, &next_ladder()).unwrap();
    assert!(check(&connection, LADDER).is_err());
    let runs: i64 = connection
        .query_row("SELECT count(*) FROM run WHERE note IS NULL", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(runs, 1);
    // Climbing again changes nothing.
    climb(&mut connection, &next_ladder()).unwrap();
    check(&connection, &next_ladder()).unwrap();
}

#[test]
fn a_store_of_version_zero_climbs_as_it_is_opened() {
    let place = Place::new();
    let connection = Connection::open(place.file()).unwrap();
    connection
        .pragma_update(None, "application_id", APPLICATION_ID)
        .unwrap();
    drop(connection);
    let mut store = SqliteStore::open(&place.file()).unwrap();
    drop(store.create_run(&header(1), &listed(2)).unwrap());
    assert_eq!(
        version_of(&Connection::open(place.file()).unwrap()),
        LADDER.len()
    );
}

#[test]
fn a_step_that_fails_leaves_the_store_as_it_was() {
    let place = Place::new();
    let (run, verdicts) = random_run(3);
    write_run(&mut place.store(), &run, &verdicts);
    let mut connection = Connection::open(place.file()).unwrap();
    let broken: Vec<_> = next_ladder()
        .into_iter()
        .chain(["ALTER TABLE nothing ADD COLUMN x"])
        .collect();
    assert!(climb(&mut connection, &broken).is_err());
    drop(connection);
    assert_eq!(
        place.store().load(run.header.id).unwrap(),
        without_outputs(&run)
    );
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let place = Place::new();
    drop(place.store());
    let mut connection = Connection::open(place.file()).unwrap();
    climb(&mut connection, &next_ladder()).unwrap();
    drop(connection);
    let before = std::fs::read(place.file()).unwrap();
    for opened in [
        SqliteStore::open(&place.file()),
        SqliteStore::open_or_create(&place.file()),
    ] {
        match opened {
            Err(StoreError::TooNew {
                found, supported, ..
            }) => {
                assert_eq!(
                    (found as usize, supported as usize),
                    (LADDER.len() + 1, LADDER.len())
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(std::fs::read(place.file()).unwrap() == before);
}

/// The header of the run in `v1.sql`.
fn header_of_version_1() -> RunHeader {
    let mut header = header(1);
    header.policy.screen.suspicious = 0;
    header
        .policy
        .fail_on
        .retain(|condition| *condition != Condition::ExpiredQuarantine);
    let zones = ["UTC", "Pacific/Apia"].map(|zone| KnobValue::Text(zone.to_owned()));
    header
        .target
        .knobs
        .insert(KnobId::from("tz"), KnobSetting::OneOf(zones.to_vec()));
    header.target.knobs.insert(
        KnobId::from("umask"),
        KnobSetting::Fixed(KnobValue::Mode(0o27)),
    );
    header.target.knobs.insert(
        KnobId::from("memory"),
        KnobSetting::Fixed(KnobValue::Bytes(1 << 30)),
    );
    header.target.knobs.insert(
        KnobId::from("cpus"),
        KnobSetting::Fixed(KnobValue::Count(1)),
    );
    header
        .target
        .knobs
        .insert(KnobId::from("env.CI"), KnobSetting::Fixed(KnobValue::Unset));
    header.knobs = vec![KnobStatus {
        knob: KnobId::from("cpus"),
        baseline: None,
        target: Some("1".to_owned()),
        applied: true,
        reason: "saw 1".to_owned(),
        beyond_production: true,
    }];
    header.revision = Some(Revision {
        commit: "c0ffee".to_owned(),
        dirty: true,
    });
    header.joined = vec![RunId(7)];
    header.arguments = vec!["run".to_owned(), "--seed".to_owned()];
    header.problems = vec![Problem {
        kind: "doctests-not-run".to_owned(),
        message: "3 doctests".to_owned(),
    }];
    header
}

/// The run in `v1.sql`: written by version 1 of the store, and committed as text. It must be readable for ever.
fn run_of_version_1() -> (StoredRun, Vec<(TestIndex, Verdict)>) {
    let mut tests = listed(4);
    tests[2].selected = false;
    let crashed = Observation {
        outcome: Outcome::Crashed(11),
        attempt: 1,
        leaked: 2,
        ..failed(1, "second")
    };
    let mut first = vec![passed(0), failed(1, "first"), crashed, passed(3)];
    first[3].outcome = Outcome::Skipped;
    let discarded = PassEnd::Discarded {
        reason: "no database".to_owned(),
    };
    let pass = |number, observations, end| PassRecord {
        spec: spec(number, 4),
        environment: Environment([(KnobId::from("tz"), KnobValue::Text("UTC".to_owned()))].into()),
        observations,
        end,
        machine: None,
        origin: None,
    };
    let passes = vec![
        pass(1, first, Some((PassEnd::Completed, 12))),
        pass(2, vec![passed(2)], Some((discarded, 3))),
        pass(3, vec![passed(0), failed(2, "third")], None),
    ];
    let end = Some(RunEnd {
        stop: StopReason::Interrupted,
        wall_ms: 1234,
        problems: Vec::new(),
    });
    let verdict = Verdict {
        kind: VerdictKind::HiddenDefect,
        reason: "intermittent".to_owned(),
    };
    (
        StoredRun {
            header: header_of_version_1(),
            tests: tests.into(),
            passes,
            end,
        },
        vec![(TestIndex(1), verdict)],
    )
}

#[test]
fn what_version_1_wrote_is_still_read() {
    let (run, verdicts) = run_of_version_1();
    let place = Place::new();
    let connection = Connection::open(place.file()).unwrap();
    connection.execute_batch(include_str!("v1.sql")).unwrap();
    drop(connection);
    let store = SqliteStore::open(&place.file()).unwrap();
    assert_eq!(store.load(run.header.id).unwrap(), without_outputs(&run));
    let row = store.history_of(&run.tests[1].id).unwrap().remove(0);
    assert_eq!(row.verdict.as_ref(), Some(&verdicts[0].1));
    assert_eq!(
        row.target,
        TrialCount {
            trials: 1,
            failures: 1
        }
    );
    let trials = store.trials_of(run.header.id, &run.tests[1].id).unwrap();
    let seen: Vec<_> = trials.into_iter().map(|trial| trial.observation).collect();
    assert_eq!(seen, run.passes[0].observations[1..3]);
}

#[test]
fn this_version_writes_what_version_1_wrote_but_for_what_it_did_not_know() {
    let (run, verdicts) = run_of_version_1();
    let place = Place::new();
    write_run(&mut place.store(), &run, &verdicts);
    let mut old = Connection::open_in_memory().unwrap();
    old.execute_batch(include_str!("v1.sql")).unwrap();
    climb(&mut old, LADDER).unwrap();
    let new = Connection::open(place.file()).unwrap();
    for table in ["text", "test", "run", "pass", "trial", "output", "verdict"] {
        // What the policy has learnt since.
        let new = rows_of(&new, table).into_iter().map(|row| {
            row.replace(
                r#"\"foreign-load\":{\"at-most\":0.5,\"then\":\"warn\"},"#,
                "",
            )
        });
        assert_eq!(new.collect::<Vec<_>>(), rows_of(&old, table), "{table}");
    }
}

/// Every row of a table as text.
fn rows_of(connection: &Connection, table: &str) -> Vec<String> {
    let mut select = connection
        .prepare(&format!("SELECT * FROM {table}"))
        .unwrap();
    let columns = select.column_count();
    let rows = select.query_map([], |row| {
        let value = |column| row.get::<_, rusqlite::types::Value>(column).unwrap();
        let values = (0..columns).map(|column| format!("{:?}", value(column)));
        Ok(values.collect::<Vec<_>>().join(", "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}
