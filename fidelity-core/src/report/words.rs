//! Phrases that several pages share, so that the same thing is always said the same way.

use crate::classify::ArmEvidence;
use crate::domain::{Arm, Revision, TestId, VerdictKind};

use super::model::{Report, RunFacts, TestReport};
use super::number::{confidence, evidence, percent_range};
use super::page::{self, Indent, Page, Span, Tone, plain, span};
use super::text;

/// Columns of a name at most: what names things is no place for a novel.
const NAME_COLUMNS: usize = 160;

/// Hexadecimal digits of a commit that people read.
const COMMIT_DIGITS: usize = 10;

/// Returns a test's name, its binary faint.
pub(super) fn name(id: &TestId, tone: Tone) -> Vec<Span> {
    let short = |name: &str| text::cut_middle(&text::clean(name), NAME_COLUMNS).into_owned();
    let mut name = Vec::new();
    if !id.binary.0.is_empty() {
        name.extend([span(Tone::Faint, short(&id.binary.0)), plain(" ")]);
    }
    name.push(span(tone, short(&id.test)));
    name
}

/// Returns the tone of a verdict's title and of its tests.
pub(super) fn tones(kind: VerdictKind) -> (Tone, Tone) {
    match kind {
        VerdictKind::HiddenDefect | VerdictKind::Broken => (Tone::BadTitle, Tone::Bad),
        VerdictKind::Flaky | VerdictKind::BaselineOnly | VerdictKind::Undetermined => {
            (Tone::WarnTitle, Tone::Warn)
        }
        VerdictKind::Stable => (Tone::GoodTitle, Tone::Good),
    }
}

/// Returns the failures of both arms: `low 0/9, high 9/9`.
pub(super) fn counts(run: &RunFacts, test: &TestReport) -> String {
    let one = |arm| {
        let ArmEvidence {
            trials, failures, ..
        } = test.arm(arm);
        format!("{} {failures}/{trials}", run.arm(arm))
    };
    format!("{}, {}", one(Arm::Baseline), one(Arm::Target))
}

/// Returns why a test is run in neither arm; of reasons that differ in the profile only, both are told as one.
pub(super) fn in_neither_arm(profiles: [&str; 2], reasons: [&str; 2]) -> String {
    let [low, high] = profiles.map(|profile| format!("`{profile}`"));
    let [one, other] = reasons;
    if one == other {
        one.to_owned()
    } else if one.replace(&low, &high) == other {
        one.replace(&format!("{low} does not provide"), "no arm provides")
    } else {
        format!("{one}; {other}")
    }
}

/// Returns the intervals of both arms' failure rates: `fails 66-100 % in high, 0-34 % in low (at 95 %)`.
pub(super) fn rates(run: &RunFacts, test: &TestReport) -> String {
    let one = |arm| {
        let evidence = test.arm(arm);
        match evidence.trials {
            0 => format!("not run in {}", run.arm(arm)),
            _ => format!("{} in {}", percent_range(evidence.bounds), run.arm(arm)),
        }
    };
    format!(
        "fails {}, {} (at {})",
        one(Arm::Target),
        one(Arm::Baseline),
        confidence(run.policy.confidence)
    )
}

/// Returns the e-value that speaks for the verdict and the needed one: `e = 1,240 (needs 35)`.
pub(super) fn e_value(test: &TestReport) -> String {
    let finding = &test.finding;
    let e = match test.lean.unwrap_or(finding.verdict.kind) {
        VerdictKind::BaselineOnly => finding.e_mirror,
        _ => finding.e_value,
    };
    match finding.e_needed {
        Some(needed) => format!("e = {} (needs {})", evidence(e), evidence(needed)),
        None => format!("e = {}", evidence(e)),
    }
}

/// Returns the knobs of the target that are applied and harsher than production: `cpus = 1, open-files = 256`.
pub(super) fn beyond_production(run: &RunFacts) -> String {
    let settings: Vec<String> = run
        .beyond_production()
        .map(|knob| {
            format!(
                "{} = {}",
                knob.knob,
                knob.target.as_deref().unwrap_or("unset")
            )
        })
        .collect();
    settings.join(", ")
}

/// Returns the command that shows everything about a test.
pub(super) fn explain_command(report: &Report, id: &TestId) -> String {
    format!("cargo fidelity explain {}", report.command_name(id))
}

/// Writes what to do next and the command for it, which gets a line of its own rather than being broken: it is there
/// to be copied. Either may be empty.
pub(super) fn next(page: &mut Page, indent: usize, says: &str, command: &str) {
    let gap = if says.is_empty() || command.is_empty() {
        ""
    } else {
        " "
    };
    let line = [
        plain("-> "),
        plain(says),
        plain(gap),
        span(Tone::Hint, command),
    ];
    if says.is_empty() || indent + page::width(&line) <= page.width() {
        page.text(Indent::hanging(indent), &line);
    } else {
        page.text(Indent::hanging(indent), &line[..2]);
        page.text(Indent::hanging(indent + 3), &line[3..]);
    }
}

/// Returns the command that makes this run again, with its own seed; none for what was no run.
pub(super) fn replay_command(run: &RunFacts) -> Option<String> {
    let seed = run.seed.to_string();
    typed_with(run, &["--seed"], &["--seed", &seed])
}

/// Returns the command that goes on with a run that was cut short: what was typed, since the binaries have to be the
/// same ones.
pub(super) fn resume_command(run: &RunFacts) -> String {
    typed_with(run, &[], &["--resume"]).unwrap_or_else(|| "cargo fidelity run --resume".to_owned())
}

/// Returns the command of a new run that `options` allow more, and that the passes of this one join. Given draws would
/// make it a replay, which joins nothing.
pub(super) fn more_command(run: &RunFacts, options: [&str; 2]) -> String {
    typed_with(run, &["--seed", options[0]], &options)
        .unwrap_or_else(|| format!("cargo fidelity run {}", options.join(" ")))
}

/// Returns the command of a new run with one more setting, such as `policy.screen.target=29`, whether there is a configuration file
/// or not.
pub(super) fn setting_command(run: &RunFacts, setting: &str) -> String {
    typed_with(run, &["--seed"], &["--set", setting])
        .unwrap_or_else(|| format!("cargo fidelity run --set {}", text::shell_word(setting)))
}

/// Returns the command line of a run without the options `drop`, all of which take a value, and with `add` among its
/// own options; none for what was no run.
fn typed_with(run: &RunFacts, drop: &[&str], add: &[&str]) -> Option<String> {
    let typed = run.arguments.iter().map(String::as_str);
    let mut typed = typed.peekable();
    let mut words = vec![typed.next().unwrap_or("run")];
    if words[0] != "run" {
        return None;
    }
    while let Some(word) = typed.next_if(|word| *word != "--") {
        let names = |option: &&&str| {
            let rest = word.strip_prefix(**option);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        match drop.iter().find(names) {
            None => words.push(word),
            Some(option) if word == *option => _ = typed.next(),
            Some(_) => {}
        }
    }
    words.extend_from_slice(add);
    words.extend(typed);
    let words: Vec<String> = words.into_iter().map(text::shell_word).collect();
    Some(format!("cargo fidelity {}", words.join(" ")))
}

/// Returns the commit as people refer to it: `commit 9c1f0e2d3b with changes`; nothing where there is none.
pub(super) fn commit(revision: Option<&Revision>) -> String {
    let Some(revision) = revision else {
        return String::new();
    };
    let commit: String = revision.commit.chars().take(COMMIT_DIGITS).collect();
    let dirty = if revision.dirty { " with changes" } else { "" };
    format!("commit {commit}{dirty}")
}

/// Returns a start in RFC 3339 as people read it, to the second: `2026-03-14 09:26:53 UTC`.
pub(super) fn started(started_at: &str) -> String {
    let (date, time) = started_at.split_once('T').unwrap_or((started_at, ""));
    let to_the_second = time.split(['.', 'Z']).next().unwrap_or_default();
    format!("{date} {to_the_second} UTC")
}

/// Returns `items` as an enumeration: `a`, `a and b`, `a, b and c`.
pub(super) fn listed(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., tail] => format!("{} {last} {tail}", head.join(", ")),
    }
}
