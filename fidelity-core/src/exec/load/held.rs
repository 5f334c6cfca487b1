//! A load generator as the tool holds it. It runs from [`Load::start`] until it is stopped or dropped.

use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::{ARGUMENT, LoadPlan, Word};
use crate::exec::sys;

/// How long it may take until every thread runs.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running load generator.
#[derive(Debug)]
pub(crate) struct Load {
    /// Never waited for but in [`Load::end`]: until then its number cannot belong to anyone else.
    process: Child,
    /// Hangs up when the process is gone.
    stdout: Option<ChildStdout>,
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
        let mut command = Command::new(helper);
        command
            .arg(ARGUMENT)
            .arg(std::process::id().to_string())
            .arg(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .current_dir("/")
            .env_clear();
        keep_library_paths(&mut command);
        let began = Instant::now();
        let mut process = command
            .spawn()
            .map_err(|error| format!("the load generator could not be started: {error}"))?;
        let mut load = Self {
            stdout: process.stdout.take(),
            process,
            began,
            ended: false,
        };
        match load.hear() {
            Word::Running => Ok(load),
            Word::Unable(reason) => Err(format!("the load generator could not begin: {reason}")),
        }
    }

    /// Returns what the process says about its beginning.
    fn hear(&mut self) -> Word {
        let silent = || Word::Unable("it does not answer".to_owned());
        let Some(stdout) = &mut self.stdout else {
            return silent();
        };
        let mut line = Vec::new();
        let mut chunk = [0_u8; 512];
        while line.last() != Some(&b'\n') {
            let rest = PATIENCE.saturating_sub(self.began.elapsed()).as_millis();
            let rest = u64::try_from(rest).unwrap_or(0);
            let ready = sys::wait_readable(&[stdout.as_fd()], Some(rest));
            if rest == 0 {
                return silent();
            }
            if !ready.is_ok_and(|ready| ready.contains(&true)) {
                continue;
            }
            match stdout.read(&mut chunk) {
                Ok(0) | Err(_) => return Word::Unable("it ended at once".to_owned()),
                Ok(length) => line.extend_from_slice(&chunk[..length]),
            }
        }
        serde_json::from_slice(&line).unwrap_or_else(|_| silent())
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
        let hung_up = |stdout: &ChildStdout| {
            sys::wait_readable(&[stdout.as_fd()], Some(0)).is_ok_and(|ready| ready.contains(&true))
        };
        !self.ended && self.stdout.as_ref().is_some_and(|stdout| !hung_up(stdout))
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

/// Leaves `command` what the executable itself may need to start at all.
fn keep_library_paths(command: &mut Command) {
    for name in [
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH",
    ] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}
