//! `pauses`: the whole trial stands still now and then, as under a garbage collector, a busy hypervisor or a quota.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, number, part};
use crate::exec::guardian::Pauses as Rhythm;

pub(super) struct Pauses;

/// A canary has to live long enough to meet a pause.
const LONGEST_EVERY_MS: u64 = 10_000;

impl Family for Pauses {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "pauses"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        let rhythm = rhythm(value)?;
        if rhythm.length_ms == 0 || rhythm.length_ms >= rhythm.every_ms {
            return Err(
                "a pause has to be shorter than the time from one to the next; make `for` less than `every`"
                    .to_owned(),
            );
        }
        if rhythm.every_ms > LONGEST_EVERY_MS {
            return Err(format!(
                "pauses further apart than {} s cannot be seen in time; make `every` shorter",
                LONGEST_EVERY_MS / 1000
            ));
        }
        sandbox.confinement.pauses = Some(rhythm);
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let rhythm = rhythm(value)?;
        let gap_us = seen.longest_gap_us;
        let words = format!("stood still for {} ms", gap_us / 1000);
        // The clock of a process goes on while it stands still, so that the gap is the pause and what it is late.
        if gap_us >= rhythm.length_ms * 1000 * 4 / 5 {
            Ok(format!("a process {words} at a time"))
        } else {
            Err(format!("a process started with it {words} at most"))
        }
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        let (Ok(value), Ok(production)) = (rhythm(value), rhythm(production)) else {
            return false;
        };
        value.length_ms > production.length_ms
            || value.length_ms * production.every_ms > production.length_ms * value.every_ms
    }
}

/// Reads the table of the knob.
fn rhythm(value: &KnobValue) -> Result<Rhythm, String> {
    Ok(Rhythm {
        every_ms: number(part(value, "every")?)?,
        length_ms: number(part(value, "for")?)?,
    })
}
