//! Taking in a pass: the order in which its trials, the mass failure and the families are dealt with.
//!
//! Invariant: whether a trial is bet on is decided from outcomes and the past before anybody learns the arm.

use crate::domain::{Arm, PassRecord, PassSpec, Phase, Scope, Screen, TestIndex};

use super::Evidence;
use super::family::{self, Bond, Generation, Screening, Unit};
use super::mass::{self, Judgement, Pool};
use super::sight::{self, Sight, TestMap, Trial};
use super::suspicion::Suspicion;

impl Evidence {
    /// Takes in a pass of this run, or, with a map, of another.
    pub(super) fn absorb(&mut self, pass: &PassRecord, map: Option<&TestMap>) {
        if !pass.is_completed() {
            return;
        }
        let trials = sight::trials(pass, self.books.len(), map);
        self.run.mass_failure = false;
        match pass.spec.phase {
            Phase::MassRepeat => {
                if let Some(pool) = &mut self.pool {
                    pool.repeat(&trials);
                }
            }
            Phase::TimeoutCheck => self.check_timeouts(&trials),
            // It was not drawn: `blocks` has a rule for passes like this.
            Phase::Ingested => {}
            Phase::Screen | Phase::Focus | Phase::Company => {
                if map.is_none() {
                    self.count_asked(&pass.spec, &trials);
                }
                self.weigh(&pass.spec, &trials);
            }
        }
        self.note_tried(pass.spec.arm, &trials);
    }

    /// Counts a pass of this run for those it was made for and learns nothing of: suspects that were skipped, and a
    /// pool of which too little took part to be judged. They would be asked for ever otherwise.
    fn count_asked(&mut self, spec: &PassSpec, trials: &[Trial<'_>]) {
        let run = self.run.number;
        let tried = |test: &TestIndex| {
            trials
                .binary_search_by_key(test, |trial| trial.test)
                .is_ok()
        };
        for test in spec.tests.iter().filter(|test| !tried(test)) {
            let book = self.books.get_mut(test.get());
            if let Some(failing) = book.and_then(|book| book.failing.as_mut()) {
                failing.note_in_run(run, (spec.phase, spec.scope), false);
            }
        }
        let Some(pool) = self.pool.as_mut().filter(|_| spec.phase == Phase::Focus) else {
            return;
        };
        if pool
            .represented(&self.books)
            .any(|test| spec.tests.contains(&test))
        {
            pool.note_focus(run);
        }
    }

    /// Has the suspects of another run's last pass pay for it where it was drawn and never completed.
    ///
    /// Whether a pass completes may depend on its arm: an environment that only one arm lacks, a user who interrupts.
    /// Going on with a new draw as if nothing had been drawn would favour the other arm.
    pub(super) fn forfeit(&mut self, pass: &PassRecord, map: &TestMap) {
        if !pass.spec.phase.is_drawn() || pass.is_completed() {
            return;
        }
        let (arm, probability) = (pass.spec.arm, pass.spec.target_probability);
        let coin = is_coin(&pass.spec);
        let ours = |test: &TestIndex| map.get(test.get()).copied().flatten();
        for test in pass.spec.tests.iter().filter_map(ours) {
            let failing = self.books[test.get()].failing.as_mut();
            if let Some(suspicion) = failing.and_then(|failing| failing.suspicion.as_mut()) {
                suspicion.forfeit(arm, probability, coin);
            }
        }
        if let Some(pool) = &mut self.pool {
            pool.suspicion.forfeit(arm, probability, coin);
        }
    }

    /// Takes note of trials at five times the time limit. They are no evidence: their arm was not drawn.
    fn check_timeouts(&mut self, trials: &[Trial<'_>]) {
        for trial in trials
            .iter()
            .filter(|trial| trial.sight() != Sight::NotReported)
        {
            self.books[trial.test.get()]
                .failing_mut()
                .passes_with_more_time = Some(trial.sight() == Sight::Passed);
        }
    }

    /// Weighs a pass whose arm was drawn.
    fn weigh(&mut self, spec: &PassSpec, trials: &[Trial<'_>]) {
        if self.run.last_phase != Some(spec.phase) {
            self.close_family();
        }
        let (compared, lone) = self.told_apart(trials);
        let trials = compared.as_deref().unwrap_or(trials);
        let share = self.policy.mass_failure;
        // What a pass is about is a selection, also where its tests run among all others.
        let scope = match spec.covers_suite() {
            false if spec.scope == Scope::Suite => Scope::Suspects,
            _ => spec.scope,
        };
        let judgement = mass::judge(self.pool.as_ref(), &self.books, scope, trials, share);
        self.weigh_pool(spec, judgement);
        for trial in trials {
            self.weigh_trial(spec, trial, judgement);
        }
        for trial in &lone {
            self.count_lone(spec, trial);
        }
        if judgement.failed == Some(true) {
            self.release_broken_members();
        }
        self.run.mass_failure = judgement.failed == Some(true);
        self.run.last_phase = Some(spec.phase);
        if spec.covers_suite() {
            self.suite_passes[spec.arm.index()] += 1;
        }
        if spec.phase == Phase::Screen {
            match spec.scope {
                Scope::Suite => self.run.screen_passes += 1,
                _ => self.run.extra_passes += 1,
            }
            if self.screening_is_over() {
                self.close_family();
            }
        } else if spec.phase == Phase::Focus {
            self.close_family();
        }
        for generation in &mut self.generations {
            generation.settle(&self.tests, &mut self.books, &mut self.pool, &self.policy);
        }
    }

    fn weigh_pool(&mut self, spec: &PassSpec, judgement: Judgement) {
        let Some(failed) = judgement.failed else {
            return;
        };
        if self.pool.is_none() {
            self.open.pool = true;
        }
        let passes = self.suite_passes;
        let pool = self.pool.get_or_insert_with(|| Pool::new(passes));
        pool.bet(spec, failed, is_coin(spec));
    }

    fn weigh_trial(&mut self, spec: &PassSpec, trial: &Trial<'_>, judgement: Judgement) {
        // A test that may be tried no more in one arm takes part or not by the arm: its bet would know the draw.
        let drawn = !self.is_used_up(trial.test);
        let (probability, coin) = if drawn {
            (spec.target_probability, is_coin(spec))
        } else {
            (f64::from(u8::from(spec.arm == Arm::Target)), false)
        };
        let book = &mut self.books[trial.test.get()];
        let sight = trial.sight();
        let failed = sight == Sight::Failed;
        let excused = failed && judgement.excuses(book);
        if failed {
            let arms = book.arms;
            let failing = book.failing_mut();
            if let Some(failure) = trial.failure {
                failing.sign(self.signatures.number(failure));
            }
            if excused {
                failing.mass.get_or_insert_default();
                if let Some(pool) = &mut self.pool {
                    pool.members.insert(trial.test);
                }
            } else {
                if spec.phase == Phase::Screen && spec.scope == Scope::Suite {
                    failing.screen_failures.push(self.run.screen_passes);
                }
                if failing.suspicion.is_none() {
                    failing.suspicion = Some(Suspicion::new(&arms));
                    self.open.suspects.push(trial.test);
                    self.suspects += 1;
                }
            }
        }
        if let Some(failing) = &mut book.failing {
            if let Some(suspicion) = failing.suspicion.as_mut().filter(|_| !excused) {
                suspicion.bet(spec.arm, probability, sight, coin);
            }
            let tally = failing.mass.as_mut();
            if let Some(tally) = tally.filter(|_| judgement.failed == Some(true)) {
                tally.add(failed);
            }
            failing.note_in_run(self.run.number, (spec.phase, spec.scope), failed);
        }
        book.count(spec.arm, spec.scope, trial);
    }

    /// Makes members that have now failed in both arms suspects of their own: no arm brings that about, and whether
    /// each is broken is for its own trials to say. Their bets start after this pass, so nothing is gained by it.
    pub(super) fn release_broken_members(&mut self) {
        let members = self.pool.iter().flat_map(|pool| &pool.members);
        for test in members.copied() {
            let book = &mut self.books[test.get()];
            if !book.failed_everywhere() {
                continue;
            }
            let arms = book.arms;
            let suspicion = &mut book.failing_mut().suspicion;
            if suspicion.is_none() {
                *suspicion = Some(Suspicion::new(&arms));
                self.open.suspects.push(test);
                self.suspects += 1;
            }
        }
    }

    /// Returns whether every pass of the screening over the whole suite was made.
    pub(crate) fn suite_is_screened(&self) -> bool {
        let Screen {
            baseline, target, ..
        } = self.run.screen;
        self.run.screen_passes >= baseline.saturating_add(target)
    }

    /// Returns whether the screening has nothing left to do.
    fn screening_is_over(&self) -> bool {
        self.suite_is_screened() && (self.extra_left() == 0 || self.to_screen_harder().is_empty())
    }

    /// Closes the open family: from here on it never grows, and e-BH looks at it.
    pub(super) fn close_family(&mut self) {
        let open = std::mem::take(&mut self.open);
        if open.suspects.is_empty() && !open.pool {
            return;
        }
        let number = self.next_generation();
        let complete = self.suite_is_screened() && self.run.last_phase == Some(Phase::Screen);
        let screening = complete.then_some(Screening {
            passes: self.run.screen_passes,
            screen: self.run.screen,
        });
        let mut units = family::units(&open.suspects, &self.books, screening);
        if open.pool {
            units.push(Unit {
                members: Vec::new(),
                bond: Some(Bond::MassFailure),
            });
            if let Some(pool) = &mut self.pool {
                pool.suspicion.generation = Some(number);
            }
        }
        for test in open.suspects {
            let failing = self.books[test.get()].failing_mut();
            failing.screen_failures = Vec::new();
            if let Some(suspicion) = &mut failing.suspicion {
                suspicion.generation = Some(number);
            }
        }
        self.generations.push(Generation::new(number, units));
    }
}

/// Returns whether the arm was drawn by a fair coin for passes over suspects and their company.
fn is_coin(spec: &PassSpec) -> bool {
    spec.target_probability == 0.5 && matches!(spec.phase, Phase::Focus | Phase::Company)
}
