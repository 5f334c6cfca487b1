//! Experiments on the hidden defects of a run, for `run` itself and for `attribute`.

use std::collections::{BTreeSet, VecDeque};

use fidelity_core::attribute::engine::Rules;
use fidelity_core::attribute::experiment::{AttributeError, Finished, Laboratory, attribute};
use fidelity_core::attribute::locator::{
    Factors, Inquiry, Locator, Weights, needless, pilot, weights,
};
use fidelity_core::classify::Verdicts;
use fidelity_core::domain::{
    Attribution, AttributionEnd, FidelityProfile, RunId, Scope, StopReason, StoredRun, TestId,
    TestIndex, VerdictKind,
};
use fidelity_core::driver::Clock;
use fidelity_core::exec::Runner;
use fidelity_core::report::attribution::Attributed;
use fidelity_core::report::cause;
use fidelity_core::store::{SqliteStore, Store};
use fidelity_core::suite::{Suite, mentioned};

use super::dating::Dating;
use super::page::Page;
use super::subject::Subject;
use crate::cli::{AttributeWhich, RunArgs};
use crate::console::Progress;
use crate::error::CliError;

/// What is looked into, as the store names it.
pub const QUESTION: &str = "knobs";

/// What experiments work with.
pub struct Experiments<'a> {
    /// The run, its profiles with the users of their URLs.
    pub run: &'a StoredRun,
    /// The runs it joined.
    pub joined: &'a [StoredRun],
    /// What they come to.
    pub verdicts: &'a Verdicts,
    /// Its test binaries.
    pub suite: &'a Suite,
    /// Runs the trials.
    pub runner: &'a mut dyn Runner,
    /// Keeps them.
    pub store: &'a mut SqliteStore,
    /// Measures.
    pub clock: &'a dyn Clock,
    /// Is told how it goes on.
    pub console: &'a mut dyn Progress,
    /// Whether the trials of the run were made just now.
    pub recent: bool,
    /// Trials of one test at most.
    pub budget: u32,
    /// When to stop, in milliseconds of the clock.
    pub until_ms: Option<u64>,
    /// Whether tests that turn out to have another cause than the one of their cluster are looked into as well.
    pub others: bool,
    /// Tells since when knobs have their values.
    pub dating: Dating<'a>,
}

/// How long `--attribute auto` takes at most, and how much of it beyond the time limit of the run.
const AUTO_MS: u64 = 120_000;
const BEYOND_MAX_TIME_MS: u64 = 30_000;

/// What `run` has after its verdicts.
pub struct AfterRun<'a> {
    /// What was typed: which hidden defects are looked into, and whose history is read.
    pub arguments: &'a RunArgs,
    /// The profiles, with the users of their URLs.
    pub arms: [FidelityProfile; 2],
    /// What was run.
    pub subject: &'a Subject,
    /// Runs the trials.
    pub runner: &'a mut dyn Runner,
    /// Keeps them.
    pub store: &'a mut SqliteStore,
    /// Measures.
    pub clock: &'a dyn Clock,
    /// Is told how it goes on.
    pub console: &'a mut dyn Progress,
}

impl AfterRun<'_> {
    /// Looks into the hidden defects of a run; returns whether the user interrupted it.
    pub fn attribute(self, id: RunId) -> Result<bool, CliError> {
        let which = self.arguments.attribute;
        if which == AttributeWhich::Never {
            return Ok(false);
        }
        let mut page = Page::load(self.store, id)?;
        let over = matches!(
            page.run.end.as_ref().map(|end| &end.stop),
            Some(StopReason::Decided | StopReason::OutOfTime | StopReason::OutOfTrials)
        );
        let mut tests = defects(&page.run, &page.verdicts);
        // Their authors say how often a run may try them; who asks for more by name gets it.
        tests.retain(|test| {
            let annotation = page.run.tests[test.get()].annotation();
            annotation.is_none_or(|annotation| annotation.trials.is_none())
        });
        // A command that always runs all cannot run one test under a mixture.
        if !over || tests.is_empty() || page.run.header.runner.runs_all {
            return Ok(false);
        }
        let header = &mut page.run.header;
        [header.baseline, header.target] = self.arms;
        let now = self.clock.elapsed_ms();
        let until_ms = (which == AttributeWhich::Auto).then(|| {
            let last = header.policy.max_time_ms.map(|limit| limit.max(now));
            let beyond = last.map(|last| last.saturating_add(BEYOND_MAX_TIME_MS));
            beyond.unwrap_or(u64::MAX).min(now + AUTO_MS)
        });
        let results = Experiments {
            run: &page.run,
            joined: &page.joined,
            verdicts: &page.verdicts,
            suite: &self.subject.suite,
            runner: self.runner,
            store: self.store,
            clock: self.clock,
            console: self.console,
            recent: true,
            budget: Rules::of_knobs().budget,
            until_ms,
            others: true,
            dating: Dating::new(&self.subject.root, &self.arguments.profiles),
        }
        .on(&tests)?;
        Ok(results.interrupted)
    }
}

/// What became of some experiments.
#[derive(Debug, Default)]
pub struct Results {
    /// Those that came to an end.
    pub attributed: Vec<Attributed>,
    /// Whether the user interrupted them.
    pub interrupted: bool,
}

/// Returns the hidden defects, one of each cluster, those with the shortest trials first.
pub fn defects(run: &StoredRun, verdicts: &Verdicts) -> Vec<TestIndex> {
    let mut clusters = BTreeSet::new();
    let mut defects: Vec<(u64, TestIndex)> = verdicts
        .findings
        .iter()
        .filter(|finding| finding.verdict.kind == VerdictKind::HiddenDefect)
        .filter(|finding| {
            let listed = run.tests.get(finding.test.get());
            listed.is_some_and(|test| test.selected)
        })
        .filter(|finding| {
            finding
                .cluster
                .is_none_or(|cluster| clusters.insert(cluster))
        })
        .map(|finding| (duration_us(run, finding.test), finding.test))
        .collect();
    defects.sort_unstable();
    defects.into_iter().map(|(_, test)| test).collect()
}

/// Returns the longest trial of a test.
fn duration_us(run: &StoredRun, test: TestIndex) -> u64 {
    let seen = run.passes.iter().flat_map(|pass| &pass.observations);
    let of_test = seen.filter(|seen| seen.test == test);
    of_test.map(|seen| seen.duration_us).max().unwrap_or(0)
}

impl Experiments<'_> {
    /// Looks into these tests, one after the other, until time is up; and into tests of their clusters that turn out to have another
    /// cause, where that is asked for.
    pub fn on(&mut self, tests: &[TestIndex]) -> Result<Results, CliError> {
        let mut results = Results::default();
        let mut queue: VecDeque<TestIndex> = tests.iter().copied().collect();
        let mut done = BTreeSet::new();
        while let Some(test) = queue.pop_front() {
            let late = self
                .until_ms
                .is_some_and(|until| until <= self.clock.elapsed_ms());
            if late && !done.is_empty() {
                let left = queue.len() + 1;
                let says = format!(
                    "no time left to attribute {left} more; `cargo fidelity attribute` does it"
                );
                self.console.note(&says);
                break;
            }
            done.insert(test);
            match self.one(test)? {
                Finished::Attributed(attribution) => {
                    let other = self.of_another_cause(&attribution);
                    queue.extend(other.filter(|other| self.others && !done.contains(other)));
                    let id = self.run.tests[test.get()].id.clone();
                    results.attributed.push(Attributed {
                        id,
                        attribution: *attribution,
                    });
                }
                Finished::Interrupted => {
                    results.interrupted = true;
                    break;
                }
            }
        }
        Ok(results)
    }

    /// Returns the test of the cluster that was seen not to have its cause.
    fn of_another_cause(&self, attribution: &Attribution) -> Option<TestIndex> {
        let second = attribution.second.as_ref();
        let name = &second.filter(|second| !second.agrees)?.test;
        let place = self.run.tests.iter();
        let place = place
            .map(|test| test.id.to_string())
            .position(|id| id == *name)?;
        u32::try_from(place).ok().map(TestIndex)
    }

    fn runs(&self) -> Vec<&StoredRun> {
        self.joined
            .iter()
            .chain(std::iter::once(self.run))
            .collect()
    }

    fn one(&mut self, test: TestIndex) -> Result<Finished, CliError> {
        let id = self.run.tests[test.get()].id.clone();
        if let Some(attribution) = needless(self.run, &self.runs(), &id) {
            self.console
                .note(&format!("{id}: {}", cause::line(&attribution)));
            return Ok(Finished::Attributed(Box::new(attribution)));
        }
        let company = pilot::company(&self.runs(), &id);
        let finished = self.search(test, (company, 0))?;
        // It failed among suspects too, which were taken for no company.
        let possible = pilot::possible_company(&self.runs(), &id);
        match (&finished, possible) {
            (Finished::Attributed(alone), Some(among))
                if company.is_none() && alone.end == AttributionEnd::NotReproducible =>
            {
                self.console.note(&format!(
                    "{id} does not fail alone, and is tried among {}, where it did",
                    match among {
                        Scope::Binary => "the tests of its binary",
                        _ => "all tests",
                    }
                ));
                self.search(test, (possible, alone.trials))
            }
            _ => Ok(finished),
        }
    }

    /// Looks into a test, in this company where it may be what it needs, with as many trials more as were `spent` without.
    fn search(
        &mut self,
        test: TestIndex,
        (company, spent): (Option<Scope>, u32),
    ) -> Result<Finished, CliError> {
        let id = self.run.tests[test.get()].id.clone();
        let mut locator = self.locator(test, (company, spent))?;
        self.console.note(&format!(
            "attributing {id}: {} differ",
            fidelity_core::report::number::things(locator.factors().number() as u64, "knob")
        ));
        let mut log = self.store.attribute(self.run.header.id, test, QUESTION)?;
        let run = self.run;
        let mut laboratory = Laboratory {
            runner: self.runner,
            log: log.as_mut(),
            clock: self.clock,
            until_ms: self.until_ms,
            among: &|test, scope| among(run, test, scope),
            seed: run.header.seed.0 ^ u64::from(test.0),
            tell: &mut |_, _| {},
        };
        let mut finished = attribute(&mut locator, &mut laboratory)?;
        if finished == Finished::Interrupted {
            self.console.note(&format!(
                "interrupted after {}, before one cause was left; they are kept, and `cargo fidelity attribute` goes on",
                fidelity_core::report::number::things(u64::from(locator.trials()), "trial")
            ));
        }
        if let Finished::Attributed(attribution) = &mut finished {
            self.console.note(&cause::line(attribution));
            // The cause is stored already: reading history can take a second, and can fail.
            match self.dating.date(&run.header, attribution) {
                Ok(true) => log.end(attribution)?,
                Ok(false) => {}
                Err(error) => {
                    let CliError {
                        message, causes, ..
                    } = error.into();
                    let why = [&[message], &causes[..]].concat().join(": ");
                    let says = format!("since when its knobs are set is not told: {why}");
                    self.console.note(&says);
                }
            }
        }
        Ok(finished)
    }

    fn locator(
        &self,
        test: TestIndex,
        (company, spent): (Option<Scope>, u32),
    ) -> Result<Locator, CliError> {
        let header = &self.run.header;
        let runs = self.runs();
        let id = &self.run.tests[test.get()].id;
        let finding = self.verdicts.findings.iter().find(|one| one.test == test);
        let factors = Factors::new(&header.baseline, &header.target, &header.knobs, company)
            .weighed(self.weights(id)?);
        let second = finding.and_then(|finding| {
            let cluster = self.verdicts.clusters.get(finding.cluster?)?;
            let mut others = cluster.members.iter().filter(|member| **member != test);
            let other = others.find(|member| {
                let listed = self.run.tests.get(member.get());
                listed.is_some_and(|test| test.selected)
            })?;
            Some((*other, self.run.tests[other.get()].id.to_string()))
        });
        let rules = Rules {
            budget: self.budget.saturating_add(spent),
            recent: self.recent,
            seed: header.seed.0,
            ..Rules::of_knobs()
        };
        let inquiry = Inquiry {
            test,
            second,
            signatures: pilot::signatures(&runs, id),
            rules,
        };
        let mut locator = Locator::new(factors, inquiry);
        pilot::remember(&mut locator, &runs, id);
        Ok(locator)
    }

    /// Returns how much more probable knobs are to take part that changed since a run last saw the test pass in the target, and
    /// those of which its sources speak.
    fn weights(&self, id: &TestId) -> Result<Weights, CliError> {
        let now = &self.run.header.target;
        let history = self.store.history_of(id)?;
        let green = history
            .iter()
            .find(|row| 0 < row.target.trials && row.target.failures == 0);
        let changed = match green {
            Some(row) => weights::changed(&self.store.load(row.run)?.header.target, now),
            None => BTreeSet::new(),
        };
        let mut binaries = self.suite.binaries.iter();
        let binary = binaries.find(|binary| binary.id == id.binary);
        let words = now.knobs.keys();
        let words = words.map(|knob| (knob.clone(), weights::words(knob)));
        let spoken = binary.map(|binary| mentioned(&binary.directory, &words.collect()));
        Ok(Weights::new(&changed, &spoken.unwrap_or_default()))
    }
}

/// Returns the tests of a pass in which `test` runs among so many, sorted.
fn among(run: &StoredRun, test: TestIndex, scope: Scope) -> Vec<TestIndex> {
    let binary = &run.tests[test.get()].id.binary;
    let beside = |other: &fidelity_core::domain::ListedTest| match scope {
        Scope::Suite => other.selected,
        Scope::Binary => other.selected && other.id.binary == *binary,
        Scope::Suspects | Scope::Alone => false,
    };
    (0..)
        .map(TestIndex)
        .zip(run.tests.iter())
        .filter(|(index, other)| *index == test || beside(other))
        .map(|(index, _)| index)
        .collect()
}

impl From<AttributeError> for CliError {
    fn from(error: AttributeError) -> Self {
        match error {
            AttributeError::Exec(error) => error.into(),
            AttributeError::Store(error) => error.into(),
        }
    }
}
