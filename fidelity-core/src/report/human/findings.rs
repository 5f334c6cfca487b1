//! The tests that need attention, one section a verdict. What stands under a test is written by [`super::entry`].

use super::entries::{Entry, entries};
use super::entry;
use super::not_compared;
use crate::domain::{Arm, StopReason, VerdictKind};
use crate::report::Style;
use crate::report::model::{Report, TestReport};
use crate::report::number::{confidence, excluded_above, percent, things};
use crate::report::page::{self, Indent, Page, Span, Tone, plain, span};
use crate::report::words::{beyond_production, counts, explain_command, name, next, tones};

/// Entries of a section where nothing more is asked for: those told in full, and those that are named.
const HIDDEN_TOLD: usize = 5;
const OTHERS_TOLD: usize = 3;
const NAMED: usize = 5;

/// Writes the sections of one verdict: none where no test has it, two where some hidden defects show in company only.
pub(super) fn write(page: &mut Page, report: &Report, kind: VerdictKind, style: &Style) {
    let (compared, others): (Vec<&TestReport>, Vec<&TestReport>) =
        report.of_kind(kind).partition(|test| {
            test.is_compared() || test.has_failed_alone() || kind != VerdictKind::Undetermined
        });
    let (company, ordinary): (Vec<&TestReport>, Vec<&TestReport>) = compared
        .into_iter()
        .partition(|test| kind == VerdictKind::HiddenDefect && test.finding.only_in_company);
    let section = Section {
        report,
        kind,
        style,
    };
    let (name, says) = section.title(&ordinary);
    section.write(page, name, &says, ordinary);
    let says = format!(
        "fail in {} only among the tests of their binary or suite",
        report.run.target
    );
    section.write(page, "HIDDEN DEFECTS IN COMPANY", &says, company);
    if !style.quiet {
        not_compared::write(page, report, &others);
    }
}

/// What the lines of a section are written from.
pub(super) struct Section<'a> {
    pub(super) report: &'a Report,
    pub(super) kind: VerdictKind,
    pub(super) style: &'a Style,
}

impl Section<'_> {
    fn title(&self, tests: &[&TestReport]) -> (&'static str, String) {
        let (low, high) = (&self.report.run.baseline, &self.report.run.target);
        match self.kind {
            VerdictKind::HiddenDefect => {
                ("HIDDEN DEFECTS", format!("pass in {low}, fail in {high}"))
            }
            VerdictKind::Flaky => ("FLAKY", "pass and fail in the same environment".to_owned()),
            VerdictKind::Broken => ("BROKEN", self.broken_everywhere(tests)),
            VerdictKind::BaselineOnly => {
                ("BASELINE ONLY", format!("fail in {low}, pass in {high}"))
            }
            VerdictKind::Undetermined => {
                ("UNDETERMINED", "failures seen, evidence short".to_owned())
            }
            VerdictKind::Stable => ("STABLE", "no failure".to_owned()),
        }
    }

    /// Returns what every trial failing excludes; of unequal tests the one with the fewest trials speaks.
    fn broken_everywhere(&self, tests: &[&TestReport]) -> String {
        let level = self.report.run.policy.confidence;
        let trials = tests
            .iter()
            .flat_map(|test| Arm::BOTH.map(|arm| test.arm(arm).trials))
            // A test that is run in one arm says nothing of the other.
            .filter(|trials| 0 < *trials);
        let rate = percent(excluded_above(trials.min().unwrap_or(0), level));
        let wherever = match tests.iter().any(|test| test.lone_arm().is_some()) {
            true => "wherever they are run",
            false => "everywhere",
        };
        format!(
            "fail {wherever}; a pass rate above {rate} % is excluded at {}",
            confidence(level)
        )
    }

    fn write(&self, page: &mut Page, name: &str, says: &str, tests: Vec<&TestReport>) {
        if tests.is_empty() {
            return;
        }
        let number = tests.len();
        let entries = entries(tests);
        page.blank();
        let causes = match entries.len() {
            causes if causes == number => String::new(),
            causes => format!(", {}", things(causes as u64, "cause")),
        };
        let number = things(number as u64, "test");
        page.text(
            Indent::hanging(0),
            &[
                span(tones(self.kind).0, name),
                plain(format!("  {number}{causes}: {says}")),
            ],
        );
        if entries.iter().any(|entry| entry.leader().beyond_production) {
            let knobs = beyond_production(&self.report.run);
            let label = format!("beyond production: {knobs}");
            page.text(Indent::hanging(2), &[span(Tone::Warn, label)]);
        }
        let (told, named) = self.shown(entries.len());
        let widths = self.widths(page.width(), &entries[..told + named]);
        for (position, entry) in entries[..told + named].iter().enumerate() {
            let alone = told <= position || self.style.quiet;
            let mut head = self.head(entry, told <= position);
            let left = match alone {
                true => because(entry, &mut head, (page.width(), &widths)),
                false => None,
            };
            page.columns(2, &head, &widths);
            if let Some(cause) = left.filter(|_| !self.style.quiet) {
                page.text_at_most(1, Indent::all(entry::INDENT), &[plain(cause)]);
            }
            if !alone {
                entry::write(page, self, entry);
            }
        }
        let left = entries.len() - told - named;
        if 0 < left {
            let left = things(left as u64, "more cause");
            page.text(
                Indent::hanging(2),
                &[span(Tone::Faint, format!("and {left} (-v lists them)"))],
            );
        }
        if !self.style.quiet {
            self.advice(page, &entries, told);
        }
    }

    /// Returns how many entries are told in full and how many after them are only named.
    fn shown(&self, entries: usize) -> (usize, usize) {
        let told = match self.kind {
            _ if 0 < self.style.verbose => entries,
            VerdictKind::HiddenDefect => entries.min(HIDDEN_TOLD),
            _ => entries.min(OTHERS_TOLD),
        };
        (told, NAMED.min(entries - told))
    }

    /// Returns the widths of the columns: that of the names is the widest that leaves room for the other columns.
    fn widths(&self, width: usize, entries: &[Entry<'_>]) -> [usize; 3] {
        let heads: Vec<Vec<Vec<Span>>> =
            entries.iter().map(|entry| self.head(entry, true)).collect();
        let widest = |column: usize, room: usize| {
            let widths = heads.iter().map(|head| page::width(&head[column]));
            widths.filter(|width| *width <= room).max().unwrap_or(0)
        };
        let (counts, reasons) = (widest(1, width), widest(2, width));
        let room = width.saturating_sub(2 + page::GAP + counts + page::GAP + reasons);
        [widest(0, room), counts, reasons]
    }

    /// Returns the cells of an entry's first line. Where nothing is told below, it counts the cluster.
    fn head(&self, entry: &Entry<'_>, alone: bool) -> Vec<Vec<Span>> {
        let leader = entry.leader();
        let (_, tone) = tones(self.kind);
        let tests = things(entry.tests.len() as u64, "test");
        let mut reason = vec![span(Tone::Strong, self.reason(leader))];
        let name = if entry.is_mass_failure() {
            reason.clear();
            vec![span(tone, format!("mass failure of {tests}"))]
        } else {
            name(leader.id(), tone)
        };
        if alone && 1 < entry.tests.len() && !entry.is_mass_failure() {
            reason.push(span(Tone::Faint, format!(" ({tests})")));
        }
        vec![name, vec![plain(counts(&self.report.run, leader))], reason]
    }

    /// Returns the reason word, and for an undetermined test where it leans.
    fn reason(&self, test: &TestReport) -> String {
        let reason = &test.finding.verdict.reason;
        match (self.kind, test.lean) {
            (VerdictKind::Undetermined, Some(lean)) => format!("leans {lean}"),
            // "broken: broken" says nothing.
            _ if reason == self.kind.as_str() => String::new(),
            _ => reason.clone(),
        }
    }

    /// Says what to do about the tests of the section.
    fn advice(&self, page: &mut Page, entries: &[Entry<'_>], told: usize) {
        let run = &self.report.run;
        let decided = run.stop == Some(StopReason::Decided);
        let mut shown = &entries[0];
        let says = match self.kind {
            VerdictKind::Stable => return,
            // Those told in full have said it themselves.
            VerdictKind::HiddenDefect if entries.len() <= told => return,
            VerdictKind::HiddenDefect => {
                shown = &entries[told];
                "each in detail:".to_owned()
            }
            VerdictKind::Flaky => "fix or quarantine, whatever the environment:".to_owned(),
            VerdictKind::Broken if shown.leader().lone_arm().is_some() => "fix first:".to_owned(),
            VerdictKind::Broken => format!("fix first, they say nothing about {}:", run.target),
            VerdictKind::BaselineOnly => {
                format!("see what {} lacks or the test assumes:", run.baseline)
            }
            VerdictKind::Undetermined if run.blocks.is_some() => {
                "blocks with passes of both, ingested, decide these; see what is known:".to_owned()
            }
            // A run that was cut off says below how it goes on.
            VerdictKind::Undetermined if !decided => "see what is known:".to_owned(),
            VerdictKind::Undetermined if run.policy.reuse => {
                "another `cargo fidelity run` adds passes to these; see what is known:".to_owned()
            }
            VerdictKind::Undetermined => {
                "a higher max-passes in [policy] adds passes; see what is known:".to_owned()
            }
        };
        next(
            page,
            2,
            &says,
            &explain_command(self.report, shown.leader().id()),
        );
    }
}

/// Adds its cause to the first line of an entry of which nothing else is told; returns the cause where the line has no room
/// for it.
fn because(
    entry: &Entry<'_>,
    head: &mut [Vec<Span>],
    (width, widths): (usize, &[usize; 3]),
) -> Option<String> {
    let attribution = entry.attribution()?;
    attribution.cause.as_ref()?;
    let says = attribution.wording.clone();
    let [name, counts, reason] = head else {
        return Some(says);
    };
    let separator = if page::width(reason) == 0 { "" } else { ", " };
    let added = plain(format!("{separator}{says}"));
    let start = 2 + widths[0] + page::GAP + widths[1] + page::GAP;
    let wanted = start + page::width(reason) + page::width(std::slice::from_ref(&added));
    let in_columns = page::width(name) <= widths[0] && page::width(counts) <= widths[1];
    if !in_columns || width < wanted {
        return Some(says);
    }
    reason.push(added);
    None
}
