//! `--from-history`: what stored results alone say of since when a test fails. Nothing is built or run.

use std::collections::BTreeMap;

use fidelity_core::attribute::account::{Account, Cause, Cost, Suspect, Tally, no_cause, wording};
use fidelity_core::attribute::commit_search::{CommitEnding, CommitSearch, CommitStep, Place};
use fidelity_core::attribute::engine::{Counts, Rules, gate};
use fidelity_core::attribute::history::{CommitId, CommitInfo};
use fidelity_core::domain::CauseKind;

use super::Session;
use crate::error::{CliError, ErrorKind};

/// Returns what stored trials under the failing environment come to.
pub fn account(session: &Session<'_>) -> Result<Account, CliError> {
    let bad = session.bad()?;
    let good = good(session, &bad)?;
    let line = session.repository.line(&good, &bad, &session.folders())?;
    let rules = Rules {
        budget: 0,
        confirm: false,
        established: true,
        ..Rules::default()
    };
    let info = |commit: &CommitId| session.repository.info(commit).map_err(CliError::from);
    let (good, bad) = (info(&good)?, info(&bad)?);
    let mut search = CommitSearch::new(line.clone(), rules);
    let mut cells = Vec::new();
    for (place, at) in line.iter().enumerate() {
        if let Some(counts) = seen(session).get(&at.commit) {
            search.remember(place, *counts);
            cells.push(Tally::new(format!("at {}", at.commit.short()), *counts));
        }
    }
    let seen_of = |at: &Place| seen(session).get(&at.commit);
    let failed = |at: &Place| seen_of(at).is_some_and(|counts| 0 < counts.failures);
    let ending = match search.next(&|_| true) {
        // Commits are only told apart where one of them failed.
        _ if !line.iter().any(failed) => match line.last().and_then(seen_of) {
            Some(_) => CommitEnding::BadPasses,
            None => CommitEnding::NotReproducible,
        },
        CommitStep::Done(ending) => ending,
        // With nothing to spend the search asks for nothing.
        CommitStep::Try { .. } => CommitEnding::NotReproducible,
    };
    let mut account = Account {
        test: session.test.clone(),
        run: Some(session.evidence.run),
        commits: line.len() - 1,
        from_history: true,
        cause: None,
        no_cause: None,
        suspects: Vec::new(),
        cells,
        untestable: Vec::new(),
        notes: session.evidence.not_committed().into_iter().collect(),
        cost: Cost::default(),
        good,
        bad,
    };
    tell(session, (&mut account, &line), &ending)?;
    Ok(account)
}

/// Returns the stored trials that count, by commit.
fn seen<'s>(session: &'s Session<'_>) -> &'s BTreeMap<CommitId, Counts> {
    session.evidence.seen(session.evidence.scope())
}

/// Says in the account what the ending comes to.
fn tell(
    session: &Session<'_>,
    (account, line): (&mut Account, &[Place]),
    ending: &CommitEnding,
) -> Result<(), CliError> {
    let info = |commit: &CommitId| session.repository.info(commit).map_err(CliError::from);
    match ending {
        CommitEnding::Found { place, probability } => {
            if let Some(at) = line.get(*place) {
                let commit = info(&at.commit)?;
                if tells_apart(session, line.split_at(*place)) {
                    account.cause = Some(cause(commit, *probability));
                } else {
                    account.no_cause = Some((
                        "not-reproducible".to_owned(),
                        "stored results are too few to be told from chance".to_owned(),
                    ));
                    account.suspects.push(Suspect {
                        commit,
                        probability: *probability,
                    });
                }
            }
        }
        CommitEnding::OneOf { suspects, .. } => {
            for (place, probability) in suspects {
                if let Some(at) = line.get(*place) {
                    account.suspects.push(Suspect {
                        commit: info(&at.commit)?,
                        probability: *probability,
                    });
                }
            }
            account.no_cause = Some((
                "not-told-apart".to_owned(),
                "stored results do not tell these commits apart".to_owned(),
            ));
        }
        ending => {
            let ends = (account.good.id.short(), account.bad.id.short());
            account.no_cause = Some(no_cause(ending, ends));
        }
    }
    Ok(())
}

/// Returns whether stored trials before and since a commit differ as much as those of both ends have to before a search.
fn tells_apart(session: &Session<'_>, (before, since): (&[Place], &[Place])) -> bool {
    let sum = |places: &[Place]| {
        let places = places.iter();
        let seen = places.filter_map(|place| seen(session).get(&place.commit));
        seen.fold(Counts::default(), |all, counts| all.plus(*counts))
    };
    gate::ln_bayes_factor(sum(before), sum(since)) >= gate::OPEN_AT.ln()
}

/// Code and profile are not crossed here: the trials were made under one environment, so that it is the code that differs.
fn cause(commit: CommitInfo, confidence: f64) -> Cause {
    let words = format!("{} \"{}\"", commit.id.short(), commit.subject);
    Cause {
        kind: CauseKind::Code,
        wording: wording(CauseKind::Code, (Some(&words), None), false, ""),
        confidence,
        knobs: Vec::new(),
        commit: Some(commit),
        exposed_by: None,
        merge: None,
        sufficient: None,
        necessary: Vec::new(),
    }
}

/// Returns the good end: the one named, or the oldest commit before `bad` with stored trials under the environment.
fn good(session: &Session<'_>, bad: &CommitId) -> Result<CommitId, CliError> {
    if session.arguments.commits.good.is_some() {
        return session.good(bad);
    }
    let repository = &session.repository;
    let seen = seen(session).keys();
    let before = seen.filter(|commit| repository.is_before(commit, bad));
    // Commits of different branches have no order.
    let oldest = before.reduce(
        |oldest, commit| match repository.is_before(commit, oldest) {
            true => commit,
            false => oldest,
        },
    );
    oldest.cloned().ok_or_else(|| {
        let message = format!(
            "no stored trial of `{}` at a commit before {} was made under the same environment",
            session.test.test,
            bad.short()
        );
        CliError::new(ErrorKind::NoConclusion, message)
            .hint("leave out `--from-history` to have commits built and tried")
    })
}
