//! What this machine has of its own of the knobs that an audit looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use fidelity_core::domain::{KnobId, KnobValue};
use fidelity_core::exec::ExecError;
use fidelity_core::exec::direct::{RunnerOptions, Trier};
use fidelity_core::suite::Suite;

use crate::error::CliError;

/// Returns what tests have on this machine, where no arm imposes anything, of these knobs: what a process that is started as
/// they are sees, and the variables that cargo gives them. What cannot be told is left out.
pub fn of(
    knobs: &BTreeSet<KnobId>,
    suite: &Suite,
) -> Result<BTreeMap<KnobId, KnobValue>, CliError> {
    let variables = knobs.iter().filter_map(|knob| {
        let value = variable(suite, knob.variable()?);
        Some((knob.clone(), value.without_users()))
    });
    let mut here: BTreeMap<KnobId, KnobValue> = variables.collect();
    if here.len() < knobs.len() {
        let own = seen()?.into_iter();
        here.extend(own.filter(|(knob, _)| knobs.contains(knob)));
    }
    Ok(here)
}

/// Returns what a canary sees; nothing where none can be started.
fn seen() -> Result<BTreeMap<KnobId, KnobValue>, CliError> {
    match Trier::new(RunnerOptions::this_executable()) {
        Ok(mut trier) => Ok(trier.here()?),
        Err(ExecError::NotSupported(_)) => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

/// Returns what tests are given of a variable: by cargo, or by this process where a command runs them.
fn variable(suite: &Suite, name: &str) -> KnobValue {
    let mut binaries = suite.binaries.iter();
    let value = match binaries.find(|binary| !binary.environment.is_empty()) {
        Some(binary) => {
            let mut given = binary.environment.iter();
            let found = given.find(|(given, _)| given.as_os_str() == OsStr::new(name));
            found.map(|(_, value)| value.clone())
        }
        None => std::env::var_os(name),
    };
    value.map_or(KnobValue::Unset, |value| {
        KnobValue::Text(value.to_string_lossy().into_owned())
    })
}
