//! A plan for people and for programs: what a run would do, printed before it does anything.

use std::collections::BTreeMap;

use serde::Serialize;

use super::json::pretty;
use super::number::{duration_ms, things};
use super::page::{Indent, Page, Tone, plain, span};
use super::{Style, text};
use crate::domain::{KnobId, KnobStatus, ListedTest, RunHeader};
use crate::plan::Plan;

/// Tests that are named before the rest is only counted.
const NAMED: usize = 20;

/// Returns the plan as a page, ending with a line end.
pub fn render(header: &RunHeader, plan: &Plan, style: &Style) -> String {
    let mut page = Page::new(style);
    let selected: Vec<&ListedTest> = plan.tests.iter().filter(|test| test.selected).collect();
    write_passes(&mut page, header, &plan.tests);
    page.blank();
    for knob in &header.knobs {
        write_knob(&mut page, knob);
    }
    page.blank();
    let shown = if style.verbose > 0 {
        selected.len()
    } else {
        NAMED
    };
    for test in selected.iter().take(shown) {
        page.text(
            Indent::hanging(2),
            &[plain(text::clean(&test.id.to_string()))],
        );
    }
    if shown < selected.len() {
        let left = things((selected.len() - shown) as u64, "more test");
        page.text(
            Indent::hanging(2),
            &[span(Tone::Faint, format!("and {left} (-v lists them)"))],
        );
    }
    page.finish()
}

/// Writes what is compared, how often, and from which seed.
fn write_passes(page: &mut Page, header: &RunHeader, listed: &[ListedTest]) {
    let tests = listed.iter().filter(|test| test.selected).count() as u64;
    let policy = &header.policy;
    let screen = policy.screen;
    let heading = [
        span(Tone::Strong, text::clean(&header.baseline.name)),
        plain(" (baseline) against "),
        span(Tone::Strong, text::clean(&header.target.name)),
        plain(format!(" (target): {}", things(tests, "test"))),
    ];
    page.text(Indent::hanging(0), &heading);
    let trials = u64::from(screen.baseline + screen.target) * tests;
    let screening = format!(
        "screening: {} of the baseline and {} of the target, {}; {} at a time",
        things(u64::from(screen.baseline), "pass"),
        things(u64::from(screen.target), "pass"),
        things(trials, "trial"),
        header.parallelism,
    );
    let harder = screened_harder(header, listed);
    let most = things(u64::from(policy.max_passes), "pass");
    let time = policy.max_time_ms.map_or("no time limit".to_owned(), |ms| {
        format!("{} in all", duration_ms(ms))
    });
    let focus = format!("then up to {most} over what failed; {time}");
    let seed = format!("seed {}", header.seed);
    let joined = things(header.joined.len() as u64, "earlier run");
    let joined = (!header.joined.is_empty()).then(|| format!("joins the passes of {joined}"));
    let lines = std::iter::once(screening)
        .chain(harder)
        .chain([focus, seed]);
    for line in lines.chain(joined) {
        page.text(Indent::hanging(0), &[plain(text::clean(&line))]);
    }
}

/// Returns how many tests a run screens harder than the others, and how: `12 tests with a suspicious history are screened
/// with 10 target passes`. None where it is nobody.
pub fn screened_harder(header: &RunHeader, tests: &[ListedTest]) -> Option<String> {
    let suspicious = tests
        .iter()
        .filter(|test| test.selected && test.suspicious)
        .count();
    let screen = header.policy.screen;
    if suspicious == 0 || screen.extra() == 0 {
        return None;
    }
    let verb = if suspicious == 1 { "is" } else { "are" };
    let under: Vec<String> = header
        .exposing
        .iter()
        .filter_map(|(knob, positions)| {
            let values = header.target.knobs.get(knob)?.values();
            let named: Vec<String> = positions
                .iter()
                .filter_map(|position| values.get(*position as usize))
                .map(ToString::to_string)
                .collect();
            Some(format!("{knob} = {}", named.join(" or ")))
        })
        .collect();
    let under = match under.as_slice() {
        [] => String::new(),
        under => format!(
            ", the last {} under {}, which exposed defects before",
            screen.extra(),
            under.join(", ")
        ),
    };
    Some(format!(
        "{} with a suspicious history {verb} screened with {} target passes{under}",
        things(suspicious as u64, "test"),
        screen.suspicious,
    ))
}

/// Writes one knob: both settings, and what became of it.
fn write_knob(page: &mut Page, knob: &KnobStatus) {
    let side = |setting: &Option<String>| setting.clone().unwrap_or_else(|| "as it is".to_owned());
    let words = format!(
        "{}: {} -> {}; ",
        knob.knob,
        side(&knob.baseline),
        side(&knob.target)
    );
    let (tone, state) = match knob.applied {
        true => (Tone::Plain, "seen: "),
        false => (Tone::Warn, "NOT APPLIED: "),
    };
    let spans = [
        plain(text::clean(&words)),
        span(tone, state),
        plain(text::clean(&knob.reason)),
    ];
    page.text(Indent::hanging(2), &spans);
}

/// Returns the plan as JSON, `"schema": 1`.
pub fn render_json(header: &RunHeader, plan: &Plan) -> String {
    #[derive(Serialize)]
    struct Wire<'a> {
        schema: u32,
        seed: u64,
        baseline: &'a crate::domain::FidelityProfile,
        target: &'a crate::domain::FidelityProfile,
        policy: &'a crate::domain::Policy,
        knobs: &'a [KnobStatus],
        joined: &'a [crate::domain::RunId],
        parallelism: u32,
        tests: Vec<&'a crate::domain::TestId>,
        suspicious: Vec<&'a crate::domain::TestId>,
        exposing: &'a BTreeMap<KnobId, Vec<u32>>,
    }
    let named = |which: fn(&&ListedTest) -> bool| {
        let tests = plan.tests.iter().filter(which);
        tests.map(|test| &test.id).collect()
    };
    let wire = Wire {
        schema: 1,
        seed: plan.seed.0,
        baseline: &header.baseline,
        target: &header.target,
        policy: &plan.policy,
        knobs: &header.knobs,
        joined: &header.joined,
        parallelism: header.parallelism,
        tests: named(|test| test.selected),
        suspicious: named(|test| test.selected && test.suspicious),
        exposing: &header.exposing,
    };
    pretty(&wire)
}
