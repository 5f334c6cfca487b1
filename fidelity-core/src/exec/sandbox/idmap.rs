//! Directory trees that look as if another user owned them, by id-mapped mounts: the user of a test then finds a checkout
//! like a developer's own, below whatever directory it is, and nothing on disk is changed.
//!
//! Must not know: guardians, trials. Needs Linux 5.12, the privilege to mount, and a file system that allows it.
//! Invariant: only the calling process's own mount namespace is changed; what is written through a mapped tree gets
//! the tree's owner on disk.
#![cfg_attr(
    target_os = "linux",
    expect(
        unsafe_code,
        reason = "mounts and namespaces are made by raw system calls"
    )
)]

use std::ffi::CString;
use std::io;

use serde::{Deserialize, Serialize};

/// A user and a primary group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// A directory that is to look as if somebody else owned what its owner owns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Tree {
    /// Its absolute path, without a NUL.
    pub(crate) path: CString,
    /// Who owns it on disk.
    pub(crate) owner: Owner,
}

/// A mapping that could not be made: the step that failed, and why.
#[derive(Debug)]
pub(crate) struct NotMapped {
    /// The step, as an infinitive.
    pub(crate) step: String,
    /// The cause.
    pub(crate) error: io::Error,
}

impl NotMapped {
    fn at(step: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let step = step.into();
        move |error| Self { step, error }
    }
}

/// Returns what the kernel is told of a mapping that makes `disk` look like `seen` and the other way round, and leaves
/// everybody else alone: `on disk, as seen, how many` in each line.
#[cfg(any(target_os = "linux", test))]
fn exchange(disk: u32, seen: u32) -> String {
    let (low, high) = (disk.min(seen), disk.max(seen));
    let mut lines = Vec::new();
    let mut line = |on_disk: u32, as_seen: u32, count: u32| {
        if count > 0 {
            lines.push(format!("{on_disk} {as_seen} {count}"));
        }
    };
    if low == high {
        line(0, 0, u32::MAX);
    } else {
        line(0, 0, low);
        line(low, high, 1);
        line(low + 1, low + 1, high - low - 1);
        line(high, low, 1);
        line(high + 1, high + 1, u32::MAX - high - 1);
    }
    lines.join("\n")
}

#[cfg(target_os = "linux")]
pub(crate) use linux::namespace;

/// The system calls.
#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::collections::btree_map::Entry;
    use std::fs::File;
    use std::io::{self, Read, Write};
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

    use super::{NotMapped, Owner, Tree, exchange};

    /// `struct mount_attr` of the kernel.
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }

    const OPEN_TREE_CLONE: libc::c_long = 1;
    const OPEN_TREE_CLOEXEC: libc::c_long = libc::O_CLOEXEC as libc::c_long;
    const AT_RECURSIVE: libc::c_long = 0x8000;
    const AT_EMPTY_PATH: libc::c_long = 0x1000;
    const AT_CURRENT: libc::c_long = libc::AT_FDCWD as libc::c_long;
    const MOUNT_ATTR_IDMAP: u64 = 0x0010_0000;
    const MOVE_FROM_EMPTY_PATH: libc::c_long = 4;

    fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
        if result == -1 {
            Err(io::Error::last_os_error())
        } else {
            Ok(result)
        }
    }

    /// Takes over the descriptor that a system call returned.
    fn owned(result: libc::c_long) -> io::Result<OwnedFd> {
        let number = RawFd::try_from(checked(result)?).map_err(io::Error::other)?;
        // SAFETY: the system just gave it to us, and nobody else knows it.
        Ok(unsafe { OwnedFd::from_raw_fd(number) })
    }

    /// Makes every tree look as if `user` owned what its owner owns, in the mount namespace of the calling process, which
    /// must be its own (`unshare(CLONE_NEWNS)`). A tree within another keeps its own owner.
    ///
    /// # Errors
    /// The first step that failed; some trees may be mapped by then.
    pub(crate) fn map(trees: &[Tree], user: Owner) -> Result<(), NotMapped> {
        let mut namespaces: BTreeMap<Owner, OwnedFd> = BTreeMap::new();
        for tree in trees {
            if let Entry::Vacant(missing) = namespaces.entry(tree.owner) {
                let made = mapping(tree.owner, user);
                missing.insert(made.map_err(NotMapped::at("make a mapping of users"))?);
            }
        }
        // Outer trees before inner ones; all are copied before the first is in its place, because what is mapped cannot
        // be mapped again.
        let mut trees: Vec<&Tree> = trees.iter().collect();
        trees.sort();
        let copies = trees.iter().filter_map(|tree| {
            let namespace = namespaces.get(&tree.owner)?;
            Some((
                tree,
                copy(tree, namespace).map_err(NotMapped::at(step(tree))),
            ))
        });
        let copies: Vec<_> = copies.collect();
        for (tree, copy) in copies {
            put(&copy?, tree).map_err(NotMapped::at(step(tree)))?;
        }
        Ok(())
    }

    fn step(tree: &Tree) -> String {
        format!("map the owner of {}", tree.path.to_string_lossy())
    }

    /// Copies the mounts at `tree`, the topmost with its owner mapped.
    fn copy(tree: &Tree, namespace: &OwnedFd) -> io::Result<OwnedFd> {
        let attributes = Attributes {
            set: MOUNT_ATTR_IDMAP,
            clear: 0,
            propagation: 0,
            user_namespace: u64::try_from(namespace.as_raw_fd()).map_err(io::Error::other)?,
        };
        let flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
        // SAFETY: the paths are strings that end with a NUL, and the structure is valid and its size given.
        unsafe {
            let copy = owned(libc::syscall(
                libc::SYS_open_tree,
                AT_CURRENT,
                tree.path.as_ptr(),
                flags,
            ))?;
            // Mounts below it stay as they are: not every file system can be mapped.
            checked(libc::syscall(
                libc::SYS_mount_setattr,
                libc::c_long::from(copy.as_raw_fd()),
                c"".as_ptr(),
                AT_EMPTY_PATH,
                &raw const attributes,
                size_of::<Attributes>(),
            ))?;
            Ok(copy)
        }
    }

    /// Mounts `copy` over `tree`.
    fn put(copy: &OwnedFd, tree: &Tree) -> io::Result<()> {
        // SAFETY: the paths are strings that end with a NUL.
        checked(unsafe {
            libc::syscall(
                libc::SYS_move_mount,
                libc::c_long::from(copy.as_raw_fd()),
                c"".as_ptr(),
                AT_CURRENT,
                tree.path.as_ptr(),
                MOVE_FROM_EMPTY_PATH,
            )
        })
        .map(drop)
    }

    /// Returns a user namespace in which `disk` is called what `seen` is called here, and the other way round.
    ///
    /// It takes a process to make one, which is gone at the end.
    fn mapping(disk: Owner, seen: Owner) -> io::Result<OwnedFd> {
        let (mut ready, says_ready) = io::pipe()?;
        let (stays, end) = io::pipe()?;
        // SAFETY: the calling process has one thread, so the child may do anything; it makes system calls only and ends
        // without running anything of its parent's.
        let child = unsafe { libc::fork() };
        if child == 0 {
            drop((ready, end));
            become_namespace(says_ready, stays);
        }
        if child == -1 {
            return Err(io::Error::last_os_error());
        }
        drop((says_ready, stays));
        let result = describe(child, &mut ready, disk, seen);
        drop(end);
        // SAFETY: the child ends because the pipe it reads from has ended; its status is of no interest.
        unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        result
    }

    /// The life of the process that makes a user namespace: says when it is there, or the error, and waits for its end.
    fn become_namespace(mut says_ready: io::PipeWriter, mut stays: io::PipeReader) -> ! {
        // SAFETY: takes a number; the process has one thread.
        let made = checked(unsafe { libc::unshare(libc::CLONE_NEWUSER) }.into());
        let errno = made.err().and_then(|error| error.raw_os_error());
        drop(says_ready.write_all(&errno.unwrap_or(0).to_le_bytes()));
        drop(stays.read(&mut [0]));
        // SAFETY: ends the process without running anything it inherited.
        unsafe { libc::_exit(0) }
    }

    /// Waits until `child` has its user namespace, gives that its meaning, and returns it.
    fn describe(
        child: libc::pid_t,
        ready: &mut io::PipeReader,
        disk: Owner,
        seen: Owner,
    ) -> io::Result<OwnedFd> {
        let mut errno = [0; 4];
        ready.read_exact(&mut errno)?;
        match i32::from_le_bytes(errno) {
            0 => {}
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
        let write = |name: &str, text: String| {
            let mut file = File::options()
                .write(true)
                .open(format!("/proc/{child}/{name}"))?;
            // In one piece: a mapping is written once.
            file.write_all(text.as_bytes())
        };
        write("uid_map", exchange(disk.user, seen.user))?;
        write("gid_map", exchange(disk.group, seen.group))?;
        Ok(File::open(format!("/proc/{child}/ns/user"))?.into())
    }

    /// Returns a mount namespace like that of the calling process in which [`map`] was done.
    ///
    /// The calling process, which must have one thread, is in its old one again.
    ///
    /// # Errors
    /// The step that failed. The caller is in its old namespace all the same, unless coming back is what failed.
    pub(crate) fn namespace(trees: &[Tree], user: Owner) -> Result<OwnedFd, NotMapped> {
        const OWN: &str = "/proc/thread-self/ns/mnt";
        let old = File::open(OWN).map_err(NotMapped::at("find its mounts"))?;
        // SAFETY: takes a number.
        checked(unsafe { libc::unshare(libc::CLONE_NEWNS) }.into())
            .map_err(NotMapped::at("make mounts of its own"))?;
        let made = isolate()
            .map_err(NotMapped::at("make mounts of its own"))
            .and_then(|()| map(trees, user))
            .and_then(|()| File::open(OWN).map_err(NotMapped::at("keep the mounts")));
        // SAFETY: takes a descriptor, which is open, and a number.
        checked(unsafe { libc::setns(old.as_raw_fd(), libc::CLONE_NEWNS) }.into())
            .map_err(NotMapped::at("go back to its mounts"))?;
        made.map(OwnedFd::from)
    }

    /// Keeps what is mounted from now on in the calling process's own namespace.
    fn isolate() -> io::Result<()> {
        // SAFETY: the path is a string that ends with a NUL; what else is passed is ignored or a number.
        checked(
            unsafe {
                libc::mount(
                    std::ptr::null(),
                    c"/".as_ptr(),
                    std::ptr::null(),
                    libc::MS_REC | libc::MS_SLAVE,
                    std::ptr::null(),
                )
            }
            .into(),
        )
        .map(drop)
    }
}

/// Answers that it is not supported.
#[cfg(not(target_os = "linux"))]
pub(crate) fn namespace(_trees: &[Tree], _user: Owner) -> Result<std::os::fd::OwnedFd, NotMapped> {
    Err(NotMapped::at("map the owners of directories")(
        io::ErrorKind::Unsupported.into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what `id` on disk looks like.
    fn seen(map: &str, id: u32) -> Vec<u32> {
        let lines = map.lines().filter_map(|line| {
            let numbers: Vec<u32> = line
                .split(' ')
                .map(|number| number.parse().unwrap())
                .collect();
            let [on_disk, as_seen, count] = numbers[..] else {
                panic!("{line}");
            };
            let offset = id.checked_sub(on_disk).filter(|offset| *offset < count)?;
            Some(as_seen + offset)
        });
        lines.collect()
    }

    #[test]
    fn a_mapping_exchanges_two_and_leaves_everybody_else_alone() {
        let last = u32::MAX - 1;
        for (disk, as_user) in [(0, 65_534), (1000, 0), (0, 1), (7, 7), (0, last), (last, 3)] {
            let map = exchange(disk, as_user);
            assert_eq!(seen(&map, disk), [as_user], "{map}");
            assert_eq!(seen(&map, as_user), [disk], "{map}");
            for other in [2, 5, 999, 65_533, 65_535, 1 << 31, last - 1] {
                assert_eq!(seen(&map, other), [other], "{map}");
            }
        }
    }
}
