//! What is started for a pass as a whole and is no test binary: the command of a suite, started like a trial, in the
//! environment of the pass.
//!
//! Must not know: what the command is, what it reports. Invariant: a process gets here what a trial gets, canary and all.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::beside::Beside;
use super::pool::Work;
use super::recipe::Recipe;
use super::slot::Job;
use super::{DirectRunner, trial};
use crate::domain::{CapturedOutput, Environment, KnobId, KnobValue, PassEnd};
use crate::exec::ExecError;
use crate::exec::guardian::protocol::Ending;
use crate::exec::sandbox::Sandbox;
use crate::exec::secrets::Mask;
use crate::exec::signature;

/// The recipe of the process.
const WHOLE: u32 = u32::MAX - 1;
/// The name of the directory for reports, in that of a pass.
const REPORTS: &str = "reports";

/// Characters of a line that are repeated.
const LINE: usize = 200;

/// A process to run.
pub(in crate::exec) struct Process<'a> {
    /// Program and arguments.
    pub(in crate::exec) command: &'a [OsString],
    /// Its environment, before the sandbox changes it.
    pub(in crate::exec) variables: &'a [(OsString, OsString)],
    /// Where it starts.
    pub(in crate::exec) directory: &'a Path,
    /// Its time limit in milliseconds.
    pub(in crate::exec) timeout_ms: u64,
    /// How long it may then take to end after it was interrupted, in milliseconds; 0 to kill it at once.
    pub(in crate::exec) grace_ms: u64,
    /// Seeds when it stands still, where it does.
    pub(in crate::exec) seed: u64,
    /// Values that must not be shown, beside those of the sandbox.
    pub(in crate::exec) secrets: &'a [String],
}

/// How it ended.
pub(in crate::exec) struct ProcessEnd {
    pub(in crate::exec) ending: Ending,
    /// Its time limit in milliseconds.
    pub(in crate::exec) timeout_ms: u64,
    /// Processes it left behind.
    pub(in crate::exec) leaked: u32,
    /// What it printed, secrets masked.
    pub(in crate::exec) output: CapturedOutput,
}

impl ProcessEnd {
    /// Says how it ended, as the rest of a sentence: with the last line it printed, where it ended by itself.
    pub(in crate::exec) fn in_words(&self) -> String {
        let words = match &self.ending {
            Ending::Exited(code) => format!("ended with exit status {code}"),
            Ending::Signalled(signal) => {
                format!("died of signal {signal}{}", signature::signal_name(*signal))
            }
            Ending::TimedOut => {
                return format!("did not end within {}", trial::duration(self.timeout_ms));
            }
            Ending::Lost(reason) => format!("was lost ({reason})"),
            Ending::Cancelled | Ending::NotStarted { .. } => trial::never_ran(&self.ending),
        };
        match self.last_line() {
            Some(line) => format!("{words} ({line})"),
            None => words,
        }
    }

    /// Returns the last line it printed: of errors, if there are any.
    fn last_line(&self) -> Option<String> {
        let last = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let line = text.lines().rfind(|line| !line.trim().is_empty());
            line.map(|line| line.trim().chars().take(LINE).collect::<String>())
        };
        last(&self.output.stderr).or_else(|| last(&self.output.stdout))
    }
}

/// The environment of a pass, provided.
pub(in crate::exec) struct Provided<'a> {
    pub(in crate::exec) sandbox: &'a Sandbox,
    /// The directory of the pass. Nothing in its path tells the arm.
    pub(in crate::exec) directory: &'a Path,
}

impl Provided<'_> {
    /// Returns the directory for reports, if the runner makes one.
    pub(in crate::exec) fn reports(&self) -> PathBuf {
        reports_in(self.directory)
    }
}

pub(super) fn reports_in(pass_directory: &Path) -> PathBuf {
    pass_directory.join(REPORTS)
}

/// What is done in the environment of a pass.
pub(in crate::exec) type Deed<'a> =
    dyn FnMut(&mut DirectRunner, &Provided<'_>) -> Result<PassEnd, ExecError> + 'a;

/// What a whole command asks of the runner that imposes environments on it.
pub(in crate::exec) struct Manners {
    /// Says why a value of a knob cannot be imposed on such a command, where it cannot.
    pub(in crate::exec) refuses: fn(&KnobId, &KnobValue) -> Option<String>,
    /// A command that has to succeed in an environment; empty for none.
    pub(in crate::exec) check: Vec<OsString>,
    /// Directories it may write to wherever other tests may not.
    pub(in crate::exec) writable: Vec<PathBuf>,
}

impl DirectRunner {
    /// From now on it is a whole command that runs in the environments.
    pub(in crate::exec) fn set_manners(&mut self, manners: Manners) {
        self.manners = Some(manners);
    }

    /// Provides `environment` for pass `number`, has `deed` done in it, and takes it away again.
    pub(in crate::exec) fn in_environment(
        &mut self,
        environment: &Environment,
        (number, seed): (u32, u64),
        deed: &mut Deed<'_>,
    ) -> Result<PassEnd, ExecError> {
        self.machine = None;
        let environment = self.imposed(environment);
        let (mut sandbox, directory) = match self.furnish(&environment, number)? {
            Ok(furnished) => furnished,
            Err(refusal) => {
                let reason = refusal.reason();
                return Ok(PassEnd::Discarded { reason });
            }
        };
        let beside = match Beside::set_up(self, &mut sandbox, (number, seed)) {
            Ok(beside) => beside,
            Err(reason) => {
                self.strike(&directory);
                return Ok(PassEnd::Discarded { reason });
            }
        };
        self.meter.note(self.pool.used_us());
        let provided = Provided {
            sandbox: &sandbox,
            directory: &directory,
        };
        let end = deed(self, &provided);
        let lasted = beside.take_down();
        self.machine = self.meter.read(self.pool.used_us());
        self.strike(&directory);
        match (end, lasted) {
            (Err(ExecError::EnvironmentLost(reason)), _)
            | (Ok(PassEnd::Completed), Err(reason)) => Ok(PassEnd::Discarded { reason }),
            (end, _) => end,
        }
    }

    /// Runs one process in `sandbox` to its end.
    pub(in crate::exec) fn run_process(
        &mut self,
        process: &Process<'_>,
        sandbox: &Sandbox,
    ) -> Result<ProcessEnd, ExecError> {
        let recipe = Recipe::new(
            process.command,
            process.variables,
            process.directory,
            sandbox,
        );
        let job = Job {
            tag: 0,
            recipe: WHOLE,
            arguments: Vec::new(),
            timeout_ms: process.timeout_ms,
            grace_ms: process.grace_ms,
            keep_output: true,
            together: None,
            seed: process.seed,
            misfires: 0,
        };
        let work = Work {
            recipes: &[(WHOLE, recipe)].into(),
            jobs: [job].into(),
            width: 1,
            before: &|_| Ok(()),
        };
        let mut end = None;
        let _flow = self.pool.run(work, &mut |mut finished| {
            end = finished.pop();
            ControlFlow::Continue(())
        })?;
        let Some(end) = end else {
            return Err(ExecError::GuardianLost("it reported no end".to_owned()));
        };
        let secrets = sandbox.secrets.iter().chain(process.secrets).cloned();
        let mask = Mask::new(secrets);
        Ok(ProcessEnd {
            output: trial::captured(&mask, &end.ended, end.output),
            ending: end.ended.ending,
            timeout_ms: process.timeout_ms,
            leaked: end.ended.leaked,
        })
    }
}
