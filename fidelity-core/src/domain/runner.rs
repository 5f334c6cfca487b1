//! How the tests of a suite are run: the settings of `[runner]` as they were meant.

use serde::{Deserialize, Serialize};

/// How tests are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunnerKind {
    /// What fits the project: its command, if it names one, cargo-nextest where it is set up and installed, else `Direct`.
    #[default]
    Auto,
    /// Test binaries are started by the tool itself.
    Direct,
    /// cargo-nextest runs each pass.
    Nextest,
    /// A command that writes JUnit runs each pass.
    Command,
}

impl RunnerKind {
    /// Returns the knobs that it decides by itself, so that no arm can.
    pub fn decides(self) -> &'static [&'static str] {
        match self {
            Self::Auto | Self::Direct => &[],
            Self::Nextest => &["order", "process", "stdin", "tty", "pauses"],
            Self::Command => &["order", "threads", "process"],
        }
    }

    /// Every kind, in the order of documents.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Direct, Self::Nextest, Self::Command];

    /// Returns the word for it in `fidelity.toml`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Direct => "direct",
            Self::Nextest => "nextest",
            Self::Command => "command",
        }
    }
}

/// How a command is told which tests to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Select {
    /// As a tool wants it that this one knows.
    Tool(SelectingTool),
    /// Arguments in which `{test}` and `{tests}` stand for names.
    Arguments {
        /// The arguments.
        arguments: Vec<String>,
        /// What stands between the names of `{tests}`.
        join: String,
    },
}

/// A tool whose way to select tests is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectingTool {
    /// Node ids: `tests/test_a.py::TestB::test_c[1]`.
    Pytest,
    /// `-run ^(TestA|TestB)$`, subtests by the test they belong to.
    Go,
    /// `-Dtest=com.example.A#a+b,com.example.B#c`.
    Maven,
    /// `-t ^(a|b)$`.
    Jest,
    /// `--test-name-pattern=/^a$/` for each.
    Node,
}

impl SelectingTool {
    /// Every tool, in the order of documents.
    pub const ALL: [Self; 5] = [Self::Pytest, Self::Go, Self::Maven, Self::Jest, Self::Node];

    /// Returns the word for it in `fidelity.toml`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pytest => "pytest",
            Self::Go => "go",
            Self::Maven => "maven",
            Self::Jest => "jest",
            Self::Node => "node",
        }
    }
}

/// The settings of `[runner]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunnerSettings {
    /// How tests are run.
    pub kind: RunnerKind,
    /// Program and arguments. `{dir}`, `{port}`, `{select}` and `{env:NAME}` are filled in for each pass.
    pub command: Vec<String>,
    /// Where its reports are: patterns, from `directory`; `{dir}` is the directory of the pass.
    pub junit: Vec<String>,
    /// Where it runs, from the directory of the configuration.
    pub directory: Option<String>,
    /// How it is told which tests to run; without that it runs all of them each time.
    pub select: Option<Select>,
    /// How long a pass may take, in milliseconds; none for the usual time.
    pub timeout_ms: Option<u64>,
    /// A command that has to succeed under an arm before the arm counts.
    pub check: Vec<String>,
    /// The files that stand for the code under test: patterns, from the directory of the configuration.
    pub inputs: Vec<String>,
    /// The profile of cargo-nextest; none for its default.
    pub profile: Option<String>,
    /// Rules for names of tests in its reports that do not hold.
    pub keep_names: Vec<String>,
}
