//! `cpu-quota` and `memory-quota`: what all tests together may use, by a control group, as a container limits it.

use super::{CanaryReport, Family, KnobId, KnobValue, Sandbox, Scene, number};

pub(super) struct Quotas;

/// The kernel counts memory in pages, of this size at most.
const LARGEST_PAGE: u64 = 64 << 10;

impl Family for Quotas {
    fn owns(&self, knob: &KnobId) -> bool {
        matches!(knob.0.as_str(), "cpu-quota" | "memory-quota")
    }

    fn prepare(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        _scene: &Scene<'_>,
    ) -> Result<(), String> {
        if !cfg!(target_os = "linux") {
            return Err("not supported here: control groups are a part of Linux".to_owned());
        }
        let number = number(value)?;
        if number == 0 {
            return Err("nothing runs on a quota of nothing".to_owned());
        }
        if knob.0 == "cpu-quota" {
            sandbox.quotas.cpu_percent = Some(number);
        } else {
            sandbox.quotas.memory = Some(number);
        }
        Ok(())
    }

    fn observe(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String> {
        let wanted = number(value)?;
        let no_group = || "a process started with it is in no control group".to_owned();
        if knob.0 == "cpu-quota" {
            let quota = seen.cpu_quota_percent.ok_or_else(no_group)?;
            if quota == wanted {
                return Ok(format!(
                    "all together may use {quota}% of a CPU, parallelism {}",
                    seen.parallelism
                ));
            }
            return Err(format!(
                "the group of a process started with it may use {quota}% of a CPU"
            ));
        }
        let quota = seen.memory_quota.ok_or_else(no_group)?;
        let shown = KnobValue::Bytes(quota);
        if quota <= wanted && wanted - quota < LARGEST_PAGE {
            Ok(format!("all together may use {shown}"))
        } else {
            Err(format!(
                "the group of a process started with it may use {shown}"
            ))
        }
    }

    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool {
        super::smaller(value, production)
    }
}
