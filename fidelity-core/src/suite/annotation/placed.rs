//! Which tests the annotations of a binary are about, and what they come to where several hold for one test.
//!
//! Knows names; no file. A function's annotation holds for the test of its name; where there is no such test, for those
//! below it, which macros make of it (`cases::case_1`). A module's holds for every test in it. Further inside wins, argument by argument.

use std::collections::{BTreeMap, BTreeSet};

use super::super::SuiteTest;
use super::record::Record;
use crate::domain::{Annotation, BinaryId, Problem};

/// Annotations of one binary by the names they are about, and which of them some test has.
struct Names<'a> {
    functions: BTreeMap<String, Vec<&'a Record>>,
    modules: BTreeMap<String, Vec<&'a Record>>,
    /// Functions that are tests themselves: a module of the same name is another thing.
    tests: BTreeSet<String>,
    used: BTreeMap<String, ()>,
}

/// Has `tests`, all of one binary, say what `records` say of them. Returns what is odd about the records.
pub fn place(
    binary: &BinaryId,
    crate_name: &str,
    records: &[Record],
    tests: &mut [SuiteTest],
) -> Vec<Problem> {
    let mut strangers = Vec::new();
    let mut names = Names {
        functions: BTreeMap::new(),
        modules: BTreeMap::new(),
        tests: BTreeSet::new(),
        used: BTreeMap::new(),
    };
    for record in records {
        match name_within(crate_name, record) {
            Some(name) if record.of_module => names.modules.entry(name).or_default().push(record),
            Some(name) => names.functions.entry(name).or_default().push(record),
            None => strangers.push(record),
        }
    }
    let all = tests.iter().map(|test| &test.id.test);
    let of_functions = all.filter(|name| names.functions.contains_key(*name));
    names.tests = of_functions.cloned().collect();
    let mut at_large = Vec::new();
    for test in tests.iter_mut() {
        let Some((annotation, ignored)) = names.all_of(&test.id.test) else {
            continue;
        };
        let held = !annotation.profiles.is_empty();
        test.held_back = held && test.ignored && !ignored;
        if held && !test.ignored {
            at_large.push(test.id.test.clone());
        }
        if !annotation.is_empty() {
            test.annotation = Some(Box::new(annotation));
        }
    }
    let mut problems = names.problems(binary);
    if let Some(first) = at_large.first() {
        problems.push(problem(
            "runs-outside-its-profiles",
            format!(
                "tests of {binary} that a macro makes run outside their fidelity profiles under `cargo test` as well: {}, such as `{first}`",
                at_large.len()
            ),
        ));
    }
    if let Some(first) = strangers.first() {
        problems.push(problem(
            "annotation-without-test",
            format!(
                "annotations in {binary} about another crate are left out: {}, such as one in `{}`",
                strangers.len(),
                first.module
            ),
        ));
    }
    problems
}

impl Names<'_> {
    /// Returns what holds for a test, and whether its user ignores it; none if nothing is said.
    fn all_of(&mut self, test: &str) -> Option<(Annotation, bool)> {
        let mut merged = Annotation::default();
        let mut said = false;
        let ends = test.match_indices("::").map(|(at, _)| at);
        let mut function = None;
        for end in ends.chain([test.len()]) {
            let name = &test[..end];
            let is_about = end == test.len() || !self.tests.contains(name);
            if is_about && self.functions.contains_key(name) {
                function = Some(name);
            }
            if end == test.len() {
                break;
            }
            for record in self.modules.get(name).into_iter().flatten() {
                merged.override_with(&record.annotation);
                said = true;
            }
            if self.modules.contains_key(name) {
                self.used.insert(name.to_owned(), ());
            }
        }
        let mut ignored = false;
        if let Some(name) = function {
            for record in self.functions.get(name).into_iter().flatten() {
                merged.override_with(&record.annotation);
                ignored |= record.ignored;
                said = true;
            }
            self.used.insert(name.to_owned(), ());
        }
        said.then_some((merged, ignored))
    }

    fn problems(&self, binary: &BinaryId) -> Vec<Problem> {
        let mut problems = Vec::new();
        let all = self.functions.iter().chain(&self.modules);
        for (name, records) in all {
            let mut saying = records
                .iter()
                .filter(|record| !record.annotation.is_empty());
            let (Some(first), second) = (saying.next(), saying.next()) else {
                continue;
            };
            let place = &first.annotation.place;
            if !self.used.contains_key(name) {
                problems.push(problem(
                    "annotation-without-test",
                    format!("the annotation at {place} is about `{name}`, and {binary} lists no such test"),
                ));
            } else if let Some(second) = second {
                problems.push(problem(
                    "annotated-twice",
                    format!(
                        "`{name}` of {binary} is annotated twice, at {place} and at {}: the second wins where both say something",
                        second.annotation.place
                    ),
                ));
            }
        }
        problems
    }
}

/// Returns the name that a test of this record has within its binary; none where it is of another crate.
fn name_within(crate_name: &str, record: &Record) -> Option<String> {
    let path = record.module.strip_prefix(crate_name)?;
    match path.strip_prefix("::") {
        Some(modules) => Some(format!("{modules}::{}", record.name)),
        None if path.is_empty() => Some(record.name.clone()),
        None => None,
    }
}

fn problem(kind: &str, message: String) -> Problem {
    Problem {
        kind: kind.to_owned(),
        message,
    }
}

#[cfg(test)]
mod tests;
