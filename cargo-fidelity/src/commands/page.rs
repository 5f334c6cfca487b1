//! Printing a run: from the store, never from memory, so that `run` and `report` print the same bytes.

use fidelity_core::attribute::account::Account;
use fidelity_core::classify::{Verdicts, verdicts_of};
use fidelity_core::domain::{Condition, RunId, StoredAttribution, StoredRun, TestId, VerdictKind};
use fidelity_core::evidence::withdrawn::take_back;
use fidelity_core::report::{Report, csv, gate, human, json, junit};
use fidelity_core::store::{Store, StoreError};
use fidelity_core::suite::SuiteError;
use fidelity_core::suite::filterset::{Filterset, admitted};

use super::output::{print, print_with, style};
use crate::cli::{Format, GateArgs, Global};
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;

/// A stored run, those it joined, and its verdicts.
pub struct Page {
    /// The run.
    pub run: StoredRun,
    /// The runs it joined.
    pub joined: Vec<StoredRun>,
    /// What they come to.
    pub verdicts: Verdicts,
    /// What experiments showed of its tests.
    pub attributions: Vec<StoredAttribution>,
    /// Since when its tests fail, where that was looked into.
    accounts: Vec<Account>,
    /// What the call that prints it could not read, beside what it took in.
    pub unread: Vec<String>,
    /// By position, which of its tests are spoken of; all of them where nothing is said.
    shown: Option<Vec<bool>>,
}

impl Page {
    /// Reads a run.
    pub fn load(store: &dyn Store, id: RunId) -> Result<Self, CliError> {
        let mut ids = store.header_of(id)?.joined;
        ids.push(id);
        let mut joined = store.load_all(&ids)?;
        let mut run = joined.pop().ok_or_else(|| StoreError::NoSuchRun {
            name: id.to_string(),
        })?;
        take_back(&mut run, &mut joined);
        let verdicts = verdicts_of(&run, &joined);
        let attributions = store.attributions(id)?;
        let accounts = accounts(store, &run, &verdicts)?;
        Ok(Self {
            attributions,
            accounts,
            run,
            joined,
            verdicts,
            unread: Vec::new(),
            shown: None,
        })
    }

    /// Speaks of the tests of some expression alone, where there is one.
    ///
    /// # Errors
    /// Where the run cannot answer an expression, or has no such test.
    pub fn keep(&mut self, expressions: &[Filterset]) -> Result<(), CliError> {
        if expressions.is_empty() {
            return Ok(());
        }
        let findings = self.verdicts.findings.iter();
        let verdicts = findings
            .map(|finding| (finding.test, finding.verdict.kind))
            .collect();
        let shown = admitted(expressions, &self.run, &verdicts).map_err(SuiteError::Filterset)?;
        let mut of_run = self.run.tests.iter().zip(&shown);
        if !of_run.any(|(test, shown)| test.selected && *shown) {
            let id = self.run.header.id.short();
            let message = format!("run {id} has no test of this filterset");
            return Err(CliError::new(ErrorKind::Usage, message)
                .hint("`cargo fidelity report -vv` names its tests"));
        }
        self.shown = Some(shown);
        Ok(())
    }

    /// Returns whether a test, by its position, is spoken of.
    pub fn shows(&self, test: usize) -> bool {
        let shown = self.shown.as_ref();
        shown.is_none_or(|shown| shown.get(test) == Some(&true))
    }

    /// Returns whether only some of its tests are spoken of.
    pub fn is_filtered(&self) -> bool {
        self.shown.is_some()
    }

    /// Prints the run and returns what its gate makes of it.
    pub fn print(
        &self,
        conditions: Option<Vec<Condition>>,
        global: &Global,
    ) -> Result<ExitCode, CliError> {
        let run = (&self.run, self.joined.as_slice());
        let report = Report::of_some(run, &self.verdicts, self.shown.as_deref())
            .with_attributions(&self.attributions)
            .with_accounts(&self.accounts)
            .with_unread(&self.unread);
        let report = match conditions {
            Some(conditions) => report.with_conditions(conditions),
            None => report,
        };
        match global.format {
            Format::Human | Format::Markdown => print(&human::render(&report, &style(global)))?,
            Format::Json => print(&json::render(&report))?,
            Format::Junit => print(&junit::render(&report))?,
            Format::Csv => {
                let place = |test: &TestId| {
                    let place = self
                        .run
                        .tests
                        .binary_search_by(|listed| listed.id.cmp(test));
                    place.unwrap_or(usize::MAX)
                };
                let wanted = |test: &TestId| self.shown.is_none() || self.shows(place(test));
                print_with(|out| csv::write_some(run, &wanted, out))?;
            }
        }
        let gate = gate(&report, &report.conditions);
        Ok(if gate.passed {
            ExitCode::Passed
        } else {
            ExitCode::GateFailed
        })
    }
}

/// Returns the newest attributions that found the commits of the failures that this run, or one it joined, has seen.
fn accounts(
    store: &dyn Store,
    run: &StoredRun,
    verdicts: &Verdicts,
) -> Result<Vec<Account>, CliError> {
    let seen_by = |id| id == run.header.id || run.header.joined.contains(&id);
    let mut accounts = Vec::new();
    for finding in &verdicts.findings {
        if finding.verdict.kind != VerdictKind::Stable {
            let mut of_test = super::explain::accounts(store, &finding.id)?.into_iter();
            // One without a cause takes nothing from one that found it.
            accounts.extend(
                of_test.find(|account| account.cause.is_some() && account.run.is_some_and(seen_by)),
            );
        }
    }
    Ok(accounts)
}

/// Returns the conditions that the command line puts in the place of the stored ones.
pub fn conditions(arguments: &GateArgs) -> Result<Option<Vec<Condition>>, CliError> {
    if arguments.no_gate {
        return Ok(Some(Vec::new()));
    }
    let given = super::prepare::fail_on(&arguments.fail_on);
    if given.is_none() {
        return Ok(None);
    }
    Ok(Some(
        super::prepare::policy_of(&[("fail-on", &given)])?.fail_on,
    ))
}
