//! `cargo fidelity power`.

use std::path::Path;

use fidelity_core::config::{self, Overrides};
use fidelity_core::power::{Measured, Power, PowerError, Question, RUNS, Share, answer};
use fidelity_core::report::power;
use fidelity_core::store::{SqliteStore, Store, StoreError, workspace_store};

use super::output::{print, style};
use super::place::workspace_root;
use crate::cli::{Format, Global, PowerArgs};
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;

/// Rates that are answered unless others are asked for: one in so many.
const RATES: [u32; 7] = [1, 2, 5, 10, 20, 50, 100];
/// Runs that are looked at for durations, the newest.
const LOOKED_AT: usize = 20;

/// Prints what passes and budgets detect.
pub fn run(arguments: &PowerArgs, global: &Global) -> Result<ExitCode, CliError> {
    let root = workspace_root(&arguments.place)?;
    let mut policy = settings(arguments, &root)?.policy;
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

fn settings(arguments: &PowerArgs, root: &Path) -> Result<config::Settings, CliError> {
    let source = config::load(root, arguments.config_file.as_deref())?;
    let max_time = arguments.max_time.clone();
    let overrides = Overrides {
        set: arguments.set.clone(),
        policy: max_time
            .map(|text| ("max-time".to_owned(), text))
            .into_iter()
            .collect(),
        ..Overrides::default()
    };
    Ok(config::resolve(source.as_ref(), &overrides)?)
}

/// Returns what the run asked for, or else the newest one that tells, says of durations; none without any.
fn measured(
    arguments: &PowerArgs,
    global: &Global,
    root: &Path,
) -> Result<Option<Measured>, CliError> {
    let path = global.store.clone();
    let store = SqliteStore::open(&path.unwrap_or_else(|| workspace_store(root)));
    if let Some(prefix) = &arguments.run {
        let store = store?;
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
    let store = match store {
        // A store that is named has to be there; that of the workspace comes with the first run.
        Err(StoreError::NoStore { .. }) if global.store.is_none() => return Ok(None),
        store => store?,
    };
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
