//! Whether the standard input was open when this process started, which is too late to ask in `main`: the runtime has
//! opened the null device in its place by then.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether descriptor 0 was not open.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Called by the C library before `main`, and so before the runtime of the standard library.
#[cfg(target_os = "linux")]
extern "C" fn look() {
    // SAFETY: takes two numbers.
    if unsafe { libc::fcntl(0, libc::F_GETFD) } == -1 {
        WAS_CLOSED.store(true, Ordering::Relaxed);
    }
}

// SAFETY: the section holds pointers to functions of this type, which the C library calls one after the other.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

/// Returns whether descriptor 0 was open when this process started; none where that is not looked at.
pub(crate) fn stdin_at_start() -> Option<bool> {
    cfg!(target_os = "linux").then(|| !WAS_CLOSED.load(Ordering::Relaxed))
}
