//! The blocks of ingested passes, counted for a report. Knows no format.

use crate::domain::StoredRun;
use crate::evidence::blocks::blocks_of;

/// Blocks of passes that ran elsewhere, those of joined runs included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockFacts {
    /// Blocks with passes of both arms.
    pub complete: u32,
    /// Blocks with passes of the baseline only, and of the target only.
    pub one_armed: [u32; 2],
    /// Passes by arm.
    pub passes: [u32; 2],
    /// Trials in all of them.
    pub trials: u64,
}

/// Returns what is to be said of the blocks of an ingested run and those it joined.
pub(super) fn block_facts(run: &StoredRun, joined: &[StoredRun]) -> BlockFacts {
    let mut facts = BlockFacts::default();
    for block in blocks_of(run, joined) {
        match block.passes {
            [_, 0] => facts.one_armed[0] += 1,
            [0, _] => facts.one_armed[1] += 1,
            _ => facts.complete += 1,
        }
        facts.trials += block.trials;
        for (sum, passes) in facts.passes.iter_mut().zip(block.passes) {
            *sum += passes;
        }
    }
    facts
}
