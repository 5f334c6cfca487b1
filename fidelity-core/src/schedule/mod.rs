//! The sampler: which pass to make next. A state machine without IO: [`Scheduler::next`] says what to execute,
//! [`Scheduler::record`] takes what was seen.

use crate::domain::{PassSpec, StopReason};

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Execute this pass and record it.
    Pass(PassSpec),
    /// Stop: nothing is left to decide within the policy.
    Done(StopReason),
}

/// How far a run is, for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Completed passes.
    pub passes: u32,
    /// Passes still to come at about this many (screening exactly, focus by expectation).
    pub passes_left: u32,
    /// Suspects so far.
    pub suspects: u32,
    /// Suspects that are decided or given up.
    pub settled: u32,
    /// Wall time still needed at about this many milliseconds, from the durations seen.
    pub left_ms: u64,
}
