//! `cargo fidelity doctor`: what becomes of knobs on this machine, by trying them.

use std::path::{Path, PathBuf};

use fidelity_core::config::{self, Sample, Source};
use fidelity_core::domain::{FidelityProfile, KnobId, KnobSetting, Tier, Tried};
use fidelity_core::exec::direct::{RunnerOptions, Trier};
use fidelity_core::exec::{ExecError, machine};
use fidelity_core::report::doctor::{Checkup, render, render_json};

use super::output::{print, style};
use super::place::workspace_root;
use crate::cli::{DoctorArgs, Format, Global};
use crate::error::CliError;
use crate::exit_code::ExitCode;

/// What is tried.
enum Question {
    /// Samples of every knob, each alone.
    Catalogue(Vec<Sample>),
    /// The settings of these profiles, those of one together.
    Profiles(Vec<FidelityProfile>),
}

/// Tries the knobs of this version, or the settings of fidelity profiles, and prints what became of each.
pub fn run(arguments: &DoctorArgs, global: &Global) -> Result<ExitCode, CliError> {
    let source = source(arguments)?;
    let name = arguments.fidelity_profile.as_deref();
    let question = if arguments.all || (source.is_none() && name.is_none()) {
        Question::Catalogue(config::samples())
    } else {
        Question::Profiles(config::profiles(source.as_ref(), name)?)
    };
    let checkup = Checkup {
        machine: machine::look(&[
            ("cargo", program("CARGO", "cargo")),
            ("rustc", program("RUSTC", "rustc")),
        ]),
        tried: tried(&question)?,
        file: source
            .filter(|_| matches!(question, Question::Profiles(_)))
            .and_then(|source| Some(source.path()?.file_name()?.to_string_lossy().into_owned())),
    };
    print(&match global.format {
        Format::Human | Format::Junit | Format::Csv | Format::Markdown => {
            render(&checkup, &style(global))
        }
        Format::Json => render_json(&checkup),
    })?;
    Ok(if checkup.is_fit() {
        ExitCode::Passed
    } else {
        ExitCode::Environment
    })
}

/// Returns the configuration, where there is one. Outside of a project there is none.
fn source(arguments: &DoctorArgs) -> Result<Option<Source>, CliError> {
    let explicit = arguments.config_file.as_deref();
    let root = match workspace_root(&arguments.place) {
        Ok(root) => root,
        Err(error) if arguments.place.manifest_path.is_some() => return Err(error),
        Err(_) if explicit.is_none() => return Ok(None),
        Err(_) => PathBuf::from("."),
    };
    Ok(config::load(&root, explicit)?)
}

/// Returns the program that cargo would use: as a variable says it, or by name.
fn program(variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| Path::new(name).to_owned(), PathBuf::from)
}

/// Tries what is asked. Where nothing can be tried at all, every row says so.
fn tried(question: &Question) -> Result<Vec<Tried>, CliError> {
    let mut trier = match Trier::new(RunnerOptions::this_executable()) {
        Ok(trier) => trier,
        Err(ExecError::NotSupported(reason)) => {
            return Ok(not_supported(question, &reason));
        }
        Err(error) => return Err(error.into()),
    };
    let mut rows = Vec::new();
    match question {
        Question::Catalogue(samples) => {
            for Sample { knob, setting } in samples {
                rows.extend(trier.alone(knob, setting)?);
            }
        }
        Question::Profiles(profiles) => {
            for profile in profiles {
                rows.extend(trier.together(profile)?);
            }
        }
    }
    Ok(rows)
}

/// Returns a row for everything that would have been tried.
fn not_supported(question: &Question, reason: &str) -> Vec<Tried> {
    let row = |profile: Option<&str>, knob: &KnobId, setting: &KnobSetting| Tried {
        profile: profile.map(str::to_owned),
        knob: knob.clone(),
        setting: setting.to_string(),
        tier: Tier::Portable,
        applied: Some(false),
        reason: format!("not supported here: {reason}"),
    };
    match question {
        Question::Catalogue(samples) => samples
            .iter()
            .map(|sample| row(None, &sample.knob, &sample.setting))
            .collect(),
        Question::Profiles(profiles) => profiles
            .iter()
            .flat_map(|profile| {
                let knobs = profile.knobs.iter();
                knobs.map(|(knob, setting)| row(Some(&profile.name), knob, setting))
            })
            .collect(),
    }
}
