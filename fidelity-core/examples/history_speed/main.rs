//! Measures the fidelity history: `cargo run --release -p fidelity-core --example history_speed [COMMITS]`.
//!
//! Makes a repository of 10,000 commits, one in ten a merge, each with another `fidelity.toml` that names 20 globs of
//! input files, and finds every change of an effective value. Beside it, the floor: git2 walks the first parents and
//! compares each commit's tree with its parent's, and reads nothing.

use std::error::Error;
use std::time::{Duration, Instant};

use fidelity_core::attribute::history::{Repository, Subject};

mod made;

fn main() -> Result<(), Box<dyn Error>> {
    let commits: u32 = match std::env::args().nth(1) {
        Some(word) => word.parse()?,
        None => 10_000,
    };
    let directory = tempfile::Builder::new()
        .prefix("history-speed")
        .tempdir_in(".")?;
    let merges = made::repository(directory.path(), commits)?;
    println!(
        "{commits} commits, {merges} of them merges, {} globs",
        made::GLOBS
    );
    let mut times = Vec::new();
    for _ in 0..3 {
        // Opened anew each time: git2 keeps what it has read.
        let began = Instant::now();
        let deltas = walk(directory.path())?;
        let floor = began.elapsed();
        let began = Instant::now();
        let history = Repository::of(directory.path())?.fidelity_history(&Subject::default())?;
        let took = began.elapsed();
        times.push((took, floor, history.changes.len(), deltas));
    }
    times.sort();
    let Some((took, floor, changes, deltas)) = times.get(1) else {
        return Ok(());
    };
    println!(
        "  changes of effective values   {changes:>8} in {}",
        ms(*took)
    );
    println!(
        "  floor: trees compared         {deltas:>8} in {}",
        ms(*floor)
    );
    println!(
        "  ratio                         {:>8.2}",
        took.as_secs_f64() / floor.as_secs_f64()
    );
    Ok(())
}

fn ms(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}

/// Walks the first parents and counts the files that differ from commit to commit.
fn walk(path: &std::path::Path) -> Result<usize, git2::Error> {
    let repository = git2::Repository::open(path)?;
    let mut commit = repository.head()?.peel_to_commit()?;
    let mut deltas = 0;
    while let Ok(parent) = commit.parent(0) {
        let (before, after) = (parent.tree()?, commit.tree()?);
        deltas += repository
            .diff_tree_to_tree(Some(&before), Some(&after), None)?
            .deltas()
            .len();
        commit = parent;
    }
    Ok(deltas)
}
