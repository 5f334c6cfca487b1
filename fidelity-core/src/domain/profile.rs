//! Fidelity profiles: what is asked of an arm, and what one pass of it drew.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{KnobId, KnobValue};

/// A fidelity profile by its effective values: inheritance, presets and overrides are already worked in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FidelityProfile {
    /// Its name in `fidelity.toml`.
    pub name: String,
    /// The knobs it sets. A knob that is absent is left as it is.
    pub knobs: BTreeMap<KnobId, KnobSetting>,
}

/// What a profile asks of one knob.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnobSetting {
    /// Always this value.
    Fixed(KnobValue),
    /// One of these values (at least one), drawn for each pass, balanced, by seed.
    OneOf(Vec<KnobValue>),
}

impl KnobSetting {
    /// Returns the values the setting can take.
    pub fn values(&self) -> &[KnobValue] {
        match self {
            Self::Fixed(value) => std::slice::from_ref(value),
            Self::OneOf(values) => values,
        }
    }
}

impl fmt::Display for KnobSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(value) => write!(f, "{value}"),
            Self::OneOf(values) => {
                f.write_str("one of ")?;
                for (position, value) in values.iter().enumerate() {
                    if position > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{value}")?;
                }
                Ok(())
            }
        }
    }
}

/// The knob values of one pass, every `one-of` drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Environment(pub BTreeMap<KnobId, KnobValue>);
