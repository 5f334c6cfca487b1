//! The tests that were not compared, counted rather than listed: they share their reason.

use std::collections::BTreeMap;

use crate::domain::{Arm, VerdictKind};
use crate::report::model::{Report, TestReport};
use crate::report::number::things;
use crate::report::page::{Indent, Page, plain, span};
use crate::report::words::{explain_command, listed, next, tones};

/// Tests named for each missing arm.
const NAMED: usize = 4;

/// Says which tests have no trial in an arm; nothing if there are none.
pub(super) fn write(page: &mut Page, report: &Report, tests: &[&TestReport]) {
    if tests.is_empty() {
        return;
    }
    let mut by_missing: BTreeMap<[bool; 2], Vec<&TestReport>> = BTreeMap::new();
    let mut by_reason: BTreeMap<String, Vec<&TestReport>> = BTreeMap::new();
    for test in tests {
        if let Some(reason) = not_run(test) {
            by_reason.entry(reason).or_default().push(test);
            continue;
        }
        let missing = Arm::BOTH.map(|arm| test.arm(arm).trials == 0);
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
    let only_absent = by_missing.is_empty();
    for (missing, tests) in by_missing {
        let arms: Vec<String> = Arm::BOTH
            .into_iter()
            .filter(|arm| missing[arm.index()])
            .map(|arm| report.run.arm(arm).to_owned())
            .collect();
        let why = format!("no trial in {}: ", listed(&arms, "or"));
        page.text(Indent::hanging(2), &[plain(why), plain(named(&tests))]);
    }
    for (reason, tests) in by_reason {
        let why = format!("{reason}: ");
        page.text(Indent::hanging(2), &[plain(why), plain(named(&tests))]);
    }
    // No longer run makes what lacks.
    if only_absent {
        return;
    }
    let explain = explain_command(report, tests[0].id());
    next(
        page,
        2,
        "a longer run compares them; see what is known:",
        &explain,
    );
}

/// Returns why a test is run in neither arm, if it is not; reasons that are alike are told once.
fn not_run(test: &TestReport) -> Option<String> {
    let terms = test.terms.as_ref()?;
    let [baseline, target] = Arm::BOTH.map(|arm| terms.absent_from(arm));
    let (baseline, target) = (baseline?, target?);
    Some(if baseline == target {
        baseline.to_owned()
    } else {
        format!("{baseline}; {target}")
    })
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
