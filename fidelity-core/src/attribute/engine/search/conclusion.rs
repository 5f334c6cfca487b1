//! What a search does once one hypothesis is probable enough: look at both sides of it, or say so.

use super::super::belief::credible_set;
use super::super::confirm::{self, Check, Lacks};
use super::super::ending::{Checked, Ending, Left, Suspected};
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
        if self.rules.confirm {
            let [active, _] = self.belief.sides(leader.hypothesis);
            let needed = confirm::trials_needed(active.mean(), self.is_time_dependent());
            let mut open = Vec::new();
            for (place, check) in checks.iter().enumerate() {
                let seen = self.counts(&check.config);
                match confirm::lacks(check.expect, seen, needed) {
                    Lacks::Nothing => {}
                    Lacks::Trials => open.push((place, seen.trials)),
                    Lacks::Failures => {
                        return Step::Done(Ending::Inconclusive {
                            suspects: suspects(oriented),
                            left: Left::Unconfirmed,
                        });
                    }
                }
            }
            if let Some(place) = confirm::next_side(&open) {
                if self.stopped || self.spent >= self.rules.budget {
                    return Step::Done(self.inconclusive(oriented));
                }
                return Step::Try(Experiment {
                    config: checks[place].config.clone(),
                    purpose: Purpose::Confirm,
                    likely: 1,
                });
            }
            let alike = self.alike(leader, oriented);
            if alike.len() > 1 {
                // Tried rather than believed, where it can be.
                let members: Vec<usize> = alike.iter().map(|one| one.hypothesis).collect();
                let outlook = Outlook::among(&self.belief, &members);
                return match self.most_telling(&outlook, &[], price) {
                    Some(_) if self.stopped || self.spent >= self.rules.budget => {
                        Step::Done(self.inconclusive(oriented))
                    }
                    Some(step) => step,
                    None => Step::Done(Ending::CredibleSet { suspects: alike }),
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

    pub(super) fn inconclusive(&self, oriented: &[f64]) -> Ending<S::Config> {
        Ending::Inconclusive {
            suspects: suspects(oriented),
            left: if self.stopped {
                Left::Stopped
            } else {
                Left::OutOfBudget
            },
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
