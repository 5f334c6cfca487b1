//! Which knobs of the two arms can be applied here, by experiment.
//!
//! A canary and every binary's list of tests are run under each environment an arm can take. Where that fails, the
//! values responsible are found by trying each alone, then together. They are taken from the choices they belong to; a
//! knob of which an arm has no value left is not imposed in either arm.
//! Invariant: a knob is reported as applied only if a canary saw each of the values it still has.

use std::collections::{BTreeMap, BTreeSet};

use super::DirectRunner;
use super::probe::{Lists, Unfit};
use crate::domain::{Environment, FidelityProfile, KnobId, KnobSetting, KnobStatus, KnobValue};
use crate::exec::ExecError;
use crate::exec::canary::CanaryReport;
use crate::exec::sandbox;
use crate::urls::without_users;

/// How often an environment that failed once and then did not may be tried again.
const SECOND_CHANCES: u32 = 2;

/// What canaries saw of each knob.
type Seen = BTreeMap<KnobId, Vec<String>>;

impl DirectRunner {
    /// Finds out which knobs of both arms can be applied here. Those that cannot are not imposed from now on; what is left
    /// of choices is said by [`Self::narrowed`].
    ///
    /// `production` holds the facts by which a setting of the target is judged to be beyond production.
    ///
    /// # Errors
    /// Where nothing can be run at all.
    pub fn apply(
        &mut self,
        baseline: &FidelityProfile,
        target: &FidelityProfile,
        production: &BTreeMap<KnobId, KnobValue>,
    ) -> Result<Vec<KnobStatus>, ExecError> {
        let lists = if baseline.knobs.is_empty() && target.knobs.is_empty() {
            Lists::new()
        } else {
            self.lists_as_things_are()?
        };
        let mut seen = Seen::new();
        self.refuse_by_manners(&[baseline, target]);
        for profile in [baseline, target] {
            for environment in environments(profile) {
                self.examine(environment, &lists, &mut seen)?;
            }
        }
        let knobs: BTreeSet<&KnobId> = baseline.knobs.keys().chain(target.knobs.keys()).collect();
        for knob in &knobs {
            if [baseline, target]
                .iter()
                .any(|arm| self.is_exhausted(arm, knob))
            {
                self.dropped.insert((*knob).clone());
            }
        }
        let (low, high) = (self.narrowed(baseline), self.narrowed(target));
        let knobs = knobs.into_iter();
        Ok(knobs
            .map(|knob| {
                let setting = |profile: &FidelityProfile| {
                    let setting = profile.knobs.get(knob).map(KnobSetting::to_string);
                    setting.map(|text| without_users(&text))
                };
                let applied = !self.dropped.contains(knob);
                KnobStatus {
                    knob: knob.clone(),
                    baseline: setting(&low),
                    target: setting(&high),
                    applied,
                    reason: match applied {
                        true => self.words(knob, seen.remove(knob)),
                        false => self.first_refusal(knob),
                    },
                    beyond_production: is_beyond(knob, &high, production),
                }
            })
            .collect())
    }

    /// Refuses the values that mean nothing to a whole command.
    fn refuse_by_manners(&mut self, profiles: &[&FidelityProfile]) {
        let Some(refuses) = self.manners.as_ref().map(|manners| manners.refuses) else {
            return;
        };
        for (knob, setting) in profiles.iter().flat_map(|profile| &profile.knobs) {
            for value in setting.values() {
                if let Some(reason) = refuses(knob, value) {
                    let refused = self.refused.entry(knob.clone()).or_default();
                    refused.insert(value.clone(), reason);
                }
            }
        }
    }

    /// Says what became of a knob that is imposed: first what it goes without, then what was seen of it.
    fn words(&self, knob: &KnobId, seen: Option<Vec<String>>) -> String {
        let refused = self.refused.get(knob).into_iter().flatten();
        let without = refused.map(|(value, reason)| {
            format!("without {}: {reason}", without_users(&value.to_string()))
        });
        let words: Vec<String> = without.chain(seen.into_iter().flatten()).collect();
        words.join("; ")
    }

    /// Tries one environment, drops what does not work in it, and notes what the canary saw of the rest.
    fn examine(
        &mut self,
        environment: Environment,
        lists: &Lists,
        seen: &mut Seen,
    ) -> Result<(), ExecError> {
        let mut environment = self.imposed(&environment);
        let mut chances = SECOND_CHANCES;
        while !environment.0.is_empty() {
            let culprits = match self.probe(&environment, lists)? {
                Ok(report) => {
                    let culprits = judge(&environment, &report, seen);
                    if culprits.is_empty() {
                        return Ok(());
                    }
                    culprits
                }
                Err(unfit) => {
                    let reason = format!("not every time: {}", unfit.reason);
                    let culprits = self.culprits(&environment, lists, unfit)?;
                    if culprits.is_empty() && chances > 0 {
                        chances -= 1;
                        continue;
                    }
                    if culprits.is_empty() {
                        // It fails now and then whatever is left out: nothing of it can be relied on.
                        environment
                            .0
                            .keys()
                            .map(|knob| (knob.clone(), reason.clone()))
                            .collect()
                    } else {
                        culprits
                    }
                }
            };
            for (knob, reason) in culprits {
                if let Some(value) = environment.0.remove(&knob) {
                    self.refused.entry(knob).or_default().insert(value, reason);
                }
            }
        }
        Ok(())
    }

    /// Returns the knobs because of which `environment` does not work; none if it works by now.
    fn culprits(
        &mut self,
        environment: &Environment,
        lists: &Lists,
        unfit: Unfit,
    ) -> Result<Vec<(KnobId, String)>, ExecError> {
        if !unfit.knobs.is_empty() {
            return Ok(unfit.knobs);
        }
        let mut culprits = Vec::new();
        for (knob, value) in &environment.0 {
            let alone = Environment([(knob.clone(), value.clone())].into());
            if let Err(unfit) = self.probe(&alone, lists)? {
                culprits.push((knob.clone(), unfit.reason));
            }
        }
        if !culprits.is_empty() {
            return Ok(culprits);
        }
        // Each works alone: build the environment up again, and leave out what breaks it.
        let mut together = Environment::default();
        for (knob, value) in &environment.0 {
            together.0.insert(knob.clone(), value.clone());
            if let Err(unfit) = self.probe(&together, lists)? {
                together.0.remove(knob);
                let reason = format!("together with the other knobs: {}", unfit.reason);
                culprits.push((knob.clone(), reason));
            }
        }
        Ok(culprits)
    }
}

/// Returns the environments of `profile`: as many as the longest choice is long, every value in at least one.
fn environments(profile: &FidelityProfile) -> Vec<Environment> {
    let longest = profile
        .knobs
        .values()
        .map(|setting| setting.values().len())
        .max()
        .unwrap_or(0);
    (0..longest)
        .map(|turn| {
            let knobs = profile.knobs.iter();
            Environment(
                knobs
                    .filter_map(|(knob, setting)| {
                        let values = setting.values();
                        Some((
                            knob.clone(),
                            values.get(turn % values.len().max(1))?.clone(),
                        ))
                    })
                    .collect(),
            )
        })
        .collect()
}

/// Notes what the canary saw. Returns the knobs that did not arrive.
fn judge(
    environment: &Environment,
    report: &CanaryReport,
    seen: &mut Seen,
) -> Vec<(KnobId, String)> {
    let mut culprits = Vec::new();
    for (knob, value) in &environment.0 {
        match sandbox::observe(knob, value, report) {
            Ok(words) => {
                let seen = seen.entry(knob.clone()).or_default();
                if !seen.contains(&words) {
                    seen.push(words);
                }
            }
            Err(reason) => culprits.push((knob.clone(), reason)),
        }
    }
    culprits
}

/// Returns whether a value `target` can take for `knob` is harsher than production.
fn is_beyond(
    knob: &KnobId,
    target: &FidelityProfile,
    production: &BTreeMap<KnobId, KnobValue>,
) -> bool {
    let (Some(setting), Some(fact)) = (target.knobs.get(knob), production.get(knob)) else {
        return false;
    };
    setting
        .values()
        .iter()
        .any(|value| sandbox::harsher(knob, value, fact))
}
