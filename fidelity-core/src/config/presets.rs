//! Presets: fidelity profiles that come with the tool, as versioned data in `presets.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::diagnostics::Findings;
use super::document::{Document, Profiles, Written, WrittenProfile};
use super::model::{self, Entry, Table, Value};
use super::source::Source;

const TEXT: &str = include_str!("presets.toml");

/// Earlier versions, so that a file can go on with one: `inherits = "preset:hostile@1"`.
const EARLIER: [&str; 1] = [include_str!("presets_v1.toml")];

/// The names of the presets.
const NAMES: [&str; 2] = ["realistic", "hostile"];

/// How a reference to a preset starts: `preset:realistic`.
pub(crate) const PREFIX: &str = "preset:";

/// The fidelity profile that is the baseline unless told otherwise: the environment as it is.
pub(crate) const BASELINE: &str = "low";

/// The fidelity profile that is the target unless told otherwise.
pub(crate) const TARGET: &str = "high";

/// The preset that the built-in target is.
pub(crate) const TARGET_PRESET: &str = "realistic";

/// Returns the names of the presets, without `preset:`.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    NAMES.into_iter()
}

/// The presets, read.
#[derive(Clone, Debug)]
pub(crate) struct Presets {
    /// Raised whenever a value changes.
    pub(crate) version: i128,
    profiles: BTreeMap<String, WrittenProfile>,
    /// Every version, by `NAME@VERSION`.
    versions: BTreeMap<String, WrittenProfile>,
}

impl Presets {
    /// Returns the presets that come with the tool, read once: histories resolve thousands of files.
    pub(crate) fn of_this_tool() -> &'static Self {
        static READ: LazyLock<Presets> = LazyLock::new(|| Presets::read(&mut Findings::default()));
        &READ
    }

    /// Reads the presets. Mistakes in them would go to `findings`; a test sees to it that there are none.
    pub(crate) fn read(findings: &mut Findings) -> Self {
        let (version, profiles) = read_version(TEXT, findings);
        let mut versions = BTreeMap::new();
        let earlier = EARLIER.map(|text| read_version(text, findings));
        for (version, profiles) in earlier.into_iter().chain([(version, profiles.clone())]) {
            let named = profiles.into_iter();
            versions.extend(named.map(|(name, profile)| (format!("{name}@{version}"), profile)));
        }
        Self {
            version,
            profiles,
            versions,
        }
    }

    /// Returns the preset `name`, without `preset:`; that of an earlier version of the table for `NAME@VERSION`.
    pub(crate) fn get(&self, name: &str) -> Option<&WrittenProfile> {
        self.profiles.get(name).or_else(|| self.versions.get(name))
    }

    /// Returns the built-in fidelity profiles, which a file may define anew.
    pub(crate) fn built_in() -> BTreeMap<String, WrittenProfile> {
        let preset = format!("{PREFIX}{TARGET_PRESET}");
        let source = Source::built_in("the built-in fidelity profiles", preset.clone());
        let target = WrittenProfile {
            inherits: Some(Written {
                span: source.span(0..preset.len()),
                value: preset,
            }),
            ..WrittenProfile::default()
        };
        BTreeMap::from([
            (BASELINE.to_owned(), WrittenProfile::default()),
            (TARGET.to_owned(), target),
        ])
    }
}

/// Reads one version of the table of presets.
fn read_version(text: &str, findings: &mut Findings) -> (i128, BTreeMap<String, WrittenProfile>) {
    let source = Source::built_in("the presets", text);
    let mut root = model::parse(&source, findings).unwrap_or_default();
    let version = root
        .get("version")
        .and_then(|entry| entry.node.integer().flatten());
    root.entries.retain(|entry| entry.key.text != "version");
    let mut document = Document::default();
    document.read(&under_profile(&source, root), Profiles::Define, findings);
    (version.unwrap_or_default(), document.profiles)
}

/// Puts a table under the key `profile`, as if it had been written there.
fn under_profile(source: &Source, table: Table) -> Table {
    let span = source.span(0..0);
    let key = model::Key {
        text: "profile".to_owned(),
        span: span.clone(),
    };
    let node = model::Node {
        span,
        value: Value::Table(table),
    };
    Table {
        entries: vec![Entry { key, node }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::catalogue;

    #[test]
    fn the_presets_are_free_of_mistakes_and_all_named() {
        let mut findings = Findings::default();
        let presets = Presets::read(&mut findings);
        assert_eq!(findings.into_result(()), Ok(()));
        let mut found: Vec<&str> = presets.profiles.keys().map(String::as_str).collect();
        let mut named: Vec<&str> = names().collect();
        found.sort_unstable();
        named.sort_unstable();
        assert_eq!(found, named);
    }

    #[test]
    fn earlier_versions_can_be_named() {
        let presets = Presets::of_this_tool();
        let nice = crate::domain::KnobId::from("nice");
        let has_nice = |name: &str| {
            presets
                .get(name)
                .map(|preset| preset.knobs.contains_key(&nice))
        };
        assert_eq!(has_nice("hostile"), Some(false));
        assert_eq!(has_nice("hostile@2"), Some(false));
        assert_eq!(has_nice("hostile@1"), Some(true));
        assert_eq!(has_nice("hostile@0"), None);
    }

    #[test]
    fn a_changed_value_needs_a_new_version() {
        let presets = Presets::read(&mut Findings::default());
        let mut lines = vec![format!("version {}", presets.version)];
        for (name, profile) in &presets.profiles {
            for (knob, setting) in &profile.knobs {
                lines.push(format!(
                    "{name}: {knob} = {}",
                    catalogue::to_toml(&setting.value)
                ));
            }
        }
        insta::assert_snapshot!(lines.join("\n"));
    }
}
