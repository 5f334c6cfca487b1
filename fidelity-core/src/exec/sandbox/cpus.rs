//! `cpus`: how many CPUs a trial may use, by affinity. Thread pools shrink with it.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, number, smaller};

pub(super) struct Cpus;

impl Family for Cpus {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "cpus"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        scene: &Scene<'_>,
    ) -> Result<(), String> {
        let wanted = usize::try_from(number(value)?).unwrap_or(usize::MAX);
        match scene.cpus {
            0 => Err("this system does not let a process choose its CPUs".to_owned()),
            _ if wanted == 0 => Err("a process needs at least 1 CPU".to_owned()),
            available if wanted > available => Err(format!(
                "only {available} of {wanted} CPUs are available here; ask for {available} or fewer"
            )),
            _ => {
                sandbox.confinement.cpus = Some(wanted);
                Ok(())
            }
        }
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let words = format!(
            "may use {} CPU{}, parallelism {}",
            seen.cpus.len(),
            if seen.cpus.len() == 1 { "" } else { "s" },
            seen.parallelism
        );
        if seen.cpus.len() as u64 == number(value)? {
            Ok(words)
        } else {
            Err(format!("a process started with it {words}"))
        }
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        smaller(value, production)
    }
}
