//! `cargo fidelity ingest`: files become passes, passes blocks, blocks a report; other stores are joined.

use fidelity_core::config::Settings;
use fidelity_core::domain::{
    Condition, Fingerprint, PassRecord, RunEnd, RunHeader, StopReason, TestId, TestIndex,
};
use fidelity_core::driver::Clock as _;
use fidelity_core::ingest::intake::Intake;
use fidelity_core::ingest::pairing::{Grouping, Part, PassPlan};
use fidelity_core::plan::ingested_fingerprint;
use fidelity_core::report::human::not_read;
use fidelity_core::store::{RunLog, SqliteStore, Store, StoreError};
use fidelity_core::suite::SuiteError;
use fidelity_core::suite::annotation::configured;
use fidelity_core::suite::filterset::{Filterset, check_ingested};

use super::output::{note, warn};
use super::page::{Page, conditions};
use super::{place, prepare};
use crate::cli::{Global, IngestArgs, Passes};
use crate::clock::Stopwatch;
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::signals::Signals;

mod asked;
mod cover;
mod header;
mod inputs;
mod known;
mod look;
mod stores;
mod told;
mod withdraw;

use known::Sorted;
use look::Looked;

/// Everything that stays the same while files are taken in.
struct Session<'a> {
    arguments: &'a IngestArgs,
    global: &'a Global,
    /// What the command line puts in the place of the conditions of the gate.
    gate: Option<Vec<Condition>>,
    /// Which tests are shown.
    expressions: Vec<Filterset>,
    settings: Settings,
    place: place::Place,
    signals: Signals,
    clock: Stopwatch,
}

/// What came of a part of the arguments.
#[derive(Default)]
struct Tally {
    /// Something was there: a usable file, or a store.
    usable: bool,
    /// What could not be read, as the user named it.
    unread: Vec<String>,
    /// The user wanted no more: no file was taken in.
    interrupted: bool,
    /// The run that the files became.
    page: Option<Page>,
}

impl Tally {
    /// Returns the exit code of what was read, where there is nothing else to tell.
    fn code(&self) -> ExitCode {
        if self.unread.is_empty() {
            ExitCode::Passed
        } else {
            ExitCode::PartialInput
        }
    }

    /// Says what was not read and what that means for the exit code, where no page does.
    fn tell(&self, global: &Global) {
        if let Some(words) = not_read(&self.unread) {
            note(
                global,
                &format!("not read: {words} [exit code {}]", self.code()),
            );
        }
    }
}

/// Takes in what the arguments name, and prints the comparison it belongs to.
pub fn run(arguments: &IngestArgs, global: &Global) -> Result<ExitCode, CliError> {
    let signals = Signals::install()?;
    let gate = conditions(&arguments.gate)?;
    let place = place::for_results(global, &arguments.place)?;
    let settings = prepare::settings_of(&arguments.profiles, &[], &place.root)?;
    let session = Session {
        arguments,
        global,
        gate,
        expressions: expressions(arguments, !settings.tests.is_empty())?,
        settings,
        place,
        signals,
        clock: Stopwatch::start(),
    };
    note(global, &session.place.words());
    let arm = arguments.fidelity_profile.is_some();
    let mut inputs = inputs::sort(&arguments.files, &session.place.store, arm)?;
    for line in &inputs.notes {
        note(global, line);
    }
    let mut tally = Tally {
        unread: (inputs.problems.iter())
            .map(|problem| problem.source.clone())
            .collect(),
        ..Tally::default()
    };
    for problem in &inputs.problems {
        warn(&problem.to_string());
    }
    // A name that leads nowhere is a slip of the pen.
    let found = inputs.files.iter().any(|file| file.path.exists()) || !inputs.stores.is_empty();
    let looked = session.look(std::mem::take(&mut inputs.files), &mut tally)?;
    // A call that has nothing to keep makes no store.
    if !tally.usable && inputs.stores.is_empty() && arguments.withdraw.is_empty() {
        return Err(unusable(found));
    }
    let (mut store, _aside) = open(&session)?;
    stores::join(&session, &mut store, &inputs.stores, &mut tally)?;
    let withdrawn = withdraw::from(&session, &mut store, &mut tally)?;
    if let Some(looked) = looked {
        session.take_in(&mut store, looked, &mut tally)?;
    }
    if tally.interrupted {
        note(global, "interrupted: no file was taken in; give them again");
        return Ok(ExitCode::Interrupted);
    }
    if arguments.dry_run && tally.usable {
        tally.tell(global);
        return Ok(tally.code());
    }
    if !tally.usable {
        return Err(unusable(found));
    }
    session.conclude(&mut store, withdrawn, tally)
}

/// Returns the error of a call of which nothing could be used, though some of it may have been found.
fn unusable(found: bool) -> CliError {
    let kind = match found {
        true => ErrorKind::Unreadable,
        false => ErrorKind::Usage,
    };
    CliError::new(kind, "nothing of the input could be used")
        .hint("what is wrong with each file is said above")
}

/// Returns the expressions of `-E`, before anything is taken in: each can be answered by what reports say.
fn expressions(arguments: &IngestArgs, rules: bool) -> Result<Vec<Filterset>, SuiteError> {
    let expressions = arguments.filtersets.parse()?;
    let mut all = expressions.iter();
    all.try_for_each(|expression| check_ingested(expression, rules))?;
    Ok(expressions)
}

/// Opens the store; where there is none and nothing is to be kept, one that goes away with the directory it comes with.
fn open(session: &Session<'_>) -> Result<(SqliteStore, Option<tempfile::TempDir>), CliError> {
    let place = &session.place.store;
    if session.arguments.files.is_empty() {
        return Ok((SqliteStore::open(place)?, None));
    }
    if !session.arguments.dry_run || place.exists() {
        return Ok((SqliteStore::open_or_create(place)?, None));
    }
    let aside = tempfile::tempdir().map_err(|error| {
        CliError::new(ErrorKind::Internal, "could not make a temporary directory").caused_by(&error)
    })?;
    let store = SqliteStore::open_or_create(&aside.path().join("aside.db"))?;
    Ok((store, Some(aside)))
}

impl Session<'_> {
    /// Prints the comparison that all of it belongs to.
    fn conclude(
        &self,
        store: &mut SqliteStore,
        withdrawn: Option<Fingerprint>,
        mut tally: Tally,
    ) -> Result<ExitCode, CliError> {
        let covering = match withdrawn {
            Some(comparison) if self.arguments.files.is_empty() => cover::of(store, &comparison)?,
            _ => cover::latest(self, store, tally.page.is_some())?,
        };
        let Some(run) = covering else {
            note(self.global, "the store holds no ingested passes yet");
            tally.tell(self.global);
            return Ok(tally.code());
        };
        let mut page = match tally.page.take() {
            Some(page) if page.run.header.id == run => page,
            _ => Page::load(store, run)?,
        };
        page.keep(&self.expressions)?;
        page.unread = std::mem::take(&mut tally.unread);
        let partial = !page.unread.is_empty();
        let code = page.print(self.gate.clone(), self.global)?;
        // What the gate says comes first: a file that is none must not hide a defect.
        Ok(match code {
            ExitCode::Passed if partial => ExitCode::PartialInput,
            code => code,
        })
    }

    /// Takes in files, or says what would be taken in.
    fn take_in(
        &self,
        store: &mut SqliteStore,
        Looked {
            intake,
            mut problems,
        }: Looked,
        tally: &mut Tally,
    ) -> Result<(), CliError> {
        let fingerprint = ingested_fingerprint(&self.settings.baseline, &self.settings.target);
        let Sorted {
            parts,
            known,
            elsewhere,
        } = known::new_parts(store, &intake, &fingerprint)?;
        problems.extend(told::elsewhere(self, &intake, &elsewhere));
        let grouping = match self.arguments.passes {
            Passes::Disjoint => Grouping::Disjoint,
            Passes::PerFile => Grouping::PerFile,
            Passes::One => Grouping::One,
        };
        let plans = intake.plans(&parts, grouping);
        for line in told::plans(self, (&intake, &parts), &plans, &known) {
            note(self.global, &line);
        }
        if self.arguments.dry_run || plans.is_empty() {
            return Ok(());
        }
        let header = header::of(self, &plans, problems)?;
        match self.record(store, &intake, (&plans, &parts), header)? {
            Taken::Run { page, changed } => {
                tally.unread.extend(changed);
                tally.page = Some(*page);
            }
            Taken::Nothing => tally.interrupted = true,
        }
        Ok(())
    }

    /// Stores the passes of `plans` as a run, all of them or none.
    fn record(
        &self,
        store: &mut SqliteStore,
        intake: &Intake,
        (plans, parts): (&[PassPlan], &[Part]),
        mut header: RunHeader,
    ) -> Result<Taken, CliError> {
        cover::settle(store, &header.fingerprint)?;
        let joined = store.comparable(&header.fingerprint)?;
        header.joined = joined.iter().map(|run| run.id).collect();
        let mut ids: Vec<TestId> = used_tests(intake, (plans, parts));
        let earlier = cover::tests_of(store, &header.joined)?.into_iter();
        ids.extend(earlier.map(|test| test.id));
        let mut tests = cover::listed(ids.into_iter().map(|id| (id, None)));
        let odd = configured::say_of_names(&mut tests, &self.settings.tests);
        header.problems.extend(odd);
        let positions: Vec<TestIndex> = intake
            .tests()
            .iter()
            .map(|id| {
                let place = tests.binary_search_by(|test| test.id.cmp(id));
                // Tests of files that are left out are in no pass.
                TestIndex(place.map_or(u32::MAX, |place| place as u32))
            })
            .collect();
        let mut changed = Vec::new();
        let log = store.add_run((&header, &tests), |keep| {
            changed = self.make(intake, (plans, parts), &positions, keep)?;
            Ok(())
        });
        let log = match log {
            Ok(log) => log,
            Err(Stopped::Interrupted) => return Ok(Taken::Nothing),
            Err(Stopped::Store(error)) => return Err(error.into()),
        };
        for problem in &changed {
            warn(&problem.to_string());
        }
        let page = Page::load(store, header.id)?;
        let page = close(page, log, self.clock.elapsed_ms())?;
        Ok(Taken::Run {
            page: Box::new(page),
            changed: changed.into_iter().map(|problem| problem.source).collect(),
        })
    }

    /// Gives each pass to `keep`; returns which files were no more what they had been.
    fn make(
        &self,
        intake: &Intake,
        (plans, parts): (&[PassPlan], &[Part]),
        positions: &[TestIndex],
        keep: &mut dyn FnMut(&PassRecord) -> Result<(), StoreError>,
    ) -> Result<Vec<fidelity_core::ingest::junit::Problem>, Stopped> {
        let flag = self.signals.flag();
        intake.make((plans, parts), positions, &mut |pass| {
            if flag.load(std::sync::atomic::Ordering::Relaxed) {
                return Err(Stopped::Interrupted);
            }
            Ok(keep(&pass)?)
        })
    }
}

/// What came of files.
enum Taken {
    /// A run.
    Run {
        /// Its page.
        page: Box<Page>,
        /// The files that were no more what they had been when they were looked at.
        changed: Vec<String>,
    },
    /// Nothing: the user interrupted it.
    Nothing,
}

/// Closes a run whose passes are all stored with the verdicts of all that it covers; returns its page.
fn close(mut page: Page, mut log: Box<dyn RunLog>, wall_ms: u64) -> Result<Page, CliError> {
    let findings = page.verdicts.findings.iter();
    let verdicts: Vec<_> = findings
        .map(|finding| (finding.test, finding.verdict.clone()))
        .collect();
    let end = RunEnd {
        stop: StopReason::Ingested,
        wall_ms,
        problems: Vec::new(),
    };
    log.end_run(&end, &verdicts)?;
    page.run.end = Some(end);
    Ok(page)
}

/// Why passes are not taken in any further.
enum Stopped {
    Interrupted,
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Returns the tests of these passes.
fn used_tests(intake: &Intake, (plans, parts): (&[PassPlan], &[Part])) -> Vec<TestId> {
    let mut used = vec![false; intake.tests().len()];
    for part in plans.iter().flat_map(|plan| &plan.parts) {
        for test in parts[*part].tests.iter() {
            used[*test as usize] = true;
        }
    }
    let tests = intake.tests().iter().zip(used);
    tests
        .filter(|(_, used)| *used)
        .map(|(id, _)| id.clone())
        .collect()
}
