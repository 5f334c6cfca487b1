//! The TOML as written: a tree of values, each with the place it stands at. Knows no key and no knob.
//!
//! The tree owns its texts, so that a file, a preset and a `--set` argument are read by the same code.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::printable::shown;
use super::source::{Source, Span};

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// A value as TOML has it, or a bare word of the command line.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    /// An argument that was not quoted: it takes the type of the key it is for.
    Word(String),
    /// None where it is beyond 128 bits.
    Integer(Option<i128>),
    Float(f64),
    Bool(bool),
    Date,
    List(Vec<Node>),
    Table(Table),
}

/// A table, in the order of the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) node: Node,
}

/// A key and its place.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) span: Span,
}

impl Node {
    /// Returns what the value is, for people: `a number`.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a text",
            Value::Word(_) => "a word",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number with a fraction",
            Value::Bool(_) => "true or false",
            Value::Date => "a date or time",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// Returns the text of a quoted text or a bare word.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Word(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value as a whole number; the inner none stands for one beyond 128 bits.
    pub(crate) fn integer(&self) -> Option<Option<i128>> {
        match &self.value {
            Value::Integer(integer) => Some(*integer),
            Value::Word(word) if is_integer(word) => Some(word.parse().ok()),
            _ => None,
        }
    }

    /// Returns the value as a number.
    pub(crate) fn number(&self) -> Option<f64> {
        match &self.value {
            Value::Integer(Some(integer)) => integer.to_string().parse().ok(),
            Value::Float(float) => Some(*float),
            Value::Word(word) => word.parse().ok(),
            _ => None,
        }
    }

    /// Returns the value as true or false.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            Value::Word(word) => word.parse().ok(),
            _ => None,
        }
    }

    /// Returns the error that the value is of another type than `wanted`.
    pub(crate) fn wrong_type(&self, key: &str, wanted: &str) -> ConfigError {
        let message = format!("`{key}` takes {wanted}, but this is {}", self.describe());
        ConfigError::at(ErrorKind::WrongType, &self.span, message)
            .label(format!("expected {wanted}"))
    }

    /// Returns the table, or the error that the value is none.
    pub(crate) fn table(&self, key: &str) -> Result<&Table, ConfigError> {
        match &self.value {
            Value::Table(table) => Ok(table),
            _ => Err(self.wrong_type(key, "a table")),
        }
    }
}

impl Table {
    /// Returns the entry of `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.text == key)
    }

    /// Returns a table with this one entry.
    pub(crate) fn of(key: Key, node: Node) -> Self {
        Self {
            entries: vec![Entry { key, node }],
        }
    }
}

fn is_integer(word: &str) -> bool {
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads `source` as a TOML document. Syntax errors go to `findings`, all that the parser can tell apart.
pub(crate) fn parse(source: &Source, findings: &mut Findings) -> Option<Table> {
    let (root, errors) = DeTable::parse_recoverable(source.text());
    if errors.is_empty() {
        return Some(Reading { source, offset: 0 }.table(root.get_ref()));
    }
    add_syntax_errors(source, 0..source.text().len(), &errors, findings);
    None
}

/// Reads the part `range` of `source` as one TOML value.
pub(crate) fn parse_value(
    source: &Source,
    range: Range<usize>,
    findings: &mut Findings,
) -> Option<Node> {
    let text = source.text().get(range.clone()).unwrap_or_default();
    let (value, errors) = DeValue::parse_recoverable(text);
    if errors.is_empty() {
        let reading = Reading {
            source,
            offset: range.start,
        };
        return Some(reading.node(&value));
    }
    add_syntax_errors(source, range, &errors, findings);
    None
}

/// Takes down the parser's errors: of those at one place only the first, as the others follow from it.
fn add_syntax_errors(
    source: &Source,
    within: Range<usize>,
    errors: &[toml::de::Error],
    findings: &mut Findings,
) {
    const LOOKED_AT: usize = 1_000;
    let mut last: Option<usize> = None;
    for error in errors.iter().take(LOOKED_AT) {
        let span = match error.span() {
            Some(span) => source.span(within.start + span.start..within.start + span.end),
            None => source.span(within.end..within.end),
        };
        let start = span.range().start;
        let since = last
            .replace(start)
            .map(|last| last.min(start)..last.max(start));
        let between = since.and_then(|since| source.text().get(since));
        if between.is_some_and(|between| !between.contains('\n')) {
            continue;
        }
        findings.add(syntax_error(error.message(), &span));
    }
}

/// Words of the parser that say little to people, and what they mean. It is a table of courtesies: a message that is
/// not in it is shown as it is.
const PLAINER: [(&str, &str, &str); 4] = [
    ("duplicate key", "this is given twice", "the second time"),
    (
        "invalid basic string",
        "a text without an end",
        "expected `\"`",
    ),
    (
        "invalid literal string",
        "a text without an end",
        "expected `'`",
    ),
    (
        "unexpected leading zero",
        "a number with a leading zero",
        "write permission bits as text, like \"077\"",
    ),
];

/// Returns the error of the parser, in words for people.
fn syntax_error(message: &str, span: &Span) -> ConfigError {
    let error =
        |what: &str| ConfigError::at(ErrorKind::Syntax, span, format!("invalid TOML: {what}"));
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    if let Some((_, plain, label)) = PLAINER.iter().find(|(theirs, ..)| *theirs == what) {
        return error(plain).label(*label);
    }
    let word = shown(span.text().trim());
    match (what, expected) {
        ("string values must be quoted", _) if word.is_empty() => {
            error("a value is missing").label("expected a value, like \"text\", 5 or true")
        }
        ("string values must be quoted", _) => error("a text without quotes")
            .label("expected a value, like \"text\", 5 or true")
            .hint(format!("write `\"{word}\"`")),
        (_, "" | "nothing") => error(what).label("here"),
        _ => error(what).label(format!("expected {expected}")),
    }
}

/// The text a tree is read from, and where in it the reading starts.
struct Reading<'a> {
    source: &'a Source,
    offset: usize,
}

impl Reading<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        self.source
            .span(self.offset + range.start..self.offset + range.end)
    }

    fn table(&self, table: &DeTable<'_>) -> Table {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                key: Key {
                    text: key.get_ref().to_string(),
                    span: self.span(key.span()),
                },
                node: self.node(value),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key.span.range().start);
        Table { entries }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let span = self.span(value.span());
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(integer) => {
                Value::Integer(i128::from_str_radix(integer.as_str(), integer.radix()).ok())
            }
            DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(boolean) => Value::Bool(*boolean),
            DeValue::Datetime(_) => Value::Date,
            DeValue::Array(list) => Value::List(list.iter().map(|item| self.node(item)).collect()),
            DeValue::Table(table) => Value::Table(self.table(table)),
        };
        Node { span, value }
    }
}
