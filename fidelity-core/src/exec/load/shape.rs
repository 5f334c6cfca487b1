//! What load is asked for, and which threads that makes on the CPUs there are. Pure.

use serde::{Deserialize, Serialize};

/// Load as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoadShape {
    /// Busy threads; none for as many as the spread suggests.
    pub(crate) threads: Option<usize>,
    /// Where they are.
    pub(crate) spread: Spread,
    /// Percent of a CPU each thread takes, 1 to 100.
    pub(crate) share: u32,
    /// How long a busy stretch is on average, in milliseconds, where the share is less than 100.
    pub(crate) burst_ms: u64,
}

/// Where busy threads are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// Kept on their CPUs, spread over all of them.
    All,
    /// All on one CPU; the others are left free.
    One,
    /// Wherever the system puts them.
    Anywhere,
}

/// What a load generator does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoadPlan {
    /// The CPU each thread stays on; none for a thread that may run anywhere.
    pub(crate) threads: Vec<Option<usize>>,
    /// Percent of a CPU each thread takes, 1 to 100.
    pub(crate) share: u32,
    /// How long a busy stretch is on average, in microseconds of processor time, where the share is less than 100.
    pub(crate) burst_us: u64,
    /// Seeds the lengths of the stretches.
    pub(crate) seed: u64,
}

impl LoadShape {
    /// Returns what a generator has to do on the CPUs `allowed`, of which there is at least one where threads are kept
    /// on theirs.
    pub(crate) fn plan(&self, allowed: &[usize], seed: u64) -> LoadPlan {
        let suggested = match self.spread {
            Spread::One => 1,
            Spread::All | Spread::Anywhere => allowed.len().max(1),
        };
        let cpu = |thread: usize| match self.spread {
            Spread::All => allowed.get(thread % allowed.len().max(1)).copied(),
            // The first is where the tests of the first slot run if they are kept to one CPU.
            Spread::One => allowed.first().copied(),
            Spread::Anywhere => None,
        };
        LoadPlan {
            threads: (0..self.threads.unwrap_or(suggested)).map(cpu).collect(),
            share: self.share,
            burst_us: self.burst_ms.saturating_mul(1000),
            seed,
        }
    }
}

impl LoadPlan {
    /// Returns how much of the CPUs is asked for, in percent of one; no more than there are.
    pub(crate) fn asked_percent(&self, cpus: usize) -> u64 {
        let mut pinned: Vec<usize> = self.threads.iter().copied().flatten().collect();
        let anywhere = self.threads.len() - pinned.len();
        pinned.sort_unstable();
        let share = u64::from(self.share);
        let on_their_own: u64 = pinned
            .chunk_by(|a, b| a == b)
            .map(|threads| (threads.len() as u64 * share).min(100))
            .sum();
        (on_their_own + anywhere as u64 * share).min(100 * cpus.max(1) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(spread: Spread, threads: Option<usize>) -> LoadShape {
        LoadShape {
            threads,
            spread,
            share: 60,
            burst_ms: 100,
        }
    }

    #[test]
    fn threads_are_spread_over_all_cpus_or_kept_on_one_or_left_alone() {
        let cpus = |spread, threads| shape(spread, threads).plan(&[2, 5], 1).threads;
        assert_eq!(cpus(Spread::All, None), [Some(2), Some(5)]);
        assert_eq!(cpus(Spread::All, Some(3)), [Some(2), Some(5), Some(2)]);
        assert_eq!(cpus(Spread::One, None), [Some(2)]);
        assert_eq!(cpus(Spread::One, Some(2)), [Some(2); 2]);
        assert_eq!(cpus(Spread::Anywhere, None), [None; 2]);
        assert_eq!(shape(Spread::Anywhere, None).plan(&[], 1).threads, [None]);
    }

    #[test]
    fn no_more_is_asked_for_than_the_cpus_have() {
        let asked = |spread, threads| shape(spread, threads).plan(&[2, 5], 1).asked_percent(2);
        assert_eq!(asked(Spread::All, None), 120);
        assert_eq!(asked(Spread::All, Some(3)), 160);
        assert_eq!(asked(Spread::One, Some(3)), 100);
        assert_eq!(asked(Spread::Anywhere, Some(3)), 180);
        assert_eq!(asked(Spread::Anywhere, Some(9)), 200);
    }
}
