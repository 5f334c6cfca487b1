//! `cargo fidelity explain`.

use std::fmt::Write as _;

use fidelity_core::attribute::account::Account;
use fidelity_core::config::nearest_name;
use fidelity_core::domain::{Revision, RunId, TestId, TestIndex};
use fidelity_core::evidence::withdrawn::withdrawals;
use fidelity_core::report::explain::{self, Explanation, PastVerdict, Sources};
use fidelity_core::report::since;
use fidelity_core::stats::binomial::clopper_pearson;
use fidelity_core::store::{Store, TestHistoryRow};

use super::output::{print, style};
use super::page::Page;
use super::place::open_store;
use crate::cli::{ExplainArgs, Format, Global};
use crate::error::{CliError, ErrorKind};
use crate::exit_code::ExitCode;

/// The longest list of candidates in a message.
const CANDIDATES: usize = 10;

/// Prints one test's evidence in words.
pub fn run(arguments: &ExplainArgs, global: &Global) -> Result<ExitCode, CliError> {
    let expressions = arguments.filtersets.parse()?;
    let store = open_store(global, &arguments.place)?;
    let id = store.find_run(&arguments.run)?;
    let mut page = Page::load(&store, id)?;
    page.keep(&expressions)?;
    let test = find(&arguments.test, &page)?;
    let identity = page.run.tests[test.get()].id.clone();
    add_outputs(&store, &mut page, &identity)?;
    let history: Vec<PastVerdict> = store
        .history_of(&identity)?
        .into_iter()
        .filter(|row| row.run != id && !rests_on_withdrawn(&page, row.run))
        .filter_map(past_verdict)
        .collect();
    let sources = Sources {
        run: &page.run,
        joined: &page.joined,
        verdicts: &page.verdicts,
        history: &history,
        attributions: &page.attributions,
        interval,
    };
    let explanation = Explanation::new(&sources, test).ok_or_else(|| {
        CliError::new(ErrorKind::Internal, "the run has no verdict for this test")
    })?;
    let account = account(&store, &identity, &page)?;
    let text = match (global.format, &account) {
        (Format::Human | Format::Junit | Format::Csv | Format::Markdown, None) => {
            explain::render(&explanation, &style(global))
        }
        (Format::Human | Format::Junit | Format::Csv | Format::Markdown, Some(account)) => format!(
            "{}\nSINCE WHEN, AND BY WHAT\n{}",
            explain::render(&explanation, &style(global)),
            since::render(account, &style(global))
        ),
        (Format::Json, None) => explain::json::render(&explanation),
        (Format::Json, Some(account)) => {
            since::joined(&explain::json::render(&explanation), account)
        }
    };
    print(&text)?;
    Ok(ExitCode::Passed)
}

/// Returns whether an earlier verdict rests on passes that were taken back since.
fn rests_on_withdrawn(page: &Page, earlier: RunId) -> bool {
    let withdrawn = withdrawals(&page.run, &page.joined);
    let header = page.joined.iter().map(|run| &run.header);
    let mut header = header.filter(|header| header.id == earlier);
    withdrawn.contains_key(&earlier)
        || header.any(|header| {
            let makes = |run| header.withdraws.iter().any(|it| it.run == run);
            header
                .joined
                .iter()
                .any(|run| withdrawn.contains_key(run) && !makes(*run))
        })
}

/// Returns what the attributions of the test to commits that came to their end say, the newest first.
pub(super) fn accounts(store: &dyn Store, test: &TestId) -> Result<Vec<Account>, CliError> {
    let searches = store.searches_of(test)?;
    let endings = searches
        .iter()
        .filter_map(|search| search.ending.as_deref());
    // What another version wrote may not be understood: it is passed over.
    Ok(endings.filter_map(Account::read).collect())
}

/// Returns the newest attribution to commits of a failure that the run, or one it joined, has seen; before all one with a cause.
fn account(store: &dyn Store, test: &TestId, page: &Page) -> Result<Option<Account>, CliError> {
    let header = &page.run.header;
    let mut found = accounts(store, test)?;
    found.retain(|account| {
        let seen_by = |run| run == header.id || header.joined.contains(&run);
        account.run.is_some_and(seen_by)
    });
    found.sort_by_key(|account| account.cause.is_none());
    Ok(found.into_iter().next())
}

/// Returns the interval of a failure rate; everything is possible where nothing was counted.
fn interval(failures: u32, trials: u32, confidence: f64) -> (f64, f64) {
    clopper_pearson(failures, trials, confidence).unwrap_or((0.0, 1.0))
}

/// Returns the one test that the words name: exactly, or by a part that no other test has; of the tests that the page speaks
/// of. No words name the only one of these.
pub(super) fn find(words: &[String], page: &Page) -> Result<TestIndex, CliError> {
    let text = words.join(" ");
    let names: Vec<(u32, String)> = (0..)
        .zip(page.run.tests.iter().map(|test| test.id.to_string()))
        .filter(|(index, _)| page.shows(*index as usize))
        .collect();
    let by = |matches: &dyn Fn(&TestId, &str) -> bool| -> Vec<u32> {
        names
            .iter()
            .filter(|(index, name)| matches(&page.run.tests[*index as usize].id, name))
            .map(|(index, _)| *index)
            .collect()
    };
    let exact = by(&|id, name| name == text || id.test == text);
    let found = if exact.is_empty() {
        by(&|_, name| name.contains(&text))
    } else {
        exact
    };
    match found.as_slice() {
        [one] => Ok(TestIndex(*one)),
        [] => Err(not_there(&text, page)),
        many => {
            let what = match words {
                [] => "the filterset".to_owned(),
                _ => format!("`{text}`"),
            };
            let message = format!("{what} fits {} tests", many.len());
            let mut hint = "name one of them:".to_owned();
            for index in many.iter().take(CANDIDATES) {
                let _ = write!(hint, "\n{}", page.run.tests[*index as usize].id);
            }
            if CANDIDATES < many.len() {
                let _ = write!(hint, "\nand {} more", many.len() - CANDIDATES);
            }
            Err(CliError::new(ErrorKind::Usage, message).hint(hint))
        }
    }
}

/// Returns the error of a name that no test has, with the test that was probably meant.
fn not_there(text: &str, page: &Page) -> CliError {
    let id = page.run.header.id.short();
    let among = match page.is_filtered() {
        true => " among those of the filterset",
        false => "",
    };
    let message = format!("run {id} has no test `{text}`{among}");
    let error = CliError::new(ErrorKind::Usage, message);
    let tests = page.run.tests.iter().enumerate();
    let shown: Vec<(String, &TestId)> = tests
        .filter(|(place, _)| page.shows(*place))
        .map(|(_, test)| (test.id.to_string(), &test.id))
        .collect();
    // People leave out the modules, and whose binary it is.
    let names: Vec<(&str, &str)> = shown
        .iter()
        .flat_map(|(whole, id)| {
            let last = id.test.rsplit("::").next().unwrap_or(&id.test);
            [whole.as_str(), &id.test, last].map(|name| (name, whole.as_str()))
        })
        .collect();
    let error = match nearest_name(text, &names) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error,
    };
    error.hint("`cargo fidelity report -vv` names its tests")
}

/// Puts what the failing trials of one test printed into the run, which is loaded without.
fn add_outputs(store: &dyn Store, page: &mut Page, identity: &TestId) -> Result<(), CliError> {
    for run in std::iter::once(&mut page.run).chain(&mut page.joined) {
        let Ok(test) = run.tests.binary_search_by(|test| test.id.cmp(identity)) else {
            continue;
        };
        for trial in store.trials_of(run.header.id, identity)? {
            let passes = run
                .passes
                .iter_mut()
                .filter(|pass| pass.spec.number == trial.pass.number);
            let kept = passes
                .flat_map(|pass| &mut pass.observations)
                .find(|observation| {
                    observation.test.get() == test
                        && observation.attempt == trial.observation.attempt
                });
            if let Some(kept) = kept {
                kept.failure = trial.observation.failure;
            }
        }
    }
    Ok(())
}

/// Returns the verdict of an earlier run; none if it never came to one.
fn past_verdict(row: TestHistoryRow) -> Option<PastVerdict> {
    Some(PastVerdict {
        run: row.run,
        started_at: row.started_at,
        revision: row.commit.map(|commit| Revision {
            commit,
            dirty: false,
        }),
        verdict: row.verdict?,
    })
}
