//! Raw attempts of a canary: calls that are made to see their error.
//!
//! Must not know: why.
#![expect(
    unsafe_code,
    reason = "calls are made that no library makes; each block states why it is sound"
)]

use std::fs::File;
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::fd::{FromRawFd, OwnedFd};
#[cfg(target_os = "linux")]
use std::os::unix::fs::OpenOptionsExt;

use crate::exec::seccomp::Call;

/// Makes a call that can do nothing, since none of its arguments makes sense, and returns its error; 0 for success.
#[cfg(target_os = "linux")]
pub(super) fn call(call: &Call) -> i32 {
    let mut arguments: [libc::c_long; 6] = [-1; 6];
    if let Some((position, value)) = call.argument
        && let Some(argument) = arguments.get_mut(usize::from(position))
    {
        *argument = libc::c_long::from(value);
    }
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: every pointer among the arguments is -1, which is no address of a process, and every descriptor is -1,
    // which is none: whatever the call is, it fails.
    let result = unsafe { libc::syscall(libc::c_long::from(call.number), a, b, c, d, e, f) };
    if result == -1 {
        io::Error::last_os_error().raw_os_error().unwrap_or(0)
    } else {
        0
    }
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub(super) fn call(_call: &Call) -> i32 {
    0
}

/// Says why no socket of IPv4, and none of IPv6, can be made; nothing where it can.
pub(super) fn families() -> (Option<String>, Option<String>) {
    let attempt = |family| {
        // SAFETY: takes numbers; the descriptor is owned by nobody else.
        let result = unsafe {
            match libc::socket(family, libc::SOCK_STREAM, 0) {
                -1 => Err(io::Error::last_os_error()),
                descriptor => Ok(OwnedFd::from_raw_fd(descriptor)),
            }
        };
        result.err().map(|error| error.to_string())
    };
    (attempt(libc::AF_INET), attempt(libc::AF_INET6))
}

/// Makes a file in `directory` that has no name and is gone at once.
#[cfg(target_os = "linux")]
pub(super) fn nameless_file(directory: &str) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).custom_flags(libc::O_TMPFILE);
    options.open(directory).map(drop)
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub(super) fn nameless_file(_directory: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Has `size` bytes set aside for `file`.
#[cfg(target_os = "linux")]
pub(super) fn reserve(file: &File, size: u64) -> io::Result<()> {
    let size = libc::off_t::try_from(size).unwrap_or(libc::off_t::MAX);
    // SAFETY: takes a descriptor that is open as long as the file is borrowed, and numbers.
    match unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, size) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub(super) fn reserve(_file: &File, _size: u64) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Waits `ms` milliseconds for nothing, by `poll`.
pub(super) fn poll(ms: i32) {
    // SAFETY: there are no descriptors, so nothing is read behind the pointer.
    unsafe { libc::poll(std::ptr::null_mut(), 0, ms) };
}

/// Waits `ms` milliseconds for nothing, by `epoll_wait`.
#[cfg(target_os = "linux")]
pub(super) fn epoll(ms: i32) {
    // SAFETY: the descriptor is owned by nobody else, and there is a place for the one event that is asked for.
    unsafe {
        let descriptor = libc::epoll_create1(libc::EPOLL_CLOEXEC);
        if descriptor == -1 {
            return;
        }
        let set = OwnedFd::from_raw_fd(descriptor);
        let mut event: libc::epoll_event = std::mem::zeroed();
        libc::epoll_wait(set.as_raw_fd(), &raw mut event, 1, ms);
    }
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub(super) fn epoll(ms: i32) {
    poll(ms);
}
