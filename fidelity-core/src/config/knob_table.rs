//! Tables of knobs: `[profile.NAME]` and `[production]` flattened, and what is no knob told so.

use crate::domain::KnobId;

use super::catalogue::{self, KNOBS, LATER};
use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::model::{Entry, Key, Node, Table};
use super::policy_keys;
use super::printable::{quoted, shown};
use super::suggest::{self, Candidate};

/// What a table of knobs belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Profile,
    Production,
}

impl Holder {
    fn describe(self) -> &'static str {
        match self {
            Self::Profile => "a fidelity profile",
            Self::Production => "`[production]`",
        }
    }
}

/// Flattens a table of knobs: `env.NAME` and `errno.SYSCALL` become knobs of their own. What is no knob goes to `findings`.
pub(crate) fn knobs_of<'t>(
    table: &'t Table,
    holder: Holder,
    findings: &mut Findings,
) -> Vec<(KnobId, &'t Key, &'t Node)> {
    let mut knobs = Vec::with_capacity(table.entries.len());
    for Entry { key, node } in &table.entries {
        if findings.full() {
            break;
        }
        match key.text.as_str() {
            "inherits" | "inputs" | "provides" if holder == Holder::Profile => {}
            name if catalogue::named(name).is_some_and(|row| row.kind.is_group()) => {
                group(name, node, &mut knobs, findings);
            }
            name if catalogue::named(name).is_some() => knobs.push((KnobId::from(name), key, node)),
            name if LATER.contains(&name) => {
                let message = format!("the knob `{name}` is not available in this version");
                let error = ConfigError::at(ErrorKind::NotAvailable, &key.span, message)
                    .label("expected a knob of this version");
                findings.add(error.hint(format!(
                    "a service that runs beside the suite is named by `provides = [\"{name}.NAME\"]`; this version knows {}",
                    knob_list()
                )));
            }
            _ => findings.add(unknown_knob(key, holder)),
        }
    }
    knobs
}

/// Flattens the table of a row that stands for several knobs: `env.NAME`, `errno.SYSCALL`.
fn group<'t>(
    name: &str,
    node: &'t Node,
    knobs: &mut Vec<(KnobId, &'t Key, &'t Node)>,
    findings: &mut Findings,
) {
    let example = match name {
        "env" => "write `env.NAME = \"text\"`",
        _ => "write `errno.connect = \"ECONNREFUSED\"`",
    };
    let parts = node.table(name).map_err(|error| error.hint(example));
    let parts = findings.keep(parts).map(|table| &table.entries);
    for Entry { key, node } in parts.into_iter().flatten() {
        let sound = match name {
            "env" => check_variable_name(key),
            _ => check_system_call(key),
        };
        if findings.keep(sound).is_some() {
            knobs.push((KnobId(format!("{name}.{}", key.text)), key, node));
        }
    }
}

fn check_system_call(key: &Key) -> Result<(), ConfigError> {
    let name = key.text.as_str();
    if catalogue::system_calls().any(|known| known == name) {
        return Ok(());
    }
    let message = format!("{} is no system call that can be refused", quoted(name));
    let error = ConfigError::at(ErrorKind::UnknownName, &key.span, message)
        .label("expected the name of a system call");
    let near = suggest::nearest(name, catalogue::system_calls().map(Candidate::plain));
    Err(match near {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!(
            "known are {}",
            suggest::list(catalogue::system_calls())
        )),
    })
}

fn knob_list() -> String {
    suggest::list(KNOBS.iter().map(|knob| match knob.name {
        "env" => "env.NAME",
        "errno" => "errno.SYSCALL",
        name => name,
    }))
}

fn unknown_knob(key: &Key, holder: Holder) -> ConfigError {
    let name = key.text.as_str();
    let message = format!("unknown knob {} in {}", quoted(name), holder.describe());
    let error = ConfigError::at(ErrorKind::UnknownKey, &key.span, message).label("expected a knob");
    if policy_keys::POLICY_KEYS.iter().any(|row| row.name == name) {
        return error.hint(format!("write `{name}` in `[policy]`"));
    }
    let aliases = KNOBS.iter().flat_map(|knob| {
        knob.aliases
            .iter()
            .map(|alias| Candidate::alias(alias, knob.name))
    });
    let names = KNOBS.iter().map(|knob| Candidate::plain(knob.name));
    let words = ["inherits", "inputs", "provides"]
        .into_iter()
        .chain(LATER.iter().copied());
    let exact = name.to_lowercase().replace('_', "-");
    let alias = KNOBS
        .iter()
        .find(|knob| knob.aliases.contains(&exact.as_str()));
    if let Some(knob) = alias {
        return error.hint(format!("did you mean `{}`?", knob.name));
    }
    let shouted = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    match suggest::nearest(
        name,
        names.chain(words.map(Candidate::plain)).chain(aliases),
    ) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None if shouted => error.hint(format!(
            "write `env.{}` for an environment variable",
            shown(name)
        )),
        None => error.hint(format!("knobs are {}", knob_list())),
    }
}

fn check_variable_name(key: &Key) -> Result<(), ConfigError> {
    let wrong = match key.text.as_str() {
        "" => "the name of an environment variable is empty".to_owned(),
        name if name.contains('=') => format!(
            "{} cannot name an environment variable: it holds `=`",
            quoted(name)
        ),
        name if name.contains(char::is_control) => {
            format!(
                "{} cannot name an environment variable: it holds a control character",
                quoted(name)
            )
        }
        _ => return Ok(()),
    };
    Err(ConfigError::at(ErrorKind::Malformed, &key.span, wrong).label("expected a name"))
}
