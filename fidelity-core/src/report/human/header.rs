//! The head of the page: what was compared, how much was run, and how to run it again.

use crate::domain::{Arm, Withdrawal};
use crate::report::Style;
use crate::report::model::{BlockFacts, PassCounts, Report, RunFacts};
use crate::report::number::{count, duration_ms, things};
use crate::report::page::{self, Indent, Page, Tone, plain, span};
use crate::report::words::{commit, listed, replay_command, started};

/// Joined runs that are named before the rest is only counted.
const JOINED_NAMED: usize = 3;

pub(super) fn write(page: &mut Page, report: &Report, style: &Style) {
    let run = &report.run;
    page.text(
        Indent::hanging(0),
        &[
            span(Tone::Strong, &run.baseline),
            plain(" (baseline) against "),
            span(Tone::Strong, &run.target),
            plain(format!(" (target): {}", tests(report))),
        ],
    );
    match &run.blocks {
        Some(blocks) => ingested(page, (run, blocks), style),
        None => drawn(page, run, style),
    }
}

/// Says what was taken in, and what of it is no evidence.
fn ingested(page: &mut Page, (run, blocks): (&RunFacts, &BlockFacts), style: &Style) {
    for line in block_lines(run, blocks) {
        page.text(Indent::hanging(0), &[plain(line)]);
    }
    // What was taken back at once is told at once.
    let same =
        |one: &Withdrawal, other: &Withdrawal| (&one.at, &one.reason) == (&other.at, &other.reason);
    for withdrawals in blocks.withdrawn.chunk_by(same) {
        let line = [
            span(Tone::Warn, "withdrawn: "),
            plain(withdrawn(run, withdrawals)),
        ];
        page.text(Indent::hanging(0), &line);
    }
    if !run.joined.is_empty() {
        page.text(Indent::hanging(0), &[plain(joined(run, style))]);
    }
    page.text(
        Indent::hanging(0),
        &[span(Tone::Faint, identity(run, style))],
    );
}

/// Says how much was run, and how to run it again.
fn drawn(page: &mut Page, run: &RunFacts, style: &Style) {
    page.text(
        Indent::hanging(0),
        &[plain(format!(
            "{}, {} in {}",
            passes(run.passes),
            things(run.trials, "trial"),
            duration_ms(run.wall_ms)
        ))],
    );
    if !run.runner.name.is_empty() {
        page.text(Indent::hanging(0), &[plain(runner(run))]);
    }
    if let Some(words) = &run.screened_harder {
        page.text(Indent::hanging(0), &[plain(words)]);
    }
    if !run.joined.is_empty() {
        page.text(Indent::hanging(0), &[plain(joined(run, style))]);
    }
    let mut line = vec![span(Tone::Faint, identity(run, style))];
    let Some(command) = replay_command(run) else {
        line.push(span(Tone::Faint, format!(", seed {}", run.seed)));
        page.text(Indent::hanging(0), &line);
        return;
    };
    // The command is there to be copied: it is not broken while there is room for it.
    let replay = [span(Tone::Faint, "replay: "), span(Tone::Hint, command)];
    if page::width(&line) + 2 + page::width(&replay) <= page.width() {
        line.push(span(Tone::Faint, "; "));
        line.extend(replay);
        page.text(Indent::hanging(0), &line);
    } else {
        page.text(Indent::hanging(0), &line);
        page.text(Indent::hanging(0), &replay);
    }
}

/// Returns how many tests the page is about: `14 tests`, `4 of 14 tests`.
fn tests(report: &Report) -> String {
    let shown = report.tests.len();
    let all = things((shown + report.left_out) as u64, "test");
    match report.left_out {
        0 => all,
        _ => format!("{} of {all}", count(shown as u64)),
    }
}

/// Says what was ingested, and what a verdict on it rests on.
fn block_lines(run: &RunFacts, blocks: &BlockFacts) -> Vec<String> {
    let [baseline, target] = blocks.passes;
    let mut lines = vec![format!(
        "ingested: {} of {} and {} of {}, {}",
        things(u64::from(baseline), "pass"),
        run.baseline,
        count(u64::from(target)),
        run.target,
        things(blocks.trials, "trial")
    )];
    let compared = match blocks.complete {
        0 => "no block has passes of both".to_owned(),
        complete => format!(
            "{} with passes of both",
            things(u64::from(complete), "block")
        ),
    };
    let alone: Vec<String> = [
        (&run.baseline, blocks.one_armed[0]),
        (&run.target, blocks.one_armed[1]),
    ]
    .into_iter()
    .filter(|(_, number)| 0 < *number)
    .map(|(name, number)| format!("{} with {name} only", count(u64::from(number))))
    .collect();
    let alone = match alone.is_empty() {
        true => String::new(),
        false => format!(" ({} say nothing)", alone.join(" and ")),
    };
    lines.push(format!(
        "order not randomised: the verdicts take it that within a block the jobs could have been swapped; {compared}{alone}"
    ));
    lines.extend(apart(run, blocks));
    lines
}

/// Names blocks that may be one: those that lack one arm, and those that lack the other.
fn apart(run: &RunFacts, blocks: &BlockFacts) -> Option<String> {
    let [low, high] = Arm::BOTH.map(|arm| {
        let (named, all) = (&blocks.alone[arm.index()], blocks.one_armed[arm.index()]);
        let mut names: Vec<String> = named.iter().map(ToString::to_string).collect();
        let left = u64::from(all).saturating_sub(names.len() as u64);
        if 0 < left {
            names.push(format!("{} more", count(left)));
        }
        listed(&names, "and")
    });
    (!low.is_empty() && !high.is_empty()).then(|| {
        let (baseline, target) = (&run.baseline, &run.target);
        format!(
            "do they belong together? {baseline} without {target}: {low}; {target} without {baseline}: {high} (passes of one \
             block have the same --commit and --block)"
        )
    })
}

/// Returns what was taken back, and why: `2 passes of high, taken in with run 1a2b3c4d (2026-03-01): it ran on the old image`.
fn withdrawn(run: &RunFacts, withdrawals: &[Withdrawal]) -> String {
    let passes: Vec<String> = Arm::BOTH
        .into_iter()
        .filter_map(|arm| {
            let of_arm = withdrawals.iter();
            let number: u64 = of_arm.map(|it| u64::from(it.passes[arm.index()])).sum();
            (0 < number).then(|| format!("{} of {}", things(number, "pass"), run.arm(arm)))
        })
        .collect();
    let (runs, said) = match withdrawals {
        [] => return String::new(),
        [one] => (format!("run {}", one.run.short()), one),
        [first, others @ ..] => {
            let others = things(others.len() as u64, "other run");
            (format!("run {} and {others}", first.run.short()), first)
        }
    };
    format!(
        "{} that came with {runs}, since {}: {}",
        passes.join(" and "),
        started(&said.at),
        said.reason
    )
}

/// Returns the passes by phase: `37 passes (6 screening, 31 focus)`.
fn passes(passes: PassCounts) -> String {
    let all = things(u64::from(passes.completed()), "pass");
    let parts: Vec<String> = [
        (passes.screen, "screening"),
        (passes.focus, "focus"),
        (passes.company, "company"),
        (passes.checks, "repeated"),
    ]
    .iter()
    .filter(|(number, _)| 0 < *number)
    .map(|(number, name)| format!("{} {name}", count(u64::from(*number))))
    .collect();
    match parts.len() {
        0 | 1 => all,
        _ => format!("{all} ({})", parts.join(", ")),
    }
}

/// Returns what ran the tests, and why that did: `tests run by cargo-nextest 0.9.143: .config/nextest.toml is there`.
fn runner(run: &RunFacts) -> String {
    let colon = if run.runner.reason.is_empty() {
        ""
    } else {
        ": "
    };
    format!(
        "tests run by {}{colon}{}",
        run.runner.name, run.runner.reason
    )
}

fn identity(run: &RunFacts, style: &Style) -> String {
    let id = match style.verbose {
        0 => run.id.short(),
        _ => run.id.to_string(),
    };
    let comma = if run.revision.is_some() { ", " } else { "" };
    let commit = commit(run.revision.as_ref());
    format!("run {id} of {}{comma}{commit}", started(&run.started_at))
}

/// Returns which earlier runs count too: `with 12 passes of 2 earlier runs: 1f2e3d4c (6), 5a6b7c8d (6)`.
fn joined(run: &RunFacts, style: &Style) -> String {
    let passes = run
        .joined
        .iter()
        .map(|earlier| u64::from(earlier.passes))
        .sum();
    let shown = if 0 < style.verbose {
        usize::MAX
    } else {
        JOINED_NAMED
    };
    // The latest are what a reader remembers.
    let mut named: Vec<String> = run
        .joined
        .iter()
        .rev()
        .take(shown)
        .map(|earlier| format!("{} ({})", earlier.id.short(), earlier.passes))
        .collect();
    let left = run.joined.len().saturating_sub(named.len());
    if 0 < left {
        named.push(format!("{} more", count(left as u64)));
    }
    format!(
        "counted with {} of {}: {}",
        things(passes, "pass"),
        things(run.joined.len() as u64, "earlier run"),
        named.join(", ")
    )
}
