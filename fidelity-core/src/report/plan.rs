//! A plan for people and for programs: what a run would do, printed before it does anything.

use serde::Serialize;

use super::json::pretty;
use super::number::{duration_ms, things};
use super::page::{Indent, Page, Tone, plain, span};
use super::{Style, text};
use crate::domain::{KnobStatus, ListedTest, RunHeader};
use crate::plan::Plan;

/// Tests that are named before the rest is only counted.
const NAMED: usize = 20;

/// Returns the plan as a page, ending with a line end.
pub fn render(header: &RunHeader, plan: &Plan, style: &Style) -> String {
    let mut page = Page::new(style);
    let selected: Vec<&ListedTest> = plan.tests.iter().filter(|test| test.selected).collect();
    write_passes(&mut page, header, selected.len() as u64);
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
fn write_passes(page: &mut Page, header: &RunHeader, tests: u64) {
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
    let most = things(u64::from(policy.max_passes), "pass");
    let time = policy.max_time_ms.map_or("no time limit".to_owned(), |ms| {
        format!("{} in all", duration_ms(ms))
    });
    let focus = format!("then up to {most} over what failed; {time}");
    let seed = format!("seed {}", header.seed);
    let joined = things(header.joined.len() as u64, "earlier run");
    let joined = (!header.joined.is_empty()).then(|| format!("joins the passes of {joined}"));
    for line in [screening, focus, seed].into_iter().chain(joined) {
        page.text(Indent::hanging(0), &[plain(line)]);
    }
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
    }
    let wire = Wire {
        schema: 1,
        seed: plan.seed.0,
        baseline: &header.baseline,
        target: &header.target,
        policy: &plan.policy,
        knobs: &header.knobs,
        joined: &header.joined,
        parallelism: header.parallelism,
        tests: plan
            .tests
            .iter()
            .filter(|test| test.selected)
            .map(|test| &test.id)
            .collect(),
    };
    pretty(&wire)
}
