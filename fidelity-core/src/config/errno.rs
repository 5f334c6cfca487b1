//! The words of `errno.SYSCALL = "ENAME"`: the system calls that can be made to fail, and the errors they can fail with.
//!
//! Known on every system, so that a configuration reads the same everywhere. Must not know: how a call is made to fail.

/// The system calls a knob `errno.SYSCALL` can name, sorted.
///
/// A name stands for every variant of the call that the C library may use in its place: `rename` covers `renameat` and
/// `renameat2`, `accept` covers `accept4`. A variant named itself stands for that variant alone.
pub const SYSCALLS: &[&str] = &[
    "accept",
    "accept4",
    "bind",
    "chmod",
    "chown",
    "clone3",
    "connect",
    "copy_file_range",
    "epoll_create1",
    "eventfd2",
    "fallocate",
    "fchmod",
    "fchmodat",
    "fchown",
    "fchownat",
    "fdatasync",
    "flock",
    "fstatfs",
    "fsync",
    "ftruncate",
    "getdents64",
    "getpeername",
    "getrandom",
    "getsockname",
    "getsockopt",
    "getxattr",
    "inotify_add_watch",
    "inotify_init1",
    "io_uring_setup",
    "link",
    "linkat",
    "listen",
    "memfd_create",
    "mkdir",
    "mkdirat",
    "mlock",
    "msync",
    "open",
    "openat",
    "perf_event_open",
    "pidfd_open",
    "pipe2",
    "prlimit64",
    "pwrite64",
    "read",
    "readlink",
    "recvfrom",
    "recvmsg",
    "rename",
    "renameat",
    "renameat2",
    "rmdir",
    "sched_getaffinity",
    "sched_setaffinity",
    "sendfile",
    "sendmsg",
    "sendto",
    "setpriority",
    "setsockopt",
    "setxattr",
    "shutdown",
    "signalfd4",
    "socket",
    "socketpair",
    "splice",
    "statfs",
    "statx",
    "symlink",
    "symlinkat",
    "sync_file_range",
    "syncfs",
    "sysinfo",
    "timerfd_create",
    "truncate",
    "uname",
    "unlink",
    "unlinkat",
    "utimensat",
    "write",
];

/// The errors a system call can be made to fail with, by name, sorted; with the number Linux knows each by.
///
/// The numbers are those of every architecture on which calls can be made to fail (x86-64, ARM64, RISC-V).
pub const ERRNOS: &[(&str, i32)] = &[
    ("E2BIG", 7),
    ("EACCES", 13),
    ("EADDRINUSE", 98),
    ("EADDRNOTAVAIL", 99),
    ("EAFNOSUPPORT", 97),
    ("EAGAIN", 11),
    ("EALREADY", 114),
    ("EBADF", 9),
    ("EBUSY", 16),
    ("ECANCELED", 125),
    ("ECONNABORTED", 103),
    ("ECONNREFUSED", 111),
    ("ECONNRESET", 104),
    ("EDQUOT", 122),
    ("EEXIST", 17),
    ("EFBIG", 27),
    ("EHOSTDOWN", 112),
    ("EHOSTUNREACH", 113),
    ("EINPROGRESS", 115),
    ("EINTR", 4),
    ("EINVAL", 22),
    ("EIO", 5),
    ("EISCONN", 106),
    ("EISDIR", 21),
    ("ELOOP", 40),
    ("EMFILE", 24),
    ("EMLINK", 31),
    ("EMSGSIZE", 90),
    ("ENAMETOOLONG", 36),
    ("ENETDOWN", 100),
    ("ENETRESET", 102),
    ("ENETUNREACH", 101),
    ("ENFILE", 23),
    ("ENOBUFS", 105),
    ("ENODATA", 61),
    ("ENODEV", 19),
    ("ENOENT", 2),
    ("ENOLCK", 37),
    ("ENOMEM", 12),
    ("ENOSPC", 28),
    ("ENOSYS", 38),
    ("ENOTCONN", 107),
    ("ENOTDIR", 20),
    ("ENOTEMPTY", 39),
    ("ENOTSUP", 95),
    ("ENXIO", 6),
    ("EOPNOTSUPP", 95),
    ("EPERM", 1),
    ("EPIPE", 32),
    ("EPROTONOSUPPORT", 93),
    ("EROFS", 30),
    ("ESRCH", 3),
    ("ESTALE", 116),
    ("ETIMEDOUT", 110),
    ("ETXTBSY", 26),
    ("EXDEV", 18),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_are_sorted_and_name_nothing_twice() {
        assert!(SYSCALLS.is_sorted_by(|one, next| one < next));
        assert!(ERRNOS.is_sorted_by(|one, next| one.0 < next.0));
    }

    #[test]
    #[cfg(all(
        target_os = "linux",
        any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64"
        )
    ))]
    fn every_number_is_an_error_the_system_has_a_text_for() {
        for (name, number) in ERRNOS {
            let text = std::io::Error::from_raw_os_error(*number).to_string();
            assert!(!text.starts_with("Unknown error"), "{name}: {text}");
        }
        let known = |name: &str| ERRNOS.iter().find(|row| row.0 == name).map(|row| row.1);
        assert_eq!(known("ECONNREFUSED"), Some(libc::ECONNREFUSED));
        assert_eq!(known("EDQUOT"), Some(libc::EDQUOT));
        assert_eq!(known("EXDEV"), Some(libc::EXDEV));
    }
}
