//! What a number of passes, or a budget, can detect: the answers of `cargo fidelity power`.
//!
//! Seeing is counted exactly, deciding is simulated through the real scheduler. Knows a policy and what a stored run says
//! of durations; no store, no clock and no page. Invariant: the same question has the same answer, to the last digit.

use crate::domain::{Policy, Screen};
use crate::simulate::lone::{Bout, PassTimes, lone_defect};
use crate::stats::power::{chance_to_see, rate_seen, trials_to_see};

mod measured;
mod share;

pub use measured::{Measured, SuitePasses};
pub use share::{NotAShare, Share};

/// Simulated runs a rate that are enough: the standard error of a share is below 3 points.
pub const RUNS: u64 = 300;
/// Passes after which a simulated defect counts as never decided, where the policy sets no limit.
pub const MOST_PASSES: u32 = 2_000;
/// The probabilities at which a budget's reach is told.
pub const PROBABILITIES: [f64; 3] = [0.5, 0.8, 0.95];
/// Rates at which the reach of a budget is simulated; between them it is interpolated.
const GRID: u32 = 10;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Failure rates in the target; the defect never fails in the baseline.
    pub rates: Vec<Share>,
    /// The probability with which they are to be seen, and decided.
    pub probability: Share,
    /// The policy, with the budget.
    pub policy: Policy,
    /// What a stored run says of durations.
    pub measured: Option<Measured>,
    /// The seed of the simulations.
    pub seed: u64,
    /// Simulated runs a rate, at least 1.
    pub runs: u64,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PowerError {
    /// The budget is over before both arms were seen once.
    #[error(
        "{} is less than one pass of each arm takes ({})",
        crate::report::number::duration_ms(*budget_ms),
        crate::report::number::duration_ms(*needed_ms)
    )]
    BudgetTooSmall {
        /// The budget in milliseconds.
        budget_ms: u64,
        /// What one pass of each arm takes, in milliseconds.
        needed_ms: u64,
    },
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Power {
    /// The probability that was asked for.
    pub probability: Share,
    /// The share of false findings, and the passes of a suspect at most, of the policy.
    pub fdr: f64,
    /// The screening: the policy's, or as much of it as the budget allows.
    pub screen: Screen,
    /// Whether the budget cuts the policy's screening short.
    pub cut_short: bool,
    /// Suspects that a defect is judged among.
    pub family: u32,
    /// An answer a rate.
    pub rates: Vec<RateAnswer>,
    /// What the budget reaches, by probability.
    pub reach: Vec<Reach>,
    /// The wall time that is allowed, in milliseconds; none for no limit.
    pub max_time_ms: Option<u64>,
    /// What is known of durations.
    pub cost: Option<Cost>,
    /// The reach of a screening with one more target pass: the rate seen with the probability asked for, now and then.
    pub one_more: (f64, f64),
    /// The seed of the simulations.
    pub seed: u64,
    /// Simulated runs a rate.
    pub runs: u64,
}

/// What a failure rate needs, and what becomes of it under the policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateAnswer {
    /// The rate.
    pub rate: Share,
    /// Target passes that see it with the probability asked for; none if nobody could count so far.
    pub to_see: Option<u64>,
    /// Passes after the screening that decide it with that probability, once seen; none where more of them are
    /// given up as flaky first, or not decided after [`MOST_PASSES`].
    pub to_decide: Option<u32>,
    /// The probability that the policy's screening sees it.
    pub seen: f64,
    /// The share of simulated runs under the policy and within the budget that call it a hidden defect.
    pub decided: f64,
}

/// The rates that are detected with a probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// The probability.
    pub probability: f64,
    /// Rates above this are seen.
    pub seen_above: f64,
    /// Rates above this are decided; none where not even a test that always fails is.
    pub decided_above: Option<f64>,
}

/// What passes cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// What was measured.
    pub measured: Measured,
    /// Wall time of the screening in milliseconds.
    pub screening_ms: f64,
    /// Target passes over the whole suite that fit the budget beside the baseline's, if all is spent on screening; none
    /// without a limit.
    pub fitting: Option<u32>,
}

/// Answers a question.
///
/// # Errors
/// [`PowerError`] where the budget is too small for any comparison.
pub fn answer(question: &Question) -> Result<Power, PowerError> {
    let Question {
        probability,
        seed,
        measured,
        ..
    } = question;
    let (screen, fitting) = fit(question)?;
    let family = measured
        .as_ref()
        .map_or(1, |measured| measured.suspects.max(1));
    let policy = Policy {
        // A lone suspect at this level needs the e-value that one of so many needs at the policy's.
        fdr: question.policy.fdr / f64::from(family),
        company_after: 0,
        reuse: false,
        max_trials: None,
        ..question.policy.clone()
    };
    let times = measured.as_ref().map(Measured::times).unwrap_or_default();
    let simulated = Simulated {
        policy: Policy {
            // Without durations no time passes.
            max_time_ms: policy.max_time_ms.filter(|_| measured.is_some()),
            ..policy
        },
        seen_by: screen.target,
        times,
        seed: *seed,
        runs: question.runs.max(1),
    };
    let reach_of = |target| rate_seen(target, probability.get()).unwrap_or(1.0);
    Ok(Power {
        probability: *probability,
        fdr: question.policy.fdr,
        screen,
        cut_short: screen.target < question.policy.screen.target,
        family,
        rates: question
            .rates
            .iter()
            .map(|rate| simulated.rate(*rate, *probability))
            .collect(),
        reach: simulated.reach(),
        max_time_ms: question.policy.max_time_ms,
        cost: measured.as_ref().map(|measured| Cost {
            measured: measured.clone(),
            screening_ms: measured.screening_ms(screen),
            fitting,
        }),
        one_more: (
            reach_of(screen.target),
            reach_of(screen.target.saturating_add(1)),
        ),
        seed: *seed,
        runs: simulated.runs,
    })
}

/// Returns the screening that the budget allows, and the target passes that would fit if all were spent on screening.
fn fit(question: &Question) -> Result<(Screen, Option<u32>), PowerError> {
    let screen = question.policy.screen;
    let limits = (question.measured.as_ref(), question.policy.max_time_ms);
    let (Some(measured), Some(budget_ms)) = limits else {
        return Ok((screen, None));
    };
    let [baseline, target] = measured.times().suite_ms;
    let once = Screen {
        baseline: 1,
        target: 1,
        ..screen
    };
    if (budget_ms as f64) < measured.screening_ms(once) {
        return Err(PowerError::BudgetTooSmall {
            budget_ms,
            needed_ms: measured.screening_ms(once).ceil() as u64,
        });
    }
    // A run starts a pass while any time is left.
    let left = budget_ms as f64 - f64::from(screen.baseline) * baseline;
    // Passes that take no time at all fit without end; a float too large becomes the largest integer.
    let fitting = (left / target.max(1e-3)).floor().max(1.0) as u32;
    let cut = Screen {
        target: screen.target.min(fitting),
        ..screen
    };
    Ok((cut, Some(fitting)))
}

/// The simulations behind an answer.
struct Simulated {
    policy: Policy,
    /// Target passes of the screening that the budget allows.
    seen_by: u32,
    times: PassTimes,
    seed: u64,
    runs: u64,
}

impl Simulated {
    fn bouts(&self, rate: f64, policy: &Policy) -> impl Iterator<Item = Bout> {
        let seeds = (0..self.runs).map(|run| self.seed.wrapping_mul(1 << 20).wrapping_add(run));
        seeds.map(move |seed| lone_defect(rate, policy, seed, self.times))
    }

    fn rate(&self, rate: Share, probability: Share) -> RateAnswer {
        let to_see = trials_to_see(rate.get(), probability.get());
        RateAnswer {
            rate,
            to_see,
            to_decide: self.passes_to_decide(rate.get(), probability.get(), to_see),
            seen: chance_to_see(rate.get(), u64::from(self.seen_by)),
            decided: self.decided(rate.get()),
        }
    }

    /// Returns the share of runs within the budget that decide.
    fn decided(&self, rate: f64) -> f64 {
        let decided = self
            .bouts(rate, &self.policy)
            .filter(|bout| bout.decided_after.is_some())
            .count();
        decided as f64 / self.runs as f64
    }

    /// Returns the quantile of the passes that decide, once a screening of so many target passes has seen it, where
    /// nothing but [`MOST_PASSES`] sets an end.
    fn passes_to_decide(&self, rate: f64, probability: f64, to_see: Option<u64>) -> Option<u32> {
        let target = u32::try_from(to_see?)
            .ok()
            .filter(|passes| *passes <= MOST_PASSES)?;
        let patient = Policy {
            screen: Screen {
                target,
                ..self.policy.screen
            },
            max_passes: MOST_PASSES,
            futile_after: MOST_PASSES,
            max_time_ms: None,
            ..self.policy.clone()
        };
        let mut passes: Vec<u32> = self
            .bouts(rate, &patient)
            .filter(|bout| bout.seen)
            .map(|bout| bout.decided_after.unwrap_or(u32::MAX))
            .collect();
        passes.sort_unstable();
        let rank = (probability * passes.len() as f64).ceil() as usize;
        passes
            .get(rank.saturating_sub(1))
            .copied()
            .filter(|passes| *passes <= MOST_PASSES)
    }

    fn reach(&self) -> Vec<Reach> {
        let target = self.seen_by;
        let least = rate_seen(target, 0.5 * PROBABILITIES[0]).unwrap_or(1.0);
        let curve: Vec<(f64, f64)> = (0..=GRID)
            .map(|step| {
                let rate = least.powf(1.0 - f64::from(step) / f64::from(GRID));
                (rate, self.decided(rate))
            })
            .collect();
        PROBABILITIES
            .iter()
            .map(|probability| Reach {
                probability: *probability,
                seen_above: rate_seen(target, *probability).unwrap_or(1.0),
                decided_above: crossing(&curve, *probability),
            })
            .collect()
    }
}

/// Returns the rate above which a curve of (rate, share) with rising rates stays at `share` or more, interpolated; none
/// where its end is below.
fn crossing(curve: &[(f64, f64)], share: f64) -> Option<f64> {
    let below = curve.iter().rposition(|(_, reached)| *reached < share);
    let Some(below) = below else {
        return curve.first().map(|(rate, _)| *rate);
    };
    let ((from, low), (to, high)) = (curve[below], *curve.get(below + 1)?);
    Some(from + (to - from) * (share - low) / (high - low))
}

#[cfg(test)]
mod tests;
