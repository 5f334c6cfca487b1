//! Passes that ran elsewhere: sorted into blocks, and weighed block by block.
//!
//! Nobody drew their arms, so the evidence rests on an assumption instead: within a block the labels could have been
//! swapped. The factor of a block is the likelihood of its labels by that of all ways to place them
//! ([`crate::stats::block`]).
//!
//! Invariants: the order of blocks, and that of passes within a block, depends on times, names and contents, never on an
//! arm nor on what was ingested first; what a pass is judged by (mass failures, who is excused) is its own outcomes and
//! earlier blocks; there is one family, closed at the end, and e-BH looks once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{
    Arm, BlockId, ListedTest, Origin, PassName, PassRecord, Phase, Policy, RunId, Scope, StoredRun,
    TestIndex, natural_order,
};

use super::Evidence;
use super::book::ArmCounts;
use super::mass::{self, Judgement, Pool};
use super::sight::{self, Sight, TestMap, Trial};
use super::suspicion::Suspicion;

/// A pass of a block, with where its tests stand in our list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) pass: &'a PassRecord,
    origin: &'a Origin,
    name: Option<PassName>,
    pub(super) map: Option<&'a TestMap>,
}

impl Member<'_> {
    fn trials(&self) -> u64 {
        let trials = self.pass.observations.iter();
        trials.filter(|seen| seen.outcome.is_trial()).count() as u64
    }
}

/// A pass as it is weighed.
struct Seen<'a> {
    arm: Arm,
    judgement: Judgement,
    /// Each with whether it is a failure that the pool stands for.
    trials: Vec<(Trial<'a>, bool)>,
}

/// Completed ingested passes, each with the map of the run it is from, and the run where that is known.
pub(super) type Passes<'a> = Vec<(&'a PassRecord, Option<&'a TestMap>, Option<RunId>)>;

/// A block, for people: which it is, and how many passes it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockShape {
    /// Which block.
    pub id: BlockId,
    /// Its passes by arm.
    pub passes: [u32; 2],
    /// Trials in them, skipped tests left out.
    pub trials: u64,
}

/// Returns the blocks of an ingested run and of those it joins, in the order they are weighed. A pass that was ingested
/// into several stores counts once.
pub fn blocks_of(run: &StoredRun, joined: &[StoredRun]) -> Vec<BlockShape> {
    let of = |run: &'_ StoredRun| run.header.id;
    let runs = joined.iter().chain([run]);
    let passes = runs.flat_map(|run| {
        run.passes
            .iter()
            .map(move |pass| (pass, None, Some(of(run))))
    });
    sorted(passes.collect())
        .into_iter()
        .map(|(id, members)| {
            let of = |arm| {
                members
                    .iter()
                    .filter(move |member| member.pass.spec.arm == arm)
            };
            BlockShape {
                id: id.clone(),
                passes: Arm::BOTH.map(|arm| u32::try_from(of(arm).count()).unwrap_or(u32::MAX)),
                trials: members.iter().map(|member| member.trials()).sum(),
            }
        })
        .collect()
}

impl Evidence {
    /// Returns what the passes of an ingested run, and of the ingested runs it joins, say by the rule for blocks.
    ///
    /// Whatever of them arrived first, the result is the same.
    pub fn of_blocks(run: &StoredRun, joined: &[StoredRun]) -> Self {
        let mut evidence = Self::new(&run.tests, &run.header.policy);
        let maps = maps_of(run, joined);
        let theirs = joined.iter().zip(&maps);
        let theirs = theirs.flat_map(|(run, map)| {
            let passes = run.passes.iter();
            passes.map(move |pass| (pass, Some(&**map), Some(run.header.id)))
        });
        let own = run.passes.iter();
        let own = own.map(|pass| (pass, None, Some(run.header.id)));
        evidence.weigh_blocks(theirs.chain(own).collect());
        evidence
    }

    /// Returns what ingested passes over these tests say, under this policy.
    pub fn of_ingested<'a>(
        tests: &[ListedTest],
        policy: &Policy,
        passes: impl IntoIterator<Item = &'a PassRecord>,
    ) -> Self {
        let mut evidence = Self::new(tests, policy);
        let passes = passes.into_iter().map(|pass| (pass, None, None));
        evidence.weigh_blocks(passes.collect());
        evidence
    }

    fn weigh_blocks(&mut self, passes: Passes<'_>) {
        for (_, members) in sorted(passes) {
            self.weigh_block(&members);
        }
        self.close_family();
        for generation in &mut self.generations {
            generation.settle(&self.tests, &mut self.books, &mut self.pool, &self.policy);
        }
    }

    fn weigh_block(&mut self, members: &[Member<'_>]) {
        let size = self.books.len();
        let trials = distinct_trials(members, size);
        let judgements = self.judge_block(&trials);
        let seen: Vec<Seen<'_>> = members
            .iter()
            .zip(trials)
            .zip(judgements)
            .map(|((member, trials), judgement)| Seen {
                arm: member.pass.spec.arm,
                judgement,
                trials: trials
                    .into_iter()
                    .map(|trial| (trial, self.is_excused(judgement, &trial)))
                    .collect(),
            })
            .collect();
        self.weigh_pool_in_block(&seen);
        self.bet_on_block(&seen);
        let mut any_mass_failure = false;
        for pass in &seen {
            any_mass_failure |= pass.judgement.failed == Some(true);
            self.suite_passes[pass.arm.index()] += 1;
            for (trial, excused) in &pass.trials {
                self.count_in_block(pass, trial, *excused);
            }
        }
        if any_mass_failure {
            self.release_broken_members();
        }
    }

    fn is_excused(&self, judgement: Judgement, trial: &Trial<'_>) -> bool {
        trial.sight() == Sight::Failed && judgement.excuses(&self.books[trial.test.get()])
    }

    /// Judges the passes of a block by earlier blocks. Where there was no pool before and one of them makes it, the
    /// others are passes of the pool too: which made it first is no matter of order within a block.
    fn judge_block(&self, passes: &[Vec<Trial<'_>>]) -> Vec<Judgement> {
        let share = self.policy.mass_failure;
        let judge = |trials: &Vec<Trial<'_>>| {
            mass::judge(self.pool.as_ref(), &self.books, Scope::Suite, trials, share)
        };
        let mut judgements: Vec<Judgement> = passes.iter().map(judge).collect();
        if self.pool.is_none() && judgements.iter().any(|judgement| judgement.widens) {
            for judgement in &mut judgements {
                judgement.failed.get_or_insert(false);
            }
        }
        judgements
    }

    fn weigh_pool_in_block(&mut self, seen: &[Seen<'_>]) {
        let mut block = [ArmCounts::default(); 2];
        for pass in seen {
            if let Some(failed) = pass.judgement.failed {
                let counts = &mut block[pass.arm.index()];
                counts.trials += 1;
                counts.failures += u32::from(failed);
            }
        }
        if block.iter().all(|arm| arm.trials == 0) {
            return;
        }
        if self.pool.is_none() {
            self.open.pool = true;
        }
        let passes = self.suite_passes;
        let pool = self.pool.get_or_insert_with(|| Pool::new(passes));
        pool.bet_block(&block);
    }

    /// Bets on every test that failed, now or before, leaving out the failures that the pool stands for.
    fn bet_on_block(&mut self, seen: &[Seen<'_>]) {
        let mut block: BTreeMap<TestIndex, [ArmCounts; 2]> = BTreeMap::new();
        let mut failed_alone: BTreeSet<TestIndex> = BTreeSet::new();
        let trials = || {
            seen.iter()
                .flat_map(|pass| pass.trials.iter().map(|trial| (pass.arm, trial)))
        };
        for (_, (trial, excused)) in trials() {
            if trial.sight() == Sight::Failed && !excused {
                failed_alone.insert(trial.test);
            }
        }
        let suspects = (0_u32..).map(TestIndex).zip(&self.books);
        let known = suspects.filter(|(_, book)| book.suspicion().is_some());
        for test in known.map(|(test, _)| test).chain(failed_alone) {
            block.entry(test).or_default();
        }
        for (arm, (trial, excused)) in trials() {
            if let Some(counts) = block.get_mut(&trial.test).filter(|_| !excused) {
                counts[arm.index()].add(trial.outcome);
            }
        }
        for (test, counts) in block {
            let book = &mut self.books[test.get()];
            let arms = book.arms;
            let failing = book.failing_mut();
            let suspicion = failing.suspicion.get_or_insert_with(|| {
                self.open.suspects.push(test);
                self.suspects += 1;
                Suspicion::new(&arms)
            });
            suspicion.bet_block(&counts);
        }
    }

    /// Counts a trial of a block that was bet on.
    fn count_in_block(&mut self, pass: &Seen<'_>, trial: &Trial<'_>, excused: bool) {
        let book = &mut self.books[trial.test.get()];
        let failed = trial.sight() == Sight::Failed;
        if failed {
            let failing = book.failing_mut();
            if let Some(failure) = trial.failure {
                failing.sign(self.signatures.number(failure));
            }
            if excused {
                failing.mass.get_or_insert_default();
                if let Some(pool) = &mut self.pool {
                    pool.members.insert(trial.test);
                }
            }
        }
        if let Some(tally) = book
            .failing
            .as_mut()
            .and_then(|failing| failing.mass.as_mut())
            && pass.judgement.failed == Some(true)
        {
            tally.add(failed);
        }
        book.count(pass.arm, Scope::Suite, trial);
    }
}

/// Returns where the tests of each joined run stand in the list of the run.
///
/// Runs that share a list share its map.
pub(super) fn maps_of(run: &StoredRun, joined: &[StoredRun]) -> Vec<Arc<TestMap>> {
    let map_of = |other: &StoredRun| -> TestMap {
        // Both lists are sorted.
        let mut ours = (0_u32..).zip(run.tests.iter()).peekable();
        let place = |test: &ListedTest| {
            while ours.next_if(|(_, own)| own.id < test.id).is_some() {}
            ours.next_if(|(_, own)| own.id == test.id)
        };
        let places = other.tests.iter().map(place);
        places.map(|place| Some(TestIndex(place?.0))).collect()
    };
    let mut maps: Vec<Arc<TestMap>> = Vec::with_capacity(joined.len());
    for (position, other) in joined.iter().enumerate() {
        let before = position
            .checked_sub(1)
            .map(|before| (&joined[before], &maps[before]));
        let map = match before {
            Some((before, map)) if Arc::ptr_eq(&before.tests, &other.tests) => Arc::clone(map),
            _ => Arc::new(map_of(other)),
        };
        maps.push(map);
    }
    maps
}

/// Returns the completed ones of `passes` by block, each once, in the order they are weighed.
pub(super) fn sorted(passes: Passes<'_>) -> Vec<(&BlockId, Vec<Member<'_>>)> {
    let mut blocks: BTreeMap<&BlockId, Vec<Member<'_>>> = BTreeMap::new();
    for (pass, map, run) in passes {
        if let (Phase::Ingested, true, Some(origin)) =
            (pass.spec.phase, pass.is_completed(), pass.origin.as_deref())
        {
            let pass_name = |run| PassName {
                run,
                pass: pass.spec.number,
            };
            let member = Member {
                pass,
                origin,
                name: PassName::of_part(&origin.part).or(run.map(pass_name)),
                map,
            };
            blocks.entry(&origin.block).or_default().push(member);
        }
    }
    let mut blocks: Vec<_> = blocks.into_iter().collect();
    for (_, members) in &mut blocks {
        // The arm tells passes of equal contents apart, for which it makes no difference who is first.
        members.sort_by(|one, other| {
            let order = one.origin.order().cmp(&other.origin.order());
            order.then(one.pass.spec.arm.cmp(&other.pass.spec.arm))
        });
        let mut taken = BTreeSet::new();
        members.retain(|member| taken.insert((member.pass.spec.arm, member.origin.order())));
    }
    let began = |members: &[Member<'_>]| {
        members
            .iter()
            .filter_map(|member| member.origin.at_us)
            .min()
    };
    blocks.sort_by(|(one, first), (other, second)| {
        let (a, b) = (began(first), began(second));
        let times = (a.is_none(), a).cmp(&(b.is_none(), b));
        times.then_with(|| by_name(one, other))
    });
    blocks
}

fn by_name(one: &BlockId, other: &BlockId) -> std::cmp::Ordering {
    let text = |name: &Option<String>| name.clone().unwrap_or_default();
    natural_order(&text(&one.name), &text(&other.name)).then_with(|| one.cmp(other))
}

/// What passes that were made of the same results have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Made<'a> {
    /// A part of a file with this digest.
    Of(Arm, &'a [u8; 32], &'a str),
    /// A pass of a run, which was exported and ingested again.
    Pass(Arm, PassName),
}

/// Returns the trials of each pass. Where two passes were made of the same results, as happens if a file was ingested alone
/// into one store and with others into another, a test of both counts in the first of them only.
fn distinct_trials<'a>(members: &[Member<'a>], size: usize) -> Vec<Vec<Trial<'a>>> {
    let mut taken: BTreeMap<Made<'a>, BTreeSet<TestIndex>> = BTreeMap::new();
    let mut shared: BTreeMap<Made<'a>, u32> = BTreeMap::new();
    fn keys<'a>(member: &Member<'a>) -> impl Iterator<Item = Made<'a>> {
        let (arm, part) = (member.pass.spec.arm, member.origin.part.as_str());
        let sources = member.origin.sources.iter();
        let files = sources.map(move |source| Made::Of(arm, &source.digest, part));
        files.chain(member.name.map(|name| Made::Pass(arm, name)))
    }
    for key in members.iter().flat_map(keys) {
        *shared.entry(key).or_default() += 1;
    }
    let mut all = Vec::with_capacity(members.len());
    for member in members {
        let mut trials = sight::trials(member.pass, size, member.map);
        for key in keys(member).filter(|key| shared.get(key).is_some_and(|passes| *passes > 1)) {
            let taken = taken.entry(key).or_default();
            trials.retain(|trial| !taken.contains(&trial.test));
        }
        let tests: Vec<TestIndex> = trials.iter().map(|trial| trial.test).collect();
        for key in keys(member).filter(|key| shared.get(key).is_some_and(|passes| *passes > 1)) {
            taken.entry(key).or_default().extend(&tests);
        }
        all.push(trials);
    }
    all
}

#[cfg(test)]
mod tests;
