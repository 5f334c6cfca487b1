//! Every knob of namespaces, refused calls and the clock, as root and as an ordinary user.
//!
//! Where the machine these tests run on does not have what a knob needs, they hold the reason that is given instead.

use std::collections::BTreeMap;

use fidelity_core::domain::{Environment, KnobStatus, KnobValue, Outcome, PassEnd};

use crate::knobs::{applied, refused, text};
use crate::stage::{Stage, environment};
use crate::tool::{apply, apply_as_ordinary_user, apply_elsewhere, is_root};

/// Returns whether namespaces are to be had here, for root or for an ordinary user, by a tool that is not ours.
pub fn has_namespaces(root: bool) -> bool {
    let mut command = std::process::Command::new("unshare");
    let kinds = ["--net", "--mount", "--uts", "--pid", "--fork"];
    command
        .args(kinds)
        .args((!root).then_some("--user"))
        .arg("true");
    if !root && is_root() {
        use std::os::unix::process::CommandExt;
        command.uid(65_534).gid(65_534);
    }
    let status = command.stderr(std::process::Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Applies a knob as whoever runs these tests, and as an ordinary user. Each must be applied where namespaces are to be
/// had, and refused with a step and an error where not. Returns what the canaries said.
fn applied_by_all(knob: &str, value: &KnobValue) -> Vec<String> {
    let json = serde_json::to_string(value).unwrap();
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    let own = apply(&mut runner, &environment(&[(knob, value.clone())]));
    drop(runner);
    stage.assert_nothing_is_left();
    let ordinary = apply_as_ordinary_user(knob, &json);
    let both = own.into_iter().zip([is_root()]).chain([(ordinary, false)]);
    let said = both.filter_map(|(status, root)| {
        let possible = has_namespaces(root);
        assert_eq!(status.applied, possible, "{status:?}");
        if !possible {
            assert!(status.reason.contains("could not "), "{status:?}");
            assert!(status.reason.contains("os error"), "{status:?}");
        }
        possible.then_some(status.reason)
    });
    said.collect()
}

fn table(entries: &[(&str, KnobValue)]) -> KnobValue {
    let entries = entries.iter();
    KnobValue::Table(
        entries
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect::<BTreeMap<_, _>>(),
    )
}

#[test]
fn without_a_network_not_even_the_own_address_can_be_reached() {
    for said in applied_by_all("network", &text("none")) {
        assert!(said.contains("127.0.0.1: Network is unreachable"), "{said}");
        assert!(said.contains("outside: Network is unreachable"), "{said}");
    }
}

#[test]
fn with_loopback_only_the_own_address_can_be_reached() {
    for said in applied_by_all("network", &text("loopback")) {
        assert!(
            said.contains("127.0.0.1: works; outside: Network is unreachable"),
            "{said}"
        );
    }
}

#[test]
fn ports_run_out() {
    for said in applied_by_all("ephemeral-ports", &KnobValue::Count(4)) {
        assert!(
            said.contains("after 4 connections, Cannot assign requested address"),
            "{said}"
        );
    }
    for said in applied_by_all("ephemeral-ports", &KnobValue::Count(20_000)) {
        assert!(said.contains("not used up by 1000 connections"), "{said}");
    }
}

#[test]
fn a_temporary_directory_gets_full() {
    let limits = table(&[("size", KnobValue::Bytes(1 << 20))]);
    for said in applied_by_all("tmpdir", &limits) {
        assert_eq!(
            said,
            "size: after 1048576 bytes, No space left on device (os error 28)"
        );
    }
    let limits = table(&[("files", KnobValue::Count(7))]);
    for said in applied_by_all("tmpdir", &limits) {
        assert_eq!(
            said,
            "files: after 7, No space left on device (os error 28)"
        );
    }
    let limits = table(&[
        ("files", KnobValue::Count(100_000)),
        ("size", KnobValue::Bytes(1 << 30)),
    ]);
    for said in applied_by_all("tmpdir", &limits) {
        assert!(
            said.contains("size: more than 1073741824 bytes: No space left on device"),
            "{said}"
        );
        assert!(said.contains("files: mounted with nr_inodes="), "{said}");
    }
}

#[test]
fn a_read_only_file_system_leaves_the_temporary_directory() {
    for said in applied_by_all("filesystem", &text("read-only")) {
        assert!(said.starts_with("no file can be made in /, "), "{said}");
        assert!(said.contains("/tmp, /"), "{said}");
    }
}

#[test]
fn processes_and_the_host_name_are_its_own() {
    for said in applied_by_all("pids", &text("own")) {
        assert!(
            said.contains(" processes can be seen, this one is number "),
            "{said}"
        );
    }
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for said in applied_by_all("hostname", &text("web-7.example")) {
        assert_eq!(said, "the machine is called web-7.example");
    }
    assert_eq!(
        std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap(),
        own
    );
}

#[test]
fn a_read_only_home_stops_root_by_a_mount() {
    if !is_root() {
        let reason = applied("home", text("read-only"));
        assert!(reason.contains("Permission denied"), "{reason}");
    } else if has_namespaces(true) {
        let reason = applied("home", text("read-only"));
        assert!(reason.contains("Read-only file system"), "{reason}");
    } else {
        let reason = refused("home", text("read-only"));
        assert!(reason.contains("permissions do not stop root"), "{reason}");
    }
}

/// Returns whether calls can be refused here.
fn has_filters() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .contains("Seccomp:")
        && cfg!(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64"
        ))
}

#[test]
fn sockets_of_ipv6_are_refused_and_those_of_ipv4_are_not() {
    if !has_filters() {
        assert!(refused("ipv6", text("off")).contains("not "));
        return;
    }
    for status in [
        apply_as_ordinary_user("ipv6", r#"{"text":"off"}"#),
        own_status("ipv6", text("off")),
    ] {
        assert!(status.applied, "{status:?}");
        assert!(
            status.reason.contains("Address family not supported"),
            "{status:?}"
        );
        assert!(status.reason.ends_with("of IPv4: works"), "{status:?}");
    }
}

fn own_status(knob: &str, value: KnobValue) -> KnobStatus {
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    apply(&mut runner, &environment(&[(knob, value)])).remove(0)
}

#[test]
fn a_refused_call_says_the_error_that_was_asked_for() {
    if !has_filters() {
        assert!(refused("errno.connect", text("ECONNREFUSED")).contains("not "));
        return;
    }
    let said = applied("errno.connect", text("ECONNREFUSED"));
    assert_eq!(said, "connect says: Connection refused (os error 111)");
    // Every variant, and an ordinary user.
    for (call, error) in [
        ("rename", "EXDEV"),
        ("unlink", "EBUSY"),
        ("fsync", "EIO"),
        ("flock", "ENOLCK"),
        ("accept", "EMFILE"),
        ("getrandom", "ENOSYS"),
        ("sched_setaffinity", "EPERM"),
    ] {
        let status = apply_as_ordinary_user(
            &format!("errno.{call}"),
            &format!(r#"{{"text":"{error}"}}"#),
        );
        assert!(status.applied, "{status:?}");
        assert!(
            status.reason.starts_with(&format!("{call} says: ")),
            "{status:?}"
        );
    }
}

#[test]
fn every_call_of_the_table_is_refused_or_stops_the_harness() {
    if !has_filters() {
        return assert!(refused("errno.connect", text("EIO")).contains("not "));
    }
    // Without these nothing can be started or say anything.
    const NEEDED: [&str; 5] = ["open", "openat", "read", "write", "prlimit64"];
    let stage = Stage::new(&["passes"]);
    let mut runner = stage.runner();
    for call in fidelity_core::config::errno::SYSCALLS {
        let knob = format!("errno.{call}");
        let status = apply(&mut runner, &environment(&[(&knob, text("EPERM"))])).remove(0);
        if NEEDED.contains(call) {
            assert!(status.applied || status.reason.len() > 20, "{status:?}");
        } else {
            assert!(status.applied, "{status:?}");
        }
    }
}

#[test]
fn a_call_without_which_nothing_starts_is_not_refused() {
    if has_filters() {
        let reason = refused("errno.openat", text("ENOENT"));
        assert!(reason.contains("a process started with it"), "{reason}");
    }
}

/// Returns whether libfaketime is where a package would put it.
fn has_faketime() -> bool {
    [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
    ]
    .iter()
    .any(|place| {
        std::path::Path::new(place)
            .join("faketime/libfaketime.so.1")
            .exists()
    })
}

#[test]
fn a_clock_is_shifted_only_where_waits_still_end() {
    for offset in ["+400d", "-30d", "+1h"] {
        let value = format!(r#"{{"text":"{offset}"}}"#);
        let both = [
            own_status("clock", text(offset)),
            apply_as_ordinary_user("clock", &value),
        ];
        for status in both {
            if !has_faketime() {
                assert!(!status.applied, "{status:?}");
                assert!(status.reason.contains("install libfaketime"), "{status:?}");
                continue;
            }
            assert!(status.applied, "{status:?}");
            assert!(status.reason.contains("waits end in time"), "{status:?}");
        }
    }
    let left = std::fs::read_dir("/dev/shm")
        .into_iter()
        .flatten()
        .flatten();
    let mut left = left.map(|entry| entry.file_name());
    assert!(left.all(|name| !name.to_string_lossy().contains("faketime")));
}

#[test]
fn all_of_them_together_make_one_stage() {
    let mut knobs = vec![
        ("ephemeral-ports", KnobValue::Count(16)),
        ("filesystem", text("read-only")),
        ("home", text("read-only")),
        ("hostname", text("web-7")),
        ("ipv6", text("off")),
        ("errno.fsync", text("EIO")),
        ("network", text("loopback")),
        ("open-files", KnobValue::Count(64)),
        ("pids", text("own")),
        ("tmpdir", table(&[("size", KnobValue::Bytes(1 << 20))])),
        ("umask", KnobValue::Mode(0o027)),
    ];
    if has_faketime() {
        knobs.push(("clock", text("+400d")));
    }
    let asked = environment(&knobs);
    let possible = |root| has_namespaces(root) && has_filters();
    if is_root() && possible(true) {
        // Root makes the stage, somebody else is on it.
        let stage = Stage::new(&["passes", "passes_and_leaves_a_daemon"]);
        let mut runner = stage.runner();
        let mut asked = asked.clone();
        asked.0.insert("user".into(), text("nobody"));
        assert_applied(&apply(&mut runner, &asked));
        let (seen, end) = stage.pass(&mut runner, 1, &asked).unwrap();
        assert_eq!(end, PassEnd::Completed);
        assert_eq!(seen["passes"].outcome, Outcome::Passed, "{seen:?}");
        drop(runner);
        stage.assert_nothing_is_left();
    }
    if possible(is_root()) {
        // One after the other: a process is swept up with a lost guardian's if it was forked just then elsewhere.
        let stage =
            Stage::new(&["passes", "passes_and_leaves_a_daemon", "kills_its_parent"]).slots(1);
        let mut runner = stage.runner();
        assert_applied(&apply(&mut runner, &asked));
        let (seen, end) = stage.pass(&mut runner, 1, &asked).unwrap();
        assert_eq!(end, PassEnd::Completed);
        assert_eq!(seen["passes"].outcome, Outcome::Passed, "{seen:?}");
        let daemon = &seen["passes_and_leaves_a_daemon"];
        assert_eq!(
            (daemon.outcome, daemon.leaked),
            (Outcome::Passed, 1),
            "{daemon:?}"
        );
        drop(runner);
        stage.assert_nothing_is_left();
    }
    if possible(false) {
        let part = serde_json::to_string(&asked).unwrap();
        let status = apply_elsewhere(&part, |command| {
            use std::os::unix::process::CommandExt;
            command.env("FIDELITY_TEST_PASS", "1");
            if is_root() {
                command.uid(65_534).gid(65_534);
            }
        });
        assert_applied(&status);
    }
}

fn assert_applied(status: &[KnobStatus]) {
    for row in status {
        assert!(row.applied, "{row:?}");
    }
}

#[test]
fn a_test_sees_the_limits_of_its_stage() {
    if !has_namespaces(is_root()) {
        return assert!(refused("network", text("none")).contains("could not "));
    }
    let stage = Stage::new(&["writes_a_file_of_2_megabytes"]);
    let mut runner = stage.runner();
    for (number, (size, outcome)) in [(1 << 20, Outcome::Failed), (4 << 20, Outcome::Passed)]
        .into_iter()
        .enumerate()
    {
        let limits = table(&[("size", KnobValue::Bytes(size))]);
        let asked = environment(&[("tmpdir", limits)]);
        let number = u32::try_from(number).unwrap() + 1;
        let (seen, _) = stage.pass(&mut runner, number, &asked).unwrap();
        let seen = &seen["writes_a_file_of_2_megabytes"];
        assert_eq!(seen.outcome, outcome, "{seen:?}");
        // A pass without a stage goes on where it was before.
        let (seen, _) = stage
            .pass(&mut runner, number + 10, &Environment::default())
            .unwrap();
        assert_eq!(
            seen["writes_a_file_of_2_megabytes"].outcome,
            Outcome::Passed
        );
    }
    drop(runner);
    stage.assert_nothing_is_left();
}
