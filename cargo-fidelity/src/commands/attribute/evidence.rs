//! What stored runs say of the failure that is looked into: its environment, its signature, and trials at other commits.

use std::collections::BTreeMap;

use fidelity_core::attribute::engine::Counts;
use fidelity_core::attribute::history::CommitId;
use fidelity_core::attribute::journal::{self, identity};
use fidelity_core::attribute::trials::without_lines;
use fidelity_core::domain::{
    Arm, Environment, FidelityProfile, KnobId, KnobSetting, PassEnd, RunId, TestId,
};
use fidelity_core::store::{Store, StoreError, TestHistoryRow, TestTrial};

/// Runs that are looked at, the newest.
const RUNS: usize = 100;

/// A failure that runs have seen.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The run.
    pub run: RunId,
    /// The commit the run was made at; none outside a repository.
    pub commit: Option<CommitId>,
    /// Whether tracked files differed from it.
    pub dirty: bool,
    /// The environment under which it has the highest failure rate.
    pub environment: Environment,
    /// Knobs the profile asked for that were not applied.
    pub not_applied: Vec<KnobId>,
    /// Its most frequent signature.
    pub signature: Option<String>,
    /// Whether it passed whenever it ran among suspects at most, as trials of a search are made, and so seems to need other
    /// tests beside it. False too where it only ever ran among others: nothing then says that it needs them.
    pub needs_company: bool,
    /// Trials under this environment, by commit.
    pub seen: BTreeMap<CommitId, Counts>,
    /// Commits at which runs saw the test pass in the target, whatever its profile was then; the newest run first.
    pub passed_at: Vec<CommitId>,
    /// What compiler and lock file were, as the run has it.
    pub toolchain: String,
    /// And as the newest run had it that saw the test pass at a commit.
    pub toolchains: BTreeMap<CommitId, String>,
}

impl Evidence {
    /// Returns what tells trials of this failure under an environment from others.
    pub fn identity(&self, environment: &Environment) -> String {
        let failure = self.signature.as_deref().map(without_lines);
        identity(environment, failure.as_deref())
    }
}

/// Returns what stored runs say of the test's failures; none if no trial of it failed in the target.
///
/// # Errors
/// The store could not be read.
pub fn of(store: &dyn Store, test: &TestId) -> Result<Option<Evidence>, StoreError> {
    let mut rows = store.history_of(test)?;
    rows.truncate(RUNS);
    let mut evidence = None;
    for row in rows.iter().filter(|row| 0 < row.target.failures) {
        let trials = counted(store, row, test)?;
        let Some((environment, signature)) = worst(&trials) else {
            continue;
        };
        let header = store.header_of(row.run)?;
        evidence = Some(Evidence {
            run: row.run,
            commit: row.commit.clone().map(CommitId),
            dirty: row.dirty,
            needs_company: needs_company(&trials, &environment),
            environment,
            not_applied: header
                .knobs
                .into_iter()
                .filter(|knob| !knob.applied)
                .map(|knob| knob.knob)
                .collect(),
            signature,
            seen: BTreeMap::new(),
            passed_at: Vec::new(),
            toolchain: header.fingerprint.toolchain,
            toolchains: BTreeMap::new(),
        });
        break;
    }
    let Some(mut evidence) = evidence else {
        return Ok(None);
    };
    for row in &rows {
        let Some(commit) = row.commit.clone().filter(|_| !row.dirty).map(CommitId) else {
            continue;
        };
        if 0 < row.target.trials && row.target.failures == 0 {
            evidence.passed_at.push(commit.clone());
            let toolchain = store.header_of(row.run)?.fingerprint.toolchain;
            let known = &mut evidence.toolchains;
            known.entry(commit.clone()).or_insert(toolchain);
        }
        let trials = counted(store, row, test)?;
        let counts = alike(&trials, &evidence);
        if 0 < counts.trials {
            let count = evidence.seen.entry(commit).or_default();
            *count = count.plus(counts);
        }
    }
    add_searches(store, test, &mut evidence)?;
    Ok(Some(evidence))
}

/// Adds what earlier searches for the same failure saw under the same environment.
fn add_searches(
    store: &dyn Store,
    test: &TestId,
    evidence: &mut Evidence,
) -> Result<(), StoreError> {
    let environment = evidence.identity(&evidence.environment);
    for search in store.searches_of(test)? {
        // One that was cut short may be the one that goes on, which gets its trials back.
        if search.ending.is_none() {
            continue;
        }
        for (commit, counts) in journal::counts(&search.events, &environment) {
            let count = evidence.seen.entry(commit).or_default();
            *count = count.plus(counts);
        }
    }
    Ok(())
}

/// Returns the first attempts of the target's completed passes.
fn counted(
    store: &dyn Store,
    row: &TestHistoryRow,
    test: &TestId,
) -> Result<Vec<TestTrial>, StoreError> {
    if row.target.trials == 0 {
        return Ok(Vec::new());
    }
    let mut trials = store.trials_of(row.run, test)?;
    trials.retain(|trial| {
        trial.pass.arm == Arm::Target
            && trial.pass.end == Some(PassEnd::Completed)
            && trial.observation.attempt == 0
            && trial.observation.outcome.is_trial()
    });
    Ok(trials)
}

/// Returns the environment with the highest failure rate as far as its trials tell, among equals the one with most failures, and
/// the signature that most failures under it have.
fn worst(trials: &[TestTrial]) -> Option<(Environment, Option<String>)> {
    let mut by_environment: BTreeMap<&Environment, Counts> = BTreeMap::new();
    for trial in trials {
        let count = by_environment.entry(&trial.environment).or_default();
        *count = count.plus(Counts::one(trial.observation.outcome.is_failure()));
    }
    let failing = by_environment
        .into_iter()
        .filter(|(_, count)| 0 < count.failures);
    let (environment, _) = failing.max_by(|(_, a), (_, b)| {
        // One failure in one trial says less than 19 in 20.
        a.mean()
            .total_cmp(&b.mean())
            .then(a.failures.cmp(&b.failures))
    })?;
    let mut by_signature: BTreeMap<&str, u32> = BTreeMap::new();
    for trial in trials
        .iter()
        .filter(|trial| trial.environment == *environment)
    {
        if let Some(failure) = &trial.observation.failure {
            *by_signature.entry(&failure.signature).or_default() += 1;
        }
    }
    let most = by_signature.into_iter().max_by_key(|(_, count)| *count);
    Some((
        environment.clone(),
        most.map(|(signature, _)| signature.to_owned()),
    ))
}

/// Returns whether it ran among suspects at most under the environment, and never failed there.
fn needs_company(trials: &[TestTrial], environment: &Environment) -> bool {
    let mut narrow = trials
        .iter()
        .filter(|trial| trial.environment == *environment && trial.pass.scope.is_narrow())
        .peekable();
    narrow.peek().is_some() && !narrow.any(|trial| trial.observation.outcome.is_failure())
}

/// Returns the counts of trials under the same environment; failures of another signature left out. Where it fails among other
/// tests only, what ran among them is left out too: trials of a search are made alone.
fn alike(trials: &[TestTrial], evidence: &Evidence) -> Counts {
    let wanted = evidence.signature.as_deref().map(without_lines);
    let mut counts = Counts::default();
    for trial in trials {
        let pooled = !evidence.needs_company || trial.pass.scope.is_narrow();
        if trial.environment != evidence.environment || !pooled {
            continue;
        }
        let failure = trial.observation.failure.as_ref();
        let signature = failure.map(|failure| without_lines(&failure.signature));
        let failed = trial.observation.outcome.is_failure();
        if !failed || signature == wanted {
            counts = counts.plus(Counts::one(failed));
        }
    }
    counts
}

/// Puts the users of URLs back that were stored masked, from what the profile says now.
pub fn restore_users(environment: &Environment, profile: &FidelityProfile) -> Environment {
    let restored = environment.0.iter().map(|(knob, value)| {
        let values = profile.knobs.get(knob).map_or(&[][..], KnobSetting::values);
        let full = values.iter().find(|full| full.without_users() == *value);
        (knob.clone(), full.unwrap_or(value).clone())
    });
    Environment(restored.collect())
}
