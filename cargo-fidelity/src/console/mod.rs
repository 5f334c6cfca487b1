//! What the user sees while a run goes on: bars on a terminal, plain lines otherwise, always on standard error.
//! Results go to standard output and are none of this module's business.
//!
//! [`status`] knows what is going on and puts it into words; [`bars`] and [`lines`] decide when to show what.
//! [`color`] decides about colours and widths.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use fidelity_core::domain::{KnobStatus, ListedTest, Observation, PassEnd, PassSpec};
use fidelity_core::schedule;

mod bars;
pub mod color;
mod lines;
mod status;

pub use bars::Bars;
pub use lines::Lines;

/// Something that follows a run. Every call returns at once: nothing is slowed down by being watched.
pub trait Progress {
    /// Cargo starts to build; it shows its own messages meanwhile.
    fn build_started(&mut self);
    /// The suite is built and listed.
    fn built(&mut self, suite: &BuiltSuite<'_>);
    /// Every knob was tried.
    fn knobs_checked(&mut self, knobs: &[KnobStatus]);
    /// A pass starts.
    fn pass_started(&mut self, spec: &PassSpec, progress: &schedule::Progress);
    /// A trial of the pass ended.
    fn trial(&mut self, observation: &Observation);
    /// The pass ended.
    fn pass_ended(&mut self, end: &PassEnd, progress: &schedule::Progress);
    /// Something to be known at once.
    fn note(&mut self, message: &str);
    /// The run is over; whatever was shown for the moment is taken away.
    fn finished(&mut self);
}

/// What a console has to know of a suite.
#[derive(Clone, Copy, Debug)]
pub struct BuiltSuite<'a> {
    /// The tests, as observations point into them.
    pub tests: &'a [ListedTest],
    /// Number of test binaries.
    pub binaries: usize,
    /// The name of the baseline's fidelity profile.
    pub baseline: &'a str,
    /// The name of the target's fidelity profile.
    pub target: &'a str,
}

/// Says how long it is since the console came up.
pub type Clock = Box<dyn Fn() -> Duration>;

/// Returns the console for standard error: bars where it is a terminal that can move its cursor, lines otherwise,
/// nothing where the user wants it quiet.
pub fn progress(quiet: bool) -> Box<dyn Progress> {
    let started = Instant::now();
    let clock: Clock = Box::new(move || started.elapsed());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if quiet {
        Box::new(Silent)
    } else if std::io::stderr().is_terminal() && !dumb {
        Box::new(Bars::stderr(clock))
    } else {
        Box::new(Lines::new(Box::new(std::io::stderr()), clock))
    }
}

/// Shows nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn build_started(&mut self) {}
    fn built(&mut self, _: &BuiltSuite<'_>) {}
    fn knobs_checked(&mut self, _: &[KnobStatus]) {}
    fn pass_started(&mut self, _: &PassSpec, _: &schedule::Progress) {}
    fn trial(&mut self, _: &Observation) {}
    fn pass_ended(&mut self, _: &PassEnd, _: &schedule::Progress) {}
    fn note(&mut self, _: &str) {}
    fn finished(&mut self) {}
}

#[cfg(test)]
mod tests;
