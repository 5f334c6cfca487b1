//! How far a run is. For people only: nothing is decided by it.

use crate::domain::TestIndex;

use super::{Progress, Scheduler, focus};

impl Scheduler {
    /// Returns how far the run is.
    pub fn progress(&self) -> Progress {
        let open = focus::open_suspects(&self.evidence, &self.policy);
        let wishes: Vec<_> = open.iter().map(|test| self.wish(&[*test])).collect();
        let whole: u32 = self.screen_left.iter().sum();
        let harder = self.evidence.to_screen_harder();
        let extra = self.extra_left();
        let screening = whole.saturating_add(extra);
        let focus = wishes
            .iter()
            .map(|wish| wish.passes.unwrap_or(wish.at_most))
            .max()
            .unwrap_or(0);
        let duration = |test: &TestIndex| {
            let book = &self.evidence.books()[test.get()];
            book.mean_duration_us().unwrap_or(0) as f64
        };
        let suite_us: f64 = self.selected.iter().map(duration).sum();
        let harder_us: f64 = harder.iter().map(duration).sum();
        let focus_us: f64 = wishes
            .iter()
            .map(|wish| f64::from(wish.passes.unwrap_or(wish.at_most)) * wish.duration_us)
            .sum();
        let left_ms = self.budget.wall_ms(
            f64::from(screening) + f64::from(focus),
            f64::from(whole) * suite_us + f64::from(extra) * harder_us + focus_us,
        );
        let limit = self.policy.max_time_ms.map_or(u64::MAX, |most| {
            most.saturating_sub(self.budget.elapsed_ms())
        });
        let suspects = self.evidence.suspects();
        let open = u32::try_from(open.len()).unwrap_or(u32::MAX);
        Progress {
            passes: self.completed.iter().sum(),
            passes_left: screening.saturating_add(focus),
            screening_left: screening,
            suspects,
            settled: suspects.saturating_sub(open),
            // A float too large for the cast becomes the largest integer, which the limit cuts.
            left_ms: (left_ms as u64).min(limit),
        }
    }
}
