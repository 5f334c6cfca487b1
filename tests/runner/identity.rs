//! Who a test is and what it is connected to: standard input, terminals, user, XDG directories.

use std::collections::BTreeMap;

use fidelity_core::domain::{Environment, KnobValue, Observation, Outcome, PassEnd};

use crate::knobs::{applied, refused, text};
use crate::stage::{Stage, environment};

#[test]
fn the_standard_input_is_what_was_asked_for() {
    assert_eq!(applied("stdin", text("null")), "/dev/null");
    assert_eq!(
        applied("stdin", text("closed")),
        "descriptor 0 is not open when a process starts"
    );
    assert_eq!(
        applied("stdin", text("pipe")),
        "a pipe that delivers nothing and does not end"
    );
    let reason = refused("stdin", text("socket"));
    assert!(reason.contains("none of `null`"), "{reason}");
}

#[test]
fn a_test_that_reads_to_the_end_of_its_input_ends_only_where_there_is_an_end() {
    let stage = Stage::new(&["reads_its_input_to_the_end"]).timeout_ms(1_000);
    let mut runner = stage.runner();
    for (stdin, outcome) in [("null", Outcome::Passed), ("pipe", Outcome::TimedOut)] {
        let asked = environment(&[("stdin", text(stdin))]);
        let (seen, _) = stage.pass(&mut runner, 1, &asked).unwrap();
        assert_eq!(
            seen["reads_its_input_to_the_end"].outcome, outcome,
            "{stdin}"
        );
    }
}

#[test]
fn a_terminal_is_seen_on_every_stream_and_can_be_opened() {
    assert_eq!(
        applied("tty", on()),
        "input, output and errors are terminals of 80 columns, /dev/tty opens"
    );
    assert_eq!(applied("tty", off()), "no terminal");
}

#[test]
fn a_terminal_and_an_input_of_its_own_are_not_applied_together() {
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    let asked = environment(&[("stdin", text("pipe")), ("tty", on())]);
    let status = crate::tool::apply(&mut runner, &asked);
    let rows: Vec<(&str, bool)> = status
        .iter()
        .map(|row| (row.knob.0.as_str(), row.applied))
        .collect();
    assert_eq!(rows, [("stdin", true), ("tty", false)]);
    assert!(status[1].reason.contains("`stdin` is set"), "{status:?}");
}

/// Runs `tests` as things are and on a terminal, and returns the outcome and the output of each.
fn with_and_without_terminal(stage: &Stage) -> [BTreeMap<String, Observation>; 2] {
    let mut runner = stage.runner();
    [Environment::default(), environment(&[("tty", on())])].map(|asked| {
        let (seen, end) = stage.pass(&mut runner, 1, &asked).unwrap();
        assert_eq!(end, PassEnd::Completed);
        seen
    })
}

#[test]
fn outcomes_and_output_are_the_same_on_a_terminal() {
    let names = [
        "aborts",
        "exits_early",
        "fails",
        "passes",
        "prints_300_megabytes_and_fails",
        "prints_invalid_utf8_and_fails",
        "returns_an_error",
    ];
    let stage = Stage::new(&names)
        .set("TERM", "xterm-256color")
        .timeout_ms(60_000);
    let [piped, on_terminal] = with_and_without_terminal(&stage);
    for name in names {
        let (piped, on_terminal) = (&piped[name], &on_terminal[name]);
        assert_eq!(piped.outcome, on_terminal.outcome, "{name}");
        let (Some(piped), Some(on_terminal)) = (&piped.failure, &on_terminal.failure) else {
            continue;
        };
        assert_eq!(piped.signature, on_terminal.signature, "{name}");
        assert_eq!(piped.message, on_terminal.message, "{name}");
        // Thread ids and durations differ, line ends must not.
        assert!(!on_terminal.output.stdout.contains(&b'\r'), "{name}");
        assert!(!on_terminal.output.stderr.contains(&b'\r'), "{name}");
        assert_eq!(
            piped.output.stderr_omitted > 0,
            on_terminal.output.stderr_omitted > 0,
            "{name}"
        );
    }
}

#[test]
fn a_test_that_hangs_on_a_terminal_is_timed_out_and_swept() {
    let stage = Stage::new(&["hangs_and_leaves_a_daemon"])
        .set("TOKEN", "a-daemon-on-a-terminal")
        .timeout_ms(500);
    let mut runner = stage.runner();
    let asked = environment(&[("tty", on())]);
    let (seen, _) = stage.pass(&mut runner, 1, &asked).unwrap();
    let seen = &seen["hangs_and_leaves_a_daemon"];
    assert_eq!(seen.outcome, Outcome::TimedOut);
    assert_eq!(seen.leaked, 1, "{seen:?}");
    assert_eq!(
        crate::stage::processes_with("a-daemon-on-a-terminal"),
        Vec::<i32>::new()
    );
}

#[test]
fn the_directories_of_xdg_are_new_and_empty() {
    assert_eq!(
        applied("xdg", text("own")),
        "five empty directories that can be written to"
    );
    let reason = refused("xdg", text("shared"));
    assert!(reason.contains("is not `own`"), "{reason}");
}

#[test]
fn names_of_the_user_and_of_compilers_are_variables_like_others() {
    for name in ["USER", "LOGNAME"] {
        assert_eq!(applied(&format!("env.{name}"), KnobValue::Unset), "not set");
    }
    for name in ["CC", "CFLAGS", "CXX", "AR", "CARGO_ENCODED_RUSTFLAGS"] {
        let knob = format!("env.{name}");
        assert_eq!(applied(&knob, text("/usr/bin/false -O0")), "set as asked");
    }
}

fn on() -> KnobValue {
    KnobValue::Flag(true)
}

fn off() -> KnobValue {
    KnobValue::Flag(false)
}
