//! Starting one test process: the few instructions between `clone` and `exec`.
//!
//! The child shares the guardian's memory until it executes the test binary (as `vfork` does), which spares the copy
//! of the address space that makes `fork` slow; between the two it makes system calls only, and allocates nothing.
//! Must not know: tests, messages, outcomes.
#![expect(
    unsafe_code,
    reason = "a child is started and its environment imposed by raw system calls"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::super::sandbox::{Confinement, Identity};
use super::super::seccomp::Instruction;
use super::super::sys::{self, Pid};
use super::launch::{Input, Launch, NotStarted};

/// The step of joining the control groups.
pub(super) const JOIN: &str = "join its control group";

/// What the child works on, and where it says why it failed.
struct Task<'a> {
    launch: &'a Launch<'a>,
    #[cfg(target_os = "linux")]
    cpus: libc::cpu_set_t,
    #[cfg(target_os = "linux")]
    parent: Pid,
    failure: Option<(&'static str, libc::c_int)>,
}

/// Starts the child in a process group of its own and returns its id.
///
/// Descriptors 0 to 2 are what the launch says, all others must be closed on `exec`.
pub(crate) fn start(launch: &Launch<'_>) -> Result<Pid, NotStarted> {
    let mut task = Task {
        launch,
        #[cfg(target_os = "linux")]
        cpus: cpu_set(launch.cpus),
        #[cfg(target_os = "linux")]
        parent: sys::own_pid(),
        failure: None,
    };
    // SAFETY: the sets are initialised before they are used. Signals are blocked while two processes share this
    // memory, so that no handler runs in the child.
    let result = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let result = split(&mut task);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        result
    };
    let pid = result.map_err(|error| NotStarted {
        step: "start a process",
        error,
    })?;
    match task.failure {
        None => Ok(pid),
        Some((step, errno)) => {
            drop(sys::reap(pid));
            Err(NotStarted {
                step,
                error: io::Error::from_raw_os_error(errno),
            })
        }
    }
}

/// Makes the child. On Linux the parent is halted until the child has executed its program or ended.
///
/// # Safety
/// Signals must be blocked.
#[cfg(target_os = "linux")]
unsafe fn split(task: &mut Task<'_>) -> io::Result<Pid> {
    const STACK: usize = 64 * 1024;
    let mut stack: Vec<u128> = Vec::with_capacity(STACK / 16);
    // SAFETY: the stack grows down from one past the end of an allocation that is aligned to 16 bytes and lives until
    // the child no longer uses it, because CLONE_VFORK halts this thread until then. `task` does as well.
    unsafe {
        let top = stack.as_mut_ptr().add(STACK / 16);
        let pid = libc::clone(
            child,
            top.cast(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
            std::ptr::from_mut(task).cast(),
        );
        if pid == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(pid)
    }
}

/// Makes the child. Where memory is not shared, a failing child can only end with status 127.
///
/// # Safety
/// Signals must be blocked.
#[cfg(not(target_os = "linux"))]
unsafe fn split(task: &mut Task<'_>) -> io::Result<Pid> {
    // SAFETY: the process has one thread, so the child may do anything; it makes system calls only.
    unsafe {
        match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                child(std::ptr::from_mut(task).cast());
                libc::_exit(127)
            }
            pid => Ok(pid),
        }
    }
}

/// The child's life before `exec`. Returns only to end with status 127.
extern "C" fn child(task: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `task` is the structure `start` made, which nobody else touches while the child runs.
    let task = unsafe { &mut *task.cast::<Task<'_>>() };
    let step = prepare(task);
    // SAFETY: the pointers are valid, ended by a null pointer, and stay so because the parent is halted.
    let step = step.unwrap_or_else(|| unsafe {
        let launch = task.launch;
        libc::execve(
            launch.arguments.as_pointers()[0],
            launch.arguments.as_pointers().as_ptr(),
            launch.variables.as_pointers().as_ptr(),
        );
        "execute it"
    });
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    task.failure = Some((step, errno));
    // SAFETY: ends the child without running anything of the process it shares its memory with.
    unsafe { libc::_exit(127) }
}

/// Imposes the environment on the calling child. Returns the step that failed.
fn prepare(task: &Task<'_>) -> Option<&'static str> {
    let launch = task.launch;
    let confinement = launch.confinement;
    // SAFETY: async-signal-safe calls on numbers and on structures that are valid because the parent is halted.
    unsafe {
        for signal in sys::HEARD {
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        if confinement.ignore_file_size_signal {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        }
        if let Some(step) = enter_mounts(launch.mounts).or_else(|| separate(confinement)) {
            return Some(step);
        }
        die_with_parent(task);
        // Before anything that takes away the right to.
        for group in launch.groups {
            if libc::write(group.as_raw_fd(), c"0".as_ptr().cast(), 1) != 1 {
                return Some(JOIN);
            }
        }
        if let Some(step) = connect(launch) {
            return Some(step);
        }
        if let Some(mask) = confinement.umask {
            libc::umask(mask as libc::mode_t);
        }
        if let Some(niceness) = confinement.nice
            && libc::setpriority(libc::PRIO_PROCESS, 0, niceness) == -1
        {
            return Some("set its niceness");
        }
        if let Some(step) = confine_cpus(task).or_else(|| confine_resources(confinement)) {
            return Some(step);
        }
        // After everything that takes privileges.
        if let Some(identity) = &confinement.identity {
            if let Some(step) = become_user(identity) {
                return Some(step);
            }
            // The kernel forgets it when the user changes.
            die_with_parent(task);
        }
        if libc::chdir(launch.directory.as_ptr()) == -1 {
            return Some("enter its working directory");
        }
        #[cfg(target_os = "linux")]
        if let Some(slack) = confinement.timer_slack_ns
            && libc::prctl(libc::PR_SET_TIMERSLACK, slack as libc::c_ulong) == -1
        {
            return Some("set the slack of its timers");
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
    // Last of all: it may refuse what the steps before need.
    filter_calls(launch.filter)
}

/// Has the system calls of the calling child judged by a program, for good, and takes away its right to gain
/// privileges, without which the kernel does not let an ordinary user do so.
#[cfg(target_os = "linux")]
fn filter_calls(filter: &[Instruction]) -> Option<&'static str> {
    if filter.is_empty() {
        return None;
    }
    let program = libc::sock_fprog {
        len: filter.len() as libc::c_ushort,
        filter: filter.as_ptr().cast_mut().cast(),
    };
    // SAFETY: the instructions are laid out as the kernel's, it only reads them, and their number is given.
    let result = unsafe {
        let (yes, no): (libc::c_ulong, libc::c_ulong) = (1, 0);
        match libc::prctl(libc::PR_SET_NO_NEW_PRIVS, yes, no, no, no) {
            0 => libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::c_ulong::from(libc::SECCOMP_MODE_FILTER),
                &raw const program,
            ),
            failed => failed,
        }
    };
    (result != 0).then_some("filter its system calls")
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
fn filter_calls(filter: &[Instruction]) -> Option<&'static str> {
    (!filter.is_empty()).then_some("filter its system calls")
}

/// Has the calling child killed when its parent ends, and ends it if that has happened.
#[cfg(target_os = "linux")]
fn die_with_parent(task: &Task<'_>) {
    // SAFETY: the calls take numbers, or nothing; _exit runs nothing of the process whose memory is shared.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != task.parent {
            libc::_exit(127);
        }
    }
}

/// There is no such thing here.
#[cfg(not(target_os = "linux"))]
fn die_with_parent(_task: &Task<'_>) {}

/// Brings the calling child into the mount namespace `mounts`.
#[cfg(target_os = "linux")]
fn enter_mounts(mounts: Option<BorrowedFd<'_>>) -> Option<&'static str> {
    let mounts = mounts?;
    // SAFETY: takes a descriptor, which is open because the parent is halted, and a number. The child shares memory with
    // its parent, but not what it knows of directories, which the call asks for.
    let result = unsafe { libc::setns(mounts.as_raw_fd(), libc::CLONE_NEWNS) };
    (result == -1).then_some("enter its mounts")
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
fn enter_mounts(mounts: Option<BorrowedFd<'_>>) -> Option<&'static str> {
    mounts.map(|_| "enter its mounts")
}

/// Makes the calling child another user for good.
fn become_user(identity: &Identity) -> Option<&'static str> {
    let (count, groups) = (identity.groups.len(), identity.groups.as_ptr());
    // SAFETY: the list holds as many numbers as are said. The C library would do this to every thread of the process: there
    // is one.
    unsafe {
        if libc::setgroups(count as _, groups.cast()) == -1 {
            return Some("take its groups");
        }
        if libc::setgid(identity.owner.group) == -1 {
            return Some("take its group");
        }
        (libc::setuid(identity.owner.user) == -1).then_some("become its user")
    }
}

/// Gives the calling child a process group of its own, as the leader of a session where it is to have a terminal.
fn separate(confinement: &Confinement) -> Option<&'static str> {
    // SAFETY: both calls take numbers, or nothing.
    unsafe {
        if confinement.terminal {
            return (libc::setsid() == -1).then_some("make a session");
        }
        (libc::setpgid(0, 0) == -1).then_some("make a process group")
    }
}

/// Connects descriptors 0 to 2 of the calling child.
fn connect(launch: &Launch<'_>) -> Option<&'static str> {
    // SAFETY: descriptors are passed by number and are open because the parent is halted, which has tables of its own.
    unsafe {
        match launch.stdin {
            Input::Inherited => {}
            Input::Closed => {
                libc::close(0);
            }
            Input::From(stdin) => {
                if libc::dup2(stdin.as_raw_fd(), 0) == -1 {
                    return Some("connect its input");
                }
            }
        }
        if libc::dup2(launch.stdout.as_raw_fd(), 1) == -1
            || libc::dup2(launch.stderr.as_raw_fd(), 2) == -1
        {
            return Some("connect its output");
        }
        if launch.confinement.terminal && libc::ioctl(0, libc::TIOCSCTTY as _, 0) == -1 {
            return Some("make the terminal its own");
        }
    }
    None
}

/// Restricts the calling child to the CPUs of its launch.
#[cfg(target_os = "linux")]
fn confine_cpus(task: &Task<'_>) -> Option<&'static str> {
    if task.launch.cpus.is_empty() {
        return None;
    }
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: the set is valid and its size is given.
    let result = unsafe { libc::sched_setaffinity(0, size, &raw const task.cpus) };
    (result == -1).then_some("set its CPUs")
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
fn confine_cpus(task: &Task<'_>) -> Option<&'static str> {
    (!task.launch.cpus.is_empty()).then_some("set its CPUs")
}

/// Sets the resource limits of the calling child.
fn confine_resources(confinement: &Confinement) -> Option<&'static str> {
    for limit in &confinement.limits {
        let value = libc::rlimit {
            rlim_cur: limit.value as libc::rlim_t,
            rlim_max: limit.value as libc::rlim_t,
        };
        // SAFETY: the structure is valid; an unknown resource is refused by the system.
        if unsafe { libc::setrlimit(limit.resource.number() as _, &raw const value) } == -1 {
            return Some(limit.resource.step());
        }
    }
    None
}

/// Returns `cpus` as a set.
#[cfg(target_os = "linux")]
fn cpu_set(cpus: &[usize]) -> libc::cpu_set_t {
    // SAFETY: an all-zero set is the empty set; CPU_SET stays within it because of the filter.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let capacity = 8 * size_of::<libc::cpu_set_t>();
        for &cpu in cpus.iter().filter(|&&cpu| cpu < capacity) {
            libc::CPU_SET(cpu, &mut set);
        }
        set
    }
}
