//! Prints how often tests that do not care about the arm are suspected of it, beside the level that was promised.
//!
//! `cargo run --release -p fidelity-core --example false_rates [runs]` (20,000 runs a row unless given). Everything
//! goes through the real scheduler: a screening of 1 + 5, then up to 200 coin passes, looked at after every pass.

use std::thread;

use fidelity_core::classify::Finding;
use fidelity_core::domain::Policy;
use fidelity_core::simulate::{Truth, highest_log_e, reported_defects, reported_with_history};

const PASSES: u32 = 200;
const LEVELS: [f64; 3] = [0.05, 0.01, 0.001];

fn main() {
    let runs: u64 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000);
    println!("{runs} runs a row, {PASSES} passes, looked at after every pass\n");
    println!(
        "| one test | became a suspect | e >= 20 (5 %) | e >= 100 (1 %) | e >= 1000 (0.1 %) |"
    );
    println!("|---|---:|---:|---:|---:|");
    let plain = [
        ("rate .01 in both arms", Truth::Rates(0.01, 0.01)),
        ("rate .1", Truth::Rates(0.1, 0.1)),
        ("rate .5", Truth::Rates(0.5, 0.5)),
        ("rate .9", Truth::Rates(0.9, 0.9)),
        ("drifting between .1 and .7", Truth::Drifting(0.1, 0.7)),
        ("passes and fails in turn", Truth::Alternating),
        ("fails after every baseline pass", Truth::AfterBaseline),
        ("better in the target: .5, .1", Truth::Rates(0.5, 0.1)),
    ];
    let harder = [
        ("screened harder: rate .1", Truth::Rates(0.1, 0.1)),
        ("screened harder: rate .5", Truth::Rates(0.5, 0.5)),
        (
            "screened harder: drifting between .1 and .7",
            Truth::Drifting(0.1, 0.7),
        ),
        (
            "screened harder: fails after every baseline pass",
            Truth::AfterBaseline,
        ),
    ];
    let plain = plain.map(|row| (row, false)).into_iter();
    for ((name, truth), suspicious) in plain.chain(harder.map(|row| (row, true))) {
        let highest = on_all_cores(runs, |seed| highest_log_e(truth, seed, PASSES, suspicious));
        let suspects = highest.iter().flatten().count() as f64;
        let shares: String = LEVELS
            .iter()
            .map(|level| {
                let bar = -level.ln();
                let alarms = highest
                    .iter()
                    .flatten()
                    .filter(|log_e| **log_e >= bar)
                    .count();
                format!(" {:.2} % |", 100.0 * alarms as f64 / suspects.max(1.0))
            })
            .collect();
        println!(
            "| {name} | {:.1} % |{shares}",
            100.0 * suspects / runs as f64
        );
    }
    println!("\nShares are of the runs in which the test became a suspect.\n");
    suites(runs / 10);
    histories(runs / 10);
    beside_defects(runs);
}

/// Prints how often a test that passes and fails in turn is reported beside real defects, which lower the bar for one more: a
/// suite like that of `examples/quickstart`, under the default policy.
fn beside_defects(runs: u64) {
    const DEFECTS: usize = 7;
    let mut truths = vec![Truth::Rates(0.0, 1.0); DEFECTS];
    let others = [
        Truth::Alternating,
        Truth::Rates(1.0, 1.0),
        Truth::Rates(1.0, 0.0),
    ];
    truths.extend(others);
    let policy = Policy {
        max_time_ms: None,
        ..Policy::default()
    };
    let reported = on_all_cores(runs, |seed| reported_defects(&truths, &policy, seed));
    let one_more = reported.iter().filter(|count| **count > DEFECTS).count();
    println!(
        "\nBeside {DEFECTS} defects, a test that passes and fails in turn is reported in {:.2} % of {runs} runs.",
        100.0 * one_more as f64 / runs as f64
    );
}

/// Whom an earlier run makes suspicious.
type Picks = fn(&Finding) -> bool;

/// Prints how often a suite without a defect yields a false one where tests are screened harder for what an earlier run
/// saw of them: three times as many target passes as usual.
fn histories(runs: u64) {
    println!("\n| suite, screened harder: ({runs} runs) | fdr 5 % | fdr 1 % | fdr 0.1 % |");
    println!("|---|---:|---:|---:|");
    let picks: [(&str, Picks); 3] = [
        ("what failed in the target before", |finding| {
            finding.target.failures > 0
        }),
        ("what leaned towards a worse target before", |finding| {
            finding.e_value > finding.e_mirror
        }),
        ("what never failed in the target before", |finding| {
            finding.target.failures == 0
        }),
    ];
    for (suite, truths) in [
        ("20 tests, rate .1", vec![Truth::Rates(0.1, 0.1); 20]),
        (
            "9 tests that fail after every baseline pass",
            vec![Truth::AfterBaseline; 9],
        ),
        (
            "20 tests drifting between .1 and .7",
            vec![Truth::Drifting(0.1, 0.7); 20],
        ),
    ] {
        for (who, picks) in picks {
            let shares: String = LEVELS
                .iter()
                .map(|fdr| {
                    let mut policy = loud(*fdr);
                    policy.screen.suspicious = 3 * policy.screen.target;
                    let reported = on_all_cores(runs, |seed| {
                        reported_with_history(&truths, &policy, seed, picks)
                    });
                    let alarms = reported.iter().filter(|count| **count > 0).count();
                    format!(" {:.2} % |", 100.0 * alarms as f64 / runs as f64)
                })
                .collect();
            println!("| {suite}; {who} |{shares}");
        }
    }
}

/// Returns a policy under which whatever the baseline does counts as passing: the hardest case for the level.
fn loud(fdr: f64) -> Policy {
    Policy {
        fdr,
        tolerance: 0.99,
        futile_after: PASSES,
        company_after: 0,
        max_time_ms: None,
        ..Policy::default()
    }
}

/// Prints how often a whole suite of such tests yields a false hidden defect.
fn suites(runs: u64) {
    println!("| suite without a defect ({runs} runs) | fdr 5 % | fdr 1 % | fdr 0.1 % |");
    println!("|---|---:|---:|---:|");
    let together = |groups: u32, rate| {
        (0..20)
            .map(|test| Truth::Together(test % groups, rate, rate))
            .collect::<Vec<_>>()
    };
    let mut hiccups = vec![Truth::Together(0, 0.3, 0.3); 14];
    hiccups.resize(20, Truth::Sound);
    for (name, truths) in [
        (
            "20 tests, rate .3, each for itself",
            vec![Truth::Rates(0.3, 0.3); 20],
        ),
        ("20 tests that fail together, rate .3", together(1, 0.3)),
        (
            "5 groups of 4 that fail together, rate .2",
            together(5, 0.2),
        ),
        ("14 of 20 fail at once, rate .3 (mass failure)", hiccups),
        (
            "9 tests that fail after every baseline pass",
            vec![Truth::AfterBaseline; 9],
        ),
        (
            "20 tests drifting between .1 and .7",
            vec![Truth::Drifting(0.1, 0.7); 20],
        ),
    ] {
        let shares: String = LEVELS
            .iter()
            .map(|fdr| {
                let policy = loud(*fdr);
                let reported = on_all_cores(runs, |seed| reported_defects(&truths, &policy, seed));
                let alarms = reported.iter().filter(|count| **count > 0).count();
                format!(" {:.2} % |", 100.0 * alarms as f64 / runs as f64)
            })
            .collect();
        println!("| {name} |{shares}");
    }
}

/// Returns `one` of every seed below `runs`, in no particular order.
fn on_all_cores<T: Send>(runs: u64, one: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    thread::scope(|scope| {
        let one = &one;
        let parts: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    (worker..runs)
                        .step_by(workers as usize)
                        .map(one)
                        .collect::<Vec<T>>()
                })
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().expect("a worker panicked"))
            .collect()
    })
}
