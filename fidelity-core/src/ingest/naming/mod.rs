//! One name for one test, whichever runner wrote the report and wherever it ran.
//!
//! A report names a test by suites, a class and a name; we by binary and test ([`TestId`]). The mapping, first row that applies:
//!
//! | report | binary | test |
//! |---|---|---|
//! | class = suite: cargo-nextest, Surefire, Gradle, go-junit-report, gtest | the suite | the name |
//! | libtest's `--format junit` and cargo2junit | the known binary with such a test, if there is one only; else the suite | class`::`name |
//! | a class, and the name does not end with it | the class | the name |
//! | no class, or one that repeats the name's end (mocha, jest) | the suites, joined by ` > ` | the name |
//!
//! Where a class stands the suite does not matter: tools put browsers, shards and machines there. A case without a name is called
//! by its class, else its file, else `(unnamed)`. Then both parts lose what differs from run to run: see [`Rules`], each of which
//! can be switched off.
//!
//! Tests of one name in one pass are trials of one test. [`Names`] numbers them, and says so. Names of one report that differ and that
//! the rules would make one are different tests all the same: the second is called `NAME #2`, in the order of the report, and that is
//! said too.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::junit::{Case, Problem, ProblemKind};
use crate::config::printable::shown;
use crate::domain::{BinaryId, TestId};

mod paths;
mod rules;
#[cfg(test)]
mod tests;

pub use rules::{Rule, Rules};

/// Classes that libtest's own JUnit writes where a test's class is not its module.
const NO_MODULE: [&str; 2] = ["integration", "unknown"];

/// A trial's test and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The test.
    pub id: TestId,
    /// 0 for the first trial of this test in the pass. Only that one is evidence.
    pub attempt: u16,
    /// Whether a rule changed its name, so that it may be written otherwise in the next run.
    pub varies: bool,
}

/// What a test was called where its name was first seen.
struct Seen {
    /// How often.
    trials: u32,
    /// A hash of suite, class and name as written.
    written: u64,
    /// The name as written.
    name: String,
}

/// Names that differ and that the rules would make one.
struct Twins {
    /// The name of the first as written.
    first: String,
    /// Binary and test as written, with their numbers from 1 in the order of the report.
    numbers: BTreeMap<(String, String), usize>,
}

/// A trial's test.
struct Named {
    id: TestId,
    /// Whether a rule changed its name.
    varies: bool,
    /// The name as written of the first of twins, where this is the first trial of another of them.
    twin_of: Option<String>,
}

/// The names of one pass: give it every case of every report of the pass, in order.
///
/// Holds memory in proportion to the number of different names.
pub struct Names {
    rules: Rules,
    known: BTreeMap<String, Option<BinaryId>>,
    seen: BTreeMap<(Option<u32>, TestId), Seen>,
    /// Of names that a rule changed.
    twins: BTreeMap<(Option<u32>, TestId), Twins>,
    problems: Vec<Problem>,
}

impl Names {
    /// Returns the names of a pass in which nothing was seen yet.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            known: BTreeMap::new(),
            seen: BTreeMap::new(),
            twins: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// Adds tests that are known from elsewhere, so that reports which do not say the binary find it.
    #[must_use]
    pub fn knowing<'a>(mut self, tests: impl IntoIterator<Item = &'a TestId>) -> Self {
        for id in tests {
            self.known
                .entry(id.test.clone())
                .and_modify(|binary| {
                    if binary.as_ref() != Some(&id.binary) {
                        *binary = None;
                    }
                })
                .or_insert_with(|| Some(id.binary.clone()));
        }
        self
    }

    /// Begins another report of the pass.
    pub fn begin_report(&mut self) {
        self.twins.clear();
    }

    /// Returns test and number of a trial. `source` is the report it stands in.
    ///
    /// Passes of a stress run (suites `NAME@stress-N`) are numbered apart.
    pub fn place(&mut self, case: &Case, source: &str) -> Placed {
        let Named {
            id,
            varies,
            twin_of,
        } = self.named(case);
        if let Some(first) = twin_of {
            let message = format!(
                "`{}` and `{}` have one name by the rules for names: the second is called `{}`",
                shown(&first),
                shown(&case.name),
                shown(&id.test)
            );
            self.note(ProblemKind::Merged, source, case.at, message);
        }
        let written = written(case);
        let stress = self.stress(case);
        let seen = self
            .seen
            .entry((stress, id.clone()))
            .or_insert_with(|| Seen {
                trials: 0,
                written,
                name: case.name.clone(),
            });
        let attempt = u16::try_from(seen.trials).unwrap_or(u16::MAX);
        seen.trials = seen.trials.saturating_add(1);
        // Retries of one element are no repetition.
        if attempt > 0 && case.attempt == 0 {
            let (kind, message) = if seen.written == written {
                let message = format!(
                    "`{}` is there more than once: further trials of one test",
                    shown(&id.test)
                );
                (ProblemKind::Repeated, message)
            } else if seen.name == case.name {
                let message = format!(
                    "`{}` is there in more than one suite: further trials of one test",
                    shown(&id.test)
                );
                (ProblemKind::Repeated, message)
            } else {
                let message = format!(
                    "`{}` and `{}` are one test by the rules for names: further trials of it",
                    shown(&seen.name),
                    shown(&case.name)
                );
                (ProblemKind::Merged, message)
            };
            self.note(kind, source, case.at, message);
        }
        Placed {
            id,
            attempt,
            varies,
        }
    }

    /// Returns the test of a trial, as [`Self::place`] does, without a number and without taking note of it.
    pub fn identity(&mut self, case: &Case) -> TestId {
        self.named(case).id
    }

    /// Returns the suite's number in a stress run, where that is no part of the name.
    fn stress(&self, case: &Case) -> Option<u32> {
        case.suite.stress.filter(|_| self.rules.is_on(Rule::Stress))
    }

    fn named(&mut self, case: &Case) -> Named {
        let (mut id, written) = identified(case, &self.rules);
        if is_libtest(case)
            && let Some(Some(binary)) = self.known.get(&id.test)
        {
            id.binary = binary.clone();
        }
        let mut named = Named {
            id,
            varies: written.is_some(),
            twin_of: None,
        };
        let Some(written) = written else { return named };
        let key = (self.stress(case), named.id.clone());
        let twins = self.twins.entry(key).or_insert_with(|| Twins {
            first: case.name.clone(),
            numbers: BTreeMap::new(),
        });
        let next = twins.numbers.len() + 1;
        let number = *twins.numbers.entry(written).or_insert(next);
        if 1 < number {
            let space = if named.id.test.is_empty() { "" } else { " " };
            named.id.test.push_str(&format!("{space}#{number}"));
            named.twin_of = (number == next).then(|| twins.first.clone());
        }
        named
    }

    fn note(&mut self, kind: ProblemKind, source: &str, line: u64, message: String) {
        let earlier = self
            .problems
            .iter_mut()
            .find(|problem| problem.kind == kind && problem.source == source);
        match earlier {
            Some(problem) => problem.more += 1,
            None => self.problems.push(Problem {
                kind,
                source: source.to_owned(),
                line,
                column: 1,
                message,
                more: 0,
            }),
        }
    }

    /// Returns what is to be said of the names: of each kind and report the first, with the number of others.
    pub fn finish(self) -> Vec<Problem> {
        self.problems
    }
}

/// Returns the test a case is a trial of, as far as the case alone says it, and binary and test as written where a rule
/// changed them.
fn identified(case: &Case, rules: &Rules) -> (TestId, Option<(String, String)>) {
    let class = case.classname.as_deref();
    let suite = case.suite.name();
    let name = match (case.name.as_str(), class, &case.file) {
        ("", Some(class), _) => class,
        ("", None, Some(file)) => file,
        ("", None, None) => "(unnamed)",
        (name, ..) => name,
    };
    let (binary, test) = match class {
        Some(class) if class == suite => (class.to_owned(), name.to_owned()),
        Some(class) if is_libtest(case) && !NO_MODULE.contains(&class) => {
            (suite.to_owned(), format!("{class}::{name}"))
        }
        Some(class) if !is_libtest(case) && !name.ends_with(class) => {
            (class.to_owned(), name.to_owned())
        }
        _ => (joined(&case.suite.path), name.to_owned()),
    };
    let normal = (rules.normal(&binary), rules.normal(&test));
    let changed = matches!(normal, (Cow::Owned(_), _) | (_, Cow::Owned(_)));
    let mut id = TestId::new(normal.0.into_owned(), normal.1.into_owned());
    if !rules.is_on(Rule::Stress)
        && let Some(number) = case.suite.stress
    {
        id.binary.0.push_str(&format!("@stress-{number}"));
    }
    (id, changed.then_some((binary, test)))
}

/// Returns whether a report comes from libtest itself (`--format junit`) or was made of its JSON by cargo2junit: both say the module
/// where others say the class, and neither says the binary.
fn is_libtest(case: &Case) -> bool {
    let package = case.suite.package.as_deref();
    match case.suite.name() {
        "test" => package == Some("test"),
        name => {
            name.starts_with("cargo test #")
                && package.is_none_or(|package| package.ends_with(name))
        }
    }
}

/// Returns the names of suites within each other; empty ones say nothing.
fn joined(path: &[Arc<str>]) -> String {
    let names: Vec<&str> = path
        .iter()
        .map(AsRef::as_ref)
        .filter(|name| !name.is_empty())
        .collect();
    names.join(" > ")
}

/// Returns a hash of what a case is called in its report: FNV-1a over each part and its length. It says only which of two
/// remarks is made, so that it needs no strength.
fn written(case: &Case) -> u64 {
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let names = case.suite.path.iter().map(AsRef::as_ref);
    let parts = names.chain([case.classname.as_deref().unwrap_or(""), &case.name]);
    let mut hash = START;
    for part in parts {
        let length = (part.len() as u64).to_le_bytes();
        for byte in part.bytes().chain(length) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    hash
}
