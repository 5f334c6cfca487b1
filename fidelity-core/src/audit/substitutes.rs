//! What tests replace by something kinder: by annotations, and by what code and manifests look like.

use std::collections::{BTreeMap, BTreeSet};

use super::AuditedTest;
use crate::config::suggest::nearest_word;
use crate::domain::{Arm, Problem};

/// A component that some test replaces.
#[derive(Clone, Debug, PartialEq)]
pub struct Substitute {
    /// Its name in `mocks(...)` and `real(...)`.
    pub component: String,
    /// Tests that mock it.
    pub mocking: u32,
    /// Tests that use it as it is, and run in an arm.
    pub real: u32,
    /// Tests that use it as it is, and run nowhere.
    pub idle: u32,
    /// The greatest weight among the tests that mock it.
    pub weight: f64,
    /// Where one of these says so.
    pub place: String,
}

/// How sure it is that a line is what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// It has no other use.
    High,
    /// It is usually that.
    Medium,
    /// It may be a coincidence.
    Low,
}

impl Confidence {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// A line that looks like a substitute, or like a real service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Whether it speaks of a real service rather than of a substitute.
    pub real: bool,
    /// How sure that is.
    pub confidence: Confidence,
    /// The file, relative to the workspace.
    pub file: String,
    /// The line in it, from 1; none where it is about the file.
    pub line: Option<u32>,
    /// What was seen, for people.
    pub what: String,
}

impl Evidence {
    /// Returns where it is: `tests/shop.rs:12`.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}

/// Returns the evidence in the order in which it tells most: what is real first, since there is less of it, then what is
/// sure, then by file and line.
pub fn ranked(evidence: &[Evidence]) -> Vec<Evidence> {
    let mut ranked = evidence.to_vec();
    ranked.sort_by(|one, other| {
        let key = |it: &Evidence| (!it.real, it.confidence);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.file.cmp(&other.file))
            .then_with(|| (one.line, &one.what).cmp(&(other.line, &other.what)))
    });
    ranked.dedup();
    ranked
}

/// Returns the components that are mocked and that nothing uses as they are, although something is used that is named almost
/// like them.
pub(super) fn slips(tests: &[AuditedTest]) -> Vec<Problem> {
    let said = || tests.iter().filter_map(|test| test.annotation.as_ref());
    let real: BTreeSet<&str> = said()
        .flat_map(|said| said.real.iter().map(String::as_str))
        .collect();
    let mocked: BTreeMap<&str, &str> = said()
        .flat_map(|said| {
            said.mocks
                .iter()
                .map(|name| (name.as_str(), said.place.as_str()))
        })
        .filter(|(name, _)| !real.contains(name))
        .collect();
    let odd = mocked.into_iter().filter_map(|(name, place)| {
        // `cache-1` and `cache-2` are two components.
        let letters = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
        let others = real.iter().filter(|other| letters(other) != letters(name));
        let near = nearest_word(name, &others.copied().collect::<Vec<_>>())?;
        Some(Problem {
            kind: "similar-components".to_owned(),
            message: format!(
                "the annotation at {place} mocks `{name}`, which no test uses as it is; did you mean `{near}`, which tests use?"
            ),
        })
    });
    odd.collect()
}

/// Returns the components that tests mock, those with the least real use first.
pub fn of(tests: &[AuditedTest]) -> Vec<Substitute> {
    let mut found: BTreeMap<&str, Substitute> = BTreeMap::new();
    for (test, said) in tests
        .iter()
        .filter_map(|test| Some((test, test.annotation.as_ref()?)))
    {
        for name in &said.mocks {
            let substitute = found.entry(name).or_insert_with(|| Substitute {
                component: name.clone(),
                mocking: 0,
                real: 0,
                idle: 0,
                weight: 0.0,
                place: said.place.clone(),
            });
            substitute.mocking += 1;
            substitute.weight = substitute.weight.max(test.weight());
        }
    }
    for test in tests {
        let runs = Arm::BOTH.into_iter().any(|arm| test.runs_in(arm));
        let real = test.annotation.iter().flat_map(|said| &said.real);
        for name in real {
            match found.get_mut(name.as_str()) {
                Some(substitute) if runs => substitute.real += 1,
                Some(substitute) => substitute.idle += 1,
                None => {}
            }
        }
    }
    let mut found: Vec<Substitute> = found.into_values().collect();
    found.sort_by(|one, other| {
        one.real
            .cmp(&other.real)
            .then(other.mocking.cmp(&one.mocking))
            .then_with(|| one.component.cmp(&other.component))
    });
    found
}
