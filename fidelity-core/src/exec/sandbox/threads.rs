//! `threads`: how many trials run at a time: processes, or threads of a process that tests share.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, number};

/// More guardians than this help nobody.
const MOST: u64 = 512;

pub(super) struct Threads;

impl Family for Threads {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "threads"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        match number(value)? {
            0 => Err("at least 1 trial runs at a time".to_owned()),
            threads if threads > MOST => Err(format!("at most {MOST} trials run at a time")),
            threads => {
                sandbox.threads = usize::try_from(threads).ok();
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
        let words = match seen.several {
            Some(_) => format!("{} threads alive at once in one process", seen.met),
            None => format!("{} processes alive at once", seen.met),
        };
        if seen.met == number(value)? {
            Ok(words)
        } else {
            Err(words)
        }
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        super::smaller(production, value)
    }
}
