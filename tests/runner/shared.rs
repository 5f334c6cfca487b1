//! Tests of one binary in one process: what libtest says is made out, and what ends the process is found.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fidelity_core::domain::{
    Environment, KnobId, KnobValue, ListedTest, Observation, Outcome, PassEnd, TestId, TestIndex,
};
use fidelity_core::exec::{ExecError, Runner};
use fidelity_core::suite::SuiteTest;

use crate::stage::{Stage, environment, processes_with, run_directories, wait_until};
use crate::tool::{Tool, apply};

/// Returns the test target `name` of the project `company`, compiled where its source is newer.
fn company(name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/testdata/company/tests")
        .join(format!("{name}.rs"));
    let options: &[&str] = if name == "own" { &[] } else { &["--test"] };
    crate::stage::compiled(&source, &format!("company-{name}"), options)
}

/// A stage with every test of a target of `company`.
fn stage(name: &str) -> Stage {
    let binary = company(name);
    let list = |more: &[&str]| -> Vec<String> {
        let output = Command::new(&binary)
            .args(["--list", "--format", "terse"])
            .args(more)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .map(str::to_owned)
            .collect()
    };
    let (all, ignored) = (list(&[]), list(&["--ignored"]));
    let mut stage = Stage::with_binary(&binary, &[]);
    stage.suite.tests = all
        .iter()
        .map(|name| SuiteTest {
            id: TestId::new("hostile", name.clone()),
            binary: 0,
            ignored: ignored.contains(name),
            held_back: false,
            annotation: None,
        })
        .collect();
    stage.listed = stage
        .suite
        .tests
        .iter()
        .filter(|test| !test.ignored)
        .map(|test| ListedTest {
            id: test.id.clone(),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect();
    stage
}

/// Leaves only the tests called `names` selected.
fn select(mut stage: Stage, names: &[&str]) -> Stage {
    let chosen = |test: &&SuiteTest| names.contains(&test.id.test.as_str());
    stage.listed = stage
        .suite
        .tests
        .iter()
        .filter(chosen)
        .map(|test| ListedTest {
            id: test.id.clone(),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect();
    stage
}

/// The environment in which tests share a process.
fn shared(threads: u64) -> Environment {
    environment(&[
        ("process", KnobValue::Text("shared".to_owned())),
        ("threads", KnobValue::Count(threads)),
    ])
}

fn run(stage: &Stage, environment: &Environment) -> BTreeMap<String, Observation> {
    let mut runner = stage.runner();
    let (seen, end) = stage.pass(&mut runner, 1, environment).unwrap();
    assert_eq!(end, PassEnd::Completed);
    drop(runner);
    stage.assert_nothing_is_left();
    assert_eq!(seen.len(), stage.listed.len(), "{seen:?}");
    seen
}

fn outcomes(seen: &BTreeMap<String, Observation>) -> BTreeMap<&str, Outcome> {
    seen.iter()
        .map(|(name, seen)| (name.as_str(), seen.outcome))
        .collect()
}

fn message<'a>(seen: &'a BTreeMap<String, Observation>, test: &str) -> &'a str {
    &seen[test].failure.as_ref().unwrap().message
}

/// Returns the tests with another outcome than `expected`, which gives the one of all that are not named.
#[track_caller]
fn check(seen: &BTreeMap<String, Observation>, usual: Outcome, expected: &[(&str, Outcome)]) {
    let named: BTreeMap<&str, Outcome> = expected.iter().copied().collect();
    for (name, outcome) in outcomes(seen) {
        let expected = named.get(name).copied().unwrap_or(usual);
        assert_eq!(outcome, expected, "{name}: {:?}", seen[name].failure);
    }
}

#[test]
fn what_tests_print_straight_makes_no_result_and_spoils_few() {
    let truth = [
        ("c_fails_after_printing", Outcome::Failed),
        ("g_fails", Outcome::Failed),
        ("k_returns_an_error", Outcome::Failed),
    ];
    let stage = stage("printing");
    let alone = run(&stage, &Environment::default());
    check(&alone, Outcome::Passed, &truth);
    for threads in [1, 2, 8] {
        let seen = run(&stage, &shared(threads));
        let mut spoilt = Vec::new();
        for (name, outcome) in outcomes(&seen) {
            if outcome == Outcome::NotReported {
                spoilt.push(name);
            } else {
                assert_eq!(
                    outcome, alone[name].outcome,
                    "{name} with {threads} threads"
                );
            }
        }
        // With several threads the imitation stands where a result would, and contradicts it; and a line without an end
        // may come before the result of whatever test ends next.
        let may_be: &[&str] = match threads {
            1 => &[],
            _ => &["a_prints_without_a_line_end", "g_fails"],
        };
        assert!(
            spoilt.iter().all(|name| may_be.contains(name)),
            "{spoilt:?} with {threads} threads"
        );
        assert_eq!(spoilt.contains(&"g_fails"), threads > 1, "{spoilt:?}");
        assert_eq!(
            message(&seen, "c_fails_after_printing"),
            message(&alone, "c_fails_after_printing")
        );
        assert_eq!(
            message(&seen, "k_returns_an_error"),
            "Error: ParseIntError { kind: InvalidDigit }"
        );
        let failure = seen["c_fails_after_printing"].failure.as_ref().unwrap();
        let same = &alone["c_fails_after_printing"]
            .failure
            .as_ref()
            .unwrap()
            .signature;
        assert_eq!(&failure.signature, same);
        let printed = String::from_utf8_lossy(&failure.output.stdout);
        assert!(printed.starts_with("captured\n"), "{printed}");
        assert!(!printed.contains("failures:"), "{printed}");
    }
}

#[test]
fn of_the_tests_of_a_process_that_aborts_the_one_that_did_it_is_found() {
    let stage = stage("aborting");
    for threads in [1, 3, 20] {
        let seen = run(&stage, &shared(threads));
        let expected = [
            ("f_aborts", Outcome::Crashed(6)),
            ("fa_fails", Outcome::Failed),
        ];
        check(&seen, Outcome::Passed, &expected);
        assert_eq!(message(&seen, "f_aborts"), "died of signal 6 (SIGABRT)");
        // libtest shows what a failed test printed at its end, which this process does not reach if it failed there.
        let lost = "failed; what it printed was lost with its process";
        let words = message(&seen, "fa_fails");
        assert!([lost, "an ordinary failure"].contains(&words), "{words}");
    }
}

#[test]
fn an_end_that_needs_company_is_charged_to_the_only_test_in_flight_or_to_nobody() {
    let stage = stage("aborting_in_company");
    let seen = run(&stage, &shared(1));
    check(
        &seen,
        Outcome::Passed,
        &[("c_aborts_if_set", Outcome::Crashed(6))],
    );
    let seen = run(&stage, &shared(2));
    let nobody = [
        ("b_is_in_flight", Outcome::NotReported),
        ("c_aborts_if_set", Outcome::NotReported),
    ];
    check(&seen, Outcome::Passed, &nobody);
    let words = "one of 2 tests in flight when their process died of signal 6 (SIGABRT); none of them ends it alone";
    assert_eq!(message(&seen, "b_is_in_flight"), words);
    let seen = run(&stage, &Environment::default());
    check(&seen, Outcome::Passed, &[]);
}

#[test]
fn a_process_that_a_test_ends_with_status_0_is_no_success() {
    let stage = stage("exiting");
    for threads in [1, 2, 8] {
        let seen = run(&stage, &shared(threads));
        let expected = [("b_fails", Outcome::Failed), ("c_exits", Outcome::Failed)];
        check(&seen, Outcome::Passed, &expected);
        let words = "the process ended with exit status 0 before the test finished";
        assert_eq!(message(&seen, "c_exits"), words, "{threads}");
    }
}

#[test]
fn a_test_that_hangs_is_timed_out_whatever_it_prints_and_the_others_go_on() {
    let stage = stage("hanging").timeout_ms(700);
    for threads in [1, 2] {
        let seen = run(&stage, &shared(threads));
        check(&seen, Outcome::Passed, &[("b_hangs", Outcome::TimedOut)]);
        assert_eq!(message(&seen, "b_hangs"), "still running after 700 ms");
    }
}

#[test]
fn tests_that_pass_alone_fail_after_others_in_their_process() {
    let stage = stage("state");
    // What the tests read is not where the stage is.
    std::fs::write(stage.parent.path().join("Cargo.toml"), "").unwrap();
    let seen = run(&stage, &Environment::default());
    check(&seen, Outcome::Passed, &[]);
    let seen = run(&stage, &shared(1));
    let expected = [
        ("b_reads_a_file_of_its_package", Outcome::Failed),
        ("d_expects_no_variable", Outcome::Failed),
        ("f_counts_from_zero", Outcome::Failed),
        ("g_counts_from_zero", Outcome::Failed),
    ];
    check(&seen, Outcome::Passed, &expected);
    // The process has one duration, shared equally.
    let durations: std::collections::BTreeSet<u64> =
        seen.values().map(|seen| seen.duration_us).collect();
    assert_eq!(durations.len(), 1);
    // A selection runs by name, so that what is left out leaves nothing behind.
    let some = select(
        stage,
        &[
            "b_reads_a_file_of_its_package",
            "e_counts_from_zero",
            "g_counts_from_zero",
        ],
    );
    let seen = run(&some, &shared(1));
    check(
        &seen,
        Outcome::Passed,
        &[("g_counts_from_zero", Outcome::Failed)],
    );
}

#[test]
fn a_flood_of_output_hides_no_result() {
    let names = [
        "passes",
        "prints_300_megabytes",
        "prints_300_megabytes_and_fails",
        "fails",
    ];
    let stage = Stage::new(&names).timeout_ms(120_000);
    for threads in [1, 2] {
        let mut seen = run(&stage, &shared(threads));
        if threads > 1 {
            // libtest writes a result line in pieces, and another test may print between two of them.
            seen.retain(|_, seen| seen.outcome != Outcome::NotReported);
        }
        let expected = [
            ("fails", Outcome::Failed),
            ("prints_300_megabytes_and_fails", Outcome::Failed),
        ];
        check(&seen, Outcome::Passed, &expected);
        let floods = seen.get("prints_300_megabytes_and_fails");
        if threads == 1 || floods.is_some() {
            assert_eq!(message(&seen, "prints_300_megabytes_and_fails"), "enough");
        }
    }
}

#[test]
fn what_is_left_of_a_pass_is_run_in_a_process_of_its_own() {
    let stage = stage("state");
    let mut runner = stage.runner();
    let spec = stage.spec(1);
    let counting: Vec<TestIndex> = (0..)
        .map(TestIndex)
        .zip(&stage.listed)
        .filter(|(_, test)| test.id.test.contains("counts"))
        .map(|(index, _)| index)
        .collect();
    let mut outcomes = Vec::new();
    let end = runner.run_pass(&spec, &counting[1..], &shared(1), &mut |batch| {
        outcomes.extend(batch.into_iter().map(|seen| (seen.test, seen.outcome)));
        ControlFlow::Continue(())
    });
    assert_eq!(end.unwrap(), PassEnd::Completed);
    assert_eq!(
        outcomes,
        [
            (counting[1], Outcome::Passed),
            (counting[2], Outcome::Failed)
        ]
    );
}

#[test]
fn libtest_shuffles_within_a_process_only_where_it_is_asked_to() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| format!("ordered_{name}"));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let started = |order: &str| {
        let log = tempfile::NamedTempFile::new().unwrap();
        let stage = Stage::new(&names).set("ORDER", log.path());
        let mut environment = shared(1);
        let order = KnobValue::Text(order.to_owned());
        environment.0.insert(KnobId::from("order"), order);
        check(&run(&stage, &environment), Outcome::Passed, &[]);
        let text = std::fs::read_to_string(log.path()).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(started("sorted"), names);
    assert_eq!(started("shuffle"), names);
    let mut shuffled = started("shuffle-in-process");
    // The seed of the pass is fixed.
    assert_ne!(shuffled, names);
    assert_eq!(shuffled, started("shuffle-in-process"));
    shuffled.sort();
    assert_eq!(shuffled, names);
}

#[test]
fn a_test_that_ends_a_shuffled_process_is_found_among_all_that_are_left() {
    let stage = stage("aborting");
    let mut environment = shared(2);
    let order = KnobValue::Text("shuffle-in-process".to_owned());
    environment.0.insert(KnobId::from("order"), order);
    let seen = run(&stage, &environment);
    let expected = [
        ("f_aborts", Outcome::Crashed(6)),
        ("fa_fails", Outcome::Failed),
    ];
    check(&seen, Outcome::Passed, &expected);
}

/// Applies `environment` for the tests of a target of `company`, and returns what is said of its knobs.
fn statuses(stage: &Stage, environment: &Environment) -> BTreeMap<String, (bool, String)> {
    let mut runner = stage.runner();
    let statuses = apply(&mut runner, environment);
    drop(runner);
    stage.assert_nothing_is_left();
    statuses
        .into_iter()
        .map(|status| (status.knob.to_string(), (status.applied, status.reason)))
        .collect()
}

#[test]
fn the_binaries_themselves_say_that_they_take_several_tests() {
    let mut environment = shared(5);
    let order = KnobValue::Text("shuffle-in-process".to_owned());
    environment.0.insert(KnobId::from("order"), order);
    let said = statuses(&stage("aborting"), &environment);
    let applied = |words: &str| (true, words.to_owned());
    assert_eq!(
        said["process"],
        applied("one process per test binary, 5 threads: 1 binary selected 2 tests at once")
    );
    assert_eq!(
        said["threads"],
        applied("5 threads alive at once in one process")
    );
    let (is_applied, words) = &said["order"];
    assert!(is_applied, "{words}");
    assert!(
        words
            .ends_with("; 1 of 1 test binaries say that they shuffle; tests see RUSTC_BOOTSTRAP=1"),
        "{words}"
    );
    let alone = environment_of("process", "per-test");
    assert_eq!(
        statuses(&stage("aborting"), &alone)["process"],
        applied("one process per test")
    );
}

#[test]
fn a_binary_that_takes_one_name_is_said_to() {
    let mut stage = stage("own");
    let (applied, words) = &statuses(&stage, &environment_of("process", "shared"))["process"];
    assert!(
        !applied && words.contains("asked for several tests, ends with exit status 101"),
        "{words}"
    );
    stage.suite.binaries[0].own_harness = true;
    let (applied, words) = &statuses(&stage, &environment_of("process", "shared"))["process"];
    assert!(
        !applied && words.contains("no test binary has the harness of the standard library"),
        "{words}"
    );
    // Its tests run all the same, a process each.
    check(&run(&stage, &shared(2)), Outcome::Passed, &[]);
}

fn environment_of(knob: &str, value: &str) -> Environment {
    environment(&[(knob, KnobValue::Text(value.to_owned()))])
}

#[test]
fn a_shared_process_dies_with_the_tool() {
    let token = "token-of-the-company";
    let mut tool = Tool::start_under("hang", token, &shared(2));
    wait_until(Duration::from_secs(20), "the start of the daemon", || {
        processes_with(token).len() == 2
    });
    tool.signal(libc::SIGKILL);
    let parent = tool.take_parent();
    wait_until(Duration::from_secs(2), "the end of everything", || {
        processes_with(token).is_empty() && run_directories(parent.path()).is_empty()
    });
}

#[test]
fn an_interrupt_ends_a_shared_process_unreported() {
    let (wake, mut signal) = std::io::pipe().unwrap();
    let token = "token-of-the-interrupted-company";
    let stage = Stage::new(&["hangs_and_leaves_a_daemon"]).set("TOKEN", token);
    let mut runner = stage.runner_with(|options| options.wake = Some(wake.into()));
    let interrupter = std::thread::spawn(move || {
        wait_until(Duration::from_secs(20), "the start of the daemon", || {
            processes_with(token).len() == 2
        });
        signal.write_all(b"!").unwrap();
    });
    let ended = stage.pass(&mut runner, 1, &shared(2));
    assert!(matches!(ended, Err(ExecError::Interrupted)), "{ended:?}");
    interrupter.join().unwrap();
    drop(runner);
    assert_eq!(processes_with(token), [0; 0]);
    stage.assert_nothing_is_left();
}

#[test]
fn a_test_that_kills_the_guardian_of_its_company_costs_no_other_test_its_result() {
    let stage = Stage::new(&["kills_its_parent", "passes", "fails"]);
    let seen = run(&stage, &shared(1));
    let expected = [
        ("fails", Outcome::Failed),
        ("kills_its_parent", Outcome::NotReported),
    ];
    check(&seen, Outcome::Passed, &expected);
}
