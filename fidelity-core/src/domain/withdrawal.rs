//! Results that were taken in by mistake, and are evidence no more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RunId;

/// A run of ingested passes that somebody took back. Its passes stay where they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Withdrawal {
    /// When it was withdrawn, RFC 3339 in UTC.
    pub at: String,
    /// The run.
    pub run: RunId,
    /// Why, in the words of whoever did it.
    pub reason: String,
    /// Its passes by arm.
    pub passes: [u32; 2],
}

impl Withdrawal {
    /// Returns withdrawals by the run they take back; of several of one the first.
    pub fn by_run<'a>(withdrawals: impl IntoIterator<Item = &'a Self>) -> BTreeMap<RunId, Self> {
        let mut first: BTreeMap<RunId, Self> = BTreeMap::new();
        for withdrawal in withdrawals {
            let known = first.get(&withdrawal.run);
            if known.is_none_or(|known| withdrawal < known) {
                first.insert(withdrawal.run, withdrawal.clone());
            }
        }
        first
    }
}
