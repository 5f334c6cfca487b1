//! Fidelity profiles: what is asked of an arm, and what one pass of it drew.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::{Arm, KnobId, KnobValue, Seed};

/// A fidelity profile by its effective values: inheritance, presets and overrides are already worked in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FidelityProfile {
    /// Its name in `fidelity.toml`.
    pub name: String,
    /// The knobs it sets. A knob that is absent is left as it is.
    pub knobs: BTreeMap<KnobId, KnobSetting>,
}

impl FidelityProfile {
    /// Returns whether both profiles ask for the same values, whatever they are called.
    pub fn has_same_values(&self, other: &Self) -> bool {
        self.knobs == other.knobs
    }

    /// Returns the profile as it may be stored: the user part of every URL is masked.
    pub fn without_users(&self) -> Self {
        let knobs = self.knobs.iter();
        Self {
            name: self.name.clone(),
            knobs: knobs
                .map(|(knob, setting)| (knob.clone(), setting.without_users()))
                .collect(),
        }
    }

    /// Puts the user parts of URLs back into a profile that was stored without them: from `asked`, which may have further
    /// values in its choices.
    ///
    /// # Errors
    /// The first knob for which `asked` has no such value.
    pub fn restore_users(&mut self, asked: &Self) -> Result<(), KnobId> {
        for (knob, setting) in &mut self.knobs {
            let full = asked.knobs.get(knob).map_or(&[][..], KnobSetting::values);
            let restored = setting.try_map(|value| {
                if !is_masked(value) {
                    return Some(value.clone());
                }
                let full = full.iter().find(|full| full.without_users() == *value);
                full.cloned()
            });
            *setting = restored.ok_or_else(|| knob.clone())?;
        }
        Ok(())
    }

    /// Returns the environment of the pass of `arm` that `arm_pass` passes of the same arm came before.
    ///
    /// # Guarantee
    /// The values of a `one-of` are balanced: of any `n` consecutive passes that start at a multiple of `n`, the number
    /// of values, each value gets exactly one, in an order drawn from `seed`, the arm and the knob. Nothing else has an
    /// influence: another knob added to the profile leaves the draws of this one as they are.
    pub fn draw(&self, seed: Seed, arm: Arm, arm_pass: u32) -> Environment {
        let draws = self.knobs.iter().filter_map(|(knob, setting)| {
            let values = setting.values();
            let count = u32::try_from(values.len())
                .ok()
                .filter(|count| 0 < *count)?;
            let position = match count {
                1 => 0,
                _ => draw_position((seed, arm, knob), arm_pass, count),
            };
            Some((knob.clone(), values.get(position as usize)?.clone()))
        });
        Environment(draws.collect())
    }

    /// Returns the profile with its `one-of` knobs limited to the values at these positions; those that are beyond the
    /// list are passed over, and a knob of which nothing would be left stays as it is.
    pub fn limited_to(&self, positions: &BTreeMap<KnobId, Vec<u32>>) -> Self {
        let mut limited = self.clone();
        for (knob, positions) in positions {
            let Some(KnobSetting::OneOf(values)) = limited.knobs.get_mut(knob) else {
                continue;
            };
            let left: Vec<KnobValue> = positions
                .iter()
                .filter_map(|position| values.get(*position as usize).cloned())
                .collect();
            if !left.is_empty() {
                *values = left;
            }
        }
        limited
    }
}

/// Returns which of `count` values the pass `arm_pass` takes: its place in the shuffled block of `count` passes.
fn draw_position((seed, arm, knob): (Seed, Arm, &KnobId), arm_pass: u32, count: u32) -> u32 {
    let (block, place) = (arm_pass / count, arm_pass % count);
    let words = [hash(&knob.0), u64::from(block), arm.index() as u64];
    let key = words
        .into_iter()
        .fold(mix(seed.0), |key, word| mix(key ^ word));
    let mut random = Pcg64::seed_from_u64(key);
    let mut order: Vec<u32> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last as usize, below(&mut random, last + 1) as usize);
    }
    order.get(place as usize).copied().unwrap_or_default()
}

/// Returns a number below `bound`, all equally likely (Lemire 2019, ACM TOMACS 29(1), with rejection).
fn below(random: &mut Pcg64, bound: u32) -> u32 {
    let threshold = bound.wrapping_neg() % bound;
    loop {
        let product = u64::from(random.next_u32()) * u64::from(bound);
        let low = product & u64::from(u32::MAX);
        if u64::from(threshold) <= low {
            return u32::try_from(product >> 32).unwrap_or_default();
        }
    }
}

/// One step of SplitMix64 (Steele, Lea & Flood 2014, OOPSLA): a bijection that spreads neighbouring numbers apart.
fn mix(number: u64) -> u64 {
    let sum = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let first = (sum ^ (sum >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let second = (first ^ (first >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    second ^ (second >> 31)
}

/// FNV-1a in 64 bits: the same on every machine and with every compiler.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Returns whether a value holds a masked URL. One that was written like that is its own full value.
fn is_masked(value: &KnobValue) -> bool {
    matches!(value, KnobValue::Text(text) if text.contains("://***@"))
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
    /// Returns the setting with `change` made to each of its values.
    fn map(&self, change: impl Fn(&KnobValue) -> KnobValue) -> Self {
        match self {
            Self::Fixed(value) => Self::Fixed(change(value)),
            Self::OneOf(values) => Self::OneOf(values.iter().map(change).collect()),
        }
    }

    /// Returns the setting with `change` made to each of its values; none where it fails for one.
    fn try_map(&self, change: impl Fn(&KnobValue) -> Option<KnobValue>) -> Option<Self> {
        Some(match self {
            Self::Fixed(value) => Self::Fixed(change(value)?),
            Self::OneOf(values) => Self::OneOf(values.iter().map(change).collect::<Option<_>>()?),
        })
    }

    /// Returns the setting as it may be stored and shown: the user part of every URL is masked.
    pub fn without_users(&self) -> Self {
        self.map(KnobValue::without_users)
    }

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

impl Environment {
    /// Returns the environment as it may be stored: the user part of every URL is masked.
    pub fn without_users(&self) -> Self {
        let knobs = self.0.iter();
        Self(
            knobs
                .map(|(knob, value)| (knob.clone(), value.without_users()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(values: &[u64]) -> FidelityProfile {
        let values = values.iter().copied().map(KnobValue::Count).collect();
        let knobs = [
            ("cpus", KnobSetting::OneOf(values)),
            ("nice", KnobSetting::Fixed(KnobValue::Count(3))),
        ];
        FidelityProfile {
            name: "high".to_owned(),
            knobs: knobs
                .map(|(knob, setting)| (KnobId::from(knob), setting))
                .into(),
        }
    }

    fn draws(profile: &FidelityProfile, seed: u64, arm: Arm, passes: u32) -> Vec<u64> {
        let value = |pass| match profile.draw(Seed(seed), arm, pass).0[&KnobId::from("cpus")] {
            KnobValue::Count(count) => count,
            ref other => panic!("not a count: {other}"),
        };
        (0..passes).map(value).collect()
    }

    #[test]
    fn every_block_of_passes_takes_each_value_once() {
        for seed in 0..200 {
            let values: Vec<u64> = (0..1 + seed % 7).collect();
            let drawn = draws(&profile(&values), seed, Arm::Target, 70);
            for block in drawn.chunks_exact(values.len()) {
                let mut sorted = block.to_vec();
                sorted.sort_unstable();
                assert_eq!(sorted, values, "seed {seed}");
            }
        }
    }

    #[test]
    fn orders_are_drawn_and_equally_likely() {
        // 6,000 blocks of 3 values: each of 6 orders is expected 1,000 times, standard deviation 29. Six of them
        // beyond 5.5 deviations: less than one chance in 4 million, and the seeds are fixed.
        let mut counts = BTreeMap::new();
        for seed in 0..6_000 {
            *counts
                .entry(draws(&profile(&[0, 1, 2]), seed, Arm::Target, 3))
                .or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(
            counts.values().all(|count| count.abs_diff(1_000) < 160),
            "{counts:?}"
        );
    }

    #[test]
    fn consecutive_blocks_are_drawn_anew() {
        // 4,000 pairs of blocks of 2 values: half of them alike, standard deviation 32.
        let alike = (0..4_000)
            .filter(|seed| {
                let drawn = draws(&profile(&[0, 1]), *seed, Arm::Target, 4);
                drawn[0] == drawn[2]
            })
            .count();
        assert!(alike.abs_diff(2_000) < 170, "{alike}");
    }

    #[test]
    fn the_draw_depends_on_seed_and_arm_but_on_no_other_knob() {
        let narrow = profile(&[0, 1, 2, 3, 4]);
        let mut wide = narrow.clone();
        let order = KnobSetting::OneOf(vec![KnobValue::Count(0), KnobValue::Count(1)]);
        wide.knobs.insert(KnobId::from("a"), order);
        let drawn = draws(&narrow, 7, Arm::Target, 50);
        assert_eq!(drawn, draws(&wide, 7, Arm::Target, 50));
        assert_ne!(drawn, draws(&narrow, 8, Arm::Target, 50));
        assert_ne!(drawn, draws(&narrow, 7, Arm::Baseline, 50));
    }

    #[test]
    fn fixed_values_are_drawn_as_they_are_and_nothing_of_nothing() {
        let mut empty = profile(&[]);
        let drawn = empty.draw(Seed(1), Arm::Target, u32::MAX);
        assert_eq!(
            drawn.0,
            BTreeMap::from([(KnobId::from("nice"), KnobValue::Count(3))])
        );
        empty.knobs.clear();
        assert_eq!(empty.draw(Seed(1), Arm::Target, 0), Environment::default());
    }

    #[test]
    fn what_is_stored_holds_no_user_and_gets_it_back_from_who_knows_it() {
        let with = |text: &str| {
            let mut profile = profile(&[1, 2]);
            let url = KnobSetting::Fixed(KnobValue::Text(text.to_owned()));
            profile.knobs.insert(KnobId::from("env.URL"), url);
            profile
        };
        let full = with("a://u:p@h");
        let mut stored = full.without_users();
        assert_eq!(stored, with("a://***@h"));
        let unknown = stored.restore_users(&with("a://u:p@other"));
        assert_eq!(unknown, Err(KnobId::from("env.URL")));
        assert_eq!(stored.restore_users(&full), Ok(()));
        assert_eq!(stored, full);
        // Of a choice, the run may have had a part.
        let mut wide = full.clone();
        let values = ["a://x", "a://u:p@h"].map(|text| KnobValue::Text(text.to_owned()));
        let choice = KnobSetting::OneOf(values.into());
        wide.knobs.insert(KnobId::from("env.URL"), choice);
        let mut stored = full.without_users();
        assert_eq!(stored.restore_users(&wide), Ok(()));
        assert_eq!(stored, full);
        let mut plain = with("a://h");
        assert_eq!(plain.restore_users(&profile(&[])), Ok(()));
    }

    #[test]
    fn a_profile_is_limited_to_values_it_has() {
        let limited = |knob: &str, positions: &[u32]| {
            let positions = BTreeMap::from([(KnobId::from(knob), positions.to_vec())]);
            profile(&[5, 6, 7]).limited_to(&positions)
        };
        assert!(limited("cpus", &[0, 2, 9]).has_same_values(&profile(&[5, 7])));
        assert!(limited("cpus", &[9]).has_same_values(&profile(&[5, 6, 7])));
        assert!(limited("nice", &[1]).has_same_values(&profile(&[5, 6, 7])));
        assert!(limited("tz", &[0]).has_same_values(&profile(&[5, 6, 7])));
        let drawn = draws(&limited("cpus", &[1]), 3, Arm::Target, 4);
        assert_eq!(drawn, [6; 4]);
    }

    #[test]
    fn profiles_are_compared_by_values_not_by_name() {
        let mut other = profile(&[1, 2]);
        other.name = "another".to_owned();
        assert!(profile(&[1, 2]).has_same_values(&other));
        assert!(!profile(&[1, 3]).has_same_values(&other));
    }
}
