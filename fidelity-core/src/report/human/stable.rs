//! The stable tests: how many, and which failure rate their trials exclude.

use std::collections::BTreeSet;

use crate::domain::{Arm, VerdictKind};
use crate::report::Style;
use crate::report::model::{Report, TestReport};
use crate::report::number::{confidence, excluded_above, percent, things, trials_to_exclude};
use crate::report::page::{Indent, Page, Tone, plain, span};
use crate::report::words::{name, next, setting_command, tones};

/// The failure rate whose exclusion the page says how to get.
const WORTH_EXCLUDING: f64 = 0.1;

pub(super) fn write(page: &mut Page, report: &Report, style: &Style) {
    let tests: Vec<&TestReport> = report.of_kind(VerdictKind::Stable).collect();
    page.blank();
    if tests.is_empty() {
        if report.tests.is_empty() {
            no_tests(page, report.run.blocks.is_some());
        }
        return;
    }
    let (title, _) = tones(VerdictKind::Stable);
    page.text(
        Indent::hanging(0),
        &[
            span(title, "STABLE"),
            plain(format!("  {}: ", things(tests.len() as u64, "test"))),
            plain(excluded(report, &tests)),
        ],
    );
    let screened = fewest(&tests, Arm::Target);
    let wanted = trials_to_exclude(WORTH_EXCLUDING, report.run.policy.confidence);
    if u64::from(screened) < wanted {
        let rate = percent(WORTH_EXCLUDING);
        match report.run.blocks {
            None => next(
                page,
                2,
                &format!("to exclude a rate above {rate} %:"),
                &setting_command(&report.run, &format!("policy.screen.target={wanted}")),
            ),
            Some(_) => {
                let passes = things(wanted, &format!("{} pass", report.run.target));
                let says = format!("to exclude a rate above {rate} %, ingest {passes}");
                next(page, 2, &says, "");
            }
        }
    }
    if 1 < style.verbose {
        for test in tests {
            page.text(Indent::hanging(2), &name(test.id(), Tone::Plain));
        }
    }
}

/// Returns what the trials of stable tests exclude: `no failure in 5 high passes: a rate above 45 % is excluded at 95 %;
/// 1 low pass excludes above 95 %`. Of unequal tests the one with the fewest trials speaks.
fn excluded(report: &Report, tests: &[&TestReport]) -> String {
    let run = &report.run;
    let level = run.policy.confidence;
    let passes = |arm: Arm| {
        let trials = fewest(tests, arm);
        let counts: BTreeSet<u32> = run_in(tests, arm).collect();
        let at_least = if counts.len() == 1 { "" } else { "at least " };
        let noun = format!("{} pass", run.arm(arm));
        let rate = percent(excluded_above(trials, level));
        (
            format!("{at_least}{}", things(u64::from(trials), &noun)),
            rate,
            trials,
        )
    };
    let [baseline, target] = Arm::BOTH.map(|arm| run_in(tests, arm).next().map(|_| passes(arm)));
    let level = confidence(level);
    match (baseline, target) {
        (Some((baseline, above, trials)), Some((target, rate, _))) => {
            let verb = if trials == 1 { "excludes" } else { "exclude" };
            let elsewhere = elsewhere(report, tests);
            format!(
                "no failure in {target}{elsewhere}: a rate above {rate} % is excluded at {level}; {baseline} {verb} above {above} %"
            )
        }
        (Some((passes, rate, _)), None) | (None, Some((passes, rate, _))) => {
            format!("no failure in {passes}: a rate above {rate} % is excluded at {level}")
        }
        (None, None) => "no failure".to_owned(),
    }
}

/// Returns how many of the tests are not run in the target: ` (1 is run in low only)`.
fn elsewhere(report: &Report, tests: &[&TestReport]) -> String {
    let lone = |test: &&&TestReport| test.lone_arm() == Some(Arm::Baseline);
    match tests.iter().filter(lone).count() {
        0 => String::new(),
        1 => format!(" (1 is run in {} only)", report.run.baseline),
        some => format!(" ({some} are run in {} only)", report.run.baseline),
    }
}

fn fewest(tests: &[&TestReport], arm: Arm) -> u32 {
    run_in(tests, arm).min().unwrap_or(0)
}

fn no_tests(page: &mut Page, ingested: bool) {
    page.text(
        Indent::all(0),
        &[span(Tone::WarnTitle, "NO TESTS WERE COMPARED")],
    );
    let (says, command) = match ingested {
        true => (
            "take in results of both:",
            "cargo fidelity ingest --fidelity-profile NAME FILE...",
        ),
        false => (
            "check filters, packages and features; to see the tests:",
            "cargo fidelity run --dry-run",
        ),
    };
    next(page, 2, says, command);
}

/// Returns the trials of the tests that are run in an arm: others say nothing of it.
fn run_in<'a>(tests: &'a [&'a TestReport], arm: Arm) -> impl Iterator<Item = u32> + 'a {
    let absent = move |test: &TestReport| {
        let terms = test.terms.as_ref();
        terms.is_some_and(|terms| terms.absent_from(arm).is_some())
    };
    tests
        .iter()
        .filter(move |test| !absent(test))
        .map(move |test| test.arm(arm).trials)
}
