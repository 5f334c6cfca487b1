//! Prints what a run costs and finds, beside designs that fix the number of reruns beforehand.
//!
//! `cargo run --release -p fidelity-core --example benchmark [seeds]` (1,000 seeds unless given). Every suite has 1,000
//! tests: 15 hidden defects that fail only in the target, with rates 1.0 (8), 0.5 (4) and 0.2 (3), 20 flaky tests
//! with equal rates in both arms, and 965 that never fail. Rows of this method go through the real scheduler.

use std::thread;
use std::time::{Duration, Instant};

use fidelity_core::classify::{Finding, Verdicts, classify};
use fidelity_core::domain::{Arm, ListedTest, Phase, Policy, Screen, Seed, VerdictKind};
use fidelity_core::plan::Plan;
use fidelity_core::schedule::{Scheduler, Step};
use fidelity_core::simulate::{Truth, World, run, stored};
use fidelity_core::stats::eprocess::Tally;
use fidelity_core::stats::fisher;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

const TESTS: usize = 1_000;
const DEFECTS: [(usize, f64); 3] = [(8, 1.0), (4, 0.5), (3, 0.2)];
const FLAKY: usize = 20;
const FDR: f64 = 0.05;
/// Keeps the seeds of later runs of a suite off those of other suites.
const SEEDS_APART: u64 = 1 << 32;

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
struct History {
    defects: f64,
    flaky: f64,
    sound: f64,
}

const HISTORIES: [(&str, History); 3] = [
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
    fn mark(self, mut tests: Vec<ListedTest>, seed: u64) -> Vec<ListedTest> {
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

/// What one simulated run came to.
#[derive(Clone, Copy, Default)]
struct Score {
    trials: f64,
    found: f64,
    detectable: f64,
    /// Share of the reported hidden defects that are none; 0 without any.
    false_share: f64,
}

fn main() {
    let seeds: u64 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000);
    println!("{seeds} seeds, {TESTS} tests, 15 hidden defects, {FLAKY} flaky, fdr {FDR}\n");
    println!("| design | trials | found | found / detectable | false share |");
    println!("|---|---:|---:|---:|---:|");
    for n in [10, 50, 100] {
        let name = format!("fixed {n} per arm, Fisher + BH over all");
        print_row(&name, seeds, |seed| fixed(seed, n, false));
    }
    print_row(
        "fixed 30 per arm, BH over tests that failed",
        seeds,
        |seed| fixed(seed, 30, true),
    );
    let unknown = History::default();
    let screen = |baseline, target, suspicious| Screen {
        baseline,
        target,
        suspicious,
    };
    for target in [5, 6, 10, 20] {
        let name = format!("this method, screen 1 + {target}");
        let screen = screen(1, target, 0);
        print_row(&name, seeds, |seed| adaptive(seed, screen, unknown, 1));
    }
    for target in [5, 6] {
        let name = format!("idea: screen 0 + {target}, the baseline only for suspects");
        let screen = screen(0, target, 0);
        print_row(&name, seeds, |seed| adaptive(seed, screen, unknown, 1));
    }
    let name = "idea: 1 + 5 twice, the second run joining the first";
    print_row(name, seeds, |seed| {
        adaptive(seed, screen(1, 5, 0), unknown, 2)
    });
    for (name, history) in HISTORIES {
        for (target, suspicious) in [(5, 10), (5, 20), (3, 10), (3, 20), (2, 20)] {
            let name = format!("{name}: screen 1 + {target}, suspicious tests 1 + {suspicious}");
            let screen = screen(1, target, suspicious);
            print_row(&name, seeds, |seed| adaptive(seed, screen, history, 1));
        }
    }
    println!("\n{}", cost_of_recording());
}

/// Measures how long the scheduler takes over a pass of a large suite, one test in ten failing.
fn cost_of_recording() -> String {
    const LARGE: usize = 10_000;
    let mut truths = vec![Truth::Sound; LARGE];
    truths[..LARGE / 10].fill(Truth::Rates(0.3, 0.3));
    let mut world = World::new(truths, 1);
    let plan = Plan {
        tests: world.tests(),
        policy: policy(Policy::default().screen),
        seed: Seed(1),
    };
    let mut scheduler = Scheduler::new(plan, &[]);
    let mut slowest = Duration::ZERO;
    for _ in 0..6 {
        let Step::Pass(spec) = scheduler.next() else {
            break;
        };
        let pass = world.answer(&spec);
        let started = Instant::now();
        scheduler.record(&pass);
        slowest = slowest.max(started.elapsed());
    }
    let suspects = scheduler.evidence().suspects();
    format!("slowest recording of a pass of {LARGE} tests, {suspects} suspects: {slowest:?}")
}

fn policy(screen: Screen) -> Policy {
    Policy {
        screen,
        fdr: FDR,
        company_after: 0,
        max_time_ms: None,
        ..Policy::default()
    }
}

/// Simulates a design with every seed, on every core, and prints its means.
fn print_row(name: &str, seeds: u64, one: impl Fn(u64) -> Score + Sync) {
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let sum = thread::scope(|scope| {
        let one = &one;
        let parts: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    (worker..seeds)
                        .step_by(workers as usize)
                        .map(one)
                        .fold(Score::default(), add)
                })
            })
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("a worker panicked"))
            .fold(Score::default(), add)
    });
    let n = seeds as f64;
    let all: usize = DEFECTS.iter().map(|(count, _)| count).sum();
    println!(
        "| {name} | {:.0} | {:.3} | {:.4} | {:.4} |",
        sum.trials / n,
        sum.found / n / all as f64,
        sum.found / sum.detectable,
        sum.false_share / n,
    );
}

fn add(a: Score, b: Score) -> Score {
    Score {
        trials: a.trials + b.trials,
        found: a.found + b.found,
        detectable: a.detectable + b.detectable,
        false_share: a.false_share + b.false_share,
    }
}

/// Returns the truths of a suite: defects first, then flaky tests, then sound ones.
fn suite(seed: u64) -> Vec<Truth> {
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

fn defects() -> usize {
    DEFECTS.iter().map(|(count, _)| count).sum()
}

/// So many runs through the real scheduler, company off, each joining those before; the last one's verdicts count.
fn adaptive(seed: u64, screen: Screen, history: History, runs: u64) -> Score {
    let policy = policy(screen);
    let mut world = World::new(suite(seed), seed);
    let tests = history.mark(world.tests(), seed);
    let (mut joined, mut trials, mut screened) = (Vec::new(), 0, [false; 15]);
    let mut verdicts = Verdicts::default();
    for run_number in 0..runs {
        let plan = Plan {
            tests: tests.clone(),
            policy: policy.clone(),
            seed: Seed(seed + run_number * SEEDS_APART),
        };
        let mut passes = Vec::new();
        let ended = run(plan.clone(), &joined, &mut world, |_, pass| {
            if pass.spec.phase == Phase::Screen && pass.spec.arm == Arm::Target {
                for observation in &pass.observations {
                    if let Some(seen) = screened.get_mut(observation.test.get()) {
                        *seen |= observation.outcome.is_failure();
                    }
                }
            }
            if runs > 1 {
                passes.push(pass);
            }
        });
        trials += ended.trials;
        verdicts = classify(ended.scheduler.evidence(), &policy);
        joined.push(stored(&plan, passes));
    }
    let reported = |finding: &&Finding| finding.verdict.kind == VerdictKind::HiddenDefect;
    let (planted, others) = verdicts.findings.split_at(defects());
    score(
        trials as f64,
        planted.iter().filter(reported).count(),
        screened.iter().filter(|seen| **seen).count(),
        others.iter().filter(reported).count(),
    )
}

/// A design with `n` passes in each arm, one-sided Fisher tests and Benjamini-Hochberg.
fn fixed(seed: u64, n: u32, only_failed: bool) -> Score {
    let mut random = random(seed, 2);
    let mut tallies: Vec<(Tally, Tally)> = Vec::new();
    for truth in suite(seed) {
        let mut count = |rate: f64| Tally {
            trials: n,
            failures: (0..n).filter(|_| uniform(&mut random) < rate).count() as u32,
        };
        tallies.push(match truth {
            Truth::Rates(baseline, target) => (count(baseline), count(target)),
            _ => (count(0.0), count(0.0)),
        });
    }
    let mut values: Vec<(f64, usize)> = (0..)
        .zip(&tallies)
        .filter(|(_, (low, high))| !only_failed || low.failures + high.failures > 0)
        .map(|(test, (low, high))| (fisher::one_sided(*low, *high), test))
        .collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rejected = (1..=values.len())
        .rev()
        .find(|&k| values[k - 1].0 <= FDR * k as f64 / values.len() as f64)
        .unwrap_or(0);
    // "Passes in the baseline" is asked of this design too, or every rejected flaky test would count against it.
    let reported = values[..rejected]
        .iter()
        .map(|(_, test)| *test)
        .filter(|test| f64::from(tallies[*test].0.failures) <= 0.05 * f64::from(n));
    let (planted, others): (Vec<usize>, Vec<usize>) = reported.partition(|test| *test < defects());
    let detectable = tallies[..defects()]
        .iter()
        .filter(|(_, high)| high.failures > 0)
        .count();
    let trials = 2.0 * f64::from(n) * TESTS as f64;
    score(trials, planted.len(), detectable, others.len())
}

fn score(trials: f64, found: usize, detectable: usize, false_found: usize) -> Score {
    Score {
        trials,
        found: found as f64,
        detectable: detectable as f64,
        false_share: false_found as f64 / (found + false_found).max(1) as f64,
    }
}

fn random(seed: u64, stream: u8) -> Pcg64Mcg {
    let mut state = [stream; 16];
    state[..8].copy_from_slice(&seed.to_le_bytes());
    let mut random = Pcg64Mcg::from_seed(state);
    for _ in 0..8 {
        random.next_u64();
    }
    random
}

fn uniform(random: &mut Pcg64Mcg) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
