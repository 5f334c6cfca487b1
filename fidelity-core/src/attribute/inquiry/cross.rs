//! The first part of an inquiry: old and new code meet old and new profile.

use super::{Answer, Case, Lab, Under};
use crate::attribute::commit_search::{CommitEnding, Why, no_difference};
use crate::attribute::crossing::{CODE, PROFILE, Side, search, side};
use crate::attribute::engine::{End, Ending, Price, Search, Step};
use crate::attribute::knobs::{KnobSpace, bit};

/// What a build is assumed to cost, in trials.
const BUILD: f64 = 20.0;

/// Has old and new code meet old and new profile.
pub(super) fn cross<L: Lab>(case: &Case, lab: &mut L, answer: &mut Answer) -> Result<(), L::Error> {
    let mut crossing = search(2, case.rules.clone());
    let (Some(old), Some(new)) = (case.line.first(), case.line.last()) else {
        return Ok(());
    };
    let commit = |mask: u128| if mask & bit(CODE) == 0 { old } else { new };
    let cell = |mask: u128| {
        (
            usize::from(mask & bit(CODE) != 0),
            usize::from(mask & bit(PROFILE) != 0),
        )
    };
    for (place, seen) in &case.pilots {
        let last = case.line.len() - 1;
        if *place == last || *place == 0 {
            let code = if *place == 0 { 0 } else { bit(CODE) };
            crossing.remember(&(code | bit(PROFILE)), *seen);
        }
    }
    let ending = loop {
        if lab.is_over() {
            crossing.stop();
        }
        let price = |mask: &u128| Price {
            run: 1.0,
            setup: if lab.is_ready(&commit(*mask).commit) {
                0.0
            } else {
                BUILD
            },
        };
        let mask = match crossing.next(&price) {
            Step::Done(ending) => break ending,
            Step::Try(experiment) => experiment.config,
        };
        let [_, low] = crossing.end_counts(End::Low);
        let [_, high] = crossing.end_counts(End::High);
        if let Some(ending) = no_difference(low, high) {
            answer.no_side = Some(ending);
            break Ending::NotReproducible { low, high };
        }
        let under = if mask & bit(PROFILE) == 0 {
            Under::Old
        } else {
            Under::New
        };
        let shown = lab.trial(&commit(mask).commit, under)?;
        answer.spent.take(shown);
        crossing.record(&mask, shown.seen);
    };
    for mask in [0, bit(CODE), bit(PROFILE), bit(CODE) | bit(PROFILE)] {
        let (code, profile) = cell(mask);
        answer.cells[code][profile] = crossing.counts(&mask);
    }
    settle(&crossing, ending, answer);
    Ok(())
}

/// Says what the crossing came to.
fn settle(crossing: &Search<KnobSpace>, ending: Ending<u128>, answer: &mut Answer) {
    let ends_untestable = |good: bool| CommitEnding::EndUntestable { good };
    let untestable = crossing.untestable();
    match ending {
        Ending::Found { cause, .. } => {
            answer.side = Some(side(crossing.space().hypothesis(cause.hypothesis)));
            answer.side_probability = cause.probability;
        }
        Ending::NoneOfThese { probability } => {
            answer.side = Some(Side::Neither);
            answer.side_probability = probability;
        }
        Ending::Outside { before, .. } => {
            answer.side = Some(Side::Neither);
            answer.no_side = Some(CommitEnding::Outside { before });
        }
        _ if untestable.contains(&(bit(CODE) | bit(PROFILE))) => {
            answer.no_side = Some(ends_untestable(false));
        }
        _ if untestable.contains(&0) => answer.no_side = Some(ends_untestable(true)),
        Ending::NotReproducible { .. } => {
            answer.no_side.get_or_insert(CommitEnding::NotReproducible);
        }
        Ending::CredibleSet { .. } => {
            answer.no_side = Some(CommitEnding::OneOf {
                suspects: Vec::new(),
                why: Why::Untestable,
            });
        }
        Ending::Inconclusive { left, .. } => {
            answer.no_side = Some(CommitEnding::OneOf {
                suspects: Vec::new(),
                why: left.into(),
            });
        }
    }
}
