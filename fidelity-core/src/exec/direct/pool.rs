//! The pool: jobs over slots, from one thread.
//!
//! Must not know: tests, arms. Invariants: a slot gets its next job only after the end of its last one was handed over;
//! at the end of [`Pool::run`], however it ends, no process of it is alive.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::recipe::Recipe;
use super::slot::{Finished, Job, Slot};
use crate::exec::guardian::{descendants_of, protocol};
use crate::exec::run_directory::kill_marked;
use crate::exec::stage::Stage;
use crate::exec::{ExecError, sys};

/// How often a process that could not be started is tried again.
const MISFIRES: u32 = 4;
/// How often a guardian may be lost while jobs run.
const LOSSES: u32 = 8;
/// How long killed processes may take to be reported.
const CANCEL_PATIENCE: Duration = Duration::from_secs(3);

/// The guardians of a run.
pub(super) struct Pool {
    pub(super) helper: PathBuf,
    pub(super) run_directory: PathBuf,
    pub(super) wake: Option<OwnedFd>,
    slots: Vec<Slot>,
    /// The stage on which the slots are, and those that rest meanwhile.
    stage: Option<(Stage, Vec<Slot>)>,
    losses: u32,
}

/// What to run.
pub(super) struct Work<'a> {
    pub(super) recipes: &'a BTreeMap<u32, Recipe>,
    pub(super) jobs: VecDeque<Job>,
    /// Processes at a time.
    pub(super) width: usize,
    /// Called before each start; an error ends the work.
    pub(super) before: &'a dyn Fn(&Job) -> Result<(), ExecError>,
}

impl Pool {
    pub(super) fn new(helper: PathBuf, run_directory: PathBuf, wake: Option<OwnedFd>) -> Self {
        Self {
            helper,
            run_directory,
            wake,
            slots: Vec::new(),
            stage: None,
            losses: 0,
        }
    }

    /// Has everything run on `stage` from now on, by guardians of its own.
    pub(super) fn enter(&mut self, stage: Stage) {
        self.leave();
        self.stage = Some((stage, std::mem::take(&mut self.slots)));
    }

    /// Ends the stage, if there is one, and its guardians.
    pub(super) fn leave(&mut self) {
        if let Some((stage, resting)) = self.stage.take() {
            self.dismiss_all();
            self.slots = resting;
            drop(stage);
        }
    }

    /// Starts a guardian for slot `number`.
    fn open_slot(&self, number: usize) -> Result<Slot, ExecError> {
        let stage = self.stage.as_ref().map(|(stage, _)| stage);
        Slot::open(&self.helper, &self.run_directory, number, stage).map_err(|error| match error {
            ExecError::GuardianLost(reason) if stage.is_some() => {
                ExecError::EnvironmentLost(reason)
            }
            other => other,
        })
    }

    /// Runs `work`. Ends are handed to `done` as they come; what took a place starts only after `done` has returned.
    /// Returns whether everything was run; `Break` from `done` stops.
    pub(super) fn run(
        &mut self,
        mut work: Work<'_>,
        done: &mut dyn FnMut(Vec<Finished>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ExecError> {
        let width = work.width.clamp(1, work.jobs.len().max(1));
        let result = self.run_all(&mut work, width, done);
        if !matches!(result, Ok(ControlFlow::Continue(()))) {
            self.cancel();
        }
        result
    }

    fn run_all(
        &mut self,
        work: &mut Work<'_>,
        width: usize,
        done: &mut dyn FnMut(Vec<Finished>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ExecError> {
        self.interrupted()?;
        self.open(width)?;
        for slot in &mut self.slots[..width] {
            slot.forget()?;
        }
        loop {
            self.fill(work, width)?;
            if !self.slots.iter().any(Slot::is_running) {
                return Ok(ControlFlow::Continue(()));
            }
            let finished = self.collect(work)?;
            if !finished.is_empty() && done(finished).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    /// Returns the processor time that the guardians and what they have reaped have used, in microseconds. Those that
    /// were reaped themselves are left out.
    pub(super) fn used_us(&self) -> u64 {
        self.slots.iter().map(Slot::used_us).sum()
    }

    /// Opens slots until there are `width`.
    pub(super) fn open(&mut self, width: usize) -> Result<(), ExecError> {
        while self.slots.len() < width {
            let number = self.slots.len();
            let slot = self.open_slot(number);
            // A Ctrl-C that reached the guardian before it had its own session reached us as well.
            let slot = slot.or_else(|error| self.interrupted().and(Err(error)))?;
            self.slots.push(slot);
        }
        Ok(())
    }

    /// Gives every free slot a job.
    fn fill(&mut self, work: &mut Work<'_>, width: usize) -> Result<(), ExecError> {
        for slot in &mut self.slots[..width] {
            if slot.is_running() {
                continue;
            }
            let Some(job) = work.jobs.pop_front() else {
                return Ok(());
            };
            (work.before)(&job)?;
            if let Some(recipe) = work.recipes.get(&job.recipe) {
                // A guardian that is gone is noticed when its answer is collected.
                drop(slot.start(job, recipe));
            }
        }
        Ok(())
    }

    /// Waits until something has ended.
    fn collect(&mut self, work: &mut Work<'_>) -> Result<Vec<Finished>, ExecError> {
        let running: Vec<usize> = (0..self.slots.len())
            .filter(|&at| self.slots[at].is_running())
            .collect();
        let mut descriptors: Vec<_> = running
            .iter()
            .filter_map(|&at| self.slots[at].descriptor())
            .collect();
        descriptors.extend(self.wake.as_ref().map(AsFd::as_fd));
        let stage = self.stage.as_ref();
        descriptors.extend(stage.map(|(stage, _)| stage.descriptor()));
        let ready = sys::wait_readable(&descriptors, None)
            .map_err(|error| ExecError::system("wait for trials", error))?;
        if self.wake.is_some() && ready[running.len()] {
            return Err(ExecError::Interrupted);
        }
        if self.stage.is_some() && ready.last() == Some(&true) {
            let lost = "the process that keeps its namespaces ended".to_owned();
            return Err(ExecError::EnvironmentLost(lost));
        }
        let mut finished = Vec::new();
        for (&at, _) in running.iter().zip(&ready).filter(|(_, ready)| **ready) {
            match self.slots[at].collect() {
                Ok(end) if misfired(&end) => retry(end.job, work),
                Ok(end) => finished.push(end),
                Err(error) => finished.extend(self.replace(at, error)?),
            }
        }
        Ok(finished)
    }

    /// Puts a new guardian in the place of a lost one. Returns the job it was lost with, as one nobody reports on.
    fn replace(&mut self, at: usize, error: ExecError) -> Result<Option<Finished>, ExecError> {
        self.interrupted()?;
        self.losses += 1;
        if self.losses > LOSSES {
            return Err(error);
        }
        let job = self.slots[at].take_job();
        // Its trial died with it, by the parent-death signal; what that trial started has no guardian any more.
        let spared = self
            .slots
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .filter_map(|(_, slot)| slot.pid())
            .flat_map(descendants_of)
            .collect();
        kill_marked(&self.run_directory, &spared);
        self.slots[at] = self.open_slot(at)?;
        Ok(job.map(|job| Finished {
            job,
            ended: protocol::Ended {
                ending: protocol::Ending::Lost(error.to_string()),
                duration_us: 0,
                used_us: 0,
                leaked: 0,
                result: None,
                stdout: (0, 0),
                stderr: (0, 0),
                lines: None,
            },
            output: Vec::new(),
        }))
    }

    fn interrupted(&self) -> Result<(), ExecError> {
        let Some(wake) = &self.wake else {
            return Ok(());
        };
        match sys::wait_readable(&[wake.as_fd()], Some(0)) {
            Ok(ready) if ready.contains(&true) => Err(ExecError::Interrupted),
            _ => Ok(()),
        }
    }

    /// Kills what runs. A guardian that does not report it in time is dismissed, on which it kills everything itself.
    fn cancel(&mut self) {
        for slot in &mut self.slots {
            slot.cancel();
        }
        let began = Instant::now();
        for slot in &mut self.slots {
            while slot.is_running() {
                let rest = CANCEL_PATIENCE.saturating_sub(began.elapsed());
                let rest_ms = u64::try_from(rest.as_millis()).unwrap_or(0);
                let ready = slot.descriptor().is_some_and(|descriptor| {
                    sys::wait_readable(&[descriptor], Some(rest_ms))
                        .is_ok_and(|ready| ready.contains(&true))
                });
                if ready && slot.collect().is_ok() {
                    continue;
                }
                if !ready && began.elapsed() < CANCEL_PATIENCE && slot.descriptor().is_some() {
                    continue;
                }
                slot.dismiss();
                slot.take_job();
            }
        }
        self.slots.retain(|slot| slot.descriptor().is_some());
    }

    /// Ends every guardian and the stage.
    pub(super) fn close(&mut self) {
        self.leave();
        self.dismiss_all();
    }

    /// Ends the guardians in use. All are dismissed before the first is waited for.
    fn dismiss_all(&mut self) {
        for slot in &mut self.slots {
            slot.dismiss();
        }
        self.slots.clear();
    }
}

/// Returns whether a process could not be started for a reason that may pass.
fn misfired(end: &Finished) -> bool {
    const PASSING: [i32; 5] = [
        libc::EAGAIN,
        libc::ENOMEM,
        libc::EMFILE,
        libc::ENFILE,
        libc::ETXTBSY,
    ];
    end.job.misfires < MISFIRES
        && matches!(&end.ended.ending, protocol::Ending::NotStarted { errno, .. } if PASSING.contains(errno))
}

/// Puts a job back to the front of the queue, after a moment that grows.
fn retry(mut job: Job, work: &mut Work<'_>) {
    job.misfires += 1;
    std::thread::sleep(Duration::from_millis(5 << job.misfires));
    work.jobs.push_front(job);
}
