//! Settings to try on a machine: some of every knob of the catalogue, or those of the fidelity profiles there are.
//!
//! Must not know: how a setting is imposed. Invariant: every knob of the catalogue has a sample, without being named here.

use std::collections::BTreeSet;

use crate::domain::{FidelityProfile, KnobId, KnobSetting, KnobValue};

use super::catalogue::{Field, KNOBS, Knob, KnobKind};
use super::diagnostics::{ConfigErrors, Findings};
use super::model::{self, Value};
use super::overrides::Overrides;
use super::presets::BASELINE;
use super::resolve::{Settings, resolve};
use super::source::Source;

/// A small number of things, or of mebibytes.
const SOME: u64 = 16;

/// A setting of a knob, to see what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The knob.
    pub knob: KnobId,
    /// The setting.
    pub setting: KnobSetting,
}

/// Returns samples of every knob of this version: each word of those that take words, and the example of the others.
pub fn samples() -> Vec<Sample> {
    KNOBS.iter().flat_map(samples_of).collect()
}

fn samples_of(row: &Knob) -> Vec<Sample> {
    let knob = row.example_id();
    let words = row.kind.words().iter();
    let mut settings: Vec<KnobSetting> = words
        .map(|(word, _)| KnobSetting::Fixed(KnobValue::Text((*word).to_owned())))
        .collect();
    if !settings.is_empty() {
        let tables = row.kind.fields().iter().filter_map(table_of);
        settings.extend(tables.map(KnobSetting::Fixed));
    }
    // One by one, so that each value gets a line and a reason of its own.
    let examples = example(&knob, row.example).into_iter();
    let examples: Vec<KnobSetting> = examples
        .flat_map(|setting| setting.values().to_vec())
        .map(KnobSetting::Fixed)
        .collect();
    for setting in examples {
        if !settings.contains(&setting) {
            settings.push(setting);
        }
    }
    settings
        .into_iter()
        .map(|setting| Sample {
            knob: knob.clone(),
            setting,
        })
        .collect()
}

/// Returns a table with one key alone, and a value that is small but not absurd.
fn table_of(field: &Field) -> Option<KnobValue> {
    let value = match field.kind {
        KnobKind::Count { min, max } => KnobValue::Count(SOME.clamp(min, max)),
        KnobKind::Size { min, max } => KnobValue::Bytes((SOME << 20).clamp(min, max)),
        _ => return None,
    };
    Some(KnobValue::Table([(field.name.to_owned(), value)].into()))
}

/// Reads the example of a knob as the command line would.
fn example(knob: &KnobId, text: &str) -> Option<KnobSetting> {
    let overrides = Overrides {
        set: vec![format!("{BASELINE}.{knob}={text}")],
        ..Overrides::default()
    };
    let mut settings = resolve(None, &overrides).ok()?;
    settings.baseline.knobs.remove(knob)
}

/// Returns the effective values of the fidelity profiles that `source` asks for: its two arms, and the others it
/// defines. With `only`, those of that profile alone, which may be a preset.
///
/// # Errors
/// Everything that is wrong with the file, or that there is no such profile.
pub fn profiles(
    source: Option<&Source>,
    only: Option<&str>,
) -> Result<Vec<FidelityProfile>, ConfigErrors> {
    let named = |name: &str| {
        let overrides = Overrides {
            target: Some(name.to_owned()),
            ..Overrides::default()
        };
        resolve(source, &overrides).map(|settings| settings.target)
    };
    if let Some(name) = only {
        return Ok(vec![named(name)?]);
    }
    let Settings {
        baseline, target, ..
    } = resolve(source, &Overrides::default())?;
    let mut found = vec![baseline, target];
    let mut known: BTreeSet<String> = found.iter().map(|profile| profile.name.clone()).collect();
    for name in source.map(defined).unwrap_or_default() {
        if known.insert(name.clone()) {
            found.push(named(&name)?);
        }
    }
    Ok(found)
}

/// Returns the names of the profiles a sound file defines, in its order.
fn defined(source: &Source) -> Vec<String> {
    let root = model::parse(source, &mut Findings::default()).unwrap_or_default();
    match root.get("profile").map(|entry| &entry.node.value) {
        Some(Value::Table(table)) => {
            let names = table.entries.iter().map(|entry| entry.key.text.clone());
            names.collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_knob_has_a_sample_and_every_word_is_one() {
        let samples = samples();
        for row in KNOBS {
            let of_row = |sample: &&Sample| {
                sample.knob.0 == row.name || sample.knob.0.starts_with(&format!("{}.", row.name))
            };
            let settings: Vec<String> = samples
                .iter()
                .filter(of_row)
                .map(|sample| sample.setting.to_string())
                .collect();
            assert!(!settings.is_empty(), "{}", row.name);
            for (word, _) in row.kind.words() {
                assert!(settings.contains(&(*word).to_owned()), "{word}");
            }
        }
    }

    #[test]
    fn the_profiles_of_a_file_are_its_arms_and_the_others_it_defines() {
        let text =
            "target = \"preset:hostile\"\n[profile.night]\nnice = 3\n[profile.low]\ntz = \"UTC\"\n";
        let source = Source::built_in("a test", text);
        let names = |only: Option<&str>| -> Vec<String> {
            let profiles = profiles(Some(&source), only).expect("the file is sound");
            profiles.into_iter().map(|profile| profile.name).collect()
        };
        assert_eq!(names(None), ["low", "preset:hostile", "night"]);
        assert_eq!(names(Some("night")), ["night"]);
        assert_eq!(names(Some("preset:realistic")), ["preset:realistic"]);
        assert!(profiles(Some(&source), Some("day")).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        let source = Source::built_in("a test", "[profile.high]\nwings = 2\n");
        assert!(profiles(Some(&source), None).is_err());
        assert!(profiles(None, None).is_ok());
    }
}
