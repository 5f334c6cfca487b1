//! In how many passes a test was skipped, and from how many it is absent: what has no trial, and so is in no count.
//!
//! A report of a job that died half-way lacks what the job did not get to, and says nothing of it. So a test counts as
//! absent from a pass if another pass of the same block has it, and both passes are of one suite: they share a test, or each
//! does with a third. Nothing here is evidence.

use std::collections::BTreeMap;

use super::blocks::{Member, Passes, maps_of, sorted};
use super::sight::TestMap;
use crate::domain::{Arm, Outcome, PassRecord, Phase, StoredRun, TestIndex};

/// What became of a test in the passes of an arm without a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Passes that could have had it.
    pub passes: u32,
    /// Of these, said that it was skipped.
    pub skipped: u32,
    /// Of these, did not name it.
    pub absent: u32,
}

impl Presence {
    /// Returns whether no pass that could have had the test has a trial of it.
    pub fn is_never_run(&self) -> bool {
        0 < self.passes && self.skipped + self.absent == self.passes
    }
}

/// Returns the tests of a run that were skipped or absent somewhere, in its own passes and those it joins.
pub fn presences(run: &StoredRun, joined: &[StoredRun]) -> BTreeMap<TestIndex, [Presence; 2]> {
    let mut all = vec![[Presence::default(); 2]; run.tests.len()];
    let maps = maps_of(run, joined);
    let theirs = joined.iter().zip(&maps);
    let theirs = theirs.flat_map(|(run, map)| {
        let passes = run.passes.iter();
        passes.map(move |pass| (pass, Some(&**map), Some(run.header.id)))
    });
    let own = run.passes.iter();
    let own = own.map(|pass| (pass, None, Some(run.header.id)));
    let passes: Passes<'_> = theirs.chain(own).collect();
    if run.header.ingested {
        for (_, members) in sorted(passes) {
            count_block(&mut all, &members);
        }
    } else {
        for (pass, map, _) in passes {
            count_pass(&mut all, pass, map);
        }
    }
    (0_u32..)
        .map(TestIndex)
        .zip(all)
        .filter(|(_, arms)| arms.iter().any(|arm| 0 < arm.skipped + arm.absent))
        .collect()
}

/// Returns the tests that a pass names, each once, with whether it was skipped.
fn named<'a>(
    pass: &'a PassRecord,
    map: Option<&'a TestMap>,
    size: usize,
) -> impl Iterator<Item = (TestIndex, bool)> + 'a {
    let first = |seen: &&crate::domain::Observation| seen.attempt == 0;
    pass.observations
        .iter()
        .filter(first)
        .filter_map(move |seen| {
            let test = match map {
                Some(map) => map.get(seen.test.get()).copied().flatten(),
                None => Some(seen.test).filter(|test| test.get() < size),
            };
            test.map(|test| (test, seen.outcome == Outcome::Skipped))
        })
}

/// Counts a pass of ours, which names what it was to run.
fn count_pass(all: &mut [[Presence; 2]], pass: &PassRecord, map: Option<&TestMap>) {
    if !pass.is_completed() || pass.spec.phase == Phase::TimeoutCheck {
        return;
    }
    for (test, is_skipped) in named(pass, map, all.len()) {
        let presence = &mut all[test.get()][pass.spec.arm.index()];
        presence.passes += 1;
        presence.skipped += u32::from(is_skipped);
    }
}

/// Counts the passes of a block, suite by suite.
fn count_block(all: &mut [[Presence; 2]], members: &[Member<'_>]) {
    let suites = suites(members, all.len());
    for suite in 0..members.len() {
        let passes: Vec<&Member<'_>> = members
            .iter()
            .zip(&suites)
            .filter(|(_, of)| **of == suite)
            .map(|(member, _)| member)
            .collect();
        let mut by_arm = [0; 2];
        let mut seen: BTreeMap<TestIndex, [u32; 2]> = BTreeMap::new();
        for member in passes {
            let arm = member.pass.spec.arm.index();
            by_arm[arm] += 1;
            for (test, is_skipped) in named(member.pass, member.map, all.len()) {
                seen.entry(test).or_default()[arm] += 1;
                all[test.get()][arm].skipped += u32::from(is_skipped);
            }
        }
        for (test, seen) in seen {
            for arm in Arm::BOTH.map(Arm::index) {
                let presence = &mut all[test.get()][arm];
                presence.passes += by_arm[arm];
                presence.absent += by_arm[arm] - seen[arm];
            }
        }
    }
}

/// Returns for each pass the position of the first pass of its suite.
fn suites(members: &[Member<'_>], size: usize) -> Vec<usize> {
    let mut suites: Vec<usize> = (0..members.len()).collect();
    let mut first: Vec<Option<usize>> = vec![None; size];
    for (position, member) in members.iter().enumerate() {
        for (test, _) in named(member.pass, member.map, size) {
            let earlier = *first[test.get()].get_or_insert(position);
            let (one, other) = (suites[earlier], suites[position]);
            if one != other {
                // The few passes of a block: each of the one suite is of the other now.
                let (to, from) = (one.min(other), one.max(other));
                for suite in suites.iter_mut().filter(|suite| **suite == from) {
                    *suite = to;
                }
            }
        }
    }
    suites
}

#[cfg(test)]
mod tests;
