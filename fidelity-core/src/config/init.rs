//! The commented `fidelity.toml` that `cargo fidelity init` writes: the built-in settings, spelled out.
//!
//! Made from the tables of knobs and policy keys. Reading it gives the settings that hold without a file.

use crate::domain::Policy;

use super::catalogue::{self, KNOBS, Knob};
use super::diagnostics::Findings;
use super::policy_keys::{self, POLICY_KEYS};
use super::presets::{BASELINE, Presets, TARGET, TARGET_PRESET};
use super::recipes::Recipe;
use super::runner::{RUNNER_KEYS, RunnerKey};
use super::test_rules::RULE_KEYS;

/// Where comments behind values start.
const COMMENT_COLUMN: usize = 44;

/// Facts of production, as people may know them.
const FACTS: [(&str, &str); 5] = [
    ("cpus", "2"),
    ("memory", "\"1GiB\""),
    ("open-files", "1024"),
    ("tz", "\"UTC\""),
    ("umask", "\"022\""),
];

/// Returns the text of a `fidelity.toml` that says what holds without one, with every key explained.
pub fn text() -> String {
    text_for(None)
}

/// Returns the same for a project whose suite is run by a command, where there is one.
pub fn text_for(recipe: Option<&Recipe>) -> String {
    let presets = Presets::read(&mut Findings::default());
    let mut lines = vec![
        "# What `cargo fidelity` compares: the tests run in the environment of the baseline and in that of the target."
            .to_owned(),
        match recipe {
            None => "# Everything here is the default; delete what you do not change.".to_owned(),
            Some(_) => "# Everything here but `[runner]` is the default; delete what you do not change.".to_owned(),
        },
        String::new(),
        format!("baseline = \"{BASELINE}\""),
        format!("target = \"{TARGET}\""),
        String::new(),
        "[policy]".to_owned(),
    ];
    let policy = Policy::default();
    lines.extend(POLICY_KEYS.iter().map(|key| {
        let value = policy_keys::to_toml(key, &policy);
        commented(&format!("{} = {value}", key.name), key.help)
    }));
    lines.extend([
        String::new(),
        "# How tests are run. Any suite that writes JUnit can take part: `command` and `junit` say how.".to_owned(),
        "[runner]".to_owned(),
    ]);
    lines.extend(RUNNER_KEYS.iter().map(|key| runner_key(key, recipe)));
    lines.extend([
        String::new(),
        "# Facts about production. A finding made under a harsher setting is labelled \"beyond production\".".to_owned(),
        "[production]".to_owned(),
    ]);
    lines.extend(FACTS.map(|(knob, fact)| format!("# {knob} = {fact}")));
    lines.extend([
        String::new(),
        "# The environment as it is. A knob that is not named is left alone.".to_owned(),
        format!("[profile.{BASELINE}]"),
        String::new(),
        "# Closer to production. Every knob may also be `{ one-of = [...] }`: each pass then draws a value.".to_owned(),
        format!(
            "# This is `preset:{TARGET_PRESET}`, version {}, written out; `inherits = \"preset:hostile\"` asks for much more.",
            presets.version
        ),
        format!("[profile.{TARGET}]"),
    ]);
    lines.extend(target_knobs(&presets));
    lines.extend([
        String::new(),
        "# What is said of tests where their authors say nothing (`#[fidelity(...)]`); the first rule that fits a test holds."
            .to_owned(),
        "# [[tests]]".to_owned(),
    ]);
    lines.extend(RULE_KEYS.map(|(key, help)| {
        let example = match key {
            "severity" => "critical",
            _ => "package(billing)",
        };
        commented(&format!("# {key} = \"{example}\""), help)
    }));
    lines.push(String::new());
    lines.join("\n")
}

/// Returns the line of a key of `[runner]`: what the tool of a recipe needs as it is, the rest as a comment.
fn runner_key(key: &RunnerKey, recipe: Option<&Recipe>) -> String {
    let (off, value) = match recipe {
        Some(_) if key.name == "kind" => ("", "\"command\""),
        None if key.name == "kind" => ("", key.example),
        _ => match recipe.and_then(|recipe| recipe.value(key.name)) {
            Some(value) => ("", value),
            None => ("# ", key.example),
        },
    };
    commented(&format!("{off}{} = {value}", key.name), key.help)
}

/// Returns the lines of the target: its knobs, and the others as comments.
fn target_knobs(presets: &Presets) -> Vec<String> {
    let target = presets.get(TARGET_PRESET).cloned().unwrap_or_default();
    let setting = |knob: &Knob| {
        let (_, setting) = target.knobs.iter().find(|(id, _)| id.0 == knob.name)?;
        let line = format!("{} = {}", knob.name, catalogue::to_toml(&setting.value));
        Some(commented(&line, knob.help))
    };
    let set = KNOBS.iter().filter_map(setting);
    let unset = KNOBS
        .iter()
        .filter(|knob| setting(knob).is_none())
        .map(|knob| commented(&example(knob), knob.help));
    let mut lines: Vec<String> = set.chain(unset).collect();
    for knob in KNOBS {
        let words = knob.kind.words().iter();
        let words = words.map(|(word, meaning)| format!("#   \"{word}\": {meaning}"));
        let fields = knob.kind.fields().iter();
        let fields = fields.map(|field| format!("#   {{ {} }}: {}", field.name, field.help));
        let meanings: Vec<String> = words.chain(fields).collect();
        if !meanings.is_empty() {
            lines.push(format!("# Values of `{}`:", knob.name));
            lines.extend(meanings);
        }
    }
    lines
}

fn example(knob: &Knob) -> String {
    format!("# {} = {}", knob.example_id(), knob.example)
}

fn commented(line: &str, comment: &str) -> String {
    format!("{line:COMMENT_COLUMN$} # {comment}")
}
