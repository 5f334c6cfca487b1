//! What a report holds that could not be used, or not as it stands: the place, a fixed word and a sentence.

use std::fmt;

/// What kind of problem it is. Each has a fixed word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The bytes could not be had: no such file, no permission, a damaged archive.
    Unreadable,
    /// There is nothing in it.
    Empty,
    /// It is no XML.
    NotXml,
    /// It is XML of another kind.
    NotJunit,
    /// It ends in the middle.
    Truncated,
    /// Its elements cannot be told apart.
    Malformed,
    /// It is of other fidelity profiles than those that are compared.
    OtherProfile,
    /// It is larger than the limits allow: bytes, depth, or a tag.
    TooLarge,
    /// Its encoding is unknown or not supported, or is not what it says.
    Encoding,
    /// Bytes that do not exist in its encoding, read as windows-1252.
    ForeignBytes,
    /// A character that XML does not allow, kept as it is.
    ForbiddenCharacter,
    /// A DOCTYPE, skipped: nothing it declares or refers to is used.
    Doctype,
    /// A reference to something else than the predefined entities, kept as it is written.
    UnknownReference,
    /// A case without a name.
    NoName,
    /// A name or value that was cut.
    Cut,
    /// A time that is no duration, left out.
    Time,
    /// More trials of a case than the limits allow, left out.
    Attempts,
    /// More properties than the limits allow, left out.
    Properties,
    /// A case that says two things.
    Contradiction,
    /// A case whose `status` or `result` is a word that nobody knows, and that says no more.
    UnknownStatus,
    /// A setup script that failed.
    SetupScript,
    /// A report of our own, whose cases are verdicts and no trials.
    Verdicts,
    /// A name that is there more than once: further trials of one test.
    Repeated,
    /// Names that are one by the rules for names.
    Merged,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 24] = [
        Self::Unreadable,
        Self::Empty,
        Self::NotXml,
        Self::NotJunit,
        Self::Truncated,
        Self::Malformed,
        Self::OtherProfile,
        Self::TooLarge,
        Self::Encoding,
        Self::ForeignBytes,
        Self::ForbiddenCharacter,
        Self::Doctype,
        Self::UnknownReference,
        Self::NoName,
        Self::Cut,
        Self::Time,
        Self::Attempts,
        Self::Properties,
        Self::Contradiction,
        Self::UnknownStatus,
        Self::SetupScript,
        Self::Verdicts,
        Self::Repeated,
        Self::Merged,
    ];

    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Empty => "empty-file",
            Self::NotXml => "not-xml",
            Self::NotJunit => "not-junit",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::OtherProfile => "other-profile",
            Self::TooLarge => "too-large",
            Self::Encoding => "encoding",
            Self::ForeignBytes => "foreign-bytes",
            Self::ForbiddenCharacter => "forbidden-character",
            Self::Doctype => "doctype-skipped",
            Self::UnknownReference => "unknown-reference",
            Self::NoName => "no-name",
            Self::Cut => "cut",
            Self::Time => "time",
            Self::Attempts => "too-many-attempts",
            Self::Properties => "too-many-properties",
            Self::Contradiction => "contradiction",
            Self::UnknownStatus => "unknown-status",
            Self::SetupScript => "setup-script-failed",
            Self::Verdicts => "verdicts",
            Self::Repeated => "repeated-name",
            Self::Merged => "merged-name",
        }
    }

    /// Returns whether no result of the file may be used.
    pub fn breaks(self) -> bool {
        self <= Self::TooLarge
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A problem of a report. Of each kind the first of a file is kept, and the others are counted.
///
/// Shown as `FILE:LINE:COLUMN: sentence (and N more)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub kind: ProblemKind,
    /// The report, as it was named.
    pub source: String,
    /// The line, from 1; 0 where it concerns the file as a whole.
    pub line: u64,
    /// The character in the line, from 1; 0 where it concerns the file as a whole.
    pub column: u64,
    /// A sentence for people, without full stop. Parts of the report in it are cut and free of control characters.
    pub message: String,
    /// Further problems of this kind in the file.
    pub more: u64,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if self.more > 0 {
            write!(f, " (and {} more)", self.more)?;
        }
        Ok(())
    }
}

/// A problem before its place is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: ProblemKind,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}
