//! The report as JUnit XML, for what shows test results in CI: one suite a binary, one case a test.
//!
//! A hidden defect and a broken test are failures, in quarantine they are skipped; a flaky test passes with `flakyFailure`s;
//! baseline-only and undetermined tests pass; a test without a trial is skipped; one whose quarantine is over fails, where
//! the gate does for it. Verdict, rates, evidence and cause are properties of the case (`fidelity.*`).
//! Characters that XML or a terminal does not take are escaped as on every page. Nothing is of the moment: neither host nor
//! time but the run's own.

use std::time::Duration;

use quick_junit::{
    NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestRerun, TestSuite,
};

use super::Report;
use super::cause;
use super::model::{QuarantineReport, TestReport};
use super::number::{evidence, percent_range};
use super::said::EXPIRED_QUARANTINE;
use super::text::clean;
use super::words::{counts, explain_command, in_neither_arm, rates};
use crate::domain::{Arm, Condition, VerdictKind};
use crate::ingest::rows::VERDICTS;

/// Flaky failures that are written of one test: consumers show them one by one.
const FLAKY_FAILURES: u32 = 3;

/// Returns `report` as a JUnit document, ending with a line end.
pub fn render(report: &Report) -> String {
    let run = &report.run;
    let mut junit = Junit::new("cargo-fidelity");
    junit.uuid = run.id.to_string().parse().ok();
    junit.timestamp = run.started_at.parse().ok();
    let mut tests = report.tests.as_slice();
    while let Some(first) = tests.first() {
        let binary = &first.id().binary;
        let length = tests
            .iter()
            .take_while(|test| test.id().binary == *binary)
            .count();
        let (own, rest) = tests.split_at(length);
        tests = rest;
        let mut suite = TestSuite::new(safe(&binary.0));
        suite.timestamp = junit.timestamp;
        for (name, value) in [
            (VERDICTS, run.id.to_string()),
            ("fidelity.baseline", run.baseline.clone()),
            ("fidelity.target", run.target.clone()),
        ] {
            suite.add_property((name, safe(&value).as_str()));
        }
        for withdrawal in run.blocks.iter().flat_map(|blocks| &blocks.withdrawn) {
            let said = format!("run {}: {}", withdrawal.run, withdrawal.reason);
            suite.add_property(("fidelity.withdrawn", safe(&said).as_str()));
        }
        suite.add_test_cases(own.iter().map(|test| case(report, test)));
        suite.set_time(own.iter().map(time).sum());
        junit.add_test_suite(suite);
    }
    junit.set_time(report.tests.iter().map(time).sum());
    // Writing to memory cannot fail, and every text is free of what XML does not take.
    let written = junit.to_string();
    debug_assert!(written.is_ok());
    written.unwrap_or_default()
}

/// Returns a text without what a terminal would obey, nor what XML does not take: both are written as escapes.
fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in clean(text).chars() {
        match character {
            '\u{fffe}' | '\u{ffff}' => safe.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
            other => safe.push(other),
        }
    }
    safe
}

/// Returns the mean wall time of the test's trials.
fn time(test: &TestReport) -> Duration {
    Duration::from_micros(test.finding.mean_duration_us.unwrap_or(0))
}

fn case(report: &Report, test: &TestReport) -> TestCase {
    let mut case = TestCase::new(safe(&test.id().test), status(report, test));
    case.set_classname(safe(&test.id().binary.0));
    case.set_time(time(test));
    let finding = &test.finding;
    case.add_property(("fidelity.verdict", finding.verdict.kind.as_str()));
    if !finding.verdict.reason.is_empty() {
        case.add_property(("fidelity.reason", finding.verdict.reason.as_str()));
    }
    for arm in Arm::BOTH {
        let of = test.arm(arm);
        case.add_property((
            format!("fidelity.{arm}.failures").as_str(),
            format!("{}/{}", of.failures, of.trials).as_str(),
        ));
        if 0 < of.trials {
            case.add_property((
                format!("fidelity.{arm}.interval").as_str(),
                percent_range(of.bounds).as_str(),
            ));
        }
    }
    case.add_property(("fidelity.e-value", evidence(finding.e_value).as_str()));
    if let Some(signature) = &finding.signature {
        case.add_property(("fidelity.signature", safe(signature).as_str()));
    }
    if let Some(attribution) = &test.attribution {
        case.add_property(("fidelity.cause", safe(&cause::line(attribution)).as_str()));
        let since = cause::since(attribution).join("; ");
        if !since.is_empty() {
            case.add_property(("fidelity.cause.since", safe(&since).as_str()));
        }
    }
    if let Some(cluster) = finding.cluster {
        case.add_property(("fidelity.cluster", cluster.to_string().as_str()));
    }
    said(&mut case, test);
    case
}

/// Adds what the authors of a test say of it.
fn said(case: &mut TestCase, test: &TestReport) {
    let annotation = test.terms.as_ref().map(|terms| &terms.annotation);
    if let Some(severity) = annotation.and_then(|annotation| annotation.severity) {
        case.add_property(("fidelity.severity", severity.to_string().as_str()));
    }
    if let Some(quarantine) = &test.quarantine {
        let said = safe(&quarantine_of(quarantine));
        case.add_property(("fidelity.quarantine", said.as_str()));
    }
}

/// Returns what a quarantine comes to: `in quarantine until 2027-01-31 (payments): the sandbox drops webhooks`.
fn quarantine_of(quarantine: &QuarantineReport) -> String {
    let verb = if quarantine.expired { "was in" } else { "in" };
    let said = &quarantine.said;
    format!(
        "{verb} quarantine until {} ({}): {}",
        said.until, said.owner, said.reason
    )
}

fn failure(kind: &str, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status
        .set_type(kind)
        .set_message(message)
        .set_description(description);
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn status(report: &Report, test: &TestReport) -> TestCaseStatus {
    let finding = &test.finding;
    let quarantine = test.quarantine.as_ref();
    match (test.kind(), quarantine) {
        (VerdictKind::HiddenDefect | VerdictKind::Broken, Some(quarantine))
            if !quarantine.expired =>
        {
            let said = safe(&quarantine_of(quarantine));
            skipped(&format!("{said}: {}", message(report, test)))
        }
        (VerdictKind::HiddenDefect | VerdictKind::Broken, _) => failure(
            finding.verdict.kind.as_str(),
            &message(report, test),
            &description(report, test),
        ),
        (_, Some(over))
            if over.expired && report.conditions.contains(&Condition::ExpiredQuarantine) =>
        {
            failure(
                EXPIRED_QUARANTINE,
                &safe(&quarantine_of(over)),
                &description(report, test),
            )
        }
        (VerdictKind::Flaky, _) => {
            let mut status = TestCaseStatus::success();
            let failures = finding.baseline.failures + finding.target.failures;
            status.add_reruns((0..failures.clamp(1, FLAKY_FAILURES)).map(|_| {
                let mut rerun = TestRerun::new(NonSuccessKind::Failure);
                rerun
                    .set_type("flaky")
                    .set_message(message(report, test))
                    .set_description(description(report, test));
                rerun
            }));
            status
        }
        _ if finding.baseline.trials + finding.target.trials == 0 => {
            skipped(&not_run(report, test))
        }
        _ => TestCaseStatus::success(),
    }
}

/// Returns why a test has no trial, as far as its authors' words tell.
fn not_run(report: &Report, test: &TestReport) -> String {
    let why = test.terms.as_ref().and_then(|terms| {
        let [baseline, target] = Arm::BOTH.map(|arm| terms.absent_from(arm));
        let profiles = [&report.run.baseline, &report.run.target].map(String::as_str);
        Some(in_neither_arm(profiles, [baseline?, target?]))
    });
    why.map_or_else(|| "no trial".to_owned(), |why| safe(&why))
}

/// Returns the one line that lists show: `hidden-defect, always: low 0/9, high 9/9: it broke`.
fn message(report: &Report, test: &TestReport) -> String {
    let finding = &test.finding;
    let reason = match finding.verdict.reason.as_str() {
        "" => String::new(),
        reason => format!(", {reason}"),
    };
    let says = finding.message.as_ref();
    let says = says.map_or_else(String::new, |message| format!(": {}", safe(message)));
    format!(
        "{}{reason}: {}{says}",
        finding.verdict.kind,
        safe(&counts(&report.run, test))
    )
}

fn description(report: &Report, test: &TestReport) -> String {
    let mut lines = vec![rates(&report.run, test)];
    if report.run.blocks.is_some() {
        lines.push("order not randomised: the passes ran elsewhere".to_owned());
    }
    lines.extend(
        test.finding
            .signature
            .as_ref()
            .map(|text| format!("like: {text}")),
    );
    lines.push(explain_command(report, test.id()));
    let lines: Vec<String> = lines.iter().map(|line| safe(line)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
