//! The fidelity history for programs, `"schema": 1`.

use serde::Serialize;

use super::{KnobHistory, KnobPast};
use crate::attribute::history::{At, End, FidelityChange, FileFrom};
use crate::domain::{CommitInfo, KnobSetting};
use crate::report::json::{SCHEMA, pretty};

#[derive(Serialize)]
struct Wire<'a> {
    schema: u32,
    baseline: &'a str,
    target: &'a str,
    commits: usize,
    complete: bool,
    oldest: Option<&'a str>,
    shallow: bool,
    first: Option<&'a CommitInfo>,
    file: &'static str,
    file_since: Option<&'a CommitInfo>,
    knobs: Vec<WireKnob<'a>>,
    renames: Vec<WireRename<'a>>,
    unreadable: Vec<WireUnreadable<'a>>,
}

#[derive(Serialize)]
struct WireKnob<'a> {
    arm: String,
    profile: &'a str,
    knob: &'a str,
    value: Option<String>,
    changes: Vec<WireChange<'a>>,
}

#[derive(Serialize)]
struct WireChange<'a> {
    before: Option<String>,
    after: Option<String>,
    committed: bool,
    commit: Option<&'a CommitInfo>,
    merge: Option<&'a CommitInfo>,
    unread_since: Option<&'a str>,
}

#[derive(Serialize)]
struct WireRename<'a> {
    commit: &'a str,
    from: &'a str,
    to: &'a str,
}

#[derive(Serialize)]
struct WireUnreadable<'a> {
    commit: Option<&'a str>,
    reason: &'a str,
}

/// Returns the history for programs, `"schema": 1`: changes are listed with the oldest first.
pub fn render_json(history: &KnobHistory) -> String {
    let [baseline, target] = &history.profiles;
    pretty(&Wire {
        schema: SCHEMA,
        baseline,
        target,
        commits: history.commits,
        complete: history.end == End::Root,
        oldest: match &history.end {
            End::Root | End::Enough => None,
            End::Missing { oldest, .. } => Some(&oldest.0),
        },
        shallow: matches!(history.end, End::Missing { shallow: true, .. }),
        first: history.first.as_ref(),
        file: match &history.file {
            FileFrom::Beginning => "from-the-first-commit",
            FileFrom::Commit(_) => "added",
            FileFrom::Nowhere => "none",
        },
        file_since: match &history.file {
            FileFrom::Commit(commit) => Some(commit),
            FileFrom::Beginning | FileFrom::Nowhere => None,
        },
        knobs: history
            .knobs
            .iter()
            .map(|past| WireKnob::of(history, past))
            .collect(),
        renames: history
            .renames
            .iter()
            .map(|(commit, from, to)| WireRename {
                commit: &commit.0,
                from,
                to,
            })
            .collect(),
        unreadable: history
            .unreadable
            .iter()
            .map(|(at, reason)| WireUnreadable {
                commit: commit_at(at),
                reason,
            })
            .collect(),
    })
}

impl<'a> WireKnob<'a> {
    fn of(history: &'a KnobHistory, past: &'a KnobPast) -> Self {
        Self {
            arm: past.arm.to_string(),
            profile: history.profile(past.arm),
            knob: &past.knob.0,
            value: written(past.setting.as_ref()),
            changes: past.changes.iter().map(WireChange::from).collect(),
        }
    }
}

impl<'a> From<&'a FidelityChange> for WireChange<'a> {
    fn from(found: &'a FidelityChange) -> Self {
        Self {
            before: written(found.change.before.as_ref()),
            after: written(found.change.after.as_ref()),
            committed: found.commit.is_some(),
            commit: found.commit.as_ref(),
            merge: found.merge.as_ref(),
            unread_since: found.change.unread_since.as_ref().and_then(commit_at),
        }
    }
}

fn written(setting: Option<&KnobSetting>) -> Option<String> {
    setting.map(|setting| setting.without_users().to_string())
}

fn commit_at(at: &At) -> Option<&str> {
    match at {
        At::Commit(id) => Some(&id.0),
        At::Uncommitted => None,
    }
}
