//! What libfaketime leaves behind of a process that does not end by itself: shared memory under the process's number.
//!
//! Only the leader of a trial makes any: what it starts uses the leader's. Must not know: tests, outcomes.

use super::super::sys::Pid;

/// Removes what is left of process `leader`, which has ended.
pub(super) fn remove(leader: Pid) {
    for name in ["sem.faketime_sem", "faketime_shm"] {
        // A process that ended by itself has removed both.
        drop(std::fs::remove_file(format!("/dev/shm/{name}_{leader}")));
    }
}
