//! Prints what a run costs and finds, beside designs that fix the number of reruns beforehand.
//!
//! `cargo run --release -p fidelity-core --example benchmark [seeds]` (1,000 seeds unless given). Every suite has 1,000
//! tests: 15 hidden defects that fail only in the target, with rates 1.0 (8), 0.5 (4) and 0.2 (3), 20 flaky tests
//! with equal rates in both arms, and 965 that never fail. Rows of this method go through the real scheduler.

use std::thread;
use std::time::{Duration, Instant};

use fidelity_core::classify::{Finding, Verdicts, classify};
use fidelity_core::domain::{Arm, Phase, Policy, Screen, Seed, VerdictKind};
use fidelity_core::plan::Plan;
use fidelity_core::schedule::{Scheduler, Step};
use fidelity_core::simulate::{Truth, World, run, stored};

mod fixed;
mod suite;

use fixed::fixed;
use suite::{FLAKY, HISTORIES, History, TESTS, Values, defects};

const FDR: f64 = 0.05;
/// Keeps the seeds of later runs of a suite off those of other suites.
const SEEDS_APART: u64 = 1 << 32;

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
    for target in [5, 6, 10, 20] {
        let name = format!("this method, screen 1 + {target}");
        let design = Design::screening(1, target);
        print_row(&name, seeds, |seed| adaptive(seed, design));
    }
    for target in [5, 6] {
        let name = format!("idea: screen 0 + {target}, the baseline only for suspects");
        let design = Design::screening(0, target);
        print_row(&name, seeds, |seed| adaptive(seed, design));
    }
    let twice = Design {
        runs: 2,
        ..Design::screening(1, 5)
    };
    let name = "idea: 1 + 5 twice, the second run joining the first";
    print_row(name, seeds, |seed| adaptive(seed, twice));
    with_history(seeds);
    println!("\n{}", cost_of_recording());
}

/// Prints what it changes to screen tests harder that failed in earlier runs.
fn with_history(seeds: u64) {
    for (name, history) in HISTORIES {
        for (target, suspicious) in [(5, 10), (5, 20), (3, 10), (3, 20)] {
            let name = format!("{name}: 1 + {target}, suspicious tests 1 + {suspicious}");
            let design = Design {
                suspicious,
                history,
                ..Design::screening(1, target)
            };
            print_row(&name, seeds, |seed| adaptive(seed, design));
        }
    }
    for (name, suspicious, values) in [
        ("unknown to history", 5, Values::Balanced),
        ("history knows the tests", 10, Values::Balanced),
        (
            "history knows the tests and the value",
            10,
            Values::Exposing,
        ),
        (
            "history knows the tests and a wrong value",
            10,
            Values::Wrong,
        ),
    ] {
        let name = format!("defects under one of three values, {name}: 1 + 5");
        let design = Design {
            suspicious,
            history: HISTORIES[0].1,
            values,
            ..Design::screening(1, 5)
        };
        print_row(&name, seeds, |seed| adaptive(seed, design));
    }
}

/// How a suite is tested.
#[derive(Clone, Copy)]
struct Design {
    baseline: u32,
    target: u32,
    suspicious: u32,
    history: History,
    values: Values,
    /// Runs, each joining those before.
    runs: u64,
}

impl Design {
    /// Returns one run with so many passes of the screening, without a history.
    fn screening(baseline: u32, target: u32) -> Self {
        Self {
            baseline,
            target,
            suspicious: 0,
            history: History::default(),
            values: Values::None,
            runs: 1,
        }
    }
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
    println!(
        "| {name} | {:.0} | {:.3} | {:.4} | {:.4} |",
        sum.trials / n,
        sum.found / n / defects() as f64,
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

/// Runs through the real scheduler, company off; the last one's verdicts count.
fn adaptive(seed: u64, design: Design) -> Score {
    let policy = policy(Screen {
        baseline: design.baseline,
        target: design.target,
        suspicious: design.suspicious,
    });
    let mut world = suite::world(seed, design.values);
    let tests = design.history.mark(world.tests(), seed);
    let (mut joined, mut trials, mut screened) = (Vec::new(), 0, [false; 15]);
    let mut verdicts = Verdicts::default();
    for run_number in 0..design.runs {
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
            if design.runs > 1 {
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

fn score(trials: f64, found: usize, detectable: usize, false_found: usize) -> Score {
    Score {
        trials,
        found: found as f64,
        detectable: detectable as f64,
        false_share: false_found as f64 / (found + false_found).max(1) as f64,
    }
}
