//! `[runner]`: how tests are run. This version has one way.

use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::model::{Entry, Node};
use super::printable::quoted;

/// Kinds of runner this version has.
pub(crate) const RUNNERS: [&str; 2] = ["auto", "direct"];

/// Checks `[runner]`. Both kinds mean the same for now: test binaries are started directly.
pub(crate) fn read_runner(node: &Node, findings: &mut Findings) {
    let Some(table) = findings.keep(node.table("runner")) else {
        return;
    };
    for Entry { key, node } in &table.entries {
        match (key.text.as_str(), node.text()) {
            ("kind", Some(kind)) if RUNNERS.contains(&kind) => {}
            ("kind", Some(kind @ ("nextest" | "command"))) => {
                let message = format!("the runner `{kind}` is not available in this version");
                let error = ConfigError::at(ErrorKind::NotAvailable, &node.span, message);
                findings.add(error.label("expected `auto` or `direct`"));
            }
            ("kind", Some(kind)) => {
                let message = format!("there is no runner {}", quoted(kind));
                let error = ConfigError::at(ErrorKind::OutOfRange, &node.span, message);
                findings.add(error.label("expected `auto` or `direct`"));
            }
            ("kind", None) => findings.add(node.wrong_type("kind", "a word as text")),
            (name @ ("command" | "junit"), _) => {
                let message = format!("`{name}` is not available in this version");
                findings.add(ConfigError::at(ErrorKind::NotAvailable, &key.span, message));
            }
            (name, _) => {
                let message = format!("unknown key {} in `[runner]`", quoted(name));
                let error = ConfigError::at(ErrorKind::UnknownKey, &key.span, message);
                findings.add(error.label("expected `kind`"));
            }
        }
    }
}
