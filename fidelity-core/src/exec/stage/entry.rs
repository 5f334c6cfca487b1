//! Entering a stage: what a guardian does before it says that it is ready.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use super::calls;
use crate::exec::sys::{self, Status};

/// Enters the namespaces `names` (separated by commas) of process `pid`. Goes on inside; returns only there.
///
/// A PID namespace is for children only: the caller then splits, and the outer one waits and ends as the inner one does.
///
/// # Errors
/// What stopped it, for people.
pub(crate) fn enter(pid: &str, names: &str) -> io::Result<()> {
    let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
    let said = |name: &str, error: &io::Error| {
        let text = format!("could not enter the {name} namespace of the pass: {error}");
        io::Error::new(error.kind(), text)
    };
    let mut namespaces = Vec::new();
    for &name in &names {
        let namespace = File::open(format!("/proc/{pid}/ns/{name}"));
        namespaces.push((name, namespace.map_err(|error| said(name, &error))?));
    }
    for (name, namespace) in &namespaces {
        calls::enter(namespace.as_fd()).map_err(|error| said(name, &error))?;
    }
    drop(namespaces);
    if names.contains(&"pid") {
        // In a session of its own already now, where a Ctrl-C does not reach it.
        sys::new_session()?;
        if let Some(inner) = calls::fork()? {
            wait_for(inner);
        }
        calls::die_with_parent()?;
    }
    Ok(())
}

/// Ends as the process `inner` does.
fn wait_for(inner: sys::Pid) -> ! {
    match sys::reap(inner) {
        Ok(Status::Exited(status)) => calls::leave(status),
        Ok(Status::Signalled(signal)) => calls::leave(128 + signal),
        Err(_) => calls::leave(1),
    }
}
