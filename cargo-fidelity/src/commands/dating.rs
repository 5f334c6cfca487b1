//! Since when the knobs of a cause have their values: read out of the history of `fidelity.toml`, without a build or a trial.

use std::path::Path;

use fidelity_core::attribute::history::{
    CommitId, FidelityHistory, HistoryError, Line, Repository, Subject, set_by,
};
use fidelity_core::domain::{
    Arm, Attribution, CausingKnob, FidelityProfile, KnobId, KnobSetting, KnobSince, Revision,
    RunHeader, SetBy,
};

use super::prepare;
use crate::cli::ProfileArgs;

/// The history of a project, read once and only when a cause asks for it.
pub struct Dating<'a> {
    root: &'a Path,
    profiles: &'a ProfileArgs,
    read: Option<Option<(Line, FidelityHistory)>>,
}

impl<'a> Dating<'a> {
    /// Returns that of the project at `root`, of the fidelity profiles and the file that the command line names.
    pub fn new(root: &'a Path, profiles: &'a ProfileArgs) -> Self {
        Self {
            root,
            profiles,
            read: None,
        }
    }

    /// Adds to each knob of the cause that was found for a test of this run since when it has its value; returns whether it did. Where
    /// no history tells, nothing is said.
    ///
    /// # Errors
    /// There is a repository, and it cannot be read.
    pub fn date(
        &mut self,
        header: &RunHeader,
        attribution: &mut Attribution,
    ) -> Result<bool, HistoryError> {
        let Some(cause) = &mut attribution.cause else {
            return Ok(false);
        };
        if cause.knobs.is_empty() {
            return Ok(false);
        }
        if self.read.is_none() {
            // What cannot be read is told once.
            self.read = Some(None);
            self.read = Some(self.history(header)?);
        }
        let mut any = false;
        for knob in &mut cause.knobs {
            knob.since = self.since(&header.target, knob);
            any |= knob.since.is_some();
        }
        Ok(any)
    }

    /// Returns the history of what a run asked for; none where there is none.
    fn history(&self, header: &RunHeader) -> Result<Option<(Line, FidelityHistory)>, HistoryError> {
        let subject = Subject {
            config_file: self.profiles.config_file.as_deref(),
            baseline: self.profiles.baseline.as_deref(),
            target: self.profiles.target.as_deref(),
        };
        let read = Repository::of(self.root).and_then(|repository| {
            let tip = tip(header.revision.as_ref(), &repository)?;
            repository.history_to(&subject, tip.as_ref())
        });
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error @ HistoryError::Git { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }

    fn since(&self, target: &FidelityProfile, knob: &CausingKnob) -> Option<KnobSince> {
        let id = KnobId(knob.knob.clone());
        let asked = target.knobs.get(&id);
        let is = |setting: Option<&KnobSetting>| asks_for(setting, asked, knob.value.as_deref());
        let (line, history) = self.read.as_ref()?.as_ref()?;
        let set_by = match set_by(line, history, (Arm::Target, &id), &is) {
            Some(set_by) => set_by,
            None if self.is_typed(&id, &is) => SetBy::CommandLine,
            None => return None,
        };
        Some(KnobSince {
            profile: target.name.clone(),
            setting: asked.map(|setting| setting.without_users().to_string()),
            set_by,
        })
    }

    /// Returns whether the command line gives the knob a setting for which `is` holds.
    fn is_typed(&self, knob: &KnobId, is: &dyn Fn(Option<&KnobSetting>) -> bool) -> bool {
        if self.profiles.set.is_empty() {
            return false;
        }
        let settings = prepare::settings_of(self.profiles, Vec::new(), self.root);
        settings.is_ok_and(|settings| is(settings.target.knobs.get(knob)))
    }
}

/// Returns the commit a run was made at, where the work tree is at another one now.
fn tip(
    revision: Option<&Revision>,
    repository: &Repository,
) -> Result<Option<CommitId>, HistoryError> {
    let clean = revision.filter(|revision| !revision.dirty);
    let commit = clean.map(|revision| CommitId(revision.commit.clone()));
    let head = repository.head()?.to_string();
    Ok(commit.filter(|commit| commit.0 != head && repository.info(commit).is_ok()))
}

/// Returns whether `setting` asks for `value`, or for everything that `asked` does where no value matters. An absent setting asks for
/// an environment that is left as it is.
fn asks_for(
    setting: Option<&KnobSetting>,
    asked: Option<&KnobSetting>,
    value: Option<&str>,
) -> bool {
    let (Some(setting), Some(asked)) = (setting, asked) else {
        return setting.is_none() && asked.is_none();
    };
    let (setting, asked) = (setting.without_users(), asked.without_users());
    match value {
        Some(value) => setting.values().iter().any(|one| one.to_string() == value),
        None => asked
            .values()
            .iter()
            .all(|one| setting.values().contains(one)),
    }
}
