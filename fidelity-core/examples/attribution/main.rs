//! Prints what an attribution costs and how often it is right, beside a peer and beside the floor of information theory.
//!
//! `cargo run --release -p fidelity-core --example attribution [-- quick] [commits] [knobs] [speed]`: 600 searches a row with 64 and 256 commits and up
//! to 16 knobs, 300 with more (a tenth with `quick`). Everything goes through the real engine; seeds are 0, 1, 2 ...

use std::time::Instant;

use fidelity_core::attribute::engine::{Counts, Price, Rules, Search, Seen, Space, Step};
use fidelity_core::attribute::simulate::{Commits, Dice, Played, Rates, Truth};
use fidelity_core::attribute::{commits::Chain, commits::NONE, knobs};
use rayon::prelude::*;

mod peer;
mod published;
mod reference;

use published::{CommitRow, KnobRow};

/// What a build costs in the second half of the table of commits, in trials.
const BUILD: f64 = 20.0;

/// Trials stored beforehand at each end.
const STORED: u32 = 20;

fn main() {
    let quick = std::env::args().any(|argument| argument == "quick");
    let searches = |large: bool| match (quick, large) {
        (false, false) => 600,
        (false, true) => 300,
        (true, false) => 60,
        (true, true) => 30,
    };
    let only: Vec<String> = std::env::args()
        .filter(|argument| ["commits", "knobs", "speed"].contains(&argument.as_str()))
        .collect();
    let wanted = |part: &str| only.is_empty() || only.iter().any(|only| only == part);
    if wanted("commits") {
        all_commits(searches);
    }
    if wanted("knobs") {
        all_knobs(searches);
    }
    if wanted("speed") {
        speed();
    }
}

fn all_commits(searches: impl Fn(bool) -> u64) {
    println!(
        "Commits: {STORED} + {STORED} stored trials; the peer knows nothing beforehand. Runs and builds are means.\n"
    );
    println!(
        "| fails from / before | commits | floor | peer runs (published) / right / built | runs / right | of peer | with a build of {BUILD}: runs / right / builds | cost | peer's | of peer |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for row in published::commit_rows() {
        commits(&row, searches(row.length > 256));
    }
}

fn all_knobs(searches: impl Fn(bool) -> u64) {
    println!(
        "\nKnobs: all shapes, both sides confirmed, at most 200 trials. The plain search runs on the same seeds; `quoted` is a simulation of it elsewhere.\n"
    );
    println!(
        "| cause | knobs | fails with / without | runs / right / wrong | plain: runs / right / wrong | quoted | of plain | of quoted |"
    );
    println!("|---|---:|---|---:|---:|---:|---:|---:|");
    for row in published::knob_rows() {
        knob_row(&row, searches(row.count > 16));
    }
}

fn speed() {
    println!("\nChoosing the next experiment (milliseconds, mean and worst of a search):\n");
    for (what, [mean, worst]) in [
        ("1,024 commits, no build cost", choosing_a_commit(0.0)),
        ("1,024 commits, a build of 20", choosing_a_commit(BUILD)),
        ("32 knobs", choosing_knobs(0.0)),
        ("32 knobs that cost a set-up", choosing_knobs(5.0)),
    ] {
        println!("- {what}: {mean:.2}, {worst:.2}");
    }
}

/// Means over searches.
struct Means {
    runs: f64,
    right: f64,
    wrong: f64,
    setups: f64,
}

fn means(searches: u64, play: impl Fn(u64) -> Played + Sync + Send) -> Means {
    let played: Vec<Played> = (0..searches).into_par_iter().map(play).collect();
    let mean = |of: fn(&Played) -> f64| played.iter().map(of).sum::<f64>() / searches as f64;
    Means {
        runs: mean(|played| f64::from(played.runs)),
        right: mean(|played| f64::from(u8::from(played.right))),
        wrong: mean(|played| f64::from(u8::from(played.named && !played.right))),
        setups: mean(|played| f64::from(played.setups)),
    }
}

/// Returns the bits that one trial can tell at most with these rates: the capacity of the channel.
fn capacity(rates: Rates) -> f64 {
    let entropy = |p: f64| -> f64 {
        let term = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
        term(p) + term(1.0 - p)
    };
    (1..1000)
        .map(|step| {
            let q = f64::from(step) / 1000.0;
            let mixed = q * rates.active + (1.0 - q) * rates.elsewhere;
            entropy(mixed) - q * entropy(rates.active) - (1.0 - q) * entropy(rates.elsewhere)
        })
        .fold(0.0, f64::max)
}

fn commits(row: &CommitRow, searches: u64) {
    let free = Commits {
        length: row.length,
        rates: row.rates,
        stored: STORED,
        build: 0.0,
        confirm: false,
    };
    let built = Commits {
        build: BUILD,
        confirm: true,
        ..free
    };
    let floor = ((row.length - 1) as f64).log2() / capacity(row.rates);
    let peer = means(searches, |seed| peer::play(&free, seed));
    let ours = means(searches, |seed| free.play(seed));
    let costly = means(searches, |seed| built.play(seed));
    let cost = costly.runs + BUILD * costly.setups;
    let peer_cost = peer.runs + BUILD * peer.setups;
    println!(
        "| {} / {} | {} | {floor:.1} | {:.1} ({} with {}) / {:.3} / {:.0} | {:.1} / {:.3} | {:.2} | {:.1} / {:.3} / {:.1} | {cost:.0} | {peer_cost:.0} | {:.2} |",
        row.rates.active,
        row.rates.elsewhere,
        row.length,
        peer.runs,
        row.runs,
        row.built,
        peer.right,
        peer.setups,
        ours.runs,
        ours.right,
        ours.runs / peer.runs,
        costly.runs,
        costly.right,
        costly.setups,
        cost / peer_cost,
    );
}

fn knob_row(row: &KnobRow, searches: u64) {
    let knobs = fidelity_core::attribute::simulate::Knobs {
        count: row.count,
        truth: row.truth,
        rates: row.rates,
        stored: STORED,
    };
    let space = knobs.space();
    let ours = means(searches, |seed| knobs.play(&space, seed));
    let plain = means(searches, |seed| reference::play(&knobs, &space, seed));
    let cause = match row.truth {
        Truth::All(1) => "one".to_owned(),
        Truth::All(members) => format!("{members} together"),
        Truth::Any(members) => format!("any of {members}"),
    };
    let [quoted, of_quoted] = if row.runs.is_nan() {
        [String::new(), String::new()]
    } else {
        [row.runs.to_string(), format!("{:.2}", ours.runs / row.runs)]
    };
    println!(
        "| {cause} | {} | {} / {} | {:.1} / {:.3} / {:.3} | {:.1} / {:.3} / {:.3} | {quoted} | {:.2} | {of_quoted} |",
        row.count,
        row.rates.active,
        row.rates.elsewhere,
        ours.runs,
        ours.right,
        ours.wrong,
        plain.runs,
        plain.right,
        plain.wrong,
        ours.runs / plain.runs,
    );
}

/// Plays a search with a clock beside it; returns the mean and the worst milliseconds of a choice.
fn clocked<S: Space>(
    mut search: Search<S>,
    setup: f64,
    fails: impl Fn(&mut Dice, &S::Config) -> bool,
) -> [f64; 2] {
    let mut dice = Dice::new(1);
    let (mut sum, mut worst, mut choices) = (0.0, 0.0_f64, 0.0);
    loop {
        let start = Instant::now();
        let step = search.next(&|_| Price { run: 1.0, setup });
        let took = start.elapsed().as_secs_f64() * 1e3;
        let Step::Try(experiment) = step else {
            return [sum / choices, worst];
        };
        (sum, worst, choices) = (sum + took, worst.max(took), choices + 1.0);
        let failed = fails(&mut dice, &experiment.config);
        let seen = if failed { Seen::Failed } else { Seen::Passed };
        search.record(&experiment.config, seen);
    }
}

fn established() -> Rules {
    Rules {
        established: true,
        budget: 2_000,
        ..Rules::default()
    }
}

fn choosing_a_commit(setup: f64) -> [f64; 2] {
    let mut search = Search::new(Chain::uniform(1024, NONE), established());
    search.remember(&0, Counts::new(0, STORED));
    search.remember(&1023, Counts::new(4, STORED));
    clocked(search, setup, |dice, place| {
        *place >= 700 && dice.happens(0.2)
    })
}

fn choosing_knobs(setup: f64) -> [f64; 2] {
    let space = knobs::KnobSpace::new(knobs::Constraints::free(32), knobs::Prior::default());
    let high = space.constraints().everything();
    let mut search = Search::new(space, established());
    search.remember(&0, Counts::new(0, STORED));
    search.remember(&high, Counts::new(10, STORED));
    let pair = knobs::bit(5) | knobs::bit(21);
    clocked(search, setup, |dice, config| {
        config & pair == pair && dice.happens(0.5)
    })
}
