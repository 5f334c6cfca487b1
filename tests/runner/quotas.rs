//! Quotas by control groups with real processes. Where groups cannot be made, the reason has to say so.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fidelity_core::domain::{KnobValue, Outcome, PassEnd};

use crate::load::{Shares, shares, status};
use crate::stage::{Stage, environment, run_directories, wait_until};
use crate::tool::{Tool, apply_as_ordinary_user};

pub fn cpu_quota(percent: u32) -> (&'static str, KnobValue) {
    ("cpu-quota", KnobValue::Share(percent))
}

fn memory_quota(bytes: u64) -> (&'static str, KnobValue) {
    ("memory-quota", KnobValue::Bytes(bytes))
}

/// Returns whether the knob can be applied here; fails unless the reason says why it cannot.
fn is_available((knob, value): (&str, KnobValue)) -> bool {
    let status = status(knob, value);
    let reason = &status.reason;
    if !status.applied {
        let stated = ["no control group", "hands the controller"];
        assert!(
            stated.iter().any(|words| reason.contains(words)),
            "{status:?}"
        );
        assert!(reason.contains("; "), "it says what to do: {status:?}");
    }
    status.applied
}

/// Returns the groups that the run under `parent` has listed.
fn groups(parent: &Path) -> Vec<PathBuf> {
    let lists = run_directories(parent).into_iter();
    let texts = lists.filter_map(|run| std::fs::read_to_string(run.join("groups")).ok());
    texts
        .flat_map(|text| text.lines().map(PathBuf::from).collect::<Vec<_>>())
        .collect()
}

#[test]
fn a_quota_is_seen_in_the_group_a_trial_is_in() {
    if is_available(cpu_quota(50)) {
        let status = status(cpu_quota(50).0, cpu_quota(50).1);
        assert_eq!(
            status.reason,
            "all together may use 50% of a CPU, parallelism 1"
        );
    }
    if is_available(memory_quota(512 << 20)) {
        let (knob, value) = memory_quota(512 << 20);
        assert_eq!(status(knob, value).reason, "all together may use 512MiB");
    }
}

#[test]
fn a_quota_of_processor_time_makes_a_trial_stand_still() {
    if !is_available(cpu_quota(10)) {
        return;
    }
    let Shares { worked, .. } = shares(&[cpu_quota(10)]);
    assert!(worked < 0.2, "{worked}");
}

#[test]
fn a_quota_of_memory_kills_the_test_that_touches_too_much() {
    if !is_available(memory_quota(32 << 20)) {
        return;
    }
    let stage = Stage::new(&["passes", "touches_64_megabytes"]);
    let mut runner = stage.runner();
    for (quota, outcome) in [
        (32 << 20, Outcome::Crashed(libc::SIGKILL)),
        (256 << 20, Outcome::Passed),
    ] {
        let (seen, end) = stage
            .pass(&mut runner, 1, &environment(&[memory_quota(quota)]))
            .unwrap();
        assert_eq!(end, PassEnd::Completed);
        assert_eq!(seen["touches_64_megabytes"].outcome, outcome, "{seen:?}");
        assert_eq!(seen["passes"].outcome, Outcome::Passed, "{seen:?}");
        let groups = groups(stage.parent.path());
        assert!(!groups.is_empty() && groups.iter().all(|group| !group.exists()));
    }
    drop(runner);
    stage.assert_nothing_is_left();
}

#[test]
fn no_group_survives_a_tool_that_is_killed() {
    if !is_available(cpu_quota(50)) {
        return;
    }
    let mut tool = Tool::start("quota", "1");
    wait_until(Duration::from_secs(20), "the first member", || {
        groups(tool.parent()).iter().any(|group| {
            let members = std::fs::read_to_string(group.join("cgroup.procs"));
            members.is_ok_and(|members| !members.is_empty())
        })
    });
    let groups = groups(tool.parent());
    tool.signal(libc::SIGKILL);
    wait_until(Duration::from_secs(3), "the end of the groups", || {
        groups.iter().all(|group| !group.exists())
    });
}

#[test]
fn an_ordinary_user_is_told_why_there_is_no_quota() {
    for (knob, value) in [
        ("cpu-quota", r#"{"share":50}"#),
        ("memory-quota", r#"{"bytes":1073741824}"#),
    ] {
        let status = apply_as_ordinary_user(knob, value);
        // Where a part of the hierarchy was handed over, an ordinary user has quotas as well.
        let told = status.reason.contains("control group") || status.reason.contains("hands the");
        assert!(status.applied || told, "{status:?}");
    }
}
