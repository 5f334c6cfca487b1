//! What a run may still spend, and on whom it is spent best when it is short. Knows costs; nothing of evidence.

use crate::domain::{PassRecord, Policy, StopReason};

/// Time and trials spent, against the limits of the policy.
#[derive(Clone, Debug)]
pub struct Budget {
    max_time_ms: Option<u64>,
    max_trials: Option<u64>,
    elapsed_ms: u64,
    trials: u64,
    pace: Pace,
}

impl Budget {
    /// Returns the budget of a run that has spent nothing.
    pub fn new(policy: &Policy) -> Self {
        Self {
            max_time_ms: policy.max_time_ms,
            max_trials: policy.max_trials,
            elapsed_ms: 0,
            trials: 0,
            pace: Pace::default(),
        }
    }

    /// Takes off what a pass has cost.
    pub fn spend(&mut self, pass: &PassRecord, elapsed_ms: u64) {
        self.elapsed_ms = self.elapsed_ms.saturating_add(elapsed_ms);
        self.trials = self.trials.saturating_add(pass.spec.tests.len() as u64);
        let durations = pass.observations.iter().map(|seen| seen.duration_us as f64);
        self.pace.learn(durations.sum(), elapsed_ms as f64);
    }

    /// Returns the wall time spent, in milliseconds.
    pub fn elapsed_ms(&self) -> u64 {
        self.elapsed_ms
    }

    /// Returns why a pass of so many trials cannot be made any more.
    pub fn refuses(&self, trials: usize) -> Option<StopReason> {
        if self.max_time_ms.is_some_and(|most| self.elapsed_ms >= most) {
            Some(StopReason::OutOfTime)
        } else if self.trials_left() < trials as f64 {
            Some(StopReason::OutOfTrials)
        } else {
            None
        }
    }

    /// Returns about how many milliseconds `passes` with trials of `duration_us` microseconds in all take.
    pub fn wall_ms(&self, passes: f64, duration_us: f64) -> f64 {
        self.pace.wall_ms(passes, duration_us)
    }

    fn time_left_ms(&self) -> f64 {
        self.max_time_ms.map_or(f64::INFINITY, |most| {
            most.saturating_sub(self.elapsed_ms) as f64
        })
    }

    fn trials_left(&self) -> f64 {
        self.max_trials.map_or(f64::INFINITY, |most| {
            most.saturating_sub(self.trials) as f64
        })
    }

    /// Chooses whom to sample: everyone while all can be decided, else those closest to a decision for their cost.
    ///
    /// Returns positions in `wishes`, sorted. At least one wish is granted if its pass fits the trials left. Wishes
    /// without a decision in sight come last.
    pub fn choose(&self, wishes: &[Wish]) -> Vec<usize> {
        let mut everyone = Bill::default();
        for wish in wishes {
            everyone.add(wish);
        }
        if self.affords(&everyone) {
            return (0..wishes.len()).collect();
        }
        let price = |wish: &Wish| {
            wish.passes.map_or(f64::INFINITY, |passes| {
                f64::from(passes) * (wish.duration_us + 1.0)
            })
        };
        let mut order: Vec<usize> = (0..wishes.len()).collect();
        order.sort_by(|a, b| {
            price(&wishes[*a])
                .total_cmp(&price(&wishes[*b]))
                .then(a.cmp(b))
        });
        let (mut bill, mut trials_a_pass) = (Bill::default(), 0);
        let mut chosen = Vec::new();
        for position in order {
            let wish = &wishes[position];
            bill.add(wish);
            trials_a_pass += wish.trials;
            let alone = chosen.is_empty();
            if !self.affords(&bill) && !alone || trials_a_pass as f64 > self.trials_left() {
                break;
            }
            chosen.push(position);
        }
        chosen.sort_unstable();
        chosen
    }

    fn affords(&self, bill: &Bill) -> bool {
        self.wall_ms(bill.passes, bill.duration_us) <= self.time_left_ms()
            && bill.trials <= self.trials_left()
    }
}

/// What wishes cost together: they share passes.
#[derive(Default)]
struct Bill {
    passes: f64,
    duration_us: f64,
    trials: f64,
}

impl Bill {
    fn add(&mut self, wish: &Wish) {
        let passes = f64::from(wish.passes.unwrap_or(wish.at_most));
        self.passes = self.passes.max(passes);
        self.duration_us += passes * wish.duration_us;
        self.trials += passes * wish.trials as f64;
    }
}

/// Wall time of a pass as a fixed part and a part that grows with the time of its trials: least squares over the
/// passes seen, as sums. Trials run side by side, so the wall time may be less than theirs.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    passes: f64,
    tested_us: f64,
    elapsed_ms: f64,
    squares: f64,
    products: f64,
}

impl Pace {
    /// Takes in a pass whose trials took `tested_us` microseconds in all and that took `elapsed_ms` milliseconds.
    pub fn learn(&mut self, tested_us: f64, elapsed_ms: f64) {
        self.passes += 1.0;
        self.tested_us += tested_us;
        self.elapsed_ms += elapsed_ms;
        self.squares += tested_us * tested_us;
        self.products += tested_us * elapsed_ms;
    }

    /// Returns the fixed part in milliseconds and the growing part in milliseconds a microsecond, neither negative.
    fn parts(&self) -> (f64, f64) {
        let spread = self.passes * self.squares - self.tested_us * self.tested_us;
        let proportional = self.elapsed_ms / self.tested_us.max(1.0);
        // Passes that are all alike do not tell the parts apart.
        if spread <= 1e-6 * self.passes * self.squares {
            return (0.0, proportional);
        }
        let slope = (self.passes * self.products - self.tested_us * self.elapsed_ms) / spread;
        let fixed = (self.elapsed_ms - slope * self.tested_us) / self.passes;
        if fixed <= 0.0 {
            (0.0, proportional)
        } else if slope <= 0.0 {
            (self.elapsed_ms / self.passes, 0.0)
        } else {
            (fixed, slope)
        }
    }

    /// Returns about how many milliseconds `passes` with trials of `tested_us` microseconds in all take; 0 before anything
    /// was learnt.
    pub fn wall_ms(&self, passes: f64, tested_us: f64) -> f64 {
        if self.passes == 0.0 {
            return 0.0;
        }
        let (fixed, slope) = self.parts();
        passes * fixed + tested_us * slope
    }
}

/// What one suspect, or the pool of a mass failure, would like.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// Passes until it is decided, about; none where no decision is in sight.
    pub passes: Option<u32>,
    /// Passes until it is given up at the latest.
    pub at_most: u32,
    /// Trials a pass.
    pub trials: usize,
    /// Test time a pass, in microseconds.
    pub duration_us: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(max_time_ms: Option<u64>, max_trials: Option<u64>) -> Budget {
        let mut budget = Budget {
            elapsed_ms: 1_000,
            ..Budget::new(&Policy {
                max_time_ms,
                max_trials,
                ..Policy::default()
            })
        };
        budget.pace.learn(1e6, 1_000.0);
        budget
    }

    fn wish(passes: Option<u32>, duration_us: f64) -> Wish {
        Wish {
            passes,
            at_most: 200,
            trials: 1,
            duration_us,
        }
    }

    #[test]
    fn while_there_is_enough_everyone_is_sampled() {
        let wishes = [wish(Some(10), 1e6), wish(None, 1e6)];
        assert_eq!(budget(None, None).choose(&wishes), [0, 1]);
        assert_eq!(budget(Some(500_000), None).choose(&wishes), [0, 1]);
    }

    #[test]
    fn when_time_is_short_the_cheapest_decision_comes_first() {
        // 30 s are left: 40 passes of 1 s do not fit, 3 of 8 s do, 10 of 0.1 s do.
        let wishes = [
            wish(Some(40), 1e6),
            wish(Some(3), 8e6),
            wish(Some(10), 1e5),
            wish(None, 1e3),
        ];
        assert_eq!(budget(Some(31_000), None).choose(&wishes), [1, 2]);
    }

    #[test]
    fn one_is_sampled_even_if_it_will_not_be_decided_in_time() {
        assert_eq!(
            budget(Some(1_001), None).choose(&[wish(Some(40), 1e6)]),
            [0]
        );
    }

    #[test]
    fn trials_are_never_overdrawn() {
        let wishes = [wish(Some(5), 1.0), wish(Some(9), 1.0)];
        assert_eq!(budget(None, Some(6)).choose(&wishes), [0]);
        assert_eq!(budget(None, Some(0)).choose(&wishes), Vec::<usize>::new());
        assert_eq!(
            budget(None, Some(3)).refuses(4),
            Some(StopReason::OutOfTrials)
        );
        assert_eq!(budget(None, Some(4)).refuses(4), None);
        assert_eq!(
            budget(Some(1_000), None).refuses(1),
            Some(StopReason::OutOfTime)
        );
    }

    #[test]
    fn the_fixed_part_of_a_pass_is_told_from_the_growing_one() {
        let mut pace = Pace::default();
        assert_eq!(pace.wall_ms(3.0, 1e6), 0.0);
        for tested_us in [4e6, 4e6, 1e6, 0.0] {
            pace.learn(tested_us, 500.0 + tested_us / 2_000.0);
        }
        let (fixed, slope) = pace.parts();
        assert!((fixed - 500.0).abs() < 1e-6 && (slope - 0.0005).abs() < 1e-12);
        assert!((pace.wall_ms(3.0, 1e6) - 2_000.0).abs() < 1e-6);
    }
}
