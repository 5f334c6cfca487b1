//! The list of tests: what their authors say, where each is run, and what was last found of it. Knows no store and no suite.

use super::Style;
use super::number::{count, things};
use super::page::{self, Indent, Page, Span, Tone, plain, span};
use super::words::{in_neither_arm, listed, tones};
use crate::domain::{Annotation, Arm, Problem, RunId, TestId, TestKind, Verdict};

mod json;

pub use json::render_json;

/// Columns that a verdict and its run take at most; what they compared may go below.
const VERDICT_COLUMNS: usize = 24;

/// The tests that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// Sorted by identity.
    pub tests: Vec<ListedRow>,
    /// The names of the fidelity profiles, by arm.
    pub profiles: [String; 2],
    /// How many tests there are, those that were not asked for included.
    pub available: usize,
    /// Tests that are left out only because their users ignore them.
    pub ignored: usize,
    /// The moment at which quarantines are judged, RFC 3339 in UTC.
    pub now: String,
    /// What people should know of the suite.
    pub problems: Vec<Problem>,
}

/// A test in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedRow {
    /// The test.
    pub id: TestId,
    /// What it covers, where that is known, and whether its authors say so.
    pub kind: (Option<TestKind>, bool),
    /// Whether its user ignores it.
    pub ignored: bool,
    /// What its authors say.
    pub annotation: Option<Annotation>,
    /// Why it is not run in an arm, indexed by [`Arm::index`].
    pub absent: [Option<String>; 2],
    /// The last verdict on it.
    pub verdict: Option<LastSeen>,
}

/// The last verdict on a test.
#[derive(Clone, Debug, PartialEq)]
pub struct LastSeen {
    /// The verdict.
    pub verdict: Verdict,
    /// The run that came to it.
    pub run: RunId,
    /// The names of the fidelity profiles that it compared, by arm.
    pub profiles: [String; 2],
}

impl ListedRow {
    /// Returns whether it is in a quarantine that was over at `now`; none where it is in none.
    fn expired(&self, now: &str) -> Option<bool> {
        let quarantine = self.annotation.as_ref()?.quarantine.as_ref()?;
        Some(quarantine.has_expired(now))
    }
}

/// Returns the list for people, ending with a line end.
pub fn render(listing: &Listing, style: &Style) -> String {
    let mut page = Page::new(style);
    let Listing {
        tests, available, ..
    } = listing;
    let all = things(*available as u64, "test");
    let all = match tests.len() == *available {
        true => all,
        false => format!("{} of {all}", count(tests.len() as u64)),
    };
    let [baseline, target] = &listing.profiles;
    let ignored = match listing.ignored {
        0 => String::new(),
        ignored => format!("; {ignored} more ignored (--run-ignored all)"),
    };
    page.text(
        Indent::all(0),
        &[plain(format!(
            "{all}, {baseline} (baseline) and {target} (target){ignored}"
        ))],
    );
    let widths = widths(&page, listing);
    let mut binary = None;
    for test in tests {
        if binary != Some(&test.id.binary) {
            binary = Some(&test.id.binary);
            page.blank();
            page.text(Indent::all(0), &[span(Tone::Strong, &test.id.binary.0)]);
        }
        row(&mut page, cells(listing, test), &widths);
        let said = said(listing, test);
        if !said.is_empty() && !style.quiet {
            page.text(Indent::hanging(6), &[span(Tone::Faint, said)]);
        }
    }
    if !style.quiet {
        footer(&mut page, listing);
    }
    page.finish()
}

/// Returns the columns of name, kind and arms: that of names as wide as those beside which the others find room.
fn widths(page: &Page, listing: &Listing) -> [usize; 4] {
    let tests = || listing.tests.iter();
    let kind = |test: &ListedRow| test.kind.0.map_or(1, |kind| kind.as_str().len() + 1);
    let kinds = tests().map(kind).max().unwrap_or(0);
    let arms = tests().map(|test| page::width(&[plain(arms(listing, test))]));
    let arms = arms.max().unwrap_or(0);
    let verdicts = tests().map(|test| page::width(&cells(listing, test)[3]));
    let verdicts = verdicts.max().unwrap_or(0).min(VERDICT_COLUMNS);
    let others = 2 + 3 * page::GAP + kinds + arms + verdicts;
    let room = page.width().saturating_sub(others);
    let names = tests().map(|test| page::width(&[plain(&test.id.test)]));
    let name = names.filter(|name| *name <= room).max();
    [name.unwrap_or(1), kinds, arms, verdicts]
}

/// Writes a row. A name that is longer than its column has a line of its own, and the others stand in their columns below it.
fn row(page: &mut Page, cells: [Vec<Span>; 4], widths: &[usize; 4]) {
    let all = 2 + 3 * page::GAP + widths.iter().sum::<usize>();
    let has_room = all <= page.width();
    if page::width(&cells[0]) <= widths[0] || !has_room {
        page.columns(2, &cells, widths);
        return;
    }
    let [name, kind, arms, verdict] = cells;
    page.text(Indent::hanging(2), &name);
    page.columns(2, &[Vec::new(), kind, arms, verdict], widths);
}

fn cells(listing: &Listing, test: &ListedRow) -> [Vec<Span>; 4] {
    let (kind, is_said) = test.kind;
    let mut words = vec![plain(kind.map_or("-", TestKind::as_str))];
    if !is_said && kind.is_some() {
        words.push(span(Tone::Faint, "*"));
    }
    let verdict = match &test.verdict {
        Some(LastSeen {
            verdict,
            run,
            profiles,
        }) => vec![
            span(tones(verdict.kind).1, verdict.kind.as_str()),
            span(Tone::Faint, format!(" {}", run.short())),
            span(
                Tone::Faint,
                match *profiles == listing.profiles {
                    true => String::new(),
                    false => format!(" of {}", profiles.join(", ")),
                },
            ),
        ],
        None => vec![span(Tone::Faint, "untried")],
    };
    [
        vec![plain(&test.id.test)],
        words,
        vec![plain(arms(listing, test))],
        verdict,
    ]
}

/// Returns the arms it is run in, once asked for where it is ignored.
fn arms(listing: &Listing, test: &ListedRow) -> String {
    let run: Vec<String> = Arm::BOTH
        .into_iter()
        .filter(|arm| test.absent[arm.index()].is_none())
        .map(|arm| listing.profiles[arm.index()].clone())
        .collect();
    let arms = match run.as_slice() {
        [] => "nowhere".to_owned(),
        [only] => format!("{only} only"),
        both => both.join(", "),
    };
    match test.ignored {
        true => format!("{arms} (ignored)"),
        false => arms,
    }
}

/// Returns what its authors say, in one line.
fn said(listing: &Listing, test: &ListedRow) -> String {
    let Some(said) = &test.annotation else {
        return String::new();
    };
    let mut parts = super::said::parts(said, test.expired(&listing.now));
    parts.extend(not_run(listing, test).map(|why| format!("not run: {why}")));
    format!("{}  {}", parts.join("; "), said.place)
        .trim()
        .to_owned()
}

/// Returns why it is not run in an arm, once where the reason is the same for both. That an arm is not meant is said already.
fn not_run(listing: &Listing, test: &ListedRow) -> Option<String> {
    let meant = test.annotation.iter().flat_map(|said| &said.profiles);
    let meant: Vec<&String> = meant.collect();
    let is_meant = |arm: Arm| meant.is_empty() || meant.contains(&&listing.profiles[arm.index()]);
    let absent = Arm::BOTH.map(|arm| {
        let why = test.absent[arm.index()].as_ref();
        why.filter(|_| is_meant(arm)).cloned()
    });
    match &absent {
        [None, None] => None,
        [Some(why), None] | [None, Some(why)] => Some(why.clone()),
        [Some(one), Some(other)] => {
            let profiles = listing.profiles.each_ref().map(String::as_str);
            Some(in_neither_arm(profiles, [one, other]))
        }
    }
}

fn footer(page: &mut Page, listing: &Listing) {
    let kinds: Vec<String> = TestKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let of_kind = listing
                .tests
                .iter()
                .filter(|test| test.kind.0 == Some(kind));
            let all = of_kind.count();
            (all > 0).then(|| format!("{all} {kind}"))
        })
        .collect();
    page.blank();
    if !kinds.is_empty() {
        let mut all = listing.tests.iter();
        let inferred = all.any(|test| test.kind.0.is_some() && !test.kind.1);
        let star = match inferred {
            true => "; * by the place of the test, since no annotation says it",
            false => "",
        };
        let kinds = listed(&kinds, "and");
        page.text(Indent::hanging(0), &[plain(kinds), span(Tone::Faint, star)]);
    }
    for problem in &listing.problems {
        page.text(
            Indent::hanging(2),
            &[
                span(Tone::Faint, &problem.kind),
                plain("  "),
                plain(&problem.message),
            ],
        );
    }
}

#[cfg(test)]
mod tests;
