//! Since when the knobs of a cause have their values, in words and as JSON. That is when they were set, not when a test began to
//! fail, and no sentence here says more.

use serde::Serialize;

use crate::domain::{Cause, CommitInfo, KnobSince, SetBy};

/// Returns a sentence without its full stop for each knob of which it is known:
/// `tz is Pacific/Apia in high since 3f2a9c01de (2026-11-20, A Developer): Move to the islands`; and another one for the baseline where
/// that was set later.
pub(super) fn sentences(cause: &Cause) -> Vec<String> {
    let mut sentences = Vec::new();
    for knob in &cause.knobs {
        let mut since = knob.since.as_ref();
        let mut value = knob.value.as_deref();
        while let Some(told) = since {
            sentences.push(sentence(&knob.knob, value, told));
            // The value is the target's.
            value = None;
            since = told.baseline.as_deref();
        }
    }
    sentences
}

fn sentence(knob: &str, value: Option<&str>, since: &KnobSince) -> String {
    let is = match (&since.setting, value) {
        (None, _) => "is left alone".to_owned(),
        (Some(setting), Some(value)) if setting != value => format!("can be {value}"),
        (Some(setting), _) => format!("is {setting}"),
    };
    format!("{knob} {is} in {} {}", since.profile, when(&since.set_by))
}

fn when(set_by: &SetBy) -> String {
    match set_by {
        SetBy::Commit {
            commit,
            merge,
            unread_since,
        } => {
            let unread = unread_since.as_ref().map_or_else(String::new, |first| {
                format!(
                    "; or it was set from {} on, where the configuration cannot be read",
                    first.short()
                )
            });
            format!("since {}{unread}", told(commit, merge.as_ref()))
        }
        SetBy::Uncommitted => "by a change that is not committed yet".to_owned(),
        SetBy::CommandLine => "by `--set` on the command line".to_owned(),
        SetBy::Always { unread, first } => always(*unread, first.as_ref()),
        SetBy::BuiltIn { file: None } => {
            "as in the built-in fidelity profile: no commit has a fidelity.toml".to_owned()
        }
        SetBy::BuiltIn { file: Some(file) } => format!(
            "as in the built-in fidelity profile, from before there was a fidelity.toml; that came with {}",
            told(file, None)
        ),
        SetBy::BeforeThisClone { oldest, shallow } => {
            let why = match shallow {
                true => "the history is shallow",
                false => "objects are missing",
            };
            format!(
                "at least since {}: {why}, and earlier commits are not in this clone",
                oldest.short()
            )
        }
    }
}

/// Returns since when a value is there that no commit is known to have changed.
fn always(unread: bool, first: Option<&CommitInfo>) -> String {
    match (unread, first) {
        (false, None) => "since the first commit".to_owned(),
        (false, Some(first)) => format!("since the first commit, {}", told(first, None)),
        (true, None) => "for as long as the history can be read".to_owned(),
        (true, Some(first)) => format!(
            "for as long as the history can be read, which is since {}",
            told(first, None)
        ),
    }
}

/// Returns a commit as people read it, with the merge that brought it in.
pub(super) fn told(commit: &CommitInfo, merge: Option<&CommitInfo>) -> String {
    let day = commit.date.get(..10).unwrap_or(&commit.date);
    let merge = merge.map_or_else(String::new, |merge| {
        format!(", merged by {}", merge.id.short())
    });
    format!(
        "{} ({day}, {}{merge}): {}",
        commit.id.short(),
        commit.author,
        commit.subject
    )
}

/// Since when as JSON.
#[derive(Serialize)]
pub(super) struct WireSince<'a> {
    by: &'static str,
    profile: &'a str,
    setting: Option<&'a str>,
    commit: Option<&'a CommitInfo>,
    merge: Option<&'a CommitInfo>,
    unread_since: Option<&'a str>,
    oldest: Option<&'a str>,
    shallow: Option<bool>,
    file: Option<&'a CommitInfo>,
    baseline: Option<Box<Self>>,
}

impl<'a> From<&'a KnobSince> for WireSince<'a> {
    fn from(since: &'a KnobSince) -> Self {
        let wire = Self {
            by: since.set_by.as_str(),
            profile: &since.profile,
            setting: since.setting.as_deref(),
            commit: None,
            merge: None,
            unread_since: None,
            oldest: None,
            shallow: None,
            file: None,
            baseline: since
                .baseline
                .as_deref()
                .map(|since| Box::new(since.into())),
        };
        match &since.set_by {
            SetBy::Commit {
                commit,
                merge,
                unread_since,
            } => Self {
                commit: Some(commit),
                merge: merge.as_ref(),
                unread_since: unread_since.as_ref().map(|first| first.0.as_str()),
                ..wire
            },
            SetBy::BeforeThisClone { oldest, shallow } => Self {
                oldest: Some(&oldest.0),
                shallow: Some(*shallow),
                ..wire
            },
            SetBy::Always { first, .. } => Self {
                oldest: first.as_ref().map(|first| first.id.0.as_str()),
                ..wire
            },
            SetBy::BuiltIn { file } => Self {
                file: file.as_ref(),
                ..wire
            },
            SetBy::Uncommitted | SetBy::CommandLine => wire,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CausingKnob, CommitId};

    fn commit(letter: char, subject: &str) -> CommitInfo {
        CommitInfo {
            id: CommitId(letter.to_string().repeat(40)),
            author: "A Developer".to_owned(),
            date: "2023-11-14T23:17:20+01:00".to_owned(),
            subject: subject.to_owned(),
        }
    }

    fn said(value: Option<&str>, setting: Option<&str>, set_by: SetBy) -> String {
        let since = KnobSince {
            profile: "high".to_owned(),
            setting: setting.map(str::to_owned),
            set_by,
            baseline: None,
        };
        sentence("tz", value, &since)
    }

    #[test]
    fn each_way_to_be_set_has_its_words() {
        let apia = Some("Pacific/Apia");
        let both = Some("one of UTC, Pacific/Apia");
        let by = |merge, unread_since| SetBy::Commit {
            commit: commit('3', "Move to the islands"),
            merge,
            unread_since,
        };
        let oldest = CommitId("a".repeat(40));
        let missing = |shallow| SetBy::BeforeThisClone {
            oldest: oldest.clone(),
            shallow,
        };
        let always = |unread, first| SetBy::Always { unread, first };
        let first = || Some(commit('1', "Begin"));
        let file = |file| SetBy::BuiltIn { file };
        let sentences = [
            said(apia, apia, by(None, None)),
            said(
                apia,
                both,
                by(Some(commit('4', "Merge")), Some(oldest.clone())),
            ),
            said(None, both, SetBy::Uncommitted),
            said(Some("as it is"), None, SetBy::CommandLine),
            said(apia, apia, always(false, first())),
            said(apia, apia, always(false, None)),
            said(apia, apia, always(true, first())),
            said(apia, apia, always(true, None)),
            said(apia, both, file(Some(commit('5', "Add fidelity.toml")))),
            said(apia, both, file(None)),
            said(apia, apia, missing(true)),
            said(apia, apia, missing(false)),
        ];
        insta::assert_snapshot!(sentences.join("\n"), @r"
        tz is Pacific/Apia in high since 3333333333 (2023-11-14, A Developer): Move to the islands
        tz can be Pacific/Apia in high since 3333333333 (2023-11-14, A Developer, merged by 4444444444): Move to the islands; or it was set from aaaaaaaaaa on, where the configuration cannot be read
        tz is one of UTC, Pacific/Apia in high by a change that is not committed yet
        tz is left alone in high by `--set` on the command line
        tz is Pacific/Apia in high since the first commit, 1111111111 (2023-11-14, A Developer): Begin
        tz is Pacific/Apia in high since the first commit
        tz is Pacific/Apia in high for as long as the history can be read, which is since 1111111111 (2023-11-14, A Developer): Begin
        tz is Pacific/Apia in high for as long as the history can be read
        tz can be Pacific/Apia in high as in the built-in fidelity profile, from before there was a fidelity.toml; that came with 5555555555 (2023-11-14, A Developer): Add fidelity.toml
        tz can be Pacific/Apia in high as in the built-in fidelity profile: no commit has a fidelity.toml
        tz is Pacific/Apia in high at least since aaaaaaaaaa: the history is shallow, and earlier commits are not in this clone
        tz is Pacific/Apia in high at least since aaaaaaaaaa: objects are missing, and earlier commits are not in this clone
        ");
    }

    #[test]
    fn a_baseline_that_was_set_later_has_a_sentence_of_its_own() {
        let set_by = |letter, subject| SetBy::Commit {
            commit: commit(letter, subject),
            merge: None,
            unread_since: None,
        };
        let since = |profile: &str, setting: Option<&str>, set_by, baseline| KnobSince {
            profile: profile.to_owned(),
            setting: setting.map(str::to_owned),
            set_by,
            baseline,
        };
        let low = since("low", None, set_by('4', "Unpin the zone"), None);
        let high = set_by('3', "Move to the islands");
        let cause = Cause {
            knobs: vec![CausingKnob {
                knob: "tz".to_owned(),
                value: Some("Pacific/Apia".to_owned()),
                threshold: None,
                since: Some(since(
                    "high",
                    Some("Pacific/Apia"),
                    high,
                    Some(Box::new(low)),
                )),
            }],
            either: false,
            confidence: 1.0,
            sufficient: Vec::new(),
            necessary: Vec::new(),
            kind: None,
            commit: None,
            wording: String::new(),
        };
        insta::assert_snapshot!(sentences(&cause).join("\n"), @r"
        tz is Pacific/Apia in high since 3333333333 (2023-11-14, A Developer): Move to the islands
        tz is left alone in low since 4444444444 (2023-11-14, A Developer): Unpin the zone
        ");
    }
}
