//! A plan for people and for programs: what a run would do, printed before it does anything.

use serde::Serialize;

use super::number::{duration_ms, things};
use super::page::{Indent, Page, Tone, plain, span};
use super::{Style, text};
use crate::domain::RunHeader;
use crate::plan::Plan;

/// Tests that are named before the rest is only counted.
const NAMED: usize = 20;

/// Returns the plan as a page, ending with a line end.
pub fn render(header: &RunHeader, plan: &Plan, style: &Style) -> String {
    let mut page = Page::new(style);
    let policy = &plan.policy;
    let selected: Vec<_> = plan.tests.iter().filter(|test| test.selected).collect();
    let screen = policy.screen;
    page.text(
        Indent::hanging(0),
        &[
            span(Tone::Strong, &header.baseline.name),
            plain(" (baseline) against "),
            span(Tone::Strong, &header.target.name),
            plain(format!(
                " (target): {}",
                things(selected.len() as u64, "test")
            )),
        ],
    );
    let passes = screen.baseline + screen.target;
    let trials = u64::from(passes) * selected.len() as u64;
    let screening = format!(
        "screening: {} of the baseline and {} of the target, {}; {} at a time",
        things(u64::from(screen.baseline), "pass"),
        things(u64::from(screen.target), "pass"),
        things(trials, "trial"),
        header.parallelism,
    );
    page.text(Indent::hanging(0), &[plain(screening)]);
    let time = policy
        .max_time_ms
        .map_or("no time limit".to_owned(), duration_ms);
    let focus = format!(
        "then up to {} over what failed; {time} in all",
        things(u64::from(policy.max_passes), "pass")
    );
    page.text(Indent::hanging(0), &[plain(focus)]);
    if !header.joined.is_empty() {
        let joined = format!(
            "joins the passes of {}",
            things(header.joined.len() as u64, "earlier run")
        );
        page.text(Indent::hanging(0), &[plain(joined)]);
    }
    page.text(
        Indent::hanging(0),
        &[plain(format!("seed {}", header.seed))],
    );
    page.blank();
    for knob in &header.knobs {
        let side =
            |setting: &Option<String>| setting.clone().unwrap_or_else(|| "as it is".to_owned());
        let words = format!(
            "{}: {} -> {}",
            knob.knob,
            side(&knob.baseline),
            side(&knob.target)
        );
        let (tone, state) = if knob.applied {
            (Tone::Plain, "seen")
        } else {
            (Tone::Warn, "NOT APPLIED")
        };
        page.text(
            Indent::hanging(2),
            &[
                plain(text::clean(&words)),
                plain("; "),
                span(tone, state),
                plain(format!(": {}", text::clean(&knob.reason))),
            ],
        );
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
        let left = format!(
            "and {} (-v lists them)",
            things((selected.len() - shown) as u64, "more test")
        );
        page.text(Indent::hanging(2), &[span(Tone::Faint, left)]);
    }
    page.finish()
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
        knobs: &'a [crate::domain::KnobStatus],
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
    let mut text = serde_json::to_string_pretty(&wire).unwrap_or_default();
    text.push('\n');
    text
}
