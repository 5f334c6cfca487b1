//! What is there beside the trials of a pass, and only as long as the pass: its load, its control groups.
//!
//! Must not know: tests, outcomes. Invariant: everything is there before the first trial starts, and gone when a
//! [`Beside`] is dropped.

use super::DirectRunner;
use crate::exec::group::Groups;
use crate::exec::load::{Load, LoadPlan};
use crate::exec::sandbox::Sandbox;
use crate::exec::sys;

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

    /// Returns the load and what it was asked to do.
    pub(super) fn load(&self) -> Option<&(Load, LoadPlan)> {
        self.load.as_ref()
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
