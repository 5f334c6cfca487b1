//! The tests that need attention, one section a verdict. Tests of a cluster are one entry: one cause, counted once.

use super::entries::{Entry, entries};
use super::not_compared;
use crate::domain::{Arm, VerdictKind};
use crate::report::Style;
use crate::report::model::{Report, TestReport};
use crate::report::number::{confidence, excluded_above, percent, things};
use crate::report::page::{self, Indent, Page, Span, Tone, plain, span};
use crate::report::words::{
    beyond_production, counts, e_value, explain_command, listed, name, next, rates, tones,
};

/// Entries of a section, where nothing more is asked for.
const HIDDEN_SHOWN: usize = 12;
const OTHERS_SHOWN: usize = 6;

/// Members of a cluster that are named, and lines of a message, where nothing more is asked for.
const MATES_NAMED: usize = 4;
const MESSAGE_LINES: usize = 2;

/// Columns left free before the lines under a test's name.
const DETAIL: usize = 6;

pub(super) fn write(page: &mut Page, report: &Report, kind: VerdictKind, style: &Style) {
    let (compared, others): (Vec<&TestReport>, Vec<&TestReport>) = report
        .of_kind(kind)
        .partition(|test| test.is_compared() || kind != VerdictKind::Undetermined);
    let (company, ordinary): (Vec<&TestReport>, Vec<&TestReport>) = compared
        .into_iter()
        .partition(|test| kind == VerdictKind::HiddenDefect && test.finding.only_in_company);
    let section = Section {
        report,
        kind,
        style,
    };
    let (name, says) = section.title();
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
struct Section<'a> {
    report: &'a Report,
    kind: VerdictKind,
    style: &'a Style,
}

impl Section<'_> {
    fn title(&self) -> (&'static str, String) {
        let (low, high) = (&self.report.run.baseline, &self.report.run.target);
        match self.kind {
            VerdictKind::HiddenDefect => {
                ("HIDDEN DEFECTS", format!("pass in {low}, fail in {high}"))
            }
            VerdictKind::Flaky => (
                "FLAKY",
                format!("pass and fail in one environment; {high} is not the reason"),
            ),
            VerdictKind::Broken => ("BROKEN", "fail everywhere".to_owned()),
            VerdictKind::BaselineOnly => {
                ("BASELINE ONLY", format!("fail in {low}, pass in {high}"))
            }
            VerdictKind::Undetermined => {
                ("UNDETERMINED", "failures seen, evidence short".to_owned())
            }
            VerdictKind::Stable => ("STABLE", "no failure".to_owned()),
        }
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
        page.text(
            Indent::hanging(0),
            &[
                span(tones(self.kind).0, name),
                plain(format!(
                    "  {}{causes}: {says}",
                    things(number as u64, "test")
                )),
            ],
        );
        let shown = self.shown(entries.len());
        let widths = self.widths(page.width(), &entries[..shown]);
        for entry in &entries[..shown] {
            self.entry(page, entry, &widths);
        }
        if shown < entries.len() {
            let left = things((entries.len() - shown) as u64, "more cause");
            page.text(
                Indent::hanging(2),
                &[span(Tone::Faint, format!("and {left} (-v lists them)"))],
            );
        }
        if !self.style.quiet {
            self.advice(page, &entries[0]);
        }
    }

    fn shown(&self, entries: usize) -> usize {
        match self.kind {
            _ if 0 < self.style.verbose => entries,
            VerdictKind::HiddenDefect => entries.min(HIDDEN_SHOWN),
            _ => entries.min(OTHERS_SHOWN),
        }
    }

    /// Returns the widths of the columns: that of the names is the widest that leaves room for the other columns.
    fn widths(&self, width: usize, entries: &[Entry<'_>]) -> [usize; 3] {
        let widest = |column: usize, room: usize| {
            let widths = entries
                .iter()
                .map(|entry| page::width(&self.head(entry)[column]));
            widths.filter(|width| *width <= room).max().unwrap_or(0)
        };
        let (counts, reasons) = (widest(1, width), widest(2, width));
        let room = width.saturating_sub(2 + 3 + counts + 3 + reasons);
        [widest(0, room), counts, reasons]
    }

    fn head(&self, entry: &Entry<'_>) -> Vec<Vec<Span>> {
        let leader = entry.leader();
        let (_, tone) = tones(self.kind);
        let name = if entry.is_mass_failure() {
            let tests = things(entry.tests.len() as u64, "test");
            vec![span(tone, format!("mass failure of {tests}"))]
        } else {
            name(leader.id(), tone)
        };
        vec![
            name,
            vec![plain(counts(&self.report.run, leader))],
            vec![span(Tone::Strong, self.reason(leader))],
        ]
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

    fn entry(&self, page: &mut Page, entry: &Entry<'_>, widths: &[usize]) {
        page.columns(2, &self.head(entry), widths);
        if self.style.quiet {
            return;
        }
        let leader = entry.leader();
        let indent = Indent::hanging(DETAIL);
        if let Some(message) = &leader.finding.message {
            let lines = if 0 < self.style.verbose {
                usize::MAX
            } else {
                MESSAGE_LINES
            };
            page.text_at_most(lines, indent, &[plain(message)]);
        }
        if let Some(detail) = self.detail(leader) {
            page.text(indent, &[span(Tone::Faint, detail)]);
        }
        if leader.beyond_production {
            let knobs = beyond_production(&self.report.run);
            page.text(
                indent,
                &[span(Tone::Warn, format!("beyond production: {knobs}"))],
            );
        }
        self.mates(page, entry);
        if self.kind == VerdictKind::HiddenDefect {
            page.text(indent, &next(explain_command(self.report, leader.id())));
        }
    }

    fn detail(&self, test: &TestReport) -> Option<String> {
        let run = &self.report.run;
        let mut detail = match self.kind {
            VerdictKind::HiddenDefect | VerdictKind::BaselineOnly => {
                format!("{}; {}", rates(run, test), e_value(test))
            }
            VerdictKind::Flaky => rates(run, test),
            VerdictKind::Broken => {
                let level = run.policy.confidence;
                let trials = |arm| test.arm(arm).trials;
                let fewest = trials(Arm::Baseline).min(trials(Arm::Target));
                let rate = percent(excluded_above(fewest, level));
                format!(
                    "a pass rate above {rate} % is excluded at {}",
                    confidence(level)
                )
            }
            VerdictKind::Undetermined => format!("{}; {}", e_value(test), would_decide(test)),
            VerdictKind::Stable => return None,
        };
        if test.finding.clustered_failures {
            detail.push_str("; failures cluster between passes, so the interval is optimistic");
        }
        Some(detail)
    }

    /// Names the other tests of the entry, without the binary where it is the leader's.
    fn mates(&self, page: &mut Page, entry: &Entry<'_>) {
        let leader = entry.leader();
        let mates = match entry.is_mass_failure() {
            true => &entry.tests[..],
            false => &entry.tests[1..],
        };
        if mates.is_empty() {
            return;
        }
        let named = if 0 < self.style.verbose {
            mates.len()
        } else {
            MATES_NAMED
        };
        let mut names: Vec<String> = mates
            .iter()
            .take(named)
            .map(|mate| match mate.id().binary == leader.id().binary {
                true => mate.id().test.clone(),
                false => mate.id().to_string(),
            })
            .collect();
        if named < mates.len() {
            names.push(format!("{} more", mates.len() - named));
        }
        let tests = things(mates.len() as u64, "more test");
        let verb = if mates.len() == 1 { "fails" } else { "fail" };
        let intro = match self.joined_by(leader) {
            _ if entry.is_mass_failure() => "fail together: ".to_owned(),
            "fail in the same passes" => format!("and {tests} {verb} in the same passes: "),
            _ => format!("and {tests} {verb} the same way: "),
        };
        page.text(
            Indent::hanging(DETAIL),
            &[plain(intro), plain(listed(&names, "and"))],
        );
    }

    fn joined_by(&self, test: &TestReport) -> &str {
        let cluster = test
            .finding
            .cluster
            .and_then(|cluster| self.report.clusters.get(cluster));
        cluster.map_or("", |cluster| cluster.reason.as_str())
    }

    /// Says what to do about the tests of the section.
    fn advice(&self, page: &mut Page, first: &Entry<'_>) {
        let run = &self.report.run;
        let explain = explain_command(self.report, first.leader().id());
        let advice = match self.kind {
            VerdictKind::HiddenDefect | VerdictKind::Stable => return,
            VerdictKind::Flaky => format!("fix or quarantine, whatever the environment; {explain}"),
            VerdictKind::Broken => format!(
                "fix first: they say nothing about {}; {explain}",
                run.target
            ),
            VerdictKind::BaselineOnly => {
                format!(
                    "see what {} lacks or the test assumes; {explain}",
                    run.baseline
                )
            }
            VerdictKind::Undetermined if run.policy.reuse => {
                format!("more passes: cargo fidelity run (earlier passes count too); {explain}")
            }
            VerdictKind::Undetermined => {
                format!("more passes: raise max-passes in [policy]; {explain}")
            }
        };
        page.text(Indent::hanging(2), &next(advice));
    }
}

fn would_decide(test: &TestReport) -> String {
    match test.finding.needs_passes {
        Some(passes) => format!(
            "about {} would decide",
            things(u64::from(passes), "more pass")
        ),
        None => "at these rates no number of passes is likely to decide".to_owned(),
    }
}
