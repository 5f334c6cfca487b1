//! What is going on, and how it is put: the state that bars and lines share. Knows no terminal and no clock.

use std::collections::BTreeSet;

use fidelity_core::domain::{Arm, Observation, PassEnd, PassSpec, Phase, TestId, TestIndex};
use fidelity_core::report::number::{count, duration_ms, things};
use fidelity_core::report::text::{clean, cut_middle};
use fidelity_core::schedule;

use super::BuiltSuite;

/// Columns of a test's name at most.
const NAME_COLUMNS: usize = 60;

/// Failing tests named at a time.
const NAMED: usize = 3;

/// How far a run is.
#[derive(Debug, Default)]
pub(super) struct Status {
    tests: Vec<TestId>,
    arms: [String; 2],
    progress: schedule::Progress,
    pass: Option<Pass>,
}

/// The pass that is being made.
#[derive(Debug)]
struct Pass {
    number: u32,
    phase: Phase,
    arm: Arm,
    trials: usize,
    done: usize,
    failed: BTreeSet<TestIndex>,
    latest: Vec<TestIndex>,
}

impl Status {
    /// Takes in the suite.
    pub(super) fn built(&mut self, suite: &BuiltSuite<'_>) {
        self.tests = suite.tests.iter().map(|test| test.id.clone()).collect();
        self.arms = [suite.baseline, suite.target].map(|name| clean(name).into_owned());
    }

    /// Takes in the start of a pass.
    pub(super) fn pass_started(&mut self, spec: &PassSpec, progress: &schedule::Progress) {
        self.progress = progress.clone();
        self.pass = Some(Pass {
            number: spec.number,
            phase: spec.phase,
            arm: spec.arm,
            trials: spec.tests.len(),
            done: 0,
            failed: BTreeSet::new(),
            latest: Vec::new(),
        });
    }

    /// Takes in a trial.
    pub(super) fn trial(&mut self, observation: &Observation) {
        let Some(pass) = &mut self.pass else { return };
        if observation.attempt == 0 {
            pass.done += 1;
        }
        if observation.outcome.is_failure() && pass.failed.insert(observation.test) {
            pass.latest.push(observation.test);
        }
    }

    /// Takes in the end of the pass.
    pub(super) fn pass_ended(&mut self, progress: &schedule::Progress) {
        self.progress = progress.clone();
        self.pass = None;
    }

    /// Returns whether the pass under way is one of the screening.
    pub(super) fn is_screening(&self) -> bool {
        self.pass
            .as_ref()
            .is_some_and(|pass| pass.phase == Phase::Screen)
    }

    /// Returns how many passes are completed, and about how many are to come: `12 passes, about 15 to come`.
    pub(super) fn passes_line(&self) -> String {
        let (done, left) = self.passes();
        let done = things(u64::from(done), "pass");
        match left {
            0 => done,
            left => format!("{done}, about {} to come", count(u64::from(left))),
        }
    }

    /// Returns the passes completed, and those to come at about this many.
    pub(super) fn passes(&self) -> (u32, u32) {
        (self.progress.passes, self.progress.passes_left)
    }

    /// Returns how much of the run is done, in thousandths of passes: done and in all.
    pub(super) fn thousandths(&self) -> (u64, u64) {
        let (done, left) = self.passes();
        let part = self.pass.as_ref().map_or(0, |pass| {
            let share = 1_000 * pass.done.min(pass.trials) / pass.trials.max(1);
            share as u64
        });
        let all = 1_000 * (u64::from(done) + u64::from(left));
        let done = 1_000 * u64::from(done) + part;
        (done, all.max(done))
    }

    /// Returns the pass under way: `pass 8 of about 60 (focus, high): 2 of 5 tests`.
    pub(super) fn pass_line(&self) -> String {
        match &self.pass {
            None => "between passes".to_owned(),
            Some(pass) => format!(
                "{}: {} of {}",
                self.pass_name(pass),
                count(pass.done as u64),
                things(pass.trials as u64, "test")
            ),
        }
    }

    /// Returns what came of the pass under way: `pass 3 of 6 (screening, high): 47 tests, 2 failed: a, b`.
    pub(super) fn pass_result(&self, end: &PassEnd) -> String {
        let Some(pass) = &self.pass else {
            return String::new();
        };
        let name = self.pass_name(pass);
        match end.discarded_because() {
            Some(reason) => format!("{name}: does not count: {}", clean(reason)),
            None => {
                let failing = self.failing();
                let colon = if failing.is_empty() { "" } else { ": " };
                format!(
                    "{name}: {}, {} failed{colon}{failing}",
                    things(pass.done as u64, "test"),
                    count(pass.failed.len() as u64)
                )
            }
        }
    }

    /// Returns the name of a pass. How many the screening takes is known; with suspects it is an estimate.
    fn pass_name(&self, pass: &Pass) -> String {
        let done = self.progress.passes;
        let (about, left) = match pass.phase {
            Phase::Screen => ("", self.progress.screening_left),
            _ => ("about ", self.progress.passes_left),
        };
        format!(
            "pass {} of {about}{} ({}, {})",
            count(u64::from(pass.number)),
            count(u64::from((done + left).max(pass.number))),
            phase(pass.phase),
            self.arms[pass.arm.index()]
        )
    }

    /// Returns the tests that failed in the pass under way, the latest first: `shop dates::due, a b and 3 more`.
    pub(super) fn failing(&self) -> String {
        let Some(pass) = &self.pass else {
            return String::new();
        };
        let name = |test: &TestIndex| {
            let id = self.tests.get(test.get());
            let name = id.map_or_else(|| format!("test {}", test.0), TestId::to_string);
            cut_middle(&clean(&name), NAME_COLUMNS).into_owned()
        };
        let names: Vec<String> = pass.latest.iter().rev().take(NAMED).map(name).collect();
        match pass.latest.len() - names.len() {
            0 => names.join(", "),
            more => format!("{} and {} more", names.join(", "), count(more as u64)),
        }
    }

    /// Returns the time left and how far the suspects are: `about 2 min left, 4 suspects, 1 settled`.
    pub(super) fn outlook(&self) -> String {
        let schedule::Progress {
            suspects,
            settled,
            left_ms,
            ..
        } = self.progress;
        let mut parts = Vec::new();
        if 0 < left_ms {
            parts.push(format!("about {} left", duration_ms(rounded(left_ms))));
        }
        parts.push(things(u64::from(suspects), "suspect"));
        if 0 < suspects {
            parts.push(format!("{} settled", count(u64::from(settled))));
        }
        parts.join(", ")
    }
}

/// Returns a time as an estimate deserves it: seconds, from a minute on tens of seconds, from ten minutes on minutes.
fn rounded(ms: u64) -> u64 {
    let step = match ms {
        0..=59_999 => 1_000,
        60_000..=599_999 => 10_000,
        _ => 60_000,
    };
    (ms.saturating_add(step / 2) / step * step).max(step)
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Screen => "screening",
        Phase::Focus => "focus",
        Phase::Company => "company",
        Phase::MassRepeat => "repeated",
        Phase::TimeoutCheck => "time-out check",
        Phase::Ingested => "ingested",
    }
}

/// Returns the suite in one line: `47 tests in 3 binaries, low against high`.
pub(super) fn suite_line(suite: &BuiltSuite<'_>) -> String {
    let selected = suite.tests.iter().filter(|test| test.selected).count();
    let binaries = match suite.binaries {
        1 => "1 binary".to_owned(),
        binaries => format!("{} binaries", count(binaries as u64)),
    };
    format!(
        "{} in {binaries}, {} against {}",
        things(selected as u64, "test"),
        clean(suite.baseline),
        clean(suite.target)
    )
}
