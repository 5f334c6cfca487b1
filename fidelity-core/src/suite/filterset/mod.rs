//! Filterset expressions (`-E`): a subset of cargo-nextest's language, with its meaning.
//!
//! | written | means |
//! |---|---|
//! | `all()`, `none()` | every test, no test |
//! | `test(M)` | the name of the test; a bare word is contained in it |
//! | `package(M)` | the name of its package; a bare word is a glob |
//! | `binary(M)` | the name of its target; a bare word is a glob |
//! | `binary_id(M)` | the name of its binary, `crate::bin/name`; a bare word is a glob |
//! | `kind(M)` | `lib`, `bin`, `test`, `example`, `bench`, `proc-macro`, `command` where one runs the tests, or what the test covers: `unit`, `integration`, `e2e`; a bare word is the whole kind |
//! | `needs(M)`, `mocks(M)`, `real(M)` | what its authors say it needs, mocks, uses as it is; a bare word is a glob |
//! | `profiles(M)`, also `profile(M)` | a fidelity profile outside of which it means nothing; a bare word is a glob |
//! | `severity(M)` | `low`, `medium`, `high`, `critical` as its authors or the configuration say; a bare word is the whole word |
//! | `quarantined()` | it is put in quarantine, over or not |
//! | `verdict(M)` | the verdict on it of the run that is asked, else the last one in the store; `none` without one; a bare word is the whole verdict |
//! | `M` | `=exact`, `~contained`, `/regex/`, `#glob` or a bare word; `\)` `\,` `\\` `\/` `\n` `\r` `\t` `\u{..}` are escapes |
//! | `not X`, `!X` | binds tightest |
//! | `X and Y`, `X & Y`, `X - Y` | both; the first without the second |
//! | `X or Y`, `X \| Y`, `X + Y` | binds loosest |
//!
//! `deps`, `rdeps`, `platform`, `default` and `group` are refused by name. Classes like `\w` in a regex are ASCII.
//! An expression of any length and nesting gives a value or an error, never a panic.

use std::fmt;
use std::str::FromStr;

use super::Suite;
use crate::domain::{Annotation, BinaryFacts, TestId, TestKind, VerdictKind};

mod error;
mod glob;
mod known;
mod matcher;
mod parse;
mod stored;

pub use error::{FiltersetError, FiltersetReason};
pub use stored::{admitted, check_ingested};

use matcher::Matcher;

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct Filterset {
    text: String,
    expression: Expression,
}

#[derive(Clone, Debug)]
enum Expression {
    All,
    None,
    Term(Term),
    Quarantined(Span),
    Not(Box<Expression>),
    /// Long chains are lists, so that only nesting makes the tree deep.
    And(Vec<Expression>),
    Or(Vec<Expression>),
}

/// `test(...)` and its like.
#[derive(Clone, Debug)]
struct Term {
    subject: Subject,
    matcher: Matcher,
    span: Span,
}

/// What a term looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Test,
    Package,
    Binary,
    BinaryId,
    Kind,
    Needs,
    Mocks,
    Real,
    Profile,
    Severity,
    Verdict,
}

/// A test that an expression is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The test.
    pub id: &'a TestId,
    /// What is known of its binary; none where nothing is.
    pub binary: Option<&'a BinaryFacts>,
    /// What is said of it.
    pub annotation: Option<&'a Annotation>,
    /// The last verdict on it; none where there is none.
    pub verdict: Option<VerdictKind>,
}

/// A range of bytes of the expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
}

impl Subject {
    /// Returns the name of the set.
    fn word(self) -> &'static str {
        let mut sets = parse::SETS.iter();
        let set = sets.find(|(_, subject, _)| *subject == self);
        set.map_or("", |(word, ..)| word)
    }

    /// Returns whether it looks at the binary of a test, beyond its name.
    fn is_of_binary(self) -> bool {
        matches!(self, Self::Package | Self::Binary | Self::Kind)
    }

    /// Returns whether it looks at what is said of a test.
    fn is_said(self) -> bool {
        matches!(
            self,
            Self::Needs | Self::Mocks | Self::Real | Self::Profile | Self::Severity
        )
    }
}

impl Term {
    fn holds(&self, candidate: &Candidate<'_>) -> bool {
        let Candidate {
            id,
            binary,
            annotation: said,
            verdict,
        } = *candidate;
        let any = |names: Option<&Vec<String>>| {
            let mut names = names.into_iter().flatten();
            names.any(|name| self.matcher.matches(name))
        };
        let is = |name: Option<&String>| name.is_some_and(|name| self.matcher.matches(name));
        match self.subject {
            Subject::Test => self.matcher.matches(&id.test),
            Subject::BinaryId => self.matcher.matches(&id.binary.0),
            Subject::Package => is(binary.map(|binary| &binary.package)),
            Subject::Binary => is(binary.map(|binary| &binary.target)),
            Subject::Kind => {
                let covers = TestKind::of(said, binary.map(|binary| binary.kind.as_str())).0;
                is(binary.map(|binary| &binary.kind))
                    || covers.is_some_and(|kind| self.matcher.matches(kind.as_str()))
            }
            Subject::Needs => any(said.map(|said| &said.needs)),
            Subject::Mocks => any(said.map(|said| &said.mocks)),
            Subject::Real => any(said.map(|said| &said.real)),
            Subject::Profile => any(said.map(|said| &said.profiles)),
            Subject::Severity => said
                .and_then(|said| said.severity)
                .is_some_and(|severity| self.matcher.matches(severity.as_str())),
            Subject::Verdict => self
                .matcher
                .matches(verdict.map_or("none", VerdictKind::as_str)),
        }
    }
}

impl Filterset {
    /// Returns whether the expression holds for a test.
    pub fn admits(&self, candidate: &Candidate<'_>) -> bool {
        self.expression.holds(candidate)
    }

    /// Returns whether the expression asks for verdicts, so that a store has to be read for it.
    pub fn asks_for_verdicts(&self) -> bool {
        let terms = self.terms();
        terms.iter().any(|term| term.subject == Subject::Verdict)
    }

    /// Checks that every package, binary and binary id the expression speaks of exists in the suite: a typing error
    /// under a `not` would otherwise select everything.
    ///
    /// # Errors
    /// [`FiltersetReason::MatchesNothing`] for the first that does not.
    pub fn check(&self, suite: &Suite) -> Result<(), FiltersetError> {
        let binaries: Vec<BinaryFacts> = suite.binaries.iter().map(Into::into).collect();
        self.check_names(&binaries)
    }

    /// Checks the same of `binaries`.
    fn check_names(&self, binaries: &[BinaryFacts]) -> Result<(), FiltersetError> {
        for term in self.terms() {
            let (what, name): (_, fn(&BinaryFacts) -> &str) = match term.subject {
                Subject::Package => ("package", |binary| &binary.package),
                Subject::Binary => ("binary", |binary| &binary.target),
                Subject::BinaryId => ("binary id", |binary| &binary.id.0),
                // Tests come and go with features and platforms, and kinds are known beforehand.
                _ => continue,
            };
            let names = || binaries.iter().map(name);
            if !names().any(|name| term.matcher.matches(name)) {
                let nearest = nearest(term.matcher.text(), names());
                return Err(
                    self.error(term.span, FiltersetReason::MatchesNothing { what, nearest })
                );
            }
        }
        Ok(())
    }

    /// Checks that a configuration can ask for it: what it says of a test must not follow from what it says of it, nor
    /// from what runs came to.
    ///
    /// # Errors
    /// [`FiltersetReason::NotHere`].
    pub fn check_configured(&self) -> Result<(), FiltersetError> {
        for term in self.terms() {
            let why = match term.subject {
                Subject::Severity => "that is what is said with it",
                Subject::Verdict => "verdicts come and go, and a configuration stays",
                _ => continue,
            };
            let set = term.subject.word();
            return Err(self.error(term.span, FiltersetReason::NotHere { set, why }));
        }
        Ok(())
    }

    fn terms(&self) -> Vec<&Term> {
        let mut terms = Vec::new();
        self.expression.terms(&mut terms);
        terms
    }

    fn error(&self, span: Span, reason: FiltersetReason) -> FiltersetError {
        FiltersetError::new(&self.text, span, reason)
    }
}

impl Expression {
    fn holds(&self, candidate: &Candidate<'_>) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Term(term) => term.holds(candidate),
            Self::Quarantined(_) => {
                let said = candidate.annotation;
                said.is_some_and(|said| said.quarantine.is_some())
            }
            Self::Not(inner) => !inner.holds(candidate),
            Self::And(parts) => parts.iter().all(|part| part.holds(candidate)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(candidate)),
        }
    }

    fn terms<'a>(&'a self, found: &mut Vec<&'a Term>) {
        match self {
            Self::All | Self::None | Self::Quarantined(_) => {}
            Self::Term(term) => found.push(term),
            Self::Not(inner) => inner.terms(found),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.terms(found)),
        }
    }
}

impl PartialEq for Filterset {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl FromStr for Filterset {
    type Err = FiltersetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self {
            text: text.to_owned(),
            expression: parse::parse(text)?,
        })
    }
}

impl fmt::Display for Filterset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns the candidate that is likely meant by `word`.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let longest = word.chars().count().max(3);
    candidates
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&word.to_lowercase(), candidate),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance * 3 <= longest)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests;
