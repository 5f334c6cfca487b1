//! The JSON Schema (draft 2020-12) of `fidelity.toml`, for editors. Made from the tables the parser uses.
//!
//! The schema says less than the parser: ranges of quantities with units, names that must exist, circles and conflicts
//! are beyond it. What it refuses, the parser refuses too.

use serde_json::{Map, Value, json};

use crate::domain::{RunnerKind, SelectingTool, Severity};
use crate::ingest::naming::Rule;

use super::catalogue::{self, Default, Field, Harsher, KNOBS, Knob, KnobKind};
use super::document::ROOT_KEYS;
use super::policy_keys::{self, MOST_PASSES, POLICY_KEYS, PolicyKey, PolicyKind, ShareRange};
use super::runner::{KeyKind, RUNNER_KEYS};
use super::test_rules::RULE_KEYS;
use super::units::{SIZES, TIMES};

/// Returns the schema.
pub fn json() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fidelity.toml",
        "description": "What cargo fidelity compares, and by which thresholds.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "baseline": {
                "description": "The fidelity profile of the baseline: the environment the tests usually see.",
                "$ref": "#/$defs/profile-name",
                "default": super::presets::BASELINE,
            },
            "target": {
                "description": "The fidelity profile of the target: the environment closer to production.",
                "$ref": "#/$defs/profile-name",
                "default": super::presets::TARGET,
            },
            "policy": policy(),
            "production": {
                "description": "Facts about production. A finding made under a harsher setting is labelled.",
                "type": "object",
                "additionalProperties": false,
                "properties": knobs(Holder::Production),
            },
            "profile": {
                "description": "The fidelity profiles, by name.",
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z0-9_-]+$", "not": { "enum": ROOT_KEYS } },
                "additionalProperties": { "$ref": "#/$defs/profile" },
            },
            "runner": {
                "description": "How tests are run.",
                "type": "object",
                "additionalProperties": false,
                "properties": runner(),
            },
            "tests": tests(),
        },
        "$defs": {
            "profile-name": { "type": "string" },
            "profile": profile(),
        },
    })
}

fn tests() -> Value {
    let key = |(name, help): (&str, &str)| {
        let mut schema = match name {
            "severity" => json!({ "enum": Severity::ALL.map(Severity::as_str) }),
            _ => json!({ "type": "string", "minLength": 1 }),
        };
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), json!(help));
        }
        (name.to_owned(), schema)
    };
    let properties: Map<String, Value> = RULE_KEYS.map(key).into_iter().collect();
    json!({
        "description": "What is said of tests. Of several rules for a test the first holds; an annotation goes before all.",
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": RULE_KEYS.map(|(name, _)| name),
            "properties": properties,
        },
    })
}

fn profile() -> Value {
    let mut properties = knobs(Holder::Profile);
    let inherits = json!({
        "description": "The fidelity profile or preset whose values hold where this one has none.",
        "$ref": "#/$defs/profile-name",
    });
    properties.insert("inherits".to_owned(), inherits);
    let inputs = json!({
        "description": "Globs of files, relative to the workspace, whose content is a knob too.",
        "type": "array",
        "items": { "type": "string", "minLength": 1 },
    });
    properties.insert("inputs".to_owned(), inputs);
    let provides = json!({
        "description": "Services that run beside the suite, for the tests that need them. The tool starts none of them.",
        "type": "array",
        "items": { "type": "string", "pattern": "^service\\.[\\w-]+$" },
    });
    properties.insert("provides".to_owned(), provides);
    json!({
        "description": "A fidelity profile. A knob that is not named is left alone.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// What a table of knobs belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Profile,
    Production,
}

fn knobs(holder: Holder) -> Map<String, Value> {
    KNOBS
        .iter()
        .filter(|knob| holder == Holder::Profile || knob.production != Harsher::Never)
        .map(|knob| (knob.name.to_owned(), knob_schema(knob, holder)))
        .collect()
}

fn knob_schema(knob: &Knob, holder: Holder) -> Value {
    let value = value_schema(knob.kind);
    let setting = match holder {
        Holder::Production => value,
        Holder::Profile => json!({
            "anyOf": [
                value.clone(),
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["one-of"],
                    "properties": {
                        "one-of": {
                            "description": "Each pass draws one of these values, balanced, by seed.",
                            "type": "array",
                            "items": value,
                            "minItems": 1,
                            "uniqueItems": true,
                        },
                    },
                },
            ],
        }),
    };
    let mut schema = match knob.kind {
        KnobKind::Errno => json!({
            "type": "object",
            "propertyNames": { "enum": catalogue::system_calls().collect::<Vec<_>>() },
            "additionalProperties": setting,
        }),
        KnobKind::Variable => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[^=\\x00-\\x1f\\x7f-\\x9f]+$" },
            "additionalProperties": setting,
        }),
        _ => setting,
    };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), json!(description(knob)));
    }
    schema
}

/// Returns the line of help of a knob, with the meanings of its words.
fn description(knob: &Knob) -> String {
    let words = knob.kind.words().iter();
    let words: Vec<String> = words
        .map(|(word, meaning)| format!("{word}: {meaning}"))
        .collect();
    if words.is_empty() {
        return knob.help.to_owned();
    }
    format!("{} ({})", knob.help, words.join("; "))
}

/// Returns the schema of a table with `fields`; at least one of them has to be there.
fn table_schema(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = value_schema(field.kind);
            if let Some(schema) = schema.as_object_mut() {
                schema.insert("description".to_owned(), json!(field.help));
            }
            (field.name.to_owned(), schema)
        })
        .collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.default == Default::Required)
        .map(|field| field.name)
        .collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

fn value_schema(kind: KnobKind) -> Value {
    match kind {
        KnobKind::Count { min, max } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        KnobKind::Size { .. } => json!({ "type": "string", "pattern": size_pattern() }),
        KnobKind::Mode => json!({ "type": "string", "pattern": "^0?[0-7]{3}$" }),
        KnobKind::Duration { .. } => {
            json!({ "type": "string", "pattern": duration_pattern(), "minLength": 1 })
        }
        KnobKind::Share { .. } => json!({ "type": "string", "pattern": "^[0-9]+%$" }),
        KnobKind::Flag => json!({ "type": "boolean" }),
        KnobKind::Offset => json!({
            "type": "string",
            "pattern": format!("^[+-]{}", &duration_pattern()[1..]),
            "minLength": 2,
        }),
        KnobKind::Errno => json!({ "enum": catalogue::errors().collect::<Vec<_>>() }),
        KnobKind::Name => json!({ "type": "string", "pattern": name_pattern("A-Za-z0-9_.-") }),
        KnobKind::Word(words) => word_schema(words),
        KnobKind::Table(fields) => table_schema(fields),
        KnobKind::WordOrTable(words, fields) => {
            let mut table = table_schema(fields);
            table["minProperties"] = json!(1);
            json!({ "anyOf": [word_schema(words), table] })
        }
        KnobKind::TimeZone => {
            json!({ "type": "string", "pattern": name_pattern("A-Za-z0-9/_+<>:,.-") })
        }
        KnobKind::Locale => json!({ "type": "string", "pattern": name_pattern("A-Za-z0-9_.@-") }),
        KnobKind::Variable => json!({
            "anyOf": [
                { "type": "string", "pattern": "^[^\\x00]*$" },
                {
                    "description": "The variable is removed.",
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["unset"],
                    "properties": { "unset": { "const": true } },
                },
            ],
        }),
    }
}

fn word_schema(words: &[(&str, &str)]) -> Value {
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    json!({ "enum": words })
}

/// A name of these characters, in which references to the environment may stand.
fn name_pattern(characters: &str) -> String {
    format!("^([{characters}]|\\{{env:[A-Za-z_][A-Za-z0-9_]*\\}})+$")
}

fn size_pattern() -> String {
    let units: Vec<&str> = SIZES.iter().map(|(unit, _)| *unit).collect();
    format!("^[0-9]+({})$", units.join("|"))
}

fn duration_pattern() -> String {
    let parts: String = TIMES
        .iter()
        .map(|(unit, _)| format!("([0-9]+{unit})?"))
        .collect();
    format!("^{parts}$")
}

fn runner() -> Map<String, Value> {
    RUNNER_KEYS
        .iter()
        .map(|key| {
            let words = || json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 });
            let mut schema = match key.kind {
                KeyKind::Kind => json!({ "enum": RunnerKind::ALL.map(RunnerKind::word) }),
                KeyKind::Words => words(),
                KeyKind::Rules => json!({
                    "type": "array", "items": { "enum": Rule::ALL.map(Rule::word) }, "minItems": 1
                }),
                KeyKind::Text => json!({ "type": "string", "minLength": 1 }),
                KeyKind::Duration => {
                    json!({ "type": "string", "pattern": duration_pattern(), "minLength": 1 })
                }
                KeyKind::Select => json!({
                    "anyOf": [
                        { "enum": SelectingTool::ALL.map(SelectingTool::word) },
                        words(),
                        {
                            "type": "object",
                            "additionalProperties": false,
                            "required": ["arguments"],
                            "properties": { "arguments": words(), "join": { "type": "string" } },
                        },
                    ],
                }),
            };
            if let Some(schema) = schema.as_object_mut() {
                schema.insert("description".to_owned(), json!(key.help));
            }
            (key.name.to_owned(), schema)
        })
        .collect()
}

fn policy() -> Value {
    let keys = POLICY_KEYS
        .iter()
        .map(|key| (key.name.to_owned(), policy_key(key)));
    let properties: Map<String, Value> = keys.collect();
    json!({
        "description": "The thresholds.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn policy_key(key: &PolicyKey) -> Value {
    let duration = || json!({ "type": "string", "pattern": duration_pattern(), "minLength": 1 });
    let none = json!({ "const": "none" });
    let mut schema = match key.kind {
        PolicyKind::Share(range, _) => share_schema(range),
        PolicyKind::Count(min, max, _) => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        PolicyKind::Limit(_) => json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, none] }),
        PolicyKind::Flag(_) => json!({ "type": "boolean" }),
        PolicyKind::Duration(..) => duration(),
        PolicyKind::DurationLimit(..) => json!({ "anyOf": [duration(), none] }),
        PolicyKind::Screen => {
            let passes =
                |least: u32| json!({ "type": "integer", "minimum": least, "maximum": MOST_PASSES });
            json!({
                "type": "object",
                "additionalProperties": false,
                "properties": { "baseline": passes(1), "target": passes(1), "suspicious": passes(0) },
            })
        }
        PolicyKind::ForeignLoad => {
            let words: Vec<&str> = policy_keys::on_foreign_load()
                .map(|(word, _)| word)
                .collect();
            json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "at-most": share_schema(ShareRange::To1),
                    "then": { "enum": words },
                },
            })
        }
        PolicyKind::Conditions => {
            let words: Vec<String> = policy_keys::conditions()
                .map(|condition| condition.to_string())
                .collect();
            json!({ "type": "array", "items": { "enum": words }, "uniqueItems": true })
        }
    };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), json!(key.help));
    }
    schema
}

fn share_schema(range: ShareRange) -> Value {
    let number = match range {
        ShareRange::Open => {
            json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 })
        }
        ShareRange::From0 => json!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1 }),
        ShareRange::To1 => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
    };
    json!({ "anyOf": [number, { "type": "string", "pattern": "^[0-9.]*[0-9][0-9.]*%$" }] })
}
