//! What an attribution came to, as it is stored and shown: the cause and since when, or why there is none.
//!
//! Its form is part of the store and of the JSON report. A function of an answer and of what is known of commits; the author of
//! a commit is information.

use serde::{Deserialize, Serialize};

use super::commit_search::{CommitEnding, Spent, Why};
use super::crossing::Side;
use super::engine::Counts;
use crate::domain::{CauseKind, CommitInfo, RunId, TestId};

/// Returns the kind of cause that a side is; none where another factor takes part.
pub fn kind_of(side: Side) -> Option<CauseKind> {
    match side {
        Side::Code => Some(CauseKind::Code),
        Side::Profile => Some(CauseKind::Fidelity),
        Side::Both => Some(CauseKind::Both),
        Side::Either => Some(CauseKind::Either),
        Side::Neither => Some(CauseKind::Outside),
        Side::Other => None,
    }
}

/// A knob whose effective value a commit changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnobChange {
    /// The knob.
    pub knob: String,
    /// The value before; none where the knob was left alone.
    pub before: Option<String>,
    /// The value since.
    pub after: Option<String>,
}

/// Trials and failures among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Where: `at 1a2b3c`, `old code, new profile`.
    pub place: String,
    /// Trials.
    pub trials: u32,
    /// Failures.
    pub failures: u32,
}

impl Tally {
    /// Returns the counts of a place.
    pub fn new(place: impl Into<String>, counts: Counts) -> Self {
        Self {
            place: place.into(),
            trials: counts.trials,
            failures: counts.failures,
        }
    }
}

/// A cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// What made the difference.
    pub kind: CauseKind,
    /// The whole of it in a sentence.
    pub wording: String,
    /// How sure it is, in 0..=1: the posterior probability, over all parts of the claim.
    pub confidence: f64,
    /// The knobs that were changed, where the environment takes part.
    pub knobs: Vec<KnobChange>,
    /// The commit from which on the test fails: of the code where it takes part, else of the profile. None for what is not
    /// committed, and outside.
    pub commit: Option<CommitInfo>,
    /// The commit that changed the profile, where that is another one.
    pub exposed_by: Option<CommitInfo>,
    /// The merge that brought the commit in.
    pub merge: Option<CommitInfo>,
    /// What fails: the claim is sufficient.
    pub sufficient: Option<Tally>,
    /// What passes: the claim is necessary.
    pub necessary: Vec<Tally>,
}

/// A commit that may be the cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// The commit.
    pub commit: CommitInfo,
    /// The posterior probability.
    pub probability: f64,
}

/// What was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Trials.
    pub trials: u32,
    /// Their time in milliseconds.
    pub trials_ms: u64,
    /// Builds.
    pub builds: u32,
    /// Their time in milliseconds.
    pub builds_ms: u64,
}

impl From<Spent> for Cost {
    fn from(spent: Spent) -> Self {
        Self {
            trials: spent.trials,
            trials_ms: spent.trials_ms,
            builds: spent.builds,
            builds_ms: spent.builds_ms,
        }
    }
}

/// What an attribution to commits came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The test.
    pub test: TestId,
    /// The run in which the failure was seen; none where no run saw one.
    pub run: Option<RunId>,
    /// The last commit at which it was taken to pass.
    pub good: CommitInfo,
    /// The commit at which it fails.
    pub bad: CommitInfo,
    /// How many commits lie between: those that could be the cause.
    pub commits: usize,
    /// Whether only stored results were looked at.
    pub from_history: bool,
    /// The cause; none where there is no conclusion.
    pub cause: Option<Cause>,
    /// Why there is no cause, as a fixed word and a sentence.
    pub no_cause: Option<(String, String)>,
    /// What was not told apart, the most probable first.
    pub suspects: Vec<Suspect>,
    /// What was seen of old and new code under old and new profile, where they were crossed.
    pub cells: Vec<Tally>,
    /// Commits that could not be tested, each with the reason.
    pub untestable: Vec<(CommitInfo, String)>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// What was spent.
    pub cost: Cost,
}

impl Account {
    /// Returns the stored form.
    pub fn text(&self) -> String {
        // Texts, numbers and lists of them: nothing of it cannot be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the account of its stored form; none where another version wrote it in another form.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// Returns the fixed word and the sentence for an ending without a cause; `good` and `bad` are the ends as people know them.
pub fn no_cause(ending: &CommitEnding, (good, bad): (&str, &str)) -> (String, String) {
    let (word, sentence) = match ending {
        CommitEnding::Found { .. } => ("found", String::new()),
        CommitEnding::GoodFails => (
            "good-fails",
            format!("it fails at {good} as it does at {bad}: the cause is older"),
        ),
        CommitEnding::Outside { before } => (
            "outside",
            format!(
                "it fails at {good} now, where {} of {} stored trials passed",
                before.trials - before.failures,
                before.trials
            ),
        ),
        CommitEnding::BadPasses => (
            "bad-passes",
            format!("it passes at {bad}: the failure was not seen again"),
        ),
        CommitEnding::NotReproducible => (
            "not-reproducible",
            format!("{good} and {bad} do not differ enough to be told from chance"),
        ),
        CommitEnding::EndUntestable { good: true } => {
            ("good-untestable", format!("{good} cannot be tested"))
        }
        CommitEnding::EndUntestable { good: false } => {
            ("bad-untestable", format!("{bad} cannot be tested"))
        }
        CommitEnding::NoneOfThese { .. } => (
            "none-of-these",
            "no single commit explains what was seen".to_owned(),
        ),
        CommitEnding::OneOf { why, .. } => match why {
            Why::Untestable => (
                "not-told-apart",
                "commits between those that were tested cannot be told apart".to_owned(),
            ),
            Why::OutOfBudget => (
                "out-of-budget",
                "the limit of trials was reached before one commit was left".to_owned(),
            ),
            Why::Stopped => (
                "stopped",
                "the time limit was reached before one commit was left".to_owned(),
            ),
            Why::Unconfirmed => (
                "unconfirmed",
                "the likeliest commit did not fail when it was looked at again".to_owned(),
            ),
            Why::NotNecessary => (
                "unconfirmed",
                "when the commit before the likeliest one was looked at again, it failed as well"
                    .to_owned(),
            ),
        },
    };
    (word.to_owned(), sentence)
}

/// Returns what [`no_cause`] does where the test fails at both ends under the profile of now, and that of the good end cannot be read.
pub fn good_unread((good, bad): (&str, &str)) -> (String, String) {
    let sentence = format!(
        "it fails at {good} as it does at {bad} under the profile of now; that of {good} cannot be read, so that it may be the profile \
         that changed"
    );
    ("good-unread".to_owned(), sentence)
}

/// Returns the sentence of a cause.
///
/// `code` is the commit of the code and `profile` what changed the profile, as people know them, where they take part;
/// `later` says whether the profile changed after the code.
pub fn wording(
    kind: CauseKind,
    (code, profile): (Option<&str>, Option<&str>),
    later: bool,
    good: &str,
) -> String {
    let code = code.unwrap_or("a commit that was not found");
    let profile = profile.unwrap_or("a commit that was not found");
    match kind {
        CauseKind::Code => format!("introduced by {code} (code)"),
        CauseKind::Fidelity => {
            format!("exposed by {profile} (fidelity change), latent since {good} or before")
        }
        CauseKind::Both if code == profile => {
            format!("introduced by {code} (code and fidelity change, both are needed)")
        }
        CauseKind::Both if later => {
            format!("exposed by {profile} (fidelity change), latent since {code}")
        }
        CauseKind::Both => {
            format!("introduced by {code} (code), visible only since {profile} (fidelity change)")
        }
        CauseKind::Either => {
            format!("either alone: {code} (code), or {profile} (fidelity change)")
        }
        CauseKind::Outside => "environment outside the profile".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_words_of_its_own() {
        let say = |kind, later| wording(kind, (Some("c"), Some("q")), later, "g");
        insta::assert_snapshot!(
            [
                say(CauseKind::Code, false),
                say(CauseKind::Fidelity, false),
                say(CauseKind::Both, true),
                say(CauseKind::Both, false),
                say(CauseKind::Either, false),
                say(CauseKind::Outside, false),
            ]
            .join("\n"),
            @r"
        introduced by c (code)
        exposed by q (fidelity change), latent since g or before
        exposed by q (fidelity change), latent since c
        introduced by c (code), visible only since q (fidelity change)
        either alone: c (code), or q (fidelity change)
        environment outside the profile
        "
        );
    }

    #[test]
    fn a_commit_that_changed_both_is_named_once() {
        let said = wording(CauseKind::Both, (Some("c"), Some("c")), false, "g");
        assert_eq!(
            said,
            "introduced by c (code and fidelity change, both are needed)"
        );
    }

    #[test]
    fn every_ending_without_a_cause_has_a_word_and_a_sentence() {
        let before = Counts::new(1, 20);
        let one_of = |why| CommitEnding::OneOf {
            suspects: Vec::new(),
            why,
        };
        let endings = [
            CommitEnding::GoodFails,
            CommitEnding::Outside { before },
            CommitEnding::BadPasses,
            CommitEnding::NotReproducible,
            CommitEnding::EndUntestable { good: true },
            CommitEnding::EndUntestable { good: false },
            CommitEnding::NoneOfThese { probability: 0.9 },
            one_of(Why::Untestable),
            one_of(Why::OutOfBudget),
            one_of(Why::Stopped),
            one_of(Why::Unconfirmed),
            one_of(Why::NotNecessary),
        ];
        let said = endings.map(|ending| {
            let (word, sentence) = no_cause(&ending, ("g", "b"));
            format!("{word}: {sentence}")
        });
        insta::assert_snapshot!(said.join("\n"), @r"
        good-fails: it fails at g as it does at b: the cause is older
        outside: it fails at g now, where 19 of 20 stored trials passed
        bad-passes: it passes at b: the failure was not seen again
        not-reproducible: g and b do not differ enough to be told from chance
        good-untestable: g cannot be tested
        bad-untestable: b cannot be tested
        none-of-these: no single commit explains what was seen
        not-told-apart: commits between those that were tested cannot be told apart
        out-of-budget: the limit of trials was reached before one commit was left
        stopped: the time limit was reached before one commit was left
        unconfirmed: the likeliest commit did not fail when it was looked at again
        unconfirmed: when the commit before the likeliest one was looked at again, it failed as well
        ");
    }
}
