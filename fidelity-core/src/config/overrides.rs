//! What the command line says about settings: `--set high.tz=UTC`, `--target-profile preset:hostile`, `--max-time 5m`.
//!
//! Each argument becomes the table it would be in a file, so that the same readers and the same messages serve both.

use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::document::{Document, Profiles, ROOT_KEYS};
use super::model::{self, Key, Node, Table, Value};
use super::printable::quoted;
use super::source::{Source, Span};

/// Settings of the command line, as they were typed. Later ones win; all win over the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--set` arguments: `high.tz=UTC`, `policy.max-time=5m`, `production.cpus=1`. The value is a word, which takes
    /// the type of its key, or TOML where it starts with `{`, `[` or a quote.
    pub set: Vec<String>,
    /// `--baseline-profile`: the fidelity profile of the baseline arm.
    pub baseline: Option<String>,
    /// `--target-profile`: the fidelity profile of the target arm.
    pub target: Option<String>,
    /// Keys of `[policy]` that are options of their own, with their text: `("max-time", "5m")` for `--max-time 5m`.
    /// Conditions are separated by commas.
    pub policy: Vec<(String, String)>,
}

impl Overrides {
    /// Reads the arguments into `document`.
    pub(crate) fn apply(&self, document: &mut Document, findings: &mut Findings) {
        for argument in &self.set {
            let source = Source::argument(format!("--set {argument}"));
            if let Some(table) = set_table(&source, findings) {
                document.read(&table, Profiles::Change, findings);
            }
        }
        let roots = [("baseline", &self.baseline), ("target", &self.target)];
        for (key, name) in roots {
            if let Some(name) = name {
                let table = option(&format!("{key}-profile"), (key, name), &[]);
                document.read(&table, Profiles::Change, findings);
            }
        }
        for (key, text) in &self.policy {
            let table = option(key, (key, text), &["policy"]);
            document.read(&table, Profiles::Change, findings);
        }
    }
}

/// Returns the table that `--flag text` stands for: `text` under `key`, within the tables `within`.
fn option(flag: &str, (key, text): (&str, &str), within: &[&str]) -> Table {
    let source = Source::argument(format!("--{flag} {text}"));
    let start = "--".len() + flag.len() + 1;
    let node = Node {
        span: source.span(start..start + text.len()),
        value: Value::Word(text.to_owned()),
    };
    let key_span = source.span(2..2 + flag.len());
    let keys = within.iter().chain([&key]);
    let keys = keys.map(|key| Key {
        text: (*key).to_owned(),
        span: key_span.clone(),
    });
    nested(keys.collect(), node)
}

/// Returns the table in which `node` is found along `keys`.
fn nested(keys: Vec<Key>, node: Node) -> Table {
    let mut table: Option<Table> = None;
    let mut node = Some(node);
    for key in keys.into_iter().rev() {
        let span = key.span.clone();
        let inner = node.take().or_else(|| {
            table.take().map(|table| Node {
                span,
                value: Value::Table(table),
            })
        });
        table = inner.map(|inner| Table::of(key, inner));
    }
    table.unwrap_or_default()
}

/// Reads `--set KEY=VALUE`.
fn set_table(source: &Source, findings: &mut Findings) -> Option<Table> {
    let start = "--set ".len();
    let argument = source.text().get(start..).unwrap_or_default();
    let Some((path, value)) = argument.split_once('=') else {
        let message = format!("{} sets nothing", quoted(argument));
        findings.add(
            ConfigError::at(
                ErrorKind::Malformed,
                &source.span(start..source.text().len()),
                message,
            )
            .label("expected KEY=VALUE")
            .hint("write it like `--set high.tz=UTC` or `--set policy.max-time=5m`"),
        );
        return None;
    };
    let keys = path_keys(source, start, path);
    if let Some(empty) = keys.iter().find(|key| key.text.is_empty()) {
        let message = "a part of the key is empty";
        findings.add(
            ConfigError::at(ErrorKind::Malformed, &empty.span, message)
                .label("expected a name")
                .hint("write it like `--set high.tz=UTC`"),
        );
        return None;
    }
    let value_start = start + path.len() + 1;
    let span = source.span(value_start..source.text().len());
    let node = value_node(source, span, value, findings)?;
    Some(nested(rooted(keys), node))
}

/// Splits `high.env.APP.MODE` at its dots. What follows `env` is one name, dots and all.
fn path_keys(source: &Source, start: usize, path: &str) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let (mut at, mut rest) = (start, path);
    loop {
        let variable = keys.last().is_some_and(|key| key.text == "env");
        let (part, after) = match rest.split_once('.') {
            Some((part, after)) if !variable => (part, Some(after)),
            _ => (rest, None),
        };
        keys.push(Key {
            text: part.to_owned(),
            span: source.span(at..at + part.len()),
        });
        let Some(after) = after else { return keys };
        at += part.len() + 1;
        rest = after;
    }
}

/// Puts `profile` before the name of a fidelity profile.
fn rooted(mut keys: Vec<Key>) -> Vec<Key> {
    let first = keys.first().filter(|key| {
        let root = ROOT_KEYS.contains(&key.text.as_str());
        !root && 1 < keys.len()
    });
    if let Some(span) = first.map(|key| key.span.clone()) {
        let text = "profile".to_owned();
        keys.insert(0, Key { text, span });
    }
    keys
}

/// Reads a value: TOML if it starts like a table, a list or a quoted text, else a word.
fn value_node(source: &Source, span: Span, value: &str, findings: &mut Findings) -> Option<Node> {
    let reference = value.starts_with("{env:");
    if value.starts_with(['{', '[', '"', '\'']) && !reference {
        return model::parse_value(source, span.range(), findings);
    }
    Some(Node {
        span,
        value: Value::Word(value.to_owned()),
    })
}
