//! `cargo fidelity history`: which commits changed the effective value of which knob.

use fidelity_core::attribute::history::Repository;
use fidelity_core::config::{catalogue, nearest_word};
use fidelity_core::domain::KnobId;
use fidelity_core::report::history::{KnobHistory, render, render_json};

use super::output::{print, style};
use super::place::workspace_root;
use super::prepare;
use crate::cli::{Format, Global, HistoryArgs, ProfileArgs};
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;

/// Prints the history of the knobs that were asked for.
pub fn run(arguments: &HistoryArgs, global: &Global) -> Result<ExitCode, CliError> {
    let root = workspace_root(&arguments.place)?;
    let profiles = ProfileArgs {
        compared: arguments.compared.clone(),
        set: Vec::new(),
    };
    let settings = prepare::settings_of(&profiles, &[], &root)?;
    let repository = Repository::of(&root)?;
    let subject = arguments.compared.subject();
    let (line, history) = repository.history_to(&subject, None)?;
    let names = [&settings.baseline, &settings.target].map(|profile| profile.name.clone());
    let asked = arguments.knob.as_deref();
    let history = KnobHistory::new(names, asked, (&line, history));
    if let Some(asked) = asked
        && history.is_empty()
    {
        known(asked)?;
    }
    print(&match global.format {
        Format::Human | Format::Junit | Format::Csv | Format::Markdown => {
            render(&history, &style(global))
        }
        Format::Json => render_json(&history),
    })?;
    Ok(ExitCode::Passed)
}

/// Refuses what is no knob of this version, and was never one of these profiles.
fn known(asked: &str) -> Result<(), CliError> {
    let is_group = asked == "inputs" || asked.starts_with("inputs.");
    if is_group || catalogue::of(&KnobId::from(asked)).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = catalogue::KNOBS.iter().map(|knob| knob.name).collect();
    let hint = match nearest_word(asked, &names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`cargo fidelity history` shows every knob".to_owned(),
    };
    let message = format!("`{asked}` is no knob, and these fidelity profiles never set it");
    Err(CliError::new(ErrorKind::Usage, message).hint(hint))
}
