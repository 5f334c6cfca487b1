//! What passes and budgets detect, for people and for programs.

use serde::Serialize;

use super::Style;
use super::json::pretty;
use super::number::{confidence, count, duration_ms, percent, things};
use super::page::{Indent, Page, Tone, plain, span};
use crate::power::{Cost, MOST_PASSES, Power, RateAnswer};
use crate::stats::equivalence::MARGIN;

/// Widths of the columns of both tables.
const WIDTHS: [usize; 4] = [14, 16, 16, 10];

/// Returns the answer as a page, ending with a line end.
pub fn render(power: &Power, style: &Style) -> String {
    let mut page = Page::new(style);
    write_rates(&mut page, power);
    page.blank();
    write_budget(&mut page, power, style);
    page.finish()
}

/// Writes what each failure rate needs.
fn write_rates(page: &mut Page, power: &Power) {
    let probability = confidence(power.probability.get());
    heading(
        page,
        "A RATE",
        "a test that never fails in the baseline fails in the target",
    );
    let head = [
        "fails".to_owned(),
        format!("seen ({probability})"),
        format!("decided ({probability})"),
        "seen".to_owned(),
        "decided".to_owned(),
    ];
    row(page, Tone::Faint, &head);
    for rate in &power.rates {
        row(page, Tone::Plain, &rate_cells(rate));
    }
    let screen = power.screen;
    let fdr = confidence(power.fdr);
    let among = match power.family {
        1 => "as the only suspect".to_owned(),
        family => format!("among {}", things(u64::from(family), "suspect")),
    };
    let words = format!(
        "seen: it fails in at least one of so many target passes, counted exactly for independent trials. decided: so \
         many passes after the first failure, half of them in each arm, call it a hidden defect at an fdr of {fdr} \
         {among}. The last two columns are the policy's screening of {} + {}, and what follows it.",
        screen.baseline, screen.target
    );
    page.text(Indent::all(2), &[span(Tone::Faint, words)]);
    if power.rates.iter().any(|rate| rate.to_decide.is_none()) {
        let words = format!(
            "not decided: too many are given up first, as flaky once a difference above {} points is excluded, or \
             after {} passes.",
            percent(MARGIN),
            count(u64::from(MOST_PASSES))
        );
        page.text(Indent::all(2), &[span(Tone::Faint, words)]);
    }
    let words = format!(
        "simulated through the scheduler, {} runs a rate from seed {}",
        power.runs, power.seed
    );
    page.text(Indent::all(2), &[span(Tone::Faint, words)]);
}

fn rate_cells(rate: &RateAnswer) -> [String; 5] {
    let passes = |passes: u64| match passes {
        1 => "1 pass".to_owned(),
        passes => format!("{} passes", count(passes)),
    };
    [
        rate.rate.to_string(),
        rate.to_see.map_or("never".to_owned(), passes),
        rate.to_decide.map_or_else(
            || "not decided".to_owned(),
            |more| format!("+ {}", passes(u64::from(more))),
        ),
        format!("{} %", percent(rate.seen)),
        format!("{} %", percent(rate.decided)),
    ]
}

/// Writes what the budget reaches.
fn write_budget(page: &mut Page, power: &Power, style: &Style) {
    let screen = power.screen;
    let time = match power.max_time_ms {
        Some(ms) => duration_ms(ms),
        None => "no time limit".to_owned(),
    };
    let budget = format!(
        "{time}, screening {} + {}{}",
        screen.baseline,
        screen.target,
        if power.cut_short {
            ", which is all that fits"
        } else {
            ""
        }
    );
    heading(page, "THIS BUDGET", &budget);
    let head = power
        .reach
        .iter()
        .map(|reach| format!("{} %", percent(reach.probability)));
    let labelled = |label: &str, cells: Vec<String>| {
        let mut row = vec![label.to_owned()];
        row.extend(cells);
        row
    };
    row(page, Tone::Faint, &labelled("with", head.collect()));
    let above = |rate: f64| format!("{} %", percent(rate));
    let seen = power.reach.iter().map(|reach| above(reach.seen_above));
    row(page, Tone::Plain, &labelled("sees above", seen.collect()));
    let decided = power.reach.iter().map(|reach| {
        let rate = reach.decided_above;
        rate.map_or("nothing".to_owned(), above)
    });
    row(
        page,
        Tone::Plain,
        &labelled("decides above", decided.collect()),
    );
    match &power.cost {
        Some(cost) => write_cost(page, power, cost, style),
        None => {
            let words = "how long a pass takes is not known: no stored run made one in each arm";
            page.text(Indent::hanging(2), &[plain(words)]);
            hint(
                page,
                "`cargo fidelity run` measures it, also with --max-time 1m",
            );
        }
    }
}

/// Writes what passes cost and what one more would bring.
fn write_cost(page: &mut Page, power: &Power, cost: &Cost, style: &Style) {
    let measured = &cost.measured;
    let [baseline, target] = measured.suite;
    let run = match style.verbose {
        0 => measured.run.short(),
        _ => measured.run.to_string(),
    };
    let line = |page: &mut Page, words: String| page.text(Indent::hanging(2), &[plain(words)]);
    line(
        page,
        format!(
            "a pass over {} takes {} in the baseline and {} in the target, {} at a time (run {run}, {})",
            things(u64::from(target.tests), "test"),
            wall(baseline.wall_ms),
            wall(target.wall_ms),
            measured.parallelism,
            things(u64::from(baseline.passes + target.passes), "pass"),
        ),
    );
    line(
        page,
        format!(
            "a trial takes {} in the baseline and {} in the target, a pass over one suspect {}",
            wall(baseline.trial_ms),
            wall(target.trial_ms),
            wall(measured.alone_ms)
        ),
    );
    write_screening(page, power, cost);
}

/// Writes what the screening leaves, and what more of it would bring.
fn write_screening(page: &mut Page, power: &Power, cost: &Cost) {
    let line = |page: &mut Page, words: String| page.text(Indent::hanging(2), &[plain(words)]);
    let left = power
        .max_time_ms
        .map(|ms| (ms as f64 - cost.screening_ms).max(0.0));
    let left = left.map_or(String::new(), |left| {
        format!(" and leaves {} for suspects", wall(left))
    });
    line(
        page,
        format!("the screening takes {}{left}", wall(cost.screening_ms)),
    );
    if let Some(fitting) = cost.fitting {
        let all = crate::stats::power::rate_seen(fitting, power.probability.get());
        line(
            page,
            format!(
                "all of it spent on screening: {} + {} passes, which see rates above {} % with {}",
                power.screen.baseline,
                count(u64::from(fitting)),
                percent(all.unwrap_or(1.0)),
                confidence(power.probability.get())
            ),
        );
    }
    if power.cut_short {
        let words = "a run would spend all of this on screening: allow more time, or screen less";
        hint(page, words);
        return;
    }
    let (now, then) = power.one_more;
    hint(
        page,
        &format!(
            "one more target pass takes {} and sees rates above {} % with {} instead of {} %: policy.screen.target = {}",
            wall(cost.measured.suite[1].wall_ms),
            percent(then),
            confidence(power.probability.get()),
            percent(now),
            power.screen.target.saturating_add(1)
        ),
    );
}

fn heading(page: &mut Page, name: &str, words: &str) {
    let spans = [span(Tone::Strong, name), plain(format!("  {words}"))];
    page.text(Indent::hanging(0), &spans);
}

fn hint(page: &mut Page, words: &str) {
    page.text(
        Indent { first: 2, rest: 5 },
        &[span(Tone::Hint, format!("-> {words}"))],
    );
}

fn row(page: &mut Page, tone: Tone, cells: &[String]) {
    let cells: Vec<_> = cells.iter().map(|cell| vec![span(tone, cell)]).collect();
    page.columns(2, &cells, &WIDTHS);
}

/// Returns milliseconds as people read them.
fn wall(ms: f64) -> String {
    // A float that does not fit becomes the nearest integer that does.
    if ms < 10.0 {
        super::number::duration_us((ms * 1_000.0).round() as u64)
    } else {
        duration_ms(ms.round() as u64)
    }
}

/// Returns the answer as JSON, `"schema": 1`.
pub fn render_json(power: &Power) -> String {
    pretty(&Wire::from(power))
}

#[derive(Serialize)]
struct Wire {
    schema: u32,
    probability: f64,
    fdr: f64,
    screen: WireScreen,
    cut_short: bool,
    family: u32,
    seed: u64,
    runs: u64,
    max_time_s: Option<f64>,
    rates: Vec<WireRate>,
    reach: Vec<WireReach>,
    cost: Option<WireCost>,
    one_more: WireOneMore,
}

#[derive(Serialize)]
struct WireScreen {
    baseline: u32,
    target: u32,
}

#[derive(Serialize)]
struct WireRate {
    rate: f64,
    passes_to_see: Option<u64>,
    passes_to_decide: Option<u32>,
    seen: f64,
    decided: f64,
}

#[derive(Serialize)]
struct WireReach {
    probability: f64,
    seen_above: f64,
    decided_above: Option<f64>,
}

#[derive(Serialize)]
struct WireCost {
    run: String,
    tests: u32,
    parallelism: u32,
    baseline: WireArm,
    target: WireArm,
    suspect_pass_s: f64,
    screening_s: f64,
    fitting_target_passes: Option<u32>,
}

#[derive(Serialize)]
struct WireArm {
    passes: u32,
    pass_s: f64,
    trial_s: f64,
}

#[derive(Serialize)]
struct WireOneMore {
    seen_above_now: f64,
    seen_above_then: f64,
    pass_s: Option<f64>,
}

impl From<&Power> for Wire {
    fn from(power: &Power) -> Self {
        Self {
            schema: 1,
            probability: power.probability.get(),
            fdr: power.fdr,
            screen: WireScreen {
                baseline: power.screen.baseline,
                target: power.screen.target,
            },
            cut_short: power.cut_short,
            family: power.family,
            seed: power.seed,
            runs: power.runs,
            max_time_s: power.max_time_ms.map(|ms| ms as f64 / 1e3),
            rates: power
                .rates
                .iter()
                .map(|rate| WireRate {
                    rate: rate.rate.get(),
                    passes_to_see: rate.to_see,
                    passes_to_decide: rate.to_decide,
                    seen: rate.seen,
                    decided: rate.decided,
                })
                .collect(),
            reach: power
                .reach
                .iter()
                .map(|reach| WireReach {
                    probability: reach.probability,
                    seen_above: reach.seen_above,
                    decided_above: reach.decided_above,
                })
                .collect(),
            cost: power.cost.as_ref().map(WireCost::from),
            one_more: WireOneMore {
                seen_above_now: power.one_more.0,
                seen_above_then: power.one_more.1,
                pass_s: power
                    .cost
                    .as_ref()
                    .map(|cost| cost.measured.suite[1].wall_ms / 1e3),
            },
        }
    }
}

impl From<&Cost> for WireCost {
    fn from(cost: &Cost) -> Self {
        let measured = &cost.measured;
        let [baseline, target] = measured.suite.map(|arm| WireArm {
            passes: arm.passes,
            pass_s: arm.wall_ms / 1e3,
            trial_s: arm.trial_ms / 1e3,
        });
        Self {
            run: measured.run.to_string(),
            tests: measured.suite[1].tests,
            parallelism: measured.parallelism,
            baseline,
            target,
            suspect_pass_s: measured.alone_ms / 1e3,
            screening_s: cost.screening_ms / 1e3,
            fitting_target_passes: cost.fitting,
        }
    }
}

#[cfg(test)]
mod tests;
