//! One value of a knob: its type, its range, the words and characters it is made of, references to the environment.

use crate::domain::KnobValue;

use super::catalogue;
use super::diagnostics::{ConfigError, ErrorKind};
use super::model::Node;
use super::printable::{quoted, shown};
use super::setting::{Slot, expected};
use super::suggest;
use super::units::{self, NotAQuantity};

pub(crate) fn count(
    slot: Slot<'_>,
    node: &Node,
    (min, max): (u64, u64),
) -> Result<u64, ConfigError> {
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

pub(crate) fn size(
    slot: Slot<'_>,
    node: &Node,
    (min, max): (u64, u64),
) -> Result<u64, ConfigError> {
    let id = &slot.name();
    let wanted = "a number with a unit (B, KiB, MiB, GiB, TiB, or kB, MB, GB, TB)";
    let Some(text) = node.text() else {
        let error = node.wrong_type(id, expected(slot.kind));
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

pub(crate) fn mode(slot: Slot<'_>, node: &Node) -> Result<u32, ConfigError> {
    let id = &slot.name();
    let Some(text) = node.text() else {
        return Err(node
            .wrong_type(id, expected(slot.kind))
            .hint(format!("write the octal digits as text: `{id} = \"027\"`")));
    };
    units::mode(text)
        .map_err(|error| malformed(node, id, (error, "three octal digits, like \"077\"")))
}

pub(crate) fn word(
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

pub(crate) fn duration(
    slot: Slot<'_>,
    node: &Node,
    (min, max): (u64, u64),
) -> Result<u64, ConfigError> {
    let id = &slot.name();
    let wanted = "whole numbers with units (d, h, m, s, ms)";
    let Some(text) = node.text() else {
        let error = node.wrong_type(id, expected(slot.kind));
        return Err(match node.integer() {
            Some(Some(number)) if 0 <= number => error.hint(format!(
                "write the unit: `\"{number}ms\"` or `\"{number}s\"`"
            )),
            _ => error,
        });
    };
    let ms = units::duration_ms(text).map_err(|error| malformed(node, id, (error, wanted)))?;
    if (min..=max).contains(&ms) {
        return Ok(ms);
    }
    let range = (units::write_duration(min), units::write_duration(max));
    Err(out_of_range(node, id, (&range.0, &range.1)))
}

/// Whole percents: a share of a CPU cannot be kept to more exactly than that.
pub(crate) fn share(
    slot: Slot<'_>,
    node: &Node,
    (min, max): (u32, u32),
) -> Result<u32, ConfigError> {
    let id = &slot.name();
    let Some(text) = node.text() else {
        let error = node.wrong_type(id, expected(slot.kind));
        return Err(match node.integer() {
            Some(Some(number)) if 0 <= number => {
                error.hint(format!("write it as text: `{id} = \"{number}%\"`"))
            }
            _ => error,
        });
    };
    let percent = text
        .strip_suffix('%')
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(percent) = percent else {
        let message = format!("{}, given for `{id}`, is no whole percentage", quoted(text));
        return Err(ConfigError::at(ErrorKind::Malformed, &node.span, message)
            .label(format!("expected {}", expected(slot.kind))));
    };
    match percent.parse::<u32>() {
        Ok(percent) if (min..=max).contains(&percent) => Ok(percent),
        _ => Err(out_of_range(
            node,
            id,
            (&format!("{min}%"), &format!("{max}%")),
        )),
    }
}

pub(crate) fn flag(slot: Slot<'_>, node: &Node) -> Result<bool, ConfigError> {
    node.boolean()
        .ok_or_else(|| node.wrong_type(&slot.name(), expected(slot.kind)))
}

/// Reads how far a clock is off: `+400d`, `-1h30m`. Ten thousand days at most, which every calendar survives.
pub(crate) fn offset(slot: Slot<'_>, node: &Node) -> Result<String, ConfigError> {
    const LONGEST_MS: u64 = 10_000 * 86_400_000;
    let id = &slot.name();
    let Some(text) = node.text() else {
        return Err(node.wrong_type(id, expected(slot.kind)));
    };
    let Some(length) = text.strip_prefix(['+', '-']) else {
        let message = format!("{}, given for `{id}`, has no sign", quoted(text));
        let error = ConfigError::at(ErrorKind::Malformed, &node.span, message)
            .label(format!("expected {}", expected(slot.kind)));
        let meant = units::duration_ms(text).map(|_| format!("did you mean `+{text}`?"));
        return Err(error.maybe_hint(meant.ok()));
    };
    let wanted = "a sign and whole numbers with units (d, h, m, s)";
    let ms = units::duration_ms(length).map_err(|error| malformed(node, id, (error, wanted)))?;
    if !(1_000..=LONGEST_MS).contains(&ms) || !ms.is_multiple_of(1_000) {
        return Err(out_of_range(node, id, ("1s", "10000d in whole seconds")));
    }
    Ok(text.to_owned())
}

pub(crate) fn errno(slot: Slot<'_>, node: &Node) -> Result<String, ConfigError> {
    let id = &slot.name();
    let Some(text) = node.text() else {
        return Err(node.wrong_type(id, expected(slot.kind)));
    };
    if catalogue::errors().any(|name| name == text) {
        return Ok(text.to_owned());
    }
    let message = format!(
        "{}, given for `{id}`, is no error this version knows",
        quoted(text)
    );
    let near = suggest::nearest(text, catalogue::errors().map(suggest::Candidate::plain));
    Err(ConfigError::at(ErrorKind::OutOfRange, &node.span, message)
        .label(format!("expected {}", expected(slot.kind)))
        .maybe_hint(near.map(|near| format!("did you mean `{near}`?"))))
}

/// Names of users and machines: `nobody`, `web-7.example`.
pub(crate) fn name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c)
}

/// IANA names and the POSIX form: `America/St_Johns`, `<+0330>-3:30`, `EST5EDT,M3.2.0,M11.1.0`.
pub(crate) fn time_zone_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/_-+<>:,.".contains(c)
}

/// `C`, `tr_TR.UTF-8`, `de_DE@euro`.
pub(crate) fn locale_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.@-".contains(c)
}

pub(crate) fn name(
    slot: Slot<'_>,
    node: &Node,
    allowed: fn(char) -> bool,
) -> Result<String, ConfigError> {
    let id = &slot.name();
    let Some(text) = node.text() else {
        return Err(node.wrong_type(id, expected(slot.kind)));
    };
    let label = format!("expected {}", expected(slot.kind));
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

pub(crate) fn variable(slot: Slot<'_>, node: &Node) -> Result<String, ConfigError> {
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
