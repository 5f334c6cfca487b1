//! Which configurations are worth judging: all of them are too many.
//!
//! Prefixes of the knobs by how probable each is to take part, and their complements; a few at random; whatever was tried
//! before; and from the best of these uphill, one knob at a time.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use super::hypothesis::Hypothesis;
use super::{Constraints, Mask, bit, places};
use crate::attribute::engine::{Choice, Question};

/// Shares of knobs that are high in the random candidates.
const DENSITIES: [f64; 3] = [0.5, 0.65, 0.8];

/// Times that every knob is tried on the way uphill.
const SWEEPS: u32 = 6;

/// Returns the probability of each knob to take part.
pub fn marginals(count: usize, hypotheses: &[Hypothesis], posterior: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; count];
    for (hypothesis, weight) in hypotheses.iter().zip(posterior) {
        for place in places(hypothesis.members) {
            sums[place] += weight;
        }
    }
    sums
}

/// Returns the places with the most probable first.
pub fn ranked(marginals: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..marginals.len()).collect();
    order.sort_by(|a, b| marginals[*b].total_cmp(&marginals[*a]).then(a.cmp(b)));
    order
}

/// Returns the best configuration that was found, none where none can be tried.
pub fn best(
    constraints: &Constraints,
    hypotheses: &[Hypothesis],
    question: &Question<'_, Mask>,
) -> Option<Choice<Mask>> {
    let judge = |config: Mask| {
        let possible = constraints.is_possible(config) && (question.testable)(&config);
        possible.then(|| {
            let active = |hypothesis: usize| hypotheses[hypothesis].is_active(config);
            question.promise(config, &question.outlook.split(active))
        })
    };
    let mut best: Option<Choice<Mask>> = None;
    let mut consider = |config: Mask| {
        let Some(choice) = judge(config) else {
            return false;
        };
        let better = best.as_ref().is_none_or(|best| choice.beats(best));
        if better {
            best = Some(choice);
        }
        better
    };
    for config in starts(constraints, hypotheses, question) {
        consider(config);
    }
    let best = best?;
    Some(climb(constraints, best, &judge))
}

/// Returns the configurations from which the way goes uphill, each once.
fn starts(
    constraints: &Constraints,
    hypotheses: &[Hypothesis],
    question: &Question<'_, Mask>,
) -> Vec<Mask> {
    let marginals = marginals(
        constraints.count(),
        hypotheses,
        question.outlook.posterior(),
    );
    let order = ranked(&marginals);
    let mut found = Vec::new();
    let (mut up, mut down) = (0, constraints.without(0, preferred(constraints, &order)));
    for place in &order {
        if up & bit(*place) == 0 && !is_settled(constraints, up, *place) {
            up = constraints.raised(up, *place);
        }
        down = constraints.lowered(down, *place);
        found.extend([up, down]);
    }
    let mut random = Pcg64Mcg::seed_from_u64(question.draw);
    for density in DENSITIES {
        let bar = (density * u64::MAX as f64) as u64;
        let config = order
            .iter()
            .filter(|_| random.next_u64() < bar)
            .fold(0, |config, place| constraints.raised(config, *place));
        found.push(config);
    }
    found.extend(question.tried);
    found.extend(question.wanted);
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns whether a place is a value of a knob that has another value already.
fn is_settled(constraints: &Constraints, config: Mask, place: usize) -> bool {
    constraints
        .groups()
        .iter()
        .any(|group| group.values.contains(&place) && config & bit(group.whole) != 0)
}

/// Returns the most probable value of each knob that has several.
fn preferred(constraints: &Constraints, order: &[usize]) -> Mask {
    let first = |values: &[usize]| order.iter().copied().find(|place| values.contains(place));
    constraints
        .groups()
        .iter()
        .filter_map(|group| first(&group.values))
        .fold(0, |mask, place| mask | bit(place))
}

/// Changes one knob at a time as long as that is better.
fn climb(
    constraints: &Constraints,
    start: Choice<Mask>,
    judge: &dyn Fn(Mask) -> Option<Choice<Mask>>,
) -> Choice<Mask> {
    let mut best = start;
    for _ in 0..SWEEPS {
        let before = best.config;
        for place in 0..constraints.count() {
            let config = if best.config & bit(place) == 0 {
                constraints.raised(best.config, place)
            } else {
                constraints.lowered(best.config, place)
            };
            if let Some(choice) = judge(config)
                && choice.beats(&best)
            {
                best = choice;
            }
        }
        if best.config == before {
            break;
        }
    }
    best
}
