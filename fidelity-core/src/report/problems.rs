//! What people should know about a run that is neither an error nor an outcome: collected from its header, its passes
//! and its end, so that programs read it too.

use std::collections::BTreeSet;

use crate::domain::{
    ForeignLoad, KnobId, ListedTest, MachineLoad, OnForeignLoad, Problem, RunnerKind, StopReason,
    StoredRun,
};

use super::model::RunFacts;
use super::number::{duration_ms, things};

/// The kind of problem that a knob of no effect is.
pub(super) const KNOB_NOT_APPLIED: &str = "knob-not-applied";

/// The kind of problem that such a knob is where the user asked for it, and not just a preset. In the header of its run.
pub const ASKED_KNOB_NOT_APPLIED: &str = "asked-knob-not-applied";

/// Returns whether a problem says that this knob was not applied.
pub(super) fn is_about_knob(problem: &Problem, knob: &KnobId) -> bool {
    let in_name = |character: char| character.is_alphanumeric() || "._-".contains(character);
    problem.kind == KNOB_NOT_APPLIED
        && problem
            .message
            .split(|character| !in_name(character))
            .any(|word| word.trim_end_matches('.') == knob.0)
}

/// Returns the run's problems, and as further ones what the passes and the end of the run have to say, and the tests that are
/// shown.
pub(super) fn problems(run: &StoredRun, facts: &RunFacts, shown: &[&ListedTest]) -> Vec<Problem> {
    let mut problems = run.header.problems.clone();
    problems.extend(run.end.iter().flat_map(|end| end.problems.clone()));
    let mut add = |kind: &str, message: String| {
        let problem = Problem {
            kind: kind.to_owned(),
            message,
        };
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    };
    for problem in super::said::problems(run, shown) {
        add(&problem.kind, problem.message);
    }
    for knob in facts.differing_knobs().filter(|knob| !knob.applied) {
        let known = |problem: &Problem| is_about_knob(problem, &knob.knob);
        if !run.header.problems.iter().any(known) {
            add(
                KNOB_NOT_APPLIED,
                format!("knob {} was not applied: {}", knob.knob, knob.reason),
            );
        }
    }
    for pass in &run.passes {
        let end = pass.end.as_ref();
        if let Some(reason) = end.and_then(|(end, _)| end.discarded_because()) {
            let (number, arm) = (pass.spec.number, facts.arm(pass.spec.arm));
            add(
                "pass-discarded",
                format!("pass {number} ({arm}) does not count: {reason}"),
            );
        }
    }
    if let Some(message) = foreign_load(run) {
        add("foreign-load", message);
    }
    if let Some(message) = leaked(run) {
        add("leaked-processes", message);
    }
    for earlier in &facts.joined {
        let passes = things(u64::from(earlier.passes), "pass");
        let (id, started_at) = (earlier.id.short(), &earlier.started_at);
        add(
            "joined-run",
            match run.header.ingested {
                true => {
                    format!("{passes} of run {id} ({started_at}) count too: same fidelity profiles")
                }
                false => format!(
                    "{passes} of run {id} ({started_at}) count too: same binaries and profiles"
                ),
            },
        );
    }
    if let Some((kind, message)) = ending(run) {
        add(kind, message);
    }
    problems
}

/// Returns what to say about passes that count although other programs took much of the machine.
fn foreign_load(run: &StoredRun) -> Option<String> {
    let ForeignLoad { at_most, then } = run.header.policy.foreign_load;
    let completed = || run.passes.iter().filter(|pass| pass.is_completed());
    let disturbed: Vec<MachineLoad> = completed()
        .filter_map(|pass| pass.machine)
        .filter(|machine| machine.exceeds(at_most))
        .collect();
    let cpus = disturbed.first()?.cpus;
    let used = disturbed.iter().map(|machine| machine.foreign_cpus());
    let mean = used.sum::<f64>() / disturbed.len() as f64;
    let advice = match then {
        OnForeignLoad::Warn => {
            "end them and run again, or have such passes repeated: `--set policy.foreign-load.then=repeat`"
        }
        OnForeignLoad::Repeat => "repeating such passes did not help: end them and run again",
    };
    Some(format!(
        "other programs used {mean:.1} of {cpus} CPUs on average during {} of {}; tests that depend on time may fail \
         because of them; {advice}",
        disturbed.len(),
        things(completed().count() as u64, "pass")
    ))
}

/// Returns what to say about processes that tests left behind.
fn leaked(run: &StoredRun) -> Option<String> {
    let leaks = || {
        run.passes
            .iter()
            .flat_map(|pass| &pass.observations)
            .filter(|seen| 0 < seen.leaked)
    };
    let tests: BTreeSet<_> = leaks().map(|seen| seen.test).collect();
    let first = run.tests.get(tests.first()?.get())?;
    let processes: u64 = leaks().map(|seen| u64::from(seen.leaked)).sum();
    // Which of its tests did that, only a command knows.
    if matches!(
        run.header.runner.kind,
        RunnerKind::Command | RunnerKind::Nextest
    ) {
        let processes = things(processes, "process");
        return Some(format!(
            "the tests left {processes} behind, killed after their pass"
        ));
    }
    Some(format!(
        "{} left {} behind, killed after the trial; first {}",
        things(tests.len() as u64, "test"),
        things(processes, "process"),
        first.id
    ))
}

/// Returns the kind and the sentence for a run that did not end by deciding.
fn ending(run: &StoredRun) -> Option<(&'static str, String)> {
    Some(match run.end.as_ref().map(|end| &end.stop) {
        Some(StopReason::Decided | StopReason::Ingested) => return None,
        Some(StopReason::OutOfTime) => (
            "out-of-time",
            match run.header.policy.max_time_ms {
                Some(limit) => format!("the time limit of {} was reached", duration_ms(limit)),
                None => "the time limit was reached".to_owned(),
            },
        ),
        Some(StopReason::OutOfTrials) => (
            "out-of-trials",
            match run.header.policy.max_trials {
                Some(limit) => format!("the limit of {} was reached", things(limit, "trial")),
                None => "the limit of trials was reached".to_owned(),
            },
        ),
        Some(StopReason::Interrupted) => ("interrupted", "the run was interrupted".to_owned()),
        Some(StopReason::Environment { reason }) => ("environment", reason.clone()),
        None => (
            "no-end",
            "the run has no end: it still runs, or it was killed".to_owned(),
        ),
    })
}
