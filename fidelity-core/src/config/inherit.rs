//! Effective values: what a fidelity profile comes to when what it inherits is worked in.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{FidelityProfile, KnobId, KnobSetting};

use super::catalogue;
use super::contradictions;
use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::document::{Document, Written, WrittenProfile};
use super::presets::{PREFIX, Presets};
use super::printable::shown;
use super::suggest::{self, Candidate};

/// The fidelity profiles there are: those of the document, and the presets.
pub(crate) struct Known<'a> {
    pub(crate) document: &'a Document,
    pub(crate) presets: &'a Presets,
}

impl<'a> Known<'a> {
    fn get(&self, name: &str) -> Option<&'a WrittenProfile> {
        self.document
            .profiles
            .get(name)
            .or_else(|| self.presets.get(name.strip_prefix(PREFIX)?))
    }

    fn find(&self, name: &Written<String>) -> Result<&'a WrittenProfile, ConfigError> {
        self.get(&name.value).ok_or_else(|| {
            let misplaced = match name.value.strip_prefix(PREFIX) {
                None => super::presets::names().find(|preset| *preset == name.value),
                Some(_) => None,
            };
            let near = name.value.strip_prefix(PREFIX).map(|preset| {
                let near = suggest::nearest(preset, super::presets::names().map(Candidate::plain));
                near.unwrap_or_else(|| {
                    super::presets::names()
                        .collect::<Vec<_>>()
                        .join("` or `preset:")
                })
            });
            let mut error = self.document.unknown_profile(&name.value, &name.span);
            if let Some(preset) = misplaced.map(str::to_owned).or(near) {
                error.hints = vec![format!("did you mean `{PREFIX}{preset}`?")];
            }
            error
        })
    }

    /// Checks what every fidelity profile of the document inherits, used or not: unknown names, circles, conflicts.
    pub(crate) fn check(&self, findings: &mut Findings) {
        let mut sound: BTreeSet<&str> = BTreeSet::new();
        for (name, profile) in &self.document.profiles {
            if findings.full() {
                break;
            }
            check_conflicts(profile, findings);
            contradictions::check(profile, findings);
            let mut path: Vec<&str> = Vec::new();
            let mut on_path: BTreeSet<&str> = BTreeSet::new();
            let mut next = Some((name.as_str(), profile));
            while let Some((name, profile)) = next.take() {
                if !sound.insert(name) {
                    break;
                }
                path.push(name);
                on_path.insert(name);
                let Some(parent) = &profile.inherits else {
                    break;
                };
                if on_path.contains(parent.value.as_str()) {
                    findings.add(cycle(&path, parent));
                    break;
                }
                let found = findings.keep(self.find(parent));
                next = found.map(|profile| (parent.value.as_str(), profile));
            }
        }
    }

    /// Returns the knobs whose effective values in the profile `name` are the user's own, in the file or on the command line:
    /// no preset says them. Only for documents that [`Self::check`] found sound.
    pub(crate) fn own_knobs(&self, name: &Written<String>) -> BTreeSet<KnobId> {
        let mut own = BTreeSet::new();
        let mut level = self.document.profiles.get(&name.value);
        // No chain is longer than there are profiles, unless it is a circle.
        for _ in 0..=self.document.profiles.len() {
            let Some(profile) = level else { break };
            own.extend(profile.knobs.keys().cloned());
            let parent = profile.inherits.as_ref();
            level = parent.and_then(|parent| self.document.profiles.get(&parent.value));
        }
        own
    }

    /// Returns the `list` of the profile `name`: that of the closest level that has one.
    pub(crate) fn closest(
        &self,
        name: &Written<String>,
        list: fn(&WrittenProfile) -> Option<Vec<String>>,
    ) -> Vec<String> {
        let mut level = self.get(&name.value);
        // No chain is longer than there are profiles, unless it is a circle.
        for _ in 0..=self.document.profiles.len() + 1 {
            let Some(profile) = level else { break };
            if let Some(found) = list(profile) {
                return found;
            }
            let parent = profile.inherits.as_ref();
            level = parent.and_then(|parent| self.get(&parent.value));
        }
        Vec::new()
    }

    /// Returns the effective values of the profile `name`. Only for documents that [`Self::check`] found sound.
    pub(crate) fn effective(&self, name: &Written<String>) -> Result<FidelityProfile, ConfigError> {
        let mut levels = vec![self.find(name)?];
        // No chain is longer than there are profiles, unless it is a circle.
        let longest = self.document.profiles.len() + super::presets::names().count() + 1;
        while let Some(parent) = levels.last().and_then(|profile| profile.inherits.as_ref()) {
            if longest <= levels.len() {
                break;
            }
            levels.push(self.find(parent)?);
        }
        let mut knobs: BTreeMap<KnobId, KnobSetting> = BTreeMap::new();
        let mut order = None;
        for level in levels.into_iter().rev() {
            for (id, setting) in &level.knobs {
                // The closer level wins, also where it sets the same variable through another knob.
                for rival in rivals(id) {
                    knobs.remove(&rival);
                }
                knobs.retain(|other, value| {
                    contradictions::between((id, &setting.value), (other, value)).is_none()
                });
                if id.0 == "order" {
                    order = Some(setting);
                }
                knobs.insert(id.clone(), setting.value.clone());
            }
        }
        contradictions::check_order(order, knobs.get(&KnobId::from("process")))?;
        Ok(FidelityProfile {
            name: name.value.clone(),
            knobs,
        })
    }
}

/// Returns the knobs that set the same environment variables as `id`.
fn rivals(id: &KnobId) -> Vec<KnobId> {
    match id.variable() {
        Some(variable) => catalogue::KNOBS
            .iter()
            .filter(|knob| knob.variables.contains(&variable))
            .map(|knob| KnobId::from(knob.name))
            .collect(),
        None => catalogue::of(id)
            .into_iter()
            .flat_map(|knob| knob.variables)
            .map(|variable| KnobId(format!("env.{variable}")))
            .collect(),
    }
}

/// Finds knobs of one level that set the same environment variable.
fn check_conflicts(profile: &WrittenProfile, findings: &mut Findings) {
    for (id, written) in profile
        .knobs
        .iter()
        .filter(|(id, _)| id.variable().is_some())
    {
        for rival in rivals(id) {
            if let Some(other) = profile.knobs.get(&rival) {
                let message = format!("`{}` and `{rival}` set the same variable", shown(&id.0));
                findings.add(
                    ConfigError::at(ErrorKind::Conflict, &written.span, message)
                        .label("set here")
                        .related(&other.span, "and here")
                        .hint("remove one of them"),
                );
            }
        }
    }
}

fn cycle(path: &[&str], parent: &Written<String>) -> ConfigError {
    const SHOWN: usize = 8;
    let start = path
        .iter()
        .position(|name| *name == parent.value)
        .unwrap_or_default();
    let members = path.get(start..).unwrap_or_default();
    let mut names: Vec<String> = members
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", shown(name)))
        .collect();
    if SHOWN < members.len() {
        names.push("...".to_owned());
    }
    names.push(format!("`{}`", shown(&parent.value)));
    let message = format!(
        "fidelity profiles inherit in a circle: {}",
        names.join(" -> ")
    );
    ConfigError::at(ErrorKind::Cycle, &parent.span, message).label("closes the circle")
}
