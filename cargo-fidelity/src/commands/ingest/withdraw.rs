//! Taking back what was taken in by mistake: a run without passes of its own says so, and joins all others of the comparison.
//! Nothing is removed, so that stores can be joined before and after in any order.

use std::collections::BTreeMap;

use fidelity_core::domain::{
    Arm, Fingerprint, ListedTest, PassRecord, RunHeader, RunId, Seed, StoredRun, Withdrawal,
};
use fidelity_core::driver::Clock as _;
use fidelity_core::evidence::withdrawn::take_back;
use fidelity_core::plan::ingested_fingerprint;
use fidelity_core::report::number::things;
use fidelity_core::store::{SqliteStore, Store};

use super::{Session, Tally, close, cover};
use crate::commands::output::note;
use crate::commands::page::Page;
use crate::commands::record::{now, random_bits, typed};
use crate::error::{CliError, ErrorKind};

/// Withdraws the runs that the command line names; returns the comparison of the last of them.
pub fn from(
    session: &Session<'_>,
    store: &mut SqliteStore,
    tally: &mut Tally,
) -> Result<Option<Fingerprint>, CliError> {
    let (names, reason) = (&session.arguments.withdraw, &session.arguments.reason);
    let Some(reason) = reason.as_deref().map(str::trim) else {
        return Ok(None);
    };
    if reason.is_empty() {
        return Err(CliError::new(ErrorKind::Usage, "--reason is empty")
            .hint("say in a few words what is wrong with these results: every report shows it"));
    }
    let known = store.withdrawals()?;
    let at = now();
    // By the profiles compared: a withdrawal is of one comparison, like the run it takes back.
    let mut comparisons: BTreeMap<String, (Fingerprint, Vec<Withdrawal>)> = BTreeMap::new();
    let mut last = None;
    for name in names {
        let run = withdrawable(store, name)?;
        let fingerprint = run.header.fingerprint.clone();
        last = Some(fingerprint.clone());
        tally.usable = true;
        let id = run.header.id;
        if let Some(before) = known.get(&id) {
            let (at, reason) = (&before.at, &before.reason);
            let text = format!("run {} was withdrawn at {at} already: {reason}", id.short());
            note(session.global, &text);
            continue;
        }
        note(session.global, &words(session, &run));
        let withdrawal = Withdrawal {
            at: at.clone(),
            run: id,
            reason: reason.to_owned(),
            passes: Arm::BOTH.map(|arm| passes_of(&run, arm)),
        };
        let group = comparisons.entry(fingerprint.profiles.clone());
        group
            .or_insert((fingerprint, Vec::new()))
            .1
            .push(withdrawal);
    }
    for (fingerprint, mut withdrawals) in comparisons.into_values() {
        withdrawals.sort();
        withdrawals.dedup();
        if !session.arguments.dry_run {
            keep(session, store, &fingerprint, withdrawals)?;
        }
    }
    Ok(last)
}

/// Returns the run that is named, if it holds passes that ran elsewhere.
fn withdrawable(store: &SqliteStore, name: &str) -> Result<StoredRun, CliError> {
    let id = store.find_run(name)?;
    let run = store.load(id)?;
    if !run.header.ingested {
        let message = format!("run {} was made here", id.short());
        return Err(CliError::new(ErrorKind::Usage, message)
            .hint("only results that were taken in can be withdrawn"));
    }
    if run.passes.is_empty() {
        let message = format!(
            "run {} holds no passes: it joins those of others",
            id.short()
        );
        return Err(CliError::new(ErrorKind::Usage, message)
            .hint("`cargo fidelity report --list` tells which runs have passes"));
    }
    Ok(run)
}

/// Keeps that runs of one comparison are withdrawn.
fn keep(
    session: &Session<'_>,
    store: &mut SqliteStore,
    fingerprint: &Fingerprint,
    withdraws: Vec<Withdrawal>,
) -> Result<(), CliError> {
    cover::settle(store, fingerprint)?;
    let joined: Vec<RunId> = store
        .comparable(fingerprint)?
        .iter()
        .map(|run| run.id)
        .collect();
    let Some(newest) = joined.last() else {
        return Ok(());
    };
    let model = store.header_of(*newest)?;
    let is_own =
        *fingerprint == ingested_fingerprint(&session.settings.baseline, &session.settings.target);
    let header = RunHeader {
        id: RunId(random_bits()?),
        started_at: now(),
        seed: Seed((random_bits()? >> 75) as u64),
        policy: match is_own {
            true => session.settings.policy.clone(),
            false => model.policy,
        },
        revision: None,
        joined,
        withdraws,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        arguments: typed(),
        workspace: session.place.root.clone(),
        problems: Vec::new(),
        ..model
    };
    let tests = left(store, &header)?;
    let log = store.create_run(&header, &tests)?;
    close(
        Page::load(store, header.id)?,
        log,
        session.clock.elapsed_ms(),
    )?;
    Ok(())
}

/// Returns the tests in what is left: one that was seen in withdrawn passes alone is none of this suite.
fn left(store: &SqliteStore, header: &RunHeader) -> Result<Vec<ListedTest>, CliError> {
    let mut runs = store.load_all(&header.joined)?;
    let mut seen = BTreeMap::new();
    let Some(mut last) = runs.pop() else {
        return Ok(Vec::new());
    };
    last.header
        .withdraws
        .extend(header.withdraws.iter().cloned());
    take_back(&mut last, &mut runs);
    for run in runs.iter().chain([&last]) {
        let observations = run.passes.iter().flat_map(|pass| &pass.observations);
        let tests = observations.filter_map(|seen| run.tests.get(seen.test.get()));
        seen.extend(tests.map(|test| (test.id.clone(), test.terms.clone())));
    }
    Ok(cover::listed(seen.into_iter()))
}

fn passes_of(run: &StoredRun, arm: Arm) -> u32 {
    let counts = |pass: &&PassRecord| pass.spec.arm == arm && pass.is_completed();
    u32::try_from(run.passes.iter().filter(counts).count()).unwrap_or(u32::MAX)
}

/// Says what is withdrawn, so that a wrong run is noticed.
fn words(session: &Session<'_>, run: &StoredRun) -> String {
    let header = &run.header;
    let passes: Vec<String> = Arm::BOTH
        .into_iter()
        .filter(|arm| 0 < passes_of(run, *arm))
        .map(|arm| {
            let profile = match arm {
                Arm::Baseline => &header.baseline.name,
                Arm::Target => &header.target.name,
            };
            format!(
                "{} of {profile}",
                things(u64::from(passes_of(run, arm)), "pass")
            )
        })
        .collect();
    let files: std::collections::BTreeSet<&str> = run
        .passes
        .iter()
        .filter_map(|pass| pass.origin.as_deref())
        .flat_map(|origin| origin.sources.iter().map(|source| source.name.as_str()))
        .collect();
    let does = match session.arguments.dry_run {
        true => "would be withdrawn",
        false => "withdrawn",
    };
    let first = files.first().copied().unwrap_or_default();
    format!(
        "{does}: run {} of {}, {} from {} ({first}{})",
        header.id.short(),
        header.started_at,
        passes.join(" and "),
        things(files.len() as u64, "file"),
        if files.len() > 1 { ", ..." } else { "" }
    )
}
