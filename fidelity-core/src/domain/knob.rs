//! Knobs: named environment settings, their values, and what became of them. Knows nothing of how one is imposed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::urls::without_users;

/// The dotted name of a knob: `tz`, `env.APP_MODE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KnobId(pub String);

impl KnobId {
    /// Returns the environment variable behind an `env.NAME` knob.
    pub fn variable(&self) -> Option<&str> {
        self.0.strip_prefix("env.")
    }

    /// Returns the system call behind an `errno.SYSCALL` knob.
    pub fn system_call(&self) -> Option<&str> {
        self.0.strip_prefix("errno.")
    }
}

impl From<&str> for KnobId {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for KnobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value of a knob, typed by what it measures. Which type a knob takes is said by the catalogue in `config`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnobValue {
    /// The variable or setting is removed.
    Unset,
    /// A number of things: CPUs, open files, threads, niceness.
    Count(u64),
    /// A size in bytes.
    Bytes(u64),
    /// Permission bits, written in octal.
    Mode(u32),
    /// A length of time in milliseconds.
    Duration(u64),
    /// A share in percent; of one CPU where CPUs are shared out, so that it may be above 100.
    Share(u32),
    /// Whether something is so.
    Flag(bool),
    /// Several values that only make sense together, each by its name. Defaults are filled in.
    Table(BTreeMap<String, KnobValue>),
    /// A word or a text: a time zone, a locale, a variable's value. May hold `{env:NAME}` references, kept as such.
    Text(String),
}

impl KnobValue {
    /// Returns the value as it may be stored and shown: the user part of every URL in it is masked.
    pub fn without_users(&self) -> Self {
        match self {
            Self::Text(text) => Self::Text(without_users(text)),
            other => other.clone(),
        }
    }
}

impl fmt::Display for KnobValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("unset"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Bytes(bytes) => write_bytes(f, *bytes),
            Self::Mode(mode) => write!(f, "{mode:03o}"),
            Self::Duration(ms) => write_duration(f, *ms),
            Self::Share(percent) => write!(f, "{percent}%"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Table(values) => write_table(f, values),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Writes a size in the largest binary unit that divides it: `2GiB`, `1536KiB`, `1000B`.
fn write_bytes(f: &mut fmt::Formatter<'_>, bytes: u64) -> fmt::Result {
    const UNITS: [(u64, &str); 4] = [
        (1 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    match UNITS
        .iter()
        .find(|(size, _)| bytes > 0 && bytes.is_multiple_of(*size))
    {
        Some((size, unit)) => write!(f, "{}{unit}", bytes / size),
        None => write!(f, "{bytes}B"),
    }
}

/// Writes a length of time in the largest unit that divides it: `2m`, `50ms`.
fn write_duration(f: &mut fmt::Formatter<'_>, ms: u64) -> fmt::Result {
    const UNITS: [(u64, &str); 4] = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    match UNITS
        .iter()
        .find(|(size, _)| ms > 0 && ms.is_multiple_of(*size))
    {
        Some((size, unit)) => write!(f, "{}{unit}", ms / size),
        None => write!(f, "{ms}ms"),
    }
}

/// Writes values by name: `{on all, threads 2}`.
fn write_table(f: &mut fmt::Formatter<'_>, values: &BTreeMap<String, KnobValue>) -> fmt::Result {
    f.write_str("{")?;
    for (position, (name, value)) in values.iter().enumerate() {
        let comma = if position > 0 { ", " } else { "" };
        write!(f, "{comma}{name} {value}")?;
    }
    f.write_str("}")
}

/// What became of a knob in a run: the row `knobs[]` of a report.
///
/// `applied` is what a canary process saw of the knob in the target arm, never our intention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnobStatus {
    /// The knob.
    pub knob: KnobId,
    /// Its effective setting in the baseline, as text; none where the baseline leaves it alone.
    pub baseline: Option<String>,
    /// Its effective setting in the target.
    pub target: Option<String>,
    /// Whether every arm that sets the knob really ran under it.
    pub applied: bool,
    /// What the canary saw where applied; why not, and what to do, where not.
    pub reason: String,
    /// The setting is harsher than the `[production]` fact for the same knob.
    pub beyond_production: bool,
}
