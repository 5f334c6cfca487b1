//! `cargo fidelity power`.

use std::path::Path;

use fidelity_core::power::{Measured, Power, PowerError, Question, RUNS, Share, answer};
use fidelity_core::report::power;
use fidelity_core::store::Store;

use super::output::{print, style};
use super::place::{open_store, open_store_if_any, workspace_root};
use super::prepare;
use crate::cli::{ComparedArgs, Format, Global, PowerArgs, ProfileArgs};
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;

/// Rates that are answered unless others are asked for: one in so many.
const RATES: [u32; 7] = [1, 2, 5, 10, 20, 50, 100];
/// Runs that are looked at for durations, the newest.
const LOOKED_AT: usize = 20;

/// Prints what passes and budgets detect.
pub fn run(arguments: &PowerArgs, global: &Global) -> Result<ExitCode, CliError> {
    let root = workspace_root(&arguments.place)?;
    let profiles = ProfileArgs {
        compared: ComparedArgs {
            config_file: arguments.config_file.clone(),
            ..ComparedArgs::default()
        },
        set: arguments.set.clone(),
    };
    let options = [("max-time", &arguments.max_time)];
    let mut policy = prepare::settings_of(&profiles, &options, &root)?.policy;
    if let Some(passes) = arguments.passes {
        policy.screen.target = passes;
    }
    let rates = match arguments.rates.as_slice() {
        [] => RATES.map(Share::one_in).to_vec(),
        rates => rates.to_vec(),
    };
    let question = Question {
        rates,
        probability: arguments.probability,
        policy,
        measured: measured(arguments, global, &root)?,
        seed: arguments.seed,
        runs: RUNS,
    };
    let power: Power = answer(&question).map_err(|error| explain(&error))?;
    let text = match global.format {
        Format::Human | Format::Junit | Format::Csv | Format::Markdown => {
            power::render(&power, &style(global))
        }
        Format::Json => power::render_json(&power),
    };
    print(&text)?;
    Ok(ExitCode::Passed)
}

/// Returns what the run asked for, or else the newest one that tells, says of durations; none without any.
fn measured(
    arguments: &PowerArgs,
    global: &Global,
    root: &Path,
) -> Result<Option<Measured>, CliError> {
    // A store that is named has to be there; that of the workspace comes with the first run.
    let store = match arguments.run.is_some() || global.store.is_some() {
        true => open_store(global, &arguments.place)?,
        false => match open_store_if_any(global, root)? {
            Some(store) => store,
            None => return Ok(None),
        },
    };
    if let Some(prefix) = &arguments.run {
        let run = store.load(store.find_run(prefix)?)?;
        return match Measured::of(&run) {
            Some(measured) => Ok(Some(measured)),
            None => {
                let id = run.header.id.short();
                let message =
                    format!("run {id} did not complete a pass over the suite in each arm");
                Err(CliError::new(ErrorKind::Usage, message).hint("leave out `--run`"))
            }
        };
    }
    for run in store.runs(LOOKED_AT)? {
        if let Some(measured) = Measured::of(&store.load(run.id)?) {
            return Ok(Some(measured));
        }
    }
    Ok(None)
}

fn explain(error: &PowerError) -> CliError {
    let PowerError::BudgetTooSmall { .. } = error;
    CliError::from_error(ErrorKind::Usage, error).hint("allow more with `--max-time`")
}
