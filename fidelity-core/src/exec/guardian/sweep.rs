//! Killing what a trial left behind.
//!
//! The guardian adopts every orphan below it and runs one trial at a time, so every descendant belongs to the trial
//! that just ended. The sweep stops all of them before it kills any, round after round, so that none can outrun it by
//! forking; a kernel that adopts orphans makes every survivor our child in the end.
//! Must not know: messages, outcomes. Bounded: it gives up on what cannot be killed after [`PATIENCE`].

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::super::sys::{self, Pid};

/// How long the sweep goes on.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long processes that are already ending may take. A test that kills a child without waiting for it left nothing.
const GRACE: Duration = Duration::from_millis(10);

/// Kills every descendant but the ended, not yet reaped `leader`, whose group is killed first. Returns how many
/// processes were left.
///
/// `wake` becomes readable when a child ends.
pub(crate) fn sweep(leader: Pid, wake: BorrowedFd<'_>) -> u32 {
    if !anything_left(leader, wake) {
        return 0;
    }
    let start = Instant::now();
    let mut killed = BTreeSet::new();
    killed.extend(descendants());
    // The leader is a zombie yet, so its number cannot have become somebody else's group.
    drop(sys::kill_group(leader, libc::SIGKILL));
    // Looking for processes misses some that come and go meanwhile. Whether any is left, only the kernel knows.
    while is_anything_alive() && start.elapsed() < PATIENCE {
        let stopped = stop_all(start);
        for &pid in &stopped {
            drop(sys::kill(pid, libc::SIGKILL));
        }
        killed.extend(stopped);
        reap_ended(leader);
        rest(wake);
    }
    reap_ended(leader);
    u32::try_from(killed.len()).unwrap_or(u32::MAX)
}

/// Stops every descendant, looking again until no new one is found.
fn stop_all(start: Instant) -> BTreeSet<Pid> {
    let mut stopped = BTreeSet::new();
    while start.elapsed() < PATIENCE {
        let mut found = descendants();
        found.retain(|pid| !stopped.contains(pid));
        if found.is_empty() {
            break;
        }
        for pid in found {
            drop(sys::kill(pid, libc::SIGSTOP));
            stopped.insert(pid);
        }
    }
    stopped
}

/// Returns whether a descendant is alive: the topmost of those that are is our child, since orphans become ours.
#[cfg(target_os = "linux")]
fn is_anything_alive() -> bool {
    sys::has_live_child()
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
fn is_anything_alive() -> bool {
    false
}

/// Reaps every ended child but `leader`. Returns whether `leader` has ended.
pub(crate) fn reap_ended(leader: Pid) -> bool {
    // While the leader is a zombie it may be named again and again: it is asked about last.
    while let Ok(Some(pid)) = sys::ended_child() {
        if pid == leader {
            return true;
        }
        if sys::reap(pid).is_err() {
            break;
        }
    }
    false
}

/// Returns whether a process is left after a short grace.
#[cfg(target_os = "linux")]
fn anything_left(leader: Pid, wake: BorrowedFd<'_>) -> bool {
    let start = Instant::now();
    while is_anything_alive() {
        if start.elapsed() >= GRACE {
            return true;
        }
        rest(wake);
        reap_ended(leader);
    }
    false
}

/// See the Linux version. Nothing is adopted here: what is left of the group is killed unseen.
#[cfg(not(target_os = "linux"))]
fn anything_left(leader: Pid, _wake: BorrowedFd<'_>) -> bool {
    drop(sys::kill_group(leader, libc::SIGKILL));
    false
}

/// Waits a moment, or until a child ends.
fn rest(wake: BorrowedFd<'_>) {
    drop(sys::wait_readable(&[wake], Some(2)));
    super::drain(wake);
}

/// Returns the living descendants of this process, parents before children.
fn descendants() -> Vec<Pid> {
    descendants_of(sys::own_pid())
}

/// Returns the living descendants of process `root`, parents before children.
pub(crate) fn descendants_of(root: Pid) -> Vec<Pid> {
    let mut family = vec![root];
    let mut others = living_processes();
    let mut next = 0;
    while next < family.len() {
        let parent = family[next];
        next += 1;
        others.retain(|&(pid, parent_of_pid)| {
            let child = parent_of_pid == parent;
            if child {
                family.push(pid);
            }
            !child
        });
    }
    family.remove(0);
    family
}

/// Returns process and parent of everything that lives and is not about to be reaped.
fn living_processes() -> Vec<(Pid, Pid)> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid: Pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, living_parent(&stat)?))
        })
        .collect()
}

/// Reads the parent out of `/proc/PID/stat`; none for a dead process. The name in brackets may hold anything.
fn living_parent(stat: &[u8]) -> Option<Pid> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (!matches!(state, "Z" | "X" | "x")).then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_past_any_process_name() {
        assert_eq!(living_parent(b"12 (a) b) R 7 12 12 0"), Some(7));
        assert_eq!(living_parent(b"12 (\xff\n() S 9 1"), Some(9));
        assert_eq!(living_parent(b"12 (gone) Z 9 1"), None);
        assert_eq!(living_parent(b"12 (cut"), None);
    }
}
