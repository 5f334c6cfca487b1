//! What the newest stored runs tried, found, and attributed.

use std::collections::BTreeMap;
use std::sync::Arc;

use fidelity_core::audit::{Defect, PastTrials, Shown};
use fidelity_core::classify::verdicts_of;
use fidelity_core::domain::{ListedTest, TestId, TestIndex};
use fidelity_core::evidence::withdrawn::take_back;
use fidelity_core::store::{RunTally, SqliteStore, Store};

use super::super::laboratory;
use crate::error::CliError;

/// Stored runs that are looked at, the newest.
const RUNS: usize = 20;

/// Returns what the newest stored runs tried and found, newest first.
pub fn of(store: &SqliteStore) -> Result<Vec<PastTrials>, CliError> {
    let mut numbers = Numbers::default();
    let mut past = Vec::new();
    let withdrawn = store.withdrawals()?;
    for run in store.tallies(RUNS)? {
        if withdrawn.contains_key(&run.header.id) {
            continue;
        }
        // A verdict that rests on what was taken back since is none.
        let started = &run.header.started_at;
        let mut back = run.header.joined.iter().filter_map(|id| withdrawn.get(id));
        let defects = match back.any(|withdrawal| *started < withdrawal.at) {
            true => Vec::new(),
            false => defects(store, &run)?,
        };
        // What nobody has judged is neither a success nor a failure.
        let tests = match run.hidden_defects {
            Some(_) => numbers.of(&run.tests, &run.tried),
            None => Vec::new(),
        };
        let header = run.header;
        past.push(PastTrials {
            profiles: [header.baseline.name, header.target.name],
            trials: run.trials,
            code: match header.ingested {
                // Nobody knows what it was built from.
                true => header.id.to_string(),
                false => header.fingerprint.binaries,
            },
            tests,
            defects,
            knobs: header.knobs,
        });
    }
    Ok(past)
}

/// Returns the hidden defects of a run by cause: the tests of a cluster have one. Only where there are several is the run
/// read, since no store keeps clusters.
fn defects(store: &SqliteStore, run: &RunTally) -> Result<Vec<Defect>, CliError> {
    let mut by_cause: BTreeMap<(Option<usize>, TestIndex), Vec<TestIndex>> = BTreeMap::new();
    let hidden = run.hidden_defects.as_deref().unwrap_or_default();
    let clusters = match hidden {
        [] | [_] => BTreeMap::new(),
        _ => clusters(store, run)?,
    };
    for test in hidden {
        let cause = match clusters.get(test) {
            Some(cluster) => (Some(*cluster), TestIndex(0)),
            None => (None, *test),
        };
        by_cause.entry(cause).or_default().push(*test);
    }
    let defects = by_cause.into_values().map(|tests| {
        let of_defect = run.attributions.iter();
        let of_defect =
            of_defect.filter(|it| tests.contains(&it.test) && it.question == laboratory::QUESTION);
        let mut shown: Vec<Shown> = of_defect
            .filter_map(|it| Shown::by(&it.attribution))
            .collect();
        // One that came to its end says more than those that did not.
        shown.sort_by_key(|shown| !shown.found);
        let members = tests.iter().filter_map(|test| run.tests.get(test.get()));
        Defect {
            shown: shown.into_iter().next(),
            members: members.map(|test| test.id.clone()).collect(),
        }
    });
    Ok(defects.collect())
}

/// Returns the cluster of each test that is in one.
fn clusters(store: &SqliteStore, run: &RunTally) -> Result<BTreeMap<TestIndex, usize>, CliError> {
    let mut ids = run.header.joined.clone();
    ids.push(run.header.id);
    let mut joined = store.load_all(&ids)?;
    let Some(mut run) = joined.pop() else {
        return Ok(BTreeMap::new());
    };
    take_back(&mut run, &mut joined);
    let findings = verdicts_of(&run, &joined).findings;
    let clustered = findings.iter();
    Ok(clustered
        .filter_map(|finding| Some((finding.test, finding.cluster?)))
        .collect())
}

/// Numbers of tests, the same in every run.
#[derive(Default)]
struct Numbers {
    known: BTreeMap<TestId, u32>,
    /// The last list, and the numbers of its tests.
    last: Option<(Arc<[ListedTest]>, Vec<u32>)>,
}

impl Numbers {
    /// Returns the numbers of some tests of a list.
    fn of(&mut self, list: &Arc<[ListedTest]>, tests: &[TestIndex]) -> Vec<u32> {
        let all = match self.last.take() {
            Some((last, all)) if Arc::ptr_eq(&last, list) => all,
            _ => list.iter().map(|test| self.number(&test.id)).collect(),
        };
        let (_, all) = self.last.insert((Arc::clone(list), all));
        let numbers = tests.iter().filter_map(|test| all.get(test.get()));
        numbers.copied().collect()
    }

    fn number(&mut self, test: &TestId) -> u32 {
        if let Some(number) = self.known.get(test) {
            return *number;
        }
        let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        self.known.insert(test.clone(), number);
        number
    }
}
