//! `locale`: LANG and LC_ALL. Rust's standard library ignores them, child processes and C libraries do not.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, text};

pub(super) struct Locale;

impl Family for Locale {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "locale"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        let locale = text(value)?;
        sandbox.set("LANG", locale);
        sandbox.set("LC_ALL", locale);
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let wanted = text(value)?;
        match &seen.locale {
            None => Err(format!(
                "the locale {wanted} is not installed here; `locale -a` lists those that are"
            )),
            Some(name) => Ok(format!("the C library uses {name}")),
        }
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }
}
