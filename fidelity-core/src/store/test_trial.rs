//! A trial as the history of a test shows it.

use crate::domain::{Arm, Environment, Observation, PassEnd, Phase, Scope};

/// What is needed of a pass to understand one of its trials.
#[derive(Clone, Debug, PartialEq)]
pub struct PassSummary {
    /// Its number within the run.
    pub number: u32,
    /// Why it was made.
    pub phase: Phase,
    /// The arm.
    pub arm: Arm,
    /// What the tests ran among.
    pub scope: Scope,
    /// Multiplier of the time limit.
    pub timeout_factor: u32,
    /// How it ended; none if it was cut short.
    pub end: Option<PassEnd>,
}

/// A trial of a test, with the pass it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct TestTrial {
    /// The pass.
    pub pass: PassSummary,
    /// The knob values it ran under.
    pub environment: Environment,
    /// What was seen, output included.
    pub observation: Observation,
}
