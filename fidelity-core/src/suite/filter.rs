//! Which tests are selected: by names, by filterset expressions, by `#[ignore]`. Touches nothing but values.

use std::str::FromStr;

use super::filterset::{Candidate, Filterset};
use super::{Suite, SuiteError, SuiteTest};
use crate::domain::{BinaryFacts, TestId, VerdictKind};
use std::collections::BTreeMap;

/// Which tests the user asked for. The default is all of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Parts of names; a test is wanted if any occurs in its name, or if there are none.
    pub names: Vec<String>,
    /// Whether `names` are whole names, and `skip` too.
    pub exact: bool,
    /// Parts of names that are not wanted.
    pub skip: Vec<String>,
    /// Expressions; a test is wanted if any admits it, or if there are none.
    pub expressions: Vec<Filterset>,
    /// The last verdict on each test, where an expression asks for it.
    pub verdicts: BTreeMap<TestId, VerdictKind>,
}

impl Filter {
    /// Returns whether a test is wanted: by its name, and by the expressions. `#[ignore]` is not looked at.
    pub fn admits(&self, candidate: &Candidate<'_>) -> bool {
        let test = candidate.id.test.as_str();
        let hits = |pattern: &String| {
            if self.exact {
                test == pattern
            } else {
                test.contains(pattern.as_str())
            }
        };
        (self.names.is_empty() || self.names.iter().any(hits))
            && !self.skip.iter().any(hits)
            && (self.expressions.is_empty()
                || self
                    .expressions
                    .iter()
                    .any(|wanted| wanted.admits(candidate)))
    }

    /// Returns the positions in [`Suite::tests`] of the tests that are wanted and that `run_ignored` lets through.
    ///
    /// # Errors
    /// [`SuiteError::NothingSelected`] where that leaves none; [`SuiteError::Filterset`] where an expression speaks of
    /// a package or binary that does not exist.
    pub fn select(&self, suite: &Suite, run_ignored: RunIgnored) -> Result<Vec<usize>, SuiteError> {
        for expression in &self.expressions {
            expression.check(suite)?;
        }
        let binaries: Vec<BinaryFacts> = suite.binaries.iter().map(Into::into).collect();
        let wanted = |test: &SuiteTest| {
            run_ignored.admits(test.is_ignored())
                && self.admits(&Candidate {
                    id: &test.id,
                    binary: binaries.get(test.binary),
                    annotation: test.annotation.as_deref(),
                    verdict: self.verdicts.get(&test.id).copied(),
                })
        };
        let selected: Vec<usize> = (0..suite.tests.len())
            .filter(|position| wanted(&suite.tests[*position]))
            .collect();
        if selected.is_empty() {
            return Err(SuiteError::NothingSelected {
                available: suite.tests.len(),
            });
        }
        Ok(selected)
    }
}

/// What to do with tests marked `#[ignore]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunIgnored {
    /// They are left out.
    #[default]
    Default,
    /// Only they are run.
    Only,
    /// They are run like the others.
    All,
}

impl RunIgnored {
    /// Returns whether a test with this mark is run.
    pub fn admits(self, ignored: bool) -> bool {
        match self {
            Self::Default => !ignored,
            Self::Only => ignored,
            Self::All => true,
        }
    }

    /// Returns the spelling of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Only => "only",
            Self::All => "all",
        }
    }
}

/// A text that is none of `default`, `only`, `all`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is none of `default`, `only`, `all`")]
pub struct ParseRunIgnoredError(String);

impl FromStr for RunIgnored {
    type Err = ParseRunIgnoredError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Default, Self::Only, Self::All]
            .into_iter()
            .find(|value| value.as_str() == text)
            .ok_or_else(|| ParseRunIgnoredError(text.to_owned()))
    }
}
