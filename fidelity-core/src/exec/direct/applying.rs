//! Which knobs of the two arms can be applied here, by experiment.
//!
//! A canary and every binary's list of tests are run under each environment an arm can take. Where that fails, the
//! knobs responsible are found by trying each alone, then together; they are not imposed in either arm.
//! Invariant: a knob is reported as applied only if a canary saw each of its values.

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

/// What is known of a knob so far.
#[derive(Default)]
struct Finding {
    seen: Vec<String>,
    problem: Option<String>,
}

impl DirectRunner {
    /// Finds out which knobs of both arms can be applied here. Those that cannot are not imposed from now on.
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
        let mut findings: BTreeMap<KnobId, Finding> = BTreeMap::new();
        for profile in [baseline, target] {
            for environment in environments(profile) {
                self.examine(environment, &lists, &mut findings)?;
            }
        }
        let knobs: BTreeSet<&KnobId> = baseline.knobs.keys().chain(target.knobs.keys()).collect();
        Ok(knobs
            .into_iter()
            .map(|knob| {
                let finding = findings.remove(knob).unwrap_or_default();
                let setting = |profile: &FidelityProfile| {
                    let setting = profile.knobs.get(knob).map(KnobSetting::to_string);
                    setting.map(|text| without_users(&text))
                };
                KnobStatus {
                    knob: knob.clone(),
                    baseline: setting(baseline),
                    target: setting(target),
                    applied: finding.problem.is_none(),
                    reason: finding.problem.unwrap_or_else(|| finding.seen.join("; ")),
                    beyond_production: is_beyond(knob, target, production),
                }
            })
            .collect())
    }

    /// Tries one environment, drops what does not work in it, and notes what the canary saw of the rest.
    fn examine(
        &mut self,
        environment: Environment,
        lists: &Lists,
        findings: &mut BTreeMap<KnobId, Finding>,
    ) -> Result<(), ExecError> {
        let mut environment = self.imposed(&environment);
        let mut chances = SECOND_CHANCES;
        while !environment.0.is_empty() {
            let culprits = match self.probe(&environment, lists)? {
                Ok(report) => {
                    let culprits = judge(&environment, &report, findings);
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
                environment.0.remove(&knob);
                findings.entry(knob.clone()).or_default().problem = Some(reason);
                self.dropped.insert(knob);
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
    findings: &mut BTreeMap<KnobId, Finding>,
) -> Vec<(KnobId, String)> {
    let mut culprits = Vec::new();
    for (knob, value) in &environment.0 {
        match sandbox::observe(knob, value, report) {
            Ok(words) => {
                let seen = &mut findings.entry(knob.clone()).or_default().seen;
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
