//! What is there beside the trials of a pass, and only as long as the pass: its load, its control groups.
//!
//! Must not know: tests, outcomes. Invariant: everything is there before the first trial starts, and gone when a
//! [`Beside`] is dropped.

use super::DirectRunner;
use crate::exec::canary::{CanaryReport, LoadSeen};
use crate::exec::group::Groups;
use crate::exec::guardian::Pauses;
use crate::exec::load::{Load, LoadPlan};
use crate::exec::sandbox::Sandbox;
use crate::exec::{ExecError, sys};

/// How often load is looked for.
const LOOKS: u32 = 5;
/// The processor time that shows that load is there, in microseconds.
const AT_LEAST_US: u64 = 1_000;

/// What is there beside the trials of a pass.
pub(super) struct Beside {
    load: Option<(Load, LoadPlan)>,
    _groups: Groups,
}

impl Beside {
    /// Sets up what `sandbox` asks for in the pass `number`, whose seed is `seed`, and tells it where to find that.
    ///
    /// # Errors
    /// Why the environment cannot be provided.
    pub(super) fn set_up(
        runner: &DirectRunner,
        sandbox: &mut Sandbox,
        (number, seed): (u32, u64),
    ) -> Result<Self, String> {
        let groups = Groups::make(sandbox.quotas, &runner.pool.run_directory, number)?;
        sandbox.confinement.groups = groups.doors();
        let helper = &runner.options.helper;
        let start = |plan: LoadPlan| Ok::<_, String>((Load::start(helper, &plan)?, plan));
        let plan = sandbox
            .load
            .as_ref()
            .map(|shape| shape.plan(&sys::allowed_cpus(), seed));
        Ok(Self {
            load: plan.map(start).transpose()?,
            _groups: groups,
        })
    }

    /// Takes everything away.
    ///
    /// # Errors
    /// What was not there all the time: trials that ran without it count for nothing.
    pub(super) fn take_down(self) -> Result<(), String> {
        let Some((load, _)) = self.load else {
            return Ok(());
        };
        let lasted = load.is_running();
        load.stop();
        if lasted {
            Ok(())
        } else {
            Err("the load generator ended before the tests did".to_owned())
        }
    }
}

impl DirectRunner {
    /// Has canaries look for the load that is beside them, and for pauses.
    pub(super) fn watch(
        &mut self,
        sandbox: &Sandbox,
        beside: &Beside,
        report: &mut CanaryReport,
    ) -> Result<(), ExecError> {
        if let Some(load) = &beside.load {
            report.load = self.rivals(sandbox, load)?;
        }
        if let Some(pauses) = sandbox.confinement.pauses {
            report.longest_gap_us = self.gap(sandbox, pauses)?;
        }
        Ok(())
    }

    /// Returns what the load took and what a canary saw of it; none where it took nothing.
    fn rivals(
        &mut self,
        sandbox: &Sandbox,
        (load, plan): &(Load, LoadPlan),
    ) -> Result<Option<LoadSeen>, ExecError> {
        let Some(before) = load.taken() else {
            return Ok(None);
        };
        let mut share_left = 100;
        for _ in 0..LOOKS {
            let seen = self.asked_for_a_number(sandbox, vec!["rivals".to_owned()])?;
            share_left = share_left.min(seen.unwrap_or(100));
            let Some(taken) = load.taken().map(|now| now.since(before)) else {
                break;
            };
            // Where many others want the CPUs it may not have had its turn yet.
            if taken.cpu_us >= AT_LEAST_US {
                return Ok(Some(LoadSeen {
                    taken: taken.percent(),
                    asked: plan.asked_percent(sys::allowed_cpus().len()),
                    share_left: u32::try_from(share_left).unwrap_or(100),
                }));
            }
        }
        Ok(None)
    }

    /// Returns for how long a canary stood still at most, in microseconds.
    fn gap(&mut self, sandbox: &Sandbox, pauses: Pauses) -> Result<u64, ExecError> {
        let enough_ms = pauses.length_ms.saturating_mul(9).div_ceil(10);
        let limit_ms = 2 * (pauses.every_ms + pauses.length_ms);
        let words = vec![
            "gap".to_owned(),
            enough_ms.to_string(),
            limit_ms.to_string(),
        ];
        Ok(self.asked_for_a_number(sandbox, words)?.unwrap_or(0))
    }

    /// Returns the number a canary prints that is started with `words`.
    fn asked_for_a_number(
        &mut self,
        sandbox: &Sandbox,
        words: Vec<String>,
    ) -> Result<Option<u64>, ExecError> {
        let answer = self.canaries(sandbox, vec![words], 1)?.pop();
        let output = answer.and_then(Result::ok).unwrap_or_default();
        Ok(std::str::from_utf8(&output)
            .ok()
            .and_then(|text| text.parse().ok()))
    }
}
