//! The cause of a finding, in words and as JSON: what was found, what was seen on both sides, what remains.

use serde::Serialize;

use super::knob_since::{WireSince, sentences};
use super::number::percent;
use crate::domain::{Attribution, AttributionEnd, Cause, CommitInfo, Side};

/// Suspects that are named in a line.
const NAMED: usize = 3;

/// Returns the line beside a finding: `because tz = Pacific/Apia (low + tz fails 7/10, high - tz passes 9/9)`, or why no
/// cause is known.
pub fn line(attribution: &Attribution) -> String {
    match &attribution.cause {
        Some(cause) => with_evidence(&attribution.wording, cause),
        None => {
            let likely: Vec<String> = attribution
                .suspects
                .iter()
                .take(NAMED)
                .map(|suspect| {
                    let share = percent(suspect.probability);
                    format!("{} ({share} %)", suspect.wording)
                })
                .collect();
            let likely = match likely.is_empty() {
                true => String::new(),
                false => format!("; most likely {}", likely.join(", ")),
            };
            format!("no cause found: {}{likely}", attribution.wording)
        }
    }
}

/// Returns the sentence of a cause with what was seen on both sides of it, and since when it is there.
fn with_evidence(sentence: &str, cause: &Cause) -> String {
    let fails = cause.sufficient.iter().map(fails);
    let passes = cause.necessary.iter().map(passes);
    let seen: Vec<String> = fails.chain(passes).collect();
    let mut line = sentence.to_owned();
    if !seen.is_empty() {
        line.push_str(&format!(" ({})", seen.join(", ")));
    }
    if let Some(commit) = &cause.commit
        // A sentence about commits names it itself.
        && !sentence.contains(commit.id.short())
    {
        let day = commit.date.get(..10).unwrap_or(&commit.date);
        let kind = match cause.kind {
            Some(kind) => format!(" ({})", kind.as_str()),
            None => String::new(),
        };
        line.push_str(&format!(
            ", since {} of {day}{kind}: {}",
            commit.id.short(),
            commit.subject
        ));
    }
    line
}

fn fails(side: &Side) -> String {
    format!("{} fails {}/{}", side.config, side.failures, side.trials)
}

fn passes(side: &Side) -> String {
    let passes = side.trials.saturating_sub(side.failures);
    format!("{} passes {passes}/{}", side.config, side.trials)
}

/// Returns the words for a test of the cluster that was seen not to have its cause.
pub fn exception(attribution: &Attribution) -> Option<String> {
    let second = attribution.second.as_ref();
    let other = second.filter(|second| !second.agrees)?;
    Some(format!("{} does NOT have this cause", other.test))
}

/// Returns what is said of an attribution in full, a line each: the cause, how sure, what it took, what is left.
pub fn lines(attribution: &Attribution) -> Vec<String> {
    let mut lines = vec![line(attribution)];
    if let Some(cause) = &attribution.cause {
        let share = percent(cause.confidence);
        lines.push(format!(
            "posterior probability {share} % among causes of up to three knobs"
        ));
        let since = since(attribution);
        if !since.is_empty() {
            lines.extend(since);
            if cause.commit.is_none() {
                lines.push(
                    "that is when it was set; `attribute TEST --commits` finds since when it fails"
                        .to_owned(),
                );
            }
        }
    }
    if let Some(second) = &attribution.second {
        let agrees = if second.agrees {
            "has the same cause"
        } else {
            "does NOT have this cause"
        };
        let seen: Vec<String> = second
            .sides
            .iter()
            .map(|side| format!("{} fails {}/{}", side.config, side.failures, side.trials))
            .collect();
        lines.push(format!("{} {agrees} ({})", second.test, seen.join(", ")));
    }
    for left in &attribution.not_ruled_out {
        lines.push(format!("not ruled out: {left}"));
    }
    match attribution.end {
        AttributionEnd::Inconclusive => lines.push(
            "`attribute TEST --max-trials N`, or `--max-time` with more, goes on from there"
                .to_owned(),
        ),
        // What was known before any trial.
        AttributionEnd::NoneOfThese if attribution.trials == 0 => {
            lines.push(
                "since which commit it fails: `attribute TEST --commits`; what else may differ: a run with another \
                 `--target-profile`, or `--set`"
                    .to_owned(),
            );
            return lines;
        }
        _ => {}
    }
    let builds = match attribution.builds {
        0 => String::new(),
        builds => format!(" and {}", super::number::things(u64::from(builds), "build")),
    };
    let trials = super::number::things(u64::from(attribution.trials), "trial");
    lines.push(format!(
        "it took {trials}{builds}, which are no evidence for the verdict"
    ));
    lines
}

/// Returns since when the knobs of the cause have their values, a line each:
/// `tz is Pacific/Apia in high since 3f2a9c01de (2026-11-20, A Developer): Move to the islands`.
pub fn since(attribution: &Attribution) -> Vec<String> {
    attribution.cause.as_ref().map_or_else(Vec::new, sentences)
}

/// A cause as JSON.
#[derive(Serialize)]
pub struct WireCause<'a> {
    knobs: Vec<WireKnob<'a>>,
    either: bool,
    confidence: f64,
    sufficient: WireCounts,
    necessary: Vec<WireSide<'a>>,
    sides: Vec<WireSide<'a>>,
    commit: Option<&'a CommitInfo>,
    kind: Option<&'static str>,
    wording: &'a str,
}

#[derive(Serialize)]
struct WireKnob<'a> {
    knob: &'a str,
    value: Option<&'a str>,
    threshold: Option<&'a str>,
    since: Option<WireSince<'a>>,
}

#[derive(Serialize)]
struct WireCounts {
    trials: u32,
    failures: u32,
}

#[derive(Serialize)]
struct WireSide<'a> {
    config: &'a str,
    trials: u32,
    failures: u32,
}

/// An attribution as JSON.
#[derive(Serialize)]
pub struct WireAttribution<'a> {
    end: &'static str,
    wording: &'a str,
    trials: u32,
    builds: u32,
    suspects: Vec<WireSuspect<'a>>,
    not_ruled_out: &'a [String],
    second: Option<WireSecond<'a>>,
}

#[derive(Serialize)]
struct WireSuspect<'a> {
    wording: &'a str,
    probability: f64,
}

#[derive(Serialize)]
struct WireSecond<'a> {
    test: &'a str,
    agrees: bool,
    sides: Vec<WireSide<'a>>,
}

impl<'a> From<&'a Side> for WireSide<'a> {
    fn from(side: &'a Side) -> Self {
        Self {
            config: &side.config,
            trials: side.trials,
            failures: side.failures,
        }
    }
}

impl<'a> From<&'a Cause> for WireCause<'a> {
    fn from(cause: &'a Cause) -> Self {
        let sum = |of: fn(&Side) -> u32| cause.sufficient.iter().map(of).sum();
        Self {
            knobs: cause
                .knobs
                .iter()
                .map(|knob| WireKnob {
                    knob: &knob.knob,
                    value: knob.value.as_deref(),
                    threshold: knob.threshold.as_deref(),
                    since: knob.since.as_ref().map(WireSince::from),
                })
                .collect(),
            either: cause.either,
            confidence: cause.confidence,
            sufficient: WireCounts {
                trials: sum(|side| side.trials),
                failures: sum(|side| side.failures),
            },
            necessary: cause.necessary.iter().map(WireSide::from).collect(),
            sides: cause.sufficient.iter().map(WireSide::from).collect(),
            commit: cause.commit.as_ref(),
            kind: cause.kind.map(crate::domain::CauseKind::as_str),
            wording: &cause.wording,
        }
    }
}

impl<'a> From<&'a Attribution> for WireAttribution<'a> {
    fn from(attribution: &'a Attribution) -> Self {
        Self {
            end: attribution.end.as_str(),
            wording: &attribution.wording,
            trials: attribution.trials,
            builds: attribution.builds,
            suspects: attribution
                .suspects
                .iter()
                .map(|suspect| WireSuspect {
                    wording: &suspect.wording,
                    probability: suspect.probability,
                })
                .collect(),
            not_ruled_out: &attribution.not_ruled_out,
            second: attribution.second.as_ref().map(|second| WireSecond {
                test: &second.test,
                agrees: second.agrees,
                sides: second.sides.iter().map(WireSide::from).collect(),
            }),
        }
    }
}
