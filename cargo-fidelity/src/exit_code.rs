//! The exit codes, which scripts rely on: a number is never given another meaning.

use std::fmt;
use std::process::Termination;

/// What the tool ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything was done, and no condition of the gate holds (or none was asked for).
    Passed = 0,
    /// A condition of `--fail-on` holds.
    GateFailed = 1,
    /// The command line or the configuration is wrong, or there are no tests to run.
    Usage = 2,
    /// The suite does not build, or a test binary does not list its tests.
    Build = 3,
    /// The environment of an arm could not be provided, or changed under the run.
    Environment = 4,
    /// Interrupted; what was observed is kept.
    Interrupted = 5,
    /// Some input could not be read; the rest was.
    PartialInput = 6,
    /// Attribution came to no conclusion.
    NoConclusion = 7,
    /// A bug of this tool, or a machine that fails it (no space, no memory).
    Internal = 70,
}

impl ExitCode {
    /// Every exit code, in the order of numbers.
    pub const ALL: [Self; 9] = [
        Self::Passed,
        Self::GateFailed,
        Self::Usage,
        Self::Build,
        Self::Environment,
        Self::Interrupted,
        Self::PartialInput,
        Self::NoConclusion,
        Self::Internal,
    ];

    /// Returns the number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns what the number means, as help pages say it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Passed => "gate passed",
            Self::GateFailed => "gate failed: a condition of --fail-on holds",
            Self::Usage => "usage or configuration error, or no tests",
            Self::Build => "the suite does not build or list",
            Self::Environment => "the environment could not be provided or changed under the run",
            Self::Interrupted => "interrupted, partial results kept",
            Self::PartialInput => "some input could not be read, the rest was",
            Self::NoConclusion => "attribution without a conclusion",
            Self::Internal => "internal error",
        }
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code(), self.meaning())
    }
}

impl Termination for ExitCode {
    fn report(self) -> std::process::ExitCode {
        self.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_documented_ones() {
        let numbers: Vec<u8> = ExitCode::ALL.map(ExitCode::code).into();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 70]);
        assert_eq!(
            ExitCode::Interrupted.to_string(),
            "5 (interrupted, partial results kept)"
        );
    }

    #[test]
    fn a_process_ends_with_the_number() {
        for code in ExitCode::ALL {
            assert_eq!(code.report(), std::process::ExitCode::from(code.code()));
        }
    }
}
