//! `pids`: whether tests see other processes than their own, and large process ids.

use super::{CanaryReport, Family, KnobId, KnobValue, Part, Sandbox, Scene, text};

pub(super) struct Pids;

impl Family for Pids {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "pids"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        match text(value)? {
            "own" => sandbox.stage.own_pids = true,
            other => return Err(format!("`{other}` is not `own`")),
        }
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        _value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let Some(pids) = &seen.inside.pids else {
            return Err("the canary could not say what processes it sees".to_owned());
        };
        let words = format!(
            "{} processes can be seen, this one is number {}",
            pids.seen, pids.own
        );
        if pids.alone { Ok(words) } else { Err(words) }
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }

    fn asks(&self, _knob: &KnobId, _value: &KnobValue) -> Option<String> {
        Some("pids".to_owned())
    }

    fn parts(&self, _knob: &KnobId, _value: &KnobValue) -> &'static [Part] {
        &[Part::Pids, Part::Mounts]
    }

    fn instead(&self, _knob: &KnobId, _value: &KnobValue) -> Option<&'static str> {
        Some("what a test leaves running is killed after it all the same")
    }
}
