//! The JUnit document: what consumers see, and that our own reader reads it back.

use super::render;
use crate::domain::{
    Arm, Attribution, AttributionEnd, BlockId, Cause, Outcome, Side, StoredAttribution, VerdictKind,
};
use crate::ingest::junit::{Case, Limits, read};
use crate::ingest::naming::Rules;
use crate::ingest::rows::{self, Reading};
use crate::report::Report;
use crate::report::planted::{Planted, plant, stable};

fn report() -> Report {
    use VerdictKind::{BaselineOnly, Broken, Flaky, HiddenDefect, Undetermined};
    let odd = "odd \x1b[31m\u{202e} <name> & \"\u{1}\u{ffff}]]>";
    Planted::new()
        .tests([
            plant(
                ("shop", "dates::due"),
                (HiddenDefect, "always"),
                (0, 9),
                (9, 9),
            )
            .e(1_240.5, 0.01, 35.0)
            .says("left \u{0}!= right"),
            plant(("shop", odd), (Broken, ""), (5, 5), (6, 6))
                .says("it <broke> & \x1b[0m ]]> \u{b}"),
            plant(("shop::orders", "retries"), (Flaky, ""), (3, 20), (4, 21))
                .e(0.8, 0.4, 70.0)
                .says("timed out"),
            plant(
                ("shop::orders", "reads"),
                (BaselineOnly, "always"),
                (9, 9),
                (0, 10),
            )
            .e(0.01, 980.0, 70.0),
            plant(
                ("shop::orders", "evicts"),
                (Undetermined, "leans flaky"),
                (0, 14),
                (2, 15),
            )
            .e(3.2, 0.3, 70.0),
            stable("shop", "adds"),
        ])
        .report()
}

/// The cases that our reader finds: name, outcome and number of the trial.
fn cases(xml: &str) -> Vec<(String, Outcome, u16)> {
    let mut cases = Vec::new();
    let summary = read(
        xml.as_bytes(),
        "own",
        &Limits::default(),
        &mut |case: &Case| {
            cases.push((case.name.clone(), case.trial.outcome, case.attempt));
        },
    );
    assert_eq!(summary.problems, []);
    cases
}

#[test]
fn a_report_as_consumers_see_it() {
    insta::assert_snapshot!(render(&report()));
}

#[test]
fn quarantines_and_needs_show_as_the_gate_has_them() {
    use crate::domain::{Annotation, Condition, Quarantine, Severity, Terms};
    let quarantine = |until: &str| Annotation {
        quarantine: Some(Quarantine {
            until: until.to_owned(),
            owner: "payments".to_owned(),
            reason: "the sandbox drops webhooks".to_owned(),
        }),
        severity: Some(Severity::High),
        ..Annotation::default()
    };
    let mut report = report();
    report.conditions = vec![Condition::ExpiredQuarantine];
    let place = |report: &Report, name: &str| {
        let mut tests = report.tests.iter();
        tests.position(|test| test.id().test == name).unwrap()
    };
    for (name, expired) in [("dates::due", false), ("adds", true)] {
        let test = place(&report, name);
        let annotation = quarantine("2027-01-31");
        report.tests[test].quarantine = Some(crate::report::model::QuarantineReport {
            said: annotation.quarantine.clone().unwrap(),
            expired,
        });
        report.tests[test].terms = Some(Box::new(Terms {
            annotation,
            absent: [None, None],
        }));
    }
    let lacks = |arm: &str| {
        Some(format!(
            "needs `service.db`, which `{arm}` does not provide"
        ))
    };
    let nowhere = place(&report, "evicts");
    let nowhere = &mut report.tests[nowhere];
    nowhere.finding.baseline = Default::default();
    nowhere.finding.target = Default::default();
    nowhere.terms = Some(Box::new(Terms {
        annotation: Annotation::default(),
        absent: ["low", "high"].map(lacks),
    }));
    let xml = render(&report);
    let lines = xml.lines().map(str::trim).filter(|line| {
        [
            "<testsuites",
            "<skipped",
            "<failure",
            "quarantine",
            "severity",
        ]
        .iter()
        .any(|word| line.contains(word))
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    report.conditions.clear();
    assert!(!render(&report).contains("expired-quarantine"));
}

#[test]
fn a_cause_that_was_found_is_a_property() {
    let report = report();
    let test = report.tests[0].finding.test;
    let side = |config: &str, failures| Side {
        config: config.to_owned(),
        trials: 4,
        failures,
    };
    let attribution = Attribution {
        end: AttributionEnd::Found,
        wording: "because tz = Pacific/Apia".to_owned(),
        cause: Some(Cause {
            knobs: Vec::new(),
            either: false,
            confidence: 0.98,
            sufficient: vec![side("low + tz", 4)],
            necessary: vec![side("high - tz", 0)],
            kind: None,
            commit: None,
            wording: "tz = Pacific/Apia".to_owned(),
        }),
        suspects: Vec::new(),
        trials: 8,
        builds: 0,
        not_ruled_out: Vec::new(),
        second: None,
    };
    let stored = StoredAttribution {
        test,
        question: "knobs".to_owned(),
        attribution,
    };
    let xml = render(&report.with_attributions(&[stored]));
    let line = "because tz = Pacific/Apia (low + tz fails 4/4, high - tz passes 4/4)";
    let property = format!("<property name=\"fidelity.cause\" value=\"{line}\"/>");
    assert_eq!(xml.matches(&property).count(), 1, "{xml}");
}

#[test]
fn what_we_write_we_read() {
    let report = report();
    let xml = render(&report);
    let cases = cases(&xml);
    for test in &report.tests {
        let name = super::safe(&test.id().test);
        let trials: Vec<_> = cases.iter().filter(|(case, ..)| *case == name).collect();
        let last = trials.last().unwrap().1;
        let expected = match test.kind() {
            VerdictKind::HiddenDefect | VerdictKind::Broken => Outcome::Failed,
            _ => Outcome::Passed,
        };
        assert_eq!(last, expected, "{name}");
        let before = trials
            .iter()
            .filter(|(_, outcome, _)| *outcome == Outcome::Failed)
            .count();
        if test.kind() == VerdictKind::Flaky {
            assert_eq!(before, 3, "flaky failures stand before the passing trial");
        }
    }
}

#[test]
fn verdicts_are_no_trials_when_they_are_taken_in() {
    let own = render(&report());
    let rows_of = |text: &str| {
        let reading = Reading {
            arm: Some(Arm::Target),
            block: BlockId::default(),
            profiles: None,
            rules: Rules::default(),
            limits: Limits::default(),
            failures: true,
            remarks: true,
        };
        let mut names = Vec::new();
        let outcomes = rows::read(text.as_bytes(), "r.xml", &reading, &mut |row| {
            names.push(row.id.test);
        });
        let kinds: Vec<&str> = outcomes.problems.iter().map(|it| it.kind.word()).collect();
        (names, outcomes.broken, kinds.concat())
    };
    assert_eq!(rows_of(&own), (vec![], true, "verdicts".to_owned()));
    // Where somebody has put several reports into one, the others are what they are.
    let other = "<testsuite name='s'><testcase name='a'/></testsuite></testsuites>";
    let both = own.replace("</testsuites>", other);
    assert_eq!(
        rows_of(&both),
        (vec!["a".to_owned()], false, "verdicts".to_owned())
    );
}

#[test]
fn the_document_is_xml_and_the_same_every_time() {
    let xml = render(&report());
    assert_eq!(xml, render(&report()));
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(allowed));
    assert!(!xml.contains('\u{1b}') && !xml.contains('\u{202e}'));
    quick_junit::Report::deserialize_from_str(&xml).unwrap();
}
