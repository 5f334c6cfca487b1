//! The profile's side of an inquiry: the version from which on the test fails, and which of the values that it changed that takes.
//!
//! Everything is tried at one commit, so that nothing is built.

use super::{Answer, Case, Lab, Under, established};
use crate::attribute::commit_search::{CommitEnding, CommitSearch, CommitStep, Place, Spent, Why};
use crate::attribute::crossing::Side;
use crate::attribute::engine::confirm::trials_needed;
use crate::attribute::engine::{Checked, Counts, Ending, Expect, Price, Rules, Search, Seen, Step};
use crate::attribute::history::CommitId;
use crate::attribute::knobs::{Hypothesis, KnobSpace, Mask, Prior, Shape, bit, places};
use crate::attribute::locator::Factors;
use crate::domain::{Environment, FidelityProfile, KnobId, KnobSetting, Scope};

/// What the profile is called before the version that is looked into, and since.
const NAMES: [&str; 2] = ["profile before", "profile since"];

/// The values, of those that a version changed, that make the test fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Needed {
    /// Their knobs.
    pub knobs: Vec<KnobId>,
    /// Whether any one of them is enough. Else all of them are needed.
    pub either: bool,
    /// The posterior probability.
    pub probability: f64,
    /// Both sides of the claim as they were tried: where, what it says, what was seen.
    pub sides: Vec<(String, Expect, Counts)>,
}

/// Searches the versions of the profile if it takes part, and what the one that is found changed.
pub(super) fn search<L: Lab>(
    case: &Case,
    lab: &mut L,
    answer: &mut Answer,
) -> Result<(), L::Error> {
    let (place, code) = match answer.side {
        Some(Side::Profile | Side::Both) => (case.line.last(), 1),
        // With either alone, it is the old code that shows what the profile does.
        Some(Side::Either) => (case.line.first(), 0),
        _ => return Ok(()),
    };
    let Some(place) = place else {
        return Ok(());
    };
    let mut at = At {
        case,
        lab,
        commit: &place.commit,
        spent: &mut answer.spent,
    };
    let (ending, seen) = at.versions(answer.cells[code])?;
    match ending {
        CommitEnding::Found { place, probability } => {
            answer.needed = at.values(place, &seen)?;
            answer.version = Some((place, probability));
        }
        ending => answer.no_version = Some(ending),
    }
    Ok(())
}

/// Where the profile is tried.
struct At<'a, L> {
    case: &'a Case,
    lab: &'a mut L,
    commit: &'a CommitId,
    spent: &'a mut Spent,
}

impl<L: Lab> At<'_, L> {
    /// Searches the versions, of which the first and last were seen, for that from which on it fails. Returns all counts as well.
    ///
    /// Values go back and forth: one that was found is left where a later version took back what it changed, and passes.
    fn versions(&mut self, ends: [Counts; 2]) -> Result<(CommitEnding, Vec<Counts>), L::Error> {
        let last = self.case.versions.len() - 1;
        let mut seen = vec![Counts::default(); last + 1];
        let [old, new] = ends;
        seen[last] = new;
        // What came back to the values of the good end passes as that does.
        let as_good = |version: &usize| self.environment(*version) == self.environment(0);
        let mut good = match self.environment(0) {
            Some(_) => (0..last).rev().find(as_good).unwrap_or(0),
            None => 0,
        };
        seen[0] = old;
        seen[good] = old;
        loop {
            let ending = self.chain(good, &mut seen)?;
            let CommitEnding::Found { place, .. } = ending else {
                return Ok((ending, seen));
            };
            match self.passes_after(place, &mut seen)? {
                Some(_) if self.lab.is_over() => {
                    let (suspects, why) = (Vec::new(), Why::Stopped);
                    return Ok((CommitEnding::OneOf { suspects, why }, seen));
                }
                Some(passes) => good = passes,
                None => return Ok((ending, seen)),
            }
        }
    }

    fn environment(&self, version: usize) -> Option<&Environment> {
        self.case.environments.get(version)
    }

    /// Searches the versions from `good` on; their places stand in for those of commits.
    fn chain(&mut self, good: usize, seen: &mut [Counts]) -> Result<CommitEnding, L::Error> {
        let last = seen.len() - 1;
        if good + 1 == last {
            return Ok(CommitEnding::Found {
                place: last,
                probability: 1.0,
            });
        }
        let places = (good..=last).map(|version| Place {
            commit: CommitId(version.to_string()),
            merges: 0,
            weight: 1.0,
        });
        let mut search = CommitSearch::new(places.collect(), established(self.case));
        for (place, seen) in seen[good..].iter().enumerate() {
            if 0 < seen.trials {
                search.remember(place, *seen);
            }
        }
        let ending = loop {
            if self.lab.is_over() {
                search.stop();
            }
            let place = match search.next(&|_| true) {
                CommitStep::Done(ending) => break ending,
                CommitStep::Try { place, .. } => place,
            };
            let under = Under::Version(good + place);
            let shown = self.lab.trial(self.commit, under)?;
            self.spent.take(shown);
            search.record(place, shown.seen, shown.ms);
        };
        for (place, seen) in seen[good..].iter_mut().enumerate() {
            *seen = search.counts(place);
        }
        Ok(match ending {
            CommitEnding::Found { place, probability } => CommitEnding::Found {
                place: good + place,
                probability,
            },
            CommitEnding::OneOf { mut suspects, why } => {
                for (place, _) in &mut suspects {
                    *place += good;
                }
                CommitEnding::OneOf { suspects, why }
            }
            ending => ending,
        })
    }

    /// Returns the last version after the one that was found which took back something of what that changed, and passes.
    fn passes_after(
        &mut self,
        found: usize,
        seen: &mut [Counts],
    ) -> Result<Option<usize>, L::Error> {
        let last = seen.len() - 1;
        let needed = trials_needed(seen[last].mean(), false);
        for version in (found + 1..last).rev() {
            if !took_back(&self.case.environments, found, version) {
                continue;
            }
            while seen[version].failures == 0 && seen[version].trials < needed {
                let shown = self.lab.trial(self.commit, Under::Version(version))?;
                self.spent.take(shown);
                match shown.seen {
                    Seen::Passed | Seen::Failed => {
                        let failed = shown.seen == Seen::Failed;
                        seen[version] = seen[version].plus(Counts::one(failed));
                    }
                    // It says nothing of this version, and would go on to.
                    Seen::Nothing | Seen::Untestable => break,
                }
                if self.lab.is_over() {
                    return Ok(Some(version));
                }
            }
            if needed <= seen[version].trials && seen[version].failures == 0 {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// Searches the values that a version changed, given what was seen of all versions; none where there is nothing to search: it
    /// changed one.
    fn values(
        &mut self,
        version: usize,
        seen: &[Counts],
    ) -> Result<Option<Result<Needed, Why>>, L::Error> {
        let of = |version: usize| self.case.environments.get(version);
        let (Some(before), Some(since)) = (version.checked_sub(1).and_then(of), of(version)) else {
            return Ok(None);
        };
        let factors = between(before, since);
        if factors.number() + factors.left_out().len() < 2 {
            return Ok(None);
        }
        if !factors.left_out().is_empty() {
            return Ok(Some(Err(Why::Untestable)));
        }
        let rules = Rules {
            established: true,
            budget: self.case.rules.budget,
            seed: self.case.rules.seed,
            ..Rules::of_knobs()
        };
        let space = KnobSpace::new(factors.constraints(), Prior::default());
        let mut search = Search::new(space, rules);
        for (environment, seen) in self.case.environments.iter().zip(seen) {
            if let Some(config) = factors.mask_of(environment, Scope::Alone) {
                search.remember(&config, *seen);
            }
        }
        loop {
            if self.lab.is_over() {
                search.stop();
            }
            let config = match search.next(&|_| Price::RUN) {
                Step::Done(ending) => return Ok(Some(told(&factors, search.space(), ending))),
                Step::Try(experiment) => experiment.config,
            };
            let environment = factors.environment(config, 0);
            let shown = self.lab.trial(self.commit, Under::Mixture(&environment))?;
            self.spent.take(shown);
            search.record(&config, shown.seen);
        }
    }
}

/// Returns whether `version` has other values than `found` and the last for a knob that `found` changed.
fn took_back(environments: &[Environment], found: usize, version: usize) -> bool {
    let of = |version: usize| environments.get(version);
    let before = found.checked_sub(1).and_then(of);
    let (Some(before), Some(since), Some(then), Some(last)) =
        (before, of(found), of(version), environments.last())
    else {
        return false;
    };
    let mut knobs = before.0.keys().chain(since.0.keys());
    knobs.any(|knob| {
        let value = |environment: &'_ Environment| environment.0.get(knob).cloned();
        let changed = value(before) != value(since);
        changed && value(then) != value(since) && value(then) != value(last)
    })
}

/// Returns the values that differ between two environments, as knobs.
fn between(before: &Environment, since: &Environment) -> Factors {
    let profile = |name: &str, environment: &Environment| {
        let values = environment.0.iter();
        FidelityProfile {
            name: name.to_owned(),
            knobs: values
                .map(|(knob, value)| (knob.clone(), KnobSetting::Fixed(value.clone())))
                .collect(),
        }
    };
    let [low, high] = NAMES;
    Factors::new(&profile(low, before), &profile(high, since), &[], None)
}

/// Returns what an ending says of the values.
fn told(factors: &Factors, space: &KnobSpace, ending: Ending<Mask>) -> Result<Needed, Why> {
    let (cause, checked) = match ending {
        Ending::Found { cause, checked } => (cause, checked),
        Ending::Inconclusive { left, .. } => return Err(left.into()),
        Ending::CredibleSet { .. } => return Err(Why::Untestable),
        Ending::NoneOfThese { .. } | Ending::NotReproducible { .. } | Ending::Outside { .. } => {
            return Err(Why::Unconfirmed);
        }
    };
    let hypothesis = space.hypothesis(cause.hypothesis);
    let knobs = places(hypothesis.members).map(|place| KnobId(factors.named(place).0));
    Ok(Needed {
        knobs: knobs.collect(),
        either: hypothesis.shape == Shape::Any,
        probability: cause.probability,
        sides: checked
            .into_iter()
            .map(|side| side_of(factors, hypothesis, &side))
            .collect(),
    })
}

/// Returns a side of a claim in words, by the values that are turned there.
fn side_of(
    factors: &Factors,
    hypothesis: Hypothesis,
    side: &Checked<Mask>,
) -> (String, Expect, Counts) {
    let fails = side.expect == Expect::Fails;
    let turned =
        places(hypothesis.members).filter(|place| (side.config & bit(*place) != 0) == fails);
    let members = turned.fold(0, |mask, place| mask | bit(place));
    (factors.side(fails, members), side.expect, side.seen)
}
