//! Stopping the real tool: it ends as documented, keeps and reports what it saw, and nothing it started outlives it.
//!
//! The tests of the suite leave a grandchild in a session of its own behind, which holds their output open. A token in
//! its environment finds it. Everything that is waited for is seen to happen.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(
    unsafe_code,
    reason = "there is no safe way to send a signal of choice"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{Project, Ran};

/// What is promised for the time that cleaning up takes.
const SOON: Duration = Duration::from_secs(2);
/// How long a busy machine may take for what is not promised.
const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
fn wait_until(what: &str, patience: Duration, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < patience, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Returns the processes with `token` in their environment, and the name of what they run.
fn processes_with(token: &str) -> BTreeMap<i32, String> {
    let entries = fs::read_dir("/proc").unwrap();
    let marked = entries.filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let marked = environment
            .windows(token.len())
            .any(|window| window == token.as_bytes());
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        marked.then(|| (pid, name.trim().to_owned()))
    });
    marked.collect()
}

fn send(pid: i32, signal: i32) {
    // SAFETY: takes two numbers; the processes are ours and not reaped yet.
    assert_eq!(
        unsafe { libc::kill(pid, signal) },
        0,
        "signal {signal} to {pid}"
    );
}

/// Waits until a signal that was sent has been delivered, so that the next one is not merged with it.
fn wait_until_delivered(pid: i32, signal: i32) {
    wait_until("the delivery of a signal", PATIENCE, || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let pending = status
            .lines()
            .find_map(|line| line.strip_prefix("ShdPnd:"))
            .map_or(0, |bits| u64::from_str_radix(bits.trim(), 16).unwrap());
        pending & (1 << (signal - 1)) == 0
    });
}

/// The suite, and where its tool leaves its traces.
struct Stage {
    project: Project,
    token: String,
    hold: PathBuf,
    log: PathBuf,
    temporary: PathBuf,
}

impl Stage {
    fn new(token: &str) -> Self {
        let project = Project::copy_of("tests/testdata/lingering");
        let outside = project.root.parent().unwrap().to_owned();
        let temporary = outside.join("temporary");
        fs::create_dir(&temporary).unwrap();
        let token = format!("{token}-{}", std::process::id());
        project.write(
            "fidelity.toml",
            &format!(
                "[profile.low]\nenv.TOKEN = \"{token}\"\n\n[profile.high]\ninherits = \"low\"\nenv.PLANTED = \"1\"\n"
            ),
        );
        Self {
            token,
            hold: outside.join("hold"),
            log: outside.join("log"),
            project,
            temporary,
        }
    }

    fn tool(&self, arguments: &[&str]) -> Command {
        let common = ["run", "--format", "json", "--offline", "-j", "2"];
        let mut command = self.project.tool(&[&common, arguments].concat());
        command
            .env("HOLD", &self.hold)
            .env("TRIAL_LOG", &self.log)
            .env("TMPDIR", &self.temporary)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // As in a terminal: a group of its own, which a Ctrl-C reaches as a whole.
            .process_group(0);
        command
    }

    fn fresh(&self, arguments: &[&str]) -> Child {
        let fresh = ["--seed", "5", "--set", "policy.reuse=false"];
        self.tool(&[&fresh, arguments].concat()).spawn().unwrap()
    }

    fn executed(&self) -> usize {
        fs::read_to_string(&self.log)
            .unwrap_or_default()
            .lines()
            .count()
    }

    /// Starts a run, and returns it when its tests have left a daemon behind and hang, some passes later.
    fn busy(&self, arguments: &[&str]) -> Child {
        let before = self.executed();
        let tool = self.fresh(arguments);
        wait_until("some trials", PATIENCE, || self.executed() > before + 9);
        fs::write(&self.hold, "").unwrap();
        wait_until("the daemon", PATIENCE, || {
            processes_with(&self.token)
                .values()
                .any(|name| name == "sleep")
        });
        assert_eq!(fs::read_dir(&self.temporary).unwrap().count(), 1);
        tool
    }

    /// Checks that nothing is left two seconds from now.
    #[track_caller]
    fn everything_is_gone_soon(&self) {
        let began = Instant::now();
        wait_until("the end of every process", SOON, || {
            processes_with(&self.token).is_empty()
        });
        let rest = SOON.saturating_sub(began.elapsed());
        wait_until("the end of the run directory", rest, || {
            fs::read_dir(&self.temporary).unwrap().count() == 0
        });
    }
}

fn pid(tool: &Child) -> i32 {
    tool.id().cast_signed()
}

/// Verdict, trials and failures of each test in both arms.
fn outcome(ran: &Ran) -> Vec<String> {
    let report = ran.json();
    let tests = report["tests"].as_array().unwrap();
    let line = |test: &serde_json::Value| {
        let arm = |arm: &str| format!("{}/{}", test[arm]["failures"], test[arm]["trials"]);
        let (baseline, target) = (arm("baseline"), arm("target"));
        format!("{} {} {baseline} {target}", test["test"], test["verdict"])
    };
    tests.iter().map(line).collect()
}

/// Sends a signal to `receiver` (the tool, or with a minus its group) of a busy tool, and resumes the run.
fn stops_keeps_and_resumes(token: &str, signal: i32, receiver: impl Fn(i32) -> i32) {
    let stage = Stage::new(token);
    let right = Ran::of(stage.fresh(&[]).wait_with_output().unwrap()).exits_with(1);
    let tool = stage.busy(&[]);
    send(receiver(pid(&tool)), signal);
    stage.everything_is_gone_soon();
    let ran = Ran::of(tool.wait_with_output().unwrap()).exits_with(5);
    let report = ran.json();
    let list = stage.project.run(&["report", "--list", "--format", "json"]);
    assert_eq!(list.json()["runs"][0]["stop"], "interrupted");
    assert!(
        report["run"]["trials"].as_u64().unwrap() >= 8,
        "{}",
        report["run"]
    );
    let again = stage
        .project
        .run(&["report", "--format", "json", "--no-gate"])
        .exits_with(0);
    assert_eq!(again.json()["tests"], report["tests"]);

    fs::remove_file(&stage.hold).unwrap();
    let resumed = stage.tool(&["--resume"]).output().unwrap();
    let resumed = Ran::of(resumed).exits_with(1);
    assert!(resumed.stderr.contains("resuming"), "{}", resumed.stderr);
    assert_eq!(outcome(&resumed), outcome(&right));
    stage.everything_is_gone_soon();
}

#[test]
fn ctrl_c_keeps_and_reports_what_was_seen_and_leaves_nothing_behind() {
    stops_keeps_and_resumes("token-of-ctrl-c", libc::SIGINT, |pid| -pid);
}

#[test]
fn an_interrupt_of_the_tool_alone_does_the_same() {
    stops_keeps_and_resumes("token-of-sigint", libc::SIGINT, |pid| pid);
}

#[test]
fn a_terminated_tool_keeps_and_reports_what_was_seen_and_leaves_nothing_behind() {
    stops_keeps_and_resumes("token-of-sigterm", libc::SIGTERM, |pid| pid);
}

#[test]
fn a_killed_tool_leaves_nothing_behind_and_can_be_resumed() {
    let stage = Stage::new("token-of-sigkill");
    let right = Ran::of(stage.fresh(&[]).wait_with_output().unwrap()).exits_with(1);
    let mut tool = stage.busy(&[]);
    tool.kill().unwrap();
    stage.everything_is_gone_soon();
    assert!(tool.wait().unwrap().code().is_none());
    fs::remove_file(&stage.hold).unwrap();
    let resumed = Ran::of(stage.tool(&["--resume"]).output().unwrap()).exits_with(1);
    assert_eq!(outcome(&resumed), outcome(&right));
}

#[test]
fn after_a_timeout_nothing_of_the_trial_is_left_while_the_run_goes_on() {
    let stage = Stage::new("token-of-the-timeout");
    let mut tool = stage.busy(&["--timeout", "1s"]);
    // Looked at after the daemon was there; the limit began before.
    let hanging = processes_with(&stage.token);
    wait_until(
        "the end of what hung",
        Duration::from_secs(1) + SOON,
        || {
            let left = processes_with(&stage.token);
            hanging.keys().all(|pid| !left.contains_key(pid))
        },
    );
    assert!(tool.try_wait().unwrap().is_none(), "the run is over");
    fs::remove_file(&stage.hold).unwrap();
    let ran = Ran::of(tool.wait_with_output().unwrap());
    assert_eq!(
        ran.json()["tests"].as_array().unwrap().len(),
        4,
        "{}",
        ran.stdout
    );
    assert!(
        matches!(ran.code, Some(0 | 1)),
        "{:?} {}",
        ran.code,
        ran.stderr
    );
    stage.everything_is_gone_soon();
}

#[test]
fn a_second_ctrl_c_ends_the_tool_at_once() {
    let stage = Stage::new("token-of-the-impatient");
    let mut tool = stage.busy(&[]);
    // Guardians that do not answer keep the tool from ending after the first one.
    let children = format!("/proc/{0}/task/{0}/children", tool.id());
    let guardians: Vec<i32> = fs::read_to_string(children)
        .unwrap()
        .split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect();
    assert!(!guardians.is_empty());
    guardians
        .iter()
        .for_each(|&guardian| send(guardian, libc::SIGSTOP));
    send(pid(&tool), libc::SIGINT);
    wait_until_delivered(pid(&tool), libc::SIGINT);
    assert!(
        tool.try_wait().unwrap().is_none(),
        "the first one was enough"
    );
    send(pid(&tool), libc::SIGINT);
    let mut status = None;
    wait_until("the end of the tool", Duration::from_secs(1), || {
        status = tool.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(5));
    guardians
        .iter()
        .for_each(|&guardian| send(guardian, libc::SIGCONT));
    stage.everything_is_gone_soon();
}

/// Interrupts a build; nothing is stored, and nothing goes on building.
fn interrupts_the_build(token: &str, receiver: impl Fn(i32) -> i32) {
    let stage = Stage::new(token);
    let hold = stage.temporary.join("build-hold");
    let mut tool = stage.tool(&[]);
    tool.env("BUILD_HOLD", &hold)
        .env("BUILD_TOKEN", &stage.token);
    let tool = tool.spawn().unwrap();
    wait_until("the build script", PATIENCE, || hold.exists());
    send(receiver(pid(&tool)), libc::SIGINT);
    let ran = Ran::of(tool.wait_with_output().unwrap()).exits_with(5);
    assert_eq!(ran.stdout, "");
    wait_until("the end of the build script", SOON, || {
        processes_with(&stage.token).is_empty()
    });
    assert!(!stage.project.root.join(".fidelity/history.db").exists());
    let listed = stage.project.run(&["report", "--list"]).exits_with(2);
    assert!(listed.stderr.contains("no store"), "{}", listed.stderr);
}

#[test]
fn ctrl_c_during_the_build_stores_nothing() {
    interrupts_the_build("token-of-the-build", |pid| -pid);
}

#[test]
fn an_interrupt_of_the_tool_alone_ends_the_build_too() {
    interrupts_the_build("token-of-the-lone-build", |pid| pid);
}

#[test]
fn where_no_descriptor_is_left_to_watch_for_signals_every_command_ends_with_4() {
    let project = Project::library("one", "#[test]\nfn passes() {}\n");
    let ends = |limit: u64, command: &str| {
        let mut tool = project.tool(&[command]);
        let limit = libc::rlimit {
            rlim_cur: limit,
            rlim_max: limit,
        };
        // SAFETY: a system call that may be made between fork and exec.
        let limited = unsafe {
            tool.pre_exec(
                move || match libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) {
                    0 => Ok(()),
                    _ => Err(std::io::Error::last_os_error()),
                },
            )
        };
        let ran = Ran::of(limited.output().unwrap()).exits_with(4);
        assert!(
            ran.stderr.starts_with(
                "error: could not watch for signals\n  caused by: Too many open files"
            ),
            "{}",
            ran.stderr
        );
    };
    // Of six descriptors, standard streams and a socket pair take five, and the first copy the sixth.
    for limit in [4, 6] {
        for command in ["run", "list", "audit"] {
            ends(limit, command);
        }
    }
}
