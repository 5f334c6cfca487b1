//! Telling a command which tests to run. Pure but for one question: is there such a file?
//!
//! What is selected may be more than what was asked for, never less: only the tests of the pass are looked at afterwards.
//!
//! | tool | names in its reports | arguments |
//! |---|---|---|
//! | pytest | class `tests.test_a.TestB`, name `test_c[1]` | `tests/test_a.py::TestB::test_c[1]`, one each; without `[1]` where that varies |
//! | go | name `TestA/sub` | `-run ^(TestA)$`: a subtest by its test |
//! | maven | class `com.example.A`, name `a(int)[1]` | `-Dtest=com.example.A#a+b`: parameters by their method |
//! | jest | name `title of the whole path` | `-t ^(title\.one|title two)$` |
//! | node | name `title` | `--test-name-pattern=/^title$/`, one each |
//! | arguments | any | `{test}` and `{class}`: an argument each; `{tests}`: all names, with `join` between them |

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Select, SelectingTool};
use crate::ingest::junit::Case;

/// Arguments of more bytes in all are not passed: the system takes about 2 MiB, a fourth of the `stack` knob at most.
const ROOM: usize = 512 * 1024;
/// A single argument is taken up to 128 KiB.
const LONGEST: usize = 120 * 1024;

/// A test as its report names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    /// Its class; empty where the report has none.
    pub(super) class: String,
    /// Its name.
    pub(super) name: String,
    /// Whether the next report may write it otherwise: there are parts in it that differ from run to run.
    pub(super) varies: bool,
}

impl Named {
    /// Returns how a report names a case, which may `vary`.
    pub(super) fn of(case: &Case, varies: bool) -> Self {
        Self {
            class: case.classname.clone().unwrap_or_default(),
            name: case.name.clone(),
            varies,
        }
    }
}

/// Returns the arguments that make a command run `tests`, and maybe others; none where there is no way to say it, so that
/// the whole suite has to be run.
pub(super) fn arguments(
    select: &Select,
    tests: &[&Named],
    exists: &dyn Fn(&str) -> bool,
) -> Option<Vec<String>> {
    // A name that will be another one can be told to those alone that are told the whole it is a part of.
    let by_part = matches!(
        select,
        Select::Tool(SelectingTool::Pytest | SelectingTool::Go | SelectingTool::Maven)
    );
    if !by_part && tests.iter().any(|test| test.varies) {
        return None;
    }
    let arguments = match select {
        Select::Tool(SelectingTool::Pytest) => {
            let mut seen = BTreeSet::new();
            let ids = tests.iter().map(|test| node_id(test, exists));
            let mut ids: Vec<String> = ids.collect::<Option<_>>()?;
            ids.retain(|id| seen.insert(id.clone()));
            ids
        }
        Select::Tool(SelectingTool::Go) => {
            let whole = |test: &&Named| test.name.split('/').next().unwrap_or_default().to_owned();
            let names: BTreeSet<String> = tests.iter().map(whole).collect();
            vec!["-run".to_owned(), any_of(names.iter().map(String::as_str))]
        }
        Select::Tool(SelectingTool::Maven) => vec![format!("-Dtest={}", methods(tests)?)],
        Select::Tool(SelectingTool::Jest) => {
            let names = tests.iter().map(|test| test.name.as_str());
            vec!["-t".to_owned(), any_of(names)]
        }
        Select::Tool(SelectingTool::Node) => {
            let pattern =
                |test: &&Named| format!("--test-name-pattern=/^{}$/", literal(&test.name));
            let patterns: BTreeSet<String> = tests.iter().map(pattern).collect();
            patterns.into_iter().collect()
        }
        Select::Arguments { arguments, join } => by_template(arguments, join, tests),
    };
    let fits = arguments.iter().all(|argument| argument.len() <= LONGEST)
        && arguments.iter().map(|it| it.len() + 9).sum::<usize>() <= ROOM
        && !arguments.iter().any(|argument| argument.contains('\0'));
    fits.then_some(arguments)
}

/// Returns the node id of a test of pytest, whose report writes the path of its module with dots.
fn node_id(test: &Named, exists: &dyn Fn(&str) -> bool) -> Option<String> {
    let parts: Vec<&str> = test.class.split('.').collect();
    let module = (1..=parts.len()).rev().find_map(|length| {
        let path = format!("{}.py", parts[..length].join("/"));
        exists(&path).then_some((path, length))
    });
    let (path, length) = module?;
    let classes = parts[length..].iter().map(|class| format!("{class}::"));
    // With all its parameters, so that they come in the same order as in the whole suite.
    let name = match test.varies {
        true => test.name.split_once('[')?.0,
        false => &test.name,
    };
    Some(format!("{path}::{}{name}", classes.collect::<String>()))
}

/// Returns what `-Dtest` takes; none where a report names no class.
fn methods(tests: &[&Named]) -> Option<String> {
    // A method comes with its parameters, `a(int)[1]`; one that is called by a sentence is run with its class.
    let method = |name: &str| {
        let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        match end {
            None => name.to_owned(),
            Some(end) if name[end..].starts_with(['(', '[', '{']) => name[..end].to_owned(),
            Some(_) => String::new(),
        }
    };
    let mut classes: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for test in tests {
        let methods = classes.entry(&test.class).or_default();
        methods.insert(method(&test.name));
    }
    if classes.contains_key("") {
        return None;
    }
    let classes = classes.into_iter().map(|(class, methods)| {
        if methods.contains("") {
            class.to_owned()
        } else {
            let methods: Vec<String> = methods.into_iter().collect();
            format!("{class}#{}", methods.join("+"))
        }
    });
    Some(classes.collect::<Vec<_>>().join(","))
}

/// Returns the regular expression that matches these names as a whole.
fn any_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(literal).collect();
    format!("^({})$", names.join("|"))
}

/// Returns the regular expression for exactly this text, in Go and in JavaScript.
fn literal(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$/".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn by_template(arguments: &[String], join: &str, tests: &[&Named]) -> Vec<String> {
    let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
    let all = names.join(join);
    let each = |argument: &String| -> Vec<String> {
        if argument.contains("{test}") || argument.contains("{class}") {
            // In one go, so that a name with braces in it stays what it is.
            tests.iter().map(|test| named(argument, test)).collect()
        } else {
            vec![argument.replace("{tests}", &all)]
        }
    };
    arguments.iter().flat_map(each).collect()
}

/// Returns `argument` with the names of `test` in it.
fn named(argument: &str, test: &Named) -> String {
    let mut written = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find('{') {
        written.push_str(&rest[..at]);
        rest = &rest[at..];
        let blanks = [("{test}", &test.name), ("{class}", &test.class)];
        match blanks.iter().find(|(blank, _)| rest.starts_with(blank)) {
            Some((blank, text)) => {
                written.push_str(text);
                rest = &rest[blank.len()..];
            }
            None => {
                written.push('{');
                rest = &rest[1..];
            }
        }
    }
    written + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(class: &str, name: &str) -> Named {
        Named {
            class: class.to_owned(),
            name: name.to_owned(),
            varies: false,
        }
    }

    fn selected(tool: SelectingTool, tests: &[(&str, &str)]) -> Option<Vec<String>> {
        let tests: Vec<Named> = tests
            .iter()
            .map(|(class, name)| named(class, name))
            .collect();
        let files = ["tests/test_a.py", "test_top.py", "tests/deep/test_b.py"];
        arguments(
            &Select::Tool(tool),
            &tests.iter().collect::<Vec<_>>(),
            &|path| files.contains(&path),
        )
    }

    #[test]
    fn pytest_gets_node_ids_whatever_is_in_brackets() {
        let ids = selected(
            SelectingTool::Pytest,
            &[
                ("tests.test_a", "test_plain"),
                ("tests.test_a.TestB.TestInner", "test_c[a b-ü/x::y]"),
                ("test_top", "test_d"),
                ("tests.deep.test_b", "test_e"),
            ],
        );
        assert_eq!(
            ids.unwrap(),
            [
                "tests/test_a.py::test_plain",
                "tests/test_a.py::TestB::TestInner::test_c[a b-ü/x::y]",
                "test_top.py::test_d",
                "tests/deep/test_b.py::test_e",
            ]
        );
        assert_eq!(
            selected(SelectingTool::Pytest, &[("no.such", "test_f")]),
            None
        );
        assert_eq!(selected(SelectingTool::Pytest, &[("", "test_f")]), None);
    }

    #[test]
    fn a_name_that_varies_is_selected_with_the_whole_it_is_a_part_of() {
        let varying = |name: &str| Named {
            varies: true,
            ..named("test_top", name)
        };
        let tests = [
            varying("test_a[seed=1]"),
            varying("test_a[seed=2]"),
            named("test_top", "test_b[1]"),
        ];
        let tests: Vec<&Named> = tests.iter().collect();
        let by = |select: &Select| arguments(select, &tests, &|path| path == "test_top.py");
        let pytest = by(&Select::Tool(SelectingTool::Pytest)).unwrap();
        assert_eq!(pytest, ["test_top.py::test_a", "test_top.py::test_b[1]"]);
        assert_eq!(by(&Select::Tool(SelectingTool::Jest)), None);
        let whole = varying("a seed 1");
        let select = Select::Tool(SelectingTool::Pytest);
        assert_eq!(arguments(&select, &[&whole], &|_| true), None);
    }

    #[test]
    fn go_gets_the_tests_that_subtests_belong_to() {
        let tests = [
            ("p", "TestA"),
            ("p", "TestB/sub_1"),
            ("p", "TestB/sub_2"),
            ("q", "TestA"),
        ];
        assert_eq!(
            selected(SelectingTool::Go, &tests).unwrap(),
            ["-run", "^(TestA|TestB)$"]
        );
    }

    #[test]
    fn maven_gets_methods_by_class_without_their_parameters() {
        let tests = [
            ("com.example.ATest", "adds"),
            ("com.example.ATest", "divides(int, int)[2]"),
            ("com.example.ATest", "divides(int, int)[1]"),
            ("com.example.BTest$Inner", "one{String}"),
            ("com.example.CTest", "a sentence is run with its class"),
            ("com.example.CTest", "other"),
        ];
        assert_eq!(
            selected(SelectingTool::Maven, &tests).unwrap(),
            ["-Dtest=com.example.ATest#adds+divides,com.example.BTest$Inner#one,com.example.CTest"]
        );
        assert_eq!(selected(SelectingTool::Maven, &[("", "adds")]), None);
    }

    #[test]
    fn jest_and_node_get_whole_names_as_expressions() {
        let tests = [("f", "sums (1 + 1) | [x]"), ("f", "a/b $c")];
        assert_eq!(
            selected(SelectingTool::Jest, &tests).unwrap(),
            ["-t", r"^(sums \(1 \+ 1\) \| \[x\]|a\/b \$c)$"]
        );
        assert_eq!(
            selected(SelectingTool::Node, &tests).unwrap(),
            [
                r"--test-name-pattern=/^a\/b \$c$/",
                r"--test-name-pattern=/^sums \(1 \+ 1\) \| \[x\]$/",
            ]
        );
    }

    #[test]
    fn a_template_takes_names_joined_or_one_by_one() {
        let (one, two) = (named("C", "one"), named("D", "{class} two"));
        let with = |arguments: &[&str]| {
            let select = Select::Arguments {
                arguments: arguments.iter().map(ToString::to_string).collect(),
                join: " or ".to_owned(),
            };
            super::arguments(&select, &[&one, &two], &|_| false).unwrap()
        };
        assert_eq!(with(&["-k", "{tests}"]), ["-k", "one or {class} two"]);
        assert_eq!(with(&["--", "{test}"]), ["--", "one", "{class} two"]);
        assert_eq!(
            with(&["--only={class}#{test}{}"]),
            ["--only=C#one{}", "--only=D#{class} two{}"]
        );
    }

    #[test]
    fn what_no_process_could_be_given_is_not_selected() {
        let long = "x".repeat(LONGEST);
        let tests: Vec<(&str, &str)> = vec![("", &long), ("", &long)];
        assert_eq!(selected(SelectingTool::Jest, &tests), None);
        let names: Vec<String> = (0..20_000).map(|n| format!("test_plain[{n}]")).collect();
        let many: Vec<_> = names
            .iter()
            .map(|name| ("tests.test_a", name.as_str()))
            .collect();
        assert_eq!(selected(SelectingTool::Pytest, &many), None);
        assert_eq!(selected(SelectingTool::Jest, &[("", "a\0b")]), None);
    }
}
