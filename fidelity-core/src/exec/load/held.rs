//! A load generator as the tool holds it. It runs from [`Load::start`] until it is stopped or dropped.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use super::{ARGUMENT, LoadPlan, Word};
use crate::exec::guardian::protocol::FrameReader;
use crate::exec::{reexec, sys};

/// How long it may take until every thread runs.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running load generator.
#[derive(Debug)]
pub(crate) struct Load {
    /// Never waited for but in [`Load::end`]: until then its number cannot belong to anyone else.
    process: Child,
    /// Breaks when the process is gone, and on its side when we are.
    stream: UnixStream,
    began: Instant,
    ended: bool,
}

/// How much of the CPUs was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Processor time in microseconds.
    pub(crate) cpu_us: u64,
    /// Within so much wall time, in microseconds.
    pub(crate) wall_us: u64,
}

impl Taken {
    /// Returns what was taken in percent of one CPU.
    pub(crate) fn percent(self) -> u64 {
        (self.cpu_us.saturating_mul(100) + self.wall_us / 2) / self.wall_us.max(1)
    }

    /// Returns what was taken between an earlier moment and this one.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            cpu_us: self.cpu_us.saturating_sub(earlier.cpu_us),
            wall_us: self.wall_us.saturating_sub(earlier.wall_us),
        }
    }
}

impl Load {
    /// Starts `helper` as a load generator. Every thread runs when this returns.
    ///
    /// The calling thread must outlive the load: the kernel ends the one with the other.
    ///
    /// # Errors
    /// Why there is no load, for people.
    pub(crate) fn start(helper: &Path, plan: &LoadPlan) -> Result<Self, String> {
        let words = serde_json::to_string(plan).map_err(|error| error.to_string())?;
        let own = std::process::id().to_string();
        let began = Instant::now();
        let arguments = [ARGUMENT.as_ref(), own.as_ref(), words.as_ref()];
        let (process, stream) = reexec::start(helper, &arguments)
            .map_err(|error| format!("the load generator could not be started: {error}"))?;
        let mut load = Self {
            process,
            stream,
            began,
            ended: false,
        };
        let said = load.hear();
        match said.unwrap_or_else(|error| Word::Unable(format!("it does not answer: {error}"))) {
            Word::Running => Ok(load),
            Word::Unable(reason) => Err(format!("the load generator could not begin: {reason}")),
        }
    }

    /// Returns what the process says about its beginning.
    fn hear(&mut self) -> io::Result<Word> {
        self.stream.set_read_timeout(Some(PATIENCE))?;
        match FrameReader::default().receive(&mut self.stream)? {
            Some((word, _)) => Ok(word),
            None => Ok(Word::Unable("it ended at once".to_owned())),
        }
    }

    /// Returns what was taken so far; none where the load has ended, or the system does not say.
    pub(crate) fn taken(&self) -> Option<Taken> {
        let pid = sys::Pid::try_from(self.process.id()).ok()?;
        let cpu_us = sys::process_time_us(pid)?;
        let wall_us = u64::try_from(self.began.elapsed().as_micros()).ok()?;
        Some(Taken { cpu_us, wall_us })
    }

    /// Returns whether it still runs. It ends before it is stopped only if somebody kills it.
    pub(crate) fn is_running(&self) -> bool {
        let ready = sys::wait_readable(&[self.stream.as_fd()], Some(0));
        !self.ended && !ready.is_ok_and(|ready| ready.contains(&true))
    }

    /// Ends the load. When this returns its process is gone.
    pub(crate) fn stop(mut self) -> Taken {
        self.end()
    }

    fn end(&mut self) -> Taken {
        let wall_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut cpu_us = 0;
        if !self.ended
            && let Ok(pid) = sys::Pid::try_from(self.process.id())
            && let Ok((_, used_us)) = sys::end_and_account(pid)
        {
            cpu_us = used_us;
        }
        self.ended = true;
        Taken { cpu_us, wall_us }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.end();
    }
}
