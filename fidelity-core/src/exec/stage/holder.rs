//! The holder: the process inside a stage, which makes it and keeps it alive.
//!
//! With processes of its own the stage needs a first process, below which everything else lives: then the holder
//! splits, and the inner one does the rest. Must not know: the tool, guardians. Invariant: it dies with its keeper.

use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;

use serde::{Deserialize, Serialize};

use super::plan::{Network, Part, Plan};
use super::{calls, mounts, network};
use crate::exec::sys::{self, Pid};

/// Whose privileges the namespaces are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Means {
    /// Those of the tool.
    Own,
    /// Those everybody has in a user namespace of their own.
    UserNamespace,
}

/// A step that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    pub(super) part: Part,
    /// An infinitive.
    pub(super) step: String,
    pub(super) errno: i32,
    pub(super) means: Means,
}

/// What is made, and where it can be entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    /// The process inside, as processes outside count.
    pub(super) pid: Pid,
    /// The names of its namespaces below `/proc/PID/ns`, in the order to enter them.
    pub(super) namespaces: Vec<String>,
}

/// A running holder.
pub(super) struct Holder {
    pid: Pid,
    pub(super) made: Made,
}

impl Holder {
    /// Starts a holder that makes `plan`. The inner error is the step that failed; then nothing is left of it.
    pub(super) fn start(plan: &Plan, means: Means) -> io::Result<Result<Self, Failed>> {
        let (mut reader, writer) = io::pipe()?;
        let keeper = sys::own_pid();
        let Some(pid) = calls::fork()? else {
            drop(reader);
            live(plan, means, keeper, writer);
        };
        drop(writer);
        let mut answer = Vec::new();
        reader.read_to_end(&mut answer)?;
        let made = match serde_json::from_slice::<Result<Made, Failed>>(&answer) {
            Ok(Ok(made)) => made,
            Ok(Err(failed)) => {
                drop(sys::reap(pid));
                return Ok(Err(failed));
            }
            Err(_) => {
                drop(sys::kill(pid, libc::SIGKILL));
                drop(sys::reap(pid));
                return Err(io::Error::other("the process inside was lost"));
            }
        };
        Ok(Ok(Self { pid, made }))
    }

    /// Ends the process inside and waits for it, and with processes of its own for all of them.
    pub(super) fn end(self) {
        drop(sys::kill(self.made.pid, libc::SIGKILL));
        drop(sys::reap(self.pid));
    }
}

/// The whole life of a holder.
fn live(plan: &Plan, means: Means, keeper: Pid, writer: PipeWriter) -> ! {
    let made = calls::die_with_parent()
        .map_err(|error| failure(Part::Whole, means, "stay with its keeper", &error))
        .and_then(|()| {
            if calls::parent() != keeper {
                calls::leave(1);
            }
            separate(plan, means)
        });
    match made {
        Ok(()) if plan.own_pids => split(plan, means, writer),
        Ok(()) => {
            let made = furnish(plan, means);
            stay(made, writer)
        }
        Err(failed) => stay(Err(failed), writer),
    }
}

/// Starts the first process of a PID namespace and waits for its end.
fn split(plan: &Plan, means: Means, writer: PipeWriter) -> ! {
    match calls::fork() {
        Ok(None) => {
            let made = calls::die_with_parent()
                .map_err(|error| failure(Part::Pids, means, "stay with its keeper", &error))
                .and_then(|()| furnish(plan, means));
            stay(made, writer)
        }
        Ok(Some(first)) => {
            drop(writer);
            drop(sys::reap(first));
            calls::leave(0)
        }
        Err(error) => {
            let failed = failure(Part::Pids, means, "start the first process", &error);
            stay(Err(failed), writer)
        }
    }
}

/// Says how it went, and stays if it went well. If nobody hears it, the keeper is gone.
fn stay(made: Result<Made, Failed>, mut writer: PipeWriter) -> ! {
    let failed = made.is_err();
    let said = serde_json::to_vec(&made).map(|answer| writer.write_all(&answer));
    drop(OwnedFd::from(writer));
    if failed || !matches!(said, Ok(Ok(()))) {
        calls::leave(1);
    }
    // The orphans of a PID namespace come to its first process.
    calls::reap_nothing();
    loop {
        calls::pause();
    }
}

/// Leaves the namespaces outside.
fn separate(plan: &Plan, means: Means) -> Result<(), Failed> {
    if means == Means::UserNamespace {
        let fail = |step| move |error: io::Error| failure(Part::Whole, means, step, &error);
        calls::unshare(libc::CLONE_NEWUSER).map_err(fail("make a user namespace"))?;
        keep_identity().map_err(fail("keep its user in a user namespace"))?;
        // Another identity takes away what was asked for before.
        calls::die_with_parent().map_err(fail("stay with its keeper"))?;
    }
    let wanted = [
        (
            plan.own_pids,
            libc::CLONE_NEWPID,
            Part::Pids,
            "make a PID namespace",
        ),
        (
            plan.needs_network(),
            libc::CLONE_NEWNET,
            Part::Network,
            "make a network namespace",
        ),
        (
            plan.hostname.is_some(),
            libc::CLONE_NEWUTS,
            Part::Hostname,
            "make a UTS namespace",
        ),
        (
            plan.needs_mounts(),
            libc::CLONE_NEWNS,
            Part::Mounts,
            "make a mount namespace",
        ),
    ];
    for (_, kind, part, step) in wanted.into_iter().filter(|row| row.0) {
        calls::unshare(kind).map_err(|error| failure(part, means, step, &error))?;
    }
    Ok(())
}

/// Maps the own user and group to themselves, which is what everybody may do.
fn keep_identity() -> io::Result<()> {
    let (user, group) = calls::user_and_group();
    match std::fs::write("/proc/self/setgroups", "deny") {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

/// Makes what the plan asks for inside the namespaces.
fn furnish(plan: &Plan, means: Means) -> Result<Made, Failed> {
    let fail = |part, step| move |error: io::Error| failure(part, means, step, &error);
    // As the others count: before /proc shows other processes.
    let pid = outer_pid().map_err(fail(Part::Whole, "find its process id in /proc"))?;
    if plan.ports.is_some() || plan.network == Some(Network::Loopback) {
        network::bring_loopback_up()
            .map_err(fail(Part::Loopback, "bring the loopback interface up"))?;
    }
    if let Some(count) = plan.ports {
        let step = "write /proc/sys/net/ipv4/ip_local_port_range";
        network::limit_ports(count).map_err(fail(Part::Ports, step))?;
    }
    if let Some(name) = &plan.hostname {
        calls::set_hostname(name).map_err(fail(Part::Hostname, "set the host name"))?;
    }
    if plan.needs_mounts() {
        mounts::keep_to_itself().map_err(fail(Part::Mounts, "make its mounts private"))?;
    }
    if plan.own_pids {
        mounts::mount_proc().map_err(fail(Part::Pids, "mount /proc"))?;
        mounts::mount_shared_memory().map_err(fail(Part::Pids, "mount /dev/shm"))?;
    }
    if let Some(writable) = &plan.read_only_but {
        let step = "make the file system read-only";
        mounts::make_all_read_only_but(writable).map_err(fail(Part::Filesystem, step))?;
    }
    if let Some(room) = &plan.room {
        let step = "mount a file system in memory at the temporary directory";
        mounts::mount_room(room).map_err(fail(Part::Room, step))?;
    }
    if let Some(directory) = &plan.read_only {
        let step = "mount the home directory read-only";
        mounts::make_read_only(directory).map_err(fail(Part::ReadOnly, step))?;
    }
    Ok(Made {
        pid,
        namespaces: names(plan, means),
    })
}

/// Returns the names of the namespaces that are not those outside. Entering the first gives the right to the others.
fn names(plan: &Plan, means: Means) -> Vec<String> {
    let all = [
        (means == Means::UserNamespace, "user"),
        (plan.needs_network(), "net"),
        (plan.hostname.is_some(), "uts"),
        (plan.own_pids, "pid"),
        (plan.needs_mounts(), "mnt"),
    ];
    all.into_iter()
        .filter(|row| row.0)
        .map(|row| row.1.to_owned())
        .collect()
}

/// Returns the id of the calling process in the namespace that /proc still shows.
fn outer_pid() -> io::Result<Pid> {
    let link = std::fs::read_link("/proc/self")?;
    let pid = link.to_str().and_then(|pid| pid.parse().ok());
    pid.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn failure(part: Part, means: Means, step: &str, error: &io::Error) -> Failed {
    Failed {
        part,
        step: step.to_owned(),
        errno: error.raw_os_error().unwrap_or(0),
        means,
    }
}
