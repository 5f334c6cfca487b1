//! Where a command's words go: results to standard output, everything else to standard error.

use std::io::{self, Write};

use fidelity_core::domain::{Observation, PassRecord, PassSpec};
use fidelity_core::driver::Observer;
use fidelity_core::report::Style;
use fidelity_core::{domain::Environment, schedule};

use crate::cli::Global;
use crate::console::{self, Progress, color};
use crate::error::{CliError, ErrorKind};

/// Prints a result to standard output. A reader that went away is no error: `| head` is a way to look.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = anstream::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::new(ErrorKind::Internal, "could not print the result").caused_by(&error))
        }
        _ => Ok(()),
    }
}

/// Returns how to lay out a page.
pub fn style(global: &Global) -> Style {
    color::page_style(global.verbose, global.quiet)
}

/// Tells the console how a run goes on.
pub struct Follower(Box<dyn Progress>);

impl Follower {
    /// Returns the console of a run.
    pub fn new(global: &Global) -> Self {
        Self(console::progress(global.quiet))
    }

    /// Returns the console itself, for what is no pass.
    pub fn console(&mut self) -> &mut dyn Progress {
        self.0.as_mut()
    }
}

impl Observer for Follower {
    fn pass_started(&mut self, spec: &PassSpec, _: &Environment, progress: &schedule::Progress) {
        self.0.pass_started(spec, progress);
    }

    fn trial(&mut self, observation: &Observation) {
        self.0.trial(observation);
    }

    fn pass_ended(&mut self, pass: &PassRecord, progress: &schedule::Progress) {
        if let Some((end, _)) = &pass.end {
            self.0.pass_ended(end, progress);
        }
    }
}
