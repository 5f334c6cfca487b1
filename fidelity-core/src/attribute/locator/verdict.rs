//! What a search came to, in the words of its knobs.

use super::Locator;
use super::factors::SCOPE;
use crate::attribute::engine::{Checked, Counts, End, Ending, Expect, Left, Suspected};
use crate::attribute::knobs::{Hypothesis, Mask, Shape, bit, places};
use crate::domain::{Attribution, AttributionEnd, Cause, CausingKnob, Side, SuspectedCause};

/// Suspects that are named.
const NAMED: usize = 8;

/// Returns the attribution that an ending is.
pub(super) fn attribution(locator: &Locator, ending: &Ending<Mask>) -> Attribution {
    let (end, wording) = said(locator, ending);
    let cause = match ending {
        Ending::Found { cause, checked } => Some(found(locator, *cause, checked)),
        _ => None,
    };
    let suspects = match ending {
        Ending::CredibleSet { suspects } | Ending::Inconclusive { suspects, .. } => {
            self::suspects(locator, suspects)
        }
        _ => Vec::new(),
    };
    let wording = match &cause {
        Some(cause) => format!("because {}", cause.wording),
        None => wording,
    };
    let second = locator.second.as_ref().and_then(|second| {
        second.seen(|config, expect| side_words(locator, ending, config, expect))
    });
    Attribution {
        end,
        wording,
        cause,
        suspects,
        trials: locator.trials,
        builds: 0,
        not_ruled_out: not_ruled_out(locator, ending),
        second,
    }
}

fn said(locator: &Locator, ending: &Ending<Mask>) -> (AttributionEnd, String) {
    let rate = |counts: &Counts| format!("{}/{}", counts.failures, counts.trials);
    match ending {
        Ending::Found { .. } => (AttributionEnd::Found, String::new()),
        Ending::NoneOfThese { .. } => (
            AttributionEnd::NoneOfThese,
            "no set of up to three knobs explains the failures".to_owned(),
        ),
        Ending::CredibleSet { .. } => (
            AttributionEnd::CredibleSet,
            "several causes remain, and nothing that can be tried here tells them apart".to_owned(),
        ),
        Ending::Inconclusive { left, .. } => match left {
            Left::Unconfirmed => (
                AttributionEnd::Unconfirmed,
                "one cause is probable, but the test did not fail where it says so".to_owned(),
            ),
            Left::NotNecessary => (
                AttributionEnd::Unconfirmed,
                "one cause is probable, but the test fails without it as well: there may be more than one, or one of more knobs"
                    .to_owned(),
            ),
            Left::CannotBeTried => (
                AttributionEnd::Unconfirmed,
                "what has to be tried for it could not be set up here, or failed in another way"
                    .to_owned(),
            ),
            Left::Stopped => (
                AttributionEnd::Inconclusive,
                format!(
                    "the time limit was reached after {}, before one cause was left",
                    trials(locator.trials)
                ),
            ),
            Left::OutOfBudget => (
                AttributionEnd::Inconclusive,
                format!(
                    "the limit of {} was reached before one cause was left",
                    trials(locator.inquiry.rules.budget)
                ),
            ),
        },
        Ending::NotReproducible { low, high } => (
            AttributionEnd::NotReproducible,
            format!(
                "not reproducible now: it fails {} with everything low and {} with everything high",
                rate(low),
                rate(high)
            ),
        ),
        Ending::Outside { before, now } => (
            AttributionEnd::Outside,
            format!(
                "something outside the profiles has changed: with everything low it failed {} before and {} now",
                rate(before),
                rate(now)
            ),
        ),
    }
}

fn trials(number: u32) -> String {
    match number {
        1 => "1 trial".to_owned(),
        number => format!("{number} trials"),
    }
}

fn found(locator: &Locator, cause: Suspected, checked: &[Checked<Mask>]) -> Cause {
    let hypothesis = locator.search.space().hypothesis(cause.hypothesis);
    let factors = &locator.factors;
    let knobs = places(hypothesis.members).map(|place| {
        let (knob, value) = factors.named(place);
        let threshold = locator
            .thresholds
            .iter()
            .find(|threshold| threshold.place() == place)
            .and_then(super::Threshold::words);
        CausingKnob {
            knob,
            value,
            threshold,
            since: None,
        }
    });
    let knobs: Vec<CausingKnob> = knobs.collect();
    let sides = |expect| -> Vec<Side> {
        checked
            .iter()
            .filter(|side| side.expect == expect)
            .map(|side| Side {
                config: words_of(locator, hypothesis, side.config, expect),
                trials: side.seen.trials,
                failures: side.seen.failures,
            })
            .collect()
    };
    let mut wording = factors.hypothesis(hypothesis);
    for knob in &knobs {
        if let Some(threshold) = &knob.threshold {
            wording.push_str(&format!(
                "{}{threshold}",
                if knobs.len() > 1 {
                    format!("; {} ", knob.knob)
                } else {
                    ": ".to_owned()
                }
            ));
        }
    }
    Cause {
        knobs,
        either: hypothesis.shape == Shape::Any,
        confidence: cause.probability,
        sufficient: sides(Expect::Fails),
        necessary: sides(Expect::Passes),
        kind: None,
        commit: None,
        wording,
    }
}

fn side_words(locator: &Locator, ending: &Ending<Mask>, config: Mask, expect: Expect) -> String {
    match ending.found() {
        Some(cause) => {
            let hypothesis = locator.search.space().hypothesis(cause.hypothesis);
            words_of(locator, hypothesis, config, expect)
        }
        None => String::new(),
    }
}

/// Returns where a side of a claim was looked at, by the members of its hypothesis.
fn words_of(locator: &Locator, hypothesis: Hypothesis, config: Mask, expect: Expect) -> String {
    let there = |place: &usize| config & bit(*place) != 0;
    let members: Mask = places(hypothesis.members)
        .filter(|place| there(place) == (expect == Expect::Fails))
        .fold(0, |mask, place| mask | bit(place));
    locator.factors.side(expect == Expect::Fails, members)
}

fn suspects(locator: &Locator, suspects: &[Suspected]) -> Vec<SuspectedCause> {
    suspects
        .iter()
        .take(NAMED)
        .map(|suspect| {
            let hypothesis = locator.search.space().hypothesis(suspect.hypothesis);
            let knobs = places(hypothesis.members).map(|place| locator.factors.named(place).0);
            let mut knobs: Vec<String> = knobs.collect();
            knobs.dedup();
            SuspectedCause {
                wording: locator.factors.hypothesis(hypothesis),
                probability: suspect.probability,
                knobs,
                either: hypothesis.shape == Shape::Any,
            }
        })
        .collect()
}

fn not_ruled_out(locator: &Locator, ending: &Ending<Mask>) -> Vec<String> {
    let mut left = Vec::new();
    for knob in locator.factors.left_out() {
        left.push(format!("{knob}, because too many knobs differ"));
    }
    let untestable = locator.search.untestable().len();
    if untestable > 0 {
        left.push(format!(
            "what only shows in {untestable} of the environments, which could not be set up or said nothing"
        ));
    }
    if locator.search.is_time_dependent() {
        left.push("something that changes with time: outcomes come in stretches".to_owned());
    }
    let [before, now] = locator.search.end_counts(End::Low);
    let low = before.plus(now);
    if low.failures > 0 && ending.found().is_some() {
        left.push(format!(
            "a second cause: it also fails with everything low ({}/{})",
            low.failures, low.trials
        ));
    }
    for threshold in &locator.thresholds {
        if threshold.words().is_none() {
            let (knob, _) = locator.factors.named(threshold.place());
            left.push(format!("milder values of {knob}"));
        }
    }
    let named_scope = matches!(ending.found(), Some(cause)
        if places(locator.search.space().hypothesis(cause.hypothesis).members)
            .any(|place| locator.factors.named(place).0 == SCOPE));
    if named_scope {
        left.push("which of the other tests it needs beside it".to_owned());
    }
    left
}
