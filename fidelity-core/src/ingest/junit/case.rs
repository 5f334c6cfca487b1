//! What a report says: trials of cases, and a summary of the file.

use std::sync::Arc;
use std::time::Duration;

use super::Problem;
use crate::domain::{CapturedOutput, Outcome};

/// A `<testsuite>`, with the suites around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suite {
    /// Names from the outermost suite inwards, without `@stress-N`; empty where a suite has no name.
    pub path: Vec<Arc<str>>,
    /// N of a cargo-nextest suite `NAME@stress-N`: the suite ran as a whole N times before.
    pub stress: Option<u32>,
    /// Whether this is a setup script of cargo-nextest and no suite of tests. Its cases are never delivered.
    pub setup_script: bool,
    /// `timestamp` as written, of the suite or the nearest one around it. It may lack an offset.
    pub timestamp: Option<String>,
    /// `hostname`, likewise.
    pub hostname: Option<String>,
    /// `package`.
    pub package: Option<String>,
    /// `file` or `filepath`.
    pub file: Option<String>,
    /// Properties up to the case, in the order of the file.
    pub properties: Vec<(String, String)>,
}

impl Suite {
    /// Returns the suite's own name.
    pub fn name(&self) -> &str {
        self.path.last().map_or("", AsRef::as_ref)
    }
}

/// A text of which the middle may have been left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capped {
    /// Beginning and end.
    pub text: String,
    /// Bytes left out between them.
    pub omitted: u64,
}

/// How a report calls a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailureKind {
    /// `<failure>` and its relatives: a claim of the test did not hold.
    #[default]
    Failure,
    /// `<error>` and its relatives: something else went wrong.
    Error,
}

/// One `<failure>` or `<error>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseFailure {
    /// How the report calls it.
    pub kind: FailureKind,
    /// `type`: an exception's class, or a word of the tool.
    pub class: Option<String>,
    /// `message`.
    pub message: Option<Capped>,
    /// The text within, with that of a `<stackTrace>`.
    pub text: Capped,
    /// `file` and `line`, where given.
    pub place: Option<(String, Option<u64>)>,
}

/// One execution of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// What it came to. `Crashed` and `TimedOut` only where cargo-nextest says so.
    pub outcome: Outcome,
    /// How long it took, where the report says so and it can be.
    pub duration: Option<Duration>,
    /// `timestamp` as written.
    pub timestamp: Option<String>,
    /// What went wrong, in the order of the file.
    pub failures: Vec<CaseFailure>,
    /// Failures beyond [`super::Limits::texts`].
    pub more_failures: u64,
    /// `message` of a `<skipped>`.
    pub skipped_because: Option<String>,
    /// `<system-out>` and `<system-err>` of the case.
    pub output: CapturedOutput,
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            outcome: Outcome::Passed,
            duration: None,
            timestamp: None,
            failures: Vec::new(),
            more_failures: 0,
            skipped_because: None,
            output: CapturedOutput::default(),
        }
    }
}

/// One trial of a `<testcase>`, as the report names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The suite it stands in.
    pub suite: Arc<Suite>,
    /// `name`; empty where there is none.
    pub name: String,
    /// `classname` (or `class`), where there is one that is not empty.
    pub classname: Option<String>,
    /// `file`, where given.
    pub file: Option<String>,
    /// `line`, where given.
    pub line: Option<u64>,
    /// Properties of the case.
    pub properties: Vec<(String, String)>,
    /// The line of the report at which its `<testcase>` starts.
    pub at: u64,
    /// 0 for the first trial of this `<testcase>` element, counted in the order of time.
    pub attempt: u16,
    /// Trials of this element: 1 unless it was retried.
    pub attempts: u16,
    /// What this trial came to.
    pub trial: Trial,
}

/// What is known of a report after reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The report, as it was named.
    pub source: String,
    /// `name` of its `<testsuites>`.
    pub name: Option<String>,
    /// `timestamp` of its `<testsuites>` as written.
    pub timestamp: Option<String>,
    /// `<testsuite>` elements.
    pub suites: u64,
    /// `<testcase>` elements, those of setup scripts among them.
    pub elements: u64,
    /// `<testcase>` elements of setup scripts.
    pub scripts: u64,
    /// Trials delivered, skipped ones among them.
    pub trials: u64,
    /// Decoded bytes read.
    pub bytes: u64,
    /// Problems in the order of kind; of each kind the first, with the number of others.
    pub problems: Vec<Problem>,
}

impl Summary {
    /// Returns why no result of this report may be used; none where it was read to its end.
    pub fn broken(&self) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.kind.breaks())
    }
}
