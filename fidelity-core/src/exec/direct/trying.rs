//! Trying settings on this machine, without any test: what `doctor` does.
//!
//! Must not know: where the settings come from, how a page looks. Invariant: a setting is said to be applied only if a
//! canary saw it, exactly as in a run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{DirectRunner, RunnerOptions};
use crate::domain::{
    Environment, FidelityProfile, KnobId, KnobSetting, KnobStatus, KnobValue, Tier, Tried,
};
use crate::exec::{ExecError, sandbox};
use crate::suite::Suite;

/// The time limit of a trial, of which there are none.
const NO_TRIALS: u64 = 0;

/// Why a setting is not tried.
const BINARIES: &str =
    "a matter of the test binaries: `cargo fidelity run --dry-run` tries it on them";

/// A runner without tests, that tries settings.
pub struct Trier(DirectRunner);

impl Trier {
    /// Makes a run directory and starts a guardian; `helper` is that of [`RunnerOptions`].
    ///
    /// # Errors
    /// Where that cannot be done.
    pub fn new(helper: PathBuf) -> Result<Self, ExecError> {
        let options = RunnerOptions {
            helper,
            slots: 1,
            timeout_ms: NO_TRIALS,
            arguments: Vec::new(),
            wake: None,
            parent: None,
        };
        DirectRunner::new(&Suite::default(), &[], options).map(Self)
    }

    /// Imposes one setting alone, each of its values in turn.
    ///
    /// # Errors
    /// Where nothing can be run at all.
    pub fn alone(&mut self, knob: &KnobId, setting: &KnobSetting) -> Result<Vec<Tried>, ExecError> {
        let profile = FidelityProfile {
            name: String::new(),
            knobs: [(knob.clone(), setting.clone())].into(),
        };
        let mut tried = self.together(&profile)?;
        for row in &mut tried {
            row.profile = None;
        }
        Ok(tried)
    }

    /// Returns what a process has of its own where nothing is imposed: knobs with their values, as far as these can be told. A
    /// limit that is none is the largest number.
    ///
    /// # Errors
    /// Where nothing can be run at all.
    pub fn here(&mut self) -> Result<BTreeMap<KnobId, KnobValue>, ExecError> {
        let seen = self.0.probe(&Environment::default(), &BTreeMap::new())?;
        Ok(seen.map_or_else(|_| BTreeMap::new(), |seen| seen.values()))
    }

    /// Imposes the settings of `profile` together, as a run would.
    ///
    /// # Errors
    /// Where nothing can be run at all.
    pub fn together(&mut self, profile: &FidelityProfile) -> Result<Vec<Tried>, ExecError> {
        self.0.dropped.clear();
        let nothing = FidelityProfile {
            name: String::new(),
            knobs: [].into(),
        };
        let mut here = profile.clone();
        here.knobs
            .retain(|knob, setting| !sandbox::needs_binaries(knob, setting.values()));
        let statuses = self.0.apply(&nothing, &here, &[].into())?;
        let left_out = profile
            .knobs
            .iter()
            .filter(|(knob, _)| !here.knobs.contains_key(*knob));
        let row = |knob: &KnobId, setting: String, applied: Option<bool>, reason: String| {
            let values = profile.knobs.get(knob).map(KnobSetting::values);
            let tiers = values.unwrap_or_default().iter();
            Tried {
                profile: Some(profile.name.clone()),
                knob: knob.clone(),
                setting,
                tier: tiers
                    .map(|value| sandbox::tier(knob, value))
                    .max()
                    .unwrap_or(Tier::Portable),
                applied,
                reason,
            }
        };
        let tried = statuses.into_iter().map(|status: KnobStatus| {
            row(
                &status.knob,
                status.target.unwrap_or_default(),
                Some(status.applied),
                status.reason,
            )
        });
        let not_tried = left_out
            .map(|(knob, setting)| row(knob, setting.to_string(), None, BINARIES.to_owned()));
        Ok(tried.chain(not_tried).collect())
    }
}
