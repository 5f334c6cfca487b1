//! Nothing outlives its trial, its run, or the tool, however these end.

use std::time::Duration;

use fidelity_core::domain::Outcome;

use crate::stage::{Stage, nobody_is_in, processes_with, run_directories, wait_until};
use crate::tool::{Tool, is_root};
use crate::user::is_refused;

/// What the project promises.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn what_a_passing_test_leaves_behind_is_killed_and_counted() {
    let stage = Stage::new(&[
        "fails_and_leaves_many_processes",
        "kills_its_child_without_waiting",
        "leaves_processes_that_keep_forking",
        "passes_and_leaves_a_child_in_its_group",
        "passes_and_leaves_a_daemon",
    ])
    .set("TOKEN", "token-of-the-leakers");
    let seen = stage.run();
    assert_eq!(processes_with("token-of-the-leakers"), [0; 0]);
    let leaked = |test: &str| (seen[test].outcome, seen[test].leaked);
    assert_eq!(leaked("passes_and_leaves_a_daemon"), (Outcome::Passed, 1));
    assert_eq!(
        leaked("passes_and_leaves_a_child_in_its_group"),
        (Outcome::Passed, 1)
    );
    assert_eq!(
        leaked("fails_and_leaves_many_processes"),
        (Outcome::Failed, 20)
    );
    assert_eq!(
        leaked("kills_its_child_without_waiting"),
        (Outcome::Passed, 0)
    );
    assert_eq!(
        seen["leaves_processes_that_keep_forking"].outcome,
        Outcome::Passed
    );
    assert!(seen["leaves_processes_that_keep_forking"].leaked >= 1);
}

#[test]
fn a_daemon_that_holds_the_output_open_does_not_delay_the_end() {
    let stage = Stage::new(&["passes_and_leaves_a_daemon"]);
    let seen = stage.run();
    assert!(seen["passes_and_leaves_a_daemon"].duration_us < 2_000_000);
}

#[test]
fn after_a_timeout_nothing_is_left() {
    let stage = Stage::new(&["hangs_and_leaves_a_daemon"])
        .set("TOKEN", "token-of-the-timeout")
        .timeout_ms(500);
    let seen = stage.run();
    assert_eq!(seen["hangs_and_leaves_a_daemon"].outcome, Outcome::TimedOut);
    assert_eq!(seen["hangs_and_leaves_a_daemon"].leaked, 1);
    assert_eq!(processes_with("token-of-the-timeout"), [0; 0]);
}

/// Starts a tool whose test has left a daemon and hangs, and returns it when that is so.
fn busy_tool(token: &str) -> Tool {
    let tool = Tool::start("hang", token);
    // The test, and the daemon below it.
    wait_until(Duration::from_secs(20), "the start of the daemon", || {
        processes_with(token).len() == 2
    });
    assert_eq!(run_directories(tool.parent()).len(), 1);
    tool
}

#[test]
fn a_test_of_another_user_dies_with_its_guardian_too() {
    if !is_root() {
        return is_refused();
    }
    let tool = Tool::start("hang as nobody", "token-of-nobody");
    wait_until(Duration::from_secs(20), "the start of the daemon", || {
        processes_with("token-of-nobody").len() == 2
    });
    for pid in processes_with("token-of-nobody") {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(
            status.contains("\nUid:\t65534\t65534\t65534\t65534\n"),
            "{status}"
        );
    }
    tool.signal_only(libc::SIGSTOP);
    for guardian in tool.guardians() {
        // SAFETY: takes two numbers; the process is a child of our child.
        unsafe { libc::kill(guardian, libc::SIGKILL) };
    }
    wait_until(SOON, "the end of the test", || {
        processes_with("token-of-nobody").len() == 1
    });
    // The tool puts another guardian in its place, which finds the daemon.
    tool.signal_only(libc::SIGCONT);
    wait_until(SOON, "the end of the daemon", || {
        processes_with("token-of-nobody").is_empty()
    });
    // With its only test lost the pass is over, and so is the tool.
    everything_is_gone_soon(&tool, "token-of-nobody");
}

fn everything_is_gone_soon(tool: &Tool, token: &str) {
    wait_until(SOON, "the end of every process", || {
        processes_with(token).is_empty()
    });
    wait_until(SOON, "the end of the run directory", || {
        run_directories(tool.parent()).is_empty()
    });
}

#[test]
fn after_the_tool_is_killed_nothing_is_left() {
    let mut tool = busy_tool("token-of-the-killed");
    tool.signal(libc::SIGKILL);
    everything_is_gone_soon(&tool, "token-of-the-killed");
}

#[test]
fn after_the_tool_is_terminated_nothing_is_left() {
    let mut tool = busy_tool("token-of-the-terminated");
    tool.signal(libc::SIGTERM);
    everything_is_gone_soon(&tool, "token-of-the-terminated");
}

#[test]
fn a_guardian_that_is_terminated_cleans_up_first() {
    let tool = busy_tool("token-of-the-guardian");
    for guardian in tool.guardians() {
        // SAFETY: takes two numbers; the process is a child of our child.
        unsafe { libc::kill(guardian, libc::SIGTERM) };
    }
    wait_until(SOON, "the end of every process", || {
        processes_with("token-of-the-guardian").is_empty()
    });
}

#[test]
fn a_guardian_is_not_reached_by_what_the_terminal_sends_to_the_tools_group() {
    let tool = busy_tool("token-of-the-session");
    // SAFETY: asks for the session of a process.
    let session = |pid| unsafe { libc::getsid(pid) };
    let guardians = tool.guardians();
    assert!(!guardians.is_empty());
    for guardian in guardians {
        assert_eq!(session(guardian), guardian);
        assert_ne!(session(guardian), session(tool.pid()));
    }
}

#[test]
fn what_is_left_when_tool_and_guardians_are_killed_is_removed_by_the_next_start() {
    let mut tool = busy_tool("token-of-the-massacre");
    let guardians = tool.guardians();
    // The tool first is stopped, so that it cannot replace a guardian.
    tool.signal_only(libc::SIGSTOP);
    for guardian in guardians {
        // SAFETY: takes two numbers; the process is a child of our child.
        unsafe { libc::kill(guardian, libc::SIGKILL) };
    }
    tool.signal(libc::SIGKILL);
    // The test itself dies with its guardian; its daemon and the directory stay.
    wait_until(SOON, "the end of the test", || {
        processes_with("token-of-the-massacre").len() == 1 && nobody_is_in(tool.parent())
    });
    assert_eq!(run_directories(tool.parent()).len(), 1);
    let mut stage = Stage::new(&["passes"]);
    let own_parent = std::mem::replace(&mut stage.parent, tool.take_parent());
    let runner = stage.runner();
    wait_until(SOON, "the end of the daemon", || {
        processes_with("token-of-the-massacre").is_empty()
    });
    assert_eq!(run_directories(stage.parent.path()).len(), 1);
    drop(runner);
    stage.assert_nothing_is_left();
    drop(own_parent);
}
