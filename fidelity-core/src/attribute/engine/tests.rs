//! The engine against brute-force enumeration, printed numbers and planted truths.

use std::cell::RefCell;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use super::*;
use crate::attribute::commits::Chain;
use crate::attribute::knobs::{Constraints, Hypothesis, KnobSpace, Mask, Prior, bit};
use crate::attribute::simulate::Dice;

/// Returns the posterior by the definition: every hypothesis with its two marginal likelihoods, by products.
fn by_enumeration<S: Space>(space: &S, seen: &[(S::Config, Counts)]) -> Vec<f64> {
    let mut weights: Vec<f64> = space.weights();
    for (hypothesis, weight) in weights.iter_mut().enumerate() {
        let mut sides = [(0.5, 0.5); 2];
        for (config, counts) in seen {
            let side = &mut sides[usize::from(space.is_active(hypothesis, config))];
            // One trial after the other, each predicted by those before.
            for trial in 0..counts.trials {
                let failed = trial < counts.failures;
                let chance = if failed { side.0 } else { side.1 } / (side.0 + side.1);
                *weight *= chance;
                if failed {
                    side.0 += 1.0;
                } else {
                    side.1 += 1.0;
                }
            }
        }
    }
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

fn searched<S: Space>(space: S, seen: &[(S::Config, Counts)]) -> Search<S> {
    let mut search = Search::new(space, Rules::default());
    for (config, counts) in seen {
        search.remember(config, *counts);
    }
    search
}

fn close(got: &[f64], expected: &[f64], within: f64) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() < within, "{got} for {expected}");
    }
}

#[test]
fn five_commits_agree_with_the_published_numbers() {
    let seen = [
        (0, Counts::new(0, 3)),
        (2, Counts::new(1, 1)),
        (4, Counts::new(3, 3)),
    ];
    let search = searched(Chain::uniform(5, 0.0), &seen);
    close(
        search.belief().posterior(),
        &[0.4375, 0.4375, 0.0625, 0.0625],
        1e-12,
    );
    assert!((search.belief().ln_likelihood(0) + 2.459833).abs() < 1e-6);
    let seen = [
        (0, Counts::new(1, 10)),
        (2, Counts::new(2, 4)),
        (4, Counts::new(6, 10)),
    ];
    let search = searched(Chain::uniform(5, 0.0), &seen);
    close(
        search.belief().posterior(),
        &[0.381673, 0.381673, 0.118327, 0.118327],
        1e-6,
    );
}

#[test]
fn three_knobs_agree_with_the_published_numbers() {
    let (a, b, c) = (bit(0), bit(1), bit(2));
    let single = [a, b, c].map(|knob| (Hypothesis::all(knob), 0.2));
    let pairs = [a | b, a | c, b | c].map(|pair| (Hypothesis::all(pair), 0.4 / 3.0));
    let weighted = single.into_iter().chain(pairs).collect();
    let seen = [
        (0, Counts::new(0, 20)),
        (a | b | c, Counts::new(10, 20)),
        (a, Counts::new(0, 4)),
        (a | b, Counts::new(3, 6)),
    ];
    let search = searched(KnobSpace::of(Constraints::free(3), weighted), &seen);
    close(
        search.belief().posterior(),
        &[0.0473, 0.5674, 0.0030, 0.3783, 0.0020, 0.0020],
        5e-5,
    );
}

#[test]
fn the_posterior_is_that_of_brute_force_and_does_not_depend_on_the_order() {
    for seed in 0..40 {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let space = KnobSpace::new(Constraints::free(5), Prior::default());
        let mut seen: Vec<(Mask, Counts)> = (0..12)
            .map(|_| {
                let trials = (random.next_u64() % 7) as u32;
                let failures = (random.next_u64() % u64::from(trials + 1)) as u32;
                let config = Mask::from(random.next_u64() % 32);
                (config, Counts::new(failures, trials))
            })
            .collect();
        let forward = searched(space.clone(), &seen);
        close(
            forward.belief().posterior(),
            &by_enumeration(&space, &seen),
            1e-10,
        );
        seen.reverse();
        close(
            forward.belief().posterior(),
            searched(space, &seen).belief().posterior(),
            1e-12,
        );
    }
}

/// Returns the entropy in bits of unnormalised weights, times their sum; and the sum.
fn entropy(weights: &[f64]) -> f64 {
    let sum: f64 = weights.iter().sum();
    -weights
        .iter()
        .filter(|weight| **weight > 0.0)
        .map(|weight| weight / sum * (weight / sum).log2())
        .sum::<f64>()
}

#[test]
fn the_gain_of_a_batch_is_the_expected_drop_of_the_entropy() {
    let space = Chain::uniform(9, 0.1);
    let seen = vec![
        (0, Counts::new(0, 5)),
        (4, Counts::new(1, 3)),
        (8, Counts::new(3, 5)),
    ];
    let search = searched(space.clone(), &seen);
    let outlook = Outlook::new(search.belief());
    let before = by_enumeration(&space, &seen);
    for place in 0..9 {
        let split = outlook.split(|hypothesis| space.is_active(hypothesis, &place));
        for (batch, m) in outlook::BATCHES.into_iter().enumerate() {
            // Every sequence of m outcomes with f failures is as likely as the other: count them once.
            let mut expected = entropy(&before);
            let mut all = 0.0;
            for f in 0..=m {
                let mut after = seen.clone();
                after.push((place, Counts::new(f, m)));
                let likelihood: f64 = {
                    let ratio = |seen: &[(usize, Counts)]| {
                        searched(space.clone(), seen).belief().posterior().to_vec()
                    };
                    let posterior = ratio(&after);
                    // P(f) by Bayes from any hypothesis: prior times prediction over posterior.
                    let hypothesis = 1;
                    let [active, rest] = search.belief().sides(hypothesis);
                    let side = if space.is_active(hypothesis, &place) {
                        active
                    } else {
                        rest
                    };
                    let predicted = search.belief().tables(m).predict(Counts::new(f, m), side);
                    before[hypothesis] * predicted / posterior[hypothesis]
                };
                all += likelihood;
                expected -= likelihood * entropy(&by_enumeration(&space, &after));
            }
            assert!((all - 1.0).abs() < 1e-9, "{all}");
            let gain = outlook.gain(&split, batch);
            assert!(
                (gain - expected.max(0.0)).abs() < 1e-9,
                "{place} {m}: {gain} {expected}"
            );
        }
    }
}

/// Runs a search against a truth; returns its ending and the trials it took.
fn play<S: Space>(
    mut search: Search<S>,
    price: &dyn Fn(&S::Config) -> Price,
    mut fails: impl FnMut(&S::Config) -> Seen,
) -> (Ending<S::Config>, Search<S>) {
    for _ in 0..2000 {
        match search.next(price) {
            Step::Try(experiment) => {
                let seen = fails(&experiment.config);
                search.record(&experiment.config, seen);
            }
            Step::Done(ending) => return (ending, search),
        }
    }
    panic!("it did not end");
}

fn outcome(failed: bool) -> Seen {
    if failed { Seen::Failed } else { Seen::Passed }
}

fn established() -> Rules {
    Rules {
        established: true,
        ..Rules::default()
    }
}

#[test]
fn a_deterministic_culprit_is_found_in_as_many_steps_as_halving_takes_and_confirmed() {
    for culprit in [1, 2, 31, 32, 63] {
        let mut search = Search::new(Chain::uniform(64, 0.1), established());
        search.remember(&0, Counts::new(0, 20));
        search.remember(&63, Counts::new(20, 20));
        let (ending, search) = play(search, &|_| Price::RUN, |place| outcome(*place >= culprit));
        assert_eq!(
            ending.found().map(|cause| cause.hypothesis + 1),
            Some(culprit)
        );
        assert!(search.spent() <= 13, "{} runs", search.spent());
        let Ending::Found { checked, .. } = ending else {
            panic!("not found");
        };
        assert_eq!(checked.len(), 2);
        assert!(checked[0].seen.failures >= 3 && checked[1].seen.failures == 0);
    }
}

#[test]
fn the_gate_says_that_a_failure_is_not_there_now() {
    let search = Search::new(Chain::uniform(16, 0.1), Rules::default());
    let (ending, search) = play(search, &|_| Price::RUN, |_| Seen::Passed);
    let none = Counts::new(0, gate::AT_MOST);
    assert_eq!(
        ending,
        Ending::NotReproducible {
            low: none,
            high: none
        }
    );
    assert_eq!(search.spent(), 2 * gate::AT_MOST);
}

#[test]
fn a_low_end_that_fails_now_but_did_not_before_is_outside() {
    let mut search = Search::new(Chain::uniform(16, 0.1), Rules::default());
    search.remember(&0, Counts::new(0, 20));
    search.remember(&15, Counts::new(20, 20));
    let (ending, _) = play(search, &|_| Price::RUN, |_| Seen::Failed);
    assert!(
        matches!(ending, Ending::Outside { before, now } if before.failures == 0 && now.failures == 3),
        "{ending:?}"
    );
}

#[test]
fn a_culprit_hidden_by_commits_that_cannot_be_tried_is_reported_with_them() {
    let mut search = Search::new(Chain::uniform(32, 0.1), established());
    search.remember(&0, Counts::new(0, 20));
    search.remember(&31, Counts::new(20, 20));
    let broken = 10..=13;
    let (ending, search) = play(search, &|_| Price::RUN, |place| {
        if broken.contains(place) {
            Seen::Untestable
        } else {
            outcome(*place >= 12)
        }
    });
    let Ending::CredibleSet { suspects } = ending else {
        panic!("{ending:?}");
    };
    let mut places: Vec<usize> = suspects.iter().map(|s| s.hypothesis + 1).collect();
    places.sort_unstable();
    // The place after the block may be the culprit as well.
    assert_eq!(places, [10, 11, 12, 13, 14]);
    assert!(search.untestable().len() <= 4);
}

#[test]
fn a_prior_alone_never_finds_a_culprit() {
    // Place 5 is a thousand times as likely as 4, which cannot be tried.
    let mut weights = vec![1.0; 9];
    weights[4] = 1000.0;
    let mut search = Search::new(Chain::new(weights, 0.01), established());
    search.remember(&0, Counts::new(0, 20));
    search.remember(&9, Counts::new(20, 20));
    let (ending, _) = play(search, &|_| Price::RUN, |place| match place {
        4 => Seen::Untestable,
        place => outcome(*place >= 5),
    });
    let Ending::CredibleSet { suspects } = ending else {
        panic!("{ending:?}");
    };
    assert_eq!(suspects.len(), 2);
}

#[test]
fn failures_of_another_kind_are_no_evidence_and_end() {
    let mut search = Search::new(Chain::uniform(8, 0.1), established());
    search.remember(&0, Counts::new(0, 20));
    search.remember(&7, Counts::new(20, 20));
    let before = search.belief().posterior().to_vec();
    let (ending, search) = play(search, &|_| Price::RUN, |_| Seen::Nothing);
    assert_eq!(search.belief().posterior(), before);
    assert!(matches!(ending, Ending::CredibleSet { .. }), "{ending:?}");
}

#[test]
fn a_budget_that_is_used_up_ends_with_what_is_left() {
    let rules = Rules {
        budget: 3,
        ..established()
    };
    let mut search = Search::new(Chain::uniform(200, 0.1), rules);
    search.remember(&0, Counts::new(0, 20));
    search.remember(&199, Counts::new(20, 20));
    let (ending, search) = play(search, &|_| Price::RUN, |place| outcome(*place >= 77));
    assert_eq!(search.spent(), 3);
    let Ending::Inconclusive { suspects, left } = ending else {
        panic!("{ending:?}");
    };
    assert_eq!(left, Left::OutOfBudget);
    assert!(suspects.iter().any(|suspect| suspect.hypothesis == 76));
    let mass: f64 = suspects.iter().map(|suspect| suspect.probability).sum();
    assert!(mass >= 0.9);
}

#[test]
fn the_same_answers_lead_to_the_same_questions() {
    let asked = || {
        let asked = RefCell::new(Vec::new());
        let mut random = Pcg64Mcg::seed_from_u64(3);
        let mut search = Search::new(
            KnobSpace::new(Constraints::free(8), Prior::default()),
            established(),
        );
        search.remember(&0, Counts::new(0, 20));
        search.remember(&255, Counts::new(9, 20));
        play(search, &|_| Price::RUN, |config| {
            asked.borrow_mut().push(*config);
            outcome(config & 4 != 0 && random.next_u64() % 2 == 0)
        });
        asked.into_inner()
    };
    assert_eq!(asked(), asked());
}

#[test]
fn what_must_be_built_is_avoided_where_something_else_tells_as_much() {
    // Building costs 20 trials; two places beside the middle stand already.
    let built = RefCell::new(vec![0, 30, 63]);
    let mut search = Search::new(Chain::uniform(64, 0.1), established());
    search.remember(&0, Counts::new(0, 20));
    search.remember(&63, Counts::new(20, 20));
    let price = |place: &usize| Price {
        run: 1.0,
        setup: if built.borrow().contains(place) {
            0.0
        } else {
            20.0
        },
    };
    let Step::Try(experiment) = search.next(&price) else {
        panic!("nothing to try");
    };
    assert_eq!(experiment.config, 30);
}

#[test]
fn one_that_is_over_before_the_ends_were_seen_to_differ_says_so() {
    for (budget, stopped, expected) in [(200, true, Left::Stopped), (2, false, Left::OutOfBudget)] {
        let rules = Rules {
            budget,
            ..Rules::default()
        };
        let mut search = Search::new(Chain::uniform(9, 0.1), rules);
        search.record(&8, Seen::Failed);
        search.record(&0, Seen::Passed);
        if stopped {
            search.stop();
        }
        let Step::Done(Ending::Inconclusive { left, suspects }) = search.next(&|_| Price::RUN)
        else {
            panic!("{:?}", search.next(&|_| Price::RUN));
        };
        assert_eq!((left, suspects.len()), (expected, 0));
    }
}

#[test]
fn passes_do_not_count_where_other_failures_stand_beside_them() {
    let mut search = Search::new(Chain::uniform(9, 0.1), established());
    for _ in 0..20 {
        search.record(&3, Seen::Passed);
    }
    // A few of many may have any reason.
    for _ in 0..5 {
        search.record(&3, Seen::Nothing);
    }
    assert_eq!(search.counts(&3), Counts::new(0, 20));
    for _ in 0..5 {
        search.record(&5, Seen::Passed);
        search.record(&5, Seen::Nothing);
    }
    assert_eq!(search.counts(&5), Counts::default());
    assert!(search.untestable().contains(&5));
    let alone = searched(Chain::uniform(9, 0.1), &[(3, Counts::new(0, 20))]);
    close(
        search.belief().posterior(),
        alone.belief().posterior(),
        1e-12,
    );
}

#[test]
fn what_was_stored_does_not_confirm_a_claim() {
    let mut search = Search::new(Chain::uniform(9, 0.1), Rules::default());
    search.remember(&4, Counts::new(0, 30));
    search.remember(&5, Counts::new(30, 30));
    let (ending, search) = play(search, &|_| Price::RUN, |place| outcome(*place >= 5));
    assert_eq!(ending.found().map(|cause| cause.hypothesis), Some(4));
    for place in [4, 5] {
        let cell = &search.cells()[&place];
        assert!(3 <= cell.now().trials, "{place}: {cell:?}");
    }
}

#[test]
fn both_sides_of_a_probable_cause_are_tried_before_it_is_claimed() {
    let mut early = 0;
    for seed in 0..8 {
        let space = KnobSpace::new(Constraints::free(8), Prior::default());
        let rules = Rules {
            seed,
            established: true,
            ..Rules::of_knobs()
        };
        let mut search = Search::new(space, rules);
        search.remember(&0, Counts::new(0, 20));
        search.remember(&0xff, Counts::new(10, 20));
        let mut dice = Dice::new(seed);
        let probable = |search: &Search<KnobSpace>| {
            let oriented = search.belief().oriented();
            oriented.into_iter().fold(0.0, f64::max)
        };
        while let Step::Try(experiment) = search.next(&|_| Price::RUN) {
            if experiment.purpose == Purpose::Confirm {
                assert!(0.9 <= probable(&search), "{seed}: {}", probable(&search));
                early += u32::from(probable(&search) < 0.95);
            }
            let failed = experiment.config & bit(3) != 0 && dice.happens(0.5);
            search.record(&experiment.config, outcome(failed));
        }
        assert!(0.95 <= probable(&search), "{seed}: {}", probable(&search));
    }
    assert!(early > 0, "no confirmation began early");
}

/// A truth that no hypothesis states.
type Strange = fn(Mask) -> bool;

#[test]
fn a_claim_whose_other_side_fails_as_well_is_never_found() {
    let truths: [(&str, Strange); 4] = [
        ("two of three", |config| high_of(config, 3) >= 2),
        ("any of three", |config| high_of(config, 3) >= 1),
        ("four together", |config| high_of(config, 4) == 4),
        ("one, or two others", |config| {
            config & bit(0) != 0 || config & (bit(1) | bit(2)) == bit(1) | bit(2)
        }),
    ];
    for (what, truth) in truths {
        for seed in 0..6 {
            let space = KnobSpace::new(Constraints::free(6), Prior::default());
            let rules = Rules {
                seed,
                ..Rules::of_knobs()
            };
            let search = Search::new(space, rules);
            let (ending, _) = play(search, &|_| Price::RUN, |config| outcome(truth(*config)));
            if let Ending::Found { checked, .. } = &ending {
                let wrong = checked
                    .iter()
                    .any(|side| side.expect == Expect::Passes && side.seen.failures > 0);
                assert!(!wrong, "{what}: {ending:?}");
            }
        }
    }
}

fn high_of(config: Mask, first: usize) -> u32 {
    (config & ((1 << first) - 1)).count_ones()
}

#[test]
fn a_claim_with_a_side_that_cannot_be_tried_is_not_found() {
    let pair = bit(0) | bit(3);
    let space = KnobSpace::new(Constraints::free(6), Prior::default());
    let search = Search::new(space, Rules::of_knobs());
    // With these two alone it fails in another way.
    let (ending, _) = play(search, &|_| Price::RUN, |config| match *config {
        config if config == pair => Seen::Nothing,
        config => outcome(config & pair == pair),
    });
    assert!(
        matches!(
            ending,
            Ending::Inconclusive {
                left: Left::CannotBeTried,
                ..
            }
        ),
        "{ending:?}"
    );
}
