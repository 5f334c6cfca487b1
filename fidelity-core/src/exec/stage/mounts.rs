//! The mounts of a stage. Everything here acts on the mount namespace of the calling process, which is its own.
//!
//! Invariant: nothing is undone that whoever mounted it had asked for: what is mounted read-only or without programs
//! stays so.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::calls;
use super::plan::Room;

/// What is left as it is when everything else becomes read-only: devices and what the kernel shows as files.
const LEFT_ALONE: [&str; 3] = ["/dev", "/proc", "/sys"];

/// Keeps what is mounted from here on to this namespace.
pub(super) fn keep_to_itself() -> io::Result<()> {
    let flags = libc::MS_REC | libc::MS_PRIVATE;
    calls::mount(Path::new("none"), Path::new("/"), c"", flags, "")
}

/// Shows the processes of this PID namespace at /proc.
pub(super) fn mount_proc() -> io::Result<()> {
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    calls::mount(Path::new("proc"), Path::new("/proc"), c"proc", flags, "")
}

/// Gives this namespace shared memory of its own: its names hold process ids, which are no longer unique.
pub(super) fn mount_shared_memory() -> io::Result<()> {
    let flags = libc::MS_NOSUID | libc::MS_NODEV;
    let at = Path::new("/dev/shm");
    if !at.is_dir() {
        return Ok(());
    }
    calls::mount(Path::new("shm"), at, c"tmpfs", flags, "mode=1777")
}

/// Limits what fits into a directory, which keeps its owner and permissions.
pub(super) fn mount_room(room: &Room) -> io::Result<()> {
    let metadata = std::fs::metadata(&room.path)?;
    let mode = metadata.mode() & 0o7777;
    let (uid, gid) = room.owner.unwrap_or((metadata.uid(), metadata.gid()));
    let mut options = format!("mode={mode:o},uid={uid},gid={gid}");
    if let Some(size) = room.size {
        options.push_str(&format!(",size={size}"));
    }
    if let Some(files) = room.files {
        // The directory itself takes one.
        options.push_str(&format!(",nr_inodes={}", files.saturating_add(1)));
    }
    let flags = libc::MS_NOSUID | libc::MS_NODEV;
    calls::mount(Path::new("room"), &room.path, c"tmpfs", flags, &options)
}

/// Makes a directory read-only, for whomever.
pub(super) fn make_read_only(directory: &Path) -> io::Result<()> {
    bind_to_itself(directory)?;
    let path = directory.canonicalize()?;
    match mounts()?.into_iter().rev().find(|one| one.at == path) {
        Some(mount) => mount.make_read_only(),
        None => Err(io::ErrorKind::NotFound.into()),
    }
}

/// Makes everything read-only but devices, what the kernel shows as files, and what is below `writable`.
///
/// Each mount is told by itself and not the whole tree at once, so that no mount has to be made writable again, which
/// a user namespace may not do, and so that it works on kernels that know nothing better.
pub(super) fn make_all_read_only_but(writable: &[PathBuf]) -> io::Result<()> {
    let mut kept: Vec<PathBuf> = LEFT_ALONE.map(PathBuf::from).into();
    for directory in writable {
        let path = directory.canonicalize()?;
        bind_to_itself(&path)?;
        kept.push(path);
    }
    for mount in mounts()? {
        if mount.read_only || kept.iter().any(|kept| mount.at.starts_with(kept)) {
            continue;
        }
        match mount.make_read_only() {
            // Another mount covers it, or it is where this process cannot get: so do the tests.
            Err(error)
                if [libc::EACCES, libc::EINVAL, libc::ENOENT]
                    .contains(&error.raw_os_error().unwrap_or(0))
                    && mount.at != Path::new("/") => {}
            done => done?,
        }
    }
    Ok(())
}

/// Makes a mount of a directory, so that it can be treated differently from what it is in.
fn bind_to_itself(directory: &Path) -> io::Result<()> {
    calls::mount(directory, directory, c"", libc::MS_BIND | libc::MS_REC, "")
}

/// A mount as the kernel lists it.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    at: PathBuf,
    read_only: bool,
    /// The flags that have to be said again when others are changed.
    flags: libc::c_ulong,
}

impl Mount {
    fn make_read_only(&self) -> io::Result<()> {
        let flags = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | self.flags;
        calls::mount(Path::new("none"), &self.at, c"", flags, "")
    }
}

/// Returns the mounts of this namespace, in the order they were made.
fn mounts() -> io::Result<Vec<Mount>> {
    let list = std::fs::read("/proc/self/mountinfo")?;
    Ok(list
        .split(|&byte| byte == b'\n')
        .filter_map(mount)
        .collect())
}

/// Reads a line of `/proc/self/mountinfo`: `36 35 98:0 /root /at options ...`.
fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&byte| byte == b' ').skip(4);
    let at = PathBuf::from(unescaped(fields.next()?));
    let options = std::str::from_utf8(fields.next()?).ok()?;
    let flag = |option: &str| match option {
        "nosuid" => libc::MS_NOSUID,
        "nodev" => libc::MS_NODEV,
        "noexec" => libc::MS_NOEXEC,
        "nosymfollow" => 256,
        _ => 0,
    };
    Some(Mount {
        at,
        read_only: options.split(',').any(|option| option == "ro"),
        flags: options.split(',').map(flag).fold(0, |all, one| all | one),
    })
}

/// Undoes the octal escapes (`\040`) of a path.
fn unescaped(path: &[u8]) -> OsString {
    let mut result = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [first, tail @ ..] = rest {
        let code = tail.get(..3).filter(|_| *first == b'\\');
        let code =
            code.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match code {
            Some(byte) => {
                result.push(byte);
                rest = &tail[3..];
            }
            None => {
                result.push(*first);
                rest = tail;
            }
        }
    }
    OsString::from_vec(result)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_line_of_the_list_of_mounts_is_read_with_its_escapes_and_flags() {
        let line =
            b"98 27 0:21 / /a\\040b\\134c ro,nosuid,noexec,relatime shared:1 - tmpfs x rw,size=4k";
        let read = mount(line).unwrap();
        assert_eq!(read.at, Path::new("/a b\\c"));
        assert!(read.read_only);
        assert_eq!(read.flags, libc::MS_NOSUID | libc::MS_NOEXEC);
        // What is read-only below may still be listed as writable here: the mount's own flags count.
        let line = b"27 1 254:0 / / rw,relatime - ext4 /dev/vda ro,discard";
        assert!(!mount(line).unwrap().read_only);
        assert_eq!(mount(b""), None);
        assert_eq!(mount(b"27 1 254:0 / /"), None);
    }

    #[test]
    fn escapes_that_are_cut_are_left_as_they_are() {
        for text in ["", "\\", "\\04", "a\\09z", "\\777"] {
            assert_eq!(unescaped(text.as_bytes()).as_bytes(), text.as_bytes());
        }
    }
}
