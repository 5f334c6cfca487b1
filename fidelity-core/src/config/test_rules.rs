//! `[[tests]]`: what the configuration says of tests, by filterset. Decides which rules are sound.

use crate::domain::Severity;
use crate::suite::filterset::{Filterset, FiltersetError};

use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::model::{Entry, Node, Table, Value};
use super::printable::quoted;
use super::source::{Origin, Span};
use super::suggest;

/// The most rules of a configuration.
const MOST: usize = 1_000;

/// The keys of a rule, each with what it says, for people.
pub(crate) const RULE_KEYS: [(&str, &str); 2] = [
    (
        "filter",
        "the tests it is about, as a filterset like that of `-E`",
    ),
    (
        "severity",
        "how bad it is if what they check does not hold in production, where their authors do not say it",
    ),
];

/// What is said of some tests.
#[derive(Clone, Debug, PartialEq)]
pub struct TestRule {
    /// Which tests.
    pub filter: Filterset,
    /// How bad it is if what they check does not hold in production.
    pub severity: Severity,
    /// Where it is written, for people: `fidelity.toml:12`, or `command line`.
    pub place: String,
}

/// Reads the rules. What is wrong with them goes to `findings`.
pub(super) fn read(node: &Node, findings: &mut Findings) -> Vec<TestRule> {
    let Value::List(items) = &node.value else {
        findings.add(
            node.wrong_type("tests", "a list of tables")
                .hint("write `[[tests]]`, with `filter` and `severity` below it"),
        );
        return Vec::new();
    };
    if MOST < items.len() {
        let message = format!(
            "{} rules are more than the {MOST} that are allowed",
            items.len()
        );
        findings.add(ConfigError::at(ErrorKind::OutOfRange, &node.span, message));
        return Vec::new();
    }
    let mut rules = Vec::new();
    for item in items {
        if let Some(table) = findings.keep(item.table("tests")) {
            rules.extend(rule(&item.span, table, findings));
        }
    }
    rules
}

fn rule(span: &Span, table: &Table, findings: &mut Findings) -> Option<TestRule> {
    let known = RULE_KEYS.map(|(name, _)| name);
    let unknown = table
        .entries
        .iter()
        .filter(|entry| !known.contains(&entry.key.text.as_str()));
    for Entry { key, .. } in unknown {
        let message = format!("unknown key {} in `[[tests]]`", quoted(&key.text));
        findings.add(
            ConfigError::at(ErrorKind::UnknownKey, &key.span, message)
                .label("expected `filter` or `severity`")
                .hint(suggest::hint(&key.text, known)),
        );
    }
    let mut get = |name: &str, example: &str| {
        let entry = table.get(name);
        if entry.is_none() {
            let message = format!("this rule for tests has no `{name}`");
            findings.add(
                ConfigError::at(ErrorKind::Malformed, span, message)
                    .label(format!("expected `{name}` in it"))
                    .hint(format!("write it like `{name} = {example}`")),
            );
        }
        entry
    };
    let filter = get("filter", "\"package(billing) & kind(e2e)\"");
    let severity = get("severity", "\"critical\"");
    let (filter, severity) = (filter?, severity?);
    let read = findings.keep(filterset(&filter.node));
    let severity = findings.keep(severity_of(&severity.node));
    Some(TestRule {
        filter: read?,
        severity: severity?,
        place: place(&filter.key.span),
    })
}

fn filterset(node: &Node) -> Result<Filterset, ConfigError> {
    let text = node
        .text()
        .ok_or_else(|| node.wrong_type("filter", "a filterset as text"))?;
    let parsed = text.parse::<Filterset>();
    let checked = parsed.and_then(|filter| filter.check_configured().map(|()| filter));
    checked.map_err(|error| {
        let message = format!("`filter` is no filterset for `[[tests]]`: {}", error.reason);
        ConfigError::at(ErrorKind::Malformed, &mistake(node, text, &error), message)
            .label("expected a filterset, like `test(refund) | package(billing)`")
    })
}

/// Returns where the mistake is: within the text where it is written as it is read, else all of it.
fn mistake(node: &Node, text: &str, error: &FiltersetError) -> Span {
    let written = node.span.text();
    let quotes = written.len().saturating_sub(text.len()) / 2;
    match written.get(quotes..quotes + text.len()) {
        Some(inner) if inner == text => {
            let end = error.bytes.end.max(error.bytes.start + 1);
            node.span.part(quotes + error.bytes.start..quotes + end)
        }
        _ => node.span.clone(),
    }
}

fn severity_of(node: &Node) -> Result<Severity, ConfigError> {
    let Some(text) = node.text() else {
        return Err(node.wrong_type("severity", "a word as text"));
    };
    let known = Severity::ALL
        .into_iter()
        .find(|known| known.as_str() == text);
    known.ok_or_else(|| {
        let message = format!("there is no severity {}", quoted(text));
        let words = Severity::ALL.map(Severity::as_str);
        ConfigError::at(ErrorKind::OutOfRange, &node.span, message)
            .label(format!("expected one of {}", suggest::list(words)))
            .maybe_hint(
                suggest::nearest_word(text, &words).map(|near| format!("did you mean `{near}`?")),
            )
    })
}

fn place(span: &Span) -> String {
    let name = span.source().name();
    match span.source().origin() {
        Origin::Argument => name.to_owned(),
        Origin::File(_) | Origin::BuiltIn => format!("{name}:{}", span.line_and_column().0),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Overrides, Source, resolve};

    fn rules(text: &str) -> Result<Vec<String>, String> {
        let source = Source::file("fidelity.toml", "fidelity.toml", text);
        let settings = resolve(Some(&source), &Overrides::default());
        let said = settings.map(|settings| {
            let rules = settings.tests.iter();
            rules
                .map(|rule| format!("{} {} {}", rule.filter, rule.severity, rule.place))
                .collect()
        });
        said.map_err(|errors| errors.render(true))
    }

    #[test]
    fn rules_are_read_in_order_with_the_line_they_stand_at() {
        let text = "[[tests]]\nfilter = \"package(billing)\"\nseverity = \"critical\"\n\n\
                    [[tests]]\nseverity = \"low\"\nfilter = 'test(/^demo/)'\n";
        let read = rules(text).unwrap();
        assert_eq!(
            read,
            [
                "package(billing) critical fidelity.toml:2",
                "test(/^demo/) low fidelity.toml:7"
            ]
        );
        assert_eq!(rules("").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_told_at_its_place() {
        let of = |filter: &str, severity: &str| {
            rules(&format!(
                "[[tests]]\nfilter = {filter}\nseverity = {severity}\n"
            ))
            .unwrap_err()
        };
        let all = [
            rules("[tests]\nfilter = \"all()\"\n").unwrap_err(),
            rules("tests = [1]\n").unwrap_err(),
            rules("[[tests]]\nfilter = \"all()\"\n").unwrap_err(),
            rules("[[tests]]\nfilter = \"all()\"\nseverity = \"low\"\nseverty = \"low\"\n")
                .unwrap_err(),
            of("\"all() & tset(a)\"", "\"low\""),
            of("'severity(low)'", "\"low\""),
            of("\"not verdict(flaky)\"", "\"low\""),
            of("7", "\"low\""),
            of("\"all()\"", "\"critcal\""),
            of("\"all()\"", "3"),
        ];
        insta::assert_snapshot!(all.join("\n\n"));
    }
}
