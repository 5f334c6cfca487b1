//! A knob's setting out of a value: types, ranges, words, `one-of`, references to the environment.

use crate::domain::{KnobId, KnobSetting, KnobValue};

use super::catalogue::{Knob, KnobKind};
use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::fields;
use super::model::{Entry, Node, Table, Value};
use super::printable::{quoted, shown};
use super::suggest;
use super::value::{
    count, duration, errno, flag, locale_character, mode, name, name_character, offset, share,
    size, time_zone_character, variable, word,
};

/// A knob with its row of the catalogue, as the readers of its values need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot<'a> {
    pub(crate) row: &'static Knob,
    /// What the value has to be; that of a field, within a table.
    pub(crate) kind: KnobKind,
    pub(crate) id: &'a KnobId,
}

impl<'a> Slot<'a> {
    /// Returns the slot of the knob `id`.
    pub(crate) fn of(row: &'static Knob, id: &'a KnobId) -> Self {
        let kind = row.kind;
        Self { row, kind, id }
    }

    /// Returns the knob's name as messages show it.
    pub(crate) fn name(self) -> String {
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
        Value::List(_) => Err(node
            .wrong_type(&slot.name(), expected(slot.kind))
            .hint(format!(
                "write `{} = {{ one-of = [...] }}` to have one of them drawn for each pass",
                slot.name()
            ))),
        _ => match slot.kind {
            KnobKind::Count { min, max } => count(slot, node, (min, max)).map(KnobValue::Count),
            KnobKind::Size { min, max } => size(slot, node, (min, max)).map(KnobValue::Bytes),
            KnobKind::Duration { min, max } => {
                duration(slot, node, (min, max)).map(KnobValue::Duration)
            }
            KnobKind::Share { min, max } => share(slot, node, (min, max)).map(KnobValue::Share),
            KnobKind::Flag => flag(slot, node).map(KnobValue::Flag),
            KnobKind::Mode => mode(slot, node).map(KnobValue::Mode),
            KnobKind::Word(words) | KnobKind::WordOrTable(words, _) => {
                word(slot, node, words).map(KnobValue::Text)
            }
            KnobKind::Table(_) => Err(node
                .wrong_type(&slot.name(), expected(slot.kind))
                .hint(format!("write `{} = {}`", slot.name(), slot.row.example))),
            KnobKind::Name => name(slot, node, name_character).map(KnobValue::Text),
            KnobKind::Offset => offset(slot, node).map(KnobValue::Text),
            KnobKind::Errno => errno(slot, node).map(KnobValue::Text),
            KnobKind::TimeZone => name(slot, node, time_zone_character).map(KnobValue::Text),
            KnobKind::Locale => name(slot, node, locale_character).map(KnobValue::Text),
            KnobKind::Variable => variable(slot, node).map(KnobValue::Text),
        },
    }
}

/// Returns what a kind of knob takes, for people.
pub(crate) fn expected(kind: KnobKind) -> &'static str {
    match kind {
        KnobKind::Count { .. } => "a whole number",
        KnobKind::Size { .. } => "a size as text, like \"2GiB\"",
        KnobKind::Duration { .. } => "a length of time as text, like \"50ms\"",
        KnobKind::Share { .. } => "a percentage as text, like \"50%\"",
        KnobKind::Flag => "`true` or `false`",
        KnobKind::Mode => "permission bits in octal as text, like \"077\"",
        KnobKind::Word(_) => "a word as text",
        KnobKind::Table(_) => "a table",
        KnobKind::WordOrTable(..) => "a word as text, or a table",
        KnobKind::Name => "a name as text",
        KnobKind::Offset => "a length of time with a sign as text, like \"+400d\"",
        KnobKind::Errno => "the name of an error as text, like \"ECONNREFUSED\"",
        KnobKind::TimeZone => "a time zone as text, like \"Pacific/Apia\"",
        KnobKind::Locale => "a locale as text, like \"C\"",
        KnobKind::Variable => "a text",
    }
}

/// Reads a value that is a table: `{ unset = true }`, or a mistake.
fn read_table(slot: Slot<'_>, node: &Node, table: &Table) -> Result<KnobValue, ConfigError> {
    let id = &slot.name();
    let fields = slot.kind.fields();
    if !fields.is_empty() && table.get("one-of").is_none() {
        return fields::read(slot, node, table);
    }
    let Some(Entry { key, node: value }) = table.entries.first() else {
        return Err(node.wrong_type(id, expected(slot.kind)));
    };
    let variable = slot.kind == KnobKind::Variable;
    match key.text.as_str() {
        "one-of" => Err(ConfigError::at(
            ErrorKind::Malformed,
            &key.span,
            "a `one-of` within a `one-of`",
        )
        .label(format!("expected {}", expected(slot.kind)))
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
            .label(format!("expected {}", expected(slot.kind)));
            Err(match slot.row.variables {
                [variable, ..] => error.hint(format!(
                    "write `env.{variable} = {{ unset = true }}` instead"
                )),
                [] => error.hint(format!("remove `{id}` to leave it as it is")),
            })
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
