//! `stack`: the size of every thread's stack. The limit governs the main thread and what C libraries start, the
//! variable the threads of Rust programs, which is where tests run.

use super::{
    CanaryReport, Family, KnobId, KnobValue, Limit, Resource, Sandbox, Scene, number, smaller,
};

/// Threads are a little larger than asked for: guard pages, thread-local storage.
const SLACK: u64 = 256 * 1024;

pub(super) struct Stack;

impl Family for Stack {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "stack"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        let value = number(value)?;
        sandbox.confinement.limits.push(Limit {
            resource: Resource::Stack,
            value,
        });
        sandbox.set("RUST_MIN_STACK", value.to_string());
        Ok(())
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let wanted = number(value)?;
        match (seen.limits.get(&Resource::Stack), seen.thread_stack) {
            (Some(&limit), Some(thread)) if limit == wanted && thread.abs_diff(wanted) <= SLACK => {
                Ok(format!("limit {value}, a thread has {} KiB", thread / 1024))
            }
            (Some(&limit), None) if limit == wanted => Ok(format!("limit {value}")),
            (limit, thread) => Err(format!(
                "a process started with it has a limit of {} and threads of {} bytes",
                limit.copied().unwrap_or_default(),
                thread.unwrap_or_default()
            )),
        }
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        smaller(value, production)
    }
}
