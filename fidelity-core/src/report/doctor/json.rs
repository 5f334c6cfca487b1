//! The checkup for programs: JSON, schema 1. The types here are what is written, apart from the domain's own.

use serde::Serialize;

use super::Checkup;
use crate::domain::{Tool, Tried};
use crate::report::json::pretty;

/// The version of the format.
const SCHEMA: u32 = 1;

/// Returns `checkup` as a JSON document, indented, ending with a line end.
pub fn render(checkup: &Checkup) -> String {
    let machine = &checkup.machine;
    pretty(&WireCheckup {
        schema: SCHEMA,
        fit: checkup.is_fit(),
        file: checkup.file.as_deref(),
        machine: WireMachine {
            system: &machine.system,
            cpus: machine.cpus,
            memory_bytes: machine.memory,
            memory_available_bytes: machine.memory_available,
            user: machine.user.as_deref(),
            cgroups: machine.cgroups.as_deref(),
            namespaces: machine.namespaces.as_deref(),
            foreign_load_cpus: machine.foreign_load,
            tools: machine.tools.iter().map(WireTool::from).collect(),
        },
        knobs: checkup.tried.iter().map(WireKnob::from).collect(),
    })
}

#[derive(Serialize)]
struct WireCheckup<'a> {
    schema: u32,
    fit: bool,
    file: Option<&'a str>,
    machine: WireMachine<'a>,
    knobs: Vec<WireKnob<'a>>,
}

#[derive(Serialize)]
struct WireMachine<'a> {
    system: &'a str,
    cpus: u64,
    memory_bytes: Option<u64>,
    memory_available_bytes: Option<u64>,
    user: Option<&'a str>,
    cgroups: Option<&'a str>,
    namespaces: Option<&'a str>,
    foreign_load_cpus: Option<f64>,
    tools: Vec<WireTool<'a>>,
}

#[derive(Serialize)]
struct WireTool<'a> {
    name: &'a str,
    found: bool,
    says: &'a str,
}

impl<'a> From<&'a Tool> for WireTool<'a> {
    fn from(tool: &'a Tool) -> Self {
        let (Ok(says) | Err(says)) = &tool.version;
        Self {
            name: &tool.name,
            found: tool.version.is_ok(),
            says,
        }
    }
}

#[derive(Serialize)]
struct WireKnob<'a> {
    profile: Option<&'a str>,
    id: &'a str,
    setting: &'a str,
    tier: &'a str,
    applied: Option<bool>,
    reason: &'a str,
}

impl<'a> From<&'a Tried> for WireKnob<'a> {
    fn from(row: &'a Tried) -> Self {
        Self {
            profile: row.profile.as_deref(),
            id: &row.knob.0,
            setting: &row.setting,
            tier: row.tier.name(),
            applied: row.applied,
            reason: &row.reason,
        }
    }
}
