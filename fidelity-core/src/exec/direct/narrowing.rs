//! What is left of environments and profiles without what could not be applied.
//!
//! Invariant: of a profile as [`DirectRunner::narrowed`] returns it, no pass draws a value that could not be applied.

use super::DirectRunner;
use crate::domain::{Environment, FidelityProfile, KnobId, KnobSetting, KnobValue};

impl DirectRunner {
    /// Returns `environment` without what could not be applied: what a pass really runs under.
    pub fn imposed(&self, environment: &Environment) -> Environment {
        let knobs = environment.0.iter();
        Environment(
            knobs
                .filter(|(knob, value)| {
                    let refused = self.refused.get(knob);
                    let refused = refused.is_some_and(|refused| refused.contains_key(value));
                    !refused && !self.dropped.contains(knob)
                })
                .map(|(knob, value)| (knob.clone(), value.clone()))
                .collect(),
        )
    }

    /// Returns `profile` without the values that could not be applied, as what a run draws from. A choice of which one value
    /// is left is that value; a knob of which none is left stays as it was asked for, and is not imposed.
    pub fn narrowed(&self, profile: &FidelityProfile) -> FidelityProfile {
        let mut narrowed = profile.clone();
        for (knob, setting) in &mut narrowed.knobs {
            let (KnobSetting::OneOf(values), Some(refused)) =
                (&mut *setting, self.refused.get(knob))
            else {
                continue;
            };
            if values.iter().all(|value| refused.contains_key(value)) {
                continue;
            }
            values.retain(|value| !refused.contains_key(value));
            if let [value] = values.as_slice() {
                *setting = KnobSetting::Fixed(value.clone());
            }
        }
        narrowed
    }

    /// Returns each value of `profile` that was taken from a choice, with the reason.
    pub fn taken_away(&self, profile: &FidelityProfile) -> Vec<(KnobId, KnobValue, String)> {
        let knobs = profile.knobs.iter();
        knobs
            .filter(|(knob, _)| !self.dropped.contains(knob))
            .flat_map(|(knob, setting)| {
                let refused = self.refused.get(knob).into_iter().flatten();
                refused
                    .filter(|(value, _)| setting.values().contains(value))
                    .map(|(value, reason)| (knob.clone(), value.clone(), reason.clone()))
            })
            .collect()
    }

    /// Returns whether `profile` sets `knob`, and no value of it can be applied.
    pub(super) fn is_exhausted(&self, profile: &FidelityProfile, knob: &KnobId) -> bool {
        match (profile.knobs.get(knob), self.refused.get(knob)) {
            (Some(setting), Some(refused)) => setting
                .values()
                .iter()
                .all(|value| refused.contains_key(value)),
            _ => false,
        }
    }

    /// Returns why the first value of `knob` that could not be applied could not.
    pub(super) fn first_refusal(&self, knob: &KnobId) -> String {
        let reasons = self.refused.get(knob).into_iter().flatten();
        reasons
            .map(|(_, reason)| reason.clone())
            .next()
            .unwrap_or_default()
    }
}
