//! Knob sets: what is possible, what is enumerated, and planted truths.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use super::*;
use crate::attribute::engine::{Counts, Ending, Price, Rules, Search, Seen, Space, Step};

#[test]
fn every_kind_of_hypothesis_is_enumerated_once_with_its_share() {
    let space = KnobSpace::new(Constraints::free(8), Prior::default());
    assert_eq!(space.hypotheses().len(), 8 + 28 + 28 + 56 + 1);
    let sum: f64 = space.weights().iter().sum();
    assert!((sum - 1.0).abs() < 1e-12);
    let mut sorted = space.hypotheses().to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), space.hypotheses().len());
    assert_eq!(
        KnobSpace::new(Constraints::free(32), Prior::default())
            .hypotheses()
            .len(),
        32 + 2 * 496 + 4960 + 1
    );
}

/// A knob with two values at places 1 (whole), 2 and 3, beside knobs 0 and 4; 4 needs 0.
fn constrained() -> Constraints {
    Constraints::free(5)
        .with_group(Group {
            whole: 1,
            values: vec![2, 3],
        })
        .with_need(4, 0)
}

#[test]
fn a_configuration_has_one_value_of_each_knob_and_what_its_knobs_need() {
    let constraints = constrained();
    assert_eq!(constraints.raised(0, 3), bit(1) | bit(3));
    assert_eq!(constraints.raised(bit(1) | bit(3), 2), bit(1) | bit(2));
    assert_eq!(constraints.raised(0, 4), bit(0) | bit(4));
    assert_eq!(constraints.lowered(bit(0) | bit(4), 0), 0);
    assert_eq!(constraints.lowered(bit(1) | bit(2), 2), 0);
    let highs = [constraints.high(0), constraints.high(1)];
    assert_ne!(highs[0], highs[1]);
    assert!(highs.iter().all(|high| constraints.is_high(*high)));
    assert!(!constraints.is_high(constraints.everything()));
    assert!(!constraints.is_possible(bit(4)));
    assert!(!constraints.is_possible(bit(1)));
    assert!(!constraints.is_possible(bit(1) | bit(2) | bit(3)));
}

#[test]
fn necessity_of_one_value_is_seen_with_the_other_and_that_of_the_knob_without_any() {
    let constraints = constrained();
    let all_but = |members, preferred| constraints.without(members, preferred);
    assert_eq!(all_but(bit(2), bit(2)), constraints.everything() & !bit(2));
    assert_eq!(all_but(bit(1), bit(1)), bit(0) | bit(4));
}

#[test]
fn every_step_keeps_to_what_is_possible() {
    let constraints = constrained();
    for config in (0..32).filter(|config| constraints.is_possible(*config)) {
        for place in 0..5 {
            for next in [
                constraints.raised(config, place),
                constraints.lowered(config, place),
            ] {
                assert!(constraints.is_possible(next), "{config:b} {place} {next:b}");
            }
        }
    }
}

/// Plays a search against a truth with failure rates where it is active and elsewhere.
fn play(
    constraints: &Constraints,
    truth: Hypothesis,
    rates: [f64; 2],
    seed: u64,
) -> (Ending<Mask>, Search<KnobSpace>) {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut fails = |config: Mask| {
        let rate = rates[usize::from(!truth.is_active(config))];
        (random.next_u64() >> 11) as f64 / ((1_u64 << 53) as f64) < rate
    };
    let rules = Rules {
        established: true,
        seed,
        ..Rules::default()
    };
    let mut search = Search::new(KnobSpace::new(constraints.clone(), Prior::default()), rules);
    for trial in 0..20 {
        for config in [0, constraints.high(trial)] {
            search.remember(&config, Counts::one(fails(config)));
        }
    }
    loop {
        match search.next(&|_| Price::RUN) {
            Step::Try(experiment) => {
                assert!(constraints.is_possible(experiment.config));
                let seen = if fails(experiment.config) {
                    Seen::Failed
                } else {
                    Seen::Passed
                };
                search.record(&experiment.config, seen);
            }
            Step::Done(ending) => return (ending, search),
        }
    }
}

fn found(constraints: &Constraints, truth: Hypothesis, rates: [f64; 2], seed: u64) -> bool {
    let (ending, search) = play(constraints, truth, rates, seed);
    ending
        .found()
        .is_some_and(|cause| search.space().hypothesis(cause.hypothesis) == truth)
}

#[test]
fn each_shape_is_found_where_failures_are_certain() {
    let constraints = Constraints::free(12);
    for truth in [
        Hypothesis::all(bit(7)),
        Hypothesis::all(bit(0) | bit(11)),
        Hypothesis::any(bit(3) | bit(4)),
        Hypothesis::all(bit(1) | bit(5) | bit(9)),
    ] {
        for seed in 0..10 {
            assert!(
                found(&constraints, truth, [1.0, 0.0], seed),
                "{truth:?}, seed {seed}"
            );
        }
    }
}

#[test]
fn a_value_is_told_from_its_knob_and_a_pair_with_a_value_from_both() {
    let constraints = constrained();
    for truth in [
        Hypothesis::all(bit(1)),
        Hypothesis::all(bit(2)),
        Hypothesis::all(bit(3) | bit(0)),
        Hypothesis::all(bit(1) | bit(0)),
    ] {
        for seed in 0..10 {
            assert!(
                found(&constraints, truth, [1.0, 0.0], seed),
                "{truth:?}, seed {seed}"
            );
        }
    }
}

#[test]
fn more_knobs_than_triples_can_be_held_for_are_searched_too() {
    let constraints = Constraints::free(48);
    for truth in [
        Hypothesis::all(bit(40)),
        Hypothesis::all(bit(9) | bit(30) | bit(47)),
    ] {
        assert!(found(&constraints, truth, [1.0, 0.0], 1), "{truth:?}");
    }
}
