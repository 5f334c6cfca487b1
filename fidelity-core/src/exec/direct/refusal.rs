//! Why an environment cannot be provided: because of some of its knobs, or for a reason of its own.

use crate::domain::KnobId;

/// Why a sandbox cannot be provided.
pub(super) enum Refusal {
    /// Because of these knobs.
    Knobs(Vec<(KnobId, String)>),
    /// Because of something else.
    Whole(String),
}

impl Refusal {
    /// Says it in words.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Knobs(knobs) => {
                let reasons: Vec<String> = knobs
                    .iter()
                    .map(|(knob, reason)| format!("{knob}: {reason}"))
                    .collect();
                reasons.join("; ")
            }
            Self::Whole(reason) => reason.clone(),
        }
    }
}
