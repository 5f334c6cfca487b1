//! `timer-slack`: how late the system may wake a trial that waits, so that it wakes less often.
//!
//! The kernel uses the slack up unless something else wakes the CPU before; a busy CPU therefore shows less of it.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, number, smaller};

pub(super) struct TimerSlack;

/// Nanoseconds in a millisecond.
const NS_PER_MS: u64 = 1_000_000;

impl Family for TimerSlack {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "timer-slack"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        if !cfg!(target_os = "linux") {
            return Err("not supported here: only Linux lets a process choose it".to_owned());
        }
        let slack_ns = number(value)?.saturating_mul(NS_PER_MS);
        // The kernel takes 0 for "as before" and keeps the slack in a machine word.
        if slack_ns == 0 || usize::try_from(slack_ns).is_err() {
            return Err(format!(
                "the slack of a timer cannot be {value}; ask for 1ms or more"
            ));
        }
        sandbox.confinement.timer_slack_ns = Some(slack_ns);
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let wanted = number(value)?.saturating_mul(NS_PER_MS);
        match seen.timer_slack_ns {
            Some(slack) if slack == wanted => Ok(format!(
                "timers may be {value} late, a sleep of 1 ms takes {} ms",
                seen.short_sleep_us.div_ceil(1000)
            )),
            Some(slack) => Err(format!(
                "in a process started with it timers may be {} us late",
                slack / 1000
            )),
            None => Err("a process started with it cannot see how late timers may be".to_owned()),
        }
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        smaller(production, value)
    }
}
