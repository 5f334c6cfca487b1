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
        let testable = |config: &S::Config| self.is_testable(config);
        let checks = self.space.checks(leader.hypothesis, &testable);
        let is_over = self.is_over();
        let left = |left| {
            let suspects = suspects(oriented);
            Step::Done(Ending::Inconclusive { suspects, left })
        };
        if self.rules.confirm {
            let fails = |check: &Check<S::Config>| check.expect == Expect::Fails;
            if !checks.iter().any(fails) || !checks.iter().all(|check| testable(&check.config)) {
                return left(Left::CannotBeTried);
            }
            let open = match self.open(leader, &checks) {
                Ok(open) => open,
                Err(why) => return left(why),
            };
            if let Some(place) = confirm::next_side(&open) {
                return match is_over {
                    Some(why) => left(why),
                    None => Step::Try(Experiment {
                        config: checks[place].config.clone(),
                        purpose: Purpose::Confirm,
                        likely: 1,
                    }),
                };
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
            checked: checks
                .into_iter()
                .map(|check| self.checked(check))
                .collect(),
        })
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
        let claim = Claim {
            active,
            elsewhere: elsewhere.minus(necessary),
            needed: confirm::trials_needed(active.mean(), self.is_time_dependent()),
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
