//! Filterset expressions (`-E`): a subset of cargo-nextest's language, with its meaning.
//!
//! | written | means |
//! |---|---|
//! | `all()`, `none()` | every test, no test |
//! | `test(M)` | the name of the test; a bare word is contained in it |
//! | `package(M)` | the name of its package; a bare word is a glob |
//! | `binary(M)` | the name of its target; a bare word is a glob |
//! | `binary_id(M)` | the name of its binary, `crate::bin/name`; a bare word is a glob |
//! | `kind(M)` | `lib`, `bin`, `test`, `example`, `bench`, `proc-macro`, or what the test covers: `unit`, `integration`, `e2e`; a bare word is the whole kind |
//! | `needs(M)`, `mocks(M)`, `real(M)` | what its authors say it needs, mocks, uses as it is; a bare word is a glob |
//! | `profile(M)` | a fidelity profile outside of which it means nothing; a bare word is a glob |
//! | `severity(M)` | `low`, `medium`, `high`, `critical` as its authors say; a bare word is the whole word |
//! | `quarantined()` | it is put in quarantine, over or not |
//! | `verdict(M)` | the last verdict on it in the store, `none` without one; a bare word is the whole verdict |
//! | `M` | `=exact`, `~contained`, `/regex/`, `#glob` or a bare word; `\)` `\,` `\\` `\/` `\n` `\r` `\t` `\u{..}` are escapes |
//! | `not X`, `!X` | binds tightest |
//! | `X and Y`, `X & Y`, `X - Y` | both; the first without the second |
//! | `X or Y`, `X \| Y`, `X + Y` | binds loosest |
//!
//! `deps`, `rdeps`, `platform`, `default` and `group` are refused by name. Classes like `\w` in a regex are ASCII.
//! An expression of any length and nesting gives a value or an error, never a panic.

use std::fmt;
use std::str::FromStr;

use unicode_width::UnicodeWidthChar;

use super::{Suite, SuiteTest, TestBinary};
use crate::domain::VerdictKind;

mod glob;
mod known;
mod matcher;
mod parse;

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
    Quarantined,
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
    /// Its binary.
    pub binary: &'a TestBinary,
    /// The test, with what its authors say.
    pub test: &'a SuiteTest,
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
    fn of<'a>(self, binary: &'a TestBinary, test: &'a str) -> &'a str {
        match self {
            Self::Test => test,
            Self::Package => &binary.package,
            Self::Binary => &binary.target,
            Self::BinaryId => &binary.id.0,
            Self::Kind => &binary.kind,
            Self::Needs
            | Self::Mocks
            | Self::Real
            | Self::Profile
            | Self::Severity
            | Self::Verdict => "",
        }
    }
}

impl Term {
    fn holds(&self, candidate: &Candidate<'_>) -> bool {
        let Candidate {
            binary,
            test,
            verdict,
        } = *candidate;
        let said = test.annotation.as_deref();
        let any = |names: Option<&Vec<String>>| {
            let mut names = names.into_iter().flatten();
            names.any(|name| self.matcher.matches(name))
        };
        match self.subject {
            Subject::Kind => {
                self.matcher.matches(&binary.kind)
                    || self.matcher.matches(test.kind(binary).0.as_str())
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
            Subject::Test | Subject::Package | Subject::Binary | Subject::BinaryId => {
                self.matcher.matches(self.subject.of(binary, &test.id.test))
            }
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
        let mut terms = Vec::new();
        self.expression.terms(&mut terms);
        terms.iter().any(|term| term.subject == Subject::Verdict)
    }

    /// Checks that every package, binary and binary id the expression speaks of exists in the suite: a typing error
    /// under a `not` would otherwise select everything.
    ///
    /// # Errors
    /// [`FiltersetReason::MatchesNothing`] for the first that does not.
    pub fn check(&self, suite: &Suite) -> Result<(), FiltersetError> {
        let mut terms = Vec::new();
        self.expression.terms(&mut terms);
        for term in terms {
            let what = match term.subject {
                Subject::Package => "package",
                Subject::Binary => "binary",
                Subject::BinaryId => "binary id",
                // Tests come and go with features and platforms, and kinds are known beforehand.
                _ => continue,
            };
            let names = || {
                suite
                    .binaries
                    .iter()
                    .map(|binary| term.subject.of(binary, ""))
            };
            if !names().any(|name| term.matcher.matches(name)) {
                let nearest = nearest(term.matcher.text(), names());
                return Err(
                    self.error(term.span, FiltersetReason::MatchesNothing { what, nearest })
                );
            }
        }
        Ok(())
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
            Self::Quarantined => {
                let said = candidate.test.annotation.as_ref();
                said.is_some_and(|said| said.quarantine.is_some())
            }
            Self::Not(inner) => !inner.holds(candidate),
            Self::And(parts) => parts.iter().all(|part| part.holds(candidate)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(candidate)),
        }
    }

    fn terms<'a>(&'a self, found: &mut Vec<&'a Term>) {
        match self {
            Self::All | Self::None | Self::Quarantined => {}
            Self::Term(term) => found.push(term),
            Self::Not(inner) => inner.terms(found),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.terms(found)),
        }
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

/// An expression that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, at column {} of `{}`", .column + 1, .expression.escape_debug())]
pub struct FiltersetError {
    /// The expression as it was given.
    pub expression: String,
    /// Where the mistake starts, in terminal columns from 0.
    pub column: usize,
    /// How wide it is, at least 1.
    pub width: usize,
    /// What is wrong.
    pub reason: FiltersetReason,
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FiltersetReason {
    /// Something like `test(...)` has to stand here.
    #[error("expected an expression like `test(name)`")]
    ExpectedExpression,
    /// There is no such set.
    #[error("unknown set `{name}`{}", meant(.nearest))]
    UnknownSet {
        /// As written.
        name: String,
        /// The known one it looks like.
        nearest: Option<String>,
    },
    /// A set that cargo-nextest has.
    #[error(
        "`{name}()` is not supported; `test`, `package`, `binary`, `binary_id`, `kind`, `needs`, `mocks`, `real`, `profile`, `severity`, `quarantined` and `verdict` are"
    )]
    NotSupported {
        /// As written.
        name: String,
    },
    /// A parenthesis is missing.
    #[error("expected `{0}`")]
    Expected(char),
    /// Two expressions have to be joined by an operator.
    #[error("expected `and`, `or` or `-`{}", meant(.nearest))]
    ExpectedOperator {
        /// The operator that was likely meant.
        nearest: Option<String>,
    },
    /// `all()`, `none()` and `quarantined()` take nothing.
    #[error("`{name}()` takes no argument")]
    UnexpectedArgument {
        /// The set.
        name: String,
    },
    /// There is nothing to match with.
    #[error("expected a name, `=name`, `~part`, `/regex/` or `#glob`")]
    EmptyMatcher,
    /// A comma has to be escaped.
    #[error("only one argument is taken here; a comma in a name is written `\\,`")]
    UnexpectedComma,
    /// A backslash before something else than the known letters.
    #[error("unknown escape; known are `\\\\ \\/ \\) \\, \\n \\r \\t \\u{{..}}`")]
    InvalidEscape,
    /// A regular expression is wrong.
    #[error("invalid regular expression: {0}")]
    InvalidRegex(String),
    /// A glob is wrong.
    #[error("invalid glob: {0}")]
    InvalidGlob(String),
    /// Parentheses or negations are nested too deep.
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
    /// There is no such word here.
    #[error("no {what} is called so{}", meant(.nearest))]
    UnknownWord {
        /// What was looked at.
        what: &'static str,
        /// The word that was likely meant.
        nearest: Option<String>,
    },
    /// No package or binary is called so.
    #[error("no {what} matches this{}", meant(.nearest))]
    MatchesNothing {
        /// What was looked at.
        what: &'static str,
        /// The name that was likely meant.
        nearest: Option<String>,
    },
}

fn meant(nearest: &Option<String>) -> String {
    match nearest {
        Some(nearest) => format!(" (did you mean `{nearest}`?)"),
        None => String::new(),
    }
}

impl FiltersetError {
    fn new(text: &str, span: Span, reason: FiltersetReason) -> Self {
        Self {
            expression: text.to_owned(),
            column: width(text.get(..span.start).unwrap_or(text)),
            width: width(text.get(span.start..span.end).unwrap_or("")).max(1),
            reason,
        }
    }

    /// Returns the expression with carets under the mistake, in two lines.
    pub fn snippet(&self) -> String {
        let shown: String = self.expression.chars().map(shown).collect();
        format!(
            "{shown}\n{}{}",
            " ".repeat(self.column),
            "^".repeat(self.width)
        )
    }
}

/// A control character has no width of its own, and could do anything to a terminal.
fn shown(character: char) -> char {
    if character.is_control() {
        ' '
    } else {
        character
    }
}

fn width(text: &str) -> usize {
    text.chars()
        .map(|character| shown(character).width().unwrap_or(0))
        .sum()
}

#[cfg(test)]
mod tests;
