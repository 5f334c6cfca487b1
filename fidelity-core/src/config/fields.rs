//! A knob that is a table: its keys, their defaults, and what they must be to each other.

use std::collections::BTreeMap;

use crate::domain::{KnobId, KnobValue};

use super::catalogue::{Default, Field, KnobKind};
use super::diagnostics::{ConfigError, ErrorKind};
use super::model::{Node, Table};
use super::printable::quoted;
use super::setting::{Slot, read_value};
use super::suggest;

/// Reads the table `table` of the knob of `slot`. Defaults are filled in.
pub(crate) fn read(slot: Slot<'_>, node: &Node, table: &Table) -> Result<KnobValue, ConfigError> {
    let fields = slot.kind.fields();
    let mut values = BTreeMap::new();
    for entry in &table.entries {
        let name = entry.key.text.as_str();
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            let message = format!("unknown key {} in `{}`", quoted(name), slot.name());
            let names = fields.iter().map(|field| field.name).chain(["one-of"]);
            return Err(
                ConfigError::at(ErrorKind::UnknownKey, &entry.key.span, message)
                    .label(format!("expected {}", suggest::list(names.clone())))
                    .hint(suggest::hint(name, names)),
            );
        };
        let id = KnobId(format!("{}.{name}", slot.id));
        let value = Slot {
            kind: field.kind,
            id: &id,
            ..slot
        };
        values.insert(name.to_owned(), read_value(value, &entry.node)?);
    }
    if let Some(missing) = fields.iter().find(|field| is_missing(field, &values)) {
        let message = format!("`{}` lacks `{}`", slot.name(), missing.name);
        return Err(ConfigError::at(ErrorKind::Malformed, &node.span, message)
            .label(format!("expected {}", wanted(fields)))
            .hint(format!("`{}` says {}", missing.name, missing.help)));
    }
    if values.is_empty() && matches!(slot.kind, KnobKind::WordOrTable(..)) {
        let message = format!("`{}` says nothing", slot.name());
        return Err(ConfigError::at(ErrorKind::Malformed, &node.span, message)
            .label(format!("expected {}", wanted(fields))));
    }
    for field in fields {
        if let Some(value) = field.default.value() {
            values.entry(field.name.to_owned()).or_insert(value);
        }
    }
    agree(slot, node, &values)?;
    Ok(KnobValue::Table(values))
}

fn is_missing(field: &Field, values: &BTreeMap<String, KnobValue>) -> bool {
    field.default == Default::Required && !values.contains_key(field.name)
}

fn wanted(fields: &[Field]) -> String {
    suggest::list(fields.iter().map(|field| field.name))
}

/// Checks what the values have to be to each other.
fn agree(
    slot: Slot<'_>,
    node: &Node,
    values: &BTreeMap<String, KnobValue>,
) -> Result<(), ConfigError> {
    let (Some(length), Some(period)) = (values.get("for"), values.get("every")) else {
        return Ok(());
    };
    if length < period {
        return Ok(());
    }
    let message = format!("`{}` never lets a test run", slot.name());
    Err(ConfigError::at(ErrorKind::OutOfRange, &node.span, message)
        .label(format!("a pause of {length} every {period}"))
        .hint("make `for` shorter than `every`"))
}
