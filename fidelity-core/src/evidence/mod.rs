//! The book of a run: what every pass says about every test.
//!
//! Knows outcomes and draws; decides nothing about which pass to make next, and knows no time, file or process. The
//! live scheduler and a report replaying stored passes fill the same book, and so come to the same verdicts.
//!
//! Invariants: only completed passes count, each once and in order; a test that never failed costs counts only; e-BH
//! looks at closed families alone.

use std::collections::BTreeMap;

use crate::domain::{
    Arm, ListedTest, PassRecord, Phase, Policy, Screen, Seed, StoredRun, TestId, TestIndex,
};

use crate::stats::ebh;

pub mod blocks;
pub mod book;
pub mod family;
mod lone;
pub mod mass;
pub mod presence;
pub mod sight;
pub mod signatures;
pub mod suspicion;
mod weigh;
pub mod withdrawn;

use book::{ArmCounts, TestBook};
use family::Generation;
use mass::Pool;
use sight::TestMap;
use signatures::{Signature, SignatureId, Signatures};
use suspicion::{Claim, Suspicion};

/// Everything the passes of a run, and of the runs it joins, say.
#[derive(Clone, Debug)]
pub struct Evidence {
    tests: Vec<ListedTest>,
    policy: Policy,
    books: Vec<TestBook>,
    pool: Option<Pool>,
    generations: Vec<Generation>,
    open: OpenFamily,
    signatures: Signatures,
    run: RunState,
    suite_passes: [u32; 2],
    suspects: u32,
}

/// The suspects of the family that is not closed yet.
#[derive(Clone, Debug, Default)]
struct OpenFamily {
    suspects: Vec<TestIndex>,
    pool: bool,
}

/// Where the run now being recorded stands.
#[derive(Clone, Debug)]
struct RunState {
    number: u32,
    screen: Screen,
    /// Passes of the screening over the whole suite, and those after them over its suspicious tests.
    screen_passes: u32,
    extra_passes: u32,
    /// The suspicious tests that the run executes, sorted.
    suspicious: Vec<TestIndex>,
    last_phase: Option<Phase>,
    mass_failure: bool,
    /// Trials by arm of the tests that may be tried only so often.
    tried: BTreeMap<TestIndex, [u32; 2]>,
}

impl Evidence {
    /// Returns an empty book for these tests, which are sorted by identity, under this policy.
    pub fn new(tests: &[ListedTest], policy: &Policy) -> Self {
        Self {
            tests: tests.to_vec(),
            policy: policy.clone(),
            books: vec![TestBook::default(); tests.len()],
            pool: None,
            generations: Vec::new(),
            open: OpenFamily::default(),
            signatures: Signatures::default(),
            run: RunState::new(0, policy.screen, suspicious(tests)),
            suite_passes: [0; 2],
            suspects: 0,
        }
    }

    /// Returns the book of a run with this seed after joining those of `joined` that may be joined, if the policy says
    /// so, and before its own first pass.
    pub fn gather(tests: &[ListedTest], policy: &Policy, seed: Seed, joined: &[StoredRun]) -> Self {
        let mut evidence = Self::new(tests, policy);
        if policy.reuse {
            for run in joinable(seed, joined) {
                evidence.join(run);
            }
        }
        evidence
    }

    /// Joins every completed pass of an earlier run; tests that are not in our list are left out.
    ///
    /// Its suspects keep their family. Whether the run may be joined at all is for [`joinable`] to say.
    pub fn join(&mut self, run: &StoredRun) {
        let ours: BTreeMap<&TestId, TestIndex> = (0_u32..)
            .zip(&self.tests)
            .map(|(index, test)| (&test.id, TestIndex(index)))
            .collect();
        let map: TestMap = run
            .tests
            .iter()
            .map(|test| ours.get(&test.id).copied())
            .collect();
        let ours_of = |test: TestIndex| map.get(test.get()).copied().flatten();
        let theirs = suspicious(&run.tests).into_iter().filter_map(ours_of);
        self.begin_run(run.header.policy.screen, theirs.collect());
        for pass in &run.passes {
            self.absorb(pass, Some(&map));
        }
        if let Some(last) = run.passes.last() {
            self.forfeit(last, &map);
        }
        self.begin_run(self.policy.screen, suspicious(&self.tests));
    }

    /// Records a pass of this run. One that was discarded or cut short says nothing.
    pub fn record(&mut self, pass: &PassRecord) {
        self.absorb(pass, None);
    }

    /// Returns the tests, sorted by identity.
    pub fn tests(&self) -> &[ListedTest] {
        &self.tests
    }

    /// Returns what is remembered of each test, in the order of [`Evidence::tests`].
    pub fn books(&self) -> &[TestBook] {
        &self.books
    }

    /// Returns the pool of the mass failure, where there was one.
    pub fn pool(&self) -> Option<&Pool> {
        self.pool.as_ref()
    }

    /// Returns the closed families.
    pub fn generations(&self) -> &[Generation] {
        &self.generations
    }

    /// Returns how many suspects there are: tests that failed by themselves.
    pub fn suspects(&self) -> u32 {
        self.suspects
    }

    /// Returns the number of the run being recorded: 0, or higher after joins.
    pub fn run_number(&self) -> u32 {
        self.run.number
    }

    /// Returns how many passes of the target are still to come over [`Evidence::to_screen_harder`].
    pub fn extra_left(&self) -> u32 {
        self.run
            .screen
            .extra()
            .saturating_sub(self.run.extra_passes)
    }

    /// Returns the suspicious tests of this run that never failed yet, sorted: the others are suspects already, and
    /// need no screening.
    pub fn to_screen_harder(&self) -> Vec<TestIndex> {
        let never_failed = |test: &&TestIndex| matches!(self.books.get(test.get()), Some(book) if book.failing.is_none());
        self.run
            .suspicious
            .iter()
            .filter(never_failed)
            .copied()
            .collect()
    }

    /// Returns whether the pass recorded last was a mass failure.
    pub fn mass_failure(&self) -> bool {
        self.run.mass_failure
    }

    /// Returns the signature with this number.
    pub fn signature(&self, number: SignatureId) -> Option<&Signature> {
        self.signatures.get(number)
    }

    /// Returns the bets that stand for a test and the counts they rest on: its own, or those of the mass failure it is
    /// part of. None for a test that never failed.
    pub fn standing(&self, test: TestIndex) -> Option<(&Suspicion, &[ArmCounts; 2])> {
        let book = self.books.get(test.get())?;
        match book.suspicion() {
            Some(suspicion) => Some((suspicion, &book.arms)),
            None => {
                book.failing.as_ref()?.mass?;
                let pool = self.pool.as_ref()?;
                Some((&pool.suspicion, &pool.arms))
            }
        }
    }

    /// Returns the log e-value that decides in the family of this suspicion: of one more rejection, or of those there
    /// are where it is one of them.
    pub fn log_needed(&self, suspicion: &Suspicion) -> f64 {
        let closed = suspicion
            .generation
            .and_then(|number| self.generations.get(number as usize - 1));
        let mirrored = suspicion.log_e(Arm::Target) < suspicion.log_e(Arm::Baseline);
        let claim = if mirrored {
            Claim::BaselineOnly
        } else {
            Claim::HiddenDefect
        };
        let (units, rejected, number) = match closed {
            Some(generation) => (
                generation.units.len(),
                generation.rejected(claim),
                generation.number,
            ),
            None => (self.open_units(), 0, self.next_generation()),
        };
        let rejected = rejected + usize::from(!suspicion.claimed(claim));
        let level = ebh::generation_level(self.policy.fdr, number);
        ebh::log_threshold(units.max(1), rejected, level)
    }

    /// Returns the number the open family will get.
    pub fn next_generation(&self) -> u32 {
        u32::try_from(self.generations.len()).unwrap_or(u32::MAX - 1) + 1
    }

    fn open_units(&self) -> usize {
        self.open.suspects.len() + usize::from(self.open.pool)
    }

    fn begin_run(&mut self, screen: Screen, suspicious: Vec<TestIndex>) {
        self.close_family();
        self.run = RunState::new(self.run.number + 1, screen, suspicious);
    }
}

impl RunState {
    /// Returns the state of a run before its first pass.
    fn new(number: u32, screen: Screen, suspicious: Vec<TestIndex>) -> Self {
        Self {
            number,
            screen,
            screen_passes: 0,
            extra_passes: 0,
            suspicious,
            last_phase: None,
            mass_failure: false,
            tried: BTreeMap::new(),
        }
    }
}

/// Returns the suspicious tests of a list that are executed, by their positions.
fn suspicious(tests: &[ListedTest]) -> Vec<TestIndex> {
    (0_u32..)
        .zip(tests)
        .filter(|(_, test)| test.runs_in(Arm::Target) && test.suspicious)
        .map(|(index, _)| TestIndex(index))
        .collect()
}

/// Returns the runs whose passes may be joined to a run with this seed, in the order given.
///
/// A seed that repeats gives the same draws again: whoever knows the earlier run knows them beforehand, and they are
/// random no more. So of runs with equal seeds only the first joins, and none with our own seed, no matter which
/// of them was given its seed; drawn seeds do not repeat. Passes that were ingested were not drawn at all.
pub fn joinable(own: Seed, runs: &[StoredRun]) -> Vec<&StoredRun> {
    let mut seeds = std::collections::BTreeSet::from([own]);
    runs.iter()
        .filter(|run| !run.header.ingested && seeds.insert(run.header.seed))
        .collect()
}

#[cfg(test)]
mod tests;
