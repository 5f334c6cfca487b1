//! `inputs = ["migrations/**"]`: globs of files whose content belongs to the environment, so that a change of it is a
//! fidelity change.
//!
//! Decides which globs are sound; what they match is for those to find out who see files.

use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::model::{Node, Value};
use super::printable::quoted;

/// The most globs of one profile.
const MOST: usize = 200;

/// Reads the list. What is wrong with it goes to `findings`.
pub(super) fn read(node: &Node, findings: &mut Findings) -> Vec<String> {
    let Value::List(items) = &node.value else {
        findings.add(node.wrong_type("inputs", "a list of globs, like `[\"migrations/**\"]`"));
        return Vec::new();
    };
    if MOST < items.len() {
        let message = format!(
            "{} globs are more than the {MOST} that are allowed",
            items.len()
        );
        findings.add(
            ConfigError::at(ErrorKind::OutOfRange, &node.span, message)
                .hint("name folders: `migrations/**`"),
        );
        return Vec::new();
    }
    let mut globs: Vec<String> = items
        .iter()
        .filter_map(|item| glob(item, findings))
        .collect();
    globs.sort_unstable();
    globs.dedup();
    globs
}

fn glob(item: &Node, findings: &mut Findings) -> Option<String> {
    let Some(text) = item.text() else {
        findings.add(item.wrong_type("inputs", "globs, each as text"));
        return None;
    };
    let wrong = match text {
        "" => "a glob of `inputs` is empty".to_owned(),
        text if text.starts_with('/') || text.contains('\\') || text.contains('\0') => {
            format!("{} is no path below the workspace", quoted(text))
        }
        text if text.split('/').any(|part| matches!(part, "" | "." | "..")) => {
            format!("{} leads out of the workspace or nowhere", quoted(text))
        }
        text => return Some(text.to_owned()),
    };
    let error = ConfigError::at(ErrorKind::Malformed, &item.span, wrong)
        .label("expected parts of a path, separated by `/`")
        .hint("`*` stands for a part of a name, `**` for any number of folders: `migrations/**`");
    findings.add(error);
    None
}
