//! What a test process is started with, and why one could not be.
//!
//! Values only, made before the process exists. Must not know: how it is started.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;

use super::super::sandbox::Confinement;
use super::super::seccomp::Instruction;
use super::string_list::StringList;

/// What to start: everything the child needs, made before it exists.
pub(crate) struct Launch<'a> {
    /// Program and arguments; the program is a path.
    pub(crate) arguments: &'a StringList,
    /// The whole environment.
    pub(crate) variables: &'a StringList,
    /// The working directory.
    pub(crate) directory: &'a CString,
    /// The mount namespace the child enters; none leaves it that of its parent.
    pub(crate) mounts: Option<BorrowedFd<'a>>,
    /// What is imposed on the child.
    pub(crate) confinement: &'a Confinement,
    /// The program that judges its system calls; empty for none.
    pub(crate) filter: &'a [Instruction],
    /// The CPUs the child may use; empty to leave them alone.
    pub(crate) cpus: &'a [usize],
    /// The child's standard input.
    pub(crate) stdin: Input<'a>,
    /// The control groups the child joins, open for new members.
    pub(crate) groups: &'a [File],
    /// The child's standard output.
    pub(crate) stdout: BorrowedFd<'a>,
    /// The child's standard error.
    pub(crate) stderr: BorrowedFd<'a>,
}

/// The standard input of a child.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// That of its parent.
    Inherited,
    /// None: the descriptor is not open.
    Closed,
    /// What this descriptor refers to.
    From(BorrowedFd<'a>),
}

/// A child that could not be started: the step that failed, and why.
#[derive(Debug)]
pub(crate) struct NotStarted {
    /// The step, as an infinitive.
    pub(crate) step: &'static str,
    /// The cause.
    pub(crate) error: io::Error,
}
