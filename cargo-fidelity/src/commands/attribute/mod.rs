//! `cargo fidelity attribute`: since when a test fails, and by what.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fidelity_core::attribute::account::Account;
use fidelity_core::attribute::build::Builder;
use fidelity_core::attribute::commit_search::Place;
use fidelity_core::attribute::engine::{Counts, Rules};
use fidelity_core::attribute::history::{CommitId, Repository, Subject};
use fidelity_core::attribute::inquiry::Case;
use fidelity_core::attribute::journal::Journal;
use fidelity_core::attribute::trials::Bench;
use fidelity_core::attribute::worktree::Worktrees;
use fidelity_core::config::Settings;
use fidelity_core::domain::{RunHeader, RunnerKind, Scope, TestId};
use fidelity_core::exec::ExecError;
use fidelity_core::exec::direct::RunnerOptions;
use fidelity_core::report::number::things;
use fidelity_core::report::since as page;
use fidelity_core::store::{SqliteStore, Store};
use fidelity_core::suite::{CargoOptions, Workspace, locate};

use self::evidence::Evidence;
use self::lab::{Environments, Laboratory};
use self::versions::Versions;
use super::knobs::as_typed;
use super::output::{Follower, print, style};
use super::page::Page;
use super::place::open_store;
use super::{explain, prepare};
use crate::cli::{AttributeArgs, Format, Global, PlaceArgs, ProfileArgs};
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::signals::Signals;

mod changed;
mod company;
mod evidence;
mod lab;
mod outside;
mod past;
mod told;
mod versions;

/// What an attribution works with.
struct Session<'a> {
    arguments: &'a AttributeArgs,
    signals: Signals,
    cargo: CargoOptions,
    workspace: Workspace,
    settings: Settings,
    /// Which profiles the failure was seen with.
    profiles: ProfileArgs,
    repository: Repository,
    test: TestId,
    /// The tests of today, in order.
    today: Vec<TestId>,
    evidence: Evidence,
}

/// Answers the question that is asked: since which commit, or because of which knobs.
pub fn run(arguments: &AttributeArgs, global: &Global) -> Result<ExitCode, CliError> {
    if !arguments.commits.are_asked_for() {
        return super::knobs::run(arguments, global);
    }
    if arguments.test.is_empty() && arguments.filtersets.is_empty() {
        let message = "no test is named whose commit is to be found";
        return Err(CliError::new(ErrorKind::Usage, message)
            .hint("name it: `cargo fidelity attribute TEST --commits`"));
    }
    since(arguments, global)
}

/// Finds out since when a test fails, stores it, and prints it.
fn since(arguments: &AttributeArgs, global: &Global) -> Result<ExitCode, CliError> {
    let signals = Signals::install()?;
    let expressions = arguments.filtersets.parse()?;
    let cargo = prepare::options(&arguments.build, global);
    let place = PlaceArgs {
        manifest_path: cargo.manifest_path.clone(),
    };
    let mut store = open_store(global, &place)?;
    let mut page = Page::load(&store, store.find_run("latest")?)?;
    page.keep(&expressions)?;
    let test = explain::find(&arguments.test, &page)?;
    let test = page.run.tests[test.get()].id.clone();
    let today = page.run.tests.iter().map(|test| test.id.clone()).collect();
    drop(page);
    let Some(evidence) = evidence::of(&store, &test)? else {
        let message = format!("no run has seen `{}` fail in the target", test.test);
        return Err(
            CliError::new(ErrorKind::NoConclusion, message).hint(format!(
                "look for it first: `cargo fidelity run {}`",
                test.test
            )),
        );
    };
    let header = store.header_of(evidence.run)?;
    check_runner(&header, arguments)?;
    let workspace = locate(&cargo, signals.flag())?;
    let (profiles, cargo) = as_in_run(&header, arguments, (cargo, global));
    let budget = &arguments.budget;
    let options = [("max-time", &budget.max_time), ("timeout", &budget.timeout)];
    let settings = prepare::settings_of(&profiles, &options, &workspace.root)?;
    let repository = Repository::of(&workspace.root)?;
    let session = Session {
        arguments,
        signals,
        cargo,
        workspace,
        settings,
        profiles,
        repository,
        test,
        today,
        evidence,
    };
    let mut follower = Follower::new(global);
    let account = if arguments.commits.from_history {
        past::account(&session)?
    } else {
        session.look(&mut store, &mut follower)?
    };
    let text = match global.format {
        Format::Human | Format::Junit | Format::Csv | Format::Markdown => {
            page::render(&account, &style(global))
        }
        Format::Json => page::render_json(&account),
    };
    print(&text)?;
    Ok(match account.cause {
        Some(_) => ExitCode::Passed,
        None => ExitCode::NoConclusion,
    })
}

/// Refuses to build commits for a test that cargo does not build: one of its tests may be called the same.
fn check_runner(header: &RunHeader, arguments: &AttributeArgs) -> Result<(), CliError> {
    if header.runner.kind != RunnerKind::Command || arguments.commits.from_history {
        return Ok(());
    }
    let message = "the run that saw the failure was made by a command: commits are built and tried for tests that cargo builds";
    Err(CliError::new(ErrorKind::Usage, message)
        .hint("`git bisect run` with the command, in the environment that `cargo fidelity explain TEST` tells, finds the commit"))
}

/// Returns this program's own file: cargo starts it, for which `/proc/self/exe` would be cargo.
fn this_program() -> Result<PathBuf, CliError> {
    std::env::current_exe().map_err(|error| {
        CliError::new(
            ErrorKind::Internal,
            "could not find this program's own file",
        )
        .caused_by(&error)
    })
}

/// Stores the account, which ends the search; one that was stopped goes on when it is asked for again.
fn keep(account: &Account, journal: &mut Journal) -> Result<(), CliError> {
    let stopped = account.no_cause.as_ref();
    if stopped.is_none_or(|(word, _)| word != "stopped") {
        journal.end(&account.text())?;
    }
    Ok(())
}

/// Returns which profiles are looked into, and how commits are built: as on the command line, and where that says nothing as in the
/// run that saw the failure.
fn as_in_run(
    header: &RunHeader,
    arguments: &AttributeArgs,
    (cargo, global): (CargoOptions, &Global),
) -> (ProfileArgs, CargoOptions) {
    let mut profiles = arguments.profiles.clone();
    // What was ingested, or run by another version, has no command line that could be taken over.
    let Ok(typed) = as_typed(header) else {
        return (profiles, cargo);
    };
    let run = typed.profiles;
    if profiles.set.is_empty() {
        profiles.set = run.set;
    }
    profiles.compared = profiles.compared.or(run.compared);
    let plain = CargoOptions {
        manifest_path: None,
        ..cargo.clone()
    };
    if !plain.build_arguments().is_empty() {
        return (profiles, cargo);
    }
    let cargo = CargoOptions {
        manifest_path: cargo.manifest_path,
        ..prepare::options(&typed.build, global)
    };
    (profiles, cargo)
}

impl Session<'_> {
    /// Returns whose history is read.
    fn subject(&self) -> Subject<'_> {
        self.profiles.compared.subject()
    }

    /// Returns the folders the test is built from.
    fn folders(&self) -> Vec<PathBuf> {
        let binary = &self.test.binary.0;
        let package = binary.split("::").next().unwrap_or(binary);
        self.workspace.folders_behind(package)
    }

    /// Returns the bad end: the one named, that of the run that saw the failure, or that of the work tree.
    fn bad(&self) -> Result<CommitId, CliError> {
        if let Some(revision) = &self.arguments.commits.bad {
            return Ok(self.repository.commit(revision)?);
        }
        let seen = self.evidence.commit.as_ref();
        if let Some(commit) = seen
            && self.repository.commit(&commit.0).is_ok()
        {
            return Ok(commit.clone());
        }
        Ok(CommitId(self.repository.head()?.to_string()))
    }

    /// Returns the good end: the one named, or the last before `bad` at which a run saw the test pass.
    fn good(&self, bad: &CommitId) -> Result<CommitId, CliError> {
        if let Some(revision) = &self.arguments.commits.good {
            return Ok(self.repository.commit(revision)?);
        }
        let passed = self.evidence.passed_at.iter();
        let mut before = passed.filter(|commit| self.repository.is_before(commit, bad));
        before.next().cloned().ok_or_else(|| {
            let message = format!(
                "no run has seen `{}` pass at a commit before {}",
                self.test.test,
                bad.short()
            );
            CliError::new(ErrorKind::NoConclusion, message)
                .hint("name a commit at which it passed: `--good REV`")
        })
    }

    /// Builds and tries commits until it is known, or cannot be.
    fn look(&self, store: &mut SqliteStore, follower: &mut Follower) -> Result<Account, CliError> {
        let bad = self.bad()?;
        let good = self.good(&bad)?;
        let folders = self.folders();
        let line = self.repository.line(&good, &bad, &folders)?;
        let versions = Versions::along(self, &line)?;
        let mut case = self.case(line, &versions);
        let new = evidence::restore_users(&self.evidence.environment, &self.settings.target);
        let journal = Journal::new(store.open_search(&self.test, &self.question(&case))?);
        if 0 < journal.earlier() {
            let trials = things(journal.earlier() as u64, "trial");
            let words = format!("going on after {trials} of an earlier start");
            follower.console().note(&words);
        }
        let reporter = this_program()?;
        let builder = self.builder(&reporter);
        let parent = self.arguments.commits.worktrees.clone();
        let parent = parent.unwrap_or_else(Worktrees::usual_folder);
        let worktrees = Worktrees::claim(&parent, self.repository.workdir())?;
        let options = || self.runner_options();
        let git = self.repository.git();
        let mut bench = Bench::new(git, builder, worktrees, &options, self.test.clone());
        if let Some(signature) = &self.evidence.signature {
            bench.look_for(signature);
        }
        let mut lab = Laboratory {
            repository: &self.repository,
            folders: &folders,
            bench,
            journal,
            environments: Environments {
                new,
                versions: case.environments.clone(),
            },
            evidence: &self.evidence,
            follower,
            deadline: self.deadline(),
        };
        let answer = company::inquire(self, &mut case, &mut lab);
        lab.follower.console().finished();
        let notes = lab.notes();
        let Laboratory {
            bench, mut journal, ..
        } = lab;
        let removed = bench.finish();
        let account = told::account(self, (&case, &versions), (&answer?, &journal), notes)?;
        removed?;
        keep(&account, &mut journal)?;
        Ok(account)
    }

    /// Returns how suites of old commits are built.
    fn builder<'b>(&'b self, reporter: &'b Path) -> Builder<'b> {
        Builder {
            cargo: &self.cargo,
            workspace: &self.workspace.root,
            within: self.repository.workspace(),
            reporter,
            harnessless: false,
            today: &self.today,
            interrupted: self.signals.flag(),
        }
    }

    /// Returns what tells this search from others.
    fn question(&self, case: &Case) -> String {
        let ends = [case.line.first(), case.line.last()];
        let ends = ends.map(|place| place.map_or("", |place| &place.commit.0));
        format!(
            "commits {} {} {:?}",
            ends.join(" "),
            self.evidence
                .identity(&self.evidence.environment, Scope::Alone),
            self.cargo.build_arguments()
        )
    }

    fn case(&self, line: Vec<Place>, versions: &Versions) -> Case {
        Case {
            pilots: self.pilots(&line, self.evidence.scope()),
            line,
            versions: versions.places(),
            environments: versions.environments(&self.settings.target),
            rules: Rules {
                budget: self.arguments.budget.max_trials,
                ..Rules::default()
            },
        }
    }

    /// Returns the stored trials along a line in which the test ran among so many, by place.
    fn pilots(&self, line: &[Place], scope: Scope) -> Vec<(usize, Counts)> {
        let seen = self.evidence.seen(scope);
        let places = line.iter().enumerate();
        places
            .filter_map(|(place, at)| Some((place, *seen.get(&at.commit)?)))
            .collect()
    }

    fn deadline(&self) -> Option<Instant> {
        self.arguments.budget.max_time.as_ref()?;
        let limit = self.settings.policy.max_time_ms?;
        Some(Instant::now() + Duration::from_millis(limit))
    }

    fn runner_options(&self) -> Result<RunnerOptions, ExecError> {
        self.signals
            .runner_options(1, self.settings.policy.timeout_ms)
    }
}
