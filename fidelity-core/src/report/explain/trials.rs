//! The list of every trial of a test, for `-v`.

use crate::domain::{Phase, Scope};
use crate::report::number::{count, duration_us};
use crate::report::page::{Page, Span, Tone, plain, span};

use super::page::{mark, table, title};
use super::{Explanation, scope_name};

/// Lists every trial with what its pass drew.
pub(super) fn list(page: &mut Page, explanation: &Explanation) {
    title(page, "TRIALS");
    let rows: Vec<Vec<Vec<Span>>> = explanation
        .trials
        .iter()
        .map(|trial| {
            let (tone, _) = mark(trial);
            let mut where_ = vec![
                phase(trial.phase).to_owned(),
                match trial.scope {
                    Scope::Alone => "alone".to_owned(),
                    scope => format!("among {}", scope_name(scope)),
                },
            ];
            where_.extend(
                trial
                    .drawn
                    .iter()
                    .map(|(knob, value)| format!("{knob} = {value}")),
            );
            if trial.run != explanation.run.id {
                where_.push(format!("run {}", trial.run.short()));
            }
            if !trial.counts {
                where_.push("does not count".to_owned());
            }
            vec![
                vec![plain(format!("pass {}", count(u64::from(trial.pass))))],
                vec![plain(explanation.run.arm(trial.arm))],
                vec![span(tone, trial.outcome.to_string())],
                vec![plain(duration_us(trial.duration_us))],
                vec![span(Tone::Faint, where_.join(", "))],
            ]
        })
        .collect();
    table(page, 2, &rows);
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Screen => "screening",
        Phase::Focus => "focus",
        Phase::Company => "company",
        Phase::MassRepeat => "repeat of a mass failure",
        Phase::TimeoutCheck => "check of a time-out",
        Phase::Ingested => "ingested",
    }
}
