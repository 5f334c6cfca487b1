//! From an answer to what is stored and shown: commits get their authors and dates, endings their words.

use fidelity_core::attribute::account::{
    Account, Cause, KnobChange, Suspect, Tally, good_unread, kind_of, no_cause, wording,
};
use fidelity_core::attribute::commit_search::CommitEnding;
use fidelity_core::attribute::engine::Counts;
use fidelity_core::attribute::history::{CommitId, CommitInfo};
use fidelity_core::attribute::inquiry::{Answer, Case, Needed, Searched};
use fidelity_core::attribute::journal::{Journal, Showed};
use fidelity_core::domain::CauseKind;
use fidelity_core::report::number::percent;

use super::versions::Versions;
use super::{Session, changed, outside};
use crate::error::CliError;

/// Returns what the answer comes to.
pub fn account(
    session: &Session<'_>,
    (case, versions): (&Case, &Versions),
    (answer, journal): (&Answer, &Journal),
    mut notes: Vec<String>,
) -> Result<Account, CliError> {
    let info = |commit: &CommitId| session.repository.info(commit).map_err(CliError::from);
    let ends = [case.line.first(), case.line.last()].map(|place| place.map(|place| &place.commit));
    let [Some(good), Some(bad)] = ends else {
        return Err(CliError::new(
            crate::error::ErrorKind::Internal,
            "a line without ends was searched",
        ));
    };
    notes.extend(outside::of_toolchains(&session.repository, [good, bad]));
    let (good, bad) = (info(good)?, info(bad)?);
    notes.extend(versions.notes(&case.line));
    if let Some(reason) = &versions.unread {
        let words = format!(
            "the configuration at {} cannot be read, so that only the code was searched: {reason}",
            good.id.short()
        );
        notes.push(words);
    }
    let mut untestable = Vec::new();
    for (commit, (seen, note)) in journal.notes() {
        match seen {
            Showed::Untestable => untestable.push((info(commit)?, note.clone())),
            _ => notes.push(format!("at {} {note}", commit.short())),
        }
    }
    let mut account = Account {
        test: session.test.clone(),
        run: Some(session.evidence.run),
        commits: case.line.len() - 1,
        from_history: false,
        cause: None,
        no_cause: None,
        suspects: Vec::new(),
        cells: cells(answer, &versions.places()),
        untestable,
        notes,
        cost: answer.spent.into(),
        good,
        bad,
    };
    if answer.code.as_ref().is_some_and(|code| code.time_dependent) {
        let words = "outcomes at one commit came in stretches: they depend on time, and the probability says less";
        account.notes.push(words.to_owned());
    }
    let teller = Teller {
        session,
        case,
        versions,
        answer,
    };
    teller.tell(&mut account)?;
    Ok(account)
}

/// Returns what was seen of old and new code under old and new profile, where they were crossed.
fn cells(answer: &Answer, versions: &[usize]) -> Vec<Tally> {
    if versions.is_empty() {
        return Vec::new();
    }
    let words = ["old", "new"];
    let mut cells = Vec::new();
    for (code, row) in words.iter().zip(answer.cells) {
        for (profile, counts) in words.iter().zip(row) {
            cells.push(Tally::new(
                format!("{code} code, {profile} profile"),
                counts,
            ));
        }
    }
    cells
}

/// Returns in words what came of the branch whose merge was found.
fn of_branch(ending: &CommitEnding, ends: (&str, &str)) -> String {
    match ending {
        CommitEnding::BadPasses => "the merge itself: what it merged passes".to_owned(),
        CommitEnding::GoodFails => {
            "no commit of what it merged: one side failed already where both parted, and the other passes"
                .to_owned()
        }
        ending => {
            let (word, _) = no_cause(ending, ends);
            format!("no commit of what it merged was found ({word})")
        }
    }
}

/// A commit of a cause: it, and the merge that brought it in.
type Named = (Option<CommitInfo>, Option<CommitInfo>);

struct Teller<'a> {
    session: &'a Session<'a>,
    case: &'a Case,
    versions: &'a Versions,
    answer: &'a Answer,
}

impl Teller<'_> {
    /// Says in the account what the cause is, or why there is none.
    fn tell(&self, account: &mut Account) -> Result<(), CliError> {
        let ends = (
            account.good.id.short().to_owned(),
            account.bad.id.short().to_owned(),
        );
        let ends = (ends.0.as_str(), ends.1.as_str());
        let answer = self.answer;
        let kind = answer.side.and_then(kind_of);
        let Some(kind) = kind else {
            let ending = answer
                .no_side
                .as_ref()
                .unwrap_or(&CommitEnding::NotReproducible);
            account.no_cause = Some(no_cause(ending, ends));
            return Ok(());
        };
        if kind == CauseKind::Outside {
            self.tell_outside(account, ends);
            return Ok(());
        }
        let mut code: Named = (None, None);
        let mut open = answer.no_version.as_ref();
        if let Some(searched) = &answer.code {
            match searched.found() {
                Some((commit, _)) => {
                    code = (Some(self.info(commit)?), self.merge_of(searched)?);
                    let kind = outside::of_commit(&self.session.repository, commit);
                    account.notes.extend(kind.map(str::to_owned));
                    account.notes.extend(
                        searched
                            .branch
                            .as_ref()
                            .map(|branch| of_branch(branch, ends)),
                    );
                }
                None => {
                    open = Some(&searched.ending);
                    account.suspects = self.suspects(searched)?;
                    account.notes.extend(self.within(searched)?);
                }
            }
        }
        let profile = self.profile();
        let values = answer.needed.as_ref();
        account.no_cause = match open {
            Some(open) => Some(self.no_cause(open, ends)),
            None => changed::stopped(values),
        };
        if account.no_cause.is_some() {
            let parts = [("code", code.0), ("fidelity", profile.0)];
            account.notes.extend(self.known_of(kind, parts));
        } else {
            account.cause = Some(self.cause(kind, code, profile, ends.0));
            account.notes.extend(changed::said(&self.changed(), values));
        }
        Ok(())
    }

    /// Returns the values that the version that was found changed.
    fn changed(&self) -> Vec<KnobChange> {
        let version = self.answer.version.map(|(version, _)| version);
        version.map_or_else(Vec::new, |version| self.versions.changed(version))
    }

    /// Returns the word and the sentence for an ending without a cause.
    fn no_cause(&self, ending: &CommitEnding, ends: (&str, &str)) -> (String, String) {
        match (ending, &self.versions.unread) {
            (CommitEnding::GoodFails, Some(_)) => good_unread(ends),
            _ => no_cause(ending, ends),
        }
    }

    /// Says that it is neither code nor profile.
    fn tell_outside(&self, account: &mut Account, ends: (&str, &str)) {
        let code = self.answer.code.as_ref().map(|code| &code.ending);
        match self.answer.no_side.as_ref().or(code) {
            Some(ending @ CommitEnding::NoneOfThese { .. }) => {
                account.no_cause = Some(no_cause(ending, ends));
            }
            ending => {
                let said = ending.map(|ending| no_cause(ending, ends).1);
                account.notes.extend(said);
                let known = outside::of_runs(self.session, &account.good.id);
                account.notes.extend(known.map(str::to_owned));
                let nothing = (None, None);
                account.cause =
                    Some(self.cause(CauseKind::Outside, nothing.clone(), nothing, ends.0));
            }
        }
    }

    /// Returns what is known already where the cause is not: its kind, and what was found of its parts.
    fn known_of(&self, kind: CauseKind, parts: [(&str, Option<CommitInfo>); 2]) -> Vec<String> {
        if self.versions.places().is_empty() {
            return Vec::new();
        }
        let sure = percent(self.answer.side_probability);
        let mut known = vec![match kind {
            CauseKind::Code => format!("it is the code that made the difference ({sure} %)"),
            CauseKind::Fidelity => {
                format!("it is the profile that made the difference ({sure} %)")
            }
            CauseKind::Both => format!("code and profile are both needed ({sure} %)"),
            CauseKind::Either => format!("code and profile are each enough ({sure} %)"),
            CauseKind::Outside => format!("it is neither code nor profile ({sure} %)"),
        }];
        for (part, commit) in parts {
            known.extend(commit.map(|commit| {
                let id = commit.id.short();
                format!("the change of the {part} is {id} \"{}\"", commit.subject)
            }));
        }
        known
    }

    /// Returns in words the merge within which commits are left.
    fn within(&self, searched: &Searched) -> Result<Option<String>, CliError> {
        let sure = percent(searched.line_probability);
        Ok(self.merge_of(searched)?.map(|merge| {
            let id = merge.id.short();
            format!(
                "it came with the merge {id} \"{}\" ({sure} %)",
                merge.subject
            )
        }))
    }

    fn info(&self, commit: &CommitId) -> Result<CommitInfo, CliError> {
        Ok(self.session.repository.info(commit)?)
    }

    fn merge_of(&self, searched: &Searched) -> Result<Option<CommitInfo>, CliError> {
        // The outermost: one within it may have merged the other way.
        searched
            .within
            .first()
            .map(|merge| self.info(merge))
            .transpose()
    }

    fn suspects(&self, searched: &Searched) -> Result<Vec<Suspect>, CliError> {
        let CommitEnding::OneOf { suspects, .. } = &searched.ending else {
            return Ok(Vec::new());
        };
        let places = suspects
            .iter()
            .filter_map(|(place, probability)| Some((searched.line.get(*place)?, *probability)));
        places
            .map(|(place, probability)| {
                Ok(Suspect {
                    commit: self.info(&place.commit)?,
                    probability,
                })
            })
            .collect()
    }

    /// Returns the commit that changed the profile.
    fn profile(&self) -> Named {
        let Some((version, _)) = self.answer.version else {
            return (None, None);
        };
        let found = self
            .versions
            .get(version)
            .filter(|found| !found.uncommitted);
        let place = found.and_then(|found| self.case.line.get(found.place));
        let changed = self.changed();
        let taken = changed::taken(changed.clone(), self.answer.needed.as_ref());
        let changes = if taken.is_empty() { changed } else { taken };
        let ends = self.case.line.first().zip(place);
        ends.map_or((None, None), |(good, at)| {
            let (ends, repository) = ((&good.commit, &at.commit), &self.session.repository);
            self.versions.commit_of(&changes, ends, repository)
        })
    }

    fn cause(&self, kind: CauseKind, code: Named, profile: Named, good: &str) -> Cause {
        let answer = self.answer;
        let (version, version_sure) = answer.version.unzip();
        let values = answer.needed.as_ref();
        let mut knobs = changed::taken(self.changed(), values);
        let (mut kind, mut good) = (kind, good);
        let quoted = |info: &CommitInfo| format!("{} \"{}\"", info.id.short(), info.subject);
        let mut code_words = code.0.as_ref().map(quoted);
        let mut profile_words = match (&profile.0, version) {
            (Some(info), _) => Some(quoted(info)),
            (None, Some(_)) => Some("what is not committed".to_owned()),
            (None, None) => None,
        };
        // A commit that changed files of the environment is found as code, because that is where files are.
        if let (CauseKind::Code, Some(info)) = (kind, &code.0) {
            let inputs = self.versions.inputs_changed_by(&info.id);
            if !inputs.is_empty() && self.only_inputs(&info.id, &inputs) {
                knobs = inputs;
                kind = CauseKind::Fidelity;
                profile_words = code_words.take();
                // Of older code nobody knows what it does with these files.
                let before = answer.code.as_ref().and_then(Searched::before);
                good = before.map_or(good, CommitId::short);
            }
        }
        let later = answer.profile_came_later;
        let words = wording(
            kind,
            (code_words.as_deref(), profile_words.as_deref()),
            later,
            good,
        );
        let code_sure = answer
            .code
            .as_ref()
            .and_then(Searched::found)
            .map(|(_, sure)| sure);
        let told = values.and_then(|values| values.as_ref().ok());
        let (sufficient, necessary) = self.sides(kind, told);
        let (first, second) = match code.0 {
            Some(_) => (code, profile),
            None => (profile, (None, None)),
        };
        Cause {
            kind,
            wording: words,
            confidence: answer.side_probability
                * code_sure.unwrap_or(1.0)
                * version_sure.unwrap_or(1.0)
                * told.map_or(1.0, |needed| needed.probability),
            knobs,
            merge: first.1,
            commit: first.0,
            exposed_by: second.0,
            sufficient,
            necessary,
        }
    }

    /// Returns whether a commit touched nothing but files that its changed `inputs` match.
    fn only_inputs(&self, commit: &CommitId, inputs: &[KnobChange]) -> bool {
        let globs = inputs
            .iter()
            .filter_map(|change| change.knob.strip_prefix("inputs."));
        let globs: Vec<&str> = globs.collect();
        self.session
            .repository
            .touches_only(commit, &globs)
            .unwrap_or(false)
    }

    /// Returns what fails and what passes, as it was looked at again.
    fn sides(&self, kind: CauseKind, values: Option<&Needed>) -> (Option<Tally>, Vec<Tally>) {
        if let Some(searched) = &self.answer.code
            && let CommitEnding::Found { place, .. } = searched.ending
        {
            let tally = |place: usize, role: &str| {
                let at = searched.line.get(place)?;
                let counts = searched.counts.get(place).copied().unwrap_or_default();
                (0 < counts.trials)
                    .then(|| Tally::new(format!("{role} {}", at.commit.short()), counts))
            };
            let before = place
                .checked_sub(1)
                .and_then(|place| tally(place, "before it, at"));
            return (tally(place, "at"), before.into_iter().collect());
        }
        if let (CauseKind::Fidelity, Some(needed)) = (kind, values) {
            return changed::sides(needed);
        }
        if kind == CauseKind::Fidelity {
            let [_, [old, new]]: [[Counts; 2]; 2] = self.answer.cells;
            return (
                Some(Tally::new("new code, new profile", new)),
                vec![Tally::new("new code, old profile", old)],
            );
        }
        (None, Vec::new())
    }
}
