//! `[runner]`: how tests are run.
//!
//! Keys are read one by one, from the file and the command line alike; whether they go together is judged when all are
//! known. What a command makes of its placeholders, the runner knows.

use crate::domain::{RunnerKind, RunnerSettings, Select, SelectingTool};
use crate::ingest::naming::Rule;

use super::diagnostics::{ConfigError, ErrorKind, Findings};
use super::document::Written;
use super::model::{Entry, Key, Node, Value};
use super::policy_reader::duration;
use super::printable::quoted;
use super::source::Span;
use super::suggest;

/// A key of `[runner]`.
pub(crate) struct RunnerKey {
    pub(crate) name: &'static str,
    /// What it says, for people.
    pub(crate) help: &'static str,
    /// A value, as TOML.
    pub(crate) example: &'static str,
    pub(crate) kind: KeyKind,
    /// The kind of runner it is for; none for any.
    of: Option<RunnerKind>,
}

/// What a key of `[runner]` takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Kind,
    Words,
    Text,
    Select,
    Rules,
    Duration,
}

/// The shortest and the longest time limit of a pass, in milliseconds.
pub(crate) const TIMEOUTS: (u64, u64) = (1_000, 7 * 86_400_000);

/// Every key, in the order of documents.
pub(crate) const RUNNER_KEYS: [RunnerKey; 10] = [
    RunnerKey {
        name: "kind",
        help: "auto, direct, nextest, or command: any suite that writes JUnit",
        example: "\"auto\"",
        kind: KeyKind::Kind,
        of: None,
    },
    RunnerKey {
        name: "command",
        help: "runs the whole suite once; {dir}: a new directory for each pass",
        example: "[\"pytest\", \"--junitxml={dir}/junit.xml\"]",
        kind: KeyKind::Words,
        of: Some(RunnerKind::Command),
    },
    RunnerKey {
        name: "junit",
        help: "where its reports are; what a pass did not write is not read",
        example: "[\"{dir}/*.xml\"]",
        kind: KeyKind::Words,
        of: Some(RunnerKind::Command),
    },
    RunnerKey {
        name: "directory",
        help: "where it runs, from here",
        example: "\"server\"",
        kind: KeyKind::Text,
        of: Some(RunnerKind::Command),
    },
    RunnerKey {
        name: "select",
        help: "how it is told to run some tests only: pytest, go, maven, jest, node, or arguments",
        example: "[\"-k\", \"{tests}\"]",
        kind: KeyKind::Select,
        of: Some(RunnerKind::Command),
    },
    RunnerKey {
        name: "check",
        help: "has to succeed under an arm before the arm counts",
        example: "[\"pytest\", \"--version\"]",
        kind: KeyKind::Words,
        of: Some(RunnerKind::Command),
    },
    RunnerKey {
        name: "inputs",
        help: "files that are the code under test; otherwise what git does not ignore",
        example: "[\"src/**\", \"tests/**\"]",
        kind: KeyKind::Words,
        of: Some(RunnerKind::Command),
    },
    RunnerKey {
        name: "keep-names",
        help: "rules for names in reports that do not hold: stress, seeds, parameters, paths, spaces",
        example: "[\"seeds\"]",
        kind: KeyKind::Rules,
        of: Some(RunnerKind::Command),
    },
    RunnerKey {
        name: "timeout",
        help: "of a whole pass; 30m unless given",
        example: "\"30m\"",
        kind: KeyKind::Duration,
        of: None,
    },
    RunnerKey {
        name: "profile",
        help: "the profile of cargo-nextest",
        example: "\"ci\"",
        kind: KeyKind::Text,
        of: Some(RunnerKind::Nextest),
    },
];

/// `[runner]` as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct WrittenRunner {
    settings: RunnerSettings,
    kind: Option<Written<RunnerKind>>,
    /// The keys that are given, and where.
    given: Vec<Key>,
}

impl WrittenRunner {
    /// Reads the table at `node`: what it does not name stays.
    pub(crate) fn read(&mut self, node: &Node, findings: &mut Findings) {
        let Some(table) = findings.keep(node.table("runner")) else {
            return;
        };
        for Entry { key, node } in &table.entries {
            let Some(row) = RUNNER_KEYS.iter().find(|row| row.name == key.text) else {
                findings.add(unknown(key));
                continue;
            };
            // Also where the value is wrong: that is told once.
            self.given.retain(|given| given.text != key.text);
            self.given.push(key.clone());
            self.read_key(row, node, findings);
        }
    }

    fn read_key(&mut self, row: &RunnerKey, node: &Node, findings: &mut Findings) {
        let settings = &mut self.settings;
        match row.name {
            "kind" => {
                self.kind = findings.keep(read_kind(node)).map(|value| Written {
                    value,
                    span: node.span.clone(),
                });
            }
            "select" => settings.select = findings.keep(read_select(node)),
            "timeout" => {
                settings.timeout_ms = findings.keep(duration(row.name, node, TIMEOUTS));
            }
            "directory" => settings.directory = findings.keep(read_text(row, node)),
            "profile" => settings.profile = findings.keep(read_text(row, node)),
            "keep-names" => {
                settings.keep_names = findings.keep(read_rules(row, node)).unwrap_or_default();
            }
            name => {
                let words = findings.keep(read_words(row, node)).unwrap_or_default();
                match name {
                    "command" => settings.command = words,
                    "junit" => settings.junit = words,
                    "check" => settings.check = words,
                    _ => settings.inputs = words,
                }
            }
        }
    }

    /// Returns the settings, if what is written goes together.
    pub(crate) fn settings(&self, findings: &mut Findings) -> RunnerSettings {
        let mut settings = self.settings.clone();
        let command = self.given.iter().find(|key| key.text == "command");
        settings.kind = match (&self.kind, command) {
            (Some(kind), _) => kind.value,
            (None, Some(_)) => RunnerKind::Command,
            (None, None) => RunnerKind::Auto,
        };
        if settings.kind == RunnerKind::Auto && command.is_some() {
            settings.kind = RunnerKind::Command;
        }
        for key in &self.given {
            let row = RUNNER_KEYS.iter().find(|row| row.name == key.text);
            let Some(of) = row.and_then(|row| row.of) else {
                continue;
            };
            let fits = settings.kind == of
                || of == RunnerKind::Nextest && settings.kind == RunnerKind::Auto;
            if !fits {
                findings.add(out_of_place(key, of, self.kind.as_ref()));
            }
        }
        if settings.kind == RunnerKind::Command {
            let place = command.map(|key| &key.span);
            let place = place.or(self.kind.as_ref().map(|kind| &kind.span));
            if let Some(place) = place {
                self.check_command(&settings, place, findings);
            }
        }
        settings
    }

    fn check_command(&self, settings: &RunnerSettings, place: &Span, findings: &mut Findings) {
        let given = |name: &str| self.given.iter().any(|key| key.text == name);
        if !given("command") {
            let message = "the runner `command` needs a command";
            let error = ConfigError::at(ErrorKind::Malformed, place, message);
            findings.add(error.label("expected `command` beside it").hint(
                "write `command = [\"pytest\", \"--junitxml={dir}/junit.xml\"]`, or what runs your suite",
            ));
        } else if !given("junit") {
            let message = "nothing says where the reports of this command are";
            let error = ConfigError::at(ErrorKind::Malformed, place, message);
            findings.add(error.label("expected `junit` beside it").hint(
                "write `junit = [\"{dir}/*.xml\"]` where the command can be told `{dir}`, or where it writes, like \
                 `junit = [\"target/surefire-reports/*.xml\"]`",
            ));
        } else if settings.select.is_none()
            && settings.command.iter().any(|word| word == "{select}")
        {
            let message = "this command has a place for selected tests, but no way to select";
            let error = ConfigError::at(ErrorKind::Malformed, place, message);
            findings.add(
                error
                    .label("expected `select` beside it")
                    .hint("write `select = \"pytest\"` or the like, or leave out `{select}`"),
            );
        }
    }
}

fn unknown(key: &Key) -> ConfigError {
    let message = format!("unknown key {} in `[runner]`", quoted(&key.text));
    ConfigError::at(ErrorKind::UnknownKey, &key.span, message)
        .label("expected a key of `[runner]`")
        .hint(suggest::hint(
            &key.text,
            RUNNER_KEYS.iter().map(|row| row.name),
        ))
}

fn out_of_place(key: &Key, of: RunnerKind, kind: Option<&Written<RunnerKind>>) -> ConfigError {
    let message = format!("`{}` is only for the runner `{}`", key.text, of.word());
    let error = ConfigError::at(ErrorKind::Conflict, &key.span, message);
    match kind {
        Some(kind) => error.related(&kind.span, "but this is another"),
        None => error.hint(match of {
            RunnerKind::Command => "name the command: `command = [\"npm\", \"test\"]`".to_owned(),
            _ => format!("write `kind = \"{}\"`", of.word()),
        }),
    }
}

fn read_kind(node: &Node) -> Result<RunnerKind, ConfigError> {
    let Some(text) = node.text() else {
        return Err(node.wrong_type("kind", "a word as text"));
    };
    let known = RunnerKind::ALL.into_iter().find(|kind| kind.word() == text);
    known.ok_or_else(|| {
        let message = format!("there is no runner {}", quoted(text));
        let words = RunnerKind::ALL.map(RunnerKind::word);
        ConfigError::at(ErrorKind::OutOfRange, &node.span, message)
            .label(format!("expected one of {}", suggest::list(words)))
    })
}

fn read_text(row: &RunnerKey, node: &Node) -> Result<String, ConfigError> {
    match node.text() {
        Some("") => {
            let message = format!("`{}` is empty", row.name);
            let error = ConfigError::at(ErrorKind::Malformed, &node.span, message);
            Err(error.hint(format!("write it like `{} = {}`", row.name, row.example)))
        }
        Some(text) => whole(row.name, node, text),
        None => Err(node.wrong_type(row.name, "a text")),
    }
}

/// Returns `text`, which is `node` or part of it, if a process can be given it.
fn whole(name: &str, node: &Node, text: &str) -> Result<String, ConfigError> {
    if text.contains('\0') {
        let message = format!("`{name}` cannot hold a NUL character");
        return Err(ConfigError::at(ErrorKind::Malformed, &node.span, message));
    }
    Ok(text.to_owned())
}

fn read_words(row: &RunnerKey, node: &Node) -> Result<Vec<String>, ConfigError> {
    let Value::List(items) = &node.value else {
        let error = node.wrong_type(row.name, "a list of texts");
        let Some(text) = node.text() else {
            return Err(error);
        };
        // What a shell would do with the text is not guessed.
        let words: Vec<String> = text
            .split_whitespace()
            .map(|word| format!("\"{word}\""))
            .collect();
        return Err(error.hint(format!(
            "write it like `{} = [{}]`",
            row.name,
            words.join(", ")
        )));
    };
    let words: Vec<String> = items
        .iter()
        .map(|item| match item.text() {
            Some(text) => whole(row.name, item, text),
            None => Err(item.wrong_type(row.name, "texts only")),
        })
        .collect::<Result<_, _>>()?;
    if words.first().is_none_or(String::is_empty) {
        let message = format!("`{}` names nothing", row.name);
        let error = ConfigError::at(ErrorKind::Malformed, &node.span, message);
        return Err(error.hint(format!("write it like `{} = {}`", row.name, row.example)));
    }
    Ok(words)
}

/// Reads rules for names.
fn read_rules(row: &RunnerKey, node: &Node) -> Result<Vec<String>, ConfigError> {
    let words = read_words(row, node)?;
    let Value::List(items) = &node.value else {
        return Ok(words);
    };
    for (word, item) in words.iter().zip(items) {
        if Rule::named(word).is_none() {
            let message = format!("no rule for names is called {}", quoted(word));
            let rules = Rule::ALL.map(Rule::word);
            let error = ConfigError::at(ErrorKind::OutOfRange, &item.span, message);
            return Err(error.hint(suggest::hint(word, rules)));
        }
    }
    Ok(words)
}

/// What stands between names where nothing else is said.
const JOIN: &str = " ";

fn read_select(node: &Node) -> Result<Select, ConfigError> {
    let row = &RUNNER_KEYS[4];
    match &node.value {
        Value::Text(text) | Value::Word(text) => {
            let tool = SelectingTool::ALL
                .into_iter()
                .find(|tool| tool.word() == text);
            tool.map(Select::Tool).ok_or_else(|| {
                let words = SelectingTool::ALL.map(SelectingTool::word);
                let message = format!("how to select tests of {} is not known", quoted(text));
                ConfigError::at(ErrorKind::OutOfRange, &node.span, message)
                    .label(format!("expected one of {}", suggest::list(words)))
                    .hint(format!(
                        "or write the arguments: `select = {}`",
                        row.example
                    ))
            })
        }
        Value::List(_) => {
            let arguments = read_words(row, node)?;
            select_by(node, arguments, JOIN.to_owned())
        }
        Value::Table(table) => {
            let (mut arguments, mut join) = (None, JOIN.to_owned());
            for Entry { key, node } in &table.entries {
                match key.text.as_str() {
                    "arguments" => arguments = Some(read_words(row, node)?),
                    "join" => {
                        let text = node
                            .text()
                            .ok_or_else(|| node.wrong_type("join", "a text"))?;
                        join = whole("join", node, text)?;
                    }
                    text => {
                        let message = format!("unknown key {} in `select`", quoted(text));
                        let error = ConfigError::at(ErrorKind::UnknownKey, &key.span, message);
                        return Err(error.hint(suggest::hint(text, ["arguments", "join"])));
                    }
                }
            }
            select_by(node, arguments.unwrap_or_default(), join)
        }
        _ => Err(node.wrong_type("select", "the name of a tool or a list of arguments")),
    }
}

fn select_by(node: &Node, arguments: Vec<String>, join: String) -> Result<Select, ConfigError> {
    let named = |argument: &String| argument.contains("{test}") || argument.contains("{tests}");
    if arguments.iter().any(named) {
        return Ok(Select::Arguments { arguments, join });
    }
    let message = "these arguments name no test";
    Err(ConfigError::at(ErrorKind::Malformed, &node.span, message)
        .label("expected `{tests}` or `{test}` in an argument")
        .hint("`{tests}` is all names in one argument, `{test}` makes an argument for each test"))
}
