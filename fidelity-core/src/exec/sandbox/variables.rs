//! `env.NAME`: an environment variable, set or removed. A value may refer to the tool's own environment
//! (`{env:NAME}`); such a value is never shown, and neither is the password of a URL.

use std::ffi::OsStr;

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, text};
use crate::exec::secrets;
use crate::urls::passwords;

pub(super) struct Variables;

impl Family for Variables {
    fn owns(&self, knob: &KnobId) -> bool {
        knob.variable().is_some()
    }

    fn prepare(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        scene: &Scene<'_>,
    ) -> Result<(), String> {
        let name = knob.variable().unwrap_or_default();
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(format!("`{name}` cannot be the name of a variable"));
        }
        if name == "LD_PRELOAD" && sandbox.variables.contains_key(OsStr::new(name)) {
            return Err("`clock` needs LD_PRELOAD for itself: leave one of them out".to_owned());
        }
        if *value == KnobValue::Unset {
            sandbox.variables.insert(name.into(), None);
            return Ok(());
        }
        let (resolved, secrets) = match value {
            KnobValue::Text(text) => secrets::resolve(text, scene.variable)?,
            other => (other.to_string(), Vec::new()),
        };
        if resolved.contains('\0') {
            return Err("a variable cannot hold a NUL character".to_owned());
        }
        sandbox.secrets.extend(secrets);
        sandbox.secrets.extend(passwords(&resolved));
        sandbox.set(name, resolved);
        Ok(())
    }

    fn observe(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let name = knob.variable().unwrap_or_default();
        // What the canary was asked to compare with is the resolved value.
        match (seen.variables.get(name), value) {
            (Some(None), KnobValue::Unset) => Ok("not set".to_owned()),
            (Some(Some(found)), _) if seen.expected.get(name) == Some(found) => match text(value) {
                Ok(text) if text.contains("{env:") => Ok("set by reference".to_owned()),
                // A value may hold a password, whoever wrote it: it is not repeated.
                _ => Ok("set as asked".to_owned()),
            },
            _ => Err("a process started with it sees another value".to_owned()),
        }
    }

    fn harsher(&self, _value: &KnobValue, _production: &KnobValue) -> bool {
        true
    }
}

/// Returns a number that tells values apart without showing them (FNV-1a).
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
