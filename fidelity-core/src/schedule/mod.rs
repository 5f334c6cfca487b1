//! The sampler: which pass to make next. A state machine without IO: [`Scheduler::next`] says what to execute,
//! [`Scheduler::record`] takes what was seen.
//!
//! 1. *Screening*: the whole suite, a few passes in each arm, in random order; then the tests with a suspicious history
//!    a few times more in the target. A mass failure is repeated once in each arm.
//! 2. *Focus*: coin passes over the suspects until each is settled.
//! 3. *Company*: coin passes over whole binaries, then the suite, for suspects that failed only there.
//! 4. *Time-outs*: claims that rest on time-outs are tried once with more time.
//!
//! Tests that are run in one arm only are no part of a comparison: those that always failed there are tried again in it.
//!
//! Knows no clock, file or process: elapsed time is part of an answer. Invariant: the same seed and the same answers
//! give the same passes, and what is asked for never depends on a draw that was not made yet.

use std::collections::BTreeSet;

use crate::classify::fails_always;
use crate::classify::{Verdicts, classify};
use crate::domain::{
    Arm, PassEnd, PassRecord, PassSpec, Phase, Policy, Scope, StopReason, StoredRun, TestIndex,
};
use crate::evidence::Evidence;
use crate::evidence::mass::REPRESENTATIVES;
use crate::plan::Plan;

pub mod budget;
pub mod company;
mod discarded;
pub mod draw;
pub mod focus;

use budget::{Budget, Wish};
use company::Stage;
use discarded::Discarded;
pub use discarded::{DISCARDED_AT_MOST, DISTURBED_AT_MOST};
use draw::Draws;

/// What the time limit of a trial is multiplied by to see whether it only needs more time.
pub const MORE_TIME: u32 = 5;

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Execute this pass and record it.
    Pass(PassSpec),
    /// Stop: nothing is left to decide within the policy.
    Done(StopReason),
}

/// How far a run is, for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Completed passes.
    pub passes: u32,
    /// Passes still to come at about this many (screening exactly, focus by expectation).
    pub passes_left: u32,
    /// Passes of the screening among those still to come.
    pub screening_left: u32,
    /// Suspects so far.
    pub suspects: u32,
    /// Suspects that are decided or given up.
    pub settled: u32,
    /// Wall time still needed at about this many milliseconds, from the durations seen.
    pub left_ms: u64,
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Scheduler {
    policy: Policy,
    /// Whether each pass runs the whole suite, whichever tests it is about.
    runs_all: bool,
    draws: Draws,
    selected: Vec<TestIndex>,
    evidence: Evidence,
    budget: Budget,
    screen_left: [u32; 2],
    /// Number of the pass recorded last, and completed passes by arm.
    number: u32,
    completed: [u32; 2],
    repeats: MassRepeats,
    company: company::Spent,
    /// Tests that were tried with more time, whatever came of it.
    given_time: BTreeSet<TestIndex>,
    last_phase: Option<Phase>,
    discarded: Option<Discarded>,
    upcoming: Step,
}

/// Which mass failures were repeated.
#[derive(Clone, Copy, Debug, Default)]
struct MassRepeats {
    done: [bool; 2],
    due: Option<Arm>,
}

impl Scheduler {
    /// Returns a scheduler at the start of the run that `plan` describes, joining earlier runs where the policy wants
    /// it.
    ///
    /// A run is resumed by recording its stored passes: a scheduler is where its answers have brought it.
    pub fn new(plan: Plan, joined: &[StoredRun]) -> Self {
        let Plan {
            tests,
            policy,
            seed,
        } = plan;
        let selected = (0_u32..)
            .map(TestIndex)
            .zip(&tests)
            .filter(|(_, test)| test.selected)
            .map(|(index, _)| index)
            .collect();
        let evidence = Evidence::gather(&tests, &policy, seed, joined);
        let mut scheduler = Self {
            draws: Draws::new(seed),
            selected,
            evidence,
            budget: Budget::new(&policy),
            screen_left: [policy.screen.baseline, policy.screen.target],
            number: 0,
            completed: [0; 2],
            repeats: MassRepeats::default(),
            company: company::Spent::default(),
            given_time: BTreeSet::new(),
            last_phase: None,
            discarded: None,
            upcoming: Step::Done(StopReason::Decided),
            runs_all: false,
            policy,
        };
        scheduler.upcoming = scheduler.decide();
        scheduler
    }

    /// Returns the scheduler of a suite whose passes always run as a whole, whichever tests they are about.
    #[must_use]
    pub fn of_whole_passes(mut self) -> Self {
        self.runs_all = true;
        self.upcoming = self.decide();
        self
    }

    /// Returns what to do next: the same answer until a pass is recorded.
    pub fn next(&self) -> Step {
        self.upcoming.clone()
    }

    /// Takes what was seen of a pass. One that was cut short changes nothing: it is still to be made.
    pub fn record(&mut self, pass: &PassRecord) {
        let Some((end, elapsed_ms)) = &pass.end else {
            return;
        };
        let spec = &pass.spec;
        self.number = self.number.max(spec.number);
        self.budget.spend(pass, *elapsed_ms);
        self.discarded = Discarded::after(self.discarded.as_ref(), spec, end);
        if *end == PassEnd::Completed {
            self.evidence.record(pass);
            self.completed[spec.arm.index()] += 1;
            self.last_phase = Some(spec.phase);
            self.account(spec);
        }
        self.upcoming = self.decide();
    }

    fn account(&mut self, spec: &PassSpec) {
        let arm = spec.arm.index();
        match spec.phase {
            Phase::Screen => {
                if spec.scope == Scope::Suite {
                    self.screen_left[arm] = self.screen_left[arm].saturating_sub(1);
                    if self.evidence.mass_failure() && !self.repeats.done[arm] {
                        self.repeats.due = Some(spec.arm);
                    }
                }
            }
            Phase::MassRepeat => {
                self.repeats.done[arm] = true;
                self.repeats.due = None;
            }
            Phase::Company => {
                self.company.trials += spec.tests.len() as u64;
                self.company.suite_passes += u32::from(spec.scope == Scope::Suite);
            }
            Phase::TimeoutCheck => self.given_time.extend(&spec.tests),
            // A pass that ran elsewhere is no answer to anything we asked.
            Phase::Focus | Phase::Ingested => {}
        }
    }

    /// Returns the evidence so far.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Returns the verdicts of the evidence so far.
    pub fn verdicts(&self) -> Verdicts {
        classify(&self.evidence, &self.policy)
    }

    fn decide(&self) -> Step {
        let discarded = self.discarded.as_ref();
        if let Some(reason) = discarded.and_then(Discarded::environment_lost) {
            let reason = reason.to_owned();
            return Step::Done(StopReason::Environment { reason });
        }
        let Some(spec) = self.wanted() else {
            return Step::Done(StopReason::Decided);
        };
        if spec.tests.is_empty() {
            // Nobody fits what is left.
            return Step::Done(StopReason::OutOfTrials);
        }
        match self.budget.refuses(spec.tests.len()) {
            Some(stop) => Step::Done(stop),
            None => Step::Pass(spec),
        }
    }

    /// Returns the pass that should come next, whatever it costs.
    fn wanted(&self) -> Option<PassSpec> {
        if self.selected.is_empty() {
            return None;
        }
        self.redo()
            .or_else(|| self.mass_repeat())
            .or_else(|| self.screen())
            .or_else(|| self.screen_harder())
            .or_else(|| self.lone())
            .or_else(|| self.sample())
            .or_else(|| self.timeout_check())
    }

    fn mass_repeat(&self) -> Option<PassSpec> {
        let arm = self.repeats.due?;
        let pass = self.fixed(Phase::MassRepeat, arm, Scope::Suite, self.selected.clone());
        (!pass.tests.is_empty()).then_some(pass)
    }

    fn screen(&self) -> Option<PassSpec> {
        // An arm for which no test is meant, or in which all have had the trials they may have, is screened.
        let left = Arm::BOTH.map(|arm| {
            let taken = self.selected.iter().any(|test| self.takes_part(*test, arm));
            if taken {
                self.screen_left[arm.index()]
            } else {
                0
            }
        });
        let (arm, target_probability) = self.draws.screening_arm(self.number + 1, left)?;
        Some(PassSpec {
            target_probability,
            ..self.fixed(Phase::Screen, arm, Scope::Suite, self.selected.clone())
        })
    }

    /// Focus and company. Focus comes first, but company once begun is brought to its end, so that the suspects it
    /// finds make one family.
    fn sample(&self) -> Option<PassSpec> {
        let stages: Vec<(TestIndex, Stage)> = focus::open_suspects(&self.evidence, &self.policy)
            .into_iter()
            .map(|test| {
                // Where every pass runs the whole suite, there is no other company to be had.
                let stage = match self.runs_all {
                    true => Stage::Alone,
                    false => company::stage(&self.evidence, &self.policy, test, self.company),
                };
                (test, stage)
            })
            .collect();
        if self.last_phase == Some(Phase::Company) {
            self.in_company(&stages).or_else(|| self.focus(&stages))
        } else {
            self.focus(&stages).or_else(|| self.in_company(&stages))
        }
    }

    fn in_company(&self, stages: &[(TestIndex, Stage)]) -> Option<PassSpec> {
        let (scope, tests) = company::wanted(&self.evidence, stages)?;
        Some(self.coin(Phase::Company, scope, tests))
    }

    fn focus(&self, stages: &[(TestIndex, Stage)]) -> Option<PassSpec> {
        let alone = stages.iter().filter(|(_, stage)| *stage == Stage::Alone);
        let mut groups: Vec<Vec<TestIndex>> = alone.map(|(test, _)| vec![*test]).collect();
        if focus::pool_is_open(&self.evidence, &self.policy) {
            groups.push(self.representatives());
        }
        groups.retain(|group| !group.is_empty());
        if groups.is_empty() {
            return None;
        }
        let wishes: Vec<Wish> = groups.iter().map(|group| self.wish(group)).collect();
        let mut tests: Vec<TestIndex> = self
            .budget
            .choose(&wishes)
            .into_iter()
            .flat_map(|position| groups[position].iter().copied())
            .collect();
        tests.sort_unstable();
        Some(self.coin(Phase::Focus, self.scope_of(tests.len()), tests))
    }

    /// Returns what so many suspects run among.
    fn scope_of(&self, suspects: usize) -> Scope {
        if self.runs_all {
            Scope::Suite
        } else {
            Scope::of_suspects(suspects)
        }
    }

    /// Returns the members of the mass failure that stand for all of them.
    fn representatives(&self) -> Vec<TestIndex> {
        let tests = self.evidence.tests();
        let members = self
            .evidence
            .pool()
            .into_iter()
            .flat_map(|pool| pool.represented(self.evidence.books()))
            .filter(|test| tests[test.get()].selected && !self.evidence.is_used_up(*test));
        self.draws.representatives(members, REPRESENTATIVES)
    }

    /// Returns what a suspect, or the representatives of a mass failure, would cost until decided.
    fn wish(&self, tests: &[TestIndex]) -> Wish {
        let standing = tests.first().and_then(|test| self.evidence.standing(*test));
        let passes = standing.and_then(|(suspicion, arms)| {
            if fails_always(arms) {
                return Some(2 * crate::classify::BROKEN_AFTER);
            }
            suspicion.passes_needed(arms, self.evidence.log_needed(suspicion))
        });
        let duration = |test: &TestIndex| {
            let book = &self.evidence.books()[test.get()];
            book.mean_duration_us().unwrap_or(0) as f64
        };
        Wish {
            passes: passes.filter(|passes| *passes <= self.policy.max_passes),
            at_most: self.policy.futile_after.min(self.policy.max_passes),
            trials: tests.len(),
            duration_us: tests.iter().map(duration).sum(),
        }
    }

    fn timeout_check(&self) -> Option<PassSpec> {
        let mut tests = focus::unchecked_timeouts(&self.evidence, &self.policy);
        tests.retain(|test| !self.given_time.contains(test));
        if tests.is_empty() {
            return None;
        }
        let scope = self.scope_of(tests.len());
        Some(PassSpec {
            timeout_factor: MORE_TIME,
            ..self.fixed(Phase::TimeoutCheck, Arm::Target, scope, tests)
        })
    }

    fn coin(&self, phase: Phase, scope: Scope, tests: Vec<TestIndex>) -> PassSpec {
        let arm = self.draws.coin_arm(self.number + 1);
        PassSpec {
            target_probability: 0.5,
            ..self.fixed(phase, arm, scope, tests)
        }
    }

    /// Returns the next pass in an arm that is not drawn, over those of `tests` that take part in it.
    fn fixed(&self, phase: Phase, arm: Arm, scope: Scope, mut tests: Vec<TestIndex>) -> PassSpec {
        let number = self.number + 1;
        tests.retain(|test| self.takes_part(*test, arm));
        PassSpec {
            number,
            phase,
            arm,
            target_probability: match arm {
                Arm::Baseline => 0.0,
                Arm::Target => 1.0,
            },
            scope,
            tests,
            arm_pass: self.completed[arm.index()],
            order_seed: self.draws.order_seed(number),
            timeout_factor: 1,
        }
    }
}

mod harder;
mod lone;
mod progress;

#[cfg(test)]
mod tests;
