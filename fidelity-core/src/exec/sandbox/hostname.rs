//! `hostname`: what the machine is called.

use super::{CanaryReport, Family, KnobId, KnobValue, Part, Sandbox, Scene, text};

/// The longest name Linux takes, in bytes.
const LONGEST: usize = 64;

pub(super) struct Hostname;

impl Family for Hostname {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "hostname"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        let name = text(value)?;
        if name.is_empty() || name.len() > LONGEST || name.contains('\0') {
            return Err(format!("a host name has 1 to {LONGEST} bytes"));
        }
        sandbox.stage.hostname = Some(name.to_owned());
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        match seen.inside.hostname.as_deref() {
            Some(name) if name == text(value)? => Ok(format!("the machine is called {name}")),
            Some(name) => Err(format!("the machine is called {name} all the same")),
            None => Err("the canary could not say what the machine is called".to_owned()),
        }
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }

    fn asks(&self, _knob: &KnobId, _value: &KnobValue) -> Option<String> {
        Some("hostname".to_owned())
    }

    fn parts(&self, _knob: &KnobId, _value: &KnobValue) -> &'static [Part] {
        &[Part::Hostname]
    }

    fn instead(&self, _knob: &KnobId, _value: &KnobValue) -> Option<&'static str> {
        Some("`env.HOSTNAME` sets what shells export and some programs read")
    }
}
