//! The fidelity history: which commits changed the *effective* value of which knob.
//!
//! What is compared are the values a fidelity profile comes to, not its text: a value that is inherited, that a preset or
//! a default gives, or that moved to another file is the same value. Commits are taken along first parents. A merge that
//! changed a value is entered, and the commit it brought in is named.
//!
//! [`changes`] is a function of values. [`Repository`] reads them: commits, files, globs of `inputs`, the work tree.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::domain::{Arm, KnobId, KnobSetting};

pub use crate::domain::{CommitId, CommitInfo};

mod change;
mod error;
mod file;
mod glob;
mod inputs;
mod line;
mod repository;
mod since;
#[cfg(test)]
mod tests;
mod uncommitted;

pub use change::{Change, changes};
pub use error::HistoryError;
pub use repository::{End, FidelityChange, FidelityHistory, FileFrom, Repository, Subject};
pub use since::{Asked, baseline_set_by, set_by};

/// Returns whether `glob`, as `inputs` have it, matches a path whose parts are separated by `/`.
pub(crate) fn glob_matches(glob: &str, path: &str) -> bool {
    glob::Glob::new(glob).matches(path)
}

/// A place in history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// A commit.
    Commit(CommitId),
    /// The work tree: what is not committed yet.
    Uncommitted,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(id) => f.write_str(id.short()),
            Self::Uncommitted => f.write_str("uncommitted"),
        }
    }
}

/// The effective values of both arms, the content of their inputs among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values([BTreeMap<KnobId, KnobSetting>; 2]);

impl Values {
    /// Returns the values of the baseline and of the target.
    pub fn new(
        baseline: BTreeMap<KnobId, KnobSetting>,
        target: BTreeMap<KnobId, KnobSetting>,
    ) -> Self {
        Self([baseline, target])
    }

    /// Returns the values of an arm.
    pub fn of(&self, arm: Arm) -> &BTreeMap<KnobId, KnobSetting> {
        let [baseline, target] = &self.0;
        match arm {
            Arm::Baseline => baseline,
            Arm::Target => target,
        }
    }
}

/// What the configuration at a point of history came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// These values.
    Known(Rc<Values>),
    /// It cannot be told: the file is no TOML, or asks for what this version of the tool does not know.
    Unreadable(Rc<str>),
}

/// A point of a line of history: a commit, and what its configuration came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Where.
    pub at: At,
    /// How many further parents it merges.
    pub merges: usize,
    /// Whether there is a configuration file; else the built-in fidelity profiles hold.
    pub has_file: bool,
    /// What its configuration came to.
    pub state: State,
}

impl Point {
    /// Returns whether it is known what the configuration came to.
    pub fn is_readable(&self) -> bool {
        matches!(self.state, State::Known(_))
    }

    /// Returns the commit; none for the work tree.
    pub fn commit(&self) -> Option<&CommitId> {
        match &self.at {
            At::Commit(id) => Some(id),
            At::Uncommitted => None,
        }
    }
}

/// A line of history along first parents, the oldest point first.
pub type Line = Vec<Point>;
