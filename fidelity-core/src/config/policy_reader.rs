//! `[policy]` out of a table: shares, counts, durations, conditions. What keys there are, [`super::policy_keys`] says.

use crate::domain::{Condition, ForeignLoad, OnForeignLoad, Policy, Screen, VerdictKind};

use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::model::{Entry, Node, Table, Value};
use super::policy_keys::{
    LATER_CONDITIONS, MOST_PASSES, POLICY_KEYS, PolicyKey, PolicyKind, ShareRange, conditions,
    on_foreign_load,
};
use super::printable::{quoted, shown};
use super::source::Span;
use super::suggest;
use super::units;
use super::value::{malformed, out_of_range};

/// Reads `[policy]` into `policy`: what the table does not name stays.
pub(crate) fn read_policy(table: &Table, policy: &mut Policy, findings: &mut Findings) {
    for Entry { key, node } in &table.entries {
        if findings.full() {
            break;
        }
        let Some(row) = POLICY_KEYS.iter().find(|row| row.name == key.text) else {
            let message = format!("unknown key {} in `[policy]`", quoted(&key.text));
            let error = ConfigError::at(ErrorKind::UnknownKey, &key.span, message)
                .label("expected a key of `[policy]`");
            findings.add(match key.text.as_str() {
                "baseline" | "target" => {
                    error.hint(format!("write `{}` above the first table", key.text))
                }
                text => error.hint(suggest::hint(text, POLICY_KEYS.iter().map(|row| row.name))),
            });
            continue;
        };
        read_key(row, node, policy, findings);
    }
}

fn read_key(row: &PolicyKey, node: &Node, policy: &mut Policy, findings: &mut Findings) {
    let name = row.name;
    match row.kind {
        PolicyKind::Share(range, field) => {
            set(field(policy), findings.keep(share(name, node, range)));
        }
        PolicyKind::Count(min, max, field) => {
            set(field(policy), findings.keep(count(name, node, (min, max))));
        }
        PolicyKind::Limit(field) => set(field(policy), findings.keep(limit(name, node))),
        PolicyKind::Flag(field) => {
            let flag = node
                .boolean()
                .ok_or_else(|| node.wrong_type(name, "true or false"));
            set(field(policy), findings.keep(flag));
        }
        PolicyKind::Duration(min, max, field) => {
            set(
                field(policy),
                findings.keep(duration(name, node, (min, max))),
            );
        }
        PolicyKind::DurationLimit(min, max, field) => {
            let limit = match is_none(node) {
                true => Ok(None),
                false => duration(name, node, (min, max)).map(Some),
            };
            set(field(policy), findings.keep(limit));
        }
        PolicyKind::Screen => read_screen(node, &mut policy.screen, findings),
        PolicyKind::ForeignLoad => read_foreign_load(node, &mut policy.foreign_load, findings),
        PolicyKind::Conditions => read_conditions(node, &mut policy.fail_on, findings),
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn is_none(node: &Node) -> bool {
    node.text() == Some("none")
}

fn share(name: &str, node: &Node, range: ShareRange) -> Result<f64, ConfigError> {
    let wanted = "a share, like 0.05 or \"5%\"";
    let share = match node.text().filter(|_| node.number().is_none()) {
        Some(text) => {
            units::percentage(text).map_err(|error| malformed(node, name, (error, wanted)))?
        }
        None => node.number().ok_or_else(|| node.wrong_type(name, wanted))?,
    };
    if range.contains(share) {
        return Ok(share);
    }
    let message = format!("`{name}` is out of range");
    let error = ConfigError::at(ErrorKind::OutOfRange, &node.span, message);
    let percentage =
        (1.0..=100.0).contains(&share) && node.text().is_none_or(|text| !text.ends_with('%'));
    Err(error
        .label(format!("expected {}", range.describe()))
        .maybe_hint(percentage.then(|| format!("write `\"{share}%\"` for a percentage"))))
}

fn count(name: &str, node: &Node, (min, max): (u32, u32)) -> Result<u32, ConfigError> {
    let integer = node
        .integer()
        .ok_or_else(|| node.wrong_type(name, "a whole number"))?;
    let count = integer.and_then(|integer| u32::try_from(integer).ok());
    count
        .filter(|count| (min..=max).contains(count))
        .ok_or_else(|| out_of_range(node, name, (&min.to_string(), &max.to_string())))
}

fn limit(name: &str, node: &Node) -> Result<Option<u64>, ConfigError> {
    if is_none(node) {
        return Ok(None);
    }
    let wanted = "a whole number or \"none\"";
    let integer = node
        .integer()
        .ok_or_else(|| node.wrong_type(name, wanted))?;
    // The largest number TOML promises to keep.
    let most = i64::MAX.unsigned_abs();
    let limit = integer.and_then(|integer| u64::try_from(integer).ok());
    match limit.filter(|limit| (1..=most).contains(limit)) {
        Some(limit) => Ok(Some(limit)),
        None => Err(ConfigError::at(
            ErrorKind::OutOfRange,
            &node.span,
            format!("`{name}` is out of range"),
        )
        .label("expected 1 or more, or \"none\"")),
    }
}

pub(crate) fn duration(
    name: &str,
    node: &Node,
    (min, max): (u64, u64),
) -> Result<u64, ConfigError> {
    let wanted = "a number with a unit (d, h, m, s, ms)";
    let Some(text) = node.text() else {
        let error = node.wrong_type(name, "a duration as text, like \"15m\"");
        return Err(match node.integer() {
            Some(Some(number)) if 0 <= number => error.hint(format!(
                "write the unit: `\"{number}m\"` for minutes, `\"{number}s\"` for seconds"
            )),
            _ => error,
        });
    };
    let ms = units::duration_ms(text).map_err(|error| malformed(node, name, (error, wanted)))?;
    if (min..=max).contains(&ms) {
        return Ok(ms);
    }
    let range = (units::write_duration(min), units::write_duration(max));
    Err(out_of_range(node, name, (&range.0, &range.1)))
}

fn read_screen(node: &Node, screen: &mut Screen, findings: &mut Findings) {
    let Some(table) = findings.keep(node.table("screen").map_err(|error| {
        error.hint("write `screen = { baseline = 1, target = 5, suspicious = 10 }`")
    })) else {
        return;
    };
    for Entry { key, node } in &table.entries {
        let field = match key.text.as_str() {
            "baseline" => &mut screen.baseline,
            "target" => &mut screen.target,
            "suspicious" => &mut screen.suspicious,
            other => {
                let message = format!("unknown key {} in `screen`", quoted(other));
                let error = ConfigError::at(ErrorKind::UnknownKey, &key.span, message)
                    .label("expected `baseline`, `target` or `suspicious`");
                let keys = ["baseline", "target", "suspicious"];
                findings.add(error.hint(suggest::hint(other, keys)));
                continue;
            }
        };
        let least = u32::from(key.text != "suspicious");
        set(
            field,
            findings.keep(count(&shown(&key.text), node, (least, MOST_PASSES))),
        );
    }
}

fn read_foreign_load(node: &Node, load: &mut ForeignLoad, findings: &mut Findings) {
    let hint = "write `foreign-load = { at-most = \"50%\", then = \"warn\" }`";
    let table = node.table("foreign-load").map_err(|error| error.hint(hint));
    let Some(table) = findings.keep(table) else {
        return;
    };
    for Entry { key, node } in &table.entries {
        match key.text.as_str() {
            "at-most" => {
                let at_most = share("at-most", node, ShareRange::To1);
                set(&mut load.at_most, findings.keep(at_most));
            }
            "then" => set(&mut load.then, findings.keep(then(node))),
            other => {
                let message = format!("unknown key {} in `foreign-load`", quoted(other));
                let error = ConfigError::at(ErrorKind::UnknownKey, &key.span, message)
                    .label("expected `at-most` or `then`");
                findings.add(error.hint(suggest::hint(other, ["at-most", "then"])));
            }
        }
    }
}

/// Reads what happens to a pass during which other programs took too much.
fn then(node: &Node) -> Result<OnForeignLoad, ConfigError> {
    let word = node
        .text()
        .ok_or_else(|| node.wrong_type("then", "\"warn\" or \"repeat\""))?;
    let known = on_foreign_load().find(|(known, _)| *known == word);
    known.map(|(_, then)| then).ok_or_else(|| {
        let message = format!("{} is nothing `then` can be", quoted(word));
        ConfigError::at(ErrorKind::OutOfRange, &node.span, message)
            .label("expected `warn` or `repeat`")
            .hint(suggest::hint(
                word,
                on_foreign_load().map(|(known, _)| known),
            ))
    })
}

fn read_conditions(node: &Node, fail_on: &mut Vec<Condition>, findings: &mut Findings) {
    let items: Vec<(String, Span)> = match &node.value {
        // An argument lists conditions as words: `--fail-on hidden-defect,flaky`.
        Value::Word(words) => words_of(words, &node.span),
        Value::List(items) => items
            .iter()
            .filter_map(|item| match item.text() {
                Some(text) => Some((text.to_owned(), item.span.clone())),
                None => {
                    findings.add(item.wrong_type("fail-on", "verdicts as text"));
                    None
                }
            })
            .collect(),
        _ => {
            let error = node.wrong_type("fail-on", "a list of verdicts");
            findings.add(error.hint("write `fail-on = [\"hidden-defect\", \"broken\"]`"));
            return;
        }
    };
    fail_on.clear();
    for (word, span) in items {
        if findings.full() {
            break;
        }
        match condition(&word, &span) {
            Ok(condition) if fail_on.contains(&condition) => {
                let message = format!("`{condition}` is twice in `fail-on`");
                let error = ConfigError::at(ErrorKind::Duplicate, &span, message);
                findings.add(error.label("the second time"));
            }
            Ok(condition) => fail_on.push(condition),
            Err(error) => findings.add(error),
        }
    }
}

/// Returns the words of a list with commas, and where each stands.
fn words_of(list: &str, span: &Span) -> Vec<(String, Span)> {
    let mut words = Vec::new();
    let mut at = 0;
    for word in list.split(',') {
        let trimmed = word.trim();
        let start = at + (word.len() - word.trim_start().len());
        if !trimmed.is_empty() {
            let place = span.part(start..start + trimmed.len());
            words.push((trimmed.to_owned(), place));
        }
        at += word.len() + 1;
    }
    words
}

fn condition(word: &str, span: &Span) -> Result<Condition, ConfigError> {
    if let Some(condition) = conditions().find(|condition| condition.to_string() == word) {
        return Ok(condition);
    }
    if LATER_CONDITIONS.contains(&word) {
        let message = format!("the condition `{word}` is not available in this version");
        return Err(ConfigError::at(ErrorKind::NotAvailable, span, message));
    }
    if word == VerdictKind::Stable.as_str() {
        let message = "a stable test is no reason to fail";
        return Err(ConfigError::at(ErrorKind::OutOfRange, span, message).label("remove this"));
    }
    let message = format!("{} is no condition of the gate", quoted(word));
    let words: Vec<String> = conditions()
        .map(|condition| condition.to_string())
        .collect();
    Err(ConfigError::at(ErrorKind::UnknownKey, span, message)
        .label("expected a verdict, `knob-not-applied` or `expired-quarantine`")
        .hint(suggest::hint(word, words.iter().map(String::as_str))))
}
