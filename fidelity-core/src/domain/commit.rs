//! Commits: their ids, and what people want to know of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A commit by its full hexadecimal id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommitId(pub String);

impl CommitId {
    /// Returns the first ten hexadecimal digits, which is how people refer to a commit.
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of a commit. The author is information, never blame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitInfo {
    /// The commit.
    pub id: CommitId,
    /// The author's name.
    pub author: String,
    /// When it was written, RFC 3339 with the author's offset.
    pub date: String,
    /// The first line of the message.
    pub subject: String,
}
