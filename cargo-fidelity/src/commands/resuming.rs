//! Whether a run can go on: what it began with has to be there still, or nothing it sees could be judged with the rest.

use fidelity_core::config::Settings;
use fidelity_core::domain::{KnobStatus, RunBy, RunnerKind, StoredRun};
use fidelity_core::exec::Arms;
use fidelity_core::plan::Conditions;
use fidelity_core::suite::CargoOptions;

use super::subject::{Subject, is_unknown};
use crate::cli::RunArgs;
use crate::error::{CliError, ErrorKind};

/// Puts back what is never stored: who logs in by the URLs of the profiles. The settings of today have to say it.
pub fn restore_users(run: &mut StoredRun, settings: &Settings) -> Result<(), CliError> {
    let header = &mut run.header;
    let id = header.id.short();
    for (stored, asked) in [
        (&mut header.baseline, &settings.baseline),
        (&mut header.target, &settings.target),
    ] {
        stored.restore_users(asked).map_err(|knob| {
            let message = format!(
                "run {id} had a user in the URL of `{knob}`, which is not stored, and the settings have no such value"
            );
            CliError::new(ErrorKind::Usage, message)
                .hint("pass the same `--set` and profiles as then, or start a new run")
        })?;
    }
    Ok(())
}

/// Checks that a resumed run would go on with the binaries it began with.
pub fn check_unchanged(
    run: &StoredRun,
    subject: &Subject,
    cargo: &CargoOptions,
) -> Result<(), CliError> {
    let id = run.header.id.short();
    let (then, now) = (&run.header.runner, &subject.by);
    if (then.kind, &then.name, then.runs_all) != (now.kind, &now.name, now.runs_all) {
        let words = |by: &RunBy| match by.kind {
            RunnerKind::Auto | RunnerKind::Direct => "this tool itself".to_owned(),
            _ => by.name.clone(),
        };
        let message = format!(
            "the tests of run {id} were run by {}, and would be by {} now",
            words(then),
            words(now)
        );
        return Err(CliError::new(ErrorKind::Usage, message)
            .hint("let `[runner]` say what it said then, or start a new run"));
    }
    let built = subject.fingerprint(cargo)?;
    let began = &run.header.fingerprint;
    let same = built.binaries == began.binaries
        || is_unknown(&built.binaries) && is_unknown(&began.binaries);
    if same && built.toolchain == began.toolchain {
        return Ok(());
    }
    let (what, hint) = match then.kind {
        RunnerKind::Command => (
            "the code under test is not that",
            "go back to the same commit and files, or start a new run",
        ),
        _ => (
            "the test binaries are not those",
            "pass the same cargo flags as then, at the same commit, or start a new run",
        ),
    };
    Err(
        CliError::new(ErrorKind::Environment, format!("{what} of run {id}"))
            .hint(hint)
            .hint(format!("what it saw is kept: `cargo fidelity report {id}`")),
    )
}

/// Checks that a resumed run would go on with trials like those it began with: as many at a time, with the same
/// arguments. What one run holds is judged as one.
pub fn check_conditions(run: &StoredRun, arguments: &RunArgs) -> Result<(), CliError> {
    let header = &run.header;
    let id = header.id.short();
    let jobs = arguments.budget.jobs.map(std::num::NonZeroU32::get);
    if let Some(jobs) = jobs.filter(|jobs| *jobs != header.parallelism) {
        return Err(CliError::new(
            ErrorKind::Usage,
            format!(
                "run {id} runs {} tests at a time, not {jobs}",
                header.parallelism
            ),
        )
        .hint("leave out `--jobs`, or start a new run"));
    }
    let asked = Conditions {
        baseline: &header.baseline,
        target: &header.target,
        knobs: &header.knobs,
        parallelism: header.parallelism,
        timeout_ms: header.policy.timeout_ms,
        arguments: &arguments.arguments,
        runner: &header.runner,
    };
    if asked.fingerprint() == header.fingerprint.profiles {
        return Ok(());
    }
    Err(CliError::new(
        ErrorKind::Usage,
        format!("the arguments for the test binaries are not those of run {id}"),
    )
    .hint("pass the same after `--` as then, or start a new run"))
}

/// Checks that what was applied of each knob is applied still.
pub fn check_knobs(
    run: &StoredRun,
    knobs: &[KnobStatus],
    runner: &dyn Arms,
) -> Result<(), CliError> {
    for profile in [&run.header.baseline, &run.header.target] {
        if let Some((knob, value, reason)) = runner.taken_away(profile).pop() {
            let value = value.without_users();
            let message = format!("the knob `{knob}` cannot be {value} any more: {reason}");
            return Err(CliError::new(ErrorKind::Environment, message).hint("start a new run"));
        }
    }
    let differs = knobs.iter().find(|now| {
        run.header
            .knobs
            .iter()
            .any(|then| then.knob == now.knob && then.applied != now.applied)
    });
    let Some(knob) = differs else { return Ok(()) };
    let id = run.header.id.short();
    let message = if knob.applied {
        format!(
            "the knob `{}` was not applied when run {id} began, and is now",
            knob.knob
        )
    } else {
        format!(
            "the knob `{}` cannot be applied any more: {}",
            knob.knob, knob.reason
        )
    };
    Err(CliError::new(ErrorKind::Environment, message).hint("start a new run"))
}
