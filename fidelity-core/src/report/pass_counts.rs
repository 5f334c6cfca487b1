//! The passes of a run, counted by what became of them.

use crate::domain::{PassEnd, PassRecord, Phase};

/// Passes by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassCounts {
    /// Completed passes of the screening.
    pub screen: u32,
    /// Completed coin passes over the suspects.
    pub focus: u32,
    /// Completed passes among a whole binary or the whole suite.
    pub company: u32,
    /// Completed repeats of mass failures and checks of time-outs.
    pub checks: u32,
    /// Passes that ran elsewhere.
    pub ingested: u32,
    /// Passes discarded because their environment was not provided, or because other programs took too much of the machine.
    pub discarded: u32,
    /// Passes cut short.
    pub unfinished: u32,
}

impl PassCounts {
    /// Returns the number of completed passes.
    pub fn completed(self) -> u32 {
        self.screen + self.focus + self.company + self.checks + self.ingested
    }

    pub(super) fn add(&mut self, pass: &PassRecord) {
        let counter = match (&pass.end, pass.spec.phase) {
            (None, _) => &mut self.unfinished,
            (Some((PassEnd::Discarded { .. } | PassEnd::Disturbed { .. }, _)), _) => {
                &mut self.discarded
            }
            (Some((PassEnd::Completed, _)), Phase::Screen) => &mut self.screen,
            (Some((PassEnd::Completed, _)), Phase::Focus) => &mut self.focus,
            (Some((PassEnd::Completed, _)), Phase::Company) => &mut self.company,
            (Some((PassEnd::Completed, _)), Phase::MassRepeat | Phase::TimeoutCheck) => {
                &mut self.checks
            }
            (Some((PassEnd::Completed, _)), Phase::Ingested) => &mut self.ingested,
        };
        *counter += 1;
    }
}
