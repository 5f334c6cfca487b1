//! What tests replace by something kinder: by annotations, and by what code and manifests look like.

use std::collections::BTreeMap;

use super::AuditedTest;

/// A component that some test replaces.
#[derive(Clone, Debug, PartialEq)]
pub struct Substitute {
    /// Its name in `mocks(...)` and `real(...)`.
    pub component: String,
    /// Tests that mock it.
    pub mocking: u32,
    /// Tests that use it as it is.
    pub real: u32,
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Whether it speaks of a real service rather than of a substitute.
    pub real: bool,
    /// How sure that is.
    pub confidence: Confidence,
    /// Where, relative to the workspace: `tests/shop.rs:12`.
    pub place: String,
    /// What was seen, for people.
    pub what: String,
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
                weight: 0.0,
                place: said.place.clone(),
            });
            substitute.mocking += 1;
            substitute.weight = substitute.weight.max(test.weight());
        }
    }
    for said in tests.iter().filter_map(|test| test.annotation.as_ref()) {
        for name in &said.real {
            if let Some(substitute) = found.get_mut(name.as_str()) {
                substitute.real += 1;
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
