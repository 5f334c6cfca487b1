//! How stages end: whoever is killed, nothing of them is left; and what is said where there can be none.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fidelity_core::domain::{Environment, KnobStatus, KnobValue, Outcome, PassEnd};

use crate::knobs::{refused, text};
use crate::namespaces::has_namespaces;
use crate::stage::{Stage, environment, nobody_is_in, processes_with, run_directories, wait_until};
use crate::tool::{Tool, apply_elsewhere, is_root};

/// What the project promises.
const SOON: Duration = Duration::from_secs(10);

/// Knobs that make every kind of namespace and mount.
fn everything() -> Environment {
    let size = ("size".to_owned(), KnobValue::Bytes(1 << 20));
    environment(&[
        ("filesystem", text("read-only")),
        ("hostname", text("web-7")),
        ("network", text("loopback")),
        ("pids", text("own")),
        ("tmpdir", KnobValue::Table([size].into())),
    ])
}

/// The same without processes of its own, so that those of a test outlive the first process of the stage.
fn nothing_but_mounts() -> Environment {
    let mut knobs = everything();
    knobs.0.remove(&"pids".into());
    knobs
}

/// Starts a tool whose test has left a daemon on a stage and hangs. None where there can be no stage.
fn busy_tool(token: &str, knobs: &Environment) -> Option<Tool> {
    if !has_namespaces(is_root()) {
        assert!(refused("network", text("none")).contains("could not "));
        return None;
    }
    let tool = Tool::start_under("hang", token, knobs);
    wait_until(Duration::from_secs(20), "the start of the daemon", || {
        processes_with(token).len() == 2
    });
    assert_eq!(run_directories(tool.parent()).len(), 1);
    no_mount_is_seen(&tool);
    Some(tool)
}

/// Fails if something of the stage is mounted where everybody sees it.
fn no_mount_is_seen(tool: &Tool) {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let parent = tool.parent().display().to_string();
    assert!(!mounts.contains(&parent), "{mounts}");
    assert!(!mounts.contains(" - tmpfs room "), "{mounts}");
}

/// Returns the processes that `tool` started which are what `argument` says, and those below them.
fn started(tool: &Tool, argument: &str) -> Vec<i32> {
    tool.guardians()
        .into_iter()
        .filter(|pid| {
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words
                .split(|&byte| byte == 0)
                .any(|word| word == argument.as_bytes())
        })
        .collect()
}

fn kill(pid: i32, signal: i32) {
    // SAFETY: takes two numbers; the process is a child of our child.
    unsafe { libc::kill(pid, signal) };
}

/// Returns the processes of the run in `directory`, by their arguments.
fn of_run(directory: &Path) -> Vec<i32> {
    let mark = directory.display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&words).contains(&mark)
        })
        .collect()
}

fn everything_is_gone_soon(tool: &Tool, token: &str) {
    wait_until(SOON, "the end of every process", || {
        processes_with(token).is_empty()
    });
    wait_until(SOON, "the end of the run directory", || {
        run_directories(tool.parent()).is_empty()
    });
    wait_until(SOON, "the end of guardians and keepers", || {
        of_run(tool.parent()).is_empty()
    });
    no_mount_is_seen(tool);
}

#[test]
fn after_a_tool_on_a_stage_is_killed_nothing_is_left() {
    for (token, knobs, signal) in [
        ("token-of-stage-a", everything(), libc::SIGKILL),
        ("token-of-stage-b", nothing_but_mounts(), libc::SIGKILL),
        ("token-of-stage-c", everything(), libc::SIGTERM),
    ] {
        if let Some(mut tool) = busy_tool(token, &knobs) {
            tool.signal(signal);
            everything_is_gone_soon(&tool, token);
        }
    }
}

#[test]
fn after_a_keeper_is_killed_its_pass_is_over_and_nothing_is_left() {
    for (token, knobs) in [
        ("token-of-keeper-a", everything()),
        ("token-of-keeper-b", nothing_but_mounts()),
    ] {
        if let Some(tool) = busy_tool(token, &knobs) {
            let keepers = started(&tool, "__stage");
            assert_eq!(keepers.len(), 1);
            kill(keepers[0], libc::SIGKILL);
            // The tool gives the pass up, and with it everything it has to do.
            everything_is_gone_soon(&tool, token);
        }
    }
}

#[test]
fn a_keeper_is_not_reached_by_softer_signals() {
    let token = "token-of-keeper-c";
    if let Some(mut tool) = busy_tool(token, &everything()) {
        let keeper = started(&tool, "__stage")[0];
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            kill(keeper, signal);
        }
        // SAFETY: asks for the session of a process.
        assert_eq!(unsafe { libc::getsid(keeper) }, keeper);
        assert_eq!(processes_with(token).len(), 2);
        tool.signal(libc::SIGKILL);
        everything_is_gone_soon(&tool, token);
    }
}

#[test]
fn after_guardians_on_a_stage_are_killed_nothing_they_started_is_left() {
    for (token, knobs) in [
        ("token-of-player-a", everything()),
        ("token-of-player-b", nothing_but_mounts()),
    ] {
        if let Some(tool) = busy_tool(token, &knobs) {
            for guardian in started(&tool, "__guardian") {
                kill(guardian, libc::SIGKILL);
            }
            // Its only trial is lost, and the tool has nothing more to do.
            everything_is_gone_soon(&tool, token);
        }
    }
}

#[test]
fn what_is_left_when_everything_was_killed_is_removed_by_the_next_start() {
    let token = "token-of-stage-massacre";
    let Some(mut tool) = busy_tool(token, &nothing_but_mounts()) else {
        return;
    };
    tool.signal_only(libc::SIGSTOP);
    for pid in tool.guardians() {
        kill(pid, libc::SIGKILL);
    }
    tool.signal(libc::SIGKILL);
    wait_until(SOON, "the end of guardians and keepers", || {
        of_run(tool.parent()).is_empty() && nobody_is_in(tool.parent())
    });
    assert_eq!(run_directories(tool.parent()).len(), 1);
    let mut stage = Stage::new(&["passes"]);
    let own_parent = std::mem::replace(&mut stage.parent, tool.take_parent());
    let runner = stage.runner();
    wait_until(SOON, "the end of the daemon", || {
        processes_with(token).is_empty()
    });
    drop(runner);
    stage.assert_nothing_is_left();
    drop(own_parent);
}

#[test]
fn a_trial_whose_guardian_is_killed_on_a_stage_does_not_take_the_pass_with_it() {
    if !has_namespaces(is_root()) {
        return assert!(refused("pids", text("own")).contains("could not "));
    }
    let stage = Stage::new(&["kills_its_parent", "passes", "passes_too"]).slots(1);
    let mut runner = stage.runner();
    let (seen, end) = stage
        .pass(&mut runner, 1, &environment(&[("pids", text("own"))]))
        .unwrap();
    assert_eq!(end, PassEnd::Completed);
    assert_eq!(seen["kills_its_parent"].outcome, Outcome::NotReported);
    assert_eq!(seen["passes_too"].outcome, Outcome::Passed);
    drop(runner);
    stage.assert_nothing_is_left();
}

/// Applies every knob that needs namespaces in a process that `prepare` changes.
fn under(prepare: impl FnOnce(&mut Command)) -> Vec<KnobStatus> {
    let mut knobs = everything();
    knobs
        .0
        .insert("ephemeral-ports".into(), KnobValue::Count(8));
    knobs.0.insert("nice".into(), KnobValue::Count(3));
    apply_elsewhere(&serde_json::to_string(&knobs).unwrap(), prepare)
}

/// Fails unless all knobs but those that need no namespace are refused for a reason that holds `words`.
fn all_are_refused_because(status: &[KnobStatus], words: &[&str]) {
    for row in status {
        let needs_none = row.knob.0 == "nice";
        assert_eq!(row.applied, needs_none, "{row:?}");
        for word in words.iter().filter(|_| !needs_none) {
            assert!(row.reason.contains(word), "{word} is not in {row:?}");
        }
    }
    let reason = |knob: &str| {
        let row = status.iter().find(|row| row.knob.0 == knob).unwrap();
        row.reason.clone()
    };
    assert!(reason("tmpdir").contains("`file-size`"));
    assert!(reason("network").contains("`errno.connect"));
}

#[test]
fn where_calls_for_namespaces_are_refused_the_error_and_the_filter_are_named() {
    let refuse = |command: &mut Command| {
        // SAFETY: makes system calls only.
        unsafe { command.pre_exec(refuse_unshare) };
    };
    let mut expected = vec![
        "make a user namespace: Operation not permitted (os error 1)",
        "a container or a seccomp filter around the tool may forbid it",
    ];
    let ordinary = under(|command| {
        if is_root() {
            command.uid(65_534).gid(65_534);
        }
        refuse(command);
    });
    all_are_refused_because(&ordinary, &expected);
    if is_root() {
        // What it tried first, with its own privileges.
        expected.push("namespace: Operation not permitted (os error 1); could not make a user");
        all_are_refused_because(&under(refuse), &expected);
    }
}

/// Has `unshare` refused with EPERM, as containers do.
fn refuse_unshare() -> std::io::Result<()> {
    let one = |code: u32, jt, jf, k| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let mut program = [
        one(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        one(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            0,
            1,
            libc::SYS_unshare as u32,
        ),
        one(
            libc::BPF_RET | libc::BPF_K,
            0,
            0,
            libc::SECCOMP_RET_ERRNO | libc::EPERM as u32,
        ),
        one(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the program is valid for the length of the call.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1_u64, 0_u64, 0_u64, 0_u64) == 0
            && libc::prctl(
                libc::PR_SET_SECCOMP,
                u64::from(libc::SECCOMP_MODE_FILTER),
                &raw const program,
            ) == 0
    };
    if done {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

#[test]
fn where_user_namespaces_are_switched_off_the_switch_is_named() {
    if !has_namespaces(false) {
        return assert!(refused("network", text("none")).contains("could not "));
    }
    // Within a user namespace of its own the switch can be turned without turning that of the machine. Whoever does
    // it then loses the privileges it had there.
    const SCRIPT: &str = "echo 0 > /proc/sys/user/max_user_namespaces && \
        exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs \"$0\" \"$@\"";
    let status = under(|command| {
        let mut wrapped = Command::new("unshare");
        wrapped.args(["--user", "--map-root-user", "sh", "-c", SCRIPT]);
        wrapped.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                wrapped.env(name, value);
            }
        }
        wrapped.current_dir(command.get_current_dir().unwrap());
        if is_root() {
            wrapped.uid(65_534).gid(65_534);
        }
        *command = wrapped;
    });
    let expected = [
        "could not make a user namespace: No space left on device (os error 28)",
        "user.max_user_namespaces is 0: run as root, or set it",
    ];
    all_are_refused_because(&status, &expected);
}
