//! Pseudo-terminals.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// The two ends of a pseudo-terminal.
pub(crate) struct PseudoTerminal {
    /// What is written to the other end is read here.
    pub(crate) master: OwnedFd,
    /// The end that is a terminal.
    pub(crate) terminal: OwnedFd,
}

/// Makes a pseudo-terminal of `columns` by `rows` that passes on what is written to it as it is.
///
/// Both ends are closed on `exec`, and opening them made neither the caller's controlling terminal.
#[cfg(target_os = "linux")]
pub(crate) fn open((columns, rows): (u16, u16)) -> io::Result<PseudoTerminal> {
    use super::checked;
    use std::os::fd::FromRawFd;

    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the path is a string that ends with a NUL; every descriptor that is returned belongs to nobody else; the
    // number, the window size and the terminal's attributes are valid for the calls that read or fill them.
    unsafe {
        let master = OwnedFd::from_raw_fd(checked(libc::open(c"/dev/ptmx".as_ptr(), flags))?);
        let unlocked: libc::c_int = 0;
        let number = master.as_raw_fd();
        checked(libc::ioctl(number, libc::TIOCSPTLCK, &raw const unlocked))?;
        // By its master and not by a path: no other mount of the devices can be in the way.
        let other = checked(libc::ioctl(number, libc::TIOCGPTPEER, flags))?;
        let terminal = OwnedFd::from_raw_fd(other);
        let mut attributes: libc::termios = std::mem::zeroed();
        checked(libc::tcgetattr(other, &raw mut attributes))?;
        attributes.c_oflag &= !libc::OPOST;
        checked(libc::tcsetattr(other, libc::TCSANOW, &raw const attributes))?;
        let size = libc::winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        checked(libc::ioctl(number, libc::TIOCSWINSZ, &raw const size))?;
        Ok(PseudoTerminal { master, terminal })
    }
}

/// Answers that it is not supported.
#[cfg(not(target_os = "linux"))]
pub(crate) fn open(_size: (u16, u16)) -> io::Result<PseudoTerminal> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns columns and rows of a terminal; none if `descriptor` is none.
pub(crate) fn size(descriptor: BorrowedFd<'_>) -> Option<(u16, u16)> {
    // SAFETY: an all-zero winsize is valid, and filled in by the call.
    unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        let read = libc::ioctl(descriptor.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size);
        (read == 0).then_some((size.ws_col, size.ws_row))
    }
}
