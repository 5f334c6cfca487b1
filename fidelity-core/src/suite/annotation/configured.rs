//! What the configuration says of tests (`[[tests]]`), where their authors do not. Knows values; touches nothing.
//!
//! An annotation goes before every rule, since it stands nearer to the test; of rules the first that fits holds.

use crate::config::TestRule;
use crate::domain::{Annotation, BinaryFacts, ListedTest, Problem, Terms};
use crate::suite::Suite;
use crate::suite::filterset::{Candidate, check_ingested};

/// Has the tests of a suite say what `rules` say of them. Returns what is odd about the rules.
pub fn say(suite: &mut Suite, rules: &[TestRule]) -> Vec<Problem> {
    if rules.is_empty() {
        return Vec::new();
    }
    let binaries: Vec<BinaryFacts> = suite.binaries.iter().map(Into::into).collect();
    let mut fits = vec![false; rules.len()];
    for test in &mut suite.tests {
        let candidate = Candidate {
            id: &test.id,
            binary: binaries.get(test.binary),
            annotation: test.annotation.as_deref(),
            verdict: None,
        };
        let mut fitting = (0..rules.len()).filter(|at| rules[*at].filter.admits(&candidate));
        let mut first = None;
        for at in fitting.by_ref() {
            fits[at] = true;
            first = first.or(Some(at));
        }
        let Some(rule) = first.map(|at| &rules[at]) else {
            continue;
        };
        let said = test.annotation.get_or_insert_default();
        if said.severity.is_none() {
            said.severity = Some(rule.severity);
            said.severity_place.clone_from(&rule.place);
        }
    }
    // Before a command has said which tests there are, no rule can fit one.
    let is_known = !suite.tests.is_empty();
    let idle = rules.iter().zip(fits).filter(|(_, fits)| is_known && !fits);
    idle.map(|(rule, _)| {
        let reason = rule.filter.check(suite).err();
        let why = reason.map_or_else(String::new, |error| format!(": {}", error.reason));
        Problem {
            kind: "rule-without-test".to_owned(),
            message: format!(
                "the rule at {} (`{}`) fits none of the tests that were built{why}",
                rule.place, rule.filter
            ),
        }
    })
    .collect()
}

/// Has tests of which no more is known than their names say what `rules` say of them. Returns the rules that ask for more,
/// and so hold for none.
pub fn say_of_names(tests: &mut [ListedTest], rules: &[TestRule]) -> Vec<Problem> {
    let answered = |rule: &&TestRule| check_ingested(&rule.filter, false).is_ok();
    let (usable, others): (Vec<&TestRule>, Vec<&TestRule>) = rules.iter().partition(answered);
    for test in tests {
        let candidate = Candidate {
            id: &test.id,
            binary: None,
            annotation: None,
            verdict: None,
        };
        let rule = usable.iter().find(|rule| rule.filter.admits(&candidate));
        test.terms = rule.map(|rule| {
            let annotation = Annotation {
                severity: Some(rule.severity),
                severity_place: rule.place.clone(),
                ..Annotation::default()
            };
            Box::new(Terms {
                annotation,
                ..Terms::default()
            })
        });
    }
    let told = others.into_iter().map(|rule| Problem {
        kind: "rule-not-asked".to_owned(),
        message: format!(
            "the rule at {} (`{}`) asks for what reports do not name: it holds for no test that was ingested",
            rule.place, rule.filter
        ),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BinaryId, Severity, TestId};
    use crate::suite::{SuiteTest, TestBinary};

    fn suite() -> Suite {
        let binary = |package: &str, kind: &str| TestBinary {
            id: BinaryId(package.to_owned()),
            package: package.to_owned(),
            kind: kind.to_owned(),
            target: package.to_owned(),
            path: "/t".into(),
            directory: "/".into(),
            environment: Vec::new(),
            runner: Vec::new(),
            says_result: true,
            own_harness: false,
            lists: true,
        };
        let test = |binary: usize, package: &str, name: &str, severity| SuiteTest {
            id: TestId::new(package, name),
            binary,
            ignored: false,
            held_back: false,
            annotation: Option::map(severity, |severity| {
                Box::new(Annotation {
                    severity: Some(severity),
                    place: "src/lib.rs:3".to_owned(),
                    ..Annotation::default()
                })
            }),
        };
        Suite {
            binaries: vec![binary("billing", "lib"), binary("shop", "test")],
            tests: vec![
                test(0, "billing", "refunds", None),
                test(0, "billing", "rounds", Some(Severity::Low)),
                test(1, "shop", "buys", None),
                test(1, "shop", "greets", None),
            ],
            problems: Vec::new(),
        }
    }

    fn rule(line: u32, filter: &str, severity: Severity) -> TestRule {
        TestRule {
            filter: filter.parse().unwrap(),
            severity,
            place: format!("fidelity.toml:{line}"),
        }
    }

    #[test]
    fn an_annotation_goes_before_the_first_rule_that_fits_and_that_before_the_others() {
        let mut suite = suite();
        let problems = say(
            &mut suite,
            &[
                rule(3, "package(billing)", Severity::Critical),
                rule(
                    6,
                    "test(refunds) | kind(integration) & test(buys)",
                    Severity::High,
                ),
                rule(9, "package(biling)", Severity::High),
            ],
        );
        let said: Vec<Option<(Severity, &str)>> = suite
            .tests
            .iter()
            .map(|test| {
                let said = test.annotation.as_ref()?;
                Some((said.severity?, said.severity_place.as_str()))
            })
            .collect();
        assert_eq!(
            said,
            [
                Some((Severity::Critical, "fidelity.toml:3")),
                Some((Severity::Low, "")),
                Some((Severity::High, "fidelity.toml:6")),
                None
            ]
        );
        let told: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "the rule at fidelity.toml:9 (`package(biling)`) fits none of the tests that were built: no package matches this (did you mean `billing`?)"
            ]
        );
    }

    #[test]
    fn of_names_alone_a_rule_holds_that_asks_for_no_more() {
        let listed = |name: &str| ListedTest {
            id: TestId::new("shop", name),
            selected: true,
            suspicious: false,
            terms: None,
        };
        let mut tests = vec![listed("buys"), listed("refunds")];
        let problems = say_of_names(
            &mut tests,
            &[
                rule(3, "!kind(unit)", Severity::Critical),
                rule(6, "test(refunds)", Severity::High),
            ],
        );
        let said = |test: &ListedTest| test.annotation().and_then(|said| said.severity);
        assert_eq!(
            [said(&tests[0]), said(&tests[1])],
            [None, Some(Severity::High)]
        );
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].message.contains("fidelity.toml:3"),
            "{problems:?}"
        );
    }
}
