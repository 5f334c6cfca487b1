//! What the passes of a stored run took. Knows no policy and no probability.

use crate::domain::{Arm, PassRecord, Phase, RunId, Scope, Screen, StoredRun};
use crate::schedule::budget::Pace;
use crate::simulate::lone::PassTimes;

/// What a stored run says of durations and of suspects.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The run.
    pub run: RunId,
    /// Trials at a time.
    pub parallelism: u32,
    /// Passes over the whole suite, by arm: how many, their tests, mean wall time and mean time of a trial.
    pub suite: [SuitePasses; 2],
    /// Wall time of a pass over one test of mean duration, in milliseconds.
    pub alone_ms: f64,
    /// Tests that failed in the screening.
    pub suspects: u32,
}

/// What the passes of one arm over the whole suite took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SuitePasses {
    /// Completed passes.
    pub passes: u32,
    /// Tests a pass.
    pub tests: u32,
    /// Mean wall time of a pass in milliseconds.
    pub wall_ms: f64,
    /// Mean wall time of a trial in milliseconds.
    pub trial_ms: f64,
}

impl Measured {
    /// Returns what a run says; none where it did not complete a pass over the whole suite in each arm.
    pub fn of(run: &StoredRun) -> Option<Self> {
        let mut pace = Pace::default();
        let completed = |pass: &&PassRecord| pass.is_completed();
        for pass in run.passes.iter().filter(completed) {
            pace.learn(tested_us(pass), elapsed_ms(pass));
        }
        let [baseline, target] = Arm::BOTH.map(|arm| {
            let of_arm = |pass: &&PassRecord| {
                completed(pass) && pass.spec.scope == Scope::Suite && pass.spec.arm == arm
            };
            SuitePasses::of(run.passes.iter().filter(of_arm))
        });
        let suite = [baseline?, target?];
        let mut failed: Vec<_> = run
            .passes
            .iter()
            .filter(|pass| completed(pass) && pass.spec.phase == Phase::Screen)
            .flat_map(|pass| &pass.observations)
            .filter(|seen| seen.outcome.is_failure())
            .map(|seen| seen.test)
            .collect();
        failed.sort_unstable();
        failed.dedup();
        let mean_ms = 0.5 * (suite[0].trial_ms + suite[1].trial_ms);
        Some(Self {
            run: run.header.id,
            parallelism: run.header.parallelism,
            suite,
            alone_ms: pace.wall_ms(1.0, mean_ms * 1_000.0).max(mean_ms),
            suspects: u32::try_from(failed.len()).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn times(&self) -> PassTimes {
        PassTimes {
            suite_ms: self.suite.map(|arm| arm.wall_ms),
            alone_ms: self.alone_ms,
        }
    }

    /// Returns the wall time of a screening in milliseconds.
    pub fn screening_ms(&self, screen: Screen) -> f64 {
        let [baseline, target] = self.times().suite_ms;
        f64::from(screen.baseline) * baseline + f64::from(screen.target) * target
    }
}

impl SuitePasses {
    fn of<'a>(passes: impl Iterator<Item = &'a PassRecord>) -> Option<Self> {
        let (mut count, mut tests, mut wall, mut tested, mut trials) = (0_u32, 0, 0.0, 0.0, 0);
        for pass in passes {
            count += 1;
            tests = tests.max(pass.spec.tests.len());
            wall += elapsed_ms(pass);
            tested += tested_us(pass);
            trials += pass.observations.len();
        }
        (0 < count && 0 < trials).then(|| Self {
            passes: count,
            tests: u32::try_from(tests).unwrap_or(u32::MAX),
            wall_ms: wall / f64::from(count),
            trial_ms: tested / 1_000.0 / trials as f64,
        })
    }
}

fn tested_us(pass: &PassRecord) -> f64 {
    pass.observations
        .iter()
        .map(|seen| seen.duration_us as f64)
        .sum()
}

fn elapsed_ms(pass: &PassRecord) -> f64 {
    pass.end.as_ref().map_or(0.0, |(_, ms)| *ms as f64)
}
