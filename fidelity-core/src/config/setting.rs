//! A knob's setting out of a value: types, ranges, words, `one-of`, references to the environment.

use crate::domain::{KnobId, KnobSetting, KnobValue};

use super::catalogue::{Knob, KnobKind};
use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::model::{Entry, Node, Table, Value};
use super::printable::{quoted, shown};
use super::suggest;
use super::units::{self, NotAQuantity};

/// A knob with its row of the catalogue, as the readers of its values need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot<'a> {
    pub(crate) row: &'static Knob,
    pub(crate) id: &'a KnobId,
}

impl Slot<'_> {
    /// Returns the knob's name as messages show it.
    fn name(self) -> String {
        shown(&self.id.0)
    }
}

/// Reads what a profile asks of a knob: a value, or `{ one-of = [...] }`.
///
/// The values of a `one-of` come back sorted, so that their order in the file is of no effect; one value alone is fixed.
pub(crate) fn read_setting(
    slot: Slot<'_>,
    node: &Node,
    findings: &mut Findings,
) -> Option<KnobSetting> {
    if let Value::Table(table) = &node.value
        && let Some(entry) = table.get("one-of")
    {
        for other in table
            .entries
            .iter()
            .filter(|other| other.key.text != "one-of")
        {
            let message = format!("{} has no place beside `one-of`", quoted(&other.key.text));
            findings.add(
                ConfigError::at(ErrorKind::UnknownKey, &other.key.span, message)
                    .label("expected nothing but `one-of`"),
            );
        }
        return read_one_of(slot, entry, findings);
    }
    findings
        .keep(read_value(slot, node))
        .map(KnobSetting::Fixed)
}

fn read_one_of(slot: Slot<'_>, entry: &Entry, findings: &mut Findings) -> Option<KnobSetting> {
    let Value::List(items) = &entry.node.value else {
        findings.add(entry.node.wrong_type("one-of", "a list of values"));
        return None;
    };
    if items.is_empty() {
        findings.add(
            ConfigError::at(
                ErrorKind::OutOfRange,
                &entry.node.span,
                "`one-of` has no values",
            )
            .label("expected at least one value")
            .hint(format!("remove `{}` to leave it as it is", slot.name())),
        );
        return None;
    }
    let mut values: Vec<(KnobValue, &Node)> = Vec::with_capacity(items.len());
    let mut sound = true;
    for item in items {
        if findings.full() {
            break;
        }
        match findings.keep(read_value(slot, item)) {
            Some(value) => values.push((value, item)),
            None => sound = false,
        }
    }
    values.sort_by(|(a, _), (b, _)| a.cmp(b));
    for pair in values.windows(2) {
        let [(first, at), (second, again)] = pair else {
            continue;
        };
        if findings.full() {
            break;
        }
        if first == second {
            sound = false;
            let message = format!("{} is twice in `one-of`", quoted(&first.to_string()));
            findings.add(
                ConfigError::at(ErrorKind::Duplicate, &again.span, message)
                    .label("the second time")
                    .related(&at.span, "the first time")
                    .hint("name each value once: all are drawn equally often"),
            );
        }
    }
    let mut values: Vec<KnobValue> = values.into_iter().map(|(value, _)| value).collect();
    match values.len() {
        _ if !sound => None,
        1 => values.pop().map(KnobSetting::Fixed),
        _ => Some(KnobSetting::OneOf(values)),
    }
}

/// Reads one value of a knob.
pub(crate) fn read_value(slot: Slot<'_>, node: &Node) -> Result<KnobValue, ConfigError> {
    match &node.value {
        Value::Table(table) => read_table(slot, node, table),
        Value::List(_) => {
            Err(node
                .wrong_type(&slot.name(), expected(slot.row.kind))
                .hint(format!(
                    "write `{} = {{ one-of = [...] }}` to have one of them drawn for each pass",
                    slot.name()
                )))
        }
        _ => match slot.row.kind {
            KnobKind::Count { min, max } => count(slot, node, (min, max)).map(KnobValue::Count),
            KnobKind::Size { min, max } => size(slot, node, (min, max)).map(KnobValue::Bytes),
            KnobKind::Mode => mode(slot, node).map(KnobValue::Mode),
            KnobKind::Word(words) => word(slot, node, words).map(KnobValue::Text),
            KnobKind::TimeZone => name(slot, node, time_zone_character).map(KnobValue::Text),
            KnobKind::Locale => name(slot, node, locale_character).map(KnobValue::Text),
            KnobKind::Variable => variable(slot, node).map(KnobValue::Text),
        },
    }
}

/// Returns what a kind of knob takes, for people.
fn expected(kind: KnobKind) -> &'static str {
    match kind {
        KnobKind::Count { .. } => "a whole number",
        KnobKind::Size { .. } => "a size as text, like \"2GiB\"",
        KnobKind::Mode => "permission bits in octal as text, like \"077\"",
        KnobKind::Word(_) => "a word as text",
        KnobKind::TimeZone => "a time zone as text, like \"Pacific/Apia\"",
        KnobKind::Locale => "a locale as text, like \"C\"",
        KnobKind::Variable => "a text",
    }
}

/// Reads a value that is a table: `{ unset = true }`, or a mistake.
fn read_table(slot: Slot<'_>, node: &Node, table: &Table) -> Result<KnobValue, ConfigError> {
    let id = &slot.name();
    let Some(Entry { key, node: value }) = table.entries.first() else {
        return Err(node.wrong_type(id, expected(slot.row.kind)));
    };
    let variable = slot.row.kind == KnobKind::Variable;
    match key.text.as_str() {
        "one-of" => Err(ConfigError::at(
            ErrorKind::Malformed,
            &key.span,
            "a `one-of` within a `one-of`",
        )
        .label(format!("expected {}", expected(slot.row.kind)))
        .hint("list all values in one `one-of`")),
        "unset" if variable && table.entries.len() == 1 => match value.boolean() {
            Some(true) => Ok(KnobValue::Unset),
            Some(false) => Err(ConfigError::at(
                ErrorKind::OutOfRange,
                &value.span,
                "`unset` can only be true",
            )
            .label("expected `true`")
            .hint(format!("remove `{id}` to leave the variable as it is"))),
            None => Err(value.wrong_type("unset", "`true`")),
        },
        "unset" if !variable => {
            let error = ConfigError::at(
                ErrorKind::UnknownKey,
                &key.span,
                format!("`{id}` cannot be unset"),
            )
            .label(format!("expected {}", expected(slot.row.kind)));
            Err(match slot.row.variables {
                [variable, ..] => error.hint(format!(
                    "write `env.{variable} = {{ unset = true }}` instead"
                )),
                [] => error.hint(format!("remove `{id}` to leave it as it is")),
            })
        }
        "size" if slot.row.name == "tmpdir" => {
            let message = "a `tmpdir` of limited size is not available in this version";
            Err(ConfigError::at(ErrorKind::NotAvailable, &key.span, message))
        }
        other => {
            let (known, wanted): (&[&str], _) = if variable {
                (&["one-of", "unset"], "a text, `one-of` or `unset`")
            } else {
                (&["one-of"], "a value or `one-of`")
            };
            let message = format!("unknown key {} in `{}`", quoted(other), id);
            let error = ConfigError::at(ErrorKind::UnknownKey, &key.span, message)
                .label(format!("expected {wanted}"))
                .hint(suggest::hint(other, known.iter().copied()));
            Err(match variable {
                true => error.hint("put a name that holds dots in quotes: `env.\"A.B\"`"),
                false => error,
            })
        }
    }
}

fn count(slot: Slot<'_>, node: &Node, (min, max): (u64, u64)) -> Result<u64, ConfigError> {
    let id = &slot.name();
    let Some(integer) = node.integer() else {
        let error = node.wrong_type(id, "a whole number");
        let quoted_number = node
            .text()
            .filter(|text| text.trim().parse::<u64>().is_ok());
        return Err(error
            .maybe_hint(quoted_number.map(|text| {
                format!("write the number without quotes: `{id} = {}`", text.trim())
            })));
    };
    let count = integer.and_then(|integer| u64::try_from(integer).ok());
    match count {
        Some(count) if (min..=max).contains(&count) => Ok(count),
        _ => Err(out_of_range(node, id, (&min.to_string(), &max.to_string()))),
    }
}

/// Returns the error that a value is not within its range.
pub(crate) fn out_of_range(node: &Node, key: &str, (min, max): (&str, &str)) -> ConfigError {
    let message = format!("`{key}` is out of range");
    ConfigError::at(ErrorKind::OutOfRange, &node.span, message)
        .label(format!("expected {min} to {max}"))
}

/// Returns the error that a text is no quantity.
pub(crate) fn malformed(
    node: &Node,
    key: &str,
    (error, units): (NotAQuantity, &str),
) -> ConfigError {
    let text = quoted(node.text().unwrap_or_default());
    let message = format!("{text}, given for `{key}`, {}", error.what);
    ConfigError::at(ErrorKind::Malformed, &node.span, message)
        .label(format!("expected {units}"))
        .maybe_hint(error.meant.map(|meant| format!("did you mean `{meant}`?")))
}

fn size(slot: Slot<'_>, node: &Node, (min, max): (u64, u64)) -> Result<u64, ConfigError> {
    let id = &slot.name();
    let wanted = "a number with a unit (B, KiB, MiB, GiB, TiB, or kB, MB, GB, TB)";
    let Some(text) = node.text() else {
        let error = node.wrong_type(id, expected(slot.row.kind));
        return Err(match node.integer() {
            Some(Some(number)) if 0 <= number => error.hint(format!(
                "write the unit: `\"{number}B\"`, `\"{number}KiB\"` or `\"{number}MiB\"`"
            )),
            _ => error,
        });
    };
    let size = units::bytes(text).map_err(|error| malformed(node, id, (error, wanted)))?;
    if (min..=max).contains(&size) {
        return Ok(size);
    }
    let range = (
        KnobValue::Bytes(min).to_string(),
        KnobValue::Bytes(max).to_string(),
    );
    Err(out_of_range(node, id, (&range.0, &range.1)))
}

fn mode(slot: Slot<'_>, node: &Node) -> Result<u32, ConfigError> {
    let id = &slot.name();
    let Some(text) = node.text() else {
        return Err(node
            .wrong_type(id, expected(slot.row.kind))
            .hint(format!("write the octal digits as text: `{id} = \"027\"`")));
    };
    units::mode(text)
        .map_err(|error| malformed(node, id, (error, "three octal digits, like \"077\"")))
}

fn word(
    slot: Slot<'_>,
    node: &Node,
    words: &[(&'static str, &'static str)],
) -> Result<String, ConfigError> {
    let id = &slot.name();
    let words = words.iter().map(|(word, _)| *word);
    let wanted = format!("one of {}", suggest::list(words.clone()));
    let Some(text) = node.text() else {
        return Err(node.wrong_type(id, &wanted));
    };
    if words.clone().any(|word| word == text) {
        return Ok(text.to_owned());
    }
    let message = format!("`{id}` cannot be {}", quoted(text));
    let near = suggest::nearest(text, words.map(suggest::Candidate::plain));
    Err(ConfigError::at(ErrorKind::OutOfRange, &node.span, message)
        .label(format!("expected {wanted}"))
        .maybe_hint(near.map(|near| format!("did you mean `{near}`?"))))
}

/// IANA names and the POSIX form: `America/St_Johns`, `<+0330>-3:30`, `EST5EDT,M3.2.0,M11.1.0`.
fn time_zone_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/_-+<>:,.".contains(c)
}

/// `C`, `tr_TR.UTF-8`, `de_DE@euro`.
fn locale_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.@-".contains(c)
}

fn name(slot: Slot<'_>, node: &Node, allowed: fn(char) -> bool) -> Result<String, ConfigError> {
    let id = &slot.name();
    let Some(text) = node.text() else {
        return Err(node.wrong_type(id, expected(slot.row.kind)));
    };
    let label = format!("expected {}", expected(slot.row.kind));
    if text.is_empty() {
        let error = ConfigError::at(ErrorKind::Malformed, &node.span, format!("`{id}` is empty"))
            .label(label);
        return Err(match slot.row.variables {
            [variable, ..] => error.hint(format!(
                "write `env.{variable} = \"\"` for a variable without text"
            )),
            [] => error,
        });
    }
    check_references(node, text)?;
    let literal = without_references(text);
    match literal.chars().find(|c| !allowed(*c)) {
        None => Ok(text.to_owned()),
        Some(c) => {
            let message = format!("the character {c:?} cannot be part of `{id}`");
            Err(ConfigError::at(ErrorKind::Malformed, &node.span, message).label(label))
        }
    }
}

fn variable(slot: Slot<'_>, node: &Node) -> Result<String, ConfigError> {
    let id = &slot.name();
    let Some(text) = node.text() else {
        let as_text = shown(node.span.text());
        return Err(node
            .wrong_type(id, "a text")
            .hint(format!("write it as text: `{id} = \"{as_text}\"`")));
    };
    if text.contains('\0') {
        let message = format!("the value of `{id}` holds a NUL");
        return Err(ConfigError::at(ErrorKind::Malformed, &node.span, message)
            .label("no environment variable can hold one"));
    }
    check_references(node, text)?;
    Ok(text.to_owned())
}

/// The start of a reference to the environment: `{env:NAME}`.
const REFERENCE: &str = "{env:";

/// Checks that every `{env:` is closed and names a variable.
fn check_references(node: &Node, text: &str) -> Result<(), ConfigError> {
    for (_, reference) in text
        .match_indices(REFERENCE)
        .map(|(at, _)| text.split_at(at))
    {
        let rest = reference.get(REFERENCE.len()..).unwrap_or_default();
        let name = rest.split_once('}').map(|(name, _)| name);
        let valid = name.is_some_and(|name| {
            let starts = !name.starts_with(|c: char| c.is_ascii_digit());
            let spelled = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            !name.is_empty() && starts && spelled
        });
        if !valid {
            let message = match name {
                Some("") => "a reference to the environment names no variable".to_owned(),
                Some(name) => format!("{} is no name of an environment variable", quoted(name)),
                None => "a reference to the environment is not closed".to_owned(),
            };
            return Err(ConfigError::at(ErrorKind::Malformed, &node.span, message)
                .label("expected `{env:NAME}`, NAME of letters, digits and `_`"));
        }
    }
    Ok(())
}

/// Returns a text whose references are well formed without them.
fn without_references(text: &str) -> String {
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once(REFERENCE) {
        literal.push_str(before);
        rest = reference.split_once('}').map_or("", |(_, after)| after);
    }
    literal + rest
}
