//! `stdin`: what the standard input of a test is: `null`, `closed`, or a `pipe` that stays open and never delivers.
//!
//! Rust's runtime opens /dev/null where a process starts without descriptor 0, before `main`: of `closed` a Rust test sees
//! little, but a target runner, a harness of its own or a constructor does.

use serde::{Deserialize, Serialize};

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, text};

/// What descriptor 0 of a process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stdin {
    /// The null device.
    #[default]
    Null,
    /// Not open.
    Closed,
    /// A pipe whose other end stays open and delivers nothing.
    Pipe,
}

pub(super) struct StandardInput;

impl Family for StandardInput {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "stdin"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        let stdin = match text(value)? {
            "null" => Stdin::Null,
            "closed" => Stdin::Closed,
            "pipe" => Stdin::Pipe,
            other => {
                return Err(format!("`{other}` is none of `null`, `closed`, `pipe`"));
            }
        };
        sandbox.confinement.stdin = Some(stdin);
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let input = &seen.input;
        let Some(open) = input.open_at_start else {
            return Err(
                "what the standard input of a process is cannot be seen on this system".to_owned(),
            );
        };
        let kind = input.kind.as_deref().unwrap_or("nothing");
        match text(value)? {
            "closed" if !open => Ok("descriptor 0 is not open when a process starts".to_owned()),
            "null" if open && kind == "/dev/null" => Ok("/dev/null".to_owned()),
            "pipe" if open && kind.starts_with("pipe:") && !input.readable => {
                Ok("a pipe that delivers nothing and does not end".to_owned())
            }
            _ if open => Err(format!("a process started with it reads from {kind}")),
            _ => Err("a process started with it has no standard input".to_owned()),
        }
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }
}
