//! The fidelity history: for each knob the values it had, and the commits that set them. Knows no repository.

use std::collections::BTreeSet;

use super::Style;
use super::knob_since::told;
use super::number::things;
use super::page::{Indent, Page, Span, Tone, plain, span, width};
use super::words::next;
use crate::attribute::history::{At, End, FidelityChange, FidelityHistory, FileFrom, Line, State};
use crate::domain::{Arm, CommitId, CommitInfo, KnobId, KnobSetting};

mod json;
#[cfg(test)]
mod tests;

pub use json::render_json;

/// Values of a knob that are listed where nobody asked for this knob.
const LISTED: usize = 10;
/// Commits that cannot be read that are named.
const UNREADABLE: usize = 3;
/// Columns of a value in the list, where it is longer than the others.
const VALUE_COLUMNS: usize = 32;

/// The history of the knobs of two fidelity profiles.
#[derive(Clone, Debug, PartialEq)]
pub struct KnobHistory {
    /// The names of the fidelity profiles, by arm.
    profiles: [String; 2],
    /// Which knobs were asked for; none for all.
    asked: Option<String>,
    /// Every knob that a profile sets, or once set, that was asked for; by arm and name.
    knobs: Vec<KnobPast>,
    /// Where the configuration cannot be read.
    unreadable: Vec<(At, String)>,
    /// Where its file was renamed: the commit, from where, to where.
    renames: Vec<(CommitId, String, String)>,
    commits: usize,
    end: End,
    /// The oldest commit whose configuration can be read.
    first: Option<CommitInfo>,
    /// Whether there are commits before it.
    begins_unread: bool,
    /// Where the configuration file comes from.
    file: FileFrom,
}

/// What became of a knob.
#[derive(Clone, Debug, PartialEq)]
struct KnobPast {
    arm: Arm,
    knob: KnobId,
    /// Its setting now; none where the profile leaves it alone.
    setting: Option<KnobSetting>,
    /// What changed it, the oldest first.
    changes: Vec<FidelityChange>,
}

impl KnobHistory {
    /// Returns what a line and its history, of one answer of [`crate::attribute::history::Repository::history_to`], say of the knobs
    /// that are called `asked` or begin with it and a dot; of all, where nobody asked.
    pub fn new(
        profiles: [String; 2],
        asked: Option<&str>,
        (line, history): (&Line, FidelityHistory),
    ) -> Self {
        let readable = |state: &State| match state {
            State::Known(values) => Some(std::rc::Rc::clone(values)),
            State::Unreadable(_) => None,
        };
        let last = line.iter().rev().find_map(|point| readable(&point.state));
        let last = last.unwrap_or_default();
        let mut knobs = Vec::new();
        for arm in Arm::BOTH {
            let of_arm = |found: &&FidelityChange| found.change.arm == arm;
            let changed = history.changes.iter().filter(of_arm);
            let named: BTreeSet<&KnobId> = changed
                .map(|found| &found.change.knob)
                .chain(last.of(arm).keys())
                .collect();
            for knob in named.into_iter().filter(|knob| is_asked(knob, asked)) {
                let changes = history.changes.iter().filter(of_arm);
                knobs.push(KnobPast {
                    arm,
                    setting: last.of(arm).get(knob).map(KnobSetting::without_users),
                    changes: changes
                        .filter(|found| found.change.knob == *knob)
                        .cloned()
                        .collect(),
                    knob: knob.clone(),
                });
            }
        }
        let renames = history.renames.into_iter();
        Self {
            profiles,
            asked: asked.map(str::to_owned),
            knobs,
            unreadable: history.unreadable,
            renames: renames
                .map(|(id, from, to)| (id, from.display().to_string(), to.display().to_string()))
                .collect(),
            commits: history.commits,
            end: history.end,
            begins_unread: line.first().is_some_and(|point| !point.is_readable()),
            first: history.first,
            file: history.file,
        }
    }

    /// Returns whether no knob is left that was asked for.
    pub fn is_empty(&self) -> bool {
        self.knobs.is_empty()
    }

    fn profile(&self, arm: Arm) -> &str {
        &self.profiles[arm.index()]
    }
}

fn is_asked(knob: &KnobId, asked: Option<&str>) -> bool {
    let Some(asked) = asked else { return true };
    let rest = knob.0.strip_prefix(asked);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Returns the history for people, ending with a line end.
pub fn render(history: &KnobHistory, style: &Style) -> String {
    let mut page = Page::new(style);
    let [baseline, target] = &history.profiles;
    let commits = things(history.commits as u64, "commit");
    page.text(
        Indent::all(0),
        &[plain(format!(
            "{commits}, {baseline} (baseline) and {target} (target)"
        ))],
    );
    for arm in Arm::BOTH {
        write_arm(&mut page, history, arm, style);
    }
    page.blank();
    write_notes(&mut page, history, style);
    page.finish()
}

fn write_arm(page: &mut Page, history: &KnobHistory, arm: Arm, style: &Style) {
    page.blank();
    page.text(Indent::all(0), &[span(Tone::Strong, history.profile(arm))]);
    let of_arm: Vec<&KnobPast> = history
        .knobs
        .iter()
        .filter(|past| past.arm == arm)
        .collect();
    if of_arm.is_empty() {
        let nothing = match &history.asked {
            Some(asked) => format!("{asked} was never set"),
            None => "no knob was ever set".to_owned(),
        };
        page.text(Indent::all(2), &[span(Tone::Faint, nothing)]);
    }
    let (constant, changed): (Vec<&KnobPast>, Vec<&KnobPast>) =
        of_arm.into_iter().partition(|past| past.changes.is_empty());
    for past in changed {
        write_values(page, history, past, style);
    }
    if constant.is_empty() {
        return;
    }
    page.text(Indent::all(2), &[span(Tone::Faint, beginning(history))]);
    let longest = constant.iter().map(|past| past.knob.0.chars().count());
    let widths = [longest.max().unwrap_or(0).min(VALUE_COLUMNS)];
    for past in constant {
        let cells = [vec![plain(&past.knob.0)], said(past.setting.as_ref())];
        page.columns(4, &cells, &widths);
    }
}

/// Writes a knob that changed: a line for each of its values, the newest first.
fn write_values(page: &mut Page, history: &KnobHistory, past: &KnobPast, style: &Style) {
    page.text(Indent::all(2), &[plain(&past.knob.0)]);
    let rows = rows(history, past);
    let longest = rows.iter().map(|(value, _)| width(value)).max();
    let widths = [longest.unwrap_or(0).min(VALUE_COLUMNS)];
    let listed = match (&history.asked, style.verbose) {
        (None, 0) => LISTED,
        _ => usize::MAX,
    };
    let more = rows.len().saturating_sub(listed);
    for (value, since) in rows.into_iter().take(listed) {
        page.columns(4, &[value, since], &widths);
    }
    if 0 < more {
        let words = format!("and {}:", things(more as u64, "earlier value"));
        let command = format!("cargo fidelity history {}", past.knob);
        next(page, 4, &words, &command);
    }
}

/// Returns the values of a knob with since when it had each, the newest first.
fn rows(history: &KnobHistory, past: &KnobPast) -> Vec<(Vec<Span>, Vec<Span>)> {
    let mut rows = Vec::new();
    let mut value = past.setting.clone();
    for found in past.changes.iter().rev() {
        rows.push((said(value.as_ref()), since(found)));
        let before = found.change.before.as_ref();
        value = before.map(KnobSetting::without_users);
    }
    let begins = from_the_first(history, value.is_some());
    rows.push((said(value.as_ref()), vec![span(Tone::Faint, begins)]));
    rows
}

/// Returns since when knobs have their values that never changed.
fn beginning(history: &KnobHistory) -> String {
    if history.end != End::Root || history.begins_unread {
        return from_the_first(history, true);
    }
    match (&history.file, &history.first) {
        (_, None) => from_the_first(history, true),
        (FileFrom::Beginning, Some(first)) => {
            format!("since the first commit, {}", told(first, None))
        }
        (FileFrom::Commit(_), _) => {
            "as in the built-in fidelity profile, from before there was a fidelity.toml".to_owned()
        }
        (FileFrom::Nowhere, _) => {
            "as in the built-in fidelity profile: no commit has a fidelity.toml".to_owned()
        }
    }
}

/// Returns since when a knob has the first value of several, which is none unless it `is_set`.
fn from_the_first(history: &KnobHistory, is_set: bool) -> String {
    match (&history.end, &history.first) {
        (_, None) => "not committed yet".to_owned(),
        (End::Missing { .. }, Some(first)) => {
            format!("at {} already, where this clone begins", first.id.short())
        }
        (_, Some(first)) if history.begins_unread => {
            format!(
                "at {} already, the first that can be read",
                first.id.short()
            )
        }
        (_, Some(_)) if is_set && history.file != FileFrom::Beginning => {
            "at first, as in the built-in fidelity profile".to_owned()
        }
        (_, Some(_)) => "from the first commit on".to_owned(),
    }
}

fn said(value: Option<&KnobSetting>) -> Vec<Span> {
    match value {
        Some(value) => vec![plain(value.to_string())],
        None => vec![span(Tone::Faint, "left alone")],
    }
}

fn since(found: &FidelityChange) -> Vec<Span> {
    let Some(commit) = &found.commit else {
        return vec![span(Tone::Warn, "not committed yet")];
    };
    let mut words = vec![
        span(Tone::Faint, "since "),
        plain(told(commit, found.merge.as_ref())),
    ];
    if let Some(At::Commit(first)) = &found.change.unread_since {
        let unread = format!("; or from {} on, where it cannot be read", first.short());
        words.push(span(Tone::Faint, unread));
    }
    words
}

fn write_notes(page: &mut Page, history: &KnobHistory, style: &Style) {
    if let FileFrom::Commit(commit) = &history.file {
        let words = format!(
            "fidelity.toml came with {}; until then the built-in fidelity profiles held",
            told(commit, None)
        );
        page.text(Indent::hanging(0), &[span(Tone::Faint, words)]);
    }
    for (id, from, to) in &history.renames {
        let words = format!("{} renamed {from} to {to}", id.short());
        page.text(Indent::hanging(0), &[span(Tone::Faint, words)]);
    }
    let named = match style.verbose {
        0 => UNREADABLE,
        _ => usize::MAX,
    };
    for (at, reason) in history.unreadable.iter().take(named) {
        let words =
            format!("the configuration at {at} cannot be read and was passed over: {reason}");
        page.text(Indent::hanging(0), &[span(Tone::Warn, words)]);
    }
    let more = history.unreadable.len().saturating_sub(named);
    if 0 < more {
        let words = format!(
            "nor can it be read at {}",
            things(more as u64, "other commit")
        );
        page.text(Indent::hanging(0), &[span(Tone::Warn, words)]);
    }
    if let End::Missing { oldest, shallow } = &history.end {
        let why = match shallow {
            true => "this clone is shallow",
            false => "objects are missing",
        };
        let words = format!(
            "the history ends at {}: {why}, and what was set before is not known",
            oldest.short()
        );
        page.text(Indent::hanging(0), &[span(Tone::Warn, words)]);
        if *shallow {
            next(page, 0, "fetch the rest:", "git fetch --unshallow");
        }
    }
}
