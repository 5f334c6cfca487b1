//! Stages on systems without Linux namespaces: there are none.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::process::ExitCode;

use super::{NoStage, Part, Plan};
use crate::exec::ExecError;

/// Ends at once: nothing starts a keeper here.
pub fn main() -> ExitCode {
    ExitCode::FAILURE
}

/// Refuses: nobody has a stage to enter here.
pub(crate) fn enter(_pid: &str, _names: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A stage, of which there are none.
#[derive(Debug)]
pub(crate) enum Stage {}

impl Stage {
    /// Answers that it is not supported.
    pub(crate) fn open(
        _helper: &Path,
        _run_directory: &Path,
        _plan: &Plan,
    ) -> Result<Result<Self, NoStage>, ExecError> {
        Ok(Err(NoStage {
            part: Part::Whole,
            reason: "not supported here: needs Linux namespaces".to_owned(),
        }))
    }

    /// See the Linux version.
    pub(crate) fn entry(&self) -> &[String; 2] {
        match *self {}
    }

    /// See the Linux version.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        match *self {}
    }
}
