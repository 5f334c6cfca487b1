//! Tests of the machine, whose processes are played by a script, or by a libtest that is made up.

use std::collections::BTreeMap;

use super::*;
use crate::domain::Outcome;
use crate::exec::guardian::protocol::Ended;
use crate::exec::libtest::Scanner;
use crate::exec::result_line;

mod made_up;

fn rules(threads: usize) -> Rules {
    Rules {
        recipe: 4,
        manner: Manner {
            threads,
            in_order: true,
        },
        shuffle_seed: None,
        seed: 0,
        timeout_ms: 1_000,
        arguments: vec![b"--mine".to_vec()],
        room: ROOM,
    }
}

fn listed(names: &[&str]) -> Vec<(String, bool)> {
    let ignored = |name: &str| name.starts_with("ignored");
    names
        .iter()
        .map(|name| ((*name).to_owned(), ignored(name)))
        .collect()
}

/// Members called so; a test's index is its place in the list.
fn members(listed: &[(String, bool)], chosen: impl Fn(&str, bool) -> bool) -> Vec<Member> {
    let chosen = (0_u32..)
        .zip(listed)
        .filter(|(_, (name, ignored))| chosen(name, *ignored));
    chosen
        .map(|(at, (name, ignored))| Member {
            test: TestIndex(at),
            name: name.clone(),
            ignored: *ignored,
        })
        .collect()
}

fn words(job: &Job) -> String {
    let words = job
        .arguments
        .iter()
        .map(|word| String::from_utf8_lossy(word).into_owned());
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the end of a process that printed so.
fn end(job: Job, ending: Ending, stdout: &str) -> Finished {
    let (lines, sections) = match &job.together {
        Some(company) => {
            let mut scanner = Scanner::new(&company.names, company.manner);
            scanner.feed(stdout.as_bytes());
            let (lines, sections) = scanner.finish();
            (Some(lines), sections)
        }
        None => (None, Vec::new()),
    };
    let stderr = b"stderr\n";
    Finished {
        job,
        ended: Ended {
            ending,
            duration_us: 1_200,
            used_us: 0,
            leaked: 1,
            result: result_line::find(stdout.as_bytes()),
            stdout: (stdout.len(), 0),
            stderr: (stderr.len(), 0),
            lines,
        },
        output: [stdout.as_bytes(), stderr, &sections].concat(),
    }
}

fn sum(passed: usize, failed: usize, ignored: usize) -> String {
    format!("\ntest result: x. {passed} passed; {failed} failed; {ignored} ignored; 0 measured\n")
}

/// Runs a machine whose processes `play` ends. Returns the arguments of each and what was seen.
fn play_all(
    mut shared: Shared<'_>,
    mut play: impl FnMut(Job) -> Finished,
) -> (Vec<String>, BTreeMap<u32, Observation>) {
    let (mut started, mut seen) = (Vec::new(), BTreeMap::new());
    while let Some(job) = shared.next() {
        started.push(words(&job));
        for observation in shared.record(play(job)).unwrap() {
            let again = seen.insert(observation.test.0, observation);
            assert!(again.is_none(), "seen twice: {again:?}");
        }
    }
    (started, seen)
}

/// Plays a script of (what is printed, how it ends). Returns the arguments, and a letter a test.
fn script(shared: Shared<'_>, steps: &[(&str, Ending)]) -> (Vec<String>, String) {
    let mut steps = steps.iter();
    let (started, seen) = play_all(shared, |job| {
        let (printed, ending) = steps.next().expect("one process too many");
        end(job, ending.clone(), printed)
    });
    assert!(steps.next().is_none(), "processes are missing");
    (
        started,
        seen.values().map(|seen| letter(seen.outcome)).collect(),
    )
}

fn letter(outcome: Outcome) -> char {
    match outcome {
        Outcome::Passed => '.',
        Outcome::Failed => 'F',
        Outcome::TimedOut => 'T',
        Outcome::Crashed(_) => 'C',
        Outcome::Skipped => 's',
        Outcome::NotReported => '?',
    }
}

fn no_mask() -> Mask {
    Mask::new(Vec::<String>::new())
}

#[test]
fn a_whole_binary_is_run_as_cargo_runs_it() {
    let listed = listed(&["a", "b", "ignored", "z"]);
    let mask = no_mask();
    let shared = Shared::new(
        rules(2),
        members(&listed, |_, ignored| !ignored),
        &listed,
        &mask,
    );
    let output = "test b ... FAILED\ntest a ... ok\ntest ignored ... ignored\ntest z ... ok\n\nfailures:\n\n---- b stdout ----\nthread 'b' panicked at src/b.rs:1:2:\nboom 7\n\n\nfailures:\n    b\n".to_owned()
        + &sum(2, 1, 1);
    let (started, seen) = play_all(shared, |job| {
        assert_eq!(job.together.as_ref().unwrap().limit_ms, 3_000);
        assert_eq!((job.recipe, job.timeout_ms), (4, 1_000));
        end(job, Ending::Exited(101), &output)
    });
    assert_eq!(started, ["--mine --test-threads 2"]);
    let seen: Vec<&Observation> = seen.values().collect();
    let outcomes: String = seen.iter().map(|seen| letter(seen.outcome)).collect();
    assert_eq!(outcomes, ".F.");
    assert!(
        seen.iter()
            .all(|seen| (seen.duration_us, seen.leaked) == (400, 0))
    );
    let failure = seen[1].failure.as_ref().unwrap();
    assert_eq!(failure.message, "boom 7");
    assert_eq!(failure.signature, "src/b.rs:1:2: boom #");
    assert!(failure.output.stdout.starts_with(b"thread 'b'"));
}

#[test]
fn a_selection_is_run_by_names() {
    let listed = listed(&["-a", "b", "ignored", "ignored too"]);
    let mask = no_mask();
    let start = |chosen: &dyn Fn(&str, bool) -> bool| {
        let mut shared = Shared::new(rules(3), members(&listed, chosen), &listed, &mask);
        shared.next().map(|job| words(&job))
    };
    let words = |words: &str| Some(format!("--mine --test-threads 3 {words}"));
    assert_eq!(start(&|_, _| true), words("--include-ignored"));
    assert_eq!(start(&|name, _| name == "b"), words("--exact b"));
    assert_eq!(start(&|name, _| name == "-a"), words("--exact -- -a"));
    assert_eq!(
        start(&|name, _| name.len() > 2),
        words("--exact --include-ignored ignored ignored too")
    );
    assert_eq!(start(&|_, _| false), None);
    let shuffled = Rules {
        shuffle_seed: Some(9),
        ..rules(3)
    };
    let mut shared = Shared::new(
        shuffled,
        members(&listed, |name, _| name == "b"),
        &listed,
        &mask,
    );
    let words = words_of(&shared.next().unwrap());
    assert_eq!(words[1..4], ["-Zunstable-options", "--shuffle-seed", "9"]);
}

fn words_of(job: &Job) -> Vec<String> {
    words(job).split(' ').map(str::to_owned).collect()
}

#[test]
fn with_one_thread_the_running_test_did_it_and_the_rest_goes_on() {
    let listed = listed(&["a", "b", "c", "d"]);
    let mask = no_mask();
    let shared = Shared::new(rules(1), members(&listed, |_, _| true), &listed, &mask);
    let steps = [
        ("test a ... ok\ntest b ... ", Ending::Signalled(6)),
        ("test c ... ok\ntest d ... noise\n", Ending::TimedOut),
    ];
    let (started, seen) = script(shared, &steps);
    assert_eq!(seen, ".C.T");
    assert_eq!(started[1], "--mine --test-threads 1 --exact c d");
}

#[test]
fn with_several_threads_those_in_flight_are_run_alone() {
    let listed = listed(&["a", "b", "c", "d", "e"]);
    let mask = no_mask();
    let shared = Shared::new(rules(2), members(&listed, |_, _| true), &listed, &mask);
    let passed = sum(1, 0, 0);
    let steps = [
        ("test b ... ok\n", Ending::Signalled(11)),
        // In flight were a and c.
        (passed.as_str(), Ending::Exited(0)),
        ("", Ending::Exited(3)),
        ("test d ... FAILED\ntest a ... ok\n", Ending::Exited(0)),
    ];
    let (started, seen) = script(shared, &steps);
    // The last process ended early as well, with e alone in flight.
    assert_eq!(seen, "..FFF");
    assert_eq!(
        started[1..],
        [
            "--mine --exact --nocapture a",
            "--mine --exact --nocapture c",
            "--mine --test-threads 2 --exact a d e"
        ]
    );
}

#[test]
fn where_none_does_it_alone_none_of_those_in_flight_is_reported() {
    let listed = listed(&["a", "b", "c", "d"]);
    let mask = no_mask();
    let shared = Shared::new(rules(2), members(&listed, |_, _| true), &listed, &mask);
    let (passed, failed) = (sum(1, 0, 0), sum(0, 1, 0));
    let last = "test d ... ok\n".to_owned() + &passed;
    let steps = [
        ("test a ... ok\n", Ending::Signalled(9)),
        (passed.as_str(), Ending::Exited(0)),
        (failed.as_str(), Ending::Exited(101)),
        (last.as_str(), Ending::Exited(0)),
    ];
    let mut steps = steps.iter();
    let (started, seen) = play_all(shared, |job| {
        let (printed, ending) = steps.next().unwrap();
        end(job, ending.clone(), printed)
    });
    let outcomes: String = seen.values().map(|seen| letter(seen.outcome)).collect();
    assert_eq!(outcomes, ".??.");
    assert_eq!(started.last().unwrap(), "--mine --test-threads 2 --exact d");
    let failure = seen[&1].failure.as_ref().unwrap();
    assert_eq!(
        failure.message,
        "one of 2 tests in flight when their process died of signal 9 (SIGKILL); none of them ends it alone"
    );
    assert_eq!(failure.output.stderr, b"stderr\n");
}

#[test]
fn a_process_that_dies_when_all_have_reported_is_charged_to_who_does_it_alone() {
    let listed = listed(&["a", "b", "c"]);
    let mask = no_mask();
    let all = "test a ... ok\ntest b ... ok\ntest c ... FAILED\n\nfailures:\n\nfailures:\n    c\n"
        .to_owned()
        + &sum(2, 1, 0);
    let passed = sum(1, 0, 0);
    let steps = |of_b| {
        [
            (all.as_str(), Ending::Signalled(11)),
            (passed.as_str(), Ending::Exited(0)),
            (passed.as_str(), of_b),
        ]
    };
    for (of_b, expected) in [
        (Ending::Signalled(11), ".CF"),
        (Ending::Exited(1), ".FF"),
        (Ending::Exited(0), "..F"),
    ] {
        let shared = Shared::new(rules(2), members(&listed, |_, _| true), &listed, &mask);
        assert_eq!(script(shared, &steps(of_b)).1, expected);
    }
}

#[test]
fn names_that_do_not_fit_are_spread_over_processes() {
    let listed = listed(&["a", "b", "c", "d", "e"]);
    let mask = no_mask();
    let small = Rules {
        room: 2 * (1 + 1 + size_of::<usize>()),
        ..rules(1)
    };
    let shared = Shared::new(
        small,
        members(&listed, |name, _| name != "e"),
        &listed,
        &mask,
    );
    let refused = Ending::NotStarted {
        step: "execute it".to_owned(),
        errno: libc::E2BIG,
    };
    let (of_b, of_two) = (
        "test b ... ok\n".to_owned() + &sum(1, 0, 0),
        "test c ... ok\ntest d ... ok\n".to_owned() + &sum(2, 0, 0),
    );
    let steps = [
        ("", refused.clone()),
        // Even one is too much.
        ("", refused),
        (of_b.as_str(), Ending::Exited(0)),
        (of_two.as_str(), Ending::Exited(0)),
    ];
    let (started, seen) = script(shared, &steps);
    assert_eq!(seen, "?...");
    let names = |words: &str| words.rsplit_once("--exact ").unwrap().1.to_owned();
    assert_eq!(
        started.iter().map(|words| names(words)).collect::<Vec<_>>(),
        ["a b", "a", "b", "c d"]
    );
}

#[test]
fn what_never_ran_is_no_observation() {
    let listed = listed(&["a", "b"]);
    let mask = no_mask();
    let step = || Ending::NotStarted {
        step: "set its umask".to_owned(),
        errno: libc::EPERM,
    };
    for ending in [step(), Ending::Cancelled] {
        let mut shared = Shared::new(rules(1), members(&listed, |_, _| true), &listed, &mask);
        let job = shared.next().unwrap();
        assert!(shared.record(end(job, ending, "")).is_err());
    }
}

#[test]
fn a_test_that_takes_its_guardian_with_it_is_looked_for_alone() {
    let listed = listed(&["a", "b", "c"]);
    let mask = no_mask();
    let shared = Shared::new(rules(1), members(&listed, |_, _| true), &listed, &mask);
    let (passed, both) = (
        sum(1, 0, 0),
        "test a ... ok\ntest c ... ok\n".to_owned() + &sum(2, 0, 0),
    );
    let lost = || Ending::Lost("gone".to_owned());
    let steps = [
        ("", lost()),
        (passed.as_str(), Ending::Exited(0)),
        ("", lost()),
        (passed.as_str(), Ending::Exited(0)),
        (both.as_str(), Ending::Exited(0)),
    ];
    assert_eq!(script(shared, &steps).1, ".?.");
}

#[test]
fn a_binary_whose_processes_always_end_early_is_given_up() {
    let listed = listed(&["a", "b", "c"]);
    let mask = no_mask();
    for ending in [Ending::Exited(127), Ending::Exited(0)] {
        let shared = Shared::new(rules(1), members(&listed, |_, _| true), &listed, &mask);
        let (started, seen) = play_all(shared, |job| end(job, ending.clone(), ""));
        assert_eq!(started.len(), 1 + RESTARTS as usize);
        assert_eq!(seen.len(), 3);
        let failure = seen[&2].failure.as_ref().unwrap();
        assert!(
            failure
                .message
                .starts_with("not run: 9 processes of its binary ended early"),
            "{failure:?}"
        );
    }
}
