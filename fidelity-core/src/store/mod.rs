//! The store: runs, kept so that killing the tool at any instant loses at most the trials in flight.
//!
//! Rows are appended as trials end; a report is a function of what is stored. [`Store`] and [`RunLog`] are all that
//! others may use, and neither assumes one machine or one process; [`SqliteStore`] is the implementation for a
//! workspace. Nothing that is read is believed: a store may come from a stranger's clone.
//!
//! | file | holds |
//! |---|---|
//! | `sqlite` | the implementation of [`Store`] |
//! | `run_log`, `new_run`, `pass` | the writer of one run, as it goes on or as a whole |
//! | `merge` | joining the runs of another store |
//! | `reader`, `row`, `history`, `past` | reading a run, one test over runs, what failed in the newest runs |
//! | `last`, `tally` | the last verdict on each test, the newest runs in numbers |
//! | `search` | attributions: their questions, what they saw, their endings |
//! | `withdrawn` | which runs were taken back |
//! | `attribution` | the writer and reader of attributions |
//! | `connection`, `schema`, `location`, `run_lock` | the file: opening, versions, place, who writes |
//! | `test_trial`, `run_id` | values that are given back, and how ids are written |
//! | `code`, `sequence`, `text`, `output`, `wire` | how values are written |

use std::collections::BTreeMap;

use crate::domain::{
    Attribution, AttributionTrial, Environment, Fingerprint, ListedTest, MachineLoad, Observation,
    PassEnd, PassRecord, PassSpec, RunEnd, RunHeader, RunId, Seed, StoredAttribution, StoredRun,
    TestId, TestIndex, Verdict,
};
use crate::history::PastRun;

mod attribution;
mod code;
mod connection;
mod error;
mod history;
mod ingested;
mod last;
mod location;
mod merge;
mod new_run;
mod output;
mod pass;
mod past;
mod reader;
mod row;
mod run_id;
mod run_lock;
mod run_log;
mod schema;
mod search;
mod sequence;
mod sqlite;
mod standing;
mod tally;
mod test_trial;
#[cfg(test)]
mod tests;
mod text;
mod wire;
mod withdrawn;

pub use error::StoreError;
pub use ingested::IngestedPass;
pub use location::workspace_store;
pub use merge::Merged;
pub use output::MAX_STREAM_BYTES;
pub use sqlite::SqliteStore;
pub use tally::RunTally;
pub use test_trial::{PassSummary, TestTrial};

/// A place where runs are kept.
pub trait Store {
    /// Stores a new run and returns its open record.
    ///
    /// `tests` is sorted by identity, each test once.
    ///
    /// # Errors
    /// [`StoreError::RunExists`] where a run has this id, [`StoreError::NotStorable`] where a value breaks a rule of its
    /// type, and others where it could not be written.
    fn create_run(
        &mut self,
        header: &RunHeader,
        tests: &[ListedTest],
    ) -> Result<Box<dyn RunLog>, StoreError>;

    /// Returns a run that was cut short, and its open record.
    ///
    /// A run was cut short if it has no end, or ended as interrupted or for its environment. Its old end is returned with
    /// it (for the wall time), and stays stored until the record is first written to. Where the last pass is open the
    /// record continues it: observations are appended to it without opening it again.
    ///
    /// # Errors
    /// [`StoreError::Finished`] where the run came to its own end, [`StoreError::Joined`] where a later run joined it,
    /// [`StoreError::Alive`] where a living process is
    /// writing it, [`StoreError::NoSuchRun`], and others where it could not be read.
    fn resume_run(&mut self, id: RunId) -> Result<(StoredRun, Box<dyn RunLog>), StoreError>;

    /// Returns a run with all its passes.
    ///
    /// The texts that failing trials printed are left out and counted in the `omitted` fields instead: a suite that fails
    /// as a whole prints more than fits into memory. [`Store::trials_of`] returns them.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`], and others where it could not be read.
    fn load(&self, id: RunId) -> Result<StoredRun, StoreError>;

    /// Returns several runs as [`Store::load`] does, in the order asked for. Neighbours with the same list of tests share it:
    /// a run that joins many lists what they list.
    ///
    /// # Errors
    /// Those of [`Store::load`].
    fn load_all(&self, ids: &[RunId]) -> Result<Vec<StoredRun>, StoreError>;

    /// Returns what was known of a run before its first pass.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`], and others where it could not be read.
    fn header_of(&self, id: RunId) -> Result<RunHeader, StoreError>;

    /// Returns the tests that a run lists, sorted by identity.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`], and others where they could not be read.
    fn tests_of(&self, id: RunId) -> Result<Vec<ListedTest>, StoreError>;

    /// Returns the `limit` newest runs, newest first.
    ///
    /// # Errors
    /// Where they could not be read.
    fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, StoreError>;

    /// Returns the run whose id begins with the hexadecimal digits `prefix`; for `latest`, the run that started last.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`], [`StoreError::AmbiguousRun`], [`StoreError::NoRuns`] for `latest` in an empty store, and
    /// others where it could not be read.
    fn find_run(&self, prefix: &str) -> Result<RunId, StoreError>;

    /// Returns the runs with this fingerprint that nobody is writing now, oldest first, ended or not.
    ///
    /// # Errors
    /// Where they could not be read.
    fn comparable(&self, fingerprint: &Fingerprint) -> Result<Vec<ComparableRun>, StoreError>;

    /// Returns what every run that listed the test saw of it, newest first; nothing for an unknown test.
    ///
    /// # Errors
    /// Where it could not be read.
    fn history_of(&self, test: &TestId) -> Result<Vec<TestHistoryRow>, StoreError>;

    /// Returns what the `limit` newest runs but those of `except` saw fail, newest first; runs being written included.
    ///
    /// # Errors
    /// Where it could not be read.
    fn failures_before(&self, limit: usize, except: &[RunId]) -> Result<Vec<PastRun>, StoreError>;

    /// Returns the last verdict on each test that one of the `limit` newest ended runs executed.
    ///
    /// # Errors
    /// Where they could not be read.
    fn last_verdicts(&self, limit: usize) -> Result<BTreeMap<TestId, LastVerdict>, StoreError>;

    /// Returns the `limit` newest runs in numbers, newest first: what they tried, found, and attributed.
    ///
    /// # Errors
    /// Where they could not be read.
    fn tallies(&self, limit: usize) -> Result<Vec<RunTally>, StoreError>;

    /// Returns the first run with this seed; none where there is none.
    ///
    /// # Errors
    /// Where it could not be read.
    fn first_with_seed(&self, seed: Seed) -> Result<Option<RunId>, StoreError>;

    /// Returns the passes that were made of the file with this digest (BLAKE3), in the order of runs and passes.
    ///
    /// # Errors
    /// Where they could not be read.
    fn ingested_from(&self, digest: &[u8; 32]) -> Result<Vec<IngestedPass>, StoreError>;

    /// Returns every stored trial of the test in a run, in the order of pass and attempt, with what it printed.
    ///
    /// Includes trials of open and discarded passes. Nothing for a test that the run does not list.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`], and others where it could not be read.
    fn trials_of(&self, run: RunId, test: &TestId) -> Result<Vec<TestTrial>, StoreError>;

    /// Returns the record of the search that asks `question` about the test: the one that was cut short with the same
    /// question, or a new one.
    ///
    /// # Errors
    /// [`StoreError::Searching`] where a living process is at it, and others where it could not be written.
    fn open_search(
        &mut self,
        test: &TestId,
        question: &str,
    ) -> Result<Box<dyn SearchLog>, StoreError>;

    /// Returns every search about the test, the newest first, those that were cut short included.
    ///
    /// # Errors
    /// Where they could not be read.
    fn searches_of(&self, test: &TestId) -> Result<Vec<StoredSearch>, StoreError>;

    /// Opens the record of an attribution of a test (its position in the list of the run), or goes on with the one that has
    /// this `question`: a word for what is looked into, and between what.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`], [`StoreError::Attributing`] where a living process is making attributions of this run,
    /// [`StoreError::NotStorable`] for a test that is not listed, and others where it could not be written.
    fn attribute(
        &mut self,
        run: RunId,
        test: TestIndex,
        question: &str,
    ) -> Result<Box<dyn AttributionLog>, StoreError>;

    /// Returns the attributions of a run that came to their end, in the order of tests.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`], and others where they could not be read.
    fn attributions(&self, run: RunId) -> Result<Vec<StoredAttribution>, StoreError>;
}

/// A search as it is stored. Its parts are texts whose form is the searcher's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSearch {
    /// What it was asked.
    pub question: String,
    /// What it saw, in order.
    pub events: Vec<String>,
    /// How it ended; none while it goes on, or if it was cut short.
    pub ending: Option<String>,
}

/// The open record of a search. What a call has written survives the death of any process.
pub trait SearchLog {
    /// Returns what was seen so far, in order.
    fn events(&self) -> &[String];

    /// Appends what was seen.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written.
    fn append(&mut self, event: &str) -> Result<(), StoreError>;

    /// Closes the search.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written.
    fn end(&mut self, ending: &str) -> Result<(), StoreError>;
}

/// The last verdict on a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastVerdict {
    /// The run that came to it.
    pub run: RunId,
    /// The names of the fidelity profiles that it compared, by arm.
    pub profiles: [String; 2],
    /// The verdict.
    pub verdict: Verdict,
}

/// The open record of an attribution. What a call has written survives the death of any process.
pub trait AttributionLog {
    /// Returns the trials that were stored, in order.
    fn trials(&self) -> &[AttributionTrial];

    /// Appends a trial.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written; it is not kept then.
    fn append(&mut self, trial: &AttributionTrial) -> Result<(), StoreError>;

    /// Keeps what the attribution came to, in the place of what it came to before.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written.
    fn end(&mut self, attribution: &Attribution) -> Result<(), StoreError>;
}

/// A line in a list of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// The run.
    pub id: RunId,
    /// When it started, RFC 3339 in UTC.
    pub started_at: String,
    /// The commit it was made at, where there is one.
    pub commit: Option<String>,
    /// How many tests it lists.
    pub tests: u32,
    /// How many passes it completed.
    pub passes: u32,
    /// How many trials were recorded in all its passes, skipped tests left out.
    pub trials: u64,
    /// How it ended; none while it runs, or if it was killed.
    pub end: Option<RunEnd>,
    /// Whether its passes ran elsewhere.
    pub ingested: bool,
    /// The runs that it takes back.
    pub withdraws: Vec<RunId>,
    /// Whether a living process is writing it.
    pub alive: bool,
}

/// A run that another one could join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparableRun {
    /// The run.
    pub id: RunId,
    /// Its seed.
    pub seed: Seed,
    /// Whether the user gave the seed.
    pub seed_given: bool,
    /// Whether it has an end: one without was killed.
    pub ended: bool,
}

/// What was counted of a test in one arm of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrialCount {
    /// First attempts in completed passes that came to an outcome; mass repeats and timeout checks are left out.
    pub trials: u32,
    /// Of these, those that failed, timed out or crashed.
    pub failures: u32,
}

/// What one run saw of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestHistoryRow {
    /// The run.
    pub run: RunId,
    /// When it started, RFC 3339 in UTC.
    pub started_at: String,
    /// The commit it was made at, where there is one.
    pub commit: Option<String>,
    /// Whether tracked files differed from it.
    pub dirty: bool,
    /// The verdict; none where the run has no end.
    pub verdict: Option<Verdict>,
    /// What was counted in the baseline.
    pub baseline: TrialCount,
    /// What was counted in the target.
    pub target: TrialCount,
}

/// The open record of the run being made. What a call has written survives the death of any process.
///
/// A call that fails has written nothing, and may be tried again. Dropping the record gives up the right to write the run.
pub trait RunLog {
    /// Opens a pass, whose number is above that of every pass before.
    ///
    /// Does nothing for the pass that is open already, if it is the same in every respect.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written.
    fn begin_pass(&mut self, spec: &PassSpec, environment: &Environment) -> Result<(), StoreError>;

    /// Appends observations of the open pass, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::AlreadyRecorded`] where one is stored already, others where they could not be written; none of them
    /// is kept then.
    fn append(&mut self, observations: &[Observation]) -> Result<(), StoreError>;

    /// Closes the open pass after `elapsed_ms` of wall time, during which others took so much of the `machine`.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written.
    fn end_pass(
        &mut self,
        end: &PassEnd,
        elapsed_ms: u64,
        machine: Option<MachineLoad>,
    ) -> Result<(), StoreError>;

    /// Stores a pass that is over as a whole, in one transaction. Its observations are in the order of test and attempt.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written; nothing of it is kept then.
    fn record_pass(&mut self, pass: &PassRecord) -> Result<(), StoreError>;

    /// Closes the run, and keeps its verdicts for the history of each test. An open pass stays cut short.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written.
    fn end_run(
        &mut self,
        end: &RunEnd,
        verdicts: &[(TestIndex, Verdict)],
    ) -> Result<(), StoreError>;
}
