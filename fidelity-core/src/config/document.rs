//! The configuration as written, read key by key: which fidelity profiles there are, what each sets, the policy.
//!
//! The file and every argument of the command line go through the same readers; what comes later replaces what came
//! before. Nothing is inherited yet.

use std::collections::BTreeMap;

use crate::domain::{KnobId, KnobSetting, KnobValue, Policy};

use super::catalogue::{self, Harsher, LATER};
use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::inputs;
use super::knob_table::{Holder, knobs_of};
use super::model::{Entry, Key, Node, Table};
use super::policy_keys;
use super::policy_reader;
use super::presets;
use super::printable::{quoted, shown};
use super::provides;
use super::runner::WrittenRunner;
use super::setting::{Slot, read_setting, read_value};
use super::source::Span;
use super::suggest::{self, Candidate};
use super::test_rules::{self, TestRule};

/// The keys of the root table.
pub(crate) const ROOT_KEYS: [&str; 7] = [
    "baseline",
    "target",
    "policy",
    "production",
    "profile",
    "runner",
    "tests",
];

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// A fidelity profile as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct WrittenProfile {
    pub(crate) inherits: Option<Written<String>>,
    pub(crate) knobs: BTreeMap<KnobId, Written<KnobSetting>>,
    /// Globs of files whose content is a knob too; none where the profile says nothing of them.
    pub(crate) inputs: Option<Vec<String>>,
    /// Services that run beside the suite; none where the profile says nothing of them.
    pub(crate) provides: Option<Vec<String>>,
}

/// A configuration as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    pub(crate) baseline: Option<Written<String>>,
    pub(crate) target: Option<Written<String>>,
    pub(crate) policy: Policy,
    pub(crate) production: BTreeMap<KnobId, Written<KnobValue>>,
    pub(crate) profiles: BTreeMap<String, WrittenProfile>,
    pub(crate) runner: WrittenRunner,
    pub(crate) tests: Vec<TestRule>,
}

/// Whether a table may name fidelity profiles that do not exist yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profiles {
    /// A file: it defines them.
    Define,
    /// An argument: it changes them.
    Change,
}

impl Document {
    /// Reads the root table of a file or an argument into the document.
    pub(crate) fn read(&mut self, root: &Table, profiles: Profiles, findings: &mut Findings) {
        for Entry { key, node } in &root.entries {
            if findings.full() {
                break;
            }
            match key.text.as_str() {
                "baseline" => read_name("baseline", node, &mut self.baseline, findings),
                "target" => read_name("target", node, &mut self.target, findings),
                "policy" => {
                    if let Some(table) = findings.keep(node.table("policy")) {
                        policy_reader::read_policy(table, &mut self.policy, findings);
                    }
                }
                "production" => {
                    if let Some(table) = findings.keep(node.table("production")) {
                        self.read_production(table, findings);
                    }
                }
                "profile" => {
                    if let Some(table) = findings.keep(node.table("profile")) {
                        self.read_profiles(table, profiles, findings);
                    }
                }
                "runner" => self.runner.read(node, findings),
                "tests" => self.tests = test_rules::read(node, findings),
                _ => findings.add(unknown_root_key(key)),
            }
        }
    }

    fn read_production(&mut self, table: &Table, findings: &mut Findings) {
        for (id, key, node) in knobs_of(table, Holder::Production, findings) {
            let Some(row) = catalogue::of(&id) else {
                continue;
            };
            let name = shown(&id.0);
            if row.production == Harsher::Never {
                let message =
                    format!("`{name}` says how tests are run, which is no fact of production");
                let error = ConfigError::at(ErrorKind::UnknownKey, &key.span, message);
                findings.add(error.hint(format!("remove `{name}` from `[production]`")));
                continue;
            }
            if let Some(one_of) = node.table("").ok().and_then(|table| table.get("one-of")) {
                let message =
                    format!("a fact of production is one value, but `{name}` is one of several");
                let error = ConfigError::at(ErrorKind::WrongType, &one_of.key.span, message);
                findings.add(error.label("expected one value"));
                continue;
            }
            if let Some(value) = findings.keep(read_value(Slot::of(row, &id), node)) {
                let span = node.span.clone();
                self.production.insert(id, Written { value, span });
            }
        }
    }

    fn read_profiles(&mut self, table: &Table, profiles: Profiles, findings: &mut Findings) {
        for Entry { key, node } in &table.entries {
            let defined = match profiles {
                Profiles::Define => check_profile_name(key),
                Profiles::Change if self.profiles.contains_key(&key.text) => Ok(()),
                Profiles::Change if is_preset(&key.text) => Err(unchangeable(key)),
                Profiles::Change => Err(self.unknown_profile(&key.text, &key.span)),
            };
            let known = findings.keep(defined).is_some();
            let empty = Table::default();
            let table = findings
                .keep(node.table(&shown(&key.text)))
                .unwrap_or(&empty);
            let mut profile = match profiles {
                Profiles::Define => WrittenProfile::default(),
                Profiles::Change => self.profiles.remove(&key.text).unwrap_or_default(),
            };
            read_profile(table, &mut profile, findings);
            if known {
                self.profiles.insert(key.text.clone(), profile);
            }
        }
    }

    /// Returns the error that there is no fidelity profile `name`.
    pub(crate) fn unknown_profile(&self, name: &str, span: &Span) -> ConfigError {
        const LOOKED_AT: usize = 100;
        let presets: Vec<String> = presets::names()
            .map(|preset| format!("{}{preset}", presets::PREFIX))
            .collect();
        let defined = self.profiles.keys().map(String::as_str).take(LOOKED_AT);
        let known = defined.chain(presets.iter().map(String::as_str));
        let message = format!("there is no fidelity profile {}", quoted(name));
        let error = ConfigError::at(ErrorKind::UnknownName, span, message)
            .label("expected a fidelity profile or a preset");
        let near = suggest::nearest(name, known.clone().map(Candidate::plain));
        match near {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("known are {}", suggest::list(known.take(12)))),
        }
    }
}

/// Returns whether `name` is that of a preset, as it is referred to.
fn is_preset(name: &str) -> bool {
    let name = name.strip_prefix(presets::PREFIX);
    name.is_some_and(|name| presets::names().any(|preset| preset == name))
}

/// Returns the error that a preset is to be changed.
fn unchangeable(key: &Key) -> ConfigError {
    let message = format!("the preset {} cannot be changed", quoted(&key.text));
    ConfigError::at(ErrorKind::UnknownName, &key.span, message)
        .label("expected a fidelity profile")
        .hint(format!(
            "let a fidelity profile inherit it and change that: `--set {}.inherits={}`",
            presets::TARGET,
            key.text
        ))
}

fn read_name(key: &str, node: &Node, into: &mut Option<Written<String>>, findings: &mut Findings) {
    match node.text() {
        Some(text) => {
            *into = Some(Written {
                value: text.to_owned(),
                span: node.span.clone(),
            });
        }
        None => findings.add(node.wrong_type(key, "the name of a fidelity profile as text")),
    }
}

/// Returns whether a fidelity profile can be called `name`.
pub(crate) fn is_profile_name(name: &str) -> bool {
    let spelled = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    !name.is_empty() && spelled && !ROOT_KEYS.contains(&name)
}

fn check_profile_name(key: &Key) -> Result<(), ConfigError> {
    let name = key.text.as_str();
    if is_profile_name(name) {
        return Ok(());
    }
    let message = format!("a fidelity profile cannot be called {}", quoted(name));
    let error = ConfigError::at(ErrorKind::Malformed, &key.span, message);
    Err(match ROOT_KEYS.contains(&name) {
        true => error.label("this word has another meaning in `--set`"),
        false => error.label("expected letters, digits, `_` and `-`"),
    })
}

fn read_profile(table: &Table, profile: &mut WrittenProfile, findings: &mut Findings) {
    if let Some(Entry { node, .. }) = table.get("inherits") {
        read_name("inherits", node, &mut profile.inherits, findings);
    }
    if let Some(Entry { node, .. }) = table.get("inputs") {
        profile.inputs = Some(inputs::read(node, findings));
    }
    if let Some(Entry { node, .. }) = table.get("provides") {
        profile.provides = Some(provides::read(node, findings));
    }
    for (id, key, node) in knobs_of(table, Holder::Profile, findings) {
        let Some(row) = catalogue::of(&id) else {
            continue;
        };
        if let Some(value) = read_setting(Slot::of(row, &id), node, findings) {
            let span = Span::clone(&key.span);
            profile.knobs.insert(id, Written { value, span });
        }
    }
}

fn unknown_root_key(key: &Key) -> ConfigError {
    let name = key.text.as_str();
    let error = ConfigError::at(
        ErrorKind::UnknownKey,
        &key.span,
        format!("unknown key {}", quoted(name)),
    )
    .label("expected a key or table of the configuration");
    if policy_keys::POLICY_KEYS.iter().any(|row| row.name == name) {
        return error.hint(format!("write `{name}` in `[policy]`"));
    }
    if catalogue::named(name).is_some() || LATER.contains(&name) {
        return error.hint(format!(
            "write `{name}` in a fidelity profile, like `[profile.high]`"
        ));
    }
    match suggest::nearest(name, ROOT_KEYS.into_iter().map(Candidate::plain)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if is_profile_name(name) => error.hint(format!(
            "write `[profile.{}]` for a fidelity profile; other keys are {}",
            shown(name),
            suggest::list(ROOT_KEYS)
        )),
        None => error.hint(format!("keys are {}", suggest::list(ROOT_KEYS))),
    }
}
