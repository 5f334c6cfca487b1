//! What stored runs say of the failure that is looked into: its environment, its signature, and trials at other commits.

use std::collections::BTreeMap;

use fidelity_core::attribute::build::pinned_toolchain;
use fidelity_core::attribute::engine::Counts;
use fidelity_core::attribute::history::CommitId;
use fidelity_core::attribute::journal::{self, identity};
use fidelity_core::attribute::trials::{Company, without_lines};
use fidelity_core::domain::{
    Arm, Environment, FidelityProfile, KnobId, KnobSetting, PassEnd, RunId, Scope, TestId,
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
    /// The tests among which it was seen to fail; none where it was seen to fail without them.
    pub company: Option<Company>,
    /// Whether it passed whenever it ran without them. False too where it only ever ran among others: nothing then says that it
    /// needs them.
    pub needs_company: bool,
    /// Trials under this environment without them, by commit.
    alone: BTreeMap<CommitId, Counts>,
    /// And among them.
    among: BTreeMap<CommitId, Counts>,
    /// Commits at which runs saw the test pass in the target, whatever its profile was then; the newest run first.
    pub passed_at: Vec<CommitId>,
    /// What compiler and lock file were, as the run has it.
    pub toolchain: String,
    /// And as the newest run had it that saw the test pass at a commit.
    pub toolchains: BTreeMap<CommitId, String>,
}

impl Evidence {
    /// Returns what tells trials of this failure under an environment, among so many tests, from others; those of commits that were all
    /// built with one toolchain are others as well.
    pub fn identity(&self, environment: &Environment, scope: Scope) -> String {
        let failure = self.signature.as_deref().map(without_lines);
        let mut identity = identity(environment, failure.as_deref());
        if let Some(toolchain) = pinned_toolchain() {
            identity = format!("{identity} by {toolchain}");
        }
        match scope {
            Scope::Alone | Scope::Suspects => identity,
            Scope::Binary => format!("{identity} binary"),
            Scope::Suite => format!("{identity} suite"),
        }
    }

    /// Returns what there is to say where it was seen in a dirty work tree.
    pub fn not_committed(&self) -> Option<String> {
        let words = "the failure was seen in a work tree with changes that are not committed";
        self.dirty.then(|| words.to_owned())
    }

    /// Returns what it runs among in the first trials of a search.
    pub fn scope(&self) -> Scope {
        match &self.company {
            Some(company) if self.needs_company => company.scope,
            _ => Scope::Alone,
        }
    }

    /// Returns the trials under its environment, by commit, in which it ran among so many.
    pub fn seen(&self, scope: Scope) -> &BTreeMap<CommitId, Counts> {
        match scope {
            Scope::Alone | Scope::Suspects => &self.alone,
            Scope::Binary | Scope::Suite => &self.among,
        }
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
        evidence = failure(store, row, test)?;
        if evidence.is_some() {
            break;
        }
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
        let (alone, among) = (
            alike(&trials, &evidence, false),
            alike(&trials, &evidence, true),
        );
        add(&mut evidence.alone, &commit, alone);
        add(&mut evidence.among, &commit, among);
    }
    add_searches(store, test, &mut evidence)?;
    Ok(Some(evidence))
}

/// Returns the failure that a run has seen; none if it saw none that counts.
fn failure(
    store: &dyn Store,
    row: &TestHistoryRow,
    test: &TestId,
) -> Result<Option<Evidence>, StoreError> {
    let trials = counted(store, row, test)?;
    let Some((environment, signature)) = worst(&trials) else {
        return Ok(None);
    };
    let header = store.header_of(row.run)?;
    let company = match company(&trials, &environment) {
        Some(scope) => {
            let absent = store.tests_of(row.run)?.into_iter();
            let absent = absent.filter(|test| !test.selected).map(|test| test.id);
            Some(Company {
                scope,
                absent: absent.collect(),
                slots: header.parallelism.max(1) as usize,
            })
        }
        None => None,
    };
    Ok(Some(Evidence {
        run: row.run,
        commit: row.commit.clone().map(CommitId),
        dirty: row.dirty,
        needs_company: company.is_some() && ran_narrow(&trials, &environment),
        company,
        environment,
        not_applied: header
            .knobs
            .into_iter()
            .filter(|knob| !knob.applied)
            .map(|knob| knob.knob)
            .collect(),
        signature,
        alone: BTreeMap::new(),
        among: BTreeMap::new(),
        passed_at: Vec::new(),
        toolchain: header.fingerprint.toolchain,
        toolchains: BTreeMap::new(),
    }))
}

fn add(seen: &mut BTreeMap<CommitId, Counts>, commit: &CommitId, counts: Counts) {
    if 0 < counts.trials {
        let count = seen.entry(commit.clone()).or_default();
        *count = count.plus(counts);
    }
}

/// Adds what earlier searches for the same failure saw under the same environment.
fn add_searches(
    store: &dyn Store,
    test: &TestId,
    evidence: &mut Evidence,
) -> Result<(), StoreError> {
    let identity = |scope| evidence.identity(&evidence.environment, scope);
    let alone = identity(Scope::Alone);
    let among = evidence
        .company
        .as_ref()
        .map(|company| identity(company.scope));
    for search in store.searches_of(test)? {
        // One that was cut short may be the one that goes on, which gets its trials back.
        if search.ending.is_none() {
            continue;
        }
        for (commit, counts) in journal::counts(&search.events, &alone) {
            add(&mut evidence.alone, &commit, counts);
        }
        let Some(among) = &among else { continue };
        for (commit, counts) in journal::counts(&search.events, among) {
            add(&mut evidence.among, &commit, counts);
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

/// Returns the smallest company in which it failed under the environment; none where it failed among suspects at most.
fn company(trials: &[TestTrial], environment: &Environment) -> Option<Scope> {
    let failed = |scope: Scope| {
        trials.iter().any(|trial| {
            trial.environment == *environment
                && trial.pass.scope == scope
                && trial.observation.outcome.is_failure()
        })
    };
    if failed(Scope::Alone) || failed(Scope::Suspects) {
        return None;
    }
    let mut others = [Scope::Binary, Scope::Suite].into_iter();
    others.find(|scope| failed(*scope))
}

/// Returns whether it ran among suspects at most under the environment.
fn ran_narrow(trials: &[TestTrial], environment: &Environment) -> bool {
    let mut trials = trials.iter();
    trials.any(|trial| trial.environment == *environment && trial.pass.scope.is_narrow())
}

/// Returns the counts of trials under the same environment, in company or not; failures of another signature left out. Where
/// nothing says that it needs company, what ran among others counts as well for what is tried alone.
fn alike(trials: &[TestTrial], evidence: &Evidence, in_company: bool) -> Counts {
    let wanted = evidence.signature.as_deref().map(without_lines);
    let is_pooled = |scope: Scope| match (&evidence.company, in_company) {
        (Some(company), true) => scope == company.scope,
        (None, true) => false,
        (_, false) => !evidence.needs_company || scope.is_narrow(),
    };
    let mut counts = Counts::default();
    for trial in trials {
        if trial.environment != evidence.environment || !is_pooled(trial.pass.scope) {
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
