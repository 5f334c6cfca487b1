//! `tty`: whether tests see a terminal: a session of their own and two pseudo-terminals, one for standard input and
//! output, one for standard error. Nothing is processed on the way out, so that output is captured as it was written.

use std::path::Path;

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, flag};

/// Columns and rows of the terminal.
pub(crate) const SIZE: (u16, u16) = (80, 24);
const DEVICE: &str = "/dev/ptmx";

pub(super) struct Tty;

impl Family for Tty {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "tty"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        if !flag(value)? {
            return Ok(());
        }
        if !cfg!(target_os = "linux") {
            return Err("not supported here: pseudo-terminals are made on Linux only".to_owned());
        }
        if !Path::new(DEVICE).exists() {
            return Err(format!(
                "there is no {DEVICE} here, of which terminals are made: mount devpts"
            ));
        }
        if sandbox.confinement.stdin.is_some() {
            return Err("`stdin` is set as well, and a terminal is the input too".to_owned());
        }
        sandbox.confinement.terminal = true;
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let terminal = &seen.terminal;
        let names = ["standard input", "standard output", "standard error"];
        let wanted = flag(value)?;
        let wrong = names
            .iter()
            .zip(terminal.is)
            .find_map(|(name, is)| (is != wanted).then_some(*name));
        match (wrong, wanted) {
            (Some(name), true) => Err(format!("its {name} is no terminal")),
            (Some(name), false) => Err(format!("its {name} is a terminal")),
            (None, false) => Ok("no terminal".to_owned()),
            (None, true) => match (&terminal.controlling_error, terminal.size) {
                (Some(error), _) => Err(format!("/dev/tty does not open: {error}")),
                (None, Some(size)) if size == SIZE => Ok(format!(
                    "input, output and errors are terminals of {} columns, /dev/tty opens",
                    size.0
                )),
                (None, size) => Err(format!("the terminal's size is {size:?}")),
            },
        }
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        value != production
    }
}
