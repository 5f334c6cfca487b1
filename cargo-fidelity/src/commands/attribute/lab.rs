//! Joins the inquiry to the world: trials on the bench, stored before they count, told to the user.

use std::path::PathBuf;
use std::time::Instant;

use fidelity_core::attribute::commit_search::Place;
use fidelity_core::attribute::engine::Seen;
use fidelity_core::attribute::history::{CommitId, Repository};
use fidelity_core::attribute::inquiry::{Lab, Shown, Under};
use fidelity_core::attribute::journal::{Event, Journal};
use fidelity_core::attribute::range::oid;
use fidelity_core::attribute::trials::{Bench, TrialError};
use fidelity_core::attribute::worktree::Note;
use fidelity_core::domain::{Environment, Scope};

use super::evidence::Evidence;
use crate::commands::output::Follower;
use crate::error::CliError;

/// The environments of an inquiry.
#[derive(Clone, Debug)]
pub struct Environments {
    /// That in which the test fails.
    pub new: Environment,
    /// Those of the profile's versions, the good end's first; empty where the profile did not change.
    pub versions: Vec<Environment>,
}

impl Environments {
    fn of<'e>(&'e self, under: Under<'e>) -> &'e Environment {
        match under {
            Under::New => &self.new,
            Under::Old => self.versions.first().unwrap_or(&self.new),
            Under::Version(version) => self.versions.get(version).unwrap_or(&self.new),
            Under::Mixture(environment) => environment,
        }
    }
}

/// The laboratory.
pub struct Laboratory<'a> {
    /// Reads lines of commits.
    pub repository: &'a Repository,
    /// Folders the test is built from.
    pub folders: &'a [PathBuf],
    /// Makes trials.
    pub bench: Bench<'a>,
    /// Keeps them.
    pub journal: Journal,
    /// What they are made under.
    pub environments: Environments,
    /// The failure that is looked into.
    pub evidence: &'a Evidence,
    /// Told what goes on.
    pub follower: &'a mut Follower,
    /// When to stop.
    pub deadline: Option<Instant>,
}

impl Laboratory<'_> {
    /// Returns what there is to know beside the answer.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self
            .bench
            .notes()
            .into_iter()
            .map(|note| match note {
                Note::Filtered(name) => {
                    format!(
                        "files of the filter `{name}` are what git stores of them in the checkouts"
                    )
                }
                Note::Absent(path) => {
                    format!("the submodule {path} is not in this clone, and empty in the checkouts")
                }
            })
            .collect();
        for knob in self.bench.not_imposed() {
            notes.push(format!("the knob `{knob}` could not be applied"));
        }
        notes.extend(self.among().map(|among| {
            format!("it fails among other tests only: at each commit it was run among {among}")
        }));
        notes.extend(self.evidence.not_committed());
        notes.sort_unstable();
        notes.dedup();
        notes
    }

    /// Returns in words what the test runs among; none where it runs alone.
    pub fn among(&self) -> Option<&'static str> {
        match self.bench.scope() {
            Scope::Alone | Scope::Suspects => None,
            Scope::Binary => Some("all tests of its binary"),
            Scope::Suite => Some("all tests that the run selected"),
        }
    }

    fn tell(&mut self, commit: &CommitId, event: &Event) {
        let what = match (event.built_ms, &event.note) {
            (Some(ms), Some(note)) if event.shown().seen == Seen::Untestable => {
                format!("{} cannot be tested ({note}; {ms} ms)", commit.short())
            }
            (Some(ms), _) => format!("{} was built in {ms} ms", commit.short()),
            (None, _) => return,
        };
        self.follower.console().note(&what);
    }
}

impl Lab for Laboratory<'_> {
    type Error = CliError;

    fn trial(&mut self, commit: &CommitId, under: Under<'_>) -> Result<Shown, CliError> {
        let environment = self.environments.of(under).clone();
        let id = self.evidence.identity(&environment, self.bench.scope());
        if let Some(shown) = self.journal.again(commit, &id) {
            return Ok(shown);
        }
        let tried = self.bench.trial(oid(commit)?, &environment)?;
        // Once trials have run, one that cannot is no reason to give up the rest.
        if let Some(reason) = tried.refused
            && !self.journal.has_run()
        {
            return Err(TrialError::Environment(reason).into());
        }
        let event = Event {
            commit: commit.clone(),
            environment: id,
            seen: tried.seen.into(),
            ms: tried.ms,
            built_ms: tried.built_ms,
            note: tried.note,
        };
        let shown = self.journal.append(&event)?;
        self.tell(commit, &event);
        Ok(shown)
    }

    fn is_ready(&self, commit: &CommitId) -> bool {
        let is_built = oid(commit).is_ok_and(|commit| self.bench.is_ready(commit));
        is_built || self.journal.has_more(commit)
    }

    fn side_lines(
        &mut self,
        merge: &CommitId,
        before: &CommitId,
    ) -> Result<Vec<Vec<Place>>, CliError> {
        let repository = self.repository;
        Ok(repository.side_lines(merge, before, self.folders)?)
    }

    fn is_over(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| deadline <= Instant::now())
    }
}
