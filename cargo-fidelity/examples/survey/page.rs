//! The page: docs/survey.md, made of the rows and what was found.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::Surveyed;
use crate::judgement::Judgement;
use crate::row::{Defect, Finding, Preset};

const HEAD: &str = include_str!("head.md");

pub fn render(surveyed: &[Surveyed]) -> String {
    let mut page = HEAD.to_owned();
    for part in [
        summary(surveyed),
        table(surveyed),
        findings(surveyed),
        notes(surveyed),
    ] {
        page.push('\n');
        page.push_str(&part);
    }
    page
}

/// Returns the judgements under one preset, each with its row.
fn under(surveyed: &[Surveyed], preset: Preset) -> impl Iterator<Item = (&Surveyed, &Judgement)> {
    let position = Preset::ALL.iter().position(|other| *other == preset);
    surveyed
        .iter()
        .filter_map(move |one| Some((one, one.judgements.get(position?)?)))
}

fn summary(surveyed: &[Surveyed]) -> String {
    let known: usize = surveyed.iter().map(|one| one.row.findings.len()).sum();
    let sensitive = surveyed
        .iter()
        .filter(|one| !one.row.findings.is_empty())
        .count();
    let stable = surveyed.len() - sensitive;
    let kinds: BTreeSet<&str> = surveyed.iter().map(|one| one.row.kind).collect();
    let mut text = format!(
        "{} crates of {} kinds: {sensitive} with {known} known failures that only some environments cause, {stable} without.\n\n\
         | preset | known failures found | crates with one, of those that have any | false alarms | of these in crates without a known failure | trials | passes took |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
        surveyed.len(),
        kinds.len(),
    );
    for preset in Preset::ALL {
        let all: Vec<(&Surveyed, &Judgement)> = under(surveyed, preset).collect();
        let found: usize = all.iter().map(|(_, one)| count(&one.found)).sum();
        let crates = all.iter().filter(|(_, one)| 0 < count(&one.found)).count();
        let alarms: usize = all.iter().map(|(_, one)| one.false_alarms).sum();
        let without = all.iter().filter(|(one, _)| one.row.findings.is_empty());
        let on_stable: usize = without.map(|(_, one)| one.false_alarms).sum();
        let trials: u64 = all.iter().map(|(_, one)| one.trials).sum();
        let wall: f64 = all.iter().map(|(_, one)| one.wall_s).sum();
        let _ = writeln!(
            text,
            "| {} | {found} of {known} | {crates} of {sensitive} | {alarms} | {on_stable} | {trials} | {:.1} min |",
            preset.name(),
            wall / 60.0,
        );
    }
    text
}

fn count(found: &[bool]) -> usize {
    found.iter().filter(|found| **found).count()
}

fn table(surveyed: &[Surveyed]) -> String {
    let mut text = "## The crates\n\n\
        | crate | kind | tests | known | realistic: found | false | others | s | hostile: found | false | others | s |\n\
        |---|---|--:|--:|--:|--:|---|--:|--:|--:|---|--:|\n"
        .to_owned();
    for Surveyed { row, judgements } in surveyed {
        let tests = judgements.iter().map(|one| one.tests).max().unwrap_or(0);
        let _ = write!(
            text,
            "| {} {} | {} | {tests} | {} |",
            row.name,
            row.version,
            row.kind,
            row.findings.len()
        );
        for one in judgements {
            let others = one.others.iter();
            let others: Vec<String> = others
                .map(|(verdict, count)| format!("{count} {verdict}"))
                .collect();
            let _ = write!(
                text,
                " {} | {} | {} | {:.1} |",
                count(&one.found),
                one.false_alarms,
                others.join(", "),
                one.wall_s
            );
        }
        text.push('\n');
    }
    text
}

fn findings(surveyed: &[Surveyed]) -> String {
    let mut text = "## The failures\n\n\
        | crate | tests | exposed by | realistic | hostile | why | defect of |\n\
        |---|---|---|---|---|---|---|\n"
        .to_owned();
    for Surveyed { row, judgements } in surveyed {
        for (position, finding) in row.findings.iter().enumerate() {
            let word = |one: &Judgement| match one.found.get(position) {
                Some(true) => "found",
                _ => "missed",
            };
            let [realistic, hostile] = judgements;
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                row.name,
                names(finding),
                finding.exposed_by,
                word(realistic),
                word(hostile),
                finding.cause,
                match finding.defect {
                    Defect::Test => "the test",
                    Defect::Product => "**the product**",
                },
            );
        }
    }
    text
}

/// Returns the names of the tests without their binaries.
fn names(finding: &Finding) -> String {
    let name = |test: &&str| {
        let name = test.split_once(' ').map_or(*test, |(_, name)| name);
        format!("`{name}`")
    };
    finding
        .tests
        .iter()
        .map(name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn notes(surveyed: &[Surveyed]) -> String {
    let mut text = "## Notes\n\n".to_owned();
    for one in surveyed.iter().filter(|one| !one.row.note.is_empty()) {
        let _ = writeln!(text, "- **{}**: {}", one.row.name, one.row.note);
    }
    for preset in Preset::ALL {
        let refused = under(surveyed, preset).flat_map(|(_, one)| &one.refused);
        let refused: BTreeSet<&String> = refused.collect();
        for knob in refused {
            let _ = writeln!(
                text,
                "- Not applied on the machine of this table, {}: {knob}.",
                preset.name()
            );
        }
    }
    text
}
