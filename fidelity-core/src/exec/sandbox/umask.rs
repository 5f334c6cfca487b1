//! `umask`: the permissions new files do not get.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, number};

pub(super) struct Umask;

impl Family for Umask {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.0 == "umask"
    }

    fn prepare(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        match u32::try_from(number(value)?) {
            Ok(mask) if mask <= 0o777 => {
                sandbox.confinement.umask = Some(mask);
                Ok(())
            }
            _ => Err(format!("`{value}` is not a mask of permissions")),
        }
    }

    fn observe(
        &self,
        _knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        if seen.umask == number(value)? {
            Ok(format!("umask {:03o}", seen.umask))
        } else {
            Err(format!(
                "a process started with it has umask {:03o}",
                seen.umask
            ))
        }
    }

    /// A mask that takes away something production grants.
    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        matches!((number(value), number(production)), (Ok(value), Ok(production)) if value & !production != 0)
    }
}
