//! The knobs of this version: one table that the parser, the schema, `init` and the documents are made from.
//!
//! Knows what a knob is called, takes and means; not how one is imposed.

use std::collections::BTreeMap;

use crate::domain::{KnobId, KnobSetting, KnobValue};

/// A knob of this version.
#[derive(Debug)]
pub struct Knob {
    /// Its name in a fidelity profile. `env` stands for the knobs `env.NAME`, one for each variable.
    pub name: &'static str,
    /// What values it takes.
    pub kind: KnobKind,
    /// What it does, in a line.
    pub help: &'static str,
    /// A value, as TOML.
    pub example: &'static str,
    /// Other words people use for it.
    pub aliases: &'static [&'static str],
    /// The smallest thing that can have a value of its own.
    pub granularity: Granularity,
    /// When a value is harsher than the fact in `[production]`.
    pub production: Harsher,
    /// The environment variables it sets, which a profile cannot set beside it.
    pub variables: &'static [&'static str],
}

/// What values a knob takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnobKind {
    /// A whole number from `min` to `max`.
    Count {
        /// The smallest value.
        min: u64,
        /// The largest value.
        max: u64,
    },
    /// A size with a unit, from `min` to `max` bytes.
    Size {
        /// The smallest value in bytes.
        min: u64,
        /// The largest value in bytes.
        max: u64,
    },
    /// Permission bits, written in octal as text.
    Mode,
    /// One of these words, each with what it means.
    Word(&'static [(&'static str, &'static str)]),
    /// The name of a time zone, or a rule in the POSIX form.
    TimeZone,
    /// The name of a locale.
    Locale,
    /// The text of an environment variable, or its absence.
    Variable,
}

/// The smallest thing that can have a value of a knob to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// Each trial can have its own value.
    Trial,
    /// The value is one of the whole pass: it says how its trials are put together.
    Pass,
}

/// When a knob's value is harsher than what `[production]` says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harsher {
    /// If it is lower.
    IfLower,
    /// If it is higher.
    IfHigher,
    /// If it takes away permissions that production leaves.
    IfMoreBits,
    /// If it is another.
    IfDifferent,
    /// Never: the knob says how tests are run, which is no fact of production.
    Never,
}

/// Every knob of this version, in the order of the documents.
pub const KNOBS: &[Knob] = &[
    Knob {
        name: "tz",
        kind: KnobKind::TimeZone,
        help: "time zone, through TZ",
        example: r#"{ one-of = ["America/St_Johns", "Pacific/Apia"] }"#,
        aliases: &["timezone", "time-zone"],
        granularity: Granularity::Trial,
        production: Harsher::IfDifferent,
        variables: &["TZ"],
    },
    Knob {
        name: "locale",
        kind: KnobKind::Locale,
        help: "locale, through LC_ALL and LANG",
        example: r#""tr_TR.UTF-8""#,
        aliases: &["lang", "language", "locales"],
        granularity: Granularity::Trial,
        production: Harsher::IfDifferent,
        variables: &["LC_ALL", "LANG"],
    },
    Knob {
        name: "cpus",
        kind: KnobKind::Count { min: 1, max: 4_096 },
        help: "CPUs a test may use, at most (affinity)",
        example: "1",
        aliases: &["cpu", "cores", "cpu-count", "affinity"],
        granularity: Granularity::Trial,
        production: Harsher::IfLower,
        variables: &[],
    },
    Knob {
        name: "open-files",
        kind: KnobKind::Count {
            min: 16,
            max: 1 << 20,
        },
        help: "open file descriptors, at most",
        example: "256",
        aliases: &[
            "nofile",
            "files",
            "file-descriptors",
            "descriptors",
            "fds",
            "ulimit",
        ],
        granularity: Granularity::Trial,
        production: Harsher::IfLower,
        variables: &[],
    },
    Knob {
        name: "file-size",
        kind: KnobKind::Size {
            min: 1,
            max: 1 << 50,
        },
        help: "size of a file a test writes, at most",
        example: r#""64MiB""#,
        aliases: &["fsize", "max-file-size"],
        granularity: Granularity::Trial,
        production: Harsher::IfLower,
        variables: &[],
    },
    Knob {
        name: "memory",
        kind: KnobKind::Size {
            min: 16 << 20,
            max: 1 << 50,
        },
        help: "address space of a test process, at most",
        example: r#""2GiB""#,
        aliases: &["mem", "ram", "address-space"],
        granularity: Granularity::Trial,
        production: Harsher::IfLower,
        variables: &[],
    },
    Knob {
        name: "stack",
        kind: KnobKind::Size {
            min: 64 << 10,
            max: 1 << 40,
        },
        help: "stack of a test process, at most",
        example: r#""1MiB""#,
        aliases: &["stack-size"],
        granularity: Granularity::Trial,
        production: Harsher::IfLower,
        variables: &[],
    },
    Knob {
        name: "umask",
        kind: KnobKind::Mode,
        help: "permissions that new files do not get, in octal",
        example: r#""077""#,
        aliases: &["mask"],
        granularity: Granularity::Trial,
        production: Harsher::IfMoreBits,
        variables: &[],
    },
    Knob {
        name: "home",
        kind: KnobKind::Word(&[
            ("missing", "HOME names a directory that does not exist"),
            ("empty", "HOME is a new, empty directory"),
            ("read-only", "HOME is a directory that cannot be written to"),
        ]),
        help: "what HOME leads to",
        example: r#""missing""#,
        aliases: &["home-dir", "homedir"],
        granularity: Granularity::Trial,
        production: Harsher::IfDifferent,
        variables: &["HOME"],
    },
    Knob {
        name: "tmpdir",
        kind: KnobKind::Word(&[
            ("plain", "a new directory with a short name"),
            ("space", "a directory with a space in its name"),
            (
                "unicode",
                "a directory with spaces and non-ASCII letters in its name",
            ),
            (
                "long",
                "a directory with a path of several hundred characters",
            ),
            ("symlink", "a symbolic link to a directory"),
        ]),
        help: "the temporary directory, through TMPDIR",
        example: r#""unicode""#,
        aliases: &["tmp", "temp", "temp-dir", "tempdir", "tmp-dir"],
        granularity: Granularity::Trial,
        production: Harsher::IfDifferent,
        variables: &["TMPDIR"],
    },
    Knob {
        name: "order",
        kind: KnobKind::Word(&[
            ("shuffle", "another order in each pass, by seed"),
            ("sorted", "by name"),
        ]),
        help: "the order in which tests start",
        example: r#""shuffle""#,
        aliases: &["shuffle", "test-order"],
        granularity: Granularity::Pass,
        production: Harsher::Never,
        variables: &[],
    },
    Knob {
        name: "threads",
        kind: KnobKind::Count { min: 1, max: 4_096 },
        help: "tests at a time in this arm",
        example: "8",
        aliases: &["test-threads", "jobs", "parallelism"],
        granularity: Granularity::Pass,
        production: Harsher::Never,
        variables: &[],
    },
    Knob {
        name: "nice",
        kind: KnobKind::Count { min: 0, max: 19 },
        help: "niceness added to test processes: 19 yields to everything else",
        example: "10",
        aliases: &["niceness", "priority"],
        granularity: Granularity::Trial,
        production: Harsher::IfHigher,
        variables: &[],
    },
    Knob {
        name: "env",
        kind: KnobKind::Variable,
        help: "the environment variable NAME: a text, or `{ unset = true }`",
        example: r#""production""#,
        aliases: &["environment", "envs", "variables", "vars"],
        granularity: Granularity::Trial,
        production: Harsher::IfDifferent,
        variables: &[],
    },
];

/// Keys of a fidelity profile that are planned, but not in this version.
pub const LATER: &[&str] = &[
    "cpu-load",
    "pauses",
    "timer-slack",
    "user",
    "tty",
    "process",
    "network",
    "service",
];

/// Returns the row of the knob that a profile's key `name` stands for.
pub fn named(name: &str) -> Option<&'static Knob> {
    KNOBS.iter().find(|knob| knob.name == name)
}

/// Returns the row of a knob: that of `env` for `env.NAME`.
pub fn of(knob: &KnobId) -> Option<&'static Knob> {
    match knob.variable() {
        Some(_) => named("env"),
        None => named(&knob.0).filter(|knob| knob.name != "env"),
    }
}

/// Returns whether some value of `setting` is harsher than what `production` says of the knob.
///
/// False where `production` says nothing of it, and for values that refer to the environment (`{env:NAME}`): what is
/// not known is not accused.
pub fn beyond_production(
    production: &BTreeMap<KnobId, KnobValue>,
    knob: &KnobId,
    setting: &KnobSetting,
) -> bool {
    let (Some(fact), Some(row)) = (production.get(knob), of(knob)) else {
        return false;
    };
    setting
        .values()
        .iter()
        .any(|value| harsher(row.production, value, fact))
}

fn harsher(rule: Harsher, value: &KnobValue, fact: &KnobValue) -> bool {
    let refers =
        |value: &KnobValue| matches!(value, KnobValue::Text(text) if text.contains("{env:"));
    if refers(value) || refers(fact) {
        return false;
    }
    match rule {
        Harsher::IfLower => value < fact,
        Harsher::IfHigher => fact < value,
        Harsher::IfDifferent => value != fact,
        Harsher::Never => false,
        Harsher::IfMoreBits => match (value, fact) {
            (KnobValue::Mode(value), KnobValue::Mode(fact)) => value & !fact != 0,
            _ => false,
        },
    }
}

/// Returns a setting as it is written in `fidelity.toml`.
pub fn to_toml(setting: &KnobSetting) -> String {
    match setting {
        KnobSetting::Fixed(value) => value_to_toml(value),
        KnobSetting::OneOf(values) => {
            let values: Vec<String> = values.iter().map(value_to_toml).collect();
            format!("{{ one-of = [{}] }}", values.join(", "))
        }
    }
}

fn value_to_toml(value: &KnobValue) -> String {
    match value {
        KnobValue::Unset => "{ unset = true }".to_owned(),
        KnobValue::Count(count) => count.to_string(),
        KnobValue::Text(text) => toml::Value::String(text.clone()).to_string(),
        KnobValue::Bytes(_) | KnobValue::Mode(_) => format!("\"{value}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(knob: &str, value: KnobValue, fact: KnobValue) -> bool {
        let production = BTreeMap::from([(KnobId::from(knob), fact)]);
        beyond_production(&production, &KnobId::from(knob), &KnobSetting::Fixed(value))
    }

    #[test]
    fn a_limit_below_production_is_beyond_it() {
        assert!(beyond("cpus", KnobValue::Count(1), KnobValue::Count(2)));
        assert!(!beyond("cpus", KnobValue::Count(2), KnobValue::Count(2)));
        assert!(!beyond(
            "memory",
            KnobValue::Bytes(2 << 30),
            KnobValue::Bytes(1 << 30)
        ));
        assert!(beyond("nice", KnobValue::Count(10), KnobValue::Count(0)));
    }

    #[test]
    fn a_umask_is_beyond_production_if_it_takes_more_away() {
        assert!(beyond(
            "umask",
            KnobValue::Mode(0o077),
            KnobValue::Mode(0o027)
        ));
        assert!(!beyond(
            "umask",
            KnobValue::Mode(0o022),
            KnobValue::Mode(0o027)
        ));
        assert!(beyond(
            "umask",
            KnobValue::Mode(0o022),
            KnobValue::Mode(0o700)
        ));
    }

    #[test]
    fn one_value_of_several_is_enough_and_the_unknown_is_not_accused() {
        let text = |text: &str| KnobValue::Text(text.to_owned());
        let production = BTreeMap::from([
            (KnobId::from("tz"), text("UTC")),
            (KnobId::from("env.MODE"), text("{env:MODE}")),
        ]);
        let beyond =
            |knob: &str, setting| beyond_production(&production, &KnobId::from(knob), &setting);
        assert!(beyond(
            "tz",
            KnobSetting::OneOf(vec![text("UTC"), text("Asia/Tokyo")])
        ));
        assert!(!beyond("tz", KnobSetting::Fixed(text("UTC"))));
        assert!(!beyond("env.MODE", KnobSetting::Fixed(text("x"))));
        assert!(!beyond("env.OTHER", KnobSetting::Fixed(KnobValue::Unset)));
        assert!(!beyond("cpus", KnobSetting::Fixed(KnobValue::Count(1))));
    }

    #[test]
    fn names_and_aliases_are_unique() {
        let mut words: Vec<&str> = KNOBS
            .iter()
            .flat_map(|knob| knob.aliases.iter().copied().chain([knob.name]))
            .chain(LATER.iter().copied())
            .collect();
        // "shuffle" is no key, but what people write for `order`.
        words.sort_unstable();
        let count = words.len();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
