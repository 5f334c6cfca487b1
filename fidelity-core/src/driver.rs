//! The only loop: asks the scheduler what to do, has the runner do it, and lets nothing decide before it is stored.
//!
//! Everything interesting is decided in [`Scheduler::next`]; everything dangerous happens in [`Runner::run_pass`].

use std::ops::ControlFlow;

use crate::domain::{
    Arm, Environment, Observation, PassRecord, PassSpec, Phase, RunHeader, Scope, StopReason,
    TestIndex,
};
use crate::exec::{ExecError, Runner};
use crate::schedule::{Progress, Scheduler, Step};
use crate::store::{RunLog, StoreError};

/// Hears how a run goes on. Nothing it does can change the run.
pub trait Observer {
    /// A pass starts.
    fn pass_started(&mut self, spec: &PassSpec, environment: &Environment, progress: &Progress);
    /// A trial has ended and is stored.
    fn trial(&mut self, observation: &Observation);
    /// A pass has ended and is stored.
    fn pass_ended(&mut self, pass: &PassRecord, progress: &Progress);
}

/// Tells how long ago something was. The loop needs durations, never dates.
pub trait Clock {
    /// Returns milliseconds since some fixed moment; never decreases.
    fn elapsed_ms(&self) -> u64;
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// Trials could not be run.
    #[error(transparent)]
    Exec(ExecError),
    /// What was seen could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored passes are not those that this version of the tool would have made.
    #[error("stored pass {stored} is not the one that follows from the run's seed")]
    Diverged {
        /// The number of the first pass that differs.
        stored: u32,
    },
}

/// The parts of a run that do things.
pub struct World<'a> {
    /// Runs the trials.
    pub runner: &'a mut dyn Runner,
    /// Keeps what was seen.
    pub log: &'a mut dyn RunLog,
    /// Is told about it.
    pub observer: &'a mut dyn Observer,
    /// Measures passes.
    pub clock: &'a dyn Clock,
}

/// Runs passes until the scheduler has enough, and returns why it stopped.
///
/// `resumed` are the passes that are stored already: they are handed to the scheduler instead of being run, and the
/// last one is finished first if it was cut short.
///
/// # Errors
/// [`DriveError`] where the tool itself cannot go on. What was stored until then stays.
pub fn drive(
    scheduler: &mut Scheduler,
    header: &RunHeader,
    resumed: Vec<PassRecord>,
    world: &mut World<'_>,
) -> Result<StopReason, DriveError> {
    let mut cut_short = None;
    for pass in resumed {
        let stored = pass.spec.number;
        match scheduler.next() {
            Step::Pass(spec) if is_same(&spec, &pass.spec) && cut_short.is_none() => {}
            _ => return Err(DriveError::Diverged { stored }),
        }
        if pass.end.is_some() {
            scheduler.record(&pass);
        } else {
            cut_short = Some(pass);
        }
    }
    loop {
        let pass = match (scheduler.next(), cut_short.take()) {
            (Step::Done(reason), _) => return Ok(reason),
            (Step::Pass(_), Some(mut pass)) => {
                // What is stored of it holds no secrets; what the header asks for does.
                pass.environment = environment(header, &pass.spec);
                pass
            }
            (Step::Pass(mut spec), None) => {
                // What a trial ran among is recorded as it is, not as it was wanted.
                if is_selection(&spec) && world.runner.runs_all_for(&spec.tests) {
                    spec.scope = Scope::Suite;
                }
                let environment = environment(header, &spec);
                world.log.begin_pass(&spec, &environment)?;
                PassRecord {
                    spec,
                    environment,
                    observations: Vec::new(),
                    end: None,
                    machine: None,
                    origin: None,
                }
            }
        };
        world
            .observer
            .pass_started(&pass.spec, &pass.environment, &scheduler.progress());
        let Some(pass) = execute(pass, scheduler, world)? else {
            return Ok(StopReason::Interrupted);
        };
        scheduler.record(&pass);
        world.observer.pass_ended(&pass, &scheduler.progress());
    }
}

/// Returns whether a stored pass is the one that is asked for; it may have run among more tests.
fn is_same(asked: &PassSpec, stored: &PassSpec) -> bool {
    let widened = is_selection(asked) && stored.scope == Scope::Suite;
    asked == stored
        || widened
            && *stored
                == PassSpec {
                    scope: Scope::Suite,
                    ..asked.clone()
                }
}

/// Returns whether a pass is about a selection whatever its tests run among.
fn is_selection(spec: &PassSpec) -> bool {
    matches!(spec.phase, Phase::Focus | Phase::TimeoutCheck)
}

/// Returns what a pass runs under: the values its arm draws, but for knobs that could not be applied.
fn environment(header: &RunHeader, spec: &PassSpec) -> Environment {
    let profile = match spec.arm {
        Arm::Baseline => &header.baseline,
        Arm::Target => &header.target,
    };
    let mut environment = if spec.screens_harder() {
        let exposing = profile.limited_to(&header.exposing);
        exposing.draw(header.seed, spec.arm, spec.arm_pass)
    } else {
        profile.draw(header.seed, spec.arm, spec.arm_pass)
    };
    for knob in header.knobs.iter().filter(|knob| !knob.applied) {
        environment.0.remove(&knob.knob);
    }
    environment
}

/// Runs what is left to do of a pass and closes it. None if the user interrupted it.
fn execute(
    mut pass: PassRecord,
    scheduler: &Scheduler,
    world: &mut World<'_>,
) -> Result<Option<PassRecord>, DriveError> {
    let left = tests_left(&pass);
    let World {
        runner,
        log,
        observer,
        clock,
    } = world;
    let started = clock.elapsed_ms();
    let mut lost = None;
    let ended = runner.run_pass(&pass.spec, &left, &pass.environment, &mut |seen| {
        if let Err(error) = log.append(&seen) {
            lost = Some(error);
            return ControlFlow::Break(());
        }
        seen.iter()
            .for_each(|observation| observer.trial(observation));
        pass.observations.extend(seen);
        ControlFlow::Continue(())
    });
    if let Some(error) = lost {
        return Err(error.into());
    }
    let end = match ended {
        Ok(end) => end,
        Err(ExecError::Interrupted) => return Ok(None),
        Err(error) => return Err(DriveError::Exec(error)),
    };
    let elapsed_ms = clock.elapsed_ms().saturating_sub(started);
    let machine = runner.machine();
    // The outcomes have no say in whether they count.
    let end = scheduler.settle(end, machine);
    log.end_pass(&end, elapsed_ms, machine)?;
    pass.observations
        .sort_by_key(|observation| (observation.test, observation.attempt));
    pass.end = Some((end, elapsed_ms));
    pass.machine = machine;
    Ok(Some(pass))
}

/// Returns the tests of a pass that have no observation yet.
fn tests_left(pass: &PassRecord) -> Vec<TestIndex> {
    let seen: std::collections::BTreeSet<TestIndex> =
        pass.observations.iter().map(|seen| seen.test).collect();
    pass.spec
        .tests
        .iter()
        .copied()
        .filter(|test| !seen.contains(test))
        .collect()
}
