//! Doing: starting test processes under an arm's environment. The only module that starts trials.
//!
//! [`Runner`] is what the driver sees. [`direct`] implements it with a pool of [`guardian`] processes, which impose
//! the [`sandbox`] of an arm on each trial and clean up after it. What of a sandbox really arrived is said by the
//! [`canary`], a process that is started like a trial and reports what it sees.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::domain::{
    Environment, FidelityProfile, KnobId, KnobStatus, KnobValue, ListedTest, MachineLoad,
    Observation, PassEnd, PassSpec, Problem, TestIndex,
};
use crate::suite::Suite;

pub mod machine;
pub mod signature;

#[cfg(unix)]
pub mod canary;
pub(crate) mod capture;
#[cfg(unix)]
pub mod command;
#[cfg(unix)]
pub mod direct;
#[cfg(unix)]
mod group;
#[cfg(unix)]
pub mod guardian;
#[cfg(unix)]
mod libtest;
#[cfg(unix)]
pub mod load;
#[cfg(unix)]
mod meter;
#[cfg(unix)]
mod reexec;
#[cfg(unix)]
mod result_line;
#[cfg(unix)]
pub mod run_directory;
#[cfg(unix)]
pub mod sandbox;
#[cfg(unix)]
mod seccomp;
#[cfg(unix)]
mod secrets;
#[cfg(unix)]
pub mod stage;
#[cfg(unix)]
mod sys;

#[cfg(not(unix))]
mod elsewhere;
#[cfg(not(unix))]
pub mod elsewhere_command;
#[cfg(not(unix))]
pub use elsewhere::{canary, direct, guardian, load, stage};
#[cfg(not(unix))]
pub use elsewhere_command as command;

/// Something that can run passes.
pub trait Runner {
    /// Executes `tests` of the pass `spec` under `environment`.
    ///
    /// `tests` is what is left to do of `spec.tests` (all of it but for a resumed pass). Outcomes go to `seen` as they
    /// come, in small batches; the trial that takes a finished one's place starts only after `seen` has returned, so
    /// that at most as many trials as run at a time can be lost. `seen` answers `Break` to stop: trials in flight are
    /// then killed and not reported.
    ///
    /// # Errors
    /// Only where the tool itself cannot go on. A failing test is an observation, an environment that could not be
    /// provided is [`PassEnd::Discarded`].
    fn run_pass(
        &mut self,
        spec: &PassSpec,
        tests: &[TestIndex],
        environment: &Environment,
        seen: &mut dyn FnMut(Vec<Observation>) -> ControlFlow<()>,
    ) -> Result<PassEnd, ExecError>;

    /// Returns whether a pass over these tests would run the whole suite although they are a part of it, because there is
    /// no way to say which.
    fn runs_all_for(&self, _tests: &[TestIndex]) -> bool {
        false
    }

    /// Returns what other programs took of the machine during the pass that ended last; none where nobody can say.
    fn machine(&self) -> Option<MachineLoad> {
        None
    }
}

/// A runner that imposes the environments of two arms.
pub trait Arms: Runner {
    /// Finds out which knobs of both arms can be applied here; those that cannot are not imposed from now on.
    ///
    /// # Errors
    /// Where nothing can be run at all.
    fn apply(
        &mut self,
        baseline: &FidelityProfile,
        target: &FidelityProfile,
        production: &BTreeMap<KnobId, KnobValue>,
    ) -> Result<Vec<KnobStatus>, ExecError>;

    /// Returns `profile` without the values that could not be applied, as what a run draws from.
    fn narrowed(&self, profile: &FidelityProfile) -> FidelityProfile;

    /// Returns each value of `profile` that was taken from a choice, with the reason.
    fn taken_away(&self, profile: &FidelityProfile) -> Vec<(KnobId, KnobValue, String)>;

    /// Points every [`TestIndex`] into this list from now on.
    fn set_tests(&mut self, suite: &Suite, listed: &[ListedTest]);

    /// Returns what its passes gave reason to say, beside what was seen of tests.
    fn remarks(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Returns the end of what was printed where a pass did not count, if anything was.
    fn printed(&self) -> Option<&str> {
        None
    }
}

/// Why trials could not be run.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// A system call the runner needs failed.
    #[error("could not {action}")]
    System {
        /// What was being done, as an infinitive.
        action: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A guardian process ended although it was needed.
    #[error("a guardian process ended unexpectedly ({0})")]
    GuardianLost(String),
    /// What a pass ran in ended before the pass did: its trials are no evidence.
    #[error("the environment of the pass was lost ({0})")]
    EnvironmentLost(String),
    /// A test binary is not the one that was built.
    #[error("the test binary {path} changed during the run")]
    BinaryChanged {
        /// The binary.
        path: std::path::PathBuf,
    },
    /// A file of the code under test has another content than when the run began.
    #[error("the file {path} changed during the run")]
    SourceChanged {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The command of a suite cannot be used.
    #[error("{reason}")]
    CommandUnfit {
        /// Why not, as a sentence without full stop.
        reason: String,
    },
    /// What has to succeed before a suite is run fails without any knob.
    #[error("the check `{command}` fails as things are, without any knob: {reason}")]
    CheckFailed {
        /// What was run.
        command: String,
        /// How it ended.
        reason: String,
    },
    /// The user interrupted the run; trials in flight were killed and not reported.
    #[error("interrupted")]
    Interrupted,
    /// This system cannot run trials.
    #[error("running tests is not supported here: {0}")]
    NotSupported(String),
}

impl ExecError {
    /// Wraps the failure of a system call; `action` is an infinitive.
    #[cfg(unix)]
    pub(crate) fn system(action: impl Into<String>, source: std::io::Error) -> Self {
        Self::System {
            action: action.into(),
            source,
        }
    }
}
