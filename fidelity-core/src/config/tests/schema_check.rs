//! The schema and the parser agree: what the parser accepts the schema accepts, and most of what it refuses too.
//!
//! The checker knows as much of JSON Schema (draft 2020-12) as our schema uses; it fails on a keyword it does not know.

use std::collections::BTreeMap;

use rand_core::SeedableRng;
use rand_pcg::Pcg64;
use regex::Regex;
use serde_json::Value;

use super::errors::{LATER, MALFORMED, MISFITS, RANGES, TYPES, UNKNOWN};
use super::*;

struct Checker {
    root: Value,
    patterns: BTreeMap<String, Regex>,
}

impl Checker {
    fn new() -> Self {
        Self {
            root: schema::json(),
            patterns: BTreeMap::new(),
        }
    }

    /// Returns whether a TOML text is as the schema says.
    fn accepts(&mut self, text: &str) -> bool {
        let table: toml::Table = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let value = serde_json::to_value(table).unwrap();
        let root = self.root.clone();
        self.valid(&root, &value)
    }

    fn valid(&mut self, schema: &Value, value: &Value) -> bool {
        let keywords = schema.as_object().unwrap();
        keywords
            .iter()
            .all(|(keyword, wanted)| match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" | "default" => true,
                "$ref" => {
                    let path = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                    let target = self.root.pointer(path).unwrap().clone();
                    self.valid(&target, value)
                }
                "anyOf" => wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|schema| self.valid(schema, value)),
                "not" => !self.valid(wanted, value),
                "enum" => wanted.as_array().unwrap().contains(value),
                "const" => wanted == value,
                "type" => is_of_type(wanted.as_str().unwrap(), value),
                "pattern" => value
                    .as_str()
                    .is_none_or(|text| self.matches(wanted.as_str().unwrap(), text)),
                "minLength" => value
                    .as_str()
                    .is_none_or(|text| wanted.as_u64().unwrap() <= text.chars().count() as u64),
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value
                    .as_f64()
                    .is_none_or(|number| within(keyword, number, wanted.as_f64().unwrap())),
                "minProperties" => value
                    .as_object()
                    .is_none_or(|table| wanted.as_u64().unwrap() <= table.len() as u64),
                "minItems" => value
                    .as_array()
                    .is_none_or(|items| wanted.as_u64().unwrap() <= items.len() as u64),
                "uniqueItems" => value.as_array().is_none_or(|items| {
                    items
                        .iter()
                        .enumerate()
                        .all(|(at, item)| !items[..at].contains(item))
                }),
                "items" => value
                    .as_array()
                    .is_none_or(|items| items.iter().all(|item| self.valid(wanted, item))),
                "required" => value.as_object().is_none_or(|table| {
                    wanted
                        .as_array()
                        .unwrap()
                        .iter()
                        .all(|key| table.contains_key(key.as_str().unwrap()))
                }),
                "properties" | "additionalProperties" | "propertyNames" => {
                    self.members(keywords, keyword, value)
                }
                other => panic!("a keyword the checker does not know: {other}"),
            })
    }

    fn members(
        &mut self,
        keywords: &serde_json::Map<String, Value>,
        keyword: &str,
        value: &Value,
    ) -> bool {
        let Some(table) = value.as_object() else {
            return true;
        };
        let named = keywords.get("properties").and_then(Value::as_object);
        table.iter().all(|(key, member)| {
            let own = named.and_then(|named| named.get(key));
            match keyword {
                "propertyNames" => self.valid(&keywords[keyword], &Value::String(key.clone())),
                "properties" => own.is_none_or(|schema| self.valid(schema, member)),
                _ if own.is_some() => true,
                _ => match &keywords[keyword] {
                    Value::Bool(allowed) => *allowed,
                    schema => self.valid(schema, member),
                },
            }
        })
    }

    fn matches(&mut self, pattern: &str, text: &str) -> bool {
        let compiled = self.patterns.entry(pattern.to_owned());
        compiled
            .or_insert_with(|| Regex::new(pattern).unwrap())
            .is_match(text)
    }
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64()
                || value.is_u64()
                || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        other => panic!("a type the checker does not know: {other}"),
    }
}

fn within(keyword: &str, number: f64, bound: f64) -> bool {
    match keyword {
        "minimum" => bound <= number,
        "maximum" => number <= bound,
        "exclusiveMinimum" => bound < number,
        _ => number < bound,
    }
}

/// What only the parser refuses: a number TOML cannot hold, quantities with units out of range, references, names that
/// have to exist, circles, conflicts.
const BEYOND_THE_SCHEMA: [&str; 22] = [
    "huge",
    "too small",
    "no time",
    "a share of a load",
    "pauses without an end",
    "an offset",
    "a slack",
    "duration too long",
    "a reference that is not closed",
    "a reference to no name",
    "unknown target",
    "unknown, nothing near",
    "a preset without its prefix",
    "an unknown preset",
    "inherits what is not there",
    "inherits itself",
    "a circle",
    "a value twice",
    "two knobs for a variable",
    "two standard inputs",
    "ports without a network",
    "an order within no process",
];

#[test]
fn what_is_wrong_is_refused_but_for_a_list_of_things_no_schema_can_say() {
    let mut checker = Checker::new();
    let mut let_through = Vec::new();
    for (title, text) in [UNKNOWN, LATER, TYPES, RANGES, MALFORMED, MISFITS].concat() {
        if text.parse::<toml::Table>().is_err() || checker.accepts(text) {
            let_through.push(title);
        }
    }
    assert_eq!(let_through, BEYOND_THE_SCHEMA);
}

#[test]
fn what_is_written_out_and_every_key_is_valid() {
    let mut checker = Checker::new();
    assert!(checker.accepts(FULL));
    assert!(checker.accepts(&init::text()));
    for knob in catalogue::KNOBS {
        let name = knob.example_id();
        assert!(
            checker.accepts(&format!("[profile.high]\n{name} = {}", knob.example)),
            "{name}"
        );
    }
}

#[test]
fn what_the_parser_accepts_the_schema_accepts() {
    let mut checker = Checker::new();
    let mut accepted = 0;
    for seed in 0..4_000 {
        let text = mutations::mutated(FULL, &mut Pcg64::seed_from_u64(seed));
        if resolve(Some(&file(&text)), &Overrides::default()).is_ok() {
            assert!(checker.accepts(&text), "seed {seed}:\n{text}");
            accepted += 1;
        }
    }
    assert!(200 <= accepted, "{accepted}");
}

#[test]
fn every_key_and_knob_is_described() {
    let schema = schema::json();
    for key in policy_keys::POLICY_KEYS {
        let described = &schema["properties"]["policy"]["properties"][key.name]["description"];
        assert_eq!(described, key.help);
    }
    for knob in catalogue::KNOBS {
        let described = &schema["$defs"]["profile"]["properties"][knob.name]["description"];
        assert!(
            described
                .as_str()
                .is_some_and(|text| text.starts_with(knob.help)),
            "{}",
            knob.name
        );
    }
}
