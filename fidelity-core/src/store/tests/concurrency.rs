//! Several runs at once on one store.

use std::io::Read;
use std::sync::Barrier;

use super::super::*;
use super::crash::{assert_is_as_written, start_writer};
use super::fixtures::*;

#[test]
fn two_processes_write_two_runs_at_once() {
    let place = Place::new();
    let mut writers = [1, 2].map(|run| start_writer(&place.file(), run, 40));
    for writer in &mut writers {
        let mut said = String::new();
        writer
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert!(writer.wait().unwrap().success(), "{said}");
    }
    for run in [1, 2] {
        assert_eq!(assert_is_as_written(&place.file(), run), (40, 30));
    }
}

#[test]
fn many_threads_make_the_same_store_and_write_their_runs() {
    let place = Place::new();
    let start = Barrier::new(8);
    let runs: Vec<_> = (0..8).map(random_run).collect();
    std::thread::scope(|scope| {
        for (run, verdicts) in &runs {
            let (place, start) = (&place, &start);
            scope.spawn(move || {
                start.wait();
                let mut store = SqliteStore::open_or_create(&place.file()).unwrap();
                write_run(&mut store, run, verdicts);
            });
        }
    });
    let store = place.store();
    for (run, _) in &runs {
        assert_eq!(store.load(run.header.id).unwrap(), without_outputs(run));
    }
    assert_eq!(store.runs(99).unwrap().len(), 8);
    drop(store);
    assert_intact(&place.file());
}

#[test]
fn a_reader_sees_a_run_as_of_one_instant() {
    let place = Place::new();
    let mut log = place.store().create_run(&header(1), &listed(40)).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let store = SqliteStore::open(&place.file()).unwrap();
            let mut last = (0, 0);
            while last != (30, 40) {
                let run = store.load(header(1).id).unwrap();
                let seen = run.passes.last().map_or(0, |pass| pass.observations.len());
                let now = (run.passes.len(), seen);
                assert!(now >= last, "{now:?} after {last:?}");
                assert_eq!(seen % 2, 0, "half of a batch");
                let whole = run
                    .passes
                    .iter()
                    .rev()
                    .skip(1)
                    .all(|pass| pass.observations.len() == 40);
                assert!(whole, "a pass lost trials as it was closed");
                last = now;
            }
        });
        for pass in 1..=30 {
            log.begin_pass(&spec(pass, 40), &Environment::default())
                .unwrap();
            for test in (0..40).step_by(2) {
                log.append(&[passed(test), passed(test + 1)]).unwrap();
            }
            log.end_pass(&PassEnd::Completed, 1, None).unwrap();
        }
        reader.join().unwrap();
    });
}

#[test]
fn a_store_that_stays_locked_is_reported_as_busy() {
    let place = Place::new();
    let mut store = place.store();
    let mut log = store.create_run(&header(1), &listed(3)).unwrap();
    log.begin_pass(&spec(1, 3), &Environment::default())
        .unwrap();
    let other = rusqlite::Connection::open(place.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = log.append(&[passed(0)]);
    assert!(
        matches!(refused, Err(StoreError::Busy { .. })),
        "{refused:?}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    log.append(&[passed(0)]).unwrap();
    assert_eq!(
        store.load(header(1).id).unwrap().passes[0].observations,
        [passed(0)]
    );
}
