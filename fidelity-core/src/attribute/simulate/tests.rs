//! What a search costs and how often it is right, within bounds that hold for these seeds on every machine. The whole table is printed by
//! `cargo run --release -p fidelity-core --example attribution`; its seeds are others.

use super::*;

/// The first seed: none of those that the table or anything else uses.
const SEEDS: u64 = 7_000_000;

/// Means over searches with so many seeds.
struct Means {
    runs: f64,
    right: f64,
    wrong: f64,
    setups: f64,
}

fn means(searches: u64, play: impl Fn(u64) -> Played) -> Means {
    let played: Vec<Played> = (SEEDS..SEEDS + searches).map(play).collect();
    let mean = |of: fn(&Played) -> f64| played.iter().map(of).sum::<f64>() / searches as f64;
    Means {
        runs: mean(|played| f64::from(played.runs)),
        right: mean(|played| f64::from(u8::from(played.right))),
        wrong: mean(|played| f64::from(u8::from(played.named && !played.right))),
        setups: mean(|played| f64::from(played.setups)),
    }
}

fn rates(active: f64, elsewhere: f64) -> Rates {
    Rates { active, elsewhere }
}

/// Checks that searches over knobs are right, but for one in ten, and take little more runs than a reference simulation: few
/// seeds differ from it by chance.
#[track_caller]
fn knobs(count: usize, truth: Truth, searches: u64, expected: &[(Rates, f64)]) {
    for (rates, expected) in expected {
        let knobs = Knobs {
            count,
            truth,
            rates: *rates,
            stored: 20,
        };
        let space = knobs.space();
        let means = means(searches, |seed| knobs.play(&space, seed));
        let what = format!("{truth:?} of {count} at {rates:?}");
        let misses = (1.0 - means.right) * searches as f64;
        let may_miss = (searches as f64 / 10.0).ceil();
        assert!(misses <= may_miss, "{what}: {misses} missed");
        assert!(means.wrong <= 0.15, "{what}: {} wrong", means.wrong);
        let ratio = means.runs / expected;
        assert!(ratio <= 1.4, "{what}: {} runs", means.runs);
    }
}

#[test]
fn one_knob_and_two_together_are_found_among_eight_as_cheaply_as_was_promised() {
    let cells = [
        (rates(1.0, 0.0), [8.5, 13.4]),
        (rates(1.0, 0.05), [8.9, 14.3]),
        (rates(0.5, 0.0), [19.8, 34.9]),
        (rates(0.5, 0.05), [30.5, 54.9]),
    ];
    for (truth, column) in [(Truth::All(1), 0), (Truth::All(2), 1)] {
        let expected = cells.map(|(rates, runs)| (rates, runs[column]));
        knobs(8, truth, 24, &expected);
    }
}

#[test]
fn either_of_two_and_three_together_are_found_among_sixteen() {
    let either = [(rates(1.0, 0.0), 18.0), (rates(0.5, 0.05), 85.0)];
    knobs(16, Truth::Any(2), 8, &either);
    // The reference has these without a confirmation.
    let three = [(rates(1.0, 0.0), 24.0), (rates(0.5, 0.0), 75.0)];
    knobs(16, Truth::All(3), 8, &three);
}

#[test]
fn commits_cost_less_than_a_search_that_knows_nothing_beforehand() {
    // Mean runs of the peer, and what it pays with a build of 20.
    let cells = [
        (rates(1.0, 0.0), 13.3, f64::INFINITY),
        (rates(0.5, 0.0), 50.8, 418.0),
        (rates(0.3, 0.02), 118.8, 638.0),
        (rates(0.6, 0.1), 72.6, 496.0),
    ];
    for (rates, peer, peer_cost) in cells {
        let free = Commits {
            length: 64,
            rates,
            stored: 20,
            build: 0.0,
            confirm: false,
        };
        let found = means(20, |seed| free.play(seed));
        assert!(0.9 <= found.right, "{rates:?}: {} right", found.right);
        assert!(found.runs <= 0.9 * peer, "{rates:?}: {} runs", found.runs);
        let built = Commits {
            build: 20.0,
            confirm: true,
            ..free
        };
        let found = means(20, |seed| built.play(seed));
        let cost = found.runs + 20.0 * found.setups;
        assert!(0.9 <= found.right, "{rates:?}: {} right", found.right);
        assert!(cost <= 0.5 * peer_cost, "{rates:?}: {cost}");
        assert!(found.setups <= 7.0, "{rates:?}: {} builds", found.setups);
    }
}
