//! Exact oracles: means over the draw, and brute-force enumeration of whole experiments.

use super::*;

/// Every tally up to `most` trials.
fn tallies(most: u32) -> impl Iterator<Item = Tally> {
    (0..=most).flat_map(|trials| (0..=trials).map(move |failures| Tally { trials, failures }))
}

fn e_after(process: &EProcess, side: Side, probability: f64, failed: bool) -> f64 {
    let mut next = process.clone();
    next.bet(side, probability, failed);
    next.log_e().exp()
}

#[test]
fn the_mean_factor_over_the_draw_is_one_on_a_grid() {
    for reference in tallies(6) {
        for suspected in tallies(6) {
            let process = EProcess::new(reference, suspected);
            for probability in [0.01, 1.0 / 6.0, 0.5, 5.0 / 6.0, 0.99] {
                for failed in [false, true] {
                    let mean = probability
                        * e_after(&process, Side::Suspected, probability, failed)
                        + (1.0 - probability)
                            * e_after(&process, Side::Reference, probability, failed);
                    assert!(
                        (mean - 1.0).abs() < 1e-12,
                        "{reference:?} {suspected:?} {probability} {failed}: {mean}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_unreported_trial_never_gains() {
    for reference in tallies(6) {
        for suspected in tallies(6) {
            let process = EProcess::new(reference, suspected);
            for probability in [1.0 / 6.0, 0.5, 5.0 / 6.0] {
                assert!(e_after(&process, Side::Suspected, probability, false) <= 1.0 + 1e-12);
                assert!(e_after(&process, Side::Reference, probability, true) <= 1.0 + 1e-12);
            }
        }
    }
}

#[test]
fn nothing_is_gained_where_nothing_was_drawn() {
    let process = EProcess::new(Tally::default(), Tally::default());
    for (side, probability) in [(Side::Suspected, 1.0), (Side::Reference, 0.0)] {
        for failed in [false, true] {
            assert!((e_after(&process, side, probability, failed) - 1.0).abs() == 0.0);
        }
    }
    assert!(e_after(&process, Side::Suspected, f64::NAN, true) == 1.0);
}

/// Walks every way the draws of a 1 + 2 screening followed by `coins` coin passes can fall, for one fixed sequence of
/// outcomes, and returns the mean final value and the chance that the value ever reached `bar`.
fn enumerate(process: &EProcess, left: (u32, u32), outcomes: &[bool], bar: f64) -> (f64, f64) {
    let reached = process.log_e().exp() >= bar;
    let Some((&failed, rest)) = outcomes.split_first() else {
        return (process.log_e().exp(), f64::from(u8::from(reached)));
    };
    let total = left.0 + left.1;
    let probability = if total > 0 {
        f64::from(left.1) / f64::from(total)
    } else {
        0.5
    };
    let mut sums = (0.0, 0.0);
    for (side, chance) in [
        (Side::Reference, 1.0 - probability),
        (Side::Suspected, probability),
    ] {
        if chance > 0.0 {
            let mut next = process.clone();
            next.bet(side, probability, failed);
            let left = match side {
                Side::Reference => (left.0.saturating_sub(1), left.1),
                Side::Suspected => (left.0, left.1.saturating_sub(1)),
            };
            let (mean, ever) = enumerate(&next, left, rest, bar);
            sums.0 += chance * mean;
            sums.1 += chance * ever;
        }
    }
    (sums.0, if reached { 1.0 } else { sums.1 })
}

#[test]
fn over_every_draw_of_a_small_experiment_the_mean_is_one_and_ville_holds() {
    let length = 9;
    for pattern in 0..(1_u32 << length) {
        let outcomes: Vec<bool> = (0..length).map(|bit| pattern >> bit & 1 == 1).collect();
        let start = EProcess::new(Tally::default(), Tally::default());
        let (mean, ever) = enumerate(&start, (1, 2), &outcomes, 4.0);
        assert!((mean - 1.0).abs() < 1e-9, "{pattern:b}: mean {mean}");
        assert!(
            ever <= 0.25 + 1e-12,
            "{pattern:b}: reached 4 with chance {ever}"
        );
    }
}

#[test]
fn a_worked_example_in_fractions() {
    // First pass of a coin, failing, from the suspected side: rates (1/21, 1/2), (1/11, 10/13), (1/2, 1/2), so the
    // factors are 2 (1/2) / (1/21 + 1/2) = 42/23, 2 (10/13) / (1/11 + 10/13) = 220/123, and 1.
    let process = EProcess::new(Tally::default(), Tally::default());
    let expected = (42.0 / 23.0 + 220.0 / 123.0 + 1.0) / 3.0;
    assert!((e_after(&process, Side::Suspected, 0.5, true) - expected).abs() < 1e-14);
}

#[test]
fn a_test_that_fails_on_one_side_only_is_told_within_twenty_passes() {
    let mut process = EProcess::new(Tally::default(), Tally::default());
    for pass in 0..20 {
        let side = if pass % 2 == 0 {
            Side::Suspected
        } else {
            Side::Reference
        };
        process.bet(side, 0.5, side == Side::Suspected);
    }
    assert!(process.log_e() > 400_f64.ln());
    let (low, high) = process.believed_rates();
    assert!(low < 0.05 && high > 0.9, "{low} {high}");
}

#[test]
fn long_processes_stay_finite() {
    let mut process = EProcess::new(Tally::default(), Tally::default());
    for pass in 0..20_000 {
        let side = if pass % 2 == 0 {
            Side::Suspected
        } else {
            Side::Reference
        };
        process.bet(side, 0.5, side == Side::Suspected);
    }
    assert!(process.log_e().is_finite() && process.log_e() > 10_000.0);
}
