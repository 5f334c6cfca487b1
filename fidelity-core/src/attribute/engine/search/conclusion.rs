//! What a search does once one hypothesis is probable enough: look at both sides of it, or say so.

use super::super::belief::credible_set;
use super::super::confirm::{self, Check, Claim, Expect, Lacks};
use super::super::ending::{Checked, Ending, Left, Suspected};
use super::super::likelihood::Counts;
use super::super::outlook::{Outlook, Price};
use super::super::step::{Experiment, Purpose, Step};
use super::{CREDIBLE, Search, Space};

impl<S: Space> Search<S> {
    /// Returns the step when one hypothesis is probable enough: to look at both sides of it, or to say so.
    pub(super) fn conclude(
        &self,
        leader: Suspected,
        oriented: &[f64],
        price: &dyn Fn(&S::Config) -> Price,
    ) -> Step<S::Config> {
        if self.space.none() == Some(leader.hypothesis) {
            return Step::Done(Ending::NoneOfThese {
                probability: leader.probability,
            });
        }
        let is_over = self.is_over();
        let left = |left| {
            let suspects = suspects(oriented);
            Step::Done(Ending::Inconclusive { suspects, left })
        };
        if self.rules.confirm {
            match (self.confirmation(leader), is_over) {
                (Err(why), _) | (Ok(Some(_)), Some(why)) => return left(why),
                (Ok(Some(step)), None) => return step,
                (Ok(None), _) => {}
            }
            let alike = self.alike(leader, oriented);
            if alike.len() > 1 {
                // Tried rather than believed, where it can be.
                let members: Vec<usize> = alike.iter().map(|one| one.hypothesis).collect();
                let outlook = Outlook::among(&self.belief, &members);
                return match (self.most_telling(&outlook, &[], price), is_over) {
                    (Some(_), Some(why)) => left(why),
                    (Some(step), None) => step,
                    (None, _) => Step::Done(Ending::CredibleSet { suspects: alike }),
                };
            }
        }
        Step::Done(Ending::Found {
            cause: leader,
            checked: self
                .checks(leader)
                .into_iter()
                .map(|check| self.checked(check))
                .collect(),
        })
    }

    /// Returns the next trial of the confirmation of a hypothesis that is probable, but not enough to be claimed: none where its
    /// sides have all they need, or cannot have it.
    pub(super) fn confirm_early(&self, leader: Suspected) -> Option<Step<S::Config>> {
        let is_probable = leader.probability >= self.rules.confirm_from;
        if !self.rules.confirm || !is_probable || self.space.none() == Some(leader.hypothesis) {
            return None;
        }
        self.confirmation(leader).ok().flatten()
    }

    /// Returns the next trial of the confirmation of a hypothesis, none where its sides have all they need; why it cannot be
    /// confirmed, or does not hold.
    fn confirmation(&self, leader: Suspected) -> Result<Option<Step<S::Config>>, Left> {
        let checks = self.checks(leader);
        let fails = |check: &Check<S::Config>| check.expect == Expect::Fails;
        let can_be_tried = |check: &Check<S::Config>| self.is_testable(&check.config);
        if !checks.iter().any(fails) || !checks.iter().all(can_be_tried) {
            return Err(Left::CannotBeTried);
        }
        let open = self.open(leader, &checks)?;
        Ok(confirm::next_side(&open, self.draw()).map(|place| {
            Step::Try(Experiment {
                config: checks[place].config.clone(),
                purpose: Purpose::Confirm,
                likely: 1,
            })
        }))
    }

    fn checks(&self, of: Suspected) -> Vec<Check<S::Config>> {
        let testable = |config: &S::Config| self.is_testable(config);
        self.space.checks(of.hypothesis, &testable)
    }

    /// Returns the sides of a claim that need more trials, by their places, each with the trials it has; why the claim does not
    /// hold, where it does not.
    fn open(
        &self,
        leader: Suspected,
        checks: &[Check<S::Config>],
    ) -> Result<Vec<(usize, u32)>, Left> {
        let seen = |check: &Check<S::Config>| match self.cells.get(&check.config) {
            Some(cell) if self.rules.recent => cell.counts(),
            Some(cell) => cell.now(),
            None => Counts::default(),
        };
        let necessary = checks.iter().filter(|check| check.expect == Expect::Passes);
        let necessary = necessary.fold(Counts::default(), |all, check| all.plus(seen(check)));
        let [active, elsewhere] = self.belief.sides(leader.hypothesis);
        let time_dependent = self.is_time_dependent();
        let claim = Claim {
            active,
            elsewhere: elsewhere.minus(necessary),
            fewest: confirm::trials_needed(1.0, time_dependent),
            needed: confirm::trials_needed(active.mean(), time_dependent),
        };
        let mut open = Vec::new();
        for (place, check) in checks.iter().enumerate() {
            let seen = seen(check);
            match claim.lacks(check.expect, seen) {
                Lacks::Nothing => {}
                Lacks::Trials => open.push((place, seen.trials)),
                Lacks::Failures => return Err(Left::Unconfirmed),
                Lacks::Passes => return Err(Left::NotNecessary),
            }
        }
        Ok(open)
    }

    /// Returns the leader and whatever no trial tells from it: what the prior alone decides is not found.
    fn alike(&self, leader: Suspected, oriented: &[f64]) -> Vec<Suspected> {
        let tried: Vec<&S::Config> = self
            .cells
            .iter()
            .filter(|(_, cell)| cell.counts().trials > 0)
            .map(|(config, _)| config)
            .collect();
        let agrees = |hypothesis: usize| {
            tried.iter().all(|config| {
                let active = self.space.is_active(hypothesis, config);
                active == self.space.is_active(leader.hypothesis, config)
            })
        };
        let others = oriented
            .iter()
            .copied()
            .enumerate()
            .filter(|(hypothesis, probability)| {
                *hypothesis != leader.hypothesis && *probability > 0.0 && agrees(*hypothesis)
            })
            .map(|(hypothesis, probability)| Suspected {
                hypothesis,
                probability,
            });
        std::iter::once(leader).chain(others).collect()
    }

    fn checked(&self, check: Check<S::Config>) -> Checked<S::Config> {
        Checked {
            seen: self.counts(&check.config),
            config: check.config,
            expect: check.expect,
        }
    }
}

/// Returns the smallest set of hypotheses that holds 90 %.
pub(super) fn suspects(probabilities: &[f64]) -> Vec<Suspected> {
    credible_set(probabilities, CREDIBLE)
        .into_iter()
        .map(|(hypothesis, probability)| Suspected {
            hypothesis,
            probability,
        })
        .collect()
}
