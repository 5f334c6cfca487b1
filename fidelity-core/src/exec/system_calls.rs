//! The numbers of the system calls that can be refused, on the architectures on which they can.

use super::Call;

/// The flag by which `unlinkat` removes a directory.
const REMOVE_DIRECTORY: u32 = libc::AT_REMOVEDIR as u32;

/// Returns the calls that `name` stands for; none for a name that is not known.
pub(crate) fn of(name: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = legacy(name).iter().chain(modern(name)).map(all).collect();
    // One call for two: which of them is said by a flag.
    let removes = |value| Call {
        argument: Some((2, value)),
        ..all(&libc::SYS_unlinkat)
    };
    match name {
        "unlink" => calls.push(removes(0)),
        "rmdir" => calls.push(removes(REMOVE_DIRECTORY)),
        _ => {}
    }
    calls
}

/// Returns the call that makes a socket of IPv6.
pub(crate) fn inet6_socket() -> Option<Call> {
    Some(Call {
        argument: Some((0, libc::AF_INET6 as u32)),
        ..all(&libc::SYS_socket)
    })
}

fn all(number: &libc::c_long) -> Call {
    Call {
        number: u32::try_from(*number).unwrap_or(u32::MAX),
        argument: None,
    }
}

/// Calls that newer architectures do without.
#[cfg(target_arch = "x86_64")]
fn legacy(name: &str) -> &'static [libc::c_long] {
    match name {
        "chmod" => &[libc::SYS_chmod],
        "chown" => &[libc::SYS_chown, libc::SYS_lchown],
        "link" => &[libc::SYS_link],
        "mkdir" => &[libc::SYS_mkdir],
        "open" => &[libc::SYS_open, libc::SYS_creat],
        "readlink" => &[libc::SYS_readlink],
        "rename" => &[libc::SYS_rename, libc::SYS_renameat],
        "renameat" => &[libc::SYS_renameat],
        "rmdir" => &[libc::SYS_rmdir],
        "symlink" => &[libc::SYS_symlink],
        "unlink" => &[libc::SYS_unlink],
        _ => &[],
    }
}

/// See above.
#[cfg(target_arch = "aarch64")]
fn legacy(name: &str) -> &'static [libc::c_long] {
    match name {
        "rename" | "renameat" => &[libc::SYS_renameat],
        _ => &[],
    }
}

/// See above.
#[cfg(target_arch = "riscv64")]
fn legacy(name: &str) -> &'static [libc::c_long] {
    match name {
        // There is only the newest of them.
        "renameat" => &[libc::SYS_renameat2],
        _ => &[],
    }
}

/// Calls of every architecture.
fn modern(name: &str) -> &'static [libc::c_long] {
    match name {
        "chmod" => &[libc::SYS_fchmodat, libc::SYS_fchmodat2],
        "chown" | "fchownat" => &[libc::SYS_fchownat],
        "copy_file_range" => &[libc::SYS_copy_file_range],
        "fallocate" => &[libc::SYS_fallocate],
        "fchmod" => &[libc::SYS_fchmod],
        "fchmodat" => &[libc::SYS_fchmodat],
        "fchown" => &[libc::SYS_fchown],
        "fdatasync" => &[libc::SYS_fdatasync],
        "flock" => &[libc::SYS_flock],
        "fstatfs" => &[libc::SYS_fstatfs],
        "fsync" => &[libc::SYS_fsync],
        "ftruncate" => &[libc::SYS_ftruncate],
        "getdents64" => &[libc::SYS_getdents64],
        "getxattr" => &[libc::SYS_getxattr],
        "inotify_add_watch" => &[libc::SYS_inotify_add_watch],
        "inotify_init1" => &[libc::SYS_inotify_init1],
        "link" | "linkat" => &[libc::SYS_linkat],
        "mkdir" | "mkdirat" => &[libc::SYS_mkdirat],
        "msync" => &[libc::SYS_msync],
        "open" => &[libc::SYS_openat, libc::SYS_openat2],
        "openat" => &[libc::SYS_openat],
        "pwrite64" => &[libc::SYS_pwrite64],
        "read" => &[libc::SYS_read],
        "readlink" => &[libc::SYS_readlinkat],
        "rename" | "renameat2" => &[libc::SYS_renameat2],
        "setxattr" => &[libc::SYS_setxattr],
        "splice" => &[libc::SYS_splice],
        "statfs" => &[libc::SYS_statfs],
        "statx" => &[libc::SYS_statx],
        "symlink" | "symlinkat" => &[libc::SYS_symlinkat],
        "sync_file_range" => &[libc::SYS_sync_file_range],
        "syncfs" => &[libc::SYS_syncfs],
        "truncate" => &[libc::SYS_truncate],
        "unlinkat" => &[libc::SYS_unlinkat],
        "utimensat" => &[libc::SYS_utimensat],
        "write" => &[libc::SYS_write],
        _ => no_file(name),
    }
}

/// Calls that are about no file.
fn no_file(name: &str) -> &'static [libc::c_long] {
    match name {
        "accept" => &[libc::SYS_accept, libc::SYS_accept4],
        "accept4" => &[libc::SYS_accept4],
        "bind" => &[libc::SYS_bind],
        "clone3" => &[libc::SYS_clone3],
        "connect" => &[libc::SYS_connect],
        "epoll_create1" => &[libc::SYS_epoll_create1],
        "eventfd2" => &[libc::SYS_eventfd2],
        "getpeername" => &[libc::SYS_getpeername],
        "getrandom" => &[libc::SYS_getrandom],
        "getsockname" => &[libc::SYS_getsockname],
        "getsockopt" => &[libc::SYS_getsockopt],
        "io_uring_setup" => &[libc::SYS_io_uring_setup],
        "listen" => &[libc::SYS_listen],
        "memfd_create" => &[libc::SYS_memfd_create],
        "mlock" => &[libc::SYS_mlock],
        "perf_event_open" => &[libc::SYS_perf_event_open],
        "pidfd_open" => &[libc::SYS_pidfd_open],
        "pipe2" => &[libc::SYS_pipe2],
        "prlimit64" => &[libc::SYS_prlimit64],
        "recvfrom" => &[libc::SYS_recvfrom],
        "recvmsg" => &[libc::SYS_recvmsg],
        "sched_getaffinity" => &[libc::SYS_sched_getaffinity],
        "sched_setaffinity" => &[libc::SYS_sched_setaffinity],
        "sendfile" => &[libc::SYS_sendfile],
        "sendmsg" => &[libc::SYS_sendmsg],
        "sendto" => &[libc::SYS_sendto],
        "setpriority" => &[libc::SYS_setpriority],
        "setsockopt" => &[libc::SYS_setsockopt],
        "shutdown" => &[libc::SYS_shutdown],
        "signalfd4" => &[libc::SYS_signalfd4],
        "socket" => &[libc::SYS_socket],
        "socketpair" => &[libc::SYS_socketpair],
        "sysinfo" => &[libc::SYS_sysinfo],
        "timerfd_create" => &[libc::SYS_timerfd_create],
        "uname" => &[libc::SYS_uname],
        _ => &[],
    }
}
