//! The blocks of passes that ran elsewhere, as JSON.

use serde::Serialize;

use crate::domain::Withdrawal;

use crate::report::model::BlockFacts;

/// What stands there for passes that ran elsewhere.
#[derive(Serialize)]
pub(super) struct WireBlocks {
    order_randomised: bool,
    blocks: u32,
    blocks_baseline_only: u32,
    blocks_target_only: u32,
    baseline_passes: u32,
    target_passes: u32,
    trials: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    withdrawn: Vec<WireWithdrawal>,
}

/// A run that was taken in and is no evidence.
#[derive(Serialize)]
struct WireWithdrawal {
    run: String,
    at: String,
    reason: String,
    baseline_passes: u32,
    target_passes: u32,
}

impl From<&Withdrawal> for WireWithdrawal {
    fn from(withdrawal: &Withdrawal) -> Self {
        Self {
            run: withdrawal.run.to_string(),
            at: withdrawal.at.clone(),
            reason: withdrawal.reason.clone(),
            baseline_passes: withdrawal.passes[0],
            target_passes: withdrawal.passes[1],
        }
    }
}

impl From<&BlockFacts> for WireBlocks {
    fn from(facts: &BlockFacts) -> Self {
        Self {
            order_randomised: false,
            blocks: facts.complete,
            blocks_baseline_only: facts.one_armed[0],
            blocks_target_only: facts.one_armed[1],
            baseline_passes: facts.passes[0],
            target_passes: facts.passes[1],
            trials: facts.trials,
            withdrawn: facts.withdrawn.iter().map(WireWithdrawal::from).collect(),
        }
    }
}
