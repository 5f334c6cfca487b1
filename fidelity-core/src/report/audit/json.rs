//! The audit for programs, `"schema": 1`.

use serde::Serialize;

use super::standing;
use crate::audit::{Audit, Difference};
use crate::domain::{KnobId, TestKind};
use crate::report::json::{SCHEMA, pretty};

#[derive(Serialize)]
struct Wire<'a> {
    schema: u32,
    baseline: &'a str,
    target: &'a str,
    tests: usize,
    quarantined: u32,
    quarantine_over: u32,
    kinds: Vec<Kind>,
    trials: Vec<Trials<'a>>,
    substitutes: Vec<Substitute<'a>>,
    evidence: Vec<Line<'a>>,
    differences: Vec<Row<'a>>,
    production_had_here: Vec<Had<'a>>,
    invest: Vec<Proposal<'a>>,
    problems: Vec<Note<'a>>,
}

#[derive(Serialize)]
struct Note<'a> {
    kind: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Kind {
    kind: &'static str,
    tests: u32,
    inferred: u32,
    run_in_baseline: u32,
    run_in_target: u32,
    run_nowhere: u32,
}

#[derive(Serialize)]
struct Trials<'a> {
    profile: &'a str,
    trials: u64,
}

#[derive(Serialize)]
struct Substitute<'a> {
    component: &'a str,
    tests_mocking: u32,
    tests_real: u32,
    tests_real_nowhere: u32,
    place: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    place: String,
    what: &'a str,
    real: bool,
    confidence: &'static str,
}

#[derive(Serialize)]
struct Row<'a> {
    knob: &'a str,
    baseline: Option<&'a str>,
    target: Option<&'a str>,
    production: Option<&'a str>,
    standing: &'static str,
    prior: f64,
    likelihood: f64,
    likelihood_upper: f64,
    tried: u64,
    tried_at_states: u64,
    exposed: f64,
    caused: u64,
    severity: f64,
    score: f64,
    over_engineering: bool,
    reason: &'a str,
}

#[derive(Serialize)]
struct Had<'a> {
    knob: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Proposal<'a> {
    what: &'a str,
    reason: &'a str,
    score: f64,
}

/// Returns the audit for programs, `"schema": 1`.
pub fn render_json(audit: &Audit) -> String {
    let [baseline, target] = &audit.profiles;
    let kinds = audit.kinds.iter().map(|(kind, counted)| Kind {
        kind: kind.map_or("unknown", TestKind::as_str),
        tests: counted.tests,
        inferred: counted.inferred,
        run_in_baseline: counted.run_in[0],
        run_in_target: counted.run_in[1],
        run_nowhere: counted.nowhere,
    });
    let trials = audit.trials.iter().map(|(profile, trials)| Trials {
        profile,
        trials: *trials,
    });
    let substitutes = audit.substitutes.iter().map(|it| Substitute {
        component: &it.component,
        tests_mocking: it.mocking,
        tests_real: it.real,
        tests_real_nowhere: it.idle,
        place: &it.place,
    });
    let evidence = audit.evidence.iter().flatten().map(|line| Line {
        place: line.place(),
        what: &line.what,
        real: line.real,
        confidence: line.confidence.as_str(),
    });
    let invest = audit.invest.iter().map(|it| Proposal {
        what: &it.what,
        reason: &it.reason,
        score: it.score,
    });
    let problems = audit.notes.iter().map(|it| Note {
        kind: &it.kind,
        message: &it.message,
    });
    pretty(&Wire {
        schema: SCHEMA,
        baseline,
        target,
        tests: audit.available,
        quarantined: audit.quarantined,
        quarantine_over: audit.expired,
        kinds: kinds.collect(),
        trials: trials.collect(),
        substitutes: substitutes.collect(),
        evidence: evidence.collect(),
        differences: audit.differences.iter().map(Row::from).collect(),
        production_had_here: audit.had_here.iter().map(Had::from).collect(),
        invest: invest.collect(),
        problems: problems.collect(),
    })
}

impl<'a> From<&'a (KnobId, String)> for Had<'a> {
    fn from((knob, value): &'a (KnobId, String)) -> Self {
        Self {
            knob: &knob.0,
            value,
        }
    }
}

impl<'a> From<&'a Difference> for Row<'a> {
    fn from(difference: &'a Difference) -> Self {
        let [baseline, target, production] = &difference.values;
        let belief = &difference.belief;
        Self {
            knob: &difference.knob.0,
            baseline: baseline.as_deref(),
            target: target.as_deref(),
            production: production.as_deref(),
            standing: standing(difference.standing),
            prior: belief.prior,
            likelihood: belief.mean,
            likelihood_upper: belief.upper,
            tried: belief.tried,
            tried_at_states: belief.states,
            exposed: belief.exposed,
            caused: belief.caused,
            severity: difference.severity,
            score: difference.score(),
            over_engineering: belief.is_over_engineering(),
            reason: &difference.reason,
        }
    }
}
