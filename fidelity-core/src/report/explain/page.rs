//! The page of one test: its evidence in words, part by part.

use crate::domain::{Arm, Outcome, Scope};
use crate::report::number::{confidence, duration_us, percent_range, things};
use crate::report::page::{self, Indent, Page, Span, Tone, plain, span};
use crate::report::words::{beyond_production, commit, name, next, started, tones};
use crate::report::{Style, absence, text};

use super::{Explanation, SCOPE, Split, SplitRow, Trial, output, scope_name, trials, verdict};

/// Cluster mates and earlier verdicts shown, where nothing more is asked for.
const MATES: usize = 10;
const HISTORY: usize = 10;

/// Marks of trials in a strip; more are cut in the middle, the latest kept.
const STRIP: usize = 60;

/// Returns the page of `explanation`, ending with a line end.
pub fn render(explanation: &Explanation, style: &Style) -> String {
    let mut page = Page::new(style);
    head(&mut page, explanation);
    verdict::says(&mut page, explanation);
    rates(&mut page, explanation);
    for split in explanation.splits.iter().filter(|split| tells(split)) {
        split_table(&mut page, explanation, split);
    }
    durations(&mut page, explanation);
    verdict::evidence(&mut page, explanation);
    verdict::would_change(&mut page, explanation);
    if !style.quiet {
        output::write(&mut page, explanation, style);
        mates(&mut page, explanation, style);
        history(&mut page, explanation, style);
        if 0 < style.verbose {
            trials::list(&mut page, explanation);
        }
        last_lines(&mut page, explanation, style);
    }
    page.finish()
}

/// Writes the title of a part.
pub(super) fn title(page: &mut Page, title: &str) {
    page.blank();
    page.text(Indent::all(0), &[span(Tone::Strong, title)]);
}

fn head(page: &mut Page, explanation: &Explanation) {
    let found = &explanation.test.finding.verdict;
    let (tone, _) = tones(found.kind);
    page.text(
        Indent::hanging(0),
        &name(explanation.test.id(), Tone::Strong),
    );
    let mut line = vec![span(tone, found.kind.as_str().to_uppercase())];
    if !found.reason.is_empty() && found.reason != found.kind.as_str() {
        line.push(plain(format!(", {}", found.reason)));
    }
    page.text(Indent::all(0), &line);
    let run = &explanation.run;
    let line = format!(
        "run {} of {}{}{}",
        run.id.short(),
        started(&run.started_at),
        if run.revision.is_some() { ", " } else { "" },
        commit(run.revision.as_ref())
    );
    page.text(Indent::hanging(0), &[span(Tone::Faint, line)]);
}

fn rates(page: &mut Page, explanation: &Explanation) {
    title(page, "RATES");
    let run = &explanation.run;
    let mut rows = Vec::new();
    for arm in Arm::BOTH {
        let evidence = explanation.test.arm(arm);
        let rate = match evidence.trials {
            0 => "no trial".to_owned(),
            trials => format!("fails {}/{trials}", evidence.failures),
        };
        let interval = (0 < evidence.trials).then(|| percent_range(evidence.bounds));
        let mut notes: Vec<String> = interval.into_iter().collect();
        for (number, what) in [
            (evidence.timeouts, "timed out"),
            (evidence.crashes, "crashed"),
            (evidence.not_reported, "not reported"),
            (evidence.further_failures, "of its further trials failed"),
            (explanation.test.presence(arm).skipped, "skipped"),
        ] {
            if 0 < number {
                notes.push(format!("{number} {what}"));
            }
        }
        rows.push(vec![
            vec![plain(run.arm(arm))],
            vec![span(Tone::Strong, rate)],
            vec![plain(notes.join(", "))],
            strip(explanation, arm),
        ]);
    }
    table(page, 2, &rows);
    let mut note = format!(
        "intervals at {}; each mark is a trial: . passed, F failed, T timed out, C crashed, - not reported",
        confidence(run.policy.confidence)
    );
    if explanation.trials.iter().any(|trial| !trial.counts) {
        note.push_str(", lower case or , does not count");
    }
    page.text(Indent::hanging(2), &[span(Tone::Faint, note)]);
    if let Some(words) = absence::words(run, &explanation.test) {
        let note = format!("{words}: what happened there is in no count");
        page.text(Indent::hanging(2), &[span(Tone::Warn, note)]);
    }
    if explanation.test.finding.clustered_failures {
        let note = "failures cluster between passes, so the intervals are optimistic";
        page.text(Indent::hanging(2), &[span(Tone::Warn, note)]);
    }
}

/// Returns one mark a trial, in the order they were made.
fn strip(explanation: &Explanation, arm: Arm) -> Vec<Span> {
    let marks: Vec<(Tone, char)> = explanation
        .trials
        .iter()
        .filter(|trial| trial.arm == arm)
        .map(mark)
        .collect();
    let left = marks.len().saturating_sub(STRIP);
    let mut spans = Vec::new();
    if 0 < left {
        spans.push(span(Tone::Faint, format!("({left} earlier) ")));
    }
    for run in marks[left..].chunk_by(|one, other| one == other) {
        spans.push(span(run[0].0, run[0].1.to_string().repeat(run.len())));
    }
    spans
}

pub(super) fn mark(trial: &Trial) -> (Tone, char) {
    let (tone, mark) = match trial.outcome {
        Outcome::Passed | Outcome::Skipped => (Tone::Good, '.'),
        Outcome::Failed => (Tone::Bad, 'F'),
        Outcome::TimedOut => (Tone::Bad, 'T'),
        Outcome::Crashed(_) => (Tone::Bad, 'C'),
        Outcome::NotReported => (Tone::Warn, '-'),
    };
    match (trial.counts, mark) {
        (true, _) => (tone, mark),
        (false, '.') => (Tone::Faint, ','),
        (false, _) => (Tone::Faint, mark.to_ascii_lowercase()),
    }
}

/// Returns whether a split is worth its lines: the arm fails at all, and where the split is by scope, the scopes differ.
fn tells(split: &Split) -> bool {
    let fails = |row: &SplitRow| 0 < row.failures;
    let differs = || {
        let never = split.rows.iter().filter(|row| !fails(row));
        never
            .map(|row| row.trials)
            .max()
            .is_some_and(|trials| 1 < trials)
    };
    split.rows.iter().any(fails) && (split.by != SCOPE || differs())
}

fn split_table(page: &mut Page, explanation: &Explanation, split: &Split) {
    let by = match split.by.as_str() {
        SCOPE => "by what it ran among".to_owned(),
        knob => format!("by {knob}"),
    };
    let arm = explanation.run.arm(split.arm);
    page.blank();
    page.text(Indent::hanging(2), &[plain(format!("in {arm}, {by}:"))]);
    let rows: Vec<Vec<Vec<Span>>> = split
        .rows
        .iter()
        .map(|row| {
            let tone = if 0 < row.failures {
                Tone::Bad
            } else {
                Tone::Good
            };
            let value = text::clean(&row.value);
            vec![
                vec![plain(text::cut(&value, 40))],
                vec![span(tone, format!("fails {}/{}", row.failures, row.trials))],
                vec![plain(percent_range(row.bounds))],
            ]
        })
        .collect();
    table(page, 4, &rows);
    if let Some(words) = company(split) {
        page.text(Indent::hanging(4), &[plain(words)]);
    }
}

/// Says what a split by scope comes to: whether the test fails only among other tests, or only alone. None where both fail, or where
/// one of them has too few trials to say so; nor where it fails among suspects, which may be company or not.
fn company(split: &Split) -> Option<&'static str> {
    if split.by != SCOPE {
        return None;
    }
    let count = |scopes: [Scope; 2]| {
        let names = scopes.map(scope_name);
        let rows = split.rows.iter();
        let rows = rows.filter(|row| names.contains(&row.value.as_str()));
        rows.fold((0, 0), |sum, row| {
            (sum.0 + row.failures, sum.1 + row.trials)
        })
    };
    let narrow = count([Scope::Alone, Scope::Suspects]);
    let alone = count([Scope::Alone; 2]);
    match (narrow, count([Scope::Binary, Scope::Suite])) {
        ((0, trials), (1.., _)) if 1 < trials => Some("it fails only in company"),
        (_, (0, trials)) if 1 < trials && 0 < alone.0 => Some("it fails only without company"),
        _ => None,
    }
}

/// Says how long passing and failing trials take, by their medians.
fn durations(page: &mut Page, explanation: &Explanation) {
    let mut parts = Vec::new();
    for arm in Arm::BOTH {
        for (fails, verb) in [(false, "passes after"), (true, "fails after")] {
            let mut times: Vec<u64> = explanation
                .trials
                .iter()
                .filter(|trial| trial.arm == arm && trial.outcome != Outcome::NotReported)
                .filter(|trial| trial.outcome.is_failure() == fails)
                .map(|trial| trial.duration_us)
                .collect();
            times.sort_unstable();
            if let Some(median) = times.get(times.len() / 2) {
                parts.push(format!(
                    "{verb} {} in {}",
                    duration_us(*median),
                    explanation.run.arm(arm)
                ));
            }
        }
    }
    if !parts.is_empty() {
        page.blank();
        page.text(
            Indent::hanging(2),
            &[plain(format!("{} (medians)", parts.join(", ")))],
        );
    }
}

fn mates(page: &mut Page, explanation: &Explanation, style: &Style) {
    let Some((reason, mates)) = &explanation.mates else {
        return;
    };
    let shown = if 0 < style.verbose {
        mates.len()
    } else {
        MATES.min(mates.len())
    };
    title(page, "FAILS WITH");
    page.text(
        Indent::hanging(2),
        &[span(Tone::Faint, format!("joined by: {reason}"))],
    );
    for mate in &mates[..shown] {
        page.text(Indent::hanging(2), &name(mate, Tone::Plain));
    }
    if shown < mates.len() {
        let left = things((mates.len() - shown) as u64, "more test");
        page.text(
            Indent::all(2),
            &[span(Tone::Faint, format!("and {left} (-v lists them)"))],
        );
    }
}

fn history(page: &mut Page, explanation: &Explanation, style: &Style) {
    let history = &explanation.history;
    if history.is_empty() {
        return;
    }
    title(page, "EARLIER RUNS");
    let shown = if 0 < style.verbose {
        history.len()
    } else {
        HISTORY.min(history.len())
    };
    let rows: Vec<Vec<Vec<Span>>> = history
        .iter()
        .rev()
        .take(shown)
        .map(|past| {
            let (_, tone) = tones(past.verdict.kind);
            let date = past.started_at.get(..10).unwrap_or(&past.started_at);
            vec![
                vec![plain(date)],
                vec![plain(format!("run {}", past.run.short()))],
                vec![plain(commit(past.revision.as_ref()))],
                vec![
                    span(tone, past.verdict.kind.as_str()),
                    plain(format!("  {}", past.verdict.reason)),
                ],
            ]
        })
        .collect();
    table(page, 2, &rows);
    if shown < history.len() {
        let left = things((history.len() - shown) as u64, "earlier run");
        page.text(
            Indent::all(2),
            &[span(Tone::Faint, format!("and {left} (-v lists them)"))],
        );
    }
}

fn last_lines(page: &mut Page, explanation: &Explanation, style: &Style) {
    page.blank();
    if explanation.test.beyond_production {
        let knobs = beyond_production(&explanation.run);
        page.text(
            Indent::hanging(0),
            &[
                span(Tone::Warn, "beyond production: "),
                plain(format!(
                    "{knobs}; its failures may need what production does not do"
                )),
            ],
        );
    }
    let name = &explanation.command_name;
    match explanation.run.blocks {
        // A longer run would not run it either.
        None if explanation.test.is_run_nowhere() => {}
        None => next(
            page,
            0,
            "more passes of it:",
            &format!("cargo fidelity run {name}"),
        ),
        Some(_) => next(
            page,
            0,
            "its passes ran elsewhere, and their order was not randomised: more blocks of both arms, ingested, say more",
            "",
        ),
    }
    if style.verbose == 0 && !explanation.trials.is_empty() {
        let command = format!("cargo fidelity explain {name} -v");
        next(page, 0, "every trial, whole outputs:", &command);
    }
}

/// Writes rows with every column as wide as its widest cell.
pub(super) fn table(page: &mut Page, indent: usize, rows: &[Vec<Vec<Span>>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| page::width(cell)).max().unwrap_or(0)
        })
        .collect();
    for row in rows {
        page.columns(indent, row, &widths);
    }
}
