//! Starting the tool's own executable again, as one of its processes behind a socket.
//!
//! Must not know: what that process does.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts `helper` with `arguments` and nothing else: no variables, no output, the root directory to be in. Its
/// standard input is a socket, whose other end is returned.
pub(super) fn start(helper: &Path, arguments: &[&OsStr]) -> io::Result<(Child, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut command = Command::new(helper);
    command
        .args(arguments)
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .env_clear();
    // The executable itself may need this to start at all.
    for name in [
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH",
    ] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let child = command.spawn()?;
    // The command still holds the other end of the socket, which must break when that process ends.
    drop(command);
    Ok((child, ours))
}
