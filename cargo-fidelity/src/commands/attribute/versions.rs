//! The versions of the profile between two commits: what the target asked for at each.

use std::collections::BTreeMap;

use fidelity_core::attribute::account::KnobChange;
use fidelity_core::attribute::commit_search::Place;
use fidelity_core::attribute::history::{
    At, CommitId, CommitInfo, End, FidelityChange, FidelityHistory, Repository, State, Values,
};
use fidelity_core::domain::{Arm, Environment, FidelityProfile, KnobId, KnobSetting};

use super::Session;
use super::evidence::restore_users;
use crate::error::CliError;

/// Commits whose configuration cannot be read that are named.
const UNREADABLE: usize = 3;

/// A version of the profile.
#[derive(Clone, Debug)]
pub struct Version {
    /// Where on the line it begins.
    pub place: usize,
    /// What trials run under.
    pub environment: Environment,
    /// Whether no commit says so: it is not committed, or comes from the command line.
    pub uncommitted: bool,
}

/// The versions along a line.
#[derive(Clone, Debug)]
pub struct Versions {
    /// The earliest first; one alone where nothing changed.
    versions: Vec<Version>,
    /// Why the profile of the good end is not known.
    pub unread: Option<String>,
    /// Every change in the history of the bad end.
    history: FidelityHistory,
}

impl Versions {
    /// Returns the versions along `line`.
    pub fn along(session: &Session<'_>, line: &[Place]) -> Result<Self, CliError> {
        let subject = session.subject();
        let [first, last] =
            [line.first(), line.last()].map(|place| place.map(|place| &place.commit));
        let (points, history) = session
            .repository
            .history_since(&subject, last, &mut |point| point.commit() == first)?;
        let states: BTreeMap<&CommitId, &State> = points
            .iter()
            .filter_map(|point| match &point.at {
                At::Commit(id) => Some((id, &point.state)),
                At::Uncommitted => None,
            })
            .collect();
        let mut found = Self {
            versions: Vec::new(),
            unread: None,
            history: history.clone(),
        };
        for (place, at) in line.iter().enumerate() {
            let state = match states.get(&at.commit) {
                Some(state) => (*state).clone(),
                None => session.repository.state_at(&subject, &at.commit)?,
            };
            match state {
                State::Known(values) => found.add(place, environment(session, &values), false),
                State::Unreadable(reason) if place == 0 => {
                    found.unread = Some(reason.to_string());
                    return Ok(found);
                }
                // What cannot be read is passed over: the next one that can be tells what changed.
                State::Unreadable(_) => {}
            }
        }
        let pinned = session.evidence.environment.clone();
        found.add(line.len() - 1, pinned, true);
        Ok(found)
    }

    fn add(&mut self, place: usize, environment: Environment, uncommitted: bool) {
        let same = self
            .versions
            .last()
            .is_some_and(|last| last.environment.without_users() == environment.without_users());
        if !same {
            self.versions.push(Version {
                place,
                environment,
                uncommitted,
            });
        }
    }

    /// Returns where they begin; nothing where both ends have the same values.
    pub fn places(&self) -> Vec<usize> {
        let ends = self.versions.first().zip(self.versions.last());
        match ends {
            Some((first, last))
                if first.environment.without_users() != last.environment.without_users() =>
            {
                self.versions.iter().map(|version| version.place).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns what trials of each run under. Users of URLs that were stored masked are those of `profile`.
    pub fn environments(&self, profile: &FidelityProfile) -> Vec<Environment> {
        let versions = self.versions.iter();
        versions
            .map(|version| restore_users(&version.environment, profile))
            .collect()
    }

    /// Returns a version.
    pub fn get(&self, version: usize) -> Option<&Version> {
        self.versions.get(version)
    }

    /// Returns the knobs that a version changed.
    pub fn changed(&self, version: usize) -> Vec<KnobChange> {
        let (Some(before), Some(after)) = (
            version
                .checked_sub(1)
                .and_then(|before| self.versions.get(before)),
            self.versions.get(version),
        ) else {
            return Vec::new();
        };
        let (before, after) = (
            before.environment.without_users(),
            after.environment.without_users(),
        );
        let knobs: std::collections::BTreeSet<&KnobId> =
            before.0.keys().chain(after.0.keys()).collect();
        knobs
            .into_iter()
            .filter(|knob| before.0.get(*knob) != after.0.get(*knob))
            .map(|knob| KnobChange {
                knob: knob.0.clone(),
                before: before.0.get(knob).map(ToString::to_string),
                after: after.0.get(knob).map(ToString::to_string),
            })
            .collect()
    }

    /// Returns the commit that these changes of a version came with, entered where `at` is a merge, and that merge. A merge with which
    /// the line of `good` goes on may have its values from before: then it is the last commit that gave them, unless `good` has it.
    pub fn commit_of(
        &self,
        changes: &[KnobChange],
        (good, at): (&CommitId, &CommitId),
        repository: &Repository,
    ) -> (Option<CommitInfo>, Option<CommitInfo>) {
        let here = At::Commit(at.clone());
        let mut of_these = self.history.changes.iter().filter(|found| {
            let knob = &found.change.knob.0;
            found.change.arm == Arm::Target && changes.iter().any(|change| change.knob == *knob)
        });
        let on_line = |found: &&FidelityChange| {
            let change = &found.change;
            *change.merged_by.as_ref().unwrap_or(&change.at) == here
        };
        if let Some(found) = of_these.clone().find(on_line) {
            return (found.commit.clone(), found.merge.clone());
        }
        let is_before = |found: &&FidelityChange| {
            let commit = found.commit.as_ref();
            commit.is_some_and(|commit| repository.is_before(&commit.id, at))
        };
        let last = of_these.rfind(is_before);
        let of_other_side = last.filter(|found| {
            let commit = found.commit.as_ref();
            commit.is_some_and(|info| info.id != *good && !repository.is_before(&info.id, good))
        });
        match of_other_side {
            Some(found) => (found.commit.clone(), found.merge.clone()),
            None => (repository.info(at).ok(), None),
        }
    }

    /// Returns what there is to know of the configuration along `line`: where it could not be read, what it was called, and
    /// where the clone ends.
    pub fn notes(&self, line: &[Place]) -> Vec<String> {
        let on_line = |id: &CommitId| line.iter().any(|place| place.commit == *id);
        let mut notes: Vec<String> = Vec::new();
        let unreadable = self
            .history
            .unreadable
            .iter()
            .filter_map(|(at, reason)| match at {
                At::Commit(id) if on_line(id) => Some((id, reason)),
                _ => None,
            });
        for (id, reason) in unreadable.clone().take(UNREADABLE) {
            notes.push(format!(
                "the configuration at {} cannot be read and was passed over: {reason}",
                id.short()
            ));
        }
        let more = unreadable.count().saturating_sub(UNREADABLE);
        if 0 < more {
            notes.push(format!("nor can it be read at {more} other commits"));
        }
        for (id, from, to) in self.history.renames.iter().filter(|(id, _, _)| on_line(id)) {
            notes.push(format!(
                "{} renamed the configuration from {} to {}",
                id.short(),
                from.display(),
                to.display()
            ));
        }
        if let End::Missing { oldest, shallow } = &self.history.end {
            let why = if *shallow {
                "the clone is shallow"
            } else {
                "objects are missing"
            };
            notes.push(format!("the history ends at {}: {why}", oldest.short()));
        }
        notes
    }

    /// Returns the input files' knobs that a commit changed.
    pub fn inputs_changed_by(&self, commit: &CommitId) -> Vec<KnobChange> {
        let here = At::Commit(commit.clone());
        let changes = self.history.changes.iter().map(|found| &found.change);
        changes
            .filter(|change| {
                change.at == here
                    && change.arm == Arm::Target
                    && change.knob.0.starts_with("inputs.")
            })
            .map(|change| KnobChange {
                knob: change.knob.0.clone(),
                before: change.before.as_ref().map(ToString::to_string),
                after: change.after.as_ref().map(ToString::to_string),
            })
            .collect()
    }
}

/// Returns the environment that a profile with these values asks for: as near as possible to the one in which the test fails,
/// so that only what the profile changed differs. What was not applied then is not asked for; files are part of the code.
fn environment(session: &Session<'_>, values: &Values) -> Environment {
    let pinned = &session.evidence.environment.0;
    let knobs = values.of(Arm::Target).iter().filter_map(|(knob, setting)| {
        if knob.0.starts_with("inputs.") || session.evidence.not_applied.contains(knob) {
            return None;
        }
        let choices = KnobSetting::values(setting);
        let same = pinned.get(knob).and_then(|value| {
            choices
                .iter()
                .find(|choice| choice.without_users() == *value)
        });
        let value = same.or_else(|| choices.first())?;
        Some((knob.clone(), value.clone()))
    });
    Environment(knobs.collect())
}
