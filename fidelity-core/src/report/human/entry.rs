//! What stands under the first line of a finding: message, rates, labels, cluster mates, the next step.

use super::entries::Entry;
use super::findings::Section;
use crate::domain::VerdictKind;
use crate::report::absence;
use crate::report::cause;
use crate::report::model::TestReport;
use crate::report::number::things;
use crate::report::page::{Indent, Page, Tone, plain, span};
use crate::report::words::{e_value, explain_command, listed, next, rates};

/// Members of a cluster that are named, and lines of a message, where nothing more is asked for.
const MATES_NAMED: usize = 4;
const MESSAGE_LINES: usize = 2;

/// Columns left free before these lines.
pub(super) const INDENT: usize = 6;

pub(super) fn write(page: &mut Page, section: &Section<'_>, entry: &Entry<'_>) {
    let leader = entry.leader();
    let indent = Indent::hanging(INDENT);
    let lines = match section.style.verbose {
        0 => MESSAGE_LINES,
        _ => usize::MAX,
    };
    let message = leader.finding.message.as_deref().unwrap_or_default();
    let numbers = numbers(section, leader);
    if section.kind == VerdictKind::HiddenDefect {
        if !message.is_empty() {
            page.text_at_most(lines, indent, &[plain(message)]);
        }
        page.text(indent, &[span(Tone::Faint, numbers)]);
    } else {
        // What needs less attention takes fewer lines.
        let colon = if numbers.is_empty() || message.is_empty() {
            ""
        } else {
            ": "
        };
        page.text_at_most(
            lines,
            indent,
            &[span(Tone::Faint, numbers + colon), plain(message)],
        );
    }
    if let Some(attribution) = entry.attribution() {
        page.text(indent, &[plain(cause::line(attribution))]);
        if let Some(words) = cause::exception(attribution) {
            page.text(indent, &[span(Tone::Warn, words)]);
        }
        for since in cause::since(attribution) {
            page.text(indent, &[span(Tone::Faint, since)]);
        }
    }
    if leader.finding.clustered_failures {
        let note = "failures cluster between passes: the interval is optimistic";
        page.text(indent, &[span(Tone::Faint, note)]);
    }
    if let Some(words) = absence::words(&section.report.run, leader) {
        page.text(indent, &[span(Tone::Warn, words)]);
    }
    if let Some(quarantine) = &leader.quarantine {
        let verb = if quarantine.expired { "was" } else { "is" };
        let said = &quarantine.said;
        let note = format!(
            "{verb} in quarantine until {} ({}): {}",
            said.until, said.owner, said.reason
        );
        page.text(indent, &[span(Tone::Warn, note)]);
    }
    mates(page, section, entry);
    if section.kind == VerdictKind::HiddenDefect {
        next(
            page,
            INDENT,
            "",
            &explain_command(section.report, leader.id()),
        );
    }
}

/// Returns the numbers behind the verdict.
fn numbers(section: &Section<'_>, test: &TestReport) -> String {
    let run = &section.report.run;
    match section.kind {
        VerdictKind::HiddenDefect | VerdictKind::BaselineOnly => {
            format!("{}; {}", rates(run, test), e_value(test))
        }
        VerdictKind::Flaky => rates(run, test),
        VerdictKind::Undetermined if test.lone_arm().is_some() => would_decide(test),
        VerdictKind::Undetermined => format!("{}; {}", e_value(test), would_decide(test)),
        VerdictKind::Broken | VerdictKind::Stable => String::new(),
    }
}

fn would_decide(test: &TestReport) -> String {
    if let Some(allowed) = test.used_up() {
        return format!(
            "its authors allow {} in an arm: another run, or more of them, may decide",
            things(u64::from(allowed), "trial")
        );
    }
    match test.finding.needs_passes {
        Some(passes) => format!(
            "about {} would decide",
            things(u64::from(passes), "more pass")
        ),
        None => "no number of passes is likely to decide at these rates".to_owned(),
    }
}

/// Names the other tests of the entry, without the binary where it is the leader's.
fn mates(page: &mut Page, section: &Section<'_>, entry: &Entry<'_>) {
    let leader = entry.leader();
    let first = usize::from(!entry.is_mass_failure());
    let mates = &entry.tests[first..];
    if mates.is_empty() {
        return;
    }
    let named = match section.style.verbose {
        0 => MATES_NAMED.min(mates.len()),
        _ => mates.len(),
    };
    let mut names: Vec<String> = mates[..named]
        .iter()
        .map(|mate| {
            let name = match mate.id().binary == leader.id().binary {
                true => mate.id().test.clone(),
                false => mate.id().to_string(),
            };
            match mate.is_in_quarantine() {
                true => format!("{name} (in quarantine)"),
                false => name,
            }
        })
        .collect();
    if named < mates.len() {
        names.push(format!("{} more", mates.len() - named));
    }
    let tests = things(mates.len() as u64, "more test");
    let verb = if mates.len() == 1 { "fails" } else { "fail" };
    let intro = match joined_by(section, leader) {
        _ if entry.is_mass_failure() => "fail together: ".to_owned(),
        "fail in the same passes" => format!("and {tests} {verb} in the same passes: "),
        _ => format!("and {tests} {verb} the same way: "),
    };
    page.text(
        Indent::hanging(INDENT),
        &[plain(intro), plain(listed(&names, "and"))],
    );
}

fn joined_by<'a>(section: &Section<'a>, test: &TestReport) -> &'a str {
    let cluster = test.finding.cluster;
    let cluster = cluster.and_then(|cluster| section.report.clusters.get(cluster));
    cluster.map_or("", |cluster| cluster.reason.as_str())
}
