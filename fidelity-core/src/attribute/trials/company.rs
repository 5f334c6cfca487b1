//! What a test runs among in the trials of a search: nothing, or the tests beside which it was seen to fail.

use std::collections::BTreeSet;

use crate::domain::{ListedTest, Scope, TestId, TestIndex};
use crate::suite::{Suite, SuiteTest};

/// The tests that run beside the one that is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Those of its binary, or of the whole suite.
    pub scope: Scope,
    /// Tests that are not among them, although they are there.
    pub absent: BTreeSet<TestId>,
    /// How many run at a time, at least 1.
    pub slots: usize,
}

/// Returns what runs in a trial of `test`, sorted as in a run, and where the test is in it.
pub(super) fn listed(
    suite: &Suite,
    test: &TestId,
    company: Option<&Company>,
) -> (Vec<ListedTest>, TestIndex) {
    let is_beside = |other: &SuiteTest| {
        company.is_some_and(|company| {
            let is_near = company.scope == Scope::Suite || other.id.binary == test.binary;
            is_near && !other.is_ignored() && !company.absent.contains(&other.id)
        })
    };
    let tests = suite.tests.iter();
    let tests: Vec<ListedTest> = tests
        .filter(|other| other.id == *test || is_beside(other))
        .map(|other| ListedTest {
            id: other.id.clone(),
            selected: true,
            suspicious: false,
            terms: None,
        })
        .collect();
    let place = tests.iter().position(|listed| listed.id == *test);
    let place = u32::try_from(place.unwrap_or_default()).unwrap_or_default();
    (tests, TestIndex(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn company_is_what_ran_beside_it_as_far_as_it_is_there() {
        let test = |binary: &str, name: &str, ignored| SuiteTest {
            id: TestId::new(binary, name),
            binary: 0,
            ignored,
            held_back: false,
            annotation: None,
        };
        let suite = Suite {
            tests: vec![
                test("a", "early", false),
                test("a", "ignored", true),
                test("a", "it", false),
                test("a", "left_out", false),
                test("b", "far", false),
            ],
            ..Suite::default()
        };
        let names = |scope: Option<Scope>| {
            let company = scope.map(|scope| Company {
                scope,
                absent: BTreeSet::from([TestId::new("a", "left_out")]),
                slots: 1,
            });
            let (listed, at) = listed(&suite, &TestId::new("a", "it"), company.as_ref());
            let names: Vec<String> = listed.into_iter().map(|test| test.id.test).collect();
            assert_eq!(names[at.get()], "it");
            names
        };
        assert_eq!(names(None), ["it"]);
        assert_eq!(names(Some(Scope::Binary)), ["early", "it"]);
        assert_eq!(names(Some(Scope::Suite)), ["early", "it", "far"]);
    }
}
