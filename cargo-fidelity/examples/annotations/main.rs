//! What annotations cost: those who write them, and the tool that reads them. Every number beside the one asked for, and
//! beside a floor that is measured in the same run.
//!
//! `cargo run --release -p cargo-fidelity --example annotations` builds the tool first, needs a gigabyte of room for temporary
//! files, and about three minutes. `-- ROUNDS` measures more often than three times, and medians are printed; `-- ROUNDS PART`
//! measures one part: `macros`, `compiling`, `reading` or `listing`.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fidelity_core::suite::annotation::record::Records;
use fidelity_core::suite::annotation::section;

mod projects;
#[path = "../real_crates/tool.rs"]
mod tool;

/// Annotated tests of a crate.
const TESTS: usize = 500;
/// Binaries that are read.
const BINARIES: usize = 200;
/// The size of each.
const BINARY_MB: usize = 50;
/// Tests that are listed.
const LISTED: usize = 20_000;

type Done<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Done {
    let rounds = std::env::args().nth(1).map_or(Ok(3), |text| text.parse())?;
    let part = std::env::args().nth(2);
    let top = tempfile::tempdir()?;
    let parts: [(&str, Part); 4] = [
        ("macros", macros),
        ("compiling", compiling),
        ("reading", reading),
        ("listing", listing),
    ];
    let chosen = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if !parts.iter().any(|(name, _)| chosen(name)) {
        return Err("there is no such part".into());
    }
    for (_, measure) in parts.iter().filter(|(name, _)| chosen(name)) {
        measure(top.path(), rounds)?;
    }
    Ok(())
}

/// Measures something in a folder, in so many rounds.
type Part = fn(&Path, usize) -> Done;

fn say(line: &str) -> Done {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Runs a command to its end, and returns how long it took.
fn timed(command: &mut Command) -> Done<Duration> {
    let began = Instant::now();
    let ended = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()?;
    let took = began.elapsed();
    match ended.status.success() {
        true => Ok(took),
        false => Err(format!("{command:?}\n{}", String::from_utf8_lossy(&ended.stderr)).into()),
    }
}

/// Returns the median time of each of `measures` over rounds in which each has its turn.
fn in_turns<const N: usize>(
    rounds: usize,
    measure: &mut dyn FnMut(usize) -> Done<Duration>,
) -> Done<[Duration; N]> {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..rounds.max(1) {
        for (place, times) in times.iter_mut().enumerate() {
            times.push(measure(place)?);
        }
    }
    Ok(times.map(median))
}

fn cargo(directory: &Path, words: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(words).current_dir(directory);
    // What this example itself is built with is nothing to what it builds.
    for name in ["CARGO_TARGET_DIR", "CARGO_INCREMENTAL", "RUSTFLAGS"] {
        cargo.env_remove(name);
    }
    cargo
}

/// How long the macros take to build, from nothing, beside what they depend on.
fn macros(top: &Path, rounds: usize) -> Done {
    let crates = [projects::floor(top)?, projects::user(top)?];
    let [floor, ours] = in_turns(rounds, &mut |place| {
        let directory = &crates[place];
        let _absent = fs::remove_dir_all(directory.join("target"));
        timed(&mut cargo(directory, &["build", "-q", "--offline"]))
    })?;
    say(&format!(
        "building the macros     {:7.2} s with fidelity-macros, {:.2} s with syn, quote and proc-macro2 alone: {:+.2} s (asked: at most 3), ratio {:.2}",
        ours.as_secs_f64(),
        floor.as_secs_f64(),
        ours.as_secs_f64() - floor.as_secs_f64(),
        ours.as_secs_f64() / floor.as_secs_f64(),
    ))
}

/// How long a crate of annotated tests takes to compile, beside the same without annotations, and beside an attribute
/// that gives back what it is given.
fn compiling(top: &Path, rounds: usize) -> Done {
    let crates = [
        projects::tests(top, "plain", "", TESTS)?,
        projects::tests(top, "passed", "#[same::same]", TESTS)?,
        projects::tests(top, "annotated", projects::ANNOTATION, TESTS)?,
    ];
    for directory in &crates {
        timed(&mut cargo(
            directory,
            &["test", "-q", "--offline", "--no-run"],
        ))?;
    }
    for (what, incremental) in [("from nothing", "0"), ("once more", "1")] {
        let [plain, passed, ours] = in_turns(2 * rounds, &mut |place| {
            let source = crates[place].join("src/lib.rs");
            let text = fs::read(&source)?;
            fs::write(&source, text)?;
            let words = ["rustc", "-q", "--offline", "--lib", "--profile", "test"];
            timed(cargo(&crates[place], &words).env("CARGO_INCREMENTAL", incremental))
        })?;
        let each = |time: Duration| (ms(time) - ms(plain)) / TESTS as f64;
        say(&format!(
            "compiling, {what:12} {:7.0} ms with {TESTS} annotations, {:.0} ms without: {:.2} ms each (asked: less than 1), ratio {:.2}; an attribute that does nothing {:.2} ms each",
            ms(ours),
            ms(plain),
            each(ours),
            ms(ours) / ms(plain),
            each(passed),
        ))?;
    }
    Ok(())
}

/// How long the annotations of many large binaries take to read, beside opening them and reading their last page.
fn reading(top: &Path, rounds: usize) -> Done {
    let binary = projects::large(top, TESTS, BINARY_MB)?;
    let directory = top.join("binaries");
    fs::create_dir_all(&directory)?;
    let all: Vec<_> = (0..BINARIES)
        .map(|number| directory.join(format!("binary-{number}")))
        .collect();
    for path in &all {
        // Two hundred names of one file: what is read is in the memory of the system either way.
        fs::hard_link(&binary, path)?;
    }
    let mut found = 0;
    let [floor, ours] = in_turns(rounds, &mut |place| {
        let began = Instant::now();
        found = 0;
        for path in &all {
            match place {
                0 => found += usize::from(0 < last_page(path)?),
                _ => found += records(path)?,
            }
        }
        Ok(began.elapsed())
    })?;
    if found != TESTS * BINARIES {
        return Err(format!("{found} annotations were found").into());
    }
    say(&format!(
        "reading                 {:7.1} ms for {BINARIES} binaries of {} MB with {TESTS} annotations each (asked: less than 1,000); {:.1} ms to open them and read a page, ratio {:.1}",
        ms(ours),
        fs::metadata(&binary)?.len() >> 20,
        ms(floor),
        ms(ours) / ms(floor),
    ))
}

fn records(path: &Path) -> Done<usize> {
    let section = section::read(path)?.ok_or("a binary has no annotations")?;
    Ok(Records::read(&section).records.len())
}

fn last_page(path: &Path) -> std::io::Result<usize> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::End(-4096))?;
    let mut page = [0; 4096];
    file.read(&mut page)
}

/// How long the list of many annotated tests takes beside that of one: the same build, the same processes, but for the tests.
fn listing(top: &Path, rounds: usize) -> Done {
    let tool = tool::build_tool()?;
    let one = projects::listed(top, &tool, "one", 1)?;
    let many = projects::listed(top, &tool, "many", LISTED)?;
    for (what, filter) in [
        (
            "with filters",
            "kind(e2e) & needs(service.db) & verdict(stable)",
        ),
        ("all of them", "all()"),
    ] {
        let [floor, ours] = in_turns(2 * rounds, &mut |place| {
            let words = ["fidelity", "list", "-E", filter, "--no-tests", "pass"];
            let directory = [&one, &many][place];
            timed(Command::new(&tool).args(words).current_dir(directory))
        })?;
        say(&format!(
            "listing, {what:14} {:7.0} ms for {LISTED} tests, {:.0} ms for one: {:.0} ms for the tests (asked: less than 200), ratio {:.2}",
            ms(ours),
            ms(floor),
            ms(ours) - ms(floor),
            ms(ours) / ms(floor),
        ))?;
    }
    Ok(())
}
