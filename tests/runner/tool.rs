//! The tool as a process of its own, so that it can be killed or run as somebody else.
//!
//! It is this test executable again, told by its environment to play a part.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use fidelity_core::domain::{
    Environment, FidelityProfile, KnobSetting, KnobStatus, KnobValue, Outcome, PassEnd,
};
use fidelity_core::exec::Runner;

use crate::load::gentle_load;
use crate::quotas::cpu_quota;
use crate::stage::{HOSTILE, Stage, environment, helper, hostile, wait_until};

/// The variable that says which part to play.
const PART: &str = "FIDELITY_TEST_PART";
/// The test that plays it.
const PLAYER: &str = "tool::a_part_is_played_only_when_asked_for";

/// Plays the part its environment names. Without one it checks that a test process is told of none.
#[test]
fn a_part_is_played_only_when_asked_for() {
    let Ok(part) = std::env::var(PART) else {
        assert!(std::env::var_os("FIDELITY_TEST_PARENT").is_none());
        return;
    };
    let parent = std::env::var("FIDELITY_TEST_PARENT").unwrap();
    match part.as_str() {
        "hang" | "hang as nobody" => {
            // From a file: the environment of the tool must not hold what is searched in that of its tests.
            let token = std::fs::read_to_string(Path::new(&parent).join("token")).unwrap();
            let stage = Stage::new(&["hangs_and_leaves_a_daemon"]).set("TOKEN", &token);
            let knobs = std::fs::read(Path::new(&parent).join("knobs"));
            let knobs = knobs.map_or_else(
                |_| Environment::default(),
                |text| serde_json::from_slice(&text).unwrap(),
            );
            let mut runner = stage.runner_with(|options| options.parent = Some(parent.into()));
            let asked = match part.as_str() {
                "hang" => knobs,
                _ => environment(&[("user", KnobValue::Text("nobody".to_owned()))]),
            };
            drop(stage.pass(&mut runner, 1, &asked));
        }
        knobs if knobs.starts_with('{') => {
            let stage = Stage::new(&["passes"]);
            let mut runner =
                stage.runner_with(|options| options.parent = Some(parent.clone().into()));
            let knobs: Environment = serde_json::from_str(knobs).unwrap();
            let status = apply(&mut runner, &knobs);
            if std::env::var_os("FIDELITY_TEST_PASS").is_some() {
                let (seen, end) = stage.pass(&mut runner, 1, &knobs).unwrap();
                assert_eq!(end, PassEnd::Completed);
                assert_eq!(seen["passes"].outcome, Outcome::Passed);
            }
            println!("STATUS {}", serde_json::to_string(&status).unwrap());
        }
        "load" | "quota" => {
            let token = std::fs::read_to_string(Path::new(&parent).join("token")).unwrap();
            let stage = Stage::new(&["hangs"]);
            let mut runner = stage.runner_with(|options| options.parent = Some(parent.into()));
            let mut spec = stage.spec(1);
            spec.order_seed = token.parse().unwrap();
            let nothing = &mut |_| std::ops::ControlFlow::Continue(());
            let knob = if part == "load" {
                gentle_load()
            } else {
                cpu_quota(50)
            };
            drop(runner.run_pass(&spec, &spec.tests, &environment(&[knob]), nothing));
        }
        knob => {
            let (knob, value) = knob.split_once('=').unwrap();
            let stage = Stage::new(&["passes"]);
            let mut runner =
                stage.runner_with(|options| options.parent = Some(parent.clone().into()));
            let value = serde_json::from_str(value).unwrap();
            let status = apply(&mut runner, &environment(&[(knob, value)]));
            println!("STATUS {}", serde_json::to_string(&status).unwrap());
        }
    }
}

/// Applies `environment` as the target arm.
pub fn apply(
    runner: &mut fidelity_core::exec::direct::DirectRunner,
    environment: &Environment,
) -> Vec<KnobStatus> {
    let profile = |name: &str, knobs| FidelityProfile {
        name: name.to_owned(),
        knobs,
    };
    let knobs = environment
        .0
        .iter()
        .map(|(knob, value)| (knob.clone(), KnobSetting::Fixed(value.clone())))
        .collect();
    runner
        .apply(
            &profile("low", BTreeMap::new()),
            &profile("high", knobs),
            &BTreeMap::new(),
        )
        .unwrap()
}

/// A running tool.
pub struct Tool {
    child: Child,
    parent: Option<tempfile::TempDir>,
}

impl Tool {
    /// Starts a tool that plays `part`; the tests it runs have `token` in their environment.
    pub fn start(part: &str, token: &str) -> Self {
        Self::start_under(part, token, &Environment::default())
    }

    /// Starts a tool that plays `part` under `knobs`.
    pub fn start_under(part: &str, token: &str, knobs: &Environment) -> Self {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("token"), token).unwrap();
        let knobs = serde_json::to_vec(knobs).unwrap();
        std::fs::write(parent.path().join("knobs"), knobs).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", PLAYER, "--nocapture"])
            .env(PART, part)
            .env("FIDELITY_TEST_PARENT", parent.path())
            .env(HOSTILE, hostile())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            parent: Some(parent),
        }
    }

    pub fn parent(&self) -> &Path {
        self.parent.as_ref().unwrap().path()
    }

    pub fn take_parent(&mut self) -> tempfile::TempDir {
        self.parent.take().unwrap()
    }

    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Sends a signal.
    pub fn signal_only(&self, signal: i32) {
        // SAFETY: takes two numbers; the process is our child and not reaped.
        unsafe { libc::kill(self.pid(), signal) };
    }

    /// Sends a deadly signal and reaps the tool.
    pub fn signal(&mut self, signal: i32) {
        self.signal_only(signal);
        self.child.wait().unwrap();
    }

    /// Returns the guardians.
    pub fn guardians(&self) -> Vec<i32> {
        let children = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let parent: i32 = stat
                .rsplit_once(')')?
                .1
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()?;
            (parent == self.pid()).then_some(pid)
        });
        children.collect()
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns whether this process is root.
pub fn is_root() -> bool {
    // SAFETY: asks for a number.
    unsafe { libc::geteuid() == 0 }
}

/// A place that any user can get to, with a tool, and tests for it to run, in it.
struct Outing {
    parent: tempfile::TempDir,
    player: PathBuf,
    hostile: PathBuf,
    helper: PathBuf,
}

impl Outing {
    /// The directory of the hostile test binary is `den`, with these permissions.
    fn new(den_mode: u32) -> Self {
        let parent = tempfile::tempdir().unwrap();
        allow(parent.path(), 0o777);
        // Nobody may be able to enter the build directory.
        let bring = |from: &Path, name: &str| {
            let to = parent.path().join(name);
            // By another process: a file that we had open for writing could not be executed while a child that
            // another test is just starting still has it.
            assert!(
                Command::new("cp")
                    .arg(from)
                    .arg(&to)
                    .status()
                    .unwrap()
                    .success()
            );
            allow(&to, 0o777);
            to
        };
        let den = parent.path().join("den");
        std::fs::create_dir(&den).unwrap();
        let outing = Self {
            hostile: bring(hostile(), "den/hostile"),
            helper: bring(&helper(), "helper"),
            player: bring(&std::env::current_exe().unwrap(), "player"),
            parent,
        };
        allow(&den, den_mode);
        outing
    }

    /// Returns the command whose first arguments are `before` and which plays `part`.
    fn command(&self, before: &[&str], part: &str) -> Command {
        let player = self.player.to_str().unwrap();
        let mut words = before.iter().copied().chain([player]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .args(["--exact", PLAYER, "--nocapture"])
            .current_dir(self.parent.path())
            .env(PART, part)
            .env("FIDELITY_TEST_PARENT", self.parent.path())
            .env("FIDELITY_TEST_HELPER", &self.helper)
            .env(HOSTILE, &self.hostile)
            .env("TMPDIR", self.parent.path())
            // What HOME leads to here is nobody else's business.
            .env("HOME", self.parent.path());
        command
    }
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Reads what a tool that applied knobs said.
fn statuses_in(output: &Output) -> Vec<KnobStatus> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.split_once("STATUS "));
    let Some((_, json)) = line else {
        panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    serde_json::from_str(json).unwrap()
}

/// Applies a knob in a tool that runs as an ordinary user, and returns what became of it.
pub fn apply_as_ordinary_user(knob: &str, value: &str) -> KnobStatus {
    let mut status = apply_elsewhere(&format!("{knob}={value}"), |command| {
        if is_root() {
            command.uid(65_534).gid(65_534);
        }
    });
    status.pop().unwrap()
}

/// Plays a part that applies knobs in a process that `prepare` changes, and returns what became of them.
pub fn apply_elsewhere(part: &str, prepare: impl FnOnce(&mut Command)) -> Vec<KnobStatus> {
    let outing = Outing::new(0o755);
    let mut command = outing.command(&[], part);
    prepare(&mut command);
    statuses_in(&command.output().unwrap())
}

/// Applies a knob in a tool that is root, but may not map the owners of what is on disk: root of a user namespace. Its test
/// binary is in a directory with the permissions `den_mode`. For root only.
pub fn apply_without_mapping(knob: &str, value: &str, den_mode: u32) -> KnobStatus {
    let outing = Outing::new(den_mode);
    // The shell waits until the namespace knows every user.
    let wait = [
        "unshare",
        "--user",
        "sh",
        "-c",
        r#"read -r _; exec "$0" "$@""#,
    ];
    let mut child = outing
        .command(&wait, &format!("{knob}={value}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let own = std::fs::read_link("/proc/self/ns/user").unwrap();
    let theirs = format!("/proc/{}/ns/user", child.id());
    wait_until(Duration::from_secs(20), "a user namespace", || {
        std::fs::read_link(&theirs).is_ok_and(|theirs| theirs != own)
    });
    for map in ["uid_map", "gid_map"] {
        std::fs::write(format!("/proc/{}/{map}", child.id()), "0 0 100000").unwrap();
    }
    drop(child.stdin.take().unwrap().write_all(b"go\n"));
    statuses_in(&child.wait_with_output().unwrap())
        .pop()
        .unwrap()
}
