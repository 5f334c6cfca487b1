//! Identities: of tests, test binaries, runs, and of the randomness behind a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a test binary, as cargo-nextest spells it.
///
/// `crate` for a library's unit tests, `crate::name` for an integration test, `crate::bin/name`, `crate::example/name`
/// and `crate::bench/name` for the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BinaryId(pub String);

impl fmt::Display for BinaryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of a test over runs: its binary and its name within it. Ordered by binary, then name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TestId {
    /// The binary that holds the test.
    pub binary: BinaryId,
    /// The test's name as the binary lists it (`module::test`).
    pub test: String,
}

impl TestId {
    /// Returns the identity of test `test` in binary `binary`.
    pub fn new(binary: impl Into<String>, test: impl Into<String>) -> Self {
        Self {
            binary: BinaryId(binary.into()),
            test: test.into(),
        }
    }
}

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.binary.0.is_empty() {
            // A report may have suites without a name.
            true => f.write_str(&self.test),
            false => write!(f, "{} {}", self.binary, self.test),
        }
    }
}

/// A test's position in the test list of one run, which is sorted by [`TestId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TestIndex(pub u32);

impl TestIndex {
    /// Returns the position as an index into a slice.
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

/// The globally unique identity of a stored run: 128 random bits, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(pub u128);

impl RunId {
    /// Returns the first eight hexadecimal digits, which is how people refer to a run.
    pub fn short(self) -> String {
        format!("{self}")[..8].to_owned()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.to_string()
    }
}

/// A text that is not 32 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a run id (32 hexadecimal digits)")]
pub struct ParseRunIdError(String);

impl TryFrom<String> for RunId {
    type Error = ParseRunIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for RunId {
    type Err = ParseRunIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits_only = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u128::from_str_radix(text, 16) {
            Ok(bits) if digits_only => Ok(Self(bits)),
            _ => Err(ParseRunIdError(text.to_owned())),
        }
    }
}

/// The seed of a run: everything random in it follows from this number. Written in decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
