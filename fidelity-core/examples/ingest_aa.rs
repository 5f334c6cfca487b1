//! Prints how often the rule for blocks calls a test hidden-defect that is none, beside the level that was promised, and
//! how many blocks find a planted defect.
//!
//! `cargo run --release -p fidelity-core --example ingest_aa [matrices]` (2,000 matrices a row unless given).

use std::thread;

use fidelity_core::domain::Policy;
use fidelity_core::simulate::matrix::{Matrix, Outcomes, Weather, outcomes};

/// Flaky tests of a matrix, their rates spread from 0.001 to 0.9.
const FLAKY: u32 = 100;

fn main() {
    let matrices: u64 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(2_000);
    println!("{matrices} matrices a row, {FLAKY} flaky tests in each, no defect\n");
    println!(
        "| world | blocks | suspects | e >= 20 (5 %) | e >= 100 (1 %) | e >= 1000 (0.1 %) | a false hidden-defect at fdr 5 % | 1 % | 0.1 % |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|");
    for (name, weather) in [
        ("steady rates", Weather::Steady),
        ("drifting", Weather::Drifting),
        (
            "over-dispersed: sound in most blocks, failing in some",
            Weather::Clustered,
        ),
        (
            "over-dispersed, with outages and co-failing tests",
            Weather::Stormy,
        ),
        ("not allowed: target on slower machines", Weather::Unfair),
    ] {
        for (blocks, sides) in [(30, (1, 1)), (20, (1, 5)), (10, (5, 5))] {
            let matrix = Matrix {
                flaky: FLAKY,
                defects: 0,
                defect_rate: 0.0,
                blocks,
                sides,
                weather,
            };
            null_row(name, &matrix, matrices);
        }
    }
    power(matrices.div_ceil(10));
}

/// Prints how many blocks find planted defects.
fn power(matrices: u64) {
    println!(
        "\nplanted defects that are found, of 5 beside {FLAKY} flaky tests (over-dispersed), fdr 5 %\n"
    );
    println!("| fails in the target at | blocks | passes in all | found | false share |");
    println!("|---:|---|---:|---:|---:|");
    for rate in [1.0, 0.5, 0.2] {
        for (blocks, sides) in [
            (5, (1, 1)),
            (10, (1, 1)),
            (20, (1, 1)),
            (40, (1, 1)),
            (2, (5, 5)),
            (4, (5, 5)),
            (10, (5, 5)),
            (1, (30, 30)),
            (3, (30, 30)),
        ] {
            let matrix = Matrix {
                flaky: FLAKY,
                defects: 5,
                defect_rate: rate,
                blocks,
                sides,
                weather: Weather::Clustered,
            };
            let all = on_all_cores(matrices, |seed| outcomes(&matrix, &Policy::default(), seed));
            let found: u32 = all.iter().map(|one| one.found).sum();
            let share: f64 = all.iter().map(Outcomes::false_share).sum();
            println!(
                "| {rate} | {blocks} x ({} + {}) | {} | {:.2} | {:.3} |",
                sides.0,
                sides.1,
                blocks * (sides.0 + sides.1),
                f64::from(found) / (5.0 * all.len() as f64),
                share / all.len() as f64
            );
        }
    }
}

/// Prints a row of a world without defects.
fn null_row(name: &str, matrix: &Matrix, matrices: u64) {
    let at = |fdr: f64| {
        let policy = Policy {
            fdr,
            ..Policy::default()
        };
        on_all_cores(matrices, move |seed| outcomes(matrix, &policy, seed))
    };
    let all = at(0.05);
    let suspects: u64 = all.iter().map(|one| u64::from(one.suspects)).sum();
    let reached = |position: usize| {
        let reached: u64 = all.iter().map(|one| u64::from(one.reached[position])).sum();
        100.0 * reached as f64 / suspects.max(1) as f64
    };
    let wrong = |all: &[Outcomes]| {
        let wrong = all.iter().filter(|one| one.false_defects > 0).count();
        100.0 * wrong as f64 / all.len() as f64
    };
    println!(
        "| {name} | {} x ({} + {}) | {:.0} | {:.2} | {:.2} | {:.3} | {:.2} | {:.2} | {:.2} |",
        matrix.blocks,
        matrix.sides.0,
        matrix.sides.1,
        suspects as f64 / all.len() as f64,
        reached(0),
        reached(1),
        reached(2),
        wrong(&all),
        wrong(&at(0.01)),
        wrong(&at(0.001))
    );
}

/// Returns the results of `runs` seeds, in the order of seeds.
fn on_all_cores<T: Send>(runs: u64, run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
    let run = &run;
    let mut parts: Vec<Vec<T>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|core| {
                scope.spawn(move || (core..runs).step_by(cores as usize).map(run).collect())
            })
            .collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined
            .map(|part| part.expect("a simulation does not panic"))
            .collect()
    });
    let mut all = Vec::new();
    for position in 0.. {
        let part = &mut parts[position % cores as usize];
        if part.is_empty() {
            break;
        }
        all.push(part.remove(0));
    }
    all
}
