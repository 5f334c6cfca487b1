//! System calls about processor time: where a thread runs, what was used, whose end ends a process.
#![expect(
    unsafe_code,
    reason = "raw system calls; each block states why it is sound"
)]

use std::io;

use super::{Pid, Status};

/// Has the kernel kill the calling process when the thread that started it ends. Returns whether `parent`, the process
/// of that thread, is still there: it may have ended before the call.
#[cfg(target_os = "linux")]
pub(crate) fn die_with(parent: Pid) -> bool {
    // SAFETY: both take numbers, or nothing.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::getppid() == parent
    }
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub(crate) fn die_with(parent: Pid) -> bool {
    // SAFETY: no arguments, never fails.
    unsafe { libc::getppid() == parent }
}

/// Keeps the calling thread on `cpu`.
///
/// # Errors
/// Where there is no such CPU, or it is not allowed.
#[cfg(target_os = "linux")]
pub(crate) fn stay_on(cpu: usize) -> io::Result<()> {
    let size = size_of::<libc::cpu_set_t>();
    if cpu >= 8 * size {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: an all-zero set is the empty set, CPU_SET stays within it, and its size is given.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size, &raw const set)
    };
    super::checked(result).map(drop)
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub(crate) fn stay_on(_cpu: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns the processor time the calling thread has used, in microseconds.
pub(crate) fn thread_time_us() -> u64 {
    clock_us(libc::CLOCK_THREAD_CPUTIME_ID).unwrap_or(0)
}

/// Returns the processor time process `pid` and all its threads have used, in microseconds; none where there is no such
/// process, or the system does not say.
#[cfg(target_os = "linux")]
pub(crate) fn process_time_us(pid: Pid) -> Option<u64> {
    let mut clock = 0;
    // SAFETY: `clock` is a valid place for the result.
    let result = unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) };
    (result == 0).then(|| clock_us(clock)).flatten()
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub(crate) fn process_time_us(_pid: Pid) -> Option<u64> {
    None
}

fn clock_us(clock: libc::clockid_t) -> Option<u64> {
    // SAFETY: an all-zero timespec is valid, and is filled in by the call.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        super::checked(libc::clock_gettime(clock, &raw mut time)).ok()?;
        time
    };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanoseconds = u64::try_from(time.tv_nsec).ok()?;
    Some(seconds * 1_000_000 + nanoseconds / 1000)
}

/// Returns the processor time of the calling process and of every descendant that was reaped, in microseconds.
pub(crate) fn family_time_us() -> u64 {
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN]
        .into_iter()
        .map(|who| {
            // SAFETY: an all-zero rusage is valid, and is filled in by the call.
            let usage = unsafe {
                let mut usage: libc::rusage = std::mem::zeroed();
                libc::getrusage(who, &raw mut usage);
                usage
            };
            used_us(&usage)
        })
        .sum()
}

/// Kills the child `pid`, reaps it, and returns the processor time it has used, in microseconds.
///
/// # Errors
/// Where it is no child, or was reaped.
pub(crate) fn end_and_account(pid: Pid) -> io::Result<(Status, u64)> {
    drop(super::kill(pid, libc::SIGKILL));
    let mut status = 0;
    // SAFETY: an all-zero rusage is valid; both places are valid for the results.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        loop {
            match super::checked(libc::wait4(pid, &raw mut status, 0, &raw mut usage)) {
                Ok(_) => break usage,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    };
    let ended = if libc::WIFSIGNALED(status) {
        Status::Signalled(libc::WTERMSIG(status))
    } else {
        Status::Exited(libc::WEXITSTATUS(status))
    };
    Ok((ended, used_us(&usage)))
}

/// Returns in how many parts a second is cut where the kernel counts the time of CPUs.
pub(crate) fn ticks_per_second() -> u64 {
    // SAFETY: takes a number.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks)
        .ok()
        .filter(|ticks| *ticks > 0)
        .unwrap_or(100)
}

fn used_us(usage: &libc::rusage) -> u64 {
    let microseconds = |time: libc::timeval| {
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        seconds * 1_000_000 + u64::try_from(time.tv_usec).unwrap_or(0)
    };
    microseconds(usage.ru_utime) + microseconds(usage.ru_stime)
}
