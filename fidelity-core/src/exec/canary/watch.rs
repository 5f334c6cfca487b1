//! Watching the time: who else is on the CPUs, and whether the clock jumps. Takes a moment, so it is done when asked for.

use std::time::{Duration, Instant};

use crate::exec::sys;

/// One look at who else is on the CPUs. Others get their turn several times within it.
const LOOK: Duration = Duration::from_millis(25);
/// Looks at most: load may rest between two stretches of work.
const LOOKS: u32 = 5;
/// A thread with less than this share of its CPU, in percent, is not alone on it.
const ALONE: u32 = 90;

/// Keeps every CPU busy for a moment, by a thread on each. Returns the least share a thread got of its CPU, in percent.
///
/// Stops looking as soon as one thread was not alone.
pub(super) fn share_of_busiest_cpu() -> u32 {
    let cpus = sys::allowed_cpus();
    let mut least = 100;
    for _ in 0..LOOKS {
        least = least.min(look(&cpus));
        if least < ALONE {
            break;
        }
    }
    least
}

fn look(cpus: &[usize]) -> u32 {
    std::thread::scope(|scope| {
        let threads: Vec<_> = cpus
            .iter()
            .filter_map(|&cpu| {
                std::thread::Builder::new()
                    .spawn_scoped(scope, move || {
                        drop(sys::stay_on(cpu));
                        share_of_time()
                    })
                    .ok()
            })
            .collect();
        let shares = threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .min();
        shares.unwrap_or_else(share_of_time)
    })
}

/// Works for a moment. Returns for how much of it the calling thread had a CPU, in percent.
fn share_of_time() -> u32 {
    let (began, before_us) = (Instant::now(), sys::thread_time_us());
    while began.elapsed() < LOOK {
        std::hint::spin_loop();
    }
    let wall_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let own_us = sys::thread_time_us().saturating_sub(before_us);
    u32::try_from(own_us * 100 / wall_us.max(1))
        .unwrap_or(100)
        .min(100)
}

/// Reads the clock again and again until it has jumped by `wanted`, or for `limit`. Returns the longest jump.
pub(super) fn longest_gap(wanted: Duration, limit: Duration) -> Duration {
    let began = Instant::now();
    let (mut last, mut longest) = (began, Duration::ZERO);
    while longest < wanted && last - began < limit {
        let now = Instant::now();
        longest = longest.max(now - last);
        last = now;
    }
    longest
}
