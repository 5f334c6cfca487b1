//! The busy threads: each takes its share of a CPU, in stretches whose lengths are drawn by seed.
//!
//! What counts is processor time, so that a thread others crowd out makes up for it, within bounds.

use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::LoadPlan;
use crate::exec::sys;

/// The stack of a thread, which needs next to none.
const STACK: usize = 64 * 1024;

/// Starts every thread of `plan` and waits until each is where it has to be.
pub(super) fn start(plan: &LoadPlan) -> io::Result<()> {
    let (tell, hear) = mpsc::channel();
    for (number, cpu) in plan.threads.iter().copied().enumerate() {
        let tell = tell.clone();
        let mut stretches = Stretches::new(plan, number);
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || {
                let placed = cpu.map_or(Ok(()), sys::stay_on);
                let able = placed.is_ok();
                drop(tell.send(placed));
                if able {
                    stretches.work();
                }
            })?;
    }
    drop(tell);
    hear.into_iter().take(plan.threads.len()).collect()
}

/// One thread's alternation of work and rest.
struct Stretches {
    share: u64,
    burst_us: u64,
    random: Pcg64Mcg,
}

impl Stretches {
    fn new(plan: &LoadPlan, thread: usize) -> Self {
        // A large odd step keeps the threads' seeds apart.
        let step = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(thread as u64);
        Self {
            share: u64::from(plan.share.clamp(1, 100)),
            burst_us: plan.burst_us.max(1),
            random: Pcg64Mcg::seed_from_u64(plan.seed.wrapping_add(step)),
        }
    }

    /// Works and rests for ever. Begins with work, so that load is there as soon as it is said to be.
    fn work(&mut self) {
        let began = Instant::now();
        let mut account = Account::default();
        loop {
            let burst_us = self.next_burst_us();
            spin(burst_us);
            let wall_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            let cycle_us = self.burst_us.saturating_mul(100) / self.share;
            let rest_us = account.rest_us((sys::thread_time_us(), wall_us), self.share, cycle_us);
            if rest_us > 0 {
                std::thread::sleep(Duration::from_micros(rest_us));
            }
        }
    }

    /// Draws the length of a stretch: from half to one and a half of the mean, each equally likely.
    fn next_burst_us(&mut self) -> u64 {
        let draw = self.random.next_u64() % 1001;
        (u128::from(self.burst_us) * u128::from(500 + draw) / 1000)
            .try_into()
            .unwrap_or(u64::MAX)
    }
}

/// What a thread has had, against its share.
#[derive(Default)]
struct Account {
    /// Wall time that is not made up for any more, in microseconds.
    forgiven_us: u64,
}

impl Account {
    /// Returns how long a thread has to rest that has used so much processor time in so much wall time (microseconds).
    ///
    /// A thread that had too little is forgiven all but one cycle, so that it does not take everything afterwards.
    fn rest_us(&mut self, (used_us, wall_us): (u64, u64), share: u64, cycle_us: u64) -> u64 {
        let due_us = used_us.saturating_mul(100) / share;
        let wall_us = wall_us.saturating_sub(self.forgiven_us);
        let behind_us = wall_us.saturating_sub(due_us);
        self.forgiven_us += behind_us.saturating_sub(cycle_us);
        due_us.saturating_sub(wall_us)
    }
}

/// Keeps the CPU busy until the calling thread has used `time_us` more of it.
fn spin(time_us: u64) {
    let end = sys::thread_time_us().saturating_add(time_us);
    let mut number = 1_u64;
    while sys::thread_time_us() < end {
        // No pause instruction: a hypervisor may take that for leave to run somebody else.
        for _ in 0..4096 {
            number = std::hint::black_box(number).wrapping_mul(6_364_136_223_846_793_005) | 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> LoadPlan {
        LoadPlan {
            threads: vec![None, None],
            share: 40,
            burst_us: 10_000,
            seed,
        }
    }

    #[test]
    fn stretches_follow_from_the_seed_and_differ_between_threads() {
        let lengths = |seed, thread| -> Vec<u64> {
            let mut stretches = Stretches::new(&plan(seed), thread);
            (0..200).map(|_| stretches.next_burst_us()).collect()
        };
        assert_eq!(lengths(3, 1), lengths(3, 1));
        assert_ne!(lengths(3, 1), lengths(3, 0));
        assert_ne!(lengths(3, 1), lengths(4, 1));
        let all = lengths(3, 1);
        assert!(all.iter().all(|length| (5_000..=15_000).contains(length)));
        let mean = all.iter().sum::<u64>() / 200;
        assert!(mean.abs_diff(10_000) < 1_000, "{mean}");
    }

    #[test]
    fn a_thread_rests_until_its_share_is_right() {
        let mut account = Account::default();
        assert_eq!(account.rest_us((10_000, 10_000), 50, 20_000), 10_000);
        // A sleep that took 5 ms too long is made up for.
        assert_eq!(account.rest_us((20_000, 35_000), 50, 20_000), 5_000);
        assert_eq!(account.rest_us((7, 7), 100, 20_000), 0);
    }

    #[test]
    fn a_thread_that_was_kept_from_working_makes_up_for_one_cycle_only() {
        let mut account = Account::default();
        assert_eq!(account.rest_us((10_000, 1_000_000), 50, 20_000), 0);
        // It had 10 ms instead of 500. Behind by one cycle, it catches up and then rests again.
        assert_eq!(account.rest_us((20_000, 1_010_000), 50, 20_000), 0);
        assert_eq!(account.rest_us((30_000, 1_020_000), 50, 20_000), 0);
        assert_eq!(account.rest_us((40_000, 1_030_000), 50, 20_000), 10_000);
    }
}
