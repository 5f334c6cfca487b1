//! What `list` and `audit` look at: a built suite, or, where a command runs the tests, what earlier runs saw of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fidelity_core::config::Settings;
use fidelity_core::domain::{Problem, RunId, RunnerKind, TestId};
use fidelity_core::store::{SqliteStore, Store, StoreError, workspace_store};
use fidelity_core::suite::annotation::configured;
use fidelity_core::suite::{Suite, Workspace, locate};

use super::output::Follower;
use super::prepare;
use crate::cli::{BuildArgs, Global, ProfileArgs};
use crate::error::CliError;
use crate::signals::Signals;

/// What is looked at.
pub struct Ground {
    /// The root of the project.
    pub root: PathBuf,
    /// What is asked for.
    pub settings: Settings,
    /// The tests, with what is said of them.
    pub suite: Suite,
    /// The workspace they are built from; none where a command runs them.
    pub workspace: Option<Workspace>,
}

/// Runs of a command that are looked at for its tests, the newest.
const RUNS: usize = 50;

impl Ground {
    /// Builds the suite, or finds in the store which tests a command has.
    pub fn of(
        (build, profiles): (&BuildArgs, &ProfileArgs),
        harnessless: bool,
        (global, signals): (&Global, &Signals),
    ) -> Result<Self, CliError> {
        let settings_at = |root: &Path| prepare::settings_of(profiles, Vec::new(), root);
        let mut ground = match prepare::by_command((build, profiles), &settings_at)? {
            Some((root, settings)) => Self {
                suite: known(global, &root)?,
                root,
                settings,
                workspace: None,
            },
            None => {
                let cargo = prepare::options(build, global);
                let workspace = locate(&cargo, signals.flag())?;
                let settings = settings_at(&workspace.root)?;
                Follower::new(global).console().build_started();
                Self {
                    suite: prepare::build(&workspace, &cargo, harnessless, signals)?,
                    root: workspace.root.clone(),
                    settings,
                    workspace: Some(workspace),
                }
            }
        };
        let odd = configured::say(&mut ground.suite, &ground.settings.tests);
        ground.suite.problems.extend(odd);
        Ok(ground)
    }
}

/// Returns the tests of a command: those of the newest run that was about everything, and of those since.
fn known(global: &Global, root: &Path) -> Result<Suite, CliError> {
    let path = global.store.clone();
    let path = path.unwrap_or_else(|| workspace_store(root));
    let store = match SqliteStore::open(&path) {
        Ok(store) => store,
        Err(StoreError::NoStore { .. }) => return Ok(Suite::default()),
        Err(error) => return Err(error.into()),
    };
    let mut tests: BTreeSet<TestId> = BTreeSet::new();
    let (mut runs, mut whole) = (0, None);
    for run in store.runs(RUNS)? {
        let header = store.header_of(run.id)?;
        if header.ingested || header.runner.kind != RunnerKind::Command {
            continue;
        }
        let listed = store.tests_of(run.id)?.into_iter();
        tests.extend(listed.filter(|test| test.selected).map(|test| test.id));
        runs += 1;
        if header.runner.everything {
            whole = Some(run.id);
            break;
        }
    }
    let tests: Vec<TestId> = tests.into_iter().collect();
    let mut suite = Suite::of_names(&tests);
    suite.problems.extend(seen_in(runs, whole));
    Ok(suite)
}

/// Says where the tests are from; nothing where there are none.
fn seen_in(runs: usize, whole: Option<RunId>) -> Option<Problem> {
    let from = match (runs, whole) {
        (0, _) => return None,
        (1, Some(whole)) => format!("run {}", whole.short()),
        (runs, Some(whole)) => format!("run {} and of {} since", whole.short(), runs - 1),
        (runs, None) => format!("the last {runs} runs, none of which was about all tests"),
    };
    Some(Problem {
        kind: "tests-of-earlier-runs".to_owned(),
        message: format!(
            "the tests are those of {from}: a command says which there are only when it runs; what they cover is not known"
        ),
    })
}
