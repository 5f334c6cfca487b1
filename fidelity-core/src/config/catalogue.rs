//! The rows of the table of knobs, from which the parser, the schema, `init`, `doctor` and the documents are made.
//!
//! Knows what a knob is called, takes and means; not how one is imposed. The table itself is in `knobs.rs`.

use std::collections::BTreeMap;

use crate::domain::{KnobId, KnobSetting, KnobValue};

use super::errno::{ERRNOS, SYSCALLS};

pub use super::knobs::KNOBS;

/// A knob of this version.
#[derive(Debug)]
pub struct Knob {
    /// Its name in a fidelity profile. `env` stands for the knobs `env.NAME`, one for each variable, and `errno` for
    /// the knobs `errno.SYSCALL`.
    pub name: &'static str,
    /// What values it takes.
    pub kind: KnobKind,
    /// What it does, in a line.
    pub help: &'static str,
    /// A value, as TOML.
    pub example: &'static str,
    /// Other words people use for it.
    pub aliases: &'static [&'static str],
    /// When a value is harsher than the fact in `[production]`.
    pub production: Harsher,
    /// The environment variables it sets, which a profile cannot set beside it.
    pub variables: &'static [&'static str],
}

impl Knob {
    /// Returns the name of a knob of this row: the row's own, or that of an example where it stands for several.
    pub fn example_id(&self) -> KnobId {
        match self.kind {
            KnobKind::Variable => KnobId(format!("{}.NAME", self.name)),
            KnobKind::Errno => KnobId(format!("{}.connect", self.name)),
            _ => KnobId::from(self.name),
        }
    }
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
    /// A length of time with a unit, from `min` to `max` milliseconds.
    Duration {
        /// The smallest value in milliseconds.
        min: u64,
        /// The largest value in milliseconds.
        max: u64,
    },
    /// A percentage, from `min` to `max`.
    Share {
        /// The smallest value in percent.
        min: u32,
        /// The largest value in percent.
        max: u32,
    },
    /// True or false.
    Flag,
    /// Permission bits, written in octal as text.
    Mode,
    /// One of these words, each with what it means.
    Word(&'static [(&'static str, &'static str)]),
    /// A table with these keys.
    Table(&'static [Field]),
    /// One of these words, or a table with at least one of these keys.
    WordOrTable(&'static [(&'static str, &'static str)], &'static [Field]),
    /// The name of a time zone, or a rule in the POSIX form.
    TimeZone,
    /// The name of a locale.
    Locale,
    /// The name of a user or of a machine.
    Name,
    /// How far the clock is set ahead or back: a length of time with a sign.
    Offset,
    /// The text of an environment variable, or its absence.
    Variable,
    /// The error a system call is refused with.
    Errno,
}

impl KnobKind {
    /// Returns whether the row stands for knobs `NAME.PART`, one for each part.
    pub fn is_group(self) -> bool {
        matches!(self, Self::Variable | Self::Errno)
    }

    /// Returns the words a knob can be, each with what it means; none for other kinds.
    pub fn words(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Word(words) | Self::WordOrTable(words, _) => words,
            _ => &[],
        }
    }

    /// Returns the keys of a table that a knob can be; none for other kinds.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Table(fields) | Self::WordOrTable(_, fields) => fields,
            _ => &[],
        }
    }
}

/// A key of a knob that is a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What values it takes.
    pub kind: KnobKind,
    /// What it means, in a line.
    pub help: &'static str,
    /// What holds where it is not named.
    pub default: Default,
}

/// What holds for a key of a knob that is not named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// Nothing: it has to be named.
    Required,
    /// Nothing: it may be left out.
    Absent,
    /// This word.
    Word(&'static str),
    /// So many milliseconds.
    Duration(u64),
    /// So many percent.
    Share(u32),
}

impl Default {
    /// Returns the value, if there is one.
    pub fn value(self) -> Option<KnobValue> {
        match self {
            Self::Required | Self::Absent => None,
            Self::Word(word) => Some(KnobValue::Text(word.to_owned())),
            Self::Duration(ms) => Some(KnobValue::Duration(ms)),
            Self::Share(percent) => Some(KnobValue::Share(percent)),
        }
    }
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

/// Keys of a fidelity profile that are planned, but not in this version.
pub const LATER: &[&str] = &["service"];

/// Returns the row of the knob that a profile's key `name` stands for.
pub fn named(name: &str) -> Option<&'static Knob> {
    KNOBS.iter().find(|knob| knob.name == name)
}

/// Returns the row of a knob: that of `env` for `env.NAME`, that of `errno` for `errno.SYSCALL`.
pub fn of(knob: &KnobId) -> Option<&'static Knob> {
    match (knob.variable(), knob.system_call()) {
        (Some(_), _) => named("env"),
        (_, Some(_)) => named("errno"),
        _ => named(&knob.0).filter(|knob| !knob.kind.is_group()),
    }
}

/// Returns the system calls that `errno.SYSCALL` can refuse.
pub fn system_calls() -> impl Iterator<Item = &'static str> + Clone {
    SYSCALLS.iter().copied()
}

/// Returns the names of the errors a system call can be refused with.
pub fn errors() -> impl Iterator<Item = &'static str> + Clone {
    ERRNOS.iter().map(|(name, _)| *name)
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

/// How a setting compares with what `[production]` says of its knob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// It is that, or takes turns with it.
    Like,
    /// Some value of it is harsher.
    Harsher,
    /// It is kinder throughout.
    Kinder,
    /// It is another, of a knob whose values have no order.
    Other,
    /// Nobody knows before the run: it refers to the environment.
    Unknown,
}

/// Returns how `setting` compares with `fact`. Only limits, permissions and the like have an order: no time zone is
/// harsher than another.
pub fn against(knob: &KnobId, setting: &KnobSetting, fact: &KnobValue) -> Against {
    let values = setting.values();
    let Some(row) = of(knob) else {
        return Against::Unknown;
    };
    if values.contains(fact) {
        return Against::Like;
    }
    if refers(fact) || values.iter().any(refers) {
        return Against::Unknown;
    }
    let is_harsher = |value: &KnobValue| harsher(row.production, value, fact);
    let alike = |value: &KnobValue| std::mem::discriminant(value) == std::mem::discriminant(fact);
    match row.production {
        Harsher::Never => Against::Unknown,
        Harsher::IfDifferent => Against::Other,
        _ if !values.iter().all(alike) => Against::Other,
        _ if values.iter().any(is_harsher) => Against::Harsher,
        _ => Against::Kinder,
    }
}

fn refers(value: &KnobValue) -> bool {
    matches!(value, KnobValue::Text(text) if text.contains("{env:"))
}

fn harsher(rule: Harsher, value: &KnobValue, fact: &KnobValue) -> bool {
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
        KnobValue::Flag(flag) => flag.to_string(),
        KnobValue::Bytes(_) | KnobValue::Mode(_) | KnobValue::Duration(_) | KnobValue::Share(_) => {
            format!("\"{value}\"")
        }
        KnobValue::Table(values) => {
            let values: Vec<String> = values
                .iter()
                .map(|(name, value)| format!("{name} = {}", value_to_toml(value)))
                .collect();
            format!("{{ {} }}", values.join(", "))
        }
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

    #[test]
    fn only_knobs_with_an_order_are_harsher_or_kinder() {
        let text = |text: &str| KnobValue::Text(text.to_owned());
        let fixed = KnobSetting::Fixed;
        let compared = |knob: &str, setting, fact| against(&KnobId::from(knob), &setting, &fact);
        let gib = |count: u64| KnobValue::Bytes(count << 30);
        for (knob, setting, fact, expected) in [
            ("memory", fixed(gib(4)), gib(1), Against::Kinder),
            ("memory", fixed(gib(1)), gib(1), Against::Like),
            ("memory", fixed(gib(1)), gib(2), Against::Harsher),
            (
                "umask",
                fixed(KnobValue::Mode(0)),
                KnobValue::Mode(0o22),
                Against::Kinder,
            ),
            (
                "tz",
                fixed(text("Pacific/Apia")),
                text("UTC"),
                Against::Other,
            ),
            (
                "tz",
                KnobSetting::OneOf(vec![text("UTC"), text("Pacific/Apia")]),
                text("UTC"),
                Against::Like,
            ),
            (
                "env.URL",
                fixed(text("{env:HOME}")),
                text("x"),
                Against::Unknown,
            ),
        ] {
            assert_eq!(compared(knob, setting, fact), expected, "{knob}");
        }
    }
}
