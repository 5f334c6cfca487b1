//! Since when a test fails, and by what: the page and the JSON of an attribution to commits.
//!
//! Must not know how it was found out. What is not concluded is said as such.

use serde_json::{Value, json};

use super::Style;
use super::number::{duration_ms, percent, things};
use super::page::{Indent, Page, Span, Tone, plain, span};
use super::words::{name, next};
use crate::attribute::account::{Account, Cause, Tally};
use crate::attribute::history::CommitInfo;

/// Suspects that are listed.
const SUSPECTS: usize = 10;

/// Returns the page for people, ending with a line end.
pub fn render(account: &Account, style: &Style) -> String {
    let mut page = Page::new(style);
    write(&mut page, account);
    page.finish()
}

/// Writes the account on a page.
fn write(page: &mut Page, account: &Account) {
    page.text(Indent::all(0), &name(&account.test, Tone::Strong));
    match (&account.cause, &account.no_cause) {
        (Some(cause), _) => write_cause(page, account, cause),
        (None, Some((_, sentence))) => {
            page.text(
                Indent::all(4),
                &[span(Tone::Warn, "no conclusion: "), plain(sentence)],
            );
        }
        (None, None) => {}
    }
    write_suspects(page, account);
    for cell in &account.cells {
        page.text(Indent::all(4), &[span(Tone::Faint, tally(cell))]);
    }
    write_rest(page, account);
}

fn write_cause(page: &mut Page, account: &Account, cause: &Cause) {
    page.text(Indent::all(4), &[span(Tone::Bad, &cause.wording)]);
    for knob in &cause.knobs {
        let value =
            |value: &Option<String>| value.clone().unwrap_or_else(|| "left alone".to_owned());
        let words = format!(
            "{}: {} -> {}",
            knob.knob,
            value(&knob.before),
            value(&knob.after)
        );
        page.text(Indent::all(4), &[plain(words)]);
    }
    let commits = [
        ("commit", &cause.commit),
        ("exposed by", &cause.exposed_by),
        ("merged by", &cause.merge),
    ];
    for (role, commit) in commits {
        if let Some(commit) = commit {
            page.columns(4, &[vec![span(Tone::Faint, role)], told(commit)], &[10]);
        }
    }
    let confirmed = cause.sufficient.iter().chain(&cause.necessary);
    for side in confirmed {
        page.text(Indent::all(4), &[plain(tally(side))]);
    }
    let how = if account.from_history {
        ", from stored results alone: no trial was made to confirm it"
    } else {
        ""
    };
    let sure = format!("probability {} %{how}", percent(cause.confidence));
    page.text(Indent::all(4), &[plain(sure)]);
}

/// Returns what is known of a commit, in a line.
fn told(commit: &CommitInfo) -> Vec<Span> {
    let day = commit.date.get(..10).unwrap_or(&commit.date);
    vec![
        span(Tone::Strong, commit.id.short()),
        plain(format!(" {day} {}: {}", commit.author, commit.subject)),
    ]
}

fn tally(tally: &Tally) -> String {
    match tally.trials {
        0 => format!("{}: not tried", tally.place),
        trials => format!("{}: fails {}/{trials}", tally.place, tally.failures),
    }
}

fn write_suspects(page: &mut Page, account: &Account) {
    if account.suspects.is_empty() {
        return;
    }
    page.text(Indent::all(4), &[plain("it is one of")]);
    for suspect in account.suspects.iter().take(SUSPECTS) {
        let share = vec![span(
            Tone::Faint,
            format!("{} %", percent(suspect.probability)),
        )];
        page.columns(6, &[share, told(&suspect.commit)], &[6]);
    }
    let more = account.suspects.len().saturating_sub(SUSPECTS);
    if 0 < more {
        page.text(Indent::all(6), &[plain(format!("and {more} more"))]);
    }
}

fn write_rest(page: &mut Page, account: &Account) {
    for (commit, reason) in &account.untestable {
        let words = format!("{} could not be tested: {reason}", commit.id.short());
        page.text(Indent::hanging(4), &[span(Tone::Faint, words)]);
    }
    for note in &account.notes {
        page.text(Indent::hanging(4), &[span(Tone::Faint, note)]);
    }
    let cost = &account.cost;
    let mut spent = format!(
        "{} between {} and {}; {}",
        things(account.commits as u64, "commit"),
        account.good.id.short(),
        account.bad.id.short(),
        things(u64::from(cost.trials), "trial"),
    );
    if 0 < cost.trials {
        spent += &format!(" in {}", duration_ms(cost.trials_ms));
    }
    if 0 < cost.builds {
        let builds = things(u64::from(cost.builds), "build");
        spent += &format!(", {builds} in {}", duration_ms(cost.builds_ms));
    }
    page.text(Indent::all(4), &[span(Tone::Faint, spent)]);
    if let Some((says, command)) = advice(account) {
        next(page, 4, says, &command);
    }
}

/// Returns what to do where there is no conclusion.
fn advice(account: &Account) -> Option<(&'static str, String)> {
    let (word, _) = account.no_cause.as_ref()?;
    let test = &account.test.test;
    let again = format!(
        "cargo fidelity attribute {test} --good {} --bad {}",
        account.good.id.short(),
        account.bad.id.short()
    );
    match word.as_str() {
        "good-fails" => Some((
            "name an older commit",
            format!("cargo fidelity attribute {test} --good REV"),
        )),
        "good-untestable" | "good-unread" => Some((
            "name another commit at which it passed",
            format!("cargo fidelity attribute {test} --good REV"),
        )),
        "bad-untestable" => Some((
            "name another commit at which it fails",
            format!(
                "cargo fidelity attribute {test} --good {} --bad REV",
                account.good.id.short()
            ),
        )),
        "out-of-budget" => Some(("allow more trials", format!("{again} --max-trials 1000"))),
        "stopped" => Some(("go on", again)),
        "bad-passes" | "not-reproducible" => Some((
            "see how often it fails",
            format!("cargo fidelity explain {test}"),
        )),
        _ => None,
    }
}

/// Returns the account for programs, `"schema": 1`.
pub fn render_json(account: &Account) -> String {
    let mut text = format!(
        "{:#}",
        json!({ "schema": 1, "attribution": value(account) })
    );
    text.push('\n');
    text
}

/// Returns the JSON object `text` with the account as its member `attribution`.
pub fn joined(text: &str, account: &Account) -> String {
    let Ok(mut object) = serde_json::from_str::<Value>(text) else {
        return text.to_owned();
    };
    if let Some(members) = object.as_object_mut() {
        members.insert("attribution".to_owned(), value(account));
    }
    format!("{object:#}\n")
}

/// Returns the account as JSON.
fn value(account: &Account) -> Value {
    let no_cause = account.no_cause.as_ref();
    json!({
        "binary": account.test.binary.0,
        "test": account.test.test,
        "run": account.run.map(|run| run.to_string()),
        "good": account.good,
        "bad": account.bad,
        "commits": account.commits,
        "from_history": account.from_history,
        "cause": account.cause,
        "no_cause": no_cause.map(|(word, sentence)| json!({ "reason": word, "message": sentence })),
        "suspects": account.suspects,
        "cells": account.cells,
        "untestable": account
            .untestable
            .iter()
            .map(|(commit, reason)| json!({ "commit": commit, "reason": reason }))
            .collect::<Vec<_>>(),
        "notes": account.notes,
        "cost": account.cost,
    })
}

#[cfg(test)]
mod tests;
