//! Files that were damaged, or made to do damage: each is refused, or read as far as it makes sense, and never panics.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::super::*;
use super::fixtures::*;
use super::random::Random;

/// Does everything that can be done with a store; returns the errors, without which all is well.
fn use_everything(file: &Path) -> Vec<StoreError> {
    let mut errors = Vec::new();
    let mut store = match SqliteStore::open(file) {
        Ok(store) => store,
        Err(error) => return vec![error],
    };
    let test = TestId::new("crate", "test_0001");
    errors.extend(store.comparable(&header(0).fingerprint).err());
    errors.extend(store.history_of(&test).err());
    errors.extend(store.find_run("latest").err());
    let runs = store.runs(5).unwrap_or_else(|error| {
        errors.push(error);
        Vec::new()
    });
    let ids = runs
        .iter()
        .map(|run| run.id)
        .chain([header(1).id, header(2).id]);
    for id in ids.collect::<std::collections::BTreeSet<_>>() {
        errors.extend(store.load(id).err());
        errors.extend(store.trials_of(id, &test).err());
        errors.extend(store.attributions(id).err());
        errors.extend(store.attribute(id, TestIndex(1), "knobs").err());
        match store.resume_run(id) {
            Err(error) => errors.push(error),
            Ok((run, mut log)) => {
                let next = run.passes.len() as u32 + 1;
                errors.extend(log.append(&[failed(4, "x"), passed(5)]).err());
                errors.extend(log.end_pass(&PassEnd::Completed, 1, None).err());
                errors.extend(
                    log.begin_pass(&spec(next, 6), &Environment::default())
                        .err(),
                );
            }
        }
    }
    errors
}

/// A small store with a finished run and one that was cut short, as bytes.
fn small_store() -> Vec<u8> {
    let place = Place::new();
    let mut store = place.store();
    for number in [1, 2] {
        let mut log = store.create_run(&header(number), &listed(6)).unwrap();
        for pass in 1..=3 {
            log.begin_pass(&spec(pass, 6), &Environment::default())
                .unwrap();
            log.append(&[passed(0), failed(1, "out"), passed(2), passed(3)])
                .unwrap();
            if pass < 3 || number == 1 {
                log.end_pass(&PassEnd::Completed, 1, None).unwrap();
            }
        }
        if number == 1 {
            let verdict = Verdict {
                kind: crate::domain::VerdictKind::Flaky,
                reason: "x".to_owned(),
            };
            let end = RunEnd {
                stop: crate::domain::StopReason::Decided,
                wall_ms: 1,
                problems: Vec::new(),
            };
            log.end_run(&end, &[(TestIndex(1), verdict)]).unwrap();
        }
    }
    let mut log = store
        .attribute(header(1).id, TestIndex(1), "knobs")
        .unwrap();
    log.append(&attribution_trial(1, "1f")).unwrap();
    log.end(&attribution("umask = 077")).unwrap();
    drop((log, store));
    fs::read(place.file()).unwrap()
}

/// Puts bytes where a store would be, and uses it.
fn use_bytes(bytes: &[u8]) -> Vec<StoreError> {
    let place = Place::new();
    fs::write(place.file(), bytes).unwrap();
    use_everything(&place.file())
}

/// Checks that errors are of the kinds that tell a user what is wrong.
#[track_caller]
fn assert_clear(errors: &[StoreError], what: &str) {
    for error in errors {
        let clear = matches!(
            error,
            StoreError::Corrupt { .. }
                | StoreError::NotAStore { .. }
                | StoreError::NoStore { .. }
                | StoreError::TooNew { .. }
                | StoreError::NoRuns { .. }
                | StoreError::NoSuchRun { .. }
                | StoreError::Finished { .. }
                // A byte of the head says that later versions of the engine alone may write the file.
                | StoreError::ReadOnly { .. }
                | StoreError::NotStorable { .. }
                | StoreError::AlreadyRecorded { .. }
                | StoreError::Sequence { .. }
        );
        assert!(clear, "{what}: {error:?}");
    }
}

#[test]
fn an_undamaged_store_has_only_the_errors_that_belong_there() {
    let errors = use_bytes(&small_store());
    let kinds: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(kinds, [format!("run {} is finished", header(1).id)]);
}

#[test]
fn a_file_of_something_else_is_refused_and_left_alone() {
    let mut random = Random::new(1);
    for content in [
        b"hello".to_vec(),
        b"SQLite format 3\0".to_vec(),
        random.bytes(100),
        random.bytes(50_000),
    ] {
        let place = Place::new();
        fs::write(place.file(), &content).unwrap();
        for opened in [
            SqliteStore::open(&place.file()),
            SqliteStore::open_or_create(&place.file()),
        ] {
            let error = opened.unwrap_err();
            assert!(
                matches!(
                    error,
                    StoreError::NotAStore { .. } | StoreError::Corrupt { .. }
                ),
                "{error:?}"
            );
            assert!(error.advice().is_some());
            assert!(error.to_string().contains("history.db"));
        }
        assert_eq!(fs::read(place.file()).unwrap(), content);
    }
    let place = Place::new();
    Connection::open(place.file())
        .unwrap()
        .execute_batch("CREATE TABLE mine (x)")
        .unwrap();
    for opened in [
        SqliteStore::open(&place.file()),
        SqliteStore::open_or_create(&place.file()),
    ] {
        assert!(matches!(opened, Err(StoreError::NotAStore { .. })));
    }
}

#[test]
fn a_file_with_a_damaged_head_never_panics() {
    let whole = small_store();
    for position in 0..100 {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[position] ^= flip;
            assert_clear(&use_bytes(&bytes), &format!("byte {position} ^ {flip}"));
        }
    }
}

#[test]
fn a_truncated_file_never_panics() {
    let whole = small_store();
    let mut refused = 0;
    for length in (0..whole.len())
        .step_by(whole.len() / 150 + 1)
        .chain([1, 15, 16, 99, 100, 4095, 4096])
    {
        let errors = use_bytes(&whole[..length]);
        assert_clear(&errors, &format!("{length} bytes"));
        let damaged = |error: &StoreError| {
            matches!(
                error,
                StoreError::Corrupt { .. } | StoreError::NotAStore { .. }
            )
        };
        refused += u32::from(errors.iter().any(damaged));
    }
    assert!(refused > 140, "{refused}");
}

#[test]
fn random_damage_never_panics() {
    let whole = small_store();
    for seed in 0..600 {
        let mut random = Random::new(seed);
        let mut bytes = whole.clone();
        for _ in 0..=random.below(12) {
            let start = random.below(bytes.len() as u64) as usize;
            let length = 1 + random.below(8) as usize;
            let garbage = random.bytes(length);
            for (byte, new) in bytes[start..].iter_mut().zip(garbage) {
                *byte = new;
            }
        }
        assert_clear(&use_bytes(&bytes), &format!("seed {seed}"));
    }
}

#[test]
fn values_that_make_no_sense_never_panic() {
    let values = [
        "NULL",
        "-1",
        "0",
        "1",
        "255",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "-9223372036854775808",
        "0.5",
        "-1e300",
        "9e999",
        "''",
        "'{}'",
        "'[1]'",
        "'{\"version\":2,\"body\":{}}'",
        "'{\"version\":1,\"body\":null}'",
        "CAST(x'ff00fe' AS TEXT)",
        "x''",
        "x'00'",
        "x'ffffffffffffffffff01ffffffffffffffff7f'",
        "x'00ffffffffffffffff7f'",
        "x'000a'",
        "x'0005000100'",
        "zeroblob(100000)",
        "x'0206'",
        "x'0201'",
    ];
    let whole = small_store();
    let place = Place::new();
    fs::write(place.file(), &whole).unwrap();
    let columns: Vec<(String, String)> = columns_of(&Connection::open(place.file()).unwrap());
    assert!(columns.len() > 50, "{}", columns.len());
    let (mut taken, mut noticed) = (0, 0);
    for (table, column) in &columns {
        for value in values {
            fs::write(place.file(), &whole).unwrap();
            let connection = Connection::open(place.file()).unwrap();
            let changed =
                connection.execute(&format!("UPDATE {table} SET \"{column}\" = {value}"), []);
            drop(connection);
            if changed.is_ok() {
                let errors = use_everything(&place.file());
                assert_clear(&errors, &format!("{table}.{column} = {value}"));
                taken += 1;
                noticed += u32::from(
                    errors
                        .iter()
                        .any(|error| matches!(error, StoreError::Corrupt { .. })),
                );
            }
        }
    }
    assert!(taken > 400 && noticed > 200, "{noticed} of {taken}");
}

fn columns_of(connection: &Connection) -> Vec<(String, String)> {
    let mut select = connection
        .prepare("SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'")
        .unwrap();
    let rows = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn objects_of_a_stranger_are_refused() {
    let whole = small_store();
    for object in [
        "CREATE TRIGGER t AFTER INSERT ON trial BEGIN DELETE FROM run; END",
        "CREATE VIEW v AS SELECT * FROM run",
        "CREATE TABLE more (x)",
        "CREATE INDEX i ON trial (test)",
        "DROP INDEX trial_by_output",
        "ALTER TABLE run ADD COLUMN x BLOB AS (zeroblob(1000000000))",
    ] {
        let place = Place::new();
        fs::write(place.file(), &whole).unwrap();
        Connection::open(place.file())
            .unwrap()
            .execute_batch(object)
            .unwrap();
        let errors = use_everything(&place.file());
        assert!(
            matches!(errors.as_slice(), [StoreError::Corrupt { .. }]),
            "{object}: {errors:?}"
        );
    }
    // The engine's own statistics are welcome.
    let place = Place::new();
    fs::write(place.file(), &whole).unwrap();
    Connection::open(place.file())
        .unwrap()
        .execute_batch("ANALYZE")
        .unwrap();
    assert_eq!(use_everything(&place.file()).len(), 1);
}

#[test]
fn a_log_that_is_cut_or_garbled_costs_only_its_end() {
    let place = Place::new();
    let mut store = place.store();
    let mut log = store.create_run(&header(1), &listed(200)).unwrap();
    log.begin_pass(&spec(1, 200), &Environment::default())
        .unwrap();
    (0..200).for_each(|test| log.append(&[passed(test)]).unwrap());
    // As a crash of the system would leave it: the log is copied before it is worked into the file.
    let wal_of = |file: &Path| file.with_file_name("history.db-wal");
    let (base, wal) = (
        fs::read(place.file()).unwrap(),
        fs::read(wal_of(&place.file())).unwrap(),
    );
    assert!(wal.len() > 200 * 4096, "{}", wal.len());
    drop(log);
    let mut lengths = Vec::new();
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let mut wal = wal.clone();
        let position = random.below(wal.len() as u64) as usize;
        match random.below(3) {
            0 => wal.truncate(position),
            1 => wal[position] ^= 1 << random.below(8),
            _ => {
                let garbage = random.bytes(500);
                wal[position..]
                    .iter_mut()
                    .zip(garbage)
                    .for_each(|(byte, new)| *byte = new);
            }
        }
        let copy = Place::new();
        fs::write(copy.file(), &base).unwrap();
        fs::write(wal_of(&copy.file()), wal).unwrap();
        let store = SqliteStore::open(&copy.file()).unwrap();
        let kept = match store.load(header(1).id) {
            Ok(run) => run
                .passes
                .into_iter()
                .flat_map(|pass| pass.observations)
                .collect(),
            Err(StoreError::NoSuchRun { .. }) => Vec::new(),
            Err(other) => panic!("seed {seed}: {other}"),
        };
        let expected: Vec<_> = (0..kept.len() as u32).map(passed).collect();
        assert_eq!(kept, expected, "seed {seed}");
        drop(store);
        assert_intact(&copy.file());
        lengths.push(kept.len());
    }
    lengths.sort_unstable();
    lengths.dedup();
    assert!(
        lengths.len() > 60,
        "the damage was in the same place too often: {lengths:?}"
    );
}

#[test]
fn a_trial_that_is_both_packed_and_a_row_is_refused() {
    let place = Place::new();
    fs::write(place.file(), small_store()).unwrap();
    let connection = Connection::open(place.file()).unwrap();
    let twice = "INSERT INTO trial VALUES (1, 2, 2, 0, 0, 5, 0, NULL, NULL, NULL)";
    connection.execute(twice, []).unwrap();
    drop(connection);
    let store = SqliteStore::open(&place.file()).unwrap();
    let (run, test) = (header(1).id, TestId::new("crate", "test_0002"));
    assert!(matches!(store.load(run), Err(StoreError::Corrupt { .. })));
    assert!(matches!(
        store.trials_of(run, &test),
        Err(StoreError::Corrupt { .. })
    ));
}

#[test]
fn a_long_output_that_very_many_trials_share_is_read_within_bounds() {
    let place = Place::new();
    fs::write(place.file(), small_store()).unwrap();
    let connection = Connection::open(place.file()).unwrap();
    // 60,000 attempts that share one output of the longest kind: 15 GiB, if each had its own.
    let length = MAX_STREAM_BYTES;
    connection
        .execute_batch(&format!(
            "UPDATE output SET stdout = zeroblob({length}), stderr = x'';
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
             INSERT INTO trial SELECT run, pass, test, i, outcome, duration, leaked, signature, message, output
             FROM n, (SELECT * FROM trial WHERE run = 1 AND pass = 1 AND test = 1 AND attempt = 0);"
        ))
        .unwrap();
    drop(connection);
    let store = SqliteStore::open(&place.file()).unwrap();
    let trials = store
        .trials_of(header(1).id, &TestId::new("crate", "test_0001"))
        .unwrap();
    let outputs = trials
        .iter()
        .filter_map(|trial| trial.observation.failure.as_ref());
    let (mut kept, mut whole) = (0, 0);
    for failure in outputs {
        kept += failure.output.stdout.len();
        whole += failure.output.stdout.len() as u64 + failure.output.stdout_omitted;
    }
    assert_eq!(kept, 256 << 20);
    assert_eq!(whole, 60_003 * length as u64);
}
