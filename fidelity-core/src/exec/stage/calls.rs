//! The system calls of a stage, each behind a safe function.
//!
//! Must not know: plans, knobs. Invariant: no function hands out a raw pointer or keeps one past its return.
#![expect(
    unsafe_code,
    reason = "raw system calls; each block states why it is sound"
)]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::exec::sys::Pid;

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Leaves the namespaces of these kinds (`CLONE_NEW*`) for new ones.
pub(super) fn unshare(kinds: libc::c_int) -> io::Result<()> {
    // SAFETY: takes a number.
    checked(unsafe { libc::unshare(kinds) }).map(drop)
}

/// Enters the namespace that `namespace` refers to.
pub(super) fn enter(namespace: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes a descriptor that is open as long as it is borrowed; 0 stands for whatever kind it is.
    checked(unsafe { libc::setns(namespace.as_raw_fd(), 0) }).map(drop)
}

/// Mounts `source` at `target`.
pub(super) fn mount(
    source: &Path,
    target: &Path,
    kind: &CStr,
    flags: libc::c_ulong,
    options: &str,
) -> io::Result<()> {
    let source = CString::new(source.as_os_str().as_bytes())?;
    let target = CString::new(target.as_os_str().as_bytes())?;
    let options = CString::new(options)?;
    // SAFETY: every string is valid and ended by NUL for the length of the call.
    checked(unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            flags,
            options.as_ptr().cast(),
        )
    })
    .map(drop)
}

/// Gives the machine another name.
pub(super) fn set_hostname(name: &str) -> io::Result<()> {
    // SAFETY: the bytes are valid for the given length.
    checked(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }).map(drop)
}

/// Brings the loopback interface up.
pub(super) fn loopback_up() -> io::Result<()> {
    // SAFETY: the socket is owned by nobody else; the structure is all zero but for the name, which ends in zeros, and
    // its union holds the flags after the first call.
    unsafe {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        let socket = OwnedFd::from_raw_fd(checked(libc::socket(libc::AF_INET, kind, 0))?);
        let mut request: libc::ifreq = std::mem::zeroed();
        let name = c"lo";
        std::ptr::copy_nonoverlapping(
            name.as_ptr(),
            request.ifr_name.as_mut_ptr(),
            name.count_bytes(),
        );
        checked(libc::ioctl(
            socket.as_raw_fd(),
            libc::SIOCGIFFLAGS as _,
            &raw mut request,
        ))?;
        request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short;
        checked(libc::ioctl(
            socket.as_raw_fd(),
            libc::SIOCSIFFLAGS as _,
            &raw mut request,
        ))
        .map(drop)
    }
}

/// Has the calling process killed when its parent ends.
pub(super) fn die_with_parent() -> io::Result<()> {
    // SAFETY: PR_SET_PDEATHSIG takes a number.
    checked(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) }).map(drop)
}

/// Returns the parent; 0 where it is in another PID namespace.
pub(super) fn parent() -> Pid {
    // SAFETY: no arguments, never fails.
    unsafe { libc::getppid() }
}

/// Returns the user and the group the calling process acts as.
pub(super) fn user_and_group() -> (u32, u32) {
    // SAFETY: no arguments, never fail.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// Splits the calling process, which must have one thread. Returns the child's id; none in the child.
pub(super) fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: with one thread nothing is copied in the middle of something, so the child may do anything.
    let pid = checked(unsafe { libc::fork() })?;
    Ok((pid != 0).then_some(pid))
}

/// Waits until a signal comes.
pub(super) fn pause() {
    // SAFETY: no arguments.
    unsafe { libc::pause() };
}

/// Has the kernel reap the children of the calling process.
pub(super) fn reap_nothing() {
    // SAFETY: sets a disposition that runs no code.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// Ends the calling process without running anything else.
pub(super) fn leave(status: i32) -> ! {
    // SAFETY: takes a number and does not return.
    unsafe { libc::_exit(status) }
}
