//! Knobs that contradict each other.
//!
//! Within one table of a fidelity profile a contradiction is a mistake; between a profile and what it inherits the
//! closer one holds.

use crate::domain::{KnobId, KnobSetting, KnobValue};

use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::document::{Written, WrittenProfile};

/// Returns why two settings cannot hold together; none where they can.
pub(crate) fn between(
    a: (&KnobId, &KnobSetting),
    b: (&KnobId, &KnobSetting),
) -> Option<&'static str> {
    let (first, second) = if a.0 <= b.0 { (a, b) } else { (b, a) };
    match (first.0.0.as_str(), second.0.0.as_str()) {
        ("stdin", "tty") if can_be(second.1, &KnobValue::Flag(true)) => {
            Some("both say what the standard input is")
        }
        ("ephemeral-ports", "network") if can_be(second.1, &word("none")) => {
            Some("without an interface there are no ports")
        }
        _ => None,
    }
}

/// Finds contradictions within the table of `profile`.
pub(crate) fn check(profile: &WrittenProfile, findings: &mut Findings) {
    for (id, written) in &profile.knobs {
        let later = profile.knobs.iter().filter(|(other, _)| id < other);
        for (other, rival) in later {
            let Some(reason) = between((id, &written.value), (other, &rival.value)) else {
                continue;
            };
            let message = format!("`{id}` and `{other}` contradict each other: {reason}");
            findings.add(
                ConfigError::at(ErrorKind::Conflict, &rival.span, message)
                    .label("set here")
                    .related(&written.span, "and here")
                    .hint("remove one of them"),
            );
        }
    }
}

/// Checks what `order` needs of `process`, both by their effective values.
///
/// # Errors
/// That an order within a process is asked for where no process is shared.
pub(crate) fn check_order(
    order: Option<&Written<KnobSetting>>,
    process: Option<&KnobSetting>,
) -> Result<(), ConfigError> {
    let Some(order) = order.filter(|order| can_be(&order.value, &word("shuffle-in-process")))
    else {
        return Ok(());
    };
    if process.is_some_and(|process| can_be(process, &word("shared"))) {
        return Ok(());
    }
    let message = "`order` asks for an order within a process that no tests share";
    Err(ConfigError::at(ErrorKind::Conflict, &order.span, message)
        .label("set here")
        .hint("add `process = \"shared\"`, or write `order = \"shuffle\"`"))
}

fn can_be(setting: &KnobSetting, value: &KnobValue) -> bool {
    setting.values().contains(value)
}

fn word(text: &str) -> KnobValue {
    KnobValue::Text(text.to_owned())
}
