//! Pauses: when a trial stands still. A schedule drawn by seed; its times do not depend on when anybody looks.
//!
//! Must not know: processes.

use std::time::Duration;

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

/// How often, and for how long, a trial stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pauses {
    /// From the beginning of one pause to the beginning of the next on average, in milliseconds.
    pub(crate) every_ms: u64,
    /// The length of a pause in milliseconds.
    pub(crate) length_ms: u64,
}

/// The pauses of one trial.
pub(super) struct Schedule {
    every_us: u64,
    length_us: u64,
    random: Pcg64Mcg,
    /// The present or next of the moments that are exactly one period apart, in microseconds of the trial.
    beat_us: u64,
    /// When the pause of that beat is to begin: then or a bit later.
    planned_us: u64,
    /// When the present pause did begin; none while the trial goes on.
    began_us: Option<u64>,
}

impl Schedule {
    /// Returns the pauses of a trial. The first comes anywhere within a period, so that short trials meet pauses as often
    /// as their length says.
    pub(super) fn new(pauses: Pauses, seed: u64) -> Self {
        let mut schedule = Self {
            every_us: pauses.every_ms.saturating_mul(1000).max(1),
            length_us: pauses.length_ms.saturating_mul(1000),
            random: Pcg64Mcg::seed_from_u64(seed),
            beat_us: 0,
            planned_us: 0,
            began_us: None,
        };
        schedule.beat_us = schedule.random.next_u64() % schedule.every_us;
        schedule.planned_us = schedule.beat_us + schedule.next_delay_us();
        schedule
    }

    /// Returns at which age of the trial it is to stand still, or to go on.
    pub(super) fn next(&self) -> Duration {
        Duration::from_micros(match self.began_us {
            Some(began_us) => began_us.saturating_add(self.length_us),
            None => self.planned_us,
        })
    }

    /// Takes note that what was due at [`Self::next`] is done at this `age`. Returns whether the trial stands still now.
    ///
    /// The plan does not shift with small delays, so that they do not add up. A pause that begins late by much of its
    /// length has its full length all the same.
    pub(super) fn advance(&mut self, age: Duration) -> bool {
        let age_us = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        if self.began_us.take().is_some() {
            self.beat_us = self.beat_us.saturating_add(self.every_us);
            self.planned_us = self.beat_us.saturating_add(self.next_delay_us());
            if self.planned_us < age_us {
                // Far behind: a trial that never went on would never end.
                let room_us = self.every_us.saturating_sub(self.length_us).max(1);
                self.beat_us = age_us.saturating_add(room_us);
                self.planned_us = self.beat_us;
            }
            return false;
        }
        let late_us = age_us.saturating_sub(self.planned_us);
        self.began_us = Some(if late_us > self.length_us / 4 {
            age_us
        } else {
            self.planned_us
        });
        true
    }

    /// Draws how long after its beat a pause begins: up to a quarter of a period, so that the time from one pause to the
    /// next is within a quarter of the mean, or less where pauses leave no room for that.
    ///
    /// Beats do not shift, so that there are as many pauses in any stretch of time as its length says.
    fn next_delay_us(&mut self) -> u64 {
        let room_us = self.every_us.saturating_sub(self.length_us);
        self.random.next_u64() % (room_us.min(self.every_us / 4) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSES: Pauses = Pauses {
        every_ms: 200,
        length_ms: 40,
    };

    /// Returns when the first `count` pauses begin, and how much of the time until the last one's end they are.
    fn pauses(pauses: Pauses, seed: u64, count: usize) -> (Vec<Duration>, f64) {
        let mut schedule = Schedule::new(pauses, seed);
        let (mut begins, mut still) = (Vec::new(), Duration::ZERO);
        for _ in 0..count {
            let begin = schedule.next();
            assert!(schedule.advance(begin), "it stands still");
            still += schedule.next() - begin;
            begins.push(begin);
            assert!(!schedule.advance(schedule.next()), "it goes on");
        }
        let all = schedule.next();
        (begins, still.as_secs_f64() / all.as_secs_f64())
    }

    #[test]
    fn the_same_seed_gives_the_same_pauses_and_another_seed_others() {
        assert_eq!(pauses(PAUSES, 3, 50), pauses(PAUSES, 3, 50));
        assert_ne!(pauses(PAUSES, 3, 50).0, pauses(PAUSES, 4, 50).0);
    }

    #[test]
    fn periods_are_within_a_quarter_of_the_mean_and_the_duty_cycle_is_right() {
        for seed in 0..20 {
            let (begins, duty) = pauses(PAUSES, seed, 500);
            for pair in begins.windows(2) {
                let period = (pair[1] - pair[0]).as_millis();
                assert!((149..=251).contains(&period), "seed {seed}: {period}");
            }
            assert!(begins[0] < Duration::from_millis(251), "seed {seed}");
            assert!((duty - 0.2).abs() < 0.001, "seed {seed}: {duty}");
        }
    }

    #[test]
    fn within_any_second_the_duty_cycle_is_right() {
        for seed in 0..200 {
            let (_, second) = pauses(PAUSES, seed, 5);
            assert!((second - 0.2).abs() < 0.06, "seed {seed}: {second}");
            let begins = pauses(PAUSES, seed, 50).0;
            for start in 1..9 {
                let second = Duration::from_secs(start)..Duration::from_secs(start + 1);
                let within = begins.iter().filter(|begin| second.contains(begin)).count();
                assert!((4..=6).contains(&within), "seed {seed}: {within}");
            }
        }
    }

    #[test]
    fn a_pause_always_ends_before_the_next_begins() {
        let dense = Pauses {
            every_ms: 10,
            length_ms: 9,
        };
        for seed in 0..20 {
            let (begins, duty) = pauses(dense, seed, 200);
            for pair in begins.windows(2) {
                assert!(pair[1] - pair[0] >= Duration::from_millis(9), "seed {seed}");
            }
            assert!((duty - 0.9).abs() < 0.02, "seed {seed}: {duty}");
        }
    }

    #[test]
    fn a_late_pause_is_as_long_as_any_and_small_delays_do_not_add_up() {
        let ms = Duration::from_millis;
        let mut schedule = Schedule::new(PAUSES, 3);
        let first = schedule.next();
        assert!(schedule.advance(first + ms(5)));
        assert_eq!(schedule.next(), first + ms(40));
        assert!(!schedule.advance(first + ms(48)));
        let second = schedule.next();
        assert!((ms(149)..ms(251)).contains(&(second - first)));
        assert!(schedule.advance(second + ms(30)));
        assert_eq!(schedule.next(), second + ms(70));
        // Nobody looked for a whole period: the trial gets to go on all the same.
        assert!(!schedule.advance(second + ms(900)));
        assert_eq!(schedule.next(), second + ms(900 + 160));
    }
}
