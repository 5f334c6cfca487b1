//! What other programs take of the CPUs, seen from the outside: what all took less what our own took.
//!
//! The kernel counts the time of a CPU in ticks of 10 ms, so that a short pass is judged together with the moments
//! before it. Must not know: tests, arms.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::sys;
use crate::domain::MachineLoad;

/// The shortest time over which the use of CPUs is told.
const LEAST: Duration = Duration::from_millis(250);

/// Watches the CPUs from its making on.
#[derive(Debug)]
pub(crate) struct Meter {
    samples: VecDeque<Sample>,
}

/// The use of the CPUs until one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    /// By all, in microseconds of processor time.
    all_us: u64,
    /// By our own.
    own_us: u64,
}

impl Meter {
    /// Returns a meter that watches from now on. `elsewhere_us` is what our own have used that the system does not count
    /// as ours yet: descendants that live.
    pub(crate) fn new(elsewhere_us: u64) -> Self {
        Self {
            samples: Sample::take(elsewhere_us).into_iter().collect(),
        }
    }

    /// Takes note of the moment.
    pub(crate) fn note(&mut self, elsewhere_us: u64) {
        let Some(sample) = Sample::take(elsewhere_us) else {
            return;
        };
        self.samples.push_back(sample);
        // One that is old enough is kept, those before it are not needed any more.
        while self
            .samples
            .get(1)
            .is_some_and(|next| sample.at - next.at >= LEAST)
        {
            self.samples.pop_front();
        }
    }

    /// Returns what others took from the latest noted moment until now, or from an earlier one if that was just now; none
    /// where the system does not say.
    pub(crate) fn read(&self, elsewhere_us: u64) -> Option<MachineLoad> {
        let now = Sample::take(elsewhere_us)?;
        let old_enough = |sample: &&Sample| now.at - sample.at >= LEAST;
        let since = self.samples.iter().rev().find(old_enough)?;
        Some(MachineLoad {
            foreign: now.foreign_since(*since)?,
            cpus: u32::try_from(sys::allowed_cpus().len()).ok()?,
        })
    }
}

impl Sample {
    fn take(elsewhere_us: u64) -> Option<Self> {
        let text = std::fs::read_to_string("/proc/stat").ok()?;
        let ticks = busy_ticks(&text, &sys::allowed_cpus())?;
        Some(Self {
            at: Instant::now(),
            all_us: ticks.saturating_mul(1_000_000) / sys::ticks_per_second(),
            own_us: sys::family_time_us().saturating_add(elsewhere_us),
        })
    }

    /// Returns what others took since `before` on average, in hundredths of a CPU.
    fn foreign_since(self, before: Self) -> Option<u32> {
        let all_us = self.all_us.saturating_sub(before.all_us);
        let own_us = self.own_us.saturating_sub(before.own_us);
        let wall_us = u64::try_from((self.at - before.at).as_micros()).ok()?;
        let foreign_us = all_us.saturating_sub(own_us);
        u32::try_from(foreign_us.checked_mul(100)?.checked_div(wall_us)?).ok()
    }
}

/// Returns for how many ticks the CPUs `allowed` have worked, or were kept from working by the host, out of `/proc/stat`.
fn busy_ticks(stat: &str, allowed: &[usize]) -> Option<u64> {
    let mut busy = None;
    for line in stat.lines() {
        let mut words = line.split_ascii_whitespace();
        let cpu = words.next().and_then(|word| word.strip_prefix("cpu"));
        let cpu: Option<usize> = cpu.and_then(|number| number.parse().ok());
        if !cpu.is_some_and(|cpu| allowed.contains(&cpu)) {
            continue;
        }
        // user nice system idle iowait irq softirq steal; what follows is part of user.
        let times: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
        let working = [0, 1, 2, 5, 6, 7].map(|at| times.get(at).copied().unwrap_or(0));
        *busy.get_or_insert(0) += working.iter().sum::<u64>();
    }
    busy
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  30 6 9 100 5 3 3 3 8 8\n\
        cpu0 10 2 3 40 2 1 1 1 4 4\ncpu1 20 4 6 60 3 2 2 2 4 4\nintr 7\n";

    #[test]
    fn the_work_of_the_allowed_cpus_is_counted_and_their_rest_is_not() {
        assert_eq!(busy_ticks(STAT, &[0, 1]), Some(54));
        assert_eq!(busy_ticks(STAT, &[1]), Some(36));
        assert_eq!(busy_ticks(STAT, &[7]), None);
        assert_eq!(busy_ticks("nothing of the kind", &[0]), None);
        assert_eq!(busy_ticks("cpu0 5 x 3", &[0]), Some(5));
    }

    #[test]
    fn what_is_not_ours_is_foreign() {
        let began = Instant::now();
        let sample = |ms, all_us, own_us| Sample {
            at: began + Duration::from_millis(ms),
            all_us,
            own_us,
        };
        let before = sample(0, 500, 100);
        let foreign = |after: Sample| after.foreign_since(before);
        assert_eq!(foreign(sample(1_000, 1_600_500, 600_100)), Some(100));
        // Ticks are coarse: less than we know to have used ourselves.
        assert_eq!(foreign(sample(1_000, 500_500, 600_100)), Some(0));
        assert_eq!(foreign(sample(0, 500_500, 100)), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_busy_stranger_is_seen_and_our_own_work_is_not() {
        let mut stranger = std::process::Command::new("sh")
            .args(["-c", "while :; do :; done"])
            .spawn()
            .unwrap();
        let mut meter = Meter::new(0);
        assert!(meter.read(0).is_none(), "too short a time");
        let pid = sys::Pid::try_from(stranger.id()).unwrap();
        // Until it has had a good part of a second of somebody's CPU.
        while sys::process_time_us(pid).unwrap() < 600_000 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let seen = meter.read(0).unwrap();
        let as_our_own = meter.read(sys::process_time_us(pid).unwrap()).unwrap();
        meter.note(0);
        drop(stranger.kill());
        stranger.wait().unwrap();
        assert!(seen.foreign > 0, "{seen:?}");
        assert!(as_our_own.foreign < seen.foreign, "{as_our_own:?} {seen:?}");
    }
}
