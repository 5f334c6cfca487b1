//! What failing trials printed: how much of it is kept.

use super::super::*;
use super::fixtures::*;
use super::random::Random;
use crate::domain::CapturedOutput;

/// Reads the standard error of every trial of a test, and the bytes left out.
fn printed(store: &SqliteStore, test: u32) -> Vec<(String, u64)> {
    let test = TestId::new("crate", format!("test_{test:04}"));
    let trials = store.trials_of(header(1).id, &test).unwrap();
    trials
        .into_iter()
        .filter_map(|trial| trial.observation.failure)
        .map(|failure| {
            let text = String::from_utf8(failure.output.stderr).unwrap();
            (text, failure.output.stderr_omitted)
        })
        .collect()
}

/// The number of outputs in the file.
fn stored(place: &Place) -> i64 {
    let connection = rusqlite::Connection::open(place.file()).unwrap();
    let count = "SELECT count(*) FROM output WHERE length(stdout) + length(stderr) > 0";
    connection.query_row(count, [], |row| row.get(0)).unwrap()
}

#[test]
fn of_many_outputs_the_first_three_and_the_last_three_are_kept() {
    let place = Place::new();
    let mut store = place.store();
    let mut log = store.create_run(&header(1), &listed(1)).unwrap();
    for pass in 1..=20 {
        log.begin_pass(&spec(pass, 1), &Environment::default())
            .unwrap();
        log.append(&[failed(0, &format!("output {pass:02}"))])
            .unwrap();
        log.end_pass(&PassEnd::Completed, 1, None).unwrap();
    }
    let expected: Vec<_> = (1..=20)
        .map(|pass| match pass {
            1..=3 | 18..=20 => (format!("output {pass:02}"), 0),
            _ => (String::new(), 9),
        })
        .collect();
    assert_eq!(printed(&store, 0), expected);
    assert_eq!(stored(&place), 6);
}

#[test]
fn equal_outputs_are_stored_once_for_all_tests_and_runs() {
    let place = Place::new();
    let mut store = place.store();
    for number in 1..=3 {
        let mut log = store.create_run(&header(number), &listed(50)).unwrap();
        for pass in 1..=10 {
            log.begin_pass(&spec(pass, 50), &Environment::default())
                .unwrap();
            let seen: Vec<_> = (0..50)
                .map(|test| failed(test, "connection refused"))
                .collect();
            log.append(&seen).unwrap();
            log.end_pass(&PassEnd::Completed, 1, None).unwrap();
        }
    }
    assert_eq!(stored(&place), 1);
    assert_eq!(
        printed(&store, 49),
        vec![("connection refused".to_owned(), 0); 10]
    );
}

#[test]
fn any_order_of_outputs_is_kept_by_the_same_rule_also_over_resumes_and_failures() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let place = Place::new();
        let mut store = place.store();
        let mut log = store.create_run(&header(1), &listed(3)).unwrap();
        let mut kept: [Vec<String>; 3] = Default::default();
        let mut printed_by: [Vec<(String, u64)>; 3] = Default::default();
        for pass in 1..=25 {
            log.begin_pass(&spec(pass, 3), &Environment::default())
                .unwrap();
            for test in 0..3 {
                // Texts that tests share, so that one test's rule must not take another's text.
                let text = format!("text {:02}", random.below(12));
                log.append(&[failed(test, &text)]).unwrap();
                expect(
                    &mut kept[test as usize],
                    &mut printed_by[test as usize],
                    text,
                );
                if random.once_in(5) {
                    log.append(&[failed((test + 1) % 3, "lost"), failed(test, "lost")])
                        .unwrap_err();
                }
            }
            if random.once_in(6) {
                drop(log);
                log = store.resume_run(header(1).id).unwrap().1;
            }
            log.end_pass(&PassEnd::Completed, 1, None).unwrap();
        }
        for test in 0..3 {
            assert_eq!(
                printed(&store, test),
                printed_by[test as usize],
                "seed {seed}"
            );
        }
        let mut all: Vec<_> = kept.concat();
        all.sort();
        all.dedup();
        assert_eq!(
            stored(&place),
            i64::try_from(all.len()).unwrap(),
            "seed {seed}"
        );
    }
}

/// The rule in plain words: a new text pushes out the oldest of the last three.
fn expect(kept: &mut Vec<String>, printed: &mut Vec<(String, u64)>, text: String) {
    printed.push((text.clone(), 0));
    if kept.contains(&text) {
        return;
    }
    kept.push(text);
    if kept.len() > 6 {
        let old = kept.remove(3);
        for (text, omitted) in printed.iter_mut().filter(|(text, _)| *text == old) {
            *omitted += text.len() as u64;
            text.clear();
        }
    }
}

#[test]
fn a_stream_that_is_too_long_loses_its_middle() {
    let place = Place::new();
    let mut store = place.store();
    let mut log = store.create_run(&header(1), &listed(1)).unwrap();
    log.begin_pass(&spec(1, 1), &Environment::default())
        .unwrap();
    let long = Random::new(1).bytes(MAX_STREAM_BYTES + 1001);
    let exact = Random::new(2).bytes(MAX_STREAM_BYTES);
    let mut seen = failed(0, "");
    seen.failure.as_mut().unwrap().output = CapturedOutput {
        stdout: long.clone(),
        stdout_omitted: 5,
        stderr: exact.clone(),
        stderr_omitted: u64::MAX,
    };
    log.append(&[seen]).unwrap();
    let test = TestId::new("crate", "test_0000");
    let trial = store.trials_of(header(1).id, &test).unwrap().remove(0);
    let output = trial.observation.failure.unwrap().output;
    let half = MAX_STREAM_BYTES / 2;
    assert_eq!(
        output.stdout,
        [&long[..half], &long[half + 1001..]].concat()
    );
    assert_eq!(output.stdout_omitted, 1006);
    assert_eq!(output.stderr, exact);
    assert_eq!(output.stderr_omitted, i64::MAX.cast_unsigned());
}
