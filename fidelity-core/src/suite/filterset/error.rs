//! What can be wrong with an expression, and where.

use unicode_width::UnicodeWidthChar;

use super::Span;

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
    /// Where it is in the text, in bytes.
    pub bytes: std::ops::Range<usize>,
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
        "`{name}()` is not supported; `test`, `package`, `binary`, `binary_id`, `kind`, `needs`, `mocks`, `real`, `profiles`, `severity`, `quarantined` and `verdict` are"
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
    /// What is asked for was not kept.
    #[error("{why}, which `{set}(...)` asks for")]
    NotKept {
        /// The set.
        set: &'static str,
        /// What is not known, and why.
        why: String,
    },
    /// A configuration cannot ask for it.
    #[error("`{set}(...)` cannot be asked for here: {why}")]
    NotHere {
        /// The set.
        set: &'static str,
        /// Why, for people.
        why: &'static str,
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
    pub(super) fn new(text: &str, span: Span, reason: FiltersetReason) -> Self {
        Self {
            expression: text.to_owned(),
            column: width(text.get(..span.start).unwrap_or(text)),
            width: width(text.get(span.start..span.end).unwrap_or("")).max(1),
            bytes: span.start..span.end,
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

pub(super) fn width(text: &str) -> usize {
    text.chars()
        .map(|character| shown(character).width().unwrap_or(0))
        .sum()
}
