//! Families of suspects: who is judged together, what counts as one finding, and what e-BH says of them.
//!
//! Invariants: a family is closed before e-BH looks at it, and never grows afterwards; who belongs together is decided
//! from outcomes alone, never from the arms they were seen in, because a null's bets keep their mean only while
//! nothing they are sorted by depends on the draw.

use std::collections::BTreeMap;

use crate::domain::{ListedTest, Policy, Screen, TestIndex};
use crate::stats::ebh;

use super::book::TestBook;
use super::mass::Pool;
use super::signatures::SignatureId;
use super::suspicion::{Claim, Suspicion};

/// What joins the members of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// Their first failures have this signature.
    Signature(SignatureId),
    /// They failed in the same screening passes.
    SamePasses,
    /// They are represented by the pool of the mass failure.
    MassFailure,
}

/// What counts as one finding: a suspect, a cluster of suspects, or the pool of a mass failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its suspects, sorted; empty for the pool.
    pub members: Vec<TestIndex>,
    /// What joins them; none for a single suspect.
    pub bond: Option<Bond>,
}

/// A closed family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// 1, 2, 3 ...
    pub number: u32,
    /// What is judged, in the order of first members.
    pub units: Vec<Unit>,
    /// Units rejected so far, by claim.
    rejected: [usize; 4],
}

impl Generation {
    pub(super) fn new(number: u32, units: Vec<Unit>) -> Self {
        Self {
            number,
            units,
            rejected: [0; 4],
        }
    }

    /// Returns how many units e-BH rejects for `claim` now.
    pub fn rejected(&self, claim: Claim) -> usize {
        self.rejected[claim as usize]
    }

    /// Applies e-BH for every claim, and marks the suspects it holds for.
    ///
    /// # Method
    /// A unit's e-value is the mean of its members', which is an e-value for "all of them are null"; a member of a
    /// rejected unit is claimed if its own e-value reaches the bar as well. A claim that says the other arm passes
    /// takes members whose other arm does not pass as 0, with the family unchanged: filtering afterwards would void
    /// the guarantee.
    pub(super) fn settle(
        &mut self,
        tests: &[ListedTest],
        books: &mut [TestBook],
        pool: &mut Option<Pool>,
        policy: &Policy,
    ) {
        let level = ebh::generation_level(policy.fdr, self.number);
        for claim in Claim::ALL {
            let values: Vec<Vec<f64>> = self
                .units
                .iter()
                .map(|unit| unit.log_values(claim, (tests, books), pool.as_ref(), policy))
                .collect();
            let means: Vec<f64> = values.iter().map(|values| log_mean(values)).collect();
            let (rejected, bar) = ebh::rejections(&means, self.units.len(), level);
            self.rejected[claim as usize] = rejected;
            if rejected == 0 {
                continue;
            }
            for ((unit, values), mean) in self.units.iter().zip(values).zip(means) {
                if mean < bar {
                    continue;
                }
                for (position, value) in values.into_iter().enumerate() {
                    let suspicion = unit.suspicion_mut(position, books, pool);
                    if let Some(suspicion) = suspicion.filter(|_| value >= bar) {
                        suspicion.claim(claim);
                    }
                }
            }
        }
    }
}

impl Unit {
    fn log_values(
        &self,
        claim: Claim,
        (tests, books): (&[ListedTest], &[TestBook]),
        pool: Option<&Pool>,
        policy: &Policy,
    ) -> Vec<f64> {
        let worse = claim.worse_arm();
        let value = |suspicion: &Suspicion, arms: &[super::book::ArmCounts; 2], tolerance: f64| {
            if claim.needs_passing_arm() && !arms[worse.other().index()].passes(tolerance) {
                f64::NEG_INFINITY
            } else {
                suspicion.log_e(worse)
            }
        };
        if self.bond == Some(Bond::MassFailure) {
            return pool
                .iter()
                .map(|pool| value(&pool.suspicion, &pool.arms, policy.tolerance))
                .collect();
        }
        self.members
            .iter()
            .map(|member| {
                let book = &books[member.get()];
                let tolerance = tests[member.get()].tolerance(policy);
                book.suspicion().map_or(f64::NEG_INFINITY, |suspicion| {
                    value(suspicion, &book.arms, tolerance)
                })
            })
            .collect()
    }

    fn suspicion_mut<'a>(
        &self,
        position: usize,
        books: &'a mut [TestBook],
        pool: &'a mut Option<Pool>,
    ) -> Option<&'a mut Suspicion> {
        if self.bond == Some(Bond::MassFailure) {
            return pool.as_mut().map(|pool| &mut pool.suspicion);
        }
        let member = self.members.get(position)?;
        books[member.get()].failing.as_mut()?.suspicion.as_mut()
    }
}

/// Returns the logarithm of the mean of values given as logarithms; minus infinity for none.
fn log_mean(logs: &[f64]) -> f64 {
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if let [only] = logs {
        return *only;
    }
    if !top.is_finite() {
        return top;
    }
    let sum: f64 = logs.iter().map(|log| (log - top).exp()).sum();
    top + (sum / logs.len() as f64).ln()
}

/// The screening a family comes from.
#[derive(Clone, Copy, Debug)]
pub struct Screening {
    /// Passes made over the whole suite.
    pub passes: u32,
    /// The numbers that were planned for each arm.
    pub screen: Screen,
}

/// The chance below which equal failing passes are taken for one cause.
const COINCIDENCE: f64 = 0.01;

/// Sorts suspects into units.
///
/// Two suspects belong together if their first failures have equal signatures, or if they failed in the same screening
/// passes and that is no coincidence. Which passes are the same says little by itself: everything that always fails in
/// the target fails in exactly its passes, whatever the cause, and everything broken fails in all. So only patterns
/// whose size is not that of an arm, of both, or 1 are looked at; the size, unlike the arms, is known without
/// the draw. Passes over suspicious tests alone are no part of a pattern: not everybody takes part in them. And as `g` suspects with `s` failures in `n` passes agree by accident with a chance of at most
/// `C(n, s)^-(g - 1)`, they are joined where that is at most 1 %. Without a complete screening, patterns
/// say nothing.
pub fn units(
    suspects: &[TestIndex],
    books: &[TestBook],
    screening: Option<Screening>,
) -> Vec<Unit> {
    let mut groups = Groups::new(suspects.len());
    let mut by_signature: BTreeMap<SignatureId, usize> = BTreeMap::new();
    let mut by_pattern: BTreeMap<&[u32], Vec<usize>> = BTreeMap::new();
    for (position, suspect) in suspects.iter().enumerate() {
        let Some(failing) = &books[suspect.get()].failing else {
            continue;
        };
        if let Some(signature) = failing.first_signature {
            groups.join(*by_signature.entry(signature).or_insert(position), position);
        }
        if screening.is_some_and(|screening| tells(screening, failing.screen_failures.len())) {
            by_pattern
                .entry(&failing.screen_failures)
                .or_default()
                .push(position);
        }
    }
    let mut patterned = vec![false; suspects.len()];
    if let Some(screening) = screening {
        for (pattern, positions) in by_pattern {
            if coincidence(screening.passes, pattern.len(), positions.len()) <= COINCIDENCE {
                for position in &positions {
                    groups.join(positions[0], *position);
                    patterned[*position] = true;
                }
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for position in 0..suspects.len() {
        members
            .entry(groups.root(position))
            .or_default()
            .push(position);
    }
    let mut units: Vec<Unit> = members
        .into_values()
        .map(|positions| {
            let signature = books[suspects[positions[0]].get()]
                .failing
                .as_ref()
                .and_then(|failing| failing.first_signature);
            let bond = match signature {
                _ if positions.len() < 2 => None,
                Some(signature) if !positions.iter().any(|position| patterned[*position]) => {
                    Some(Bond::Signature(signature))
                }
                _ => Some(Bond::SamePasses),
            };
            let mut members: Vec<TestIndex> = positions
                .into_iter()
                .map(|position| suspects[position])
                .collect();
            members.sort_unstable();
            Unit { members, bond }
        })
        .collect();
    units.sort_by(|a, b| a.members.cmp(&b.members));
    units
}

/// Returns whether a pattern of `failures` passes says more than "always fails in some arm".
fn tells(screening: Screening, failures: usize) -> bool {
    let Screen {
        baseline, target, ..
    } = screening.screen;
    let failures = failures as u64;
    failures >= 2
        && failures < u64::from(screening.passes)
        && failures != u64::from(baseline)
        && failures != u64::from(target)
}

/// Returns the chance with which `group` patterns of `failures` in `passes` agree, all places being equally likely.
fn coincidence(passes: u32, failures: usize, group: usize) -> f64 {
    let log_ways = statrs::function::factorial::ln_binomial(
        u64::from(passes),
        failures.min(passes as usize) as u64,
    );
    (-log_ways * group.saturating_sub(1) as f64).exp()
}

/// Disjoint sets.
struct Groups(Vec<usize>);

impl Groups {
    fn new(size: usize) -> Self {
        Self((0..size).collect())
    }

    fn root(&mut self, mut position: usize) -> usize {
        while self.0[position] != position {
            self.0[position] = self.0[self.0[position]];
            position = self.0[position];
        }
        position
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
