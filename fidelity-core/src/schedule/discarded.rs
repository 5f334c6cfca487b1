//! Passes that do not count: which do not, and how they are made again. Knows no outcome.

use crate::domain::{ForeignLoad, MachineLoad, OnForeignLoad, PassEnd, PassSpec};

use super::Scheduler;

/// Environments in a row that may not be provided before the environment counts as lost.
pub const DISCARDED_AT_MOST: u32 = 3;
/// How often in a row a pass is made again because other programs took too much of the machine. Then it counts.
pub const DISTURBED_AT_MOST: u32 = 3;

/// The pass that is to be made again.
#[derive(Clone, Debug)]
pub(super) struct Discarded {
    spec: PassSpec,
    /// How many environments in a row were not provided, and why the last was not.
    lost: (u32, String),
    /// How often the pass was disturbed.
    disturbed: u32,
}

impl Discarded {
    /// Returns what is to be made again after a pass came to its `end`; `last` is what it was made for again itself.
    pub(super) fn after(last: Option<&Self>, spec: &PassSpec, end: &PassEnd) -> Option<Self> {
        let (lost, disturbed) = last.map_or((0, 0), |last| (last.lost.0, last.disturbed));
        let (lost, disturbed) = match end {
            PassEnd::Completed => return None,
            PassEnd::Discarded { reason } => ((lost + 1, reason.clone()), disturbed),
            // Its environment was provided.
            PassEnd::Disturbed { .. } => ((0, String::new()), disturbed + 1),
        };
        Some(Self {
            spec: spec.clone(),
            lost,
            disturbed,
        })
    }

    /// Returns why the environment counts as lost; none while it does not.
    pub(super) fn environment_lost(&self) -> Option<&str> {
        let (times, reason) = &self.lost;
        (*times >= DISCARDED_AT_MOST).then_some(reason)
    }
}

impl Scheduler {
    /// Returns how a pass ends that came to `end` while others took so much of the `machine`: as it came, or as disturbed.
    ///
    /// The rule is the same in both arms and knows no outcome. A pass that was disturbed too often counts, so that a run
    /// ends on any machine.
    pub fn settle(&self, end: PassEnd, machine: Option<MachineLoad>) -> PassEnd {
        let ForeignLoad { at_most, then } = self.policy.foreign_load;
        let disturbed = self.discarded.as_ref().map_or(0, |last| last.disturbed);
        let disturbing = machine.filter(|machine| {
            then == OnForeignLoad::Repeat
                && machine.exceeds(at_most)
                && disturbed < DISTURBED_AT_MOST
        });
        match (end, disturbing) {
            (PassEnd::Completed, Some(machine)) => PassEnd::Disturbed {
                reason: format!(
                    "other programs used {:.1} of {} CPUs",
                    machine.foreign_cpus(),
                    machine.cpus
                ),
            },
            (end, _) => end,
        }
    }

    /// A pass whose environment was not provided, or that was disturbed, is made again in the arm that was drawn for it.
    ///
    /// Drawing anew would be wrong: an environment that fails more often in the target than in the baseline would make
    /// the passes that do complete less likely to be the target's than the probability written down for them.
    pub(super) fn redo(&self) -> Option<PassSpec> {
        let spec = &self.discarded.as_ref()?.spec;
        let number = self.number + 1;
        Some(PassSpec {
            number,
            order_seed: self.draws.order_seed(number),
            ..spec.clone()
        })
    }
}
