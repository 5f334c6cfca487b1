//! What a search saw, in the order it saw it: stored before it counts, and given back to a search that goes on.
//!
//! Trials are given back by what was tried, not by their order, so that a search which would now ask in another order loses
//! none of them. The form of an event is part of the store.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::engine::{Counts, Seen};
use super::history::CommitId;
use super::inquiry::Shown;
use crate::domain::Environment;
use crate::store::{SearchLog, StoreError};

/// One trial of a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The commit.
    pub commit: CommitId,
    /// The environment and the failure that was looked for, as [`identity`] says them.
    pub environment: String,
    /// What it showed.
    pub seen: Showed,
    /// How long it ran, in milliseconds.
    pub ms: u64,
    /// How long had to be built for it, in milliseconds.
    pub built_ms: Option<u64>,
    /// Why the commit cannot be tested, or what else there is to know.
    pub note: Option<String>,
}

/// What a trial showed, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Showed {
    /// It passed.
    Passed,
    /// It failed as the failure that is looked into.
    Failed,
    /// It says nothing.
    Nothing,
    /// The commit cannot be tested.
    Untestable,
}

impl From<Seen> for Showed {
    fn from(seen: Seen) -> Self {
        match seen {
            Seen::Passed => Self::Passed,
            Seen::Failed => Self::Failed,
            Seen::Nothing => Self::Nothing,
            Seen::Untestable => Self::Untestable,
        }
    }
}

impl Event {
    fn ran(&self) -> bool {
        self.seen != Showed::Untestable
    }

    /// Returns what the search learns from it.
    pub fn shown(&self) -> Shown {
        Shown {
            seen: match self.seen {
                Showed::Passed => Seen::Passed,
                Showed::Failed => Seen::Failed,
                Showed::Nothing => Seen::Nothing,
                Showed::Untestable => Seen::Untestable,
            },
            ms: self.ms,
            built_ms: self.built_ms,
        }
    }
}

/// Returns what tells trials from others: a hash of the values they are made under, users of URLs left out, and of the signature
/// of the failure that is looked for. What passes when one failure is looked for says nothing of another.
pub fn identity(environment: &Environment, failure: Option<&str>) -> String {
    let values = environment.without_users();
    let values = values
        .0
        .iter()
        .map(|(knob, value)| format!("{:?}={value:?};", knob.0));
    let text: String = values.chain([format!("{failure:?}")]).collect();
    blake3::hash(text.as_bytes()).to_hex().as_str()[..32].to_owned()
}

/// The record of a search that is going on.
pub struct Journal {
    log: Box<dyn SearchLog>,
    /// Trials of the search's earlier part that it has not asked for again yet.
    left: BTreeMap<(CommitId, String), VecDeque<Event>>,
    /// What commits were said to be, other than tested.
    notes: BTreeMap<CommitId, (Showed, String)>,
    /// Whether any trial ran.
    has_run: bool,
}

impl Journal {
    /// Returns the journal of a search. What cannot be read of its earlier part (another version wrote it) is passed over.
    pub fn new(log: Box<dyn SearchLog>) -> Self {
        let mut left: BTreeMap<_, VecDeque<Event>> = BTreeMap::new();
        let mut has_run = false;
        for event in events(log.events()) {
            has_run |= event.ran();
            let key = (event.commit.clone(), event.environment.clone());
            left.entry(key).or_default().push_back(event);
        }
        Self {
            log,
            left,
            notes: BTreeMap::new(),
            has_run,
        }
    }

    /// Returns how many trials its earlier part has that were not asked for yet.
    pub fn earlier(&self) -> usize {
        self.left.values().map(VecDeque::len).sum()
    }

    /// Returns whether any trial ran, in its earlier part or since.
    pub fn has_run(&self) -> bool {
        self.has_run
    }

    /// Returns whether its earlier part has trials at a commit that were not asked for yet: they cost no build.
    pub fn has_more(&self, commit: &CommitId) -> bool {
        let mut left = self.left.iter();
        left.any(|((at, _), events)| at == commit && !events.is_empty())
    }

    /// Returns commits that cannot be tested or are special, each with the reason.
    pub fn notes(&self) -> &BTreeMap<CommitId, (Showed, String)> {
        &self.notes
    }

    /// Returns the next trial of the earlier part at a commit under an environment.
    pub fn again(&mut self, commit: &CommitId, environment: &str) -> Option<Shown> {
        let key = (commit.clone(), environment.to_owned());
        let event = self.left.get_mut(&key)?.pop_front()?;
        self.note(&event);
        Some(event.shown())
    }

    /// Stores a trial.
    ///
    /// # Errors
    /// [`StoreError`]: it then does not count.
    pub fn append(&mut self, event: &Event) -> Result<Shown, StoreError> {
        self.log.append(&text(event))?;
        self.has_run |= event.ran();
        self.note(event);
        Ok(event.shown())
    }

    /// Closes the search.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn end(&mut self, ending: &str) -> Result<(), StoreError> {
        self.log.end(ending)
    }

    fn note(&mut self, event: &Event) {
        if let Some(note) = &event.note {
            self.notes
                .insert(event.commit.clone(), (event.seen, note.clone()));
        }
    }
}

fn text(event: &Event) -> String {
    // Texts and numbers: nothing of it cannot be written.
    serde_json::to_string(event).unwrap_or_default()
}

fn events(texts: &[String]) -> Vec<Event> {
    texts
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect()
}

/// Returns the counts of what a search saw under an environment, by commit.
pub fn counts(texts: &[String], environment: &str) -> BTreeMap<CommitId, Counts> {
    let mut counts: BTreeMap<CommitId, Counts> = BTreeMap::new();
    for event in events(texts) {
        let failed = match event.seen {
            Showed::Passed => false,
            Showed::Failed => true,
            Showed::Nothing | Showed::Untestable => continue,
        };
        if event.environment == environment {
            let count = counts.entry(event.commit).or_default();
            *count = count.plus(Counts::one(failed));
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{KnobId, KnobValue, TestId};
    use crate::store::{SqliteStore, Store};

    fn event(commit: &str, seen: Showed) -> Event {
        Event {
            commit: CommitId(commit.to_owned()),
            environment: "e".to_owned(),
            seen,
            ms: 3,
            built_ms: Some(9),
            note: (seen == Showed::Untestable).then(|| "it does not build".to_owned()),
        }
    }

    #[test]
    fn a_search_that_goes_on_gets_back_what_it_saw_in_any_order() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open_or_create(&directory.path().join("s.db")).unwrap();
        let test = TestId::new("a", "t");
        let mut journal = Journal::new(store.open_search(&test, "q").unwrap());
        journal.append(&event("c", Showed::Untestable)).unwrap();
        assert!(!journal.has_run());
        journal.append(&event("a", Showed::Passed)).unwrap();
        assert!(journal.has_run());
        journal.append(&event("a", Showed::Failed)).unwrap();
        journal.append(&event("b", Showed::Untestable)).unwrap();
        drop(journal);
        let mut journal = Journal::new(store.open_search(&test, "q").unwrap());
        assert_eq!(journal.earlier(), 4);
        assert!(journal.has_run());
        let (a, b) = (CommitId("a".to_owned()), CommitId("b".to_owned()));
        assert!(journal.has_more(&a) && journal.has_more(&b));
        let mut seen = |commit| journal.again(commit, "e").map(|shown| shown.seen);
        assert_eq!(seen(&b), Some(Seen::Untestable));
        assert_eq!(seen(&a), Some(Seen::Passed));
        assert_eq!(seen(&a), Some(Seen::Failed));
        assert_eq!(seen(&a), None);
        assert!(!journal.has_more(&a) && !journal.has_more(&b));
        assert_eq!(journal.notes()[&b].1, "it does not build");
        journal.end("over").unwrap();
        drop(journal);
        let search = store.searches_of(&test).unwrap().remove(0);
        let counts = counts(&search.events, "e");
        assert_eq!(counts[&a], Counts::new(1, 2));
        assert!(!counts.contains_key(&b));
    }

    #[test]
    fn trials_are_told_apart_by_the_values_and_by_the_failure_that_is_looked_for() {
        let of = |value: &str| {
            let value = KnobValue::Text(value.to_owned());
            identity(&Environment([(KnobId::from("tz"), value)].into()), None)
        };
        assert_eq!(of("UTC"), of("UTC"));
        assert_ne!(of("UTC"), of("Asia/Kolkata"));
        assert_eq!(of("a://u:p@h"), of("a://v:q@h"));
        let looking_for = |failure| identity(&Environment::default(), failure);
        assert_ne!(looking_for(Some("alpha")), looking_for(Some("beta")));
        assert_ne!(looking_for(Some("alpha")), looking_for(None));
    }
}
