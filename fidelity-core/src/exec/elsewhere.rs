//! The direct runner on systems without Unix processes: it answers that it is not supported.

/// See the Unix version.
pub mod guardian {
    use std::process::ExitCode;

    /// The first argument that makes the executable a guardian.
    pub const ARGUMENT: &str = "__guardian";

    /// Ends at once: nothing starts a guardian here.
    pub fn main() -> ExitCode {
        ExitCode::FAILURE
    }
}

/// See the Unix version.
pub mod canary {
    use std::process::ExitCode;

    /// The first argument that makes the executable a canary.
    pub const ARGUMENT: &str = "__canary";

    /// Ends at once: nothing starts a canary here.
    pub fn main() -> ExitCode {
        ExitCode::FAILURE
    }
}

/// See the Unix version.
pub mod stage {
    use std::process::ExitCode;

    /// The first argument that makes the executable the keeper of a stage.
    pub const ARGUMENT: &str = "__stage";

    /// Ends at once: nothing starts a keeper here.
    pub fn main() -> ExitCode {
        ExitCode::FAILURE
    }
}

/// See the Unix version.
pub mod load {
    use std::process::ExitCode;

    /// The first argument that makes the executable a load generator.
    pub const ARGUMENT: &str = "__load";

    /// Ends at once: nothing starts a load generator here.
    pub fn main() -> ExitCode {
        ExitCode::FAILURE
    }
}

/// See the Unix version.
pub mod direct {
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::ops::ControlFlow;
    use std::path::PathBuf;

    use crate::domain::{
        Environment, FidelityProfile, KnobId, KnobSetting, KnobStatus, KnobValue, ListedTest,
        Observation, PassEnd, PassSpec, TestIndex, Tried,
    };
    use crate::exec::{Arms, ExecError, Runner};
    use crate::suite::Suite;

    /// How trials are run.
    #[derive(Debug)]
    pub struct RunnerOptions {
        /// The executable that becomes guardian and canary.
        pub helper: PathBuf,
        /// Trials at a time.
        pub slots: usize,
        /// Time limit of a trial in milliseconds.
        pub timeout_ms: u64,
        /// Arguments for every test, after the name.
        pub arguments: Vec<OsString>,
        /// Where the run directory is made.
        pub parent: Option<PathBuf>,
    }

    impl RunnerOptions {
        /// Returns the executable of this very process.
        pub fn this_executable() -> PathBuf {
            std::env::current_exe().unwrap_or_default()
        }
    }

    /// Runs test binaries directly; not here.
    #[derive(Debug)]
    pub struct DirectRunner {
        _private: (),
    }

    fn not_supported() -> ExecError {
        ExecError::NotSupported("the direct runner needs Unix processes".to_owned())
    }

    impl DirectRunner {
        /// Answers that it is not supported.
        ///
        /// # Errors
        /// Always.
        pub fn new(
            _suite: &Suite,
            _listed: &[ListedTest],
            _options: RunnerOptions,
        ) -> Result<Self, ExecError> {
            Err(not_supported())
        }

        /// Changes nothing: there are no trials that could look.
        pub fn set_checkout(&mut self, _directories: Vec<PathBuf>) {}

        /// Changes nothing: there are no trials.
        pub fn set_tests(&mut self, _suite: &Suite, _listed: &[ListedTest]) {}

        /// Returns `environment` as it is.
        pub fn imposed(&self, environment: &Environment) -> Environment {
            environment.clone()
        }

        /// Returns `profile` as it is.
        pub fn narrowed(&self, profile: &FidelityProfile) -> FidelityProfile {
            profile.clone()
        }

        /// Returns nothing: no choice was tried.
        pub fn taken_away(&self, _profile: &FidelityProfile) -> Vec<(KnobId, KnobValue, String)> {
            Vec::new()
        }

        /// Answers that it is not supported.
        ///
        /// # Errors
        /// Always.
        pub fn apply(
            &mut self,
            _baseline: &FidelityProfile,
            _target: &FidelityProfile,
            _production: &BTreeMap<KnobId, KnobValue>,
        ) -> Result<Vec<KnobStatus>, ExecError> {
            Err(not_supported())
        }
    }

    /// A runner without tests, that tries settings; not here.
    #[derive(Debug)]
    pub struct Trier {
        _private: (),
    }

    impl Trier {
        /// Answers that it is not supported.
        ///
        /// # Errors
        /// Always.
        pub fn new(_helper: PathBuf) -> Result<Self, ExecError> {
            Err(not_supported())
        }

        /// Answers that it is not supported.
        ///
        /// # Errors
        /// Always.
        pub fn alone(
            &mut self,
            _knob: &KnobId,
            _setting: &KnobSetting,
        ) -> Result<Vec<Tried>, ExecError> {
            Err(not_supported())
        }

        /// Answers that it is not supported.
        ///
        /// # Errors
        /// Always.
        pub fn here(&mut self) -> Result<BTreeMap<KnobId, KnobValue>, ExecError> {
            Err(not_supported())
        }

        /// Answers that it is not supported.
        ///
        /// # Errors
        /// Always.
        pub fn together(&mut self, _profile: &FidelityProfile) -> Result<Vec<Tried>, ExecError> {
            Err(not_supported())
        }
    }

    impl Arms for DirectRunner {
        fn apply(
            &mut self,
            _baseline: &FidelityProfile,
            _target: &FidelityProfile,
            _production: &BTreeMap<KnobId, KnobValue>,
        ) -> Result<Vec<KnobStatus>, ExecError> {
            Err(not_supported())
        }

        fn narrowed(&self, profile: &FidelityProfile) -> FidelityProfile {
            profile.clone()
        }

        fn taken_away(&self, _profile: &FidelityProfile) -> Vec<(KnobId, KnobValue, String)> {
            Vec::new()
        }

        fn set_tests(&mut self, _suite: &Suite, _listed: &[ListedTest]) {}
    }

    impl Runner for DirectRunner {
        fn run_pass(
            &mut self,
            _spec: &PassSpec,
            _tests: &[TestIndex],
            _environment: &Environment,
            _seen: &mut dyn FnMut(Vec<Observation>) -> ControlFlow<()>,
        ) -> Result<PassEnd, ExecError> {
            Err(not_supported())
        }
    }
}
