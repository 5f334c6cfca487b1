//! The tests that were not compared, counted rather than listed: they share their reason.

use std::collections::BTreeMap;

use crate::domain::{Arm, VerdictKind};
use crate::report::model::{Report, TestReport};
use crate::report::number::things;
use crate::report::page::{Indent, Page, plain, span};
use crate::report::text::shell_word;
use crate::report::words::{explain_command, in_neither_arm, listed, next, tones};

/// Tests named for each missing arm.
const NAMED: usize = 4;

/// Says which tests have no trial in an arm; nothing if there are none.
pub(super) fn write(page: &mut Page, report: &Report, tests: &[&TestReport]) {
    if tests.is_empty() {
        return;
    }
    let mut by_missing: BTreeMap<Missing, Vec<&TestReport>> = BTreeMap::new();
    let mut by_reason: BTreeMap<String, Vec<&TestReport>> = BTreeMap::new();
    for test in tests {
        if let Some(reason) = not_run(report, test) {
            by_reason.entry(reason).or_default().push(test);
            continue;
        }
        let missing = Arm::BOTH.map(|arm| why(report, test, arm));
        by_missing.entry(missing).or_default().push(test);
    }
    page.blank();
    let (title, _) = tones(VerdictKind::Undetermined);
    page.text(
        Indent::hanging(0),
        &[
            span(title, "NOT COMPARED"),
            plain(format!(
                "  {}: an arm has no trial",
                things(tests.len() as u64, "test")
            )),
        ],
    );
    for (missing, tests) in &by_missing {
        let line = format!("{}: ", reason(report, missing));
        page.text(Indent::hanging(2), &[plain(line), plain(named(tests))]);
    }
    for (reason, tests) in &by_reason {
        let why = format!("{reason}: ");
        page.text(Indent::hanging(2), &[plain(why), plain(named(tests))]);
    }
    advise(page, report, &by_missing);
}

/// Why there is no trial in an arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// Every pass skipped it.
    Skipped,
    /// The arm has no pass at all.
    NoPass,
    /// It was not seen there.
    NotSeen,
}

/// Why each arm has no trial; none where it has one.
type Missing = [Option<Why>; 2];

fn why(report: &Report, test: &TestReport, arm: Arm) -> Option<Why> {
    let (presence, blocks) = (test.presence(arm), report.run.blocks.as_ref());
    if 0 < test.arm(arm).trials {
        None
    } else if 0 < presence.skipped && presence.is_never_run() {
        Some(Why::Skipped)
    } else if blocks.is_some_and(|blocks| blocks.passes[arm.index()] == 0) {
        Some(Why::NoPass)
    } else {
        Some(Why::NotSeen)
    }
}

fn reason(report: &Report, missing: &Missing) -> String {
    let arms = |why: Why| -> Vec<String> {
        let arms = Arm::BOTH.into_iter();
        arms.filter(|arm| missing[arm.index()] == Some(why))
            .map(|arm| report.run.arm(arm).to_owned())
            .collect()
    };
    let ingested = report.run.blocks.is_some();
    let words = [Why::Skipped, Why::NoPass, Why::NotSeen].map(|why| match (why, arms(why)) {
        (_, arms) if arms.is_empty() => None,
        (Why::Skipped, arms) => Some(format!("skipped in every pass of {}", listed(&arms, "and"))),
        (Why::NoPass, arms) => Some(format!("no pass of {} yet", listed(&arms, "or"))),
        (Why::NotSeen, arms) if ingested => {
            Some(format!("in no report of {}", listed(&arms, "or")))
        }
        (Why::NotSeen, arms) => Some(format!("no trial in {}", listed(&arms, "or"))),
    });
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Says what would compare the tests, each advice once.
fn advise(page: &mut Page, report: &Report, by_missing: &BTreeMap<Missing, Vec<&TestReport>>) {
    for why in [Why::NoPass, Why::NotSeen, Why::Skipped] {
        let of_why = by_missing
            .iter()
            .filter(|(missing, _)| missing.contains(&Some(why)));
        let first = of_why.filter_map(|(missing, tests)| Some((missing, tests.first()?)));
        let Some((missing, test)) = first.min_by_key(|(_, test)| test.id()) else {
            continue;
        };
        let explain = explain_command(report, test.id());
        let arm = Arm::BOTH
            .into_iter()
            .find(|arm| missing[arm.index()] == Some(why));
        let profile = report.run.arm(arm.unwrap_or(Arm::Target));
        let (says, command) = match why {
            Why::NoPass => (
                format!("take in results of {profile}, of the same commit and block:"),
                format!(
                    "cargo fidelity ingest --fidelity-profile {} FILE...",
                    shell_word(profile)
                ),
            ),
            Why::NotSeen if report.run.blocks.is_some() => (
                format!(
                    "was it not run in {profile}, or is it called otherwise there? see what is known:"
                ),
                explain,
            ),
            Why::NotSeen => (
                "a longer run compares them; see what is known:".to_owned(),
                explain,
            ),
            // No longer run makes what lacks.
            Why::Skipped => (
                "a test that skips itself is never compared: have it run there; see what is known:"
                    .to_owned(),
                explain,
            ),
        };
        next(page, 2, &says, &command);
    }
}

/// Returns why a test is not run: in neither arm, or not in the one that was not to try it.
fn not_run(report: &Report, test: &TestReport) -> Option<String> {
    let terms = test.terms.as_ref()?;
    let absent = Arm::BOTH.map(|arm| terms.absent_from(arm));
    match (absent, test.lone_arm()) {
        ([Some(baseline), Some(target)], _) => {
            let profiles = [&report.run.baseline, &report.run.target];
            Some(in_neither_arm(
                profiles.map(String::as_str),
                [baseline, target],
            ))
        }
        ([Some(why), None] | [None, Some(why)], Some(arm)) => {
            let yet = match test.arm(arm).trials {
                0 => "no trial there yet",
                _ => "not reported by every pass there",
            };
            let profile = report.run.arm(arm);
            Some(format!("run in {profile} only ({why}), and {yet}"))
        }
        _ => None,
    }
}

fn named(tests: &[&TestReport]) -> String {
    let mut names: Vec<String> = tests
        .iter()
        .take(NAMED)
        .map(|test| test.id().to_string())
        .collect();
    if names.len() < tests.len() {
        names.push(format!("{} more", tests.len() - names.len()));
    }
    listed(&names, "and")
}
