//! Load: threads that keep CPUs busy beside the tests of a pass.
//!
//! They live in a process of their own, which the tool starts for the passes of an arm and ends with them. That
//! process is no descendant of a guardian, so it never takes part in what a trial is confined to. It ends when the tool
//! ends, however that happens: the kernel kills it with the thread that started it, and the socket between them breaks.
//! Must not know: tests, arms, knobs.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::guardian::protocol;
use super::sys;

mod generator;
mod held;
mod shape;

pub(crate) use held::Load;
pub(crate) use shape::{LoadPlan, LoadShape, Spread};

/// The first argument that makes the executable a load generator.
pub const ARGUMENT: &str = "__load";

/// What a load generator says once, when it has set itself up.
#[derive(Debug, Serialize, Deserialize)]
enum Word {
    /// Every thread runs.
    Running,
    /// It could not; the reason.
    Unable(String),
}

/// The whole life of a load generator. The program calls this before anything else if its first argument is
/// [`ARGUMENT`].
///
/// Arguments after it: the process id of the tool, the plan. It ends with its standard input.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(2);
    let parent = arguments.next().and_then(|pid| pid.parse().ok());
    let plan = arguments.next().map(|plan| serde_json::from_str(&plan));
    let (Some(parent), Some(Ok(plan))) = (parent, plan) else {
        return ExitCode::FAILURE;
    };
    if !sys::die_with(parent) {
        return ExitCode::FAILURE;
    }
    let Ok(mut tool) = sys::duplicate_stdin().map(UnixStream::from) else {
        return ExitCode::FAILURE;
    };
    let word = match begin(&plan) {
        Ok(()) => Word::Running,
        Err(error) => Word::Unable(error.to_string()),
    };
    if protocol::send(&mut tool, &word, b"").is_err() || matches!(word, Word::Unable(_)) {
        return ExitCode::FAILURE;
    }
    // The tool says nothing: this waits for its end.
    let mut nothing = [0_u8; 1];
    while matches!(tool.read(&mut nothing), Ok(length) if length > 0) {}
    ExitCode::SUCCESS
}

fn begin(plan: &LoadPlan) -> std::io::Result<()> {
    // What a terminal sends to the tool's group does not concern it.
    sys::new_session()?;
    generator::start(plan)
}
