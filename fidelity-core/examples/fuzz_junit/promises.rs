//! What is promised of every report, whatever its bytes are.

use std::collections::BTreeMap;

use fidelity_core::domain::Outcome;
use fidelity_core::ingest::junit::{Case, Limits, Problem, ProblemKind, Summary};
use fidelity_core::ingest::naming::{Placed, Rules};

/// A cut name is longer than the limit by its hash.
const HASH: usize = 20;

/// Holds cases and summary against the limits and each other.
pub(crate) fn check(summary: &Summary, cases: &[Case], limits: &Limits) {
    assert_eq!(summary.trials, cases.len() as u64);
    assert!(summary.elements >= summary.scripts);
    for pair in summary.problems.windows(2) {
        assert!(
            pair[0].kind < pair[1].kind,
            "problems are sorted and of different kinds"
        );
    }
    for problem in &summary.problems {
        assert!(problem.message.len() < 2000 && !problem.message.contains(char::is_control));
        assert_eq!(problem.line == 0, problem.column == 0);
    }
    for case in cases {
        check_case(case, limits);
    }
    let mut expected = 0;
    for case in cases {
        assert_eq!(
            case.attempt, expected,
            "trials of an element are numbered in their order"
        );
        expected += 1;
        if expected == case.attempts {
            expected = 0;
        }
    }
    assert_eq!(expected, 0);
}

fn check_case(case: &Case, limits: &Limits) {
    let texts = [
        Some(&case.name),
        case.classname.as_ref(),
        case.file.as_ref(),
    ];
    for text in texts.into_iter().flatten() {
        assert!(text.len() <= limits.name + HASH);
    }
    assert!(case.classname.as_deref() != Some(""));
    assert!(usize::from(case.attempts) <= limits.attempts);
    let trial = &case.trial;
    let most = limits.head + limits.tail;
    assert!(trial.output.stdout.len() <= most && trial.output.stderr.len() <= most);
    assert!(trial.failures.len() <= limits.texts.max(1));
    for failure in &trial.failures {
        assert!(failure.text.text.len() <= 3 * most);
    }
    if trial.outcome == Outcome::Passed && !trial.failures.is_empty() {
        assert_eq!(trial.failures[0].class.as_deref(), Some("flaky failure"));
    }
    let properties = case.properties.iter().chain(&case.suite.properties);
    let bytes: usize = properties
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(bytes <= limits.properties);
    assert!(case.suite.path.len() < limits.depth);
    assert!(!case.suite.setup_script);
}

/// Holds names against each other and what is said of them.
pub(crate) fn check_names(placed: &[Placed], said: &[Problem]) {
    let rules = Rules::default();
    let mut trials = BTreeMap::new();
    for Placed { id, attempt, .. } in placed {
        let next: &mut u16 = trials.entry(id).or_default();
        // Passes of a stress run are numbered apart.
        assert!(*attempt <= *next);
        *next += 1;
        assert_eq!(rules.normal(&id.test), id.test);
    }
    for problem in said {
        assert!(matches!(
            problem.kind,
            ProblemKind::Repeated | ProblemKind::Merged
        ));
    }
}
