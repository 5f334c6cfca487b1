//! Since when the knobs of a cause have their values: read out of the history of `fidelity.toml`, without a build or a trial.

use std::collections::BTreeMap;
use std::path::Path;

use fidelity_core::attribute::history::{
    CommitId, End, FidelityHistory, HistoryError, Line, Point, Repository, State, baseline_set_by,
    set_by,
};
use fidelity_core::domain::{
    Arm, Attribution, CausingKnob, FidelityProfile, KnobId, KnobSetting, KnobSince, Revision,
    RunHeader, SetBy,
};

use super::prepare;
use crate::cli::ProfileArgs;

/// The history of a project, read only when a cause asks for it, and no further than it asks.
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
        let wanted: Vec<Option<Wanted<'_>>> = cause
            .knobs
            .iter()
            .map(|knob| Wanted::of(header, knob))
            .collect();
        // Back to where each of them was set; all of it where that was not enough, for other causes as well.
        if self.read.is_none() {
            let mut open: Vec<&Wanted<'_>> = wanted.iter().flatten().collect();
            self.read_until(header, &mut |point| {
                if let State::Known(values) = &point.state {
                    open.retain(|wanted| wanted.is_asked_by(values.of(Arm::Target)));
                }
                open.is_empty()
            })?;
        }
        if self.is_short_for(&wanted) {
            self.read_until(header, &mut |_| false)?;
        }
        let dates: Vec<Option<KnobSince>> = wanted
            .iter()
            .map(|wanted| self.since(header, wanted.as_ref()?))
            .collect();
        let any = dates.iter().any(Option::is_some);
        for (knob, since) in cause.knobs.iter_mut().zip(dates) {
            knob.since = since;
        }
        Ok(any)
    }

    /// Returns whether what was read says of one of them that its value is asked for, and goes back less far than it is.
    fn is_short_for(&self, wanted: &[Option<Wanted<'_>>]) -> bool {
        let Some(Some((line, history))) = &self.read else {
            return false;
        };
        let last = line.last().map(|point| &point.state);
        history.end == End::Enough
            && wanted.iter().flatten().any(|wanted| {
                let is_asked = match last {
                    Some(State::Known(values)) => wanted.is_asked_by(values.of(Arm::Target)),
                    _ => false,
                };
                is_asked && wanted.set_by(line, history).is_none()
            })
    }

    /// Reads the history of what a run asked for; there may be none.
    fn read_until(
        &mut self,
        header: &RunHeader,
        enough: &mut dyn FnMut(&Point) -> bool,
    ) -> Result<(), HistoryError> {
        // What cannot be read is told once.
        self.read = Some(None);
        let subject = self.profiles.compared.subject();
        let read = Repository::of(self.root).and_then(|repository| {
            let tip = tip(header.revision.as_ref(), &repository)?;
            repository.history_since(&subject, tip.as_ref(), enough)
        });
        match read {
            Ok(read) => self.read = Some(Some(read)),
            Err(error @ HistoryError::Git { .. }) => return Err(error),
            Err(_) => {}
        }
        Ok(())
    }

    fn since(&self, header: &RunHeader, wanted: &Wanted<'_>) -> Option<KnobSince> {
        let (line, history) = self.read.as_ref()?.as_ref()?;
        let said = |profile: &FidelityProfile, set_by, baseline| KnobSince {
            profile: profile.name.clone(),
            setting: profile
                .knobs
                .get(&wanted.id)
                .map(|setting| setting.without_users().to_string()),
            set_by,
            baseline,
        };
        let set_by = match wanted.set_by(line, history) {
            Some(set_by) => set_by,
            None if self.is_typed(wanted) => SetBy::CommandLine,
            None => return None,
        };
        let low = wanted.baseline_set_by(line, history);
        let low = low.map(|set_by| Box::new(said(&header.baseline, set_by, None)));
        Some(said(&header.target, set_by, low))
    }

    /// Returns whether the command line gives the knob the setting.
    fn is_typed(&self, wanted: &Wanted<'_>) -> bool {
        if self.profiles.set.is_empty() {
            return false;
        }
        let settings = prepare::settings_of(self.profiles, &[], self.root);
        settings.is_ok_and(|settings| wanted.is_asked_by(&settings.target.knobs))
    }
}

/// A knob of a cause, with what the profiles of its run asked for.
struct Wanted<'a> {
    id: KnobId,
    /// What the baseline and the target asked for.
    asked: [Option<&'a KnobSetting>; 2],
    /// The value that matters; none where everything that the target asked for does.
    value: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// Returns none for what no fidelity profile asks for, such as what a test runs among.
    fn of(header: &'a RunHeader, knob: &'a CausingKnob) -> Option<Self> {
        let id = KnobId(knob.knob.clone());
        let asked = [&header.baseline, &header.target].map(|profile| profile.knobs.get(&id));
        asked.iter().any(Option::is_some).then_some(Self {
            id,
            asked,
            value: knob.value.as_deref(),
        })
    }

    /// Returns whether a profile of these knobs asks for the value.
    fn is_asked_by(&self, knobs: &BTreeMap<KnobId, KnobSetting>) -> bool {
        let [_, high] = self.asked;
        asks_for(knobs.get(&self.id), high, self.value)
    }

    fn set_by(&self, line: &Line, history: &FidelityHistory) -> Option<SetBy> {
        let [_, high] = self.asked;
        let is = |setting: Option<&KnobSetting>| asks_for(setting, high, self.value);
        set_by(line, history, (Arm::Target, &self.id), &is)
    }

    fn baseline_set_by(&self, line: &Line, history: &FidelityHistory) -> Option<SetBy> {
        let [low, high] = self.asked;
        let low = |setting: Option<&KnobSetting>| asks_for(setting, low, None);
        let high = |setting: Option<&KnobSetting>| asks_for(setting, high, self.value);
        baseline_set_by(line, history, &self.id, [&low, &high])
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
