//! What a pass of a command came to: from the trials in its reports, and the way it ended, to observations. Pure.
//!
//! Whether a pass counts is decided without a look at any outcome: it counts if a report of it can be read to its end and
//! names a test that was asked for. A test that is not named was not reported, whatever the reason.
//! Must not know: arms, files. Invariant: each test of the pass is observed at least once, none twice with one attempt.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Failure, Observation, Outcome, TestId, TestIndex};

/// A trial in a report.
pub(super) struct Reported {
    pub(super) id: TestId,
    pub(super) outcome: Outcome,
    pub(super) duration_us: u64,
    pub(super) failure: Option<Box<Failure>>,
}

/// The reports of a pass.
#[derive(Default)]
pub(super) struct Heard {
    /// The trials, in the order of files and of time.
    pub(super) trials: Vec<Reported>,
    /// Files that were read to their end.
    pub(super) whole: usize,
    /// What is wrong with the others.
    pub(super) broken: Vec<String>,
    /// What went wrong around the tests, so that the environment was not what it should be.
    pub(super) not_provided: Option<String>,
    /// What is to be said of the names of tests.
    pub(super) names: Vec<String>,
    /// Tests that the end of the command ended, and nothing of their own.
    pub(super) running: Vec<TestId>,
    /// Whether files match that the pass did not write.
    pub(super) stale: bool,
}

/// How a command ended, for people.
pub(super) struct Ended<'a> {
    /// As the rest of a sentence: `ended with exit status 1 (last line)`.
    pub(super) words: &'a str,
    /// Whether that was with exit status 0.
    pub(super) well: bool,
    /// Whether it was interrupted at its time limit.
    pub(super) timed_out: bool,
    /// What it printed last.
    pub(super) printed: Option<String>,
    /// Processes it left behind.
    pub(super) leaked: u32,
}

/// What is to be said of a pass that counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Remarks {
    /// Tests that were reported and are not in the list.
    pub(super) unknown: BTreeSet<TestId>,
    /// Tests that were asked for and not reported.
    pub(super) missing: BTreeSet<TestIndex>,
    /// Reports that could not be used.
    pub(super) broken: Vec<String>,
    /// What is to be said of the names of tests.
    pub(super) names: Vec<String>,
    /// That the command failed although no test did.
    pub(super) failed_alone: bool,
    /// That the command was interrupted at its time limit.
    pub(super) timed_out: bool,
    /// Tests that were running then, as far as the reports tell.
    pub(super) running: Vec<TestId>,
    /// The last test that was reported.
    pub(super) last: Option<TestId>,
}

/// Returns why a pass whose reports are `heard` does not count; none where it does.
pub(super) fn discarded_because(heard: &Heard, ended: &Ended<'_>) -> Option<String> {
    if let Some(reason) = &heard.not_provided {
        return Some(reason.clone());
    }
    let words = ended.words;
    if heard.whole == 0 {
        return Some(match heard.broken.first() {
            Some(broken) => format!("the command {words}, and its report cannot be read: {broken}"),
            None if heard.stale => format!(
                "the command {words} and wrote no report (the reports that are there are older)"
            ),
            None => format!("the command {words} and wrote no report"),
        });
    }
    let running: Vec<String> = heard.running.iter().map(ToString::to_string).collect();
    heard.trials.is_empty().then(|| match running.first() {
        Some(first) => format!(
            "the command {words} before a test had ended (still running: {} of them, first {first})",
            running.len()
        ),
        None => format!("the command {words}, and its reports hold no test"),
    })
}

/// Returns whether there are reports, and none names one of the tests `asked` for.
pub(super) fn names_none(
    heard: &Heard,
    asked: &[TestIndex],
    known: &BTreeMap<TestId, TestIndex>,
) -> bool {
    let is_asked = |trial: &Reported| {
        known
            .get(&trial.id)
            .is_some_and(|test| asked.contains(test))
    };
    0 < heard.whole && !heard.trials.iter().any(is_asked)
}

/// Returns what was seen of the tests `asked` for, and what is to be said of the rest. The inner error is the reason why
/// the pass does not count.
pub(super) fn observe(
    heard: Heard,
    asked: &[TestIndex],
    known: &BTreeMap<TestId, TestIndex>,
    ended: &Ended<'_>,
) -> Result<(Vec<Observation>, Remarks), String> {
    if let Some(reason) = discarded_because(&heard, ended) {
        return Err(reason);
    }
    let wanted: BTreeSet<TestIndex> = asked.iter().copied().collect();
    let mut attempts: BTreeMap<TestIndex, u16> = BTreeMap::new();
    let mut remarks = Remarks {
        broken: heard.broken,
        names: heard.names,
        timed_out: ended.timed_out,
        running: heard.running,
        last: heard.trials.last().map(|trial| trial.id.clone()),
        ..Remarks::default()
    };
    let mut any_failed = false;
    let mut seen = Vec::new();
    for trial in heard.trials {
        any_failed |= trial.outcome.is_failure();
        let Some(&test) = known.get(&trial.id) else {
            remarks.unknown.insert(trial.id);
            continue;
        };
        if !wanted.contains(&test) {
            continue;
        }
        let next = attempts.entry(test).or_default();
        // More attempts than can be counted say nothing more.
        let Some(after) = next.checked_add(1) else {
            continue;
        };
        seen.push(Observation {
            test,
            attempt: std::mem::replace(next, after),
            outcome: trial.outcome,
            duration_us: trial.duration_us,
            failure: trial.failure,
            leaked: 0,
        });
    }
    if seen.is_empty() && !wanted.is_empty() {
        let words = ended.words;
        return Err(format!(
            "the command {words}, and its reports name none of the tests of the pass"
        ));
    }
    let missing = wanted.iter().filter(|test| !attempts.contains_key(test));
    remarks.missing = missing.copied().collect();
    let running = remarks.running.iter().filter_map(|id| known.get(id));
    let running: BTreeSet<TestIndex> = running.copied().collect();
    let missing = remarks.missing.iter();
    seen.extend(missing.map(|test| not_reported(*test, running.contains(test), ended)));
    remarks.failed_alone = !ended.well && !ended.timed_out && !any_failed;
    if let Some(first) = seen.first_mut() {
        // Nobody knows which test left them behind.
        first.leaked = ended.leaked;
    }
    Ok((seen, remarks))
}

fn not_reported(test: TestIndex, was_running: bool, ended: &Ended<'_>) -> Observation {
    let what = if was_running {
        "it was still running"
    } else {
        "no report names it"
    };
    let message = format!("{what}; the command {}", ended.words);
    Observation {
        test,
        attempt: 0,
        outcome: Outcome::NotReported,
        duration_us: 0,
        failure: Some(Box::new(Failure {
            signature: "not reported".to_owned(),
            message,
            output: Default::default(),
        })),
        leaked: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(name: &str, outcome: Outcome) -> Reported {
        Reported {
            id: TestId::new("suite", name),
            outcome,
            duration_us: 5,
            failure: None,
        }
    }

    fn heard(trials: &[(&str, Outcome)]) -> Heard {
        Heard {
            trials: trials
                .iter()
                .map(|(name, outcome)| trial(name, *outcome))
                .collect(),
            whole: 1,
            ..Heard::default()
        }
    }

    fn ended(well: bool) -> Ended<'static> {
        Ended {
            words: "ended",
            well,
            timed_out: false,
            printed: None,
            leaked: 2,
        }
    }

    /// The tests `a`, `b` and `c`.
    fn known() -> BTreeMap<TestId, TestIndex> {
        let names = ["a", "b", "c"]
            .iter()
            .map(|name| TestId::new("suite", *name));
        names.zip((0..).map(TestIndex)).collect()
    }

    fn outcomes(seen: &[Observation]) -> Vec<(u32, u16, Outcome)> {
        let outcome = |seen: &Observation| (seen.test.0, seen.attempt, seen.outcome);
        seen.iter().map(outcome).collect()
    }

    use Outcome::{Failed, NotReported, Passed, Skipped};

    #[test]
    fn what_is_reported_counts_and_the_rest_is_not_reported() {
        let all = [TestIndex(0), TestIndex(1), TestIndex(2)];
        let heard = heard(&[
            ("b", Failed),
            ("new", Passed),
            ("a", Skipped),
            ("b", Passed),
        ]);
        let (seen, remarks) = observe(heard, &all, &known(), &ended(false)).unwrap();
        assert_eq!(
            outcomes(&seen),
            [
                (1, 0, Failed),
                (0, 0, Skipped),
                (1, 1, Passed),
                (2, 0, NotReported)
            ]
        );
        assert_eq!(remarks.unknown, [TestId::new("suite", "new")].into());
        assert_eq!(remarks.missing, [TestIndex(2)].into());
        assert!(!remarks.failed_alone);
        assert_eq!(seen.iter().map(|seen| seen.leaked).sum::<u32>(), 2);
    }

    #[test]
    fn of_a_whole_pass_only_the_tests_of_the_spec_are_observed() {
        let heard = heard(&[("a", Failed), ("b", Passed), ("c", Passed)]);
        let (seen, _) = observe(heard, &[TestIndex(1)], &known(), &ended(false)).unwrap();
        assert_eq!(outcomes(&seen), [(1, 0, Passed)]);
    }

    #[test]
    fn a_command_that_fails_although_no_test_does_is_remarked_upon() {
        let one = [TestIndex(0)];
        let passed = || heard(&[("a", Passed)]);
        assert!(
            observe(passed(), &one, &known(), &ended(false))
                .unwrap()
                .1
                .failed_alone
        );
        assert!(
            !observe(passed(), &one, &known(), &ended(true))
                .unwrap()
                .1
                .failed_alone
        );
        // One that was killed had no choice.
        let killed = Ended {
            timed_out: true,
            ..ended(false)
        };
        let remarks = observe(passed(), &one, &known(), &killed).unwrap().1;
        assert!(remarks.timed_out && !remarks.failed_alone);
    }

    #[test]
    fn whether_a_pass_counts_is_a_matter_of_its_reports_and_of_no_outcome() {
        let reason = |heard: Heard| {
            let asked = [TestIndex(0)];
            observe(heard, &asked, &known(), &ended(false))
                .map(|_| ())
                .unwrap_err()
        };
        let none = Heard::default();
        assert_eq!(reason(none), "the command ended and wrote no report");
        let stale = Heard {
            stale: true,
            ..Heard::default()
        };
        assert!(reason(stale).ends_with("(the reports that are there are older)"));
        let broken = Heard {
            broken: vec!["a.xml:3:1: it ends in the middle".to_owned()],
            ..Heard::default()
        };
        assert!(reason(broken).ends_with("cannot be read: a.xml:3:1: it ends in the middle"));
        assert!(reason(heard(&[])).ends_with("its reports hold no test"));
        assert!(reason(heard(&[("c", Passed)])).ends_with("none of the tests of the pass"));
        let script = Heard {
            not_provided: Some("the setup script `db` failed".to_owned()),
            ..heard(&[("a", Passed)])
        };
        assert_eq!(reason(script), "the setup script `db` failed");
        // Whatever the outcome, the pass counts.
        for outcome in [
            Passed,
            Failed,
            Skipped,
            Outcome::TimedOut,
            Outcome::Crashed(11),
        ] {
            let heard = heard(&[("a", outcome)]);
            assert!(observe(heard, &[TestIndex(0)], &known(), &ended(false)).is_ok());
        }
    }

    #[test]
    fn a_broken_report_beside_a_whole_one_is_said_and_its_tests_are_not_reported() {
        let heard = Heard {
            broken: vec!["b.xml: it ends in the middle".to_owned()],
            ..heard(&[("a", Passed)])
        };
        let asked = [TestIndex(0), TestIndex(1)];
        let (seen, remarks) = observe(heard, &asked, &known(), &ended(true)).unwrap();
        assert_eq!(outcomes(&seen), [(0, 0, Passed), (1, 0, NotReported)]);
        assert_eq!(remarks.broken, ["b.xml: it ends in the middle"]);
    }
}
