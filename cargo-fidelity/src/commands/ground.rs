//! What `list` and `audit` look at: a built suite, or, where there is none to be built, what stored runs saw of the tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fidelity_core::config::Settings;
use fidelity_core::domain::{ListedTest, Problem, RunHeader, RunId, RunnerKind, TestId};
use fidelity_core::store::Store;
use fidelity_core::suite::annotation::configured;
use fidelity_core::suite::filterset::{Filterset, check_ingested};
use fidelity_core::suite::{Suite, SuiteError, Workspace, locate};

use super::output::Follower;
use super::{place, prepare};
use crate::cli::{BuildArgs, Global, ProfileArgs};
use crate::error::{CliError, ErrorKind};
use crate::signals::Signals;

/// What is looked at.
pub struct Ground {
    /// The root of the project.
    pub root: PathBuf,
    /// What is asked for.
    pub settings: Settings,
    /// The tests, with what is said of them.
    pub suite: Suite,
    /// What runs them.
    pub by: By,
    /// Why there are no tests at all; none where there are some.
    pub none: Option<CliError>,
}

/// What runs the tests that are looked at.
pub enum By {
    /// They are built from this workspace.
    Workspace(Workspace),
    /// A command.
    Command,
    /// Somebody else: their results were ingested.
    Elsewhere,
}

/// Runs that are looked at for their tests, the newest.
const RUNS: usize = 50;

impl Ground {
    /// Builds the suite, or finds in the store which tests there are.
    pub fn of(
        (build, profiles): (&BuildArgs, &ProfileArgs),
        harnessless: bool,
        (global, signals): (&Global, &Signals),
    ) -> Result<Self, CliError> {
        let settings_at = |root: &Path| prepare::settings_of(profiles, &[], root);
        if let Some((root, settings)) = prepare::by_command((build, profiles), &settings_at)? {
            let suite = known(global, &root, &By::Command)?;
            return Ok(Self::said((root, settings), suite, By::Command));
        }
        let cargo = prepare::options(build, global);
        let workspace = match locate(&cargo, signals.flag()) {
            Ok(workspace) => workspace,
            Err(error) => {
                let manifest = build.compilation.manifest_path.as_ref();
                let root = match manifest {
                    Some(_) => None,
                    None => place::looked_at(global),
                };
                let root = root.ok_or_else(|| lost(error))?;
                let suite = known(global, &root, &By::Elsewhere)?;
                let settings = settings_at(&root)?;
                return Ok(Self::said((root, settings), suite, By::Elsewhere));
            }
        };
        let settings = settings_at(&workspace.root)?;
        Follower::new(global).console().build_started();
        let (mut suite, none) = match prepare::build(&workspace, &cargo, harnessless, signals) {
            Err(error @ (SuiteError::NoTests { .. } | SuiteError::NoBinaries)) => {
                (Suite::default(), Some(error.into()))
            }
            built => (built?, None),
        };
        let not_read = place::not_read(&workspace, profiles.compared.config_file.as_deref());
        suite.problems.extend(not_read);
        let root = workspace.root.clone();
        let by = By::Workspace(workspace);
        Ok(Self {
            none,
            ..Self::said((root, settings), suite, by)
        })
    }

    /// Has the tests say what the configuration says of them.
    fn said((root, settings): (PathBuf, Settings), mut suite: Suite, by: By) -> Self {
        let odd = match by {
            By::Elsewhere => say_of_names(&mut suite, &settings),
            By::Workspace(_) | By::Command => configured::say(&mut suite, &settings.tests),
        };
        suite.problems.extend(odd);
        let none = suite.tests.is_empty().then(|| {
            let message = "no run has said yet which tests there are";
            CliError::new(ErrorKind::NoTests, message).hint(match by {
                By::Elsewhere => "take in results: `cargo fidelity ingest FILE...`",
                _ => "a command says it when it runs: `cargo fidelity run`",
            })
        });
        Self {
            root,
            settings,
            suite,
            by,
            none,
        }
    }

    /// Returns the workspace; none where there is nothing to be built.
    pub fn workspace(&self) -> Option<&Workspace> {
        match &self.by {
            By::Workspace(workspace) => Some(workspace),
            By::Command | By::Elsewhere => None,
        }
    }

    /// Checks that expressions can be answered by what is known of the tests.
    pub fn check(&self, expressions: &[Filterset]) -> Result<(), CliError> {
        if matches!(self.by, By::Elsewhere) {
            let rules = !self.settings.tests.is_empty();
            let mut all = expressions.iter();
            let checked = all.try_for_each(|expression| check_ingested(expression, rules));
            checked.map_err(SuiteError::Filterset)?;
        }
        Ok(())
    }
}

/// Returns the error of a place where nothing is to be looked at, with what makes something of it.
fn lost(error: SuiteError) -> CliError {
    let without = std::env::current_dir().is_ok_and(|here| !place::has_manifest(&here));
    let metadata = matches!(error, SuiteError::Metadata { .. });
    let error = CliError::from(error);
    match metadata && without {
        true => error.hint(
            "for results that were made elsewhere, take them in first: `cargo fidelity ingest FILE...`",
        ),
        false => error,
    }
}

/// Has tests of which only names are known say what the configuration says of them.
fn say_of_names(suite: &mut Suite, settings: &Settings) -> Vec<Problem> {
    let listed = suite.tests.iter().map(|test| ListedTest {
        id: test.id.clone(),
        selected: true,
        suspicious: false,
        terms: None,
    });
    let mut listed: Vec<ListedTest> = listed.collect();
    let odd = configured::say_of_names(&mut listed, &settings.tests);
    for (test, listed) in suite.tests.iter_mut().zip(listed) {
        test.annotation = listed.terms.map(|terms| Box::new(terms.annotation));
    }
    odd
}

/// Returns the tests of stored runs: of a command those of the newest run that was about everything, and of those since; of
/// what was ingested all.
fn known(global: &Global, root: &Path, by: &By) -> Result<Suite, CliError> {
    let Some(store) = place::open_store_if_any(global, root)? else {
        return Ok(Suite::default());
    };
    let elsewhere = matches!(by, By::Elsewhere);
    let is_wanted = |header: &RunHeader| match elsewhere {
        true => header.ingested,
        false => !header.ingested && header.runner.kind == RunnerKind::Command,
    };
    let mut tests: BTreeSet<TestId> = BTreeSet::new();
    let (mut runs, mut whole) = (0, None);
    for run in store.runs(RUNS)? {
        let header = store.header_of(run.id)?;
        if !is_wanted(&header) {
            continue;
        }
        let listed = store.tests_of(run.id)?.into_iter();
        tests.extend(listed.filter(|test| test.selected).map(|test| test.id));
        runs += 1;
        if header.runner.everything && !elsewhere {
            whole = Some(run.id);
            break;
        }
    }
    let tests: Vec<TestId> = tests.into_iter().collect();
    let mut suite = Suite::of_names(&tests);
    suite.problems.extend(seen_in(runs, whole, elsewhere));
    Ok(suite)
}

/// Says where the tests are from; nothing where there are none.
fn seen_in(runs: usize, whole: Option<RunId>, elsewhere: bool) -> Option<Problem> {
    let last = match runs {
        1 => "the last run".to_owned(),
        runs => format!("the last {runs} runs"),
    };
    let from = match (runs, whole) {
        (0, _) => return None,
        _ if elsewhere => format!("{last} of results that were ingested"),
        (1, Some(whole)) => format!("run {}", whole.short()),
        (runs, Some(whole)) => format!("run {} and of {} since", whole.short(), runs - 1),
        (_, None) => format!("{last}, none of which was about all tests"),
    };
    let why = match elsewhere {
        true => "there is no suite here to be asked",
        false => "a command says which there are only when it runs",
    };
    Some(Problem {
        kind: "tests-of-earlier-runs".to_owned(),
        message: format!("the tests are those of {from}: {why}; what they cover is not known"),
    })
}
