//! Killing what a trial left behind.
//!
//! The guardian adopts every orphan below it and runs one trial at a time, so every descendant belongs to the trial
//! that just ended. Whatever is killed makes its children ours, so that killing goes on until the kernel says that no
//! child is alive; whole process groups are killed at once, which nothing outruns by forking.
//! Must not know: messages, outcomes. Bounded: it gives up on what cannot be killed after [`PATIENCE`].

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::super::sys::{self, Pid, Status};

/// How long the sweep goes on.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long processes that are already ending may take. A test that kills a child without waiting for it left nothing.
const GRACE: Duration = Duration::from_millis(10);
/// How often the children are looked at between two looks at everything.
const QUICK_LOOKS: u32 = 50;

/// What became of a trial's processes.
pub(super) struct Aftermath {
    /// How the leader ended; none if it has not.
    pub(super) status: Option<Status>,
    /// How many processes were left, and killed.
    pub(super) leaked: u32,
}

/// Kills every descendant after `leader` has ended (or refuses to), its group first, and reaps all of them.
///
/// `wake` becomes readable when a child ends.
pub(super) fn after(leader: Pid, wake: BorrowedFd<'_>) -> Aftermath {
    let something_left = outlasts_grace(leader, wake);
    if something_left {
        // As long as the leader is not reaped its number cannot have become somebody else's group.
        drop(sys::kill_group(leader, libc::SIGKILL));
    }
    let status = if reap_ended(leader).leader {
        sys::reap(leader).ok()
    } else {
        None
    };
    let leaked = if something_left { everything(wake) } else { 0 };
    reap_ended(0);
    Aftermath { status, leaked }
}

/// Kills and reaps every descendant. Returns how many there were.
pub(super) fn everything(wake: BorrowedFd<'_>) -> u32 {
    let start = Instant::now();
    let mut killed = 0;
    while is_anything_alive() && start.elapsed() < PATIENCE {
        kill_round();
        for _ in 0..QUICK_LOOKS {
            let children = children();
            if children.is_empty() {
                break;
            }
            for child in children {
                drop(sys::kill(child, libc::SIGKILL));
            }
            killed += reap_ended(0).killed;
        }
        if is_anything_alive() {
            rest(wake);
        }
    }
    killed + reap_ended(0).killed
}

/// Stops everything that is found, then kills it, with all of its groups.
fn kill_round() {
    let own = sys::own_pid();
    let family = family_of(own);
    let living: Vec<Pid> = family
        .iter()
        .filter(|one| one.alive)
        .map(|one| one.pid)
        .collect();
    for &pid in &living {
        drop(sys::kill(pid, libc::SIGSTOP));
    }
    // The dead count as well: nobody has reaped them, so the numbers of their groups are still theirs, and a chain of
    // processes that replace each other faster than they are found has left them behind.
    let groups: BTreeSet<Pid> = family.iter().map(|one| one.group).collect();
    for &group in groups.iter().filter(|group| **group != own) {
        drop(sys::kill_group(group, libc::SIGKILL));
    }
    for &pid in &living {
        drop(sys::kill(pid, libc::SIGKILL));
    }
}

/// What was reaped.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reaped {
    /// Whether the leader has ended; it is not reaped.
    pub(super) leader: bool,
    /// How many others had been killed.
    pub(super) killed: u32,
}

/// Reaps every ended child but `leader`.
pub(super) fn reap_ended(leader: Pid) -> Reaped {
    let mut reaped = Reaped::default();
    while let Ok(Some(pid)) = sys::ended_child() {
        if pid == leader {
            // It would be named again and again. What ended besides it is reaped after it.
            reaped.leader = true;
            break;
        }
        match sys::reap(pid) {
            Ok(Status::Signalled(libc::SIGKILL)) => reaped.killed += 1,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    reaped
}

/// Returns whether a process is left after a short grace.
fn outlasts_grace(leader: Pid, wake: BorrowedFd<'_>) -> bool {
    let start = Instant::now();
    while is_anything_alive() {
        if start.elapsed() >= GRACE {
            return true;
        }
        rest(wake);
        reap_ended(leader);
    }
    // Where nothing is adopted, what is left of the group is the only thing that can be killed, and is not seen.
    cfg!(not(target_os = "linux"))
}

/// Returns whether a descendant is alive: the topmost of those that are is our child, since orphans become ours.
#[cfg(target_os = "linux")]
pub(super) fn is_anything_alive() -> bool {
    sys::has_live_child()
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_anything_alive() -> bool {
    false
}

/// Waits a moment, or until a child ends.
fn rest(wake: BorrowedFd<'_>) {
    drop(sys::wait_readable(&[wake], Some(2)));
    super::drain(wake);
}

/// Returns the children of this process, dead ones included, where the kernel lists them.
fn children() -> Vec<Pid> {
    let own = sys::own_pid();
    let list = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
    let list = list.unwrap_or_default();
    list.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Returns the living descendants of process `root`, parents before children.
pub(crate) fn descendants_of(root: Pid) -> Vec<Pid> {
    let family = family_of(root).into_iter();
    family.filter(|one| one.alive).map(|one| one.pid).collect()
}

/// Kills process `root`, which is no trial and has no guardian, and everything below it.
///
/// It is stopped first, so that it starts nothing while its descendants are looked for.
pub(crate) fn fell(root: Pid) {
    drop(sys::kill(root, libc::SIGSTOP));
    for pid in descendants_of(root) {
        drop(sys::kill(pid, libc::SIGKILL));
    }
    drop(sys::kill(root, libc::SIGKILL));
}

/// A process as the system lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    pid: Pid,
    parent: Pid,
    group: Pid,
    alive: bool,
}

/// Returns the descendants of process `root`, parents before children.
fn family_of(root: Pid) -> Vec<Process> {
    let mut others = processes();
    let mut family = Vec::new();
    let mut parents = vec![root];
    let mut next = 0;
    while let Some(&parent) = parents.get(next) {
        next += 1;
        let (found, rest) = others.into_iter().partition(|one| one.parent == parent);
        others = rest;
        let found: Vec<Process> = found;
        parents.extend(found.iter().map(|one| one.pid));
        family.extend(found);
    }
    family
}

/// Returns every process.
fn processes() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid: Pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
            process(pid, &stat)
        })
        .collect()
}

/// Reads `/proc/PID/stat`. The name in brackets may hold anything.
fn process(pid: Pid, stat: &[u8]) -> Option<Process> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    Some(Process {
        pid,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
        alive: !matches!(state, "Z" | "X" | "x"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_and_group_are_read_past_any_process_name() {
        let read = |stat: &[u8]| process(12, stat).map(|one| (one.parent, one.group, one.alive));
        assert_eq!(read(b"12 (a) b) R 7 11 12 0"), Some((7, 11, true)));
        assert_eq!(read(b"12 (\xff\n() S 9 1"), Some((9, 1, true)));
        assert_eq!(read(b"12 (gone) Z 9 1"), Some((9, 1, false)));
        assert_eq!(read(b"12 (cut) R 9"), None);
        assert_eq!(read(b"12 (cut"), None);
    }
}
