//! The foot of the page: what people should know, what was not finished and how to go on, and the gate.

use crate::domain::{Condition, Problem, StopReason, VerdictKind};
use crate::report::model::{Report, TestReport};
use crate::report::number::{count, things};
use crate::report::page::{Indent, Page, Span, Tone, plain, span};
use crate::report::problems::{KNOB_NOT_APPLIED, is_about_knob};
use crate::report::words::{listed, more_command, next, resume_command};
use crate::report::{Style, gate};

/// Problems shown, where nothing more is asked for.
const PROBLEMS: usize = 8;

/// What could not be read that is named before the rest is only counted.
const UNREAD_NAMED: usize = 5;

/// Lines of one problem.
const PROBLEM_LINES: usize = 3;

/// Problems that say why the run stopped: they have a paragraph of their own.
const ENDINGS: [&str; 5] = [
    "out-of-time",
    "out-of-trials",
    "interrupted",
    "environment",
    "no-end",
];

pub(super) fn write(page: &mut Page, report: &Report, style: &Style) {
    if !style.quiet {
        problems(page, report, style);
    }
    stopped(page, report);
    partial(page, report);
    gate_line(page, report);
}

fn problems(page: &mut Page, report: &Report, style: &Style) {
    let told: Vec<&Problem> = report
        .problems
        .iter()
        .filter(|problem| !is_told_elsewhere(report, problem))
        .collect();
    if told.is_empty() {
        return;
    }
    let shown = if 0 < style.verbose {
        told.len()
    } else {
        PROBLEMS.min(told.len())
    };
    page.blank();
    page.text(Indent::all(0), &[span(Tone::Strong, "NOTES")]);
    for problem in &told[..shown] {
        page.text_at_most(
            if 0 < style.verbose {
                usize::MAX
            } else {
                PROBLEM_LINES
            },
            Indent::hanging(2),
            &[
                span(Tone::Faint, &problem.kind),
                plain("  "),
                plain(&problem.message),
            ],
        );
    }
    if shown < told.len() {
        let left = things((told.len() - shown) as u64, "more note");
        page.text(
            Indent::all(2),
            &[span(Tone::Faint, format!("and {left} (-v lists them)"))],
        );
    }
}

/// Returns whether another part of the page tells the problem already.
fn is_told_elsewhere(report: &Report, problem: &Problem) -> bool {
    match problem.kind.as_str() {
        "joined-run" => true,
        KNOB_NOT_APPLIED => report
            .run
            .differing_knobs()
            .any(|knob| !knob.applied && is_about_knob(problem, &knob.knob)),
        kind => ENDINGS.contains(&kind),
    }
}

/// Says why a run that did not decide everything stopped, and how it goes on.
fn stopped(page: &mut Page, report: &Report) {
    let run = &report.run;
    let (tone, says, command) = match &run.stop {
        Some(StopReason::Decided | StopReason::Ingested) => return,
        Some(StopReason::OutOfTime) => (
            Tone::WarnTitle,
            "with more time:",
            more_command(run, ["--max-time", "30m"]),
        ),
        Some(StopReason::OutOfTrials) => (
            Tone::WarnTitle,
            "with as many trials as it takes:",
            more_command(run, ["--max-trials", "none"]),
        ),
        Some(StopReason::Interrupted) | None => (Tone::WarnTitle, "go on:", resume_command(run)),
        Some(StopReason::Environment { .. }) => (
            Tone::BadTitle,
            "put the environment right (`cargo fidelity run --dry-run` checks it), then go on:",
            resume_command(run),
        ),
    };
    let why = report
        .problems
        .iter()
        .rev()
        .find(|problem| ENDINGS.contains(&problem.kind.as_str()));
    let Some(why) = why else { return };
    page.blank();
    page.text(
        Indent::hanging(0),
        &[
            span(tone, "STOPPED EARLY"),
            plain(format!("  {}; {}", why.message, unfinished(report))),
        ],
    );
    next(page, 2, says, &command);
}

/// Returns what is open: the tests that more passes could decide, and how many passes that takes.
fn unfinished(report: &Report) -> String {
    let undetermined = report.of_kind(VerdictKind::Undetermined).count();
    let open = || report.tests.iter().filter(|test| test.is_open());
    // A pass serves every suspect, so the slowest one says how many are needed.
    let passes = open().filter_map(|test| test.finding.needs_passes).max();
    match (open().count() as u64, passes) {
        (0, _) if undetermined == 0 => {
            "every test has a verdict, on fewer passes than planned".to_owned()
        }
        (0, _) => "more passes are unlikely to decide more".to_owned(),
        (open, None) => format!("{} undecided", things(open, "test")),
        (open, Some(passes)) => format!(
            "{} undecided, about {}",
            things(open, "test"),
            things(u64::from(passes), "more pass")
        ),
    }
}

/// Returns the names of what could not be read, the first few: `a.xml, b.xml and 3 more`; none where everything was.
pub fn not_read(unread: &[String]) -> Option<String> {
    let mut names: Vec<String> = unread.iter().take(UNREAD_NAMED).cloned().collect();
    let left = unread.len().saturating_sub(names.len());
    if 0 < left {
        names.push(format!("{} more", count(left as u64)));
    }
    (!names.is_empty()).then(|| listed(&names, "and"))
}

/// Says that the page is about a part of what was given.
fn partial(page: &mut Page, report: &Report) {
    let Some(names) = not_read(&report.unread) else {
        return;
    };
    page.blank();
    let line = [
        span(Tone::WarnTitle, "NOT READ"),
        plain(format!(
            "  {names}; the rest was taken in. The warnings say what is wrong with each"
        )),
    ];
    page.text(Indent::hanging(0), &line);
}

fn gate_line(page: &mut Page, report: &Report) {
    page.blank();
    let gate = gate(report, &report.conditions);
    let mut line: Vec<Span> = if report.conditions.is_empty() {
        vec![
            span(Tone::Strong, "GATE"),
            plain("  not applied: no condition"),
        ]
    } else if !gate.passed {
        vec![
            span(Tone::BadTitle, "GATE FAILED"),
            plain(format!("  {} ", gate.reasons.join(", "))),
            exit_meaning(report, 1),
        ]
    } else if !report.tests.iter().any(is_judged) {
        vec![
            span(Tone::WarnTitle, "GATE SAYS NOTHING"),
            plain("  no test was compared"),
        ]
    } else {
        let (tone, title) = match &report.run.stop {
            Some(StopReason::Interrupted | StopReason::Environment { .. }) | None => {
                (Tone::WarnTitle, "GATE PASSED SO FAR")
            }
            Some(_) => (Tone::GoodTitle, "GATE PASSED"),
        };
        vec![
            span(tone, title),
            plain(format!("  {} ", what_holds(report))),
            exit_meaning(report, 0),
        ]
    };
    let says_nothing = report.conditions.is_empty() || !report.tests.iter().any(is_judged);
    if gate.passed && says_nothing && !report.unread.is_empty() {
        line.extend([plain(" "), exit_meaning(report, 0)]);
    }
    page.text(Indent::hanging(0), &line);
}

/// Returns whether a verdict on a test rests on something: on both arms, or on the one in which it is run.
fn is_judged(test: &TestReport) -> bool {
    test.is_compared() || test.kind() != VerdictKind::Undetermined
}

/// Says what is so where none of the conditions holds.
fn what_holds(report: &Report) -> String {
    let conditions = report.conditions.as_slice();
    let no_test = match report.left_out {
        0 => "no test is",
        _ => "none of these tests is",
    };
    let verdicts: Vec<String> = conditions
        .iter()
        .filter(|condition| matches!(condition, Condition::Verdict(_)))
        .map(Condition::to_string)
        .collect();
    let mut parts = Vec::new();
    if !verdicts.is_empty() {
        parts.push(format!("{no_test} {}", listed(&verdicts, "or")));
    }
    if conditions.contains(&Condition::KnobNotApplied) {
        parts.push("every knob that was asked for was applied".to_owned());
    }
    if conditions == [Condition::ExpiredQuarantine] {
        parts.push("no quarantine is over".to_owned());
    }
    parts.join(", ")
}

/// Returns what the exit code of the run means. A run that was cut off says so rather than what the gate found.
fn exit_meaning(report: &Report, code: u8) -> Span {
    let text = match &report.run.stop {
        Some(StopReason::Interrupted) => {
            "[exit code 5: interrupted, partial results kept]".to_owned()
        }
        Some(StopReason::Environment { .. }) => {
            "[exit code 4: the environment was not provided, or changed]".to_owned()
        }
        None => "[the run has no end yet]".to_owned(),
        // A gate that failed comes first: a file that is none must not hide a defect.
        Some(_) if code == 0 && !report.unread.is_empty() => {
            "[exit code 6: some input could not be read]".to_owned()
        }
        Some(_) => format!("[exit code {code}]"),
    };
    span(Tone::Faint, text)
}
