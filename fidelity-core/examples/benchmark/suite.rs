//! The planted suites, what earlier runs know of them, and the randomness behind both.

use fidelity_core::domain::ListedTest;
use fidelity_core::simulate::{Truth, World};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

pub const TESTS: usize = 1_000;
pub const FLAKY: usize = 20;
const DEFECTS: [(usize, f64); 3] = [(8, 1.0), (4, 0.5), (3, 0.2)];
/// Values of the target's choice in suites whose defects depend on it.
const VALUES: u64 = 3;
/// The share of the defects that show under the first value: the one that exposed defects before.
const UNDER_THE_FIRST: f64 = 0.7;

/// Quantiles of the failure rates of 811 real flaky tests (FlakeFlagger, ICSE 2021), log-linear between; the ends are
/// ours.
const FLAKY_RATES: [(f64, f64); 7] = [
    (0.0, 1e-4),
    (0.10, 0.0001),
    (0.25, 0.0004),
    (0.50, 0.0071),
    (0.75, 0.165),
    (0.90, 0.554),
    (1.0, 0.99),
];

/// How much earlier runs know: the shares of the defects, of the flaky and of the sound tests that are suspicious.
#[derive(Clone, Copy, Default)]
pub struct History {
    defects: f64,
    flaky: f64,
    sound: f64,
}

pub const HISTORIES: [(&str, History); 3] = [
    (
        "history knows 60 % of the defects, 3 % of the others",
        History {
            defects: 0.6,
            flaky: 0.03,
            sound: 0.03,
        },
    ),
    (
        "history knows 60 % of the defects and of the flaky",
        History {
            defects: 0.6,
            flaky: 0.6,
            sound: 0.0,
        },
    ),
    (
        "history is wrong: 3 % of all",
        History {
            defects: 0.03,
            flaky: 0.03,
            sound: 0.03,
        },
    ),
];

impl History {
    /// Marks the tests of a suite as suspicious.
    pub fn mark(self, mut tests: Vec<ListedTest>, seed: u64) -> Vec<ListedTest> {
        let mut random = random(seed, 3);
        for (position, test) in tests.iter_mut().enumerate() {
            let share = match position {
                position if position < defects() => self.defects,
                position if position < defects() + FLAKY => self.flaky,
                _ => self.sound,
            };
            test.suspicious = uniform(&mut random) < share;
        }
        tests
    }
}

/// Returns the truths of a suite: defects first, then flaky tests, then sound ones.
pub fn suite(seed: u64) -> Vec<Truth> {
    let mut random = random(seed, 1);
    let defects = DEFECTS
        .into_iter()
        .flat_map(|(count, rate)| std::iter::repeat_n(Truth::Rates(0.0, rate), count));
    let flaky = (0..FLAKY).map(|_| {
        let rate = flaky_rate(uniform(&mut random));
        Truth::Rates(rate, rate)
    });
    let mut truths: Vec<Truth> = defects.chain(flaky).collect();
    truths.resize(TESTS, Truth::Sound);
    truths
}

/// What the defects of a suite depend on, and what screening harder makes of it.
#[derive(Clone, Copy, PartialEq)]
pub enum Values {
    /// They fail under whatever the target is.
    None,
    /// Each fails under one of [`VALUES`] values only; passes draw them in turn.
    Balanced,
    /// The same, and suspicious tests are screened harder under the value that most defects need.
    Exposing,
    /// The same under a value that few need.
    Wrong,
}

/// Returns a suite as a world.
pub fn world(seed: u64, values: Values) -> World {
    let mut truths = suite(seed);
    let exposing = match values {
        Values::None => return World::new(truths, seed),
        Values::Balanced => Vec::new(),
        Values::Exposing => vec![0],
        Values::Wrong => vec![1],
    };
    let mut random = random(seed, 4);
    for truth in &mut truths[..defects()] {
        let first = uniform(&mut random) < UNDER_THE_FIRST;
        let other = 1 + u64::from(uniform(&mut random) < 0.5);
        if let Truth::Rates(_, rate) = *truth {
            *truth = Truth::Under(if first { 0 } else { other }, rate);
        }
    }
    World::new(truths, seed).with_choice(VALUES, exposing, seed)
}

/// Returns the quantile of the flaky tests' failure rates.
fn flaky_rate(quantile: f64) -> f64 {
    for pair in FLAKY_RATES.windows(2) {
        let ((low, from), (high, to)) = (pair[0], pair[1]);
        if quantile <= high {
            let place = (quantile - low) / (high - low);
            return (from.ln() + place * (to / from).ln()).exp();
        }
    }
    FLAKY_RATES[FLAKY_RATES.len() - 1].1
}

/// Returns how many defects a suite has; they come first.
pub fn defects() -> usize {
    DEFECTS.iter().map(|(count, _)| count).sum()
}

pub fn random(seed: u64, stream: u8) -> Pcg64Mcg {
    let mut state = [stream; 16];
    state[..8].copy_from_slice(&seed.to_le_bytes());
    let mut random = Pcg64Mcg::from_seed(state);
    for _ in 0..8 {
        random.next_u64();
    }
    random
}

pub fn uniform(random: &mut Pcg64Mcg) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
