//! System calls that wait for descriptors.
#![expect(
    unsafe_code,
    reason = "raw system calls; each block states why it is sound"
)]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

/// Waits until one of `descriptors` can be read or has hung up, at most `timeout_ms` (none: for ever).
///
/// Returns for each whether it is ready. An interrupting signal counts as nothing being ready.
pub(crate) fn wait_readable(
    descriptors: &[BorrowedFd<'_>],
    timeout_ms: Option<u64>,
) -> io::Result<Vec<bool>> {
    let timeout = timeout_ms.map_or(-1, |ms| {
        libc::c_int::try_from(ms).unwrap_or(libc::c_int::MAX)
    });
    // SAFETY: the entries are a valid array of as many pollfd structures as are counted, for the length of the call.
    poll(descriptors, |entries, count| unsafe {
        libc::poll(entries, count, timeout)
    })
}

/// The same with a limit that is kept to less than a millisecond, which takes a moment longer to set up.
#[cfg(target_os = "linux")]
pub(crate) fn wait_readable_closely(
    descriptors: &[BorrowedFd<'_>],
    limit: Duration,
) -> io::Result<Vec<bool>> {
    let timeout = libc::timespec {
        tv_sec: libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    };
    // SAFETY: as above; the time is valid, and no mask is set.
    poll(descriptors, |entries, count| unsafe {
        libc::ppoll(entries, count, &raw const timeout, std::ptr::null())
    })
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub(crate) fn wait_readable_closely(
    descriptors: &[BorrowedFd<'_>],
    limit: Duration,
) -> io::Result<Vec<bool>> {
    let ms = u64::try_from(limit.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
    wait_readable(descriptors, Some(ms))
}

fn poll(
    descriptors: &[BorrowedFd<'_>],
    call: impl FnOnce(*mut libc::pollfd, libc::nfds_t) -> libc::c_int,
) -> io::Result<Vec<bool>> {
    let mut entries: Vec<libc::pollfd> = descriptors
        .iter()
        .map(|descriptor| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let count = libc::nfds_t::try_from(entries.len()).unwrap_or(0);
    match super::checked(call(entries.as_mut_ptr(), count)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    Ok(entries.iter().map(|entry| entry.revents != 0).collect())
}
