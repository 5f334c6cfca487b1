//! The audit as a page, as Markdown and as JSON: the same parts in the same order, so that no format says more.

use super::number::{count, percent, things};
use super::page::{Indent, Page, Span, Tone, plain, span};
use super::words::listed;
use super::{Style, text};
use crate::audit::{Audit, Difference, Evidence, Standing};
use crate::domain::{Arm, TestKind};

mod json;

pub use json::render_json;

/// Lines of evidence that are told.
const EVIDENCE: usize = 8;

/// The titles of the parts that are laid out in a way of their own.
const DIFFERENCES: &str = "DIFFERENCES";
const INVEST: &str = "INVEST NEXT";
/// Columns of a value on the page; the other formats have all of it.
const VALUE_COLUMNS: usize = 20;

/// A part of the audit.
struct Part {
    title: &'static str,
    says: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    after: Vec<String>,
}

fn parts(audit: &Audit) -> Vec<Part> {
    vec![
        kinds(audit),
        trials(audit),
        substitutes(audit),
        differences(audit),
        invest(audit),
    ]
}

fn words<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn kinds(audit: &Audit) -> Part {
    let [low, high] = &audit.profiles;
    let rows = audit.kinds.iter().map(|(kind, counted)| {
        let all = match counted.inferred {
            0 => counted.tests.to_string(),
            inferred => format!("{} ({inferred} inferred)", counted.tests),
        };
        let run = Arm::BOTH.map(|arm| counted.run_in[arm.index()].to_string());
        let [in_low, in_high] = run;
        vec![
            kind.map_or("unknown", TestKind::as_str).to_owned(),
            all,
            in_low,
            in_high,
            counted.nowhere.to_string(),
        ]
    });
    Part {
        title: "TESTS",
        says: tests(audit),
        head: vec![
            "kind".to_owned(),
            "tests".to_owned(),
            format!("in {low}"),
            format!("in {high}"),
            "nowhere".to_owned(),
        ],
        rows: rows.collect(),
        after: audit
            .notes
            .iter()
            .map(|note| note.message.clone())
            .collect(),
    }
}

/// Returns how many tests there are, and how many of them are in quarantine.
fn tests(audit: &Audit) -> String {
    let all: u32 = audit.kinds.iter().map(|(_, counted)| counted.tests).sum();
    let of = match all as usize == audit.available {
        true => String::new(),
        false => format!(" of {}", count(audit.available as u64)),
    };
    let quarantine = match (audit.quarantined, audit.expired) {
        (0, _) => String::new(),
        (some, 0) => format!(", {some} in quarantine"),
        (some, expired) => format!(", {some} in quarantine, which is over for {expired}"),
    };
    format!("{}{of}{quarantine}", things(u64::from(all), "test"))
}

fn trials(audit: &Audit) -> Part {
    let all: u64 = audit.trials.iter().map(|(_, trials)| trials).sum();
    let rows = audit.trials.iter().map(|(profile, trials)| {
        let share = *trials as f64 / all.max(1) as f64;
        vec![
            profile.clone(),
            count(*trials),
            format!("{} %", percent(share)),
        ]
    });
    Part {
        title: "TRIALS",
        says: match audit.runs {
            0 => "none yet: `cargo fidelity run` makes some".to_owned(),
            runs => format!("{} in the last {}", count(all), things(runs as u64, "run")),
        },
        head: words(["fidelity profile", "trials", "share"]),
        rows: rows.collect(),
        after: Vec::new(),
    }
}

fn substitutes(audit: &Audit) -> Part {
    let rows = audit.substitutes.iter().map(|it| {
        vec![
            it.component.clone(),
            it.mocking.to_string(),
            match it.idle {
                0 => it.real.to_string(),
                idle => format!("{} ({idle} more run nowhere)", it.real),
            },
            it.place.clone(),
        ]
    });
    let line = |line: &Evidence| {
        let looks = if line.real { "real" } else { "substitute" };
        format!(
            "{}  {} ({looks}, {} confidence)",
            line.place(),
            line.what,
            line.confidence.as_str()
        )
    };
    let evidence = audit.evidence.as_deref().unwrap_or_default();
    let mut after: Vec<String> = evidence.iter().take(EVIDENCE).map(line).collect();
    if EVIDENCE < evidence.len() {
        let more = evidence.len() - EVIDENCE;
        after.push(format!("and {more} more: `--format json` has all of them"));
    }
    Part {
        title: "SUBSTITUTES",
        says: match (audit.substitutes.len(), evidence.len()) {
            (0, 0) if audit.evidence.is_none() => "not looked for".to_owned(),
            (0, 0) => "none seen".to_owned(),
            (said, seen) => format!(
                "{} by annotation; {} of code or manifests that look like it",
                things(said as u64, "component"),
                things(seen as u64, "line")
            ),
        },
        head: words(["component", "mocked by", "real in", "said at"]),
        rows: rows.collect(),
        after,
    }
}

fn differences(audit: &Audit) -> Part {
    let rows = audit.differences.iter().map(|difference| {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let [low, high, production] = &difference.values;
        vec![
            difference.knob.to_string(),
            value(low),
            value(high),
            value(production),
            likelihood(difference),
            format!("{:.1}", difference.severity),
            difference.reason.clone(),
        ]
    });
    let [low, high] = &audit.profiles;
    Part {
        title: DIFFERENCES,
        says: match audit.all_differences {
            0 => "none".to_owned(),
            all if all == audit.differences.len() => {
                format!("{all}, by likelihood x severity")
            }
            all => format!(
                "{} of {all}, by likelihood x severity",
                audit.differences.len()
            ),
        },
        head: vec![
            "knob".to_owned(),
            low.clone(),
            high.clone(),
            "production".to_owned(),
            "likelihood".to_owned(),
            "severity".to_owned(),
            "why".to_owned(),
        ],
        rows: rows.collect(),
        after: had_here(audit).into_iter().collect(),
    }
}

/// Returns which facts of production hold on this machine though no arm imposes them.
fn had_here(audit: &Audit) -> Option<String> {
    let had = audit.had_here.iter();
    let had: Vec<String> = had
        .map(|(knob, value)| format!("`{knob}` = {value}"))
        .collect();
    (!had.is_empty()).then(|| {
        format!(
            "as in production on this machine, though no arm imposes it: {}",
            listed(&had, "and")
        )
    })
}

fn likelihood(difference: &Difference) -> String {
    format!("{} %", percent(difference.belief.mean))
}

fn invest(audit: &Audit) -> Part {
    let rows = (1..)
        .zip(&audit.invest)
        .map(|(number, it)| vec![format!("{number}. {}", it.what), it.reason.clone()]);
    Part {
        title: INVEST,
        says: "what is not tried yet and promises most".to_owned(),
        head: words(["what", "why"]),
        rows: rows.collect(),
        after: Vec::new(),
    }
}

/// Returns the audit for people, ending with a line end.
pub fn render(audit: &Audit, style: &Style) -> String {
    let mut page = Page::new(style);
    for part in parts(audit) {
        page.blank();
        let title = [
            span(Tone::Strong, part.title),
            plain(format!("  {}", part.says)),
        ];
        page.text(Indent::hanging(0), &title);
        rows(&mut page, &part);
        for line in &part.after {
            page.text(Indent::hanging(2), &[span(Tone::Faint, line)]);
        }
    }
    page.finish()
}

/// Adds the rows. Why a difference matters stands below its row, since with it no row fits a line; of proposals the
/// columns have no names.
fn rows(page: &mut Page, part: &Part) {
    let below = part.title == DIFFERENCES;
    let shown = |row: &[String]| -> Vec<String> {
        let kept = row.len() - usize::from(below);
        let cells = row.iter().take(kept);
        cells
            .map(|cell| match below {
                true => shortened(cell),
                false => cell.clone(),
            })
            .collect()
    };
    let head = shown(&part.head);
    let all: Vec<Vec<String>> = part.rows.iter().map(|row| shown(row)).collect();
    if all.is_empty() {
        return;
    }
    let widths = widths(&head, &all);
    let cells = |row: &[String], tone: Tone| -> Vec<Vec<Span>> {
        row.iter().map(|cell| vec![span(tone, cell)]).collect()
    };
    if part.title != INVEST {
        page.columns(2, &cells(&head, Tone::Faint), &widths);
    }
    for (row, shown) in part.rows.iter().zip(&all) {
        page.columns(2, &cells(shown, Tone::Plain), &widths);
        if let Some(why) = row.last().filter(|_| below) {
            page.text(Indent::hanging(6), &[span(Tone::Faint, why)]);
        }
    }
}

fn shortened(cell: &str) -> String {
    text::cut(&text::clean(cell), VALUE_COLUMNS).into_owned()
}

/// Returns the width of each column.
fn widths(head: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let longest = |column: usize| {
        let cells = rows.iter().map(Vec::as_slice).chain([head]);
        cells.map(|row| row[column].chars().count()).max()
    };
    (0..head.len())
        .map(|column| longest(column).unwrap_or(0))
        .collect()
}

/// Returns the audit as Markdown, ending with a line end.
pub fn render_markdown(audit: &Audit) -> String {
    let mut text = String::from("# Fidelity audit\n");
    for part in parts(audit) {
        let title = part.title.to_lowercase();
        let (first, rest) = title.split_at(1);
        text += &format!(
            "\n## {}{rest}\n\n{}\n",
            first.to_uppercase(),
            cell(&part.says)
        );
        if !part.rows.is_empty() {
            text += &format!("\n{}", row(&part.head));
            text += &row(&vec!["---".to_owned(); part.head.len()]);
            text.extend(part.rows.iter().map(|cells| row(cells)));
        }
        if !part.after.is_empty() {
            text.push('\n');
            text.extend(part.after.iter().map(|line| format!("- {}\n", cell(line))));
        }
    }
    text
}

fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Returns a text that ends no cell and starts no markup of its own: names come from anywhere. Within backquotes, which
/// come in pairs, everything but the end of a cell is taken as it is.
fn cell(text: &str) -> String {
    let clean = text::clean(text);
    let last = match clean.matches('`').count() % 2 {
        0 => None,
        _ => clean.rfind('`'),
    };
    let (mut cell, mut code) = (String::with_capacity(clean.len()), false);
    for (place, letter) in clean.char_indices() {
        let single = last == Some(place);
        let markup = matches!(letter, '<' | '>' | '*' | '_' | '[' | ']' | '\\');
        if letter == '`' && !single {
            code = !code;
        } else if letter == '|' || single || (markup && !code) {
            cell.push('\\');
        }
        cell.push(letter);
    }
    cell
}

/// Returns the word for who differs from whom.
fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Tried => "tried",
        Standing::BeyondProduction => "beyond-production",
        Standing::KinderThanProduction => "kinder-than-production",
        Standing::UnlikeProduction => "unlike-production",
        Standing::OnlyInBaseline => "only-in-baseline",
        Standing::OnlyInProduction => "only-in-production",
        Standing::SameHere => "same-here",
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_escapes_markup_but_in_code_where_backslashes_are_read_as_they_are() {
        for (text, expected) in [
            (
                "provide `env.DATA_BASE_URL` in *an* arm_x",
                "provide `env.DATA_BASE_URL` in \\*an\\* arm\\_x",
            ),
            ("`a|b` and c|d", "`a\\|b` and c\\|d"),
            ("one ` alone <b>", "one \\` alone \\<b\\>"),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
