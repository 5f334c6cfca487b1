//! What a stored run answers of an expression. Its tests are asked for without a suite, so that some runs do not know: that
//! is said, and never guessed.

use std::collections::BTreeMap;

use super::{Candidate, Expression, Filterset, FiltersetError, FiltersetReason, Span, Subject};
use crate::domain::{BinaryFacts, BinaryId, RunnerKind, StoredRun, TestIndex, VerdictKind};

/// Returns by position whether some expression holds for a test of the run, which came to `verdicts`; all of them hold
/// where there is no expression.
///
/// # Errors
/// [`FiltersetReason::NotKept`] where an expression asks for what the run does not know, [`FiltersetReason::MatchesNothing`]
/// where it speaks of a package or binary that the run does not have.
pub fn admitted(
    expressions: &[Filterset],
    run: &StoredRun,
    verdicts: &BTreeMap<TestIndex, VerdictKind>,
) -> Result<Vec<bool>, FiltersetError> {
    if expressions.is_empty() {
        return Ok(vec![true; run.tests.len()]);
    }
    let known = Known::of(run);
    for expression in expressions {
        known.answers(expression)?;
        expression.check_names(&known.binaries)?;
    }
    let by_id: BTreeMap<&BinaryId, &BinaryFacts> = known
        .binaries
        .iter()
        .map(|binary| (&binary.id, binary))
        .collect();
    let tests = (0..).map(TestIndex).zip(run.tests.iter());
    let admitted = tests.map(|(index, test)| {
        let candidate = Candidate {
            id: &test.id,
            binary: by_id.get(&test.id.binary).copied(),
            annotation: test.annotation(),
            verdict: verdicts.get(&index).copied(),
        };
        expressions.iter().any(|it| it.admits(&candidate))
    });
    Ok(admitted.collect())
}

/// Checks that results which ran elsewhere can answer an expression, before there is a run of them. `rules` is whether a
/// configuration says how severe failures are.
///
/// # Errors
/// [`FiltersetReason::NotKept`].
pub fn check_ingested(expression: &Filterset, rules: bool) -> Result<(), FiltersetError> {
    let not_said = Some(REPORTS_KNOW.to_owned());
    let known = Known {
        binaries: Vec::new(),
        not_of_binaries: Some(REPORTS_NAME.to_owned()),
        not_severity: not_said.clone().filter(|_| !rules),
        not_said,
    };
    known.answers(expression)
}

/// What reports do not have.
const REPORTS_NAME: &str = "reports name no packages, targets and kinds";
const REPORTS_KNOW: &str = "reports know no annotations";

/// What a run knows of its tests.
struct Known {
    /// The binaries, with nothing but their ids where no more is known.
    binaries: Vec<BinaryFacts>,
    /// Why no more is known of them.
    not_of_binaries: Option<String>,
    /// Why it is not known what their authors say of the tests.
    not_said: Option<String>,
    /// Why it is not known how severe their failures are.
    not_severity: Option<String>,
}

impl Known {
    fn of(run: &StoredRun) -> Self {
        let header = &run.header;
        let mut ids: Vec<&BinaryId> = run.tests.iter().map(|test| &test.id.binary).collect();
        ids.dedup();
        let ids = ids.into_iter();
        let id = header.id.short();
        let is_said = run.tests.iter().any(|test| test.terms.is_some());
        let because = |why: String| Some(why).filter(|_| !is_said);
        if header.ingested {
            let why = format!("run {id} was ingested, and {REPORTS_KNOW}");
            return Self {
                binaries: ids.map(bare).collect(),
                not_of_binaries: Some(format!("run {id} was ingested, and {REPORTS_NAME}")),
                // What is said can only be that of the configuration.
                not_severity: because(why.clone()),
                not_said: Some(why),
            };
        }
        if header.runner.kind == RunnerKind::Command {
            return Self {
                binaries: ids.map(BinaryFacts::of_command).collect(),
                not_of_binaries: None,
                not_said: None,
                not_severity: None,
            };
        }
        if header.binaries.is_empty() {
            let why = format!("run {id} was stored by an earlier version");
            let not_said = because(format!("{why}, which may have kept no annotations"));
            return Self {
                binaries: ids.map(bare).collect(),
                not_of_binaries: Some(format!(
                    "{why}, without packages, targets and kinds of its binaries"
                )),
                not_severity: not_said.clone(),
                not_said,
            };
        }
        Self {
            binaries: header.binaries.clone(),
            not_of_binaries: None,
            not_said: None,
            not_severity: None,
        }
    }

    /// Refuses an expression that asks for what is not known.
    fn answers(&self, expression: &Filterset) -> Result<(), FiltersetError> {
        let refused = |span, set, why: &Option<String>| match why {
            None => Ok(()),
            Some(why) => {
                let why = why.clone();
                Err(expression.error(span, FiltersetReason::NotKept { set, why }))
            }
        };
        for term in expression.terms() {
            let set = term.subject.word();
            if term.subject == Subject::Severity {
                refused(term.span, set, &self.not_severity)?;
            } else if term.subject.is_of_binary() {
                refused(term.span, set, &self.not_of_binaries)?;
            } else if term.subject.is_said() {
                refused(term.span, set, &self.not_said)?;
            }
        }
        match expression.expression.quarantined() {
            Some(span) => refused(span, "quarantined", &self.not_said),
            None => Ok(()),
        }
    }
}

impl Expression {
    /// Returns where it first asks for quarantines.
    fn quarantined(&self) -> Option<Span> {
        match self {
            Self::Quarantined(span) => Some(*span),
            Self::Not(inner) => inner.quarantined(),
            Self::And(parts) | Self::Or(parts) => parts.iter().find_map(Self::quarantined),
            Self::All | Self::None | Self::Term(_) => None,
        }
    }
}

fn bare(id: &BinaryId) -> BinaryFacts {
    BinaryFacts {
        id: id.clone(),
        package: String::new(),
        target: String::new(),
        kind: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Annotation, ListedTest, Policy, Seed, Terms, TestId};
    use crate::plan::Plan;
    use crate::simulate;

    /// Returns a run of three tests, one of them annotated, as this version stores it.
    fn run() -> StoredRun {
        let needing = Terms {
            annotation: Annotation {
                needs: vec!["service.db".to_owned()],
                ..Annotation::default()
            },
            ..Terms::default()
        };
        let test = |binary: &str, name: &str, terms: Option<&Terms>| ListedTest {
            id: TestId::new(binary, name),
            selected: true,
            suspicious: false,
            terms: terms.cloned().map(Box::new),
        };
        let plan = Plan {
            tests: vec![
                test("shop", "totals", None),
                test("shop::checkout", "buys", Some(&needing)),
                test("shop::checkout", "pays", None),
            ],
            policy: Policy::default(),
            seed: Seed(1),
        };
        let mut run = simulate::stored(&plan, Vec::new());
        let binary = |id: &str, target: &str, kind: &str| BinaryFacts {
            id: BinaryId(id.to_owned()),
            package: "shop".to_owned(),
            target: target.to_owned(),
            kind: kind.to_owned(),
        };
        run.header.binaries = vec![
            binary("shop", "shop", "lib"),
            binary("shop::checkout", "checkout", "test"),
        ];
        run
    }

    /// Returns the names of the tests that an expression admits, or what is said of it.
    fn asked(run: &StoredRun, expression: &str) -> Result<Vec<String>, String> {
        let verdicts = [(TestIndex(2), VerdictKind::Flaky)].into();
        let shown = admitted(&[expression.parse().unwrap()], run, &verdicts);
        let shown = shown.map_err(|error| error.reason.to_string())?;
        let tests = run.tests.iter().zip(shown).filter(|(_, shown)| *shown);
        Ok(tests.map(|(test, _)| test.id.test.clone()).collect())
    }

    fn names(names: &[&str]) -> Result<Vec<String>, String> {
        Ok(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_run_answers_what_a_suite_would() {
        let run = run();
        assert_eq!(asked(&run, "kind(unit)"), names(&["totals"]));
        assert_eq!(
            asked(&run, "binary(checkout) & needs(service.*)"),
            names(&["buys"])
        );
        assert_eq!(
            asked(&run, "package(shop) & verdict(flaky)"),
            names(&["pays"])
        );
        assert_eq!(
            asked(&run, "verdict(none) - test(buys)"),
            names(&["totals"])
        );
        assert_eq!(
            asked(&run, "binary(chekout)"),
            Err("no binary matches this (did you mean `checkout`?)".to_owned())
        );
        assert_eq!(admitted(&[], &run, &BTreeMap::new()), Ok(vec![true; 3]));
    }

    #[test]
    fn what_an_earlier_version_kept_is_answered_and_the_rest_refused() {
        let mut run = run();
        run.header.binaries.clear();
        assert_eq!(asked(&run, "needs(service.db)"), names(&["buys"]));
        assert_eq!(
            asked(&run, "binary_id(shop::*) & verdict(flaky)"),
            names(&["pays"])
        );
        let id = run.header.id.short();
        assert_eq!(
            asked(&run, "test(buys) | !kind(unit)"),
            Err(format!(
                "run {id} was stored by an earlier version, without packages, targets and kinds of its binaries, which `kind(...)` asks for"
            ))
        );
        let tests: Vec<ListedTest> = run.tests.iter().cloned().collect();
        let bare = tests.into_iter().map(|test| ListedTest {
            terms: None,
            ..test
        });
        run.tests = bare.collect::<Vec<_>>().into();
        let refused = asked(&run, "all() - quarantined()").unwrap_err();
        assert!(
            refused.contains("may have kept no annotations"),
            "{refused}"
        );
    }

    #[test]
    fn what_was_ingested_knows_names_and_verdicts_alone() {
        let mut run = run();
        run.header.ingested = true;
        let tests: Vec<ListedTest> = run.tests.iter().cloned().collect();
        let bare = tests.into_iter().map(|test| ListedTest {
            terms: None,
            ..test
        });
        run.tests = bare.collect::<Vec<_>>().into();
        assert_eq!(asked(&run, "verdict(flaky) & test(pays)"), names(&["pays"]));
        for expression in [
            "package(shop)",
            "binary(checkout)",
            "kind(e2e)",
            "severity(high)",
            "mocks(x)",
        ] {
            let refused = asked(&run, expression).unwrap_err();
            assert!(refused.contains("was ingested, and reports"), "{refused}");
        }
    }

    #[test]
    fn what_the_configuration_says_of_ingested_tests_is_known_and_no_more() {
        let mut run = run();
        run.header.ingested = true;
        assert_eq!(asked(&run, "severity(high)"), names(&[]));
        assert!(asked(&run, "needs(#*)").is_err());
        let severe: Filterset = "severity(high)".parse().unwrap();
        assert_eq!(check_ingested(&severe, true), Ok(()));
        assert!(check_ingested(&severe, false).is_err());
    }

    #[test]
    fn of_what_a_command_ran_the_kind_is_not_guessed() {
        let mut run = run();
        run.header.binaries.clear();
        run.header.runner.kind = RunnerKind::Command;
        assert_eq!(asked(&run, "kind(unit) | kind(integration)"), names(&[]));
        assert_eq!(
            asked(&run, "kind(command) & binary(shop)"),
            names(&["totals"])
        );
        assert_eq!(asked(&run, "needs(#*)"), names(&["buys"]));
    }
}
