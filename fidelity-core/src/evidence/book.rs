//! What is remembered of one test: counts for every test, a history only for those that ever failed.

use crate::domain::{Arm, Outcome, Phase, Scope};
use crate::stats::eprocess::Tally;
use crate::stats::runs;

use super::sight::{Sight, Trial};
use super::signatures::SignatureId;
use super::suspicion::Suspicion;

/// Counts of one test in one arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArmCounts {
    /// Reported trials.
    pub trials: u32,
    /// Of these, failed, timed out or crashed.
    pub failures: u32,
    /// Of the failures, timed out.
    pub timeouts: u32,
    /// Of the failures, crashed.
    pub crashes: u32,
    /// Planned trials that nobody reported; not among `trials`.
    pub not_reported: u32,
    /// Further trials of its passes, not among `trials` and no evidence, that failed.
    pub further_failures: u32,
}

impl ArmCounts {
    pub(super) fn add(&mut self, outcome: Outcome) {
        if outcome == Outcome::NotReported {
            self.not_reported = self.not_reported.saturating_add(1);
            return;
        }
        self.trials = self.trials.saturating_add(1);
        self.failures += u32::from(outcome.is_failure());
        self.timeouts += u32::from(outcome == Outcome::TimedOut);
        self.crashes += u32::from(matches!(outcome, Outcome::Crashed(_)));
    }

    /// Adds the counts of other trials.
    pub(super) fn merge(&mut self, other: &Self) {
        let pairs = [
            (&mut self.trials, other.trials),
            (&mut self.failures, other.failures),
            (&mut self.timeouts, other.timeouts),
            (&mut self.crashes, other.crashes),
            (&mut self.not_reported, other.not_reported),
            (&mut self.further_failures, other.further_failures),
        ];
        for (count, more) in pairs {
            *count = count.saturating_add(more);
        }
    }

    /// Returns whether both outcomes were seen.
    pub fn both_outcomes(&self) -> bool {
        0 < self.failures && self.failures < self.trials
    }

    /// Returns whether the arm still counts as one in which the test passes: it failed in at most the share
    /// `tolerance` of its trials. A trial that nobody reported counts as failed, an arm without trials does not pass.
    pub fn passes(&self, tolerance: f64) -> bool {
        let failed = f64::from(self.failures) + f64::from(self.not_reported);
        let planned = f64::from(self.trials) + f64::from(self.not_reported);
        self.trials > 0 && failed <= tolerance * planned
    }

    /// Returns the counts as a tally in which unreported trials failed or passed.
    pub fn tally(&self, unreported_failed: bool) -> Tally {
        Tally {
            trials: self.trials.saturating_add(self.not_reported),
            failures: if unreported_failed {
                self.failures.saturating_add(self.not_reported)
            } else {
                self.failures
            },
        }
    }
}

/// Everything remembered of one test.
#[derive(Clone, Debug, Default)]
pub struct TestBook {
    /// Counts by arm, indexed by [`Arm::index`].
    pub arms: [ArmCounts; 2],
    /// Wall time of all reported trials in microseconds.
    pub duration_us: u64,
    /// What is kept of a test that failed at least once.
    pub failing: Option<Box<FailingBook>>,
}

impl TestBook {
    /// Returns whether the test has failed in both arms: it cannot be part of a failure that one arm brings about.
    pub fn failed_everywhere(&self) -> bool {
        self.arms.iter().all(|arm| arm.failures > 0)
    }

    /// Returns the test's own suspicion; none if it never failed but in mass failures.
    pub fn suspicion(&self) -> Option<&Suspicion> {
        self.failing.as_ref()?.suspicion.as_ref()
    }

    /// Returns the mean wall time of a trial in microseconds; none before the first.
    pub fn mean_duration_us(&self) -> Option<u64> {
        let trials = self.arms.iter().map(|arm| u64::from(arm.trials)).sum();
        self.duration_us.checked_div(trials)
    }

    /// Counts a trial of an evidence pass. The failure's own book has to exist already where it failed.
    pub(super) fn count(&mut self, arm: Arm, scope: Scope, trial: &Trial<'_>) {
        if let Some(failing) = &mut self.failing {
            failing.remember(arm, scope, trial.sight());
        }
        let counts = &mut self.arms[arm.index()];
        counts.add(trial.outcome);
        counts.further_failures = counts
            .further_failures
            .saturating_add(trial.further_failures);
        self.duration_us = self.duration_us.saturating_add(trial.duration_us);
    }

    /// Returns the book of failures, opened if this is the first.
    pub(super) fn failing_mut(&mut self) -> &mut FailingBook {
        let before = self.arms.map(|arm| arm.trials);
        self.failing.get_or_insert_with(|| {
            Box::new(FailingBook {
                before,
                ..FailingBook::default()
            })
        })
    }
}

/// What is kept of a test that failed.
#[derive(Clone, Debug, Default)]
pub struct FailingBook {
    /// The test's own suspicion, from its first failure outside of mass failures.
    pub suspicion: Option<Suspicion>,
    /// Passes in which the pool of the mass failure failed and this member took part, and in how many it failed too.
    pub mass: Option<Tally>,
    /// What a trial at five times the time limit came to: whether it passed.
    pub passes_with_more_time: Option<bool>,
    /// Trials and failures in passes over the suspects only, by arm.
    pub alone: [Tally; 2],
    /// Screening passes over the whole suite, of the open family, in which it failed by itself, by their position.
    pub(super) screen_failures: Vec<u32>,
    /// The signature of its first failure.
    pub(super) first_signature: Option<SignatureId>,
    /// How often each signature was seen, in the order of first sight.
    signatures: Vec<(SignatureId, u32)>,
    /// Trials in each arm before the first failure: all of them passed.
    before: [u32; 2],
    /// Trials since then; bit 0 is the arm, bit 1 says that it failed.
    history: Vec<u8>,
    run: RunTally,
}

impl FailingBook {
    fn remember(&mut self, arm: Arm, scope: Scope, sight: Sight) {
        if sight == Sight::NotReported {
            return;
        }
        let failed = sight == Sight::Failed;
        self.history
            .push(u8::from(arm == Arm::Target) | u8::from(failed) << 1);
        if scope.is_narrow() {
            self.alone[arm.index()].add(failed);
        }
    }

    pub(super) fn sign(&mut self, signature: SignatureId) {
        self.first_signature.get_or_insert(signature);
        match self
            .signatures
            .iter_mut()
            .find(|(known, _)| *known == signature)
        {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.signatures.push((signature, 1)),
        }
    }

    /// Returns the most frequent signature, the one seen first among equals.
    pub fn main_signature(&self) -> Option<SignatureId> {
        let most = self.signatures.iter().map(|(_, count)| *count).max()?;
        self.signatures
            .iter()
            .find(|(_, count)| *count == most)
            .map(|(signature, _)| *signature)
    }

    /// Returns whether failures come in runs within an arm more than chance explains, by a Wald-Wolfowitz test at
    /// [`runs::WARN_AT`] an arm.
    pub fn clustered(&self) -> bool {
        Arm::BOTH.into_iter().any(|arm| {
            let before = std::iter::repeat_n(false, self.before[arm.index()] as usize);
            let since = self
                .history
                .iter()
                .filter(|entry| usize::from(**entry & 1) == arm.index())
                .map(|entry| entry & 2 != 0);
            runs::clustering_p(before.chain(since)) <= runs::WARN_AT
        })
    }

    /// Returns what happened to the test in run number `run`.
    pub fn run_tally(&self, run: u32) -> RunTally {
        if self.run.run == run {
            self.run
        } else {
            RunTally {
                run,
                ..RunTally::default()
            }
        }
    }

    pub(super) fn note_in_run(&mut self, run: u32, (phase, scope): (Phase, Scope), failed: bool) {
        let mut tally = self.run_tally(run);
        let (passes, failures) = match (phase, scope) {
            (Phase::Focus, _) => (&mut tally.focus, &mut tally.focus_failures),
            (Phase::Company, Scope::Suite) => (&mut tally.suite, &mut tally.suite_failures),
            (Phase::Company, _) => (&mut tally.binary, &mut tally.binary_failures),
            _ => return,
        };
        *passes += 1;
        *failures += u32::from(failed);
        self.run = tally;
    }
}

/// Passes a suspect took part in during one run, beyond the screening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunTally {
    run: u32,
    /// Focus passes.
    pub focus: u32,
    /// Of these, failed.
    pub focus_failures: u32,
    /// Company passes over its binary.
    pub binary: u32,
    /// Of these, failed.
    pub binary_failures: u32,
    /// Company passes over the suite.
    pub suite: u32,
    /// Of these, failed.
    pub suite_failures: u32,
}

impl RunTally {
    /// Returns all passes the suspect took part in.
    pub fn passes(&self) -> u32 {
        self.focus + self.binary + self.suite
    }
}
