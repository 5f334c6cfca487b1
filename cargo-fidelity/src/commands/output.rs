//! Where a command's words go: results to standard output, everything else to standard error.

use std::io::{self, Write};

use fidelity_core::domain::{Observation, PassRecord, PassSpec};
use fidelity_core::driver::Observer;
use fidelity_core::report::Style;
use fidelity_core::{domain::Environment, schedule};

use crate::cli::{Global, NoTests};
use crate::console::{self, Progress, color};
use crate::error::{CliError, ErrorKind};

/// Prints a result to standard output. A reader that went away is no error: `| head` is a way to look.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = anstream::stdout().lock();
    printed(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    )
}

/// Has a result written to standard output piece by piece, byte for byte: it may be too long to be held, and is no page.
pub fn print_with(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CliError> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    printed(write(&mut stdout).and_then(|()| stdout.flush()))
}

fn printed(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::new(ErrorKind::Internal, "could not print the result").caused_by(&error))
        }
        _ => Ok(()),
    }
}

/// Says something to be known at once, unless the user wants it quiet.
pub fn note(global: &Global, text: &str) {
    if !global.quiet {
        anstream::eprintln!("{}", fidelity_core::report::text::clean(text));
    }
}

/// Warns of something, however quiet the user wants it.
pub fn warn(text: &str) {
    anstream::eprintln!("warning: {}", fidelity_core::report::text::clean(text));
}

/// Says that there are no tests as the user wants it.
///
/// # Errors
/// It is to be an error.
pub fn no_tests(wanted: NoTests, error: CliError, global: &Global) -> Result<(), CliError> {
    match wanted {
        NoTests::Fail => return Err(error),
        NoTests::Warn => warn(&error.message),
        NoTests::Pass => note(global, &format!("note: {}", error.message)),
    }
    Ok(())
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
