//! The system calls the standard library does not offer, each behind a safe function.
//!
//! Must not know: tests, knobs, messages. Everything here is a thin wrapper; what a call is for is said by its caller.
//! Invariant: no function hands out a raw pointer or keeps one past its return.
#![expect(
    unsafe_code,
    reason = "raw system calls; each block states why it is sound"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

pub(crate) mod account;
mod locale;
mod stdin_at_start;
pub(crate) mod terminal;

pub(crate) use locale::{adopt_locale, local_time};
pub(crate) use stdin_at_start::stdin_at_start;
mod processor;
mod waiting;

pub(crate) use processor::*;
pub(crate) use waiting::{wait_readable, wait_readable_closely};

/// A process id as the kernel counts them.
pub(crate) type Pid = libc::pid_t;

/// Turns the `-1` of a system call into the error behind it.
fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Makes reads of `descriptor` return at once.
pub(crate) fn set_nonblocking(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: both calls take a descriptor that is open as long as it is borrowed, and no pointers.
    unsafe {
        let flags = checked(libc::fcntl(descriptor.as_raw_fd(), libc::F_GETFL))?;
        checked(libc::fcntl(
            descriptor.as_raw_fd(),
            libc::F_SETFL,
            flags | libc::O_NONBLOCK,
        ))?;
    }
    Ok(())
}

/// Makes what `descriptor` refers to belong to `user` and `group`.
pub(crate) fn give(descriptor: BorrowedFd<'_>, user: u32, group: u32) -> io::Result<()> {
    // SAFETY: takes an open descriptor and two numbers.
    checked(unsafe { libc::fchown(descriptor.as_raw_fd(), user, group) }).map(drop)
}

/// Makes descriptor `to` refer to what `from` refers to, kept open over `exec`.
pub(crate) fn redirect(from: BorrowedFd<'_>, to: RawFd) -> io::Result<()> {
    // SAFETY: dup2 takes two numbers. Callers redirect 0, 1 and 2 only, which nothing owns.
    checked(unsafe { libc::dup2(from.as_raw_fd(), to) }).map(drop)
}

/// Returns a second descriptor for what the standard input refers to, closed on `exec`.
pub(crate) fn duplicate_stdin() -> io::Result<OwnedFd> {
    // SAFETY: the new descriptor is owned by nobody else.
    unsafe {
        let descriptor = checked(libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3))?;
        Ok(OwnedFd::from_raw_fd(descriptor))
    }
}

/// Sends `signal` to the process `pid`, which must be positive.
pub(crate) fn kill(pid: Pid, signal: libc::c_int) -> io::Result<()> {
    if pid <= 0 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: takes two numbers.
    checked(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// Sends `signal` to the process group `leader`, which must be greater than 1.
pub(crate) fn kill_group(leader: Pid, signal: libc::c_int) -> io::Result<()> {
    if leader <= 1 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: takes two numbers; the guard keeps out 0 and -1, which mean "my own group" and "everything".
    checked(unsafe { libc::kill(-leader, signal) }).map(drop)
}

/// Returns a child that has ended and is not reaped yet, without reaping it.
///
/// # Errors
/// `ECHILD` (as `raw_os_error`) where there is no child at all.
pub(crate) fn ended_child() -> io::Result<Option<Pid>> {
    wait_any(libc::WEXITED | libc::WNOHANG | libc::WNOWAIT)
}

/// Returns whether a child is still alive.
///
/// Asking for stopped children only never answers with a dead one, and is refused when all children are dead.
#[cfg(target_os = "linux")]
pub(crate) fn has_live_child() -> bool {
    wait_any(libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT).is_ok()
}

/// Calls `waitid` for any child.
fn wait_any(options: libc::c_int) -> io::Result<Option<Pid>> {
    // SAFETY: an all-zero siginfo_t is valid, and is filled in by the call.
    let info = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        checked(libc::waitid(libc::P_ALL, 0, &raw mut info, options))?;
        info
    };
    // SAFETY: after a successful waitid the structure is either still zero or describes a child.
    let pid = unsafe { info.si_pid() };
    Ok((pid != 0).then_some(pid))
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It ended with this exit status.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
}

/// Reaps the child `pid`, which has ended.
pub(crate) fn reap(pid: Pid) -> io::Result<Status> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is a valid place for the result.
        match checked(unsafe { libc::waitpid(pid, &raw mut status, 0) }) {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if libc::WIFSIGNALED(status) {
        Ok(Status::Signalled(libc::WTERMSIG(status)))
    } else {
        Ok(Status::Exited(libc::WEXITSTATUS(status)))
    }
}

/// Makes the calling process the leader of a session of its own.
pub(crate) fn new_session() -> io::Result<()> {
    // SAFETY: no arguments.
    checked(unsafe { libc::setsid() }).map(drop)
}

/// Returns the id of the calling process.
pub(crate) fn own_pid() -> Pid {
    // SAFETY: no arguments, never fails.
    unsafe { libc::getpid() }
}

/// Returns the effective user.
pub(crate) fn effective_user() -> u32 {
    // SAFETY: no arguments, never fails.
    unsafe { libc::geteuid() }
}

/// Makes orphans among the descendants children of the calling process.
#[cfg(target_os = "linux")]
pub(crate) fn adopt_orphans() -> io::Result<()> {
    // SAFETY: PR_SET_CHILD_SUBREAPER takes a number.
    checked(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) }).map(drop)
}

/// Whether a signal asked the process to end.
static ASKED_TO_END: AtomicBool = AtomicBool::new(false);
/// The write end of the pipe that wakes the process up; -1 before there is one.
static WAKE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn note_signal(signal: libc::c_int) {
    if signal != libc::SIGCHLD {
        ASKED_TO_END.store(true, Ordering::SeqCst);
    }
    let byte = 0_u8;
    // SAFETY: write is async-signal-safe and `byte` outlives it. A full pipe is fine: it wakes up as well. The saved
    // errno belongs to whatever the signal interrupted.
    unsafe {
        let errno = errno_place();
        let saved = *errno;
        libc::write(WAKE.load(Ordering::SeqCst), (&raw const byte).cast(), 1);
        *errno = saved;
    }
}

/// Returns where the C library keeps this thread's error number.
///
/// # Safety
/// The pointer is valid as long as the calling thread lives.
#[cfg(target_os = "linux")]
unsafe fn errno_place() -> *mut libc::c_int {
    // SAFETY: no arguments.
    unsafe { libc::__errno_location() }
}

/// See the Linux version.
///
/// # Safety
/// The pointer is valid as long as the calling thread lives.
#[cfg(not(target_os = "linux"))]
unsafe fn errno_place() -> *mut libc::c_int {
    // SAFETY: no arguments.
    unsafe { libc::__error() }
}

/// The signals a guardian hears: a child changed, or it is asked to end.
pub(crate) const HEARD: [libc::c_int; 4] =
    [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP];

/// Resets every signal, then turns those in [`HEARD`] into bytes of a pipe, whose read end is returned.
///
/// `SIGPIPE` stays ignored: a broken connection is seen as an error of the write.
pub(crate) fn hear_signals() -> io::Result<OwnedFd> {
    let (reader, writer) = io::pipe()?;
    let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
    set_nonblocking(std::os::fd::AsFd::as_fd(&reader))?;
    set_nonblocking(std::os::fd::AsFd::as_fd(&writer))?;
    WAKE.store(
        std::os::fd::IntoRawFd::into_raw_fd(writer),
        Ordering::SeqCst,
    );
    // SAFETY: signal and sigprocmask get valid arguments, and the handler only does what is allowed in one.
    unsafe {
        for signal in 1..32 {
            if ![libc::SIGKILL, libc::SIGSTOP, libc::SIGPIPE].contains(&signal) {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        for signal in HEARD {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = note_signal as *const () as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            checked(libc::sigaction(
                signal,
                &raw const action,
                std::ptr::null_mut(),
            ))?;
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        checked(libc::sigprocmask(
            libc::SIG_SETMASK,
            &raw const none,
            std::ptr::null_mut(),
        ))?;
    }
    Ok(reader)
}

/// Returns whether one of the ending signals of [`HEARD`] came.
pub(crate) fn asked_to_end() -> bool {
    ASKED_TO_END.load(Ordering::SeqCst)
}

/// Returns the CPUs the calling thread may run on, in order; none where the system does not say.
#[cfg(target_os = "linux")]
pub(crate) fn allowed_cpus() -> Vec<usize> {
    // SAFETY: an all-zero cpu_set_t is valid, its size is given, and CPU_ISSET stays within it.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let size = size_of::<libc::cpu_set_t>();
        if libc::sched_getaffinity(0, size, &raw mut set) != 0 {
            return Vec::new();
        }
        (0..8 * size)
            .filter(|&cpu| libc::CPU_ISSET(cpu, &set))
            .collect()
    }
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub(crate) fn allowed_cpus() -> Vec<usize> {
    Vec::new()
}

/// Returns the soft and the hard limit of `resource` (a `RLIMIT_*` number).
pub(crate) fn limit(resource: i32) -> io::Result<(u64, u64)> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid place for the result; an unknown resource is refused by the system.
    checked(unsafe { libc::getrlimit(resource as _, &raw mut limit) })?;
    Ok((limit.rlim_cur, limit.rlim_max))
}

/// Returns the file mode creation mask.
pub(crate) fn umask() -> u64 {
    // SAFETY: takes a number. It can only be read by setting it; the caller is a process with one thread.
    let mask = unsafe {
        let mask = libc::umask(0o077);
        libc::umask(mask);
        mask
    };
    u64::from(mask)
}

/// Returns the niceness of the calling process.
pub(crate) fn niceness() -> i32 {
    // SAFETY: takes two numbers.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// Returns the signals (1 to 31) that are blocked, and those that are ignored.
pub(crate) fn signal_state() -> (Vec<i32>, Vec<i32>) {
    // SAFETY: sigprocmask and sigaction fill in the zeroed structures they are given.
    unsafe {
        let mut mask: libc::sigset_t = std::mem::zeroed();
        libc::sigprocmask(libc::SIG_SETMASK, std::ptr::null(), &raw mut mask);
        let blocked = (1..32)
            .filter(|&signal| libc::sigismember(&raw const mask, signal) == 1)
            .collect();
        let ignored = (1..32)
            .filter(|&signal| {
                let mut action: libc::sigaction = std::mem::zeroed();
                libc::sigaction(signal, std::ptr::null(), &raw mut action);
                action.sa_sigaction == libc::SIG_IGN
            })
            .collect();
        (blocked, ignored)
    }
}

/// Returns the size in bytes of the calling thread's stack; none where the system does not say.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn own_stack() -> Option<u64> {
    // SAFETY: the attributes are initialised by the first call, read by the second, and released by the third.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return None;
        }
        let mut base = std::ptr::null_mut();
        let mut size = 0;
        let read = libc::pthread_attr_getstack(&raw const attributes, &raw mut base, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attributes);
        (read == 0).then_some(size as u64)
    }
}

/// See the GNU version.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn own_stack() -> Option<u64> {
    None
}
