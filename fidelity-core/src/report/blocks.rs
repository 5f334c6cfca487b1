//! The blocks of ingested passes, counted for a report. Knows no format.

use crate::domain::{BlockId, StoredRun, Withdrawal};
use crate::evidence::blocks::blocks_of;
use crate::evidence::withdrawn::withdrawals;

/// Blocks without an arm that are named.
const NAMED: usize = 3;

/// Blocks of passes that ran elsewhere, those of joined runs included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockFacts {
    /// Blocks with passes of both arms.
    pub complete: u32,
    /// Blocks with passes of the baseline only, and of the target only.
    pub one_armed: [u32; 2],
    /// Passes by arm.
    pub passes: [u32; 2],
    /// Some of those with passes of the baseline only, and of the target only, the newest first.
    pub alone: [Vec<BlockId>; 2],
    /// Trials in all of them.
    pub trials: u64,
    /// What was taken in too and is no evidence, in the order in which it was withdrawn.
    pub withdrawn: Vec<Withdrawal>,
}

/// Returns what is to be said of the blocks of an ingested run and those it joined.
pub(super) fn block_facts(run: &StoredRun, joined: &[StoredRun]) -> BlockFacts {
    let mut facts = BlockFacts::default();
    for block in blocks_of(run, joined) {
        let alone = match block.passes {
            [_, 0] => Some(0),
            [0, _] => Some(1),
            _ => None,
        };
        match alone {
            None => facts.complete += 1,
            Some(arm) => {
                facts.one_armed[arm] += 1;
                facts.alone[arm].insert(0, block.id);
                facts.alone[arm].truncate(NAMED);
            }
        }
        facts.trials += block.trials;
        for (sum, passes) in facts.passes.iter_mut().zip(block.passes) {
            *sum += passes;
        }
    }
    facts.withdrawn = withdrawals(run, joined).into_values().collect();
    facts.withdrawn.sort();
    facts
}
