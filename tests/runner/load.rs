//! Scarcity and timing with real processes: late timers, load beside the tests, pauses.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use fidelity_core::domain::{KnobStatus, KnobValue, Outcome, PassEnd};
use fidelity_core::exec::{ExecError, Runner};

use crate::stage::{Stage, environment, wait_until};
use crate::tool::{Tool, apply};

/// What the project promises for the end of load.
const SOON: Duration = Duration::from_secs(1);

fn table(values: &[(&str, KnobValue)]) -> KnobValue {
    let values = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    KnobValue::Table(values.collect())
}

/// Load that leaves the machine to the other tests.
pub fn gentle_load() -> (&'static str, KnobValue) {
    ("cpu-load", load("anywhere", Some(1), 3))
}

fn load(on: &str, threads: Option<u64>, share: u32) -> KnobValue {
    let mut values = vec![
        ("on", KnobValue::Text(on.to_owned())),
        ("share", KnobValue::Share(share)),
        ("burst", KnobValue::Duration(10)),
    ];
    values.extend(threads.map(|threads| ("threads", KnobValue::Count(threads))));
    table(&values)
}

fn pauses(every: u64, length: u64) -> KnobValue {
    table(&[
        ("every", KnobValue::Duration(every)),
        ("for", KnobValue::Duration(length)),
    ])
}

/// Applies one knob and returns what became of it.
pub fn status(knob: &str, value: KnobValue) -> KnobStatus {
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    let mut status = apply(&mut runner, &environment(&[(knob, value)]));
    drop(runner);
    stage.assert_nothing_is_left();
    status.pop().unwrap()
}

/// Returns the load generators that work by `seed`.
fn generators(seed: u64) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let mark = format!("\"seed\":{seed}}}");
    entries
        .filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            (command.contains("__load") && command.contains(&mark)).then_some(pid)
        })
        .collect()
}

/// Runs a pass with load by `seed`, and returns how many generators there were when each trial ended.
fn pass_with_load(stage: &Stage, seed: u64, knobs: &[(&str, KnobValue)]) -> Vec<usize> {
    let mut runner = stage.runner();
    let mut spec = stage.spec(1);
    spec.order_seed = seed;
    let mut seen = Vec::new();
    let end = runner
        .run_pass(&spec, &spec.tests, &environment(knobs), &mut |batch| {
            seen.extend(batch.iter().map(|_| generators(seed).len()));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(end, PassEnd::Completed);
    seen
}

#[test]
fn timers_may_be_late() {
    let status = status("timer-slack", KnobValue::Duration(30));
    assert!(status.applied, "{status:?}");
    let reason = status.reason;
    assert!(
        reason.starts_with("timers may be 30ms late, a sleep"),
        "{reason}"
    );
}

#[test]
fn load_of_every_shape_is_seen() {
    for (on, share) in [("all", 100), ("one", 100), ("anywhere", 100), ("all", 40)] {
        let status = status("cpu-load", load(on, None, share));
        if on == "one" && std::thread::available_parallelism().unwrap().get() == 1 {
            assert!(status.reason.contains("none would be left free"));
            continue;
        }
        assert!(status.applied, "{on} {share}%: {status:?}");
        assert!(status.reason.starts_with("load took "), "{status:?}");
    }
}

#[test]
fn load_that_nobody_can_make_is_refused() {
    for (value, reason) in [
        (load("all", Some(0), 100), "load has 1 to"),
        (load("all", None, 0), "ask for 1% to 100%"),
        (load("nowhere", None, 100), "`nowhere` is no place for load"),
    ] {
        let status = status("cpu-load", value);
        assert!(!status.applied, "{status:?}");
        assert!(status.reason.contains(reason), "{status:?}");
    }
}

#[test]
fn load_is_there_during_a_pass_of_its_arm_only() {
    const SEED: u64 = 7_001;
    let stage = Stage::new(&["passes", "passes_too", "fails"]);
    assert_eq!(pass_with_load(&stage, SEED, &[gentle_load()]), [1; 3]);
    assert_eq!(generators(SEED), [0; 0]);
    assert_eq!(pass_with_load(&stage, SEED, &[]), [0; 3]);
}

/// Kills a child of ours and returns when its last thread is gone and with it what it had open. Leaves it to be reaped.
fn kill_and_wait(pid: i32) {
    // SAFETY: an all-zero siginfo is one; the call fills it.
    let mut end: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let what = libc::WEXITED | libc::WNOWAIT;
    // SAFETY: takes numbers and a place for the answer that outlives the call; the child is not reaped.
    let ended = unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitid(libc::P_PID, pid as libc::id_t, &raw mut end, what)
    };
    assert_eq!(ended, 0);
}

#[test]
fn a_pass_whose_load_was_killed_does_not_count() {
    const SEED: u64 = 7_002;
    let stage = Stage::new(&["passes", "passes_too"]).slots(1);
    let mut runner = stage.runner();
    let mut spec = stage.spec(1);
    spec.order_seed = SEED;
    let end = runner.run_pass(
        &spec,
        &spec.tests,
        &environment(&[gentle_load()]),
        &mut |_| {
            for pid in generators(SEED) {
                kill_and_wait(pid);
            }
            assert_eq!(generators(SEED), [0; 0]);
            ControlFlow::Continue(())
        },
    );
    let reason = "the load generator ended before the tests did".to_owned();
    assert_eq!(end.unwrap(), PassEnd::Discarded { reason });
}

#[test]
fn load_ends_when_the_user_interrupts_the_run() {
    const SEED: u64 = 7_003;
    let stage = Stage::new(&["passes", "sees_its_daemon_disappear"]).slots(1);
    let (wake, mut waker) = std::io::pipe().unwrap();
    let mut runner = stage.runner_with(|options| options.wake = Some(wake.into()));
    let mut spec = stage.spec(1);
    spec.order_seed = SEED;
    let end = runner.run_pass(
        &spec,
        &spec.tests,
        &environment(&[gentle_load()]),
        &mut |_| {
            assert_eq!(generators(SEED).len(), 1);
            waker.write_all(b"!").unwrap();
            ControlFlow::Continue(())
        },
    );
    assert!(matches!(end, Err(ExecError::Interrupted)), "{end:?}");
    assert_eq!(generators(SEED), [0; 0]);
}

/// Kills a tool that makes load by `signal`, and expects the load to be gone.
fn load_dies_with_its_tool(seed: u64, signal: i32) {
    let mut tool = Tool::start("load", &seed.to_string());
    wait_until(Duration::from_secs(20), "the start of the load", || {
        generators(seed).len() == 1
    });
    tool.signal(signal);
    wait_until(SOON, "the end of the load", || generators(seed).is_empty());
}

#[test]
fn no_load_survives_a_tool_that_is_killed() {
    load_dies_with_its_tool(7_004, libc::SIGKILL);
}

#[test]
fn no_load_survives_a_tool_that_is_terminated() {
    load_dies_with_its_tool(7_005, libc::SIGTERM);
}

#[test]
fn load_has_a_session_of_its_own_and_the_usual_priority() {
    const SEED: u64 = 7_006;
    let tool = Tool::start("load", &SEED.to_string());
    wait_until(Duration::from_secs(20), "the start of the load", || {
        generators(SEED).len() == 1
    });
    let load = generators(SEED)[0];
    wait_until(Duration::from_secs(20), "its own session", || {
        // SAFETY: asks for the session of a process.
        unsafe { libc::getsid(load) == load }
    });
    // SAFETY: asks for the niceness of a process.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, load as libc::id_t) };
    assert_eq!(nice, 0);
    drop(tool);
}

#[test]
fn pauses_are_seen() {
    let status = status("pauses", pauses(200, 60));
    assert!(status.applied, "{status:?}");
    assert!(
        status.reason.starts_with("a process stood still for "),
        "{status:?}"
    );
    for (every, length) in [(50, 50), (50, 0), (60_000, 10)] {
        let status = self::status("pauses", pauses(every, length));
        assert!(!status.applied, "{status:?}");
    }
}

/// Of the time of a trial.
pub struct Shares {
    /// It stood still for more than a moment.
    pub still: f64,
    /// It had a CPU.
    pub worked: f64,
}

/// Runs the test that measures how long it stood still.
pub fn shares(knobs: &[(&str, KnobValue)]) -> Shares {
    let report = tempfile::NamedTempFile::new().unwrap();
    let stage = Stage::new(&["notes_how_long_it_stood_still"])
        .set("ORDER", report.path())
        .set("WORK_MS", "1500");
    let mut runner = stage.runner();
    let spec = stage.spec(1);
    let mut outcomes = BTreeMap::new();
    let end = runner.run_pass(&spec, &spec.tests, &environment(knobs), &mut |batch| {
        outcomes.extend(batch.into_iter().map(|seen| (seen.test, seen.outcome)));
        ControlFlow::Continue(())
    });
    assert_eq!(end.unwrap(), PassEnd::Completed);
    assert!(outcomes.values().all(|outcome| *outcome == Outcome::Passed));
    let text = std::fs::read_to_string(report.path()).unwrap();
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    Shares {
        still: numbers[0] / numbers[2],
        worked: numbers[1] / numbers[2],
    }
}

#[test]
fn pauses_stop_a_trial_for_the_share_of_time_that_was_asked_for() {
    let Shares { still, worked } = shares(&[("pauses", pauses(150, 50))]);
    // What others take on a busy machine comes on top; `examples/load.rs` measures more closely.
    assert!((0.28..0.6).contains(&still), "{still}");
    assert!(worked < 0.72, "{worked}");
}

#[test]
fn a_trial_that_stands_still_is_killed_at_its_time_limit_all_the_same() {
    let stage = Stage::new(&["hangs_and_leaves_a_daemon"]).timeout_ms(600);
    let mut runner = stage.runner();
    let still = environment(&[("pauses", pauses(1_000, 990))]);
    for _ in 0..3 {
        let (seen, end) = stage.pass(&mut runner, 1, &still).unwrap();
        assert_eq!(end, PassEnd::Completed);
        let seen = &seen["hangs_and_leaves_a_daemon"];
        assert_eq!(seen.outcome, Outcome::TimedOut);
        assert!(seen.duration_us < 5_000_000, "{seen:?}");
    }
    drop(runner);
    stage.assert_nothing_is_left();
}
