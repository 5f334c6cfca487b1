//! What `run` needs before it can run anything: settings, the built suite, and the tests that were chosen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fidelity_core::config::{self, Overrides, Settings};
use fidelity_core::domain::{Policy, RunnerKind, TestId};
use fidelity_core::store::{LastVerdict, Store};
use fidelity_core::suite::filterset::Filterset;
use fidelity_core::suite::{
    CargoOptions, Discovery, Filter, LIST_TIMEOUT, RunIgnored, Suite, SuiteError, Workspace,
    discover,
};

use super::place::{configured, open_store_if_any};
use crate::cli::{self, BuildArgs, Global, ProfileArgs, RunArgs, SelectionArgs};
use crate::console::color::ColorArg;
use crate::error::CliError;
use crate::signals::Signals;

/// Returns what cargo is asked to do.
pub fn cargo_options(arguments: &RunArgs, global: &Global) -> CargoOptions {
    options(&arguments.build, global)
}

/// Returns what cargo is asked to do with these build options.
pub fn options(build: &BuildArgs, global: &Global) -> CargoOptions {
    let color = match global.color {
        ColorArg::Auto => None,
        ColorArg::Always => Some("always".to_owned()),
        ColorArg::Never => Some("never".to_owned()),
    };
    CargoOptions {
        quiet: global.quiet,
        // One `-v` is for our own output; cargo's commands come with the second.
        verbose: global.verbose.saturating_sub(1),
        color,
        ..build.options()
    }
}

/// Returns where the configuration says that a command runs the suite, and the settings; none where a cargo workspace has
/// to be found first.
///
/// # Errors
/// What is wrong with a configuration beside which there is no cargo workspace.
pub fn command_settings(arguments: &RunArgs) -> Result<Option<(PathBuf, Settings)>, CliError> {
    let settings_at = |root: &Path| settings(arguments, root);
    by_command((&arguments.build, &arguments.profiles), &settings_at)
}

/// Returns the same, where `settings_at` reads the settings of a project.
///
/// # Errors
/// Those of [`command_settings`].
pub fn by_command(
    (build, profiles): (&BuildArgs, &ProfileArgs),
    settings_at: &dyn Fn(&Path) -> Result<Settings, CliError>,
) -> Result<Option<(PathBuf, Settings)>, CliError> {
    let manifest = build.compilation.manifest_path.as_deref();
    let root = match profiles.compared.config_file {
        // A file that is named may be anywhere: it speaks of the project we are in.
        Some(_) => std::env::current_dir().ok(),
        None => configured(manifest),
    };
    let Some(root) = root else { return Ok(None) };
    match settings_at(&root) {
        Ok(settings) if settings.runner.kind == RunnerKind::Command => Ok(Some((root, settings))),
        Err(error)
            if !root
                .ancestors()
                .any(|folder| folder.join("Cargo.toml").exists()) =>
        {
            Err(error)
        }
        _ => Ok(None),
    }
}

/// Returns the settings of the workspace at `root` with what the command line says.
pub fn settings(arguments: &RunArgs, root: &Path) -> Result<Settings, CliError> {
    let budget = &arguments.budget;
    let options = [
        ("max-time", &budget.max_time),
        ("max-trials", &budget.max_trials),
        ("timeout", &budget.timeout),
        ("fail-on", &fail_on(&arguments.gate.fail_on)),
    ];
    settings_of(&arguments.profiles, &options, root)
}

/// An option that is a key of `[policy]`, with its text where it was given.
type PolicyOption<'a> = (&'a str, &'a Option<String>);

/// Returns the settings of the workspace at `root` with what is said of profiles and of the policy.
pub fn settings_of(
    profiles: &ProfileArgs,
    policy: &[PolicyOption<'_>],
    root: &Path,
) -> Result<Settings, CliError> {
    let source = config::load(root, profiles.compared.config_file.as_deref())?;
    let overrides = Overrides {
        set: profiles.set.clone(),
        baseline: profiles.compared.baseline.clone(),
        target: profiles.compared.target.clone(),
        policy: given(policy),
    };
    Ok(config::resolve(source.as_ref(), &overrides)?)
}

/// Returns the policy that these options make of the defaults, whatever a file says.
pub fn policy_of(options: &[PolicyOption<'_>]) -> Result<Policy, CliError> {
    let overrides = Overrides {
        policy: given(options),
        ..Overrides::default()
    };
    Ok(config::resolve(None, &overrides)?.policy)
}

fn given(options: &[PolicyOption<'_>]) -> Vec<(String, String)> {
    let given = options.iter();
    given
        .filter_map(|(key, text)| Some(((*key).to_owned(), (*text).clone()?)))
        .collect()
}

/// Returns the conditions of `--fail-on` as one text; none if the option is absent.
pub fn fail_on(conditions: &[String]) -> Option<String> {
    (!conditions.is_empty()).then(|| conditions.join(","))
}

/// Builds the suite and lists its tests.
pub fn build(
    workspace: &Workspace,
    cargo: &CargoOptions,
    harnessless: bool,
    signals: &Signals,
) -> Result<Suite, SuiteError> {
    // cargo starts it, for which `/proc/self/exe` would be cargo.
    let reporter = std::env::current_exe().map_err(|source| SuiteError::Io {
        action: "find this program's own file".to_owned(),
        source,
    })?;
    let request = Discovery {
        cargo,
        reporter: &reporter,
        harnessless,
        list_timeout: LIST_TIMEOUT,
        interrupted: signals.flag(),
    };
    discover(workspace, &request)
}

/// The last verdict on each test.
pub type LastVerdicts = BTreeMap<TestId, LastVerdict>;

/// Runs that are looked at for the last verdicts.
const RUNS: usize = 50;

/// Returns the last verdicts of the store; none where there is no store yet.
pub fn last_verdicts(global: &Global, root: &Path) -> Result<LastVerdicts, CliError> {
    match open_store_if_any(global, root)? {
        Some(store) => Ok(store.last_verdicts(RUNS)?),
        None => Ok(BTreeMap::new()),
    }
}

/// Returns what makes a test one of the chosen, with the last verdicts of the project at `root` where an expression asks for
/// them.
pub fn asked_for(
    (selection, global): (&SelectionArgs, &Global),
    expressions: Vec<Filterset>,
    root: &Path,
) -> Result<Filter, CliError> {
    let last = match expressions.iter().any(Filterset::asks_for_verdicts) {
        true => last_verdicts(global, root)?,
        false => LastVerdicts::new(),
    };
    Ok(filter(selection, expressions, &last))
}

/// Returns what makes a test one of the chosen, but for `#[ignore]`.
pub fn filter(
    selection: &SelectionArgs,
    expressions: Vec<Filterset>,
    last: &LastVerdicts,
) -> Filter {
    let verdicts = last.iter();
    Filter {
        names: selection.filters.clone(),
        exact: selection.exact,
        skip: selection.skip.clone(),
        expressions,
        verdicts: verdicts
            .map(|(test, last)| (test.clone(), last.verdict.kind))
            .collect(),
    }
}

/// Returns what of ignored tests takes part: `usually` where nothing is said.
pub fn run_ignored(selection: &SelectionArgs, usually: RunIgnored) -> RunIgnored {
    match selection.run_ignored {
        None => usually,
        Some(cli::RunIgnored::Default) => RunIgnored::Default,
        Some(cli::RunIgnored::Only) => RunIgnored::Only,
        Some(cli::RunIgnored::All) => RunIgnored::All,
    }
}
