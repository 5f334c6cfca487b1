//! Printing a run: from the store, never from memory, so that `run` and `report` print the same bytes.

use fidelity_core::attribute::account::Account;
use fidelity_core::classify::{Verdicts, verdicts_of};
use fidelity_core::config::{self, Overrides};
use fidelity_core::domain::{Condition, RunId, StoredAttribution, StoredRun, VerdictKind};
use fidelity_core::report::{Report, csv, gate, human, json, junit};
use fidelity_core::store::{Store, StoreError};

use super::output::{print, print_with, style};
use crate::cli::{Format, GateArgs, Global};
use crate::error::CliError;
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
}

impl Page {
    /// Reads a run.
    pub fn load(store: &dyn Store, id: RunId) -> Result<Self, CliError> {
        let mut ids = store.header_of(id)?.joined;
        ids.push(id);
        let mut joined = store.load_all(&ids)?;
        let run = joined.pop().ok_or_else(|| StoreError::NoSuchRun {
            name: id.to_string(),
        })?;
        let verdicts = verdicts_of(&run, &joined);
        let attributions = store.attributions(id)?;
        let accounts = accounts(store, &run, &verdicts)?;
        Ok(Self {
            attributions,
            accounts,
            run,
            joined,
            verdicts,
        })
    }

    /// Prints the run and returns what its gate makes of it.
    pub fn print(
        &self,
        conditions: Option<Vec<Condition>>,
        global: &Global,
    ) -> Result<ExitCode, CliError> {
        let report = Report::new(&self.run, &self.joined, &self.verdicts)
            .with_attributions(&self.attributions)
            .with_accounts(&self.accounts);
        let report = match conditions {
            Some(conditions) => report.with_conditions(conditions),
            None => report,
        };
        match global.format {
            Format::Human | Format::Markdown => print(&human::render(&report, &style(global)))?,
            Format::Json => print(&json::render(&report))?,
            Format::Junit => print(&junit::render(&report))?,
            Format::Csv => print_with(|out| csv::write(&self.run, &self.joined, out))?,
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
    let Some(text) = super::prepare::fail_on(&arguments.fail_on) else {
        return Ok(None);
    };
    let overrides = Overrides {
        policy: vec![("fail-on".to_owned(), text)],
        ..Overrides::default()
    };
    Ok(Some(config::resolve(None, &overrides)?.policy.fail_on))
}
