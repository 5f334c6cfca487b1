//! The table of knobs in which the arms differ, and what became of each: observed, or not applied and why.

use crate::domain::KnobStatus;
use crate::report::model::Report;
use crate::report::number::things;
use crate::report::page::{GAP, Indent, Page, Span, Tone, plain, span};
use crate::report::words::next;
use crate::report::{Style, text};

/// Rows of the table, where nothing more is asked for.
const ROWS: usize = 12;

/// What is said of a setting that is harsher than production.
const BEYOND: &str = " [beyond production]";

/// The share of the page's columns that a setting may take.
const SETTING_SHARE: usize = 4;

pub(super) fn write(page: &mut Page, report: &Report, style: &Style) {
    let knobs: Vec<&KnobStatus> = report.run.differing_knobs().collect();
    page.blank();
    if knobs.is_empty() {
        no_difference(page, report);
        return;
    }
    let rows = if 0 < style.verbose { usize::MAX } else { ROWS };
    let applied = knobs.iter().filter(|knob| knob.applied);
    let missing = knobs.iter().filter(|knob| !knob.applied).count();
    let room = rows.saturating_sub(missing);
    let last_applied = applied.clone().nth(room).map(|knob| &knob.knob);
    let shown: Vec<&&KnobStatus> = knobs
        .iter()
        .filter(|knob| !knob.applied || last_applied.is_none_or(|last| knob.knob < *last))
        .collect();
    let mut table = vec![vec![
        faint("knob"),
        faint(&report.run.baseline),
        faint(&report.run.target),
        faint("seen by a test process"),
    ]];
    let setting_columns = page.width() / SETTING_SHARE;
    let names: Vec<[Vec<Span>; 3]> = shown
        .iter()
        .map(|knob| names(knob, setting_columns))
        .collect();
    table.extend(names.into_iter().map(Vec::from));
    let width = |column: usize| {
        let widths = table
            .iter()
            .map(|row| crate::report::page::width(&row[column]));
        widths.max().unwrap_or(0).min(setting_columns)
    };
    let widths = [width(0), width(1), width(2), 0];
    let taken = 2 + widths[..3].iter().map(|width| width + GAP).sum::<usize>();
    // What arrived as asked takes one line, unless more is asked for.
    let room = match style.verbose {
        0 => page.width().saturating_sub(taken),
        _ => usize::MAX,
    };
    for (row, knob) in table[1..].iter_mut().zip(&shown) {
        row.push(status(knob, room));
    }
    for row in &table {
        page.columns(2, row, &widths);
    }
    if shown.len() < knobs.len() {
        let left = things((knobs.len() - shown.len()) as u64, "more knob");
        page.text(
            Indent::all(2),
            &[span(Tone::Faint, format!("and {left} (-v lists them)"))],
        );
    }
}

/// Returns the cells that name a knob and its settings in both arms.
fn names(knob: &KnobStatus, columns: usize) -> [Vec<Span>; 3] {
    let name = text::clean(&knob.knob.0);
    [
        vec![plain(text::cut(&name, columns))],
        setting(knob.baseline.as_deref(), columns),
        setting(knob.target.as_deref(), columns),
    ]
}

/// Returns what became of a knob; within `room` columns where it was applied.
fn status(knob: &KnobStatus, room: usize) -> Vec<Span> {
    if !knob.applied {
        return vec![
            span(Tone::Warn, "NOT APPLIED"),
            plain(": "),
            plain(&knob.reason),
        ];
    }
    let label = if knob.beyond_production { BEYOND } else { "" };
    let reason = text::clean(&knob.reason);
    let room = room.saturating_sub(label.len());
    let mut status = vec![plain(text::cut(&reason, room))];
    if !label.is_empty() {
        status.push(span(Tone::Warn, label));
    }
    status
}

fn setting(setting: Option<&str>, columns: usize) -> Vec<Span> {
    match setting {
        Some(setting) => vec![plain(text::cut(&text::clean(setting), columns))],
        None => faint("-"),
    }
}

fn faint(text: &str) -> Vec<Span> {
    vec![span(Tone::Faint, text)]
}

fn no_difference(page: &mut Page, report: &Report) {
    let run = &report.run;
    page.text(
        Indent::all(2),
        &[span(
            Tone::Warn,
            format!(
                "{} and {} do not differ in any knob: nothing is compared.",
                run.baseline, run.target
            ),
        )],
    );
    let says = format!(
        "give {} a knob in fidelity.toml; to start from one that names them all:",
        run.target
    );
    next(page, 2, &says, "cargo fidelity init");
}
