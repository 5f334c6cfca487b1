//! A verdict in words: what it says, the evidence for it, and what would change it.

use crate::classify::ONLY_FURTHER;
use crate::domain::{Arm, VerdictKind};
use crate::report::cause;
use crate::report::number::{
    confidence, evidence as written, excluded_above, p_value, percent, things, trials_to_exclude,
};
use crate::report::page::{Indent, Page, Tone, plain, span};

use super::page::title;
use super::{Explanation, annotated};

/// The failure rate whose exclusion a stable test is told how to get.
const WORTH_EXCLUDING: f64 = 0.1;

/// Says in one sentence what the verdict means.
pub(super) fn says(page: &mut Page, explanation: &Explanation) {
    let run = &explanation.run;
    let (low, high) = (&run.baseline, &run.target);
    let finding = &explanation.test.finding;
    let level = confidence(run.policy.confidence);
    let excluded = |arm| {
        let trials = explanation.test.arm(arm).trials;
        let rate = percent(excluded_above(trials, run.policy.confidence));
        format!("above {rate} % in {}", run.arm(arm))
    };
    let lone = explanation.test.lone_arm();
    let (rates, everywhere) = match lone {
        Some(arm) => (
            excluded(arm),
            format!("in {}, where alone it is run", run.arm(arm)),
        ),
        None => (
            format!("{} and {}", excluded(Arm::Target), excluded(Arm::Baseline)),
            "everywhere".to_owned(),
        ),
    };
    let sentence = match finding.verdict.kind {
        VerdictKind::HiddenDefect if finding.only_in_company => format!(
            "It passes in {low} and fails in {high}, but only among the tests of its binary or suite."
        ),
        VerdictKind::HiddenDefect => {
            format!("It passes in {low} and fails in {high}, more often than chance explains.")
        }
        VerdictKind::Flaky if finding.verdict.reason == "worse-in-target" => {
            format!("It fails in {low} too, though more often in {high}.")
        }
        VerdictKind::Flaky if finding.verdict.reason == "worse-in-baseline" => {
            format!("It fails in {high} too, though more often in {low}.")
        }
        VerdictKind::Flaky => match lone {
            Some(_) => format!("It passes and fails {everywhere}."),
            None => {
                format!("It passes and fails in the same environment: {high} is not the reason.")
            }
        },
        VerdictKind::Broken => {
            format!("It fails {everywhere}: pass rates {rates} are excluded at {level}.")
        }
        VerdictKind::BaselineOnly => format!(
            "It fails in {low} and passes in {high}: {low} lacks something, or the test assumes it."
        ),
        VerdictKind::Undetermined => undetermined(explanation, &everywhere),
        VerdictKind::Stable => {
            let only = lone.map_or_else(String::new, |_| format!(" {everywhere}"));
            format!("It never failed{only}: failure rates {rates} are excluded at {level}.")
        }
    };
    page.blank();
    page.text(Indent::hanging(0), &[plain(sentence)]);
    annotated::authors_say(page, explanation);
    cause_found(page, explanation);
}

fn undetermined(explanation: &Explanation, everywhere: &str) -> String {
    let test = &explanation.test;
    if test.has_failed_alone() {
        format!("It failed {everywhere}, but too few trials say so.")
    } else if test.is_run_nowhere() {
        "It was not run: no arm is one for it.".to_owned()
    } else if !test.is_compared() {
        "It was not compared: an arm has no trial.".to_owned()
    } else if test.finding.verdict.reason == ONLY_FURTHER {
        "Several trials of a pass have its name. The first never failed, a further one did, and only the first is evidence."
            .to_owned()
    } else {
        match test.lean {
            Some(lean) => format!("It failed, but the evidence is short; it leans {lean}."),
            None => "It failed, but the evidence is short.".to_owned(),
        }
    }
}

/// Writes what experiments showed of the cause.
fn cause_found(page: &mut Page, explanation: &Explanation) {
    let Some(attribution) = &explanation.test.attribution else {
        return;
    };
    title(page, "CAUSE");
    for line in cause::lines(attribution) {
        page.text(Indent::hanging(2), &[plain(line)]);
    }
}

/// Says what the e-values mean.
pub(super) fn evidence(page: &mut Page, explanation: &Explanation) {
    let finding = &explanation.test.finding;
    if finding.generation.is_none() && finding.e_needed.is_none() {
        return;
    }
    title(page, "EVIDENCE");
    let run = &explanation.run;
    for (e, arm) in [
        (finding.e_value, Arm::Target),
        (finding.e_mirror, Arm::Baseline),
    ] {
        let mut text = format!("for \"worse in {}\": e = {}", run.arm(arm), written(e));
        let leading = finding.e_value.max(finding.e_mirror) <= e;
        if let Some(needed) = finding.e_needed.filter(|_| leading) {
            let short = if e < needed { "needs" } else { "needed" };
            text.push_str(&format!(" ({short} {})", written(needed)));
        }
        text.push_str(&format!(". {}", in_words(e, run.blocks.is_some())));
        page.text(Indent::hanging(2), &[plain(text)]);
    }
    if let Some(generation) = finding.generation.filter(|generation| 1 < *generation) {
        let text =
            format!("suspected late, in generation {generation}: more evidence is asked of it");
        page.text(Indent::hanging(2), &[span(Tone::Faint, text)]);
    }
    if let Some(p) = finding.fisher_p {
        let text = format!(
            "Fisher's exact test, one-sided: p = {} (fixed sample, assumes independent runs; decides nothing)",
            p_value(p)
        );
        page.text(Indent::hanging(2), &[span(Tone::Faint, text)]);
    }
}

/// Returns what an e-value means, by Ville's inequality.
fn in_words(e: f64, of_blocks: bool) -> String {
    if e < 0.5 {
        "The trials speak against it.".to_owned()
    } else if e < 2.0 {
        "That is no evidence either way.".to_owned()
    } else if of_blocks {
        format!(
            "If the environment made no difference, and the jobs of a block could have been swapped, blocks would get this \
             far with a chance of at most 1 in {}.",
            written(e.floor())
        )
    } else {
        format!(
            "If the environment made no difference, a run would ever get this far with a chance of at most 1 in {}.",
            written(e.floor())
        )
    }
}

/// Says what further trials could change.
pub(super) fn would_change(page: &mut Page, explanation: &Explanation) {
    let text = annotated::would_change(explanation).unwrap_or_else(|| change(explanation));
    title(page, "WHAT WOULD CHANGE IT");
    page.text(Indent::hanging(2), &[plain(text)]);
}

fn change(explanation: &Explanation) -> String {
    let run = &explanation.run;
    let (low, high) = (&run.baseline, &run.target);
    let tolerated = tolerated(explanation);
    match explanation.test.kind() {
        VerdictKind::HiddenDefect => format!(
            "{} in {low} would make it flaky, not hidden.",
            more_failures(explanation, Arm::Baseline)
        ),
        VerdictKind::BaselineOnly => format!(
            "{} in {high} would make it flaky.",
            more_failures(explanation, Arm::Target)
        ),
        VerdictKind::Broken => "One pass in either arm.".to_owned(),
        VerdictKind::Flaky => {
            let e = explanation.test.finding.e_value;
            match explanation.test.finding.e_needed {
                Some(needed) if needed <= e => format!(
                    "It is worse in {high}, but fails in {low} too: {tolerated}. \
                     Repair what fails in {low}, and what is left may be a hidden defect."
                ),
                Some(needed) => format!(
                    "Evidence of {} for \"worse in {high}\" would, with {tolerated}.",
                    written(needed)
                ),
                None => format!("Failures in {high} alone would, with {tolerated}."),
            }
        }
        VerdictKind::Undetermined => would_decide(explanation),
        VerdictKind::Stable => {
            let wanted = trials_to_exclude(WORTH_EXCLUDING, run.policy.confidence);
            let how = match run.blocks {
                None => format!(" (`--set policy.screen.target={wanted}`)"),
                Some(_) => String::new(),
            };
            format!(
                "Any failure makes it a suspect. To exclude rates above {} %, {} {} without one{how}.",
                percent(WORTH_EXCLUDING),
                if run.blocks.is_some() {
                    "ingest"
                } else {
                    "screen"
                },
                things(wanted, &format!("{high} pass"))
            )
        }
    }
}

/// Says what would decide an undetermined test.
fn would_decide(explanation: &Explanation) -> String {
    let finding = &explanation.test.finding;
    if !explanation.test.is_compared() {
        return "Trials in the arm that has none.".to_owned();
    }
    if finding.verdict.reason == ONLY_FURTHER {
        return "A name of its own for each of them: parameters, a class or a suite that tell them apart."
            .to_owned();
    }
    match finding.needs_passes {
        Some(passes) => format!(
            "About {} would decide, at the rates seen so far.",
            things(u64::from(passes), "more pass")
        ),
        None => "No number of passes is likely to decide it at the rates seen so far; none would."
            .to_owned(),
    }
}

fn tolerated(explanation: &Explanation) -> String {
    format!(
        "at most {} % failures in {}",
        percent(explanation.test.tolerance(&explanation.run.policy)),
        explanation.run.baseline
    )
}

/// Returns how many failures in a row exceed what an arm that "passes" may have.
fn more_failures(explanation: &Explanation, arm: Arm) -> String {
    let evidence = explanation.test.arm(arm);
    let tolerance = explanation.test.tolerance(&explanation.run.policy);
    let exceeds = |more: u32| {
        let failures = f64::from(evidence.failures) + f64::from(more);
        let trials = f64::from(evidence.trials) + f64::from(more);
        tolerance * trials < failures
    };
    // At a tolerance below 1 a few dozen failures in a row exceed it, whatever was seen.
    let needed = (1..10_000).find(|more| exceeds(*more)).unwrap_or(10_000);
    match needed {
        1 => "One failure".to_owned(),
        _ => format!("{needed} failures in a row"),
    }
}
