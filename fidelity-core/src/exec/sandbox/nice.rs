//! `nice`: the niceness of a trial, which matters where something else wants the CPUs.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, number};

pub(super) struct Nice;

impl Family for Nice {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "nice"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        let niceness = i32::try_from(number(value)?).unwrap_or(i32::MAX);
        if niceness > 19 {
            return Err("the highest niceness is 19".to_owned());
        }
        sandbox.confinement.nice = Some(niceness);
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        if i64::from(seen.nice).unsigned_abs() == number(value)? {
            Ok(format!("niceness {}", seen.nice))
        } else {
            Err(format!(
                "a process started with it has niceness {}",
                seen.nice
            ))
        }
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        super::smaller(production, value)
    }
}
