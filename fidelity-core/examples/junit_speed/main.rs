//! Prints how fast reports are read beside a bare quick-xml event loop over the same bytes and quick-junit, how much two cores help, and
//! how much memory a file of 1 GiB takes.
//!
//! `cargo run --release -p fidelity-core --example junit_speed`. All sides run in one process and take turns; shown is the best of many
//! short rounds, so that other work on the machine matters less. Only the memory of the large files is measured in a process each, this one started again.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::{BufReader, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use fidelity_core::ingest::inputs::{self, Input};
use fidelity_core::ingest::junit::{Case, Limits, read};
use quick_xml::Reader;
use quick_xml::events::Event;
use rayon::prelude::*;

mod reports;

const ROUNDS: usize = 101;
/// Makes this process read one file and print what that took.
const CHILD: &str = "--read";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [flag, file] if flag == CHILD => return read_one(file),
        [] => {}
        _ => return Err("usage: junit_speed".into()),
    }
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty());
    println!("load of the machine: {}\n", load.unwrap_or("unknown"));
    println!("one core, best of {ROUNDS} rounds\n");
    println!(
        "| report | MB | quick-xml, slice | quick-xml, buffered | quick-junit | ours | of slice | of buffered | of quick-junit |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (name, report) in [
        ("passing tests", reports::nextest(10_000, 0)),
        ("one in 20 fails", reports::nextest(8_000, 20)),
        ("all fail, with output", reports::nextest(1_000, 1)),
    ] {
        beside(name, &[report])?;
    }
    match reports::real() {
        Some(real) => beside(&format!("{} real ones", real.len()), &real)?,
        None => println!("\nnot run: ../shared/data/junit is not beside the repository"),
    }
    let directory = tempfile::Builder::new()
        .prefix("junit-speed")
        .tempdir_in(".")?;
    on_cores(directory.path())?;
    println!("\nfiles of 1 GiB, each in a process of its own\n");
    println!("| file | s | MB/s | trials | peak memory |");
    println!("|---|---:|---:|---:|---:|");
    for (name, write) in reports::LARGE {
        let file = directory.path().join("large.xml");
        let mut writer = std::io::BufWriter::new(fs::File::create(&file)?);
        write(&mut writer)?;
        writer.flush()?;
        let output = Command::new(std::env::current_exe()?)
            .arg(CHILD)
            .arg(&file)
            .output()?;
        print!("| {name} {}", String::from_utf8_lossy(&output.stdout));
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
    }
    Ok(())
}

/// Prints every side's speed over some reports. quick-junit reads those it can.
fn beside(name: &str, reports: &[String]) -> Result<(), Box<dyn Error>> {
    let sides: [fn(&str) -> Option<u64>; 4] = [slice, buffered, quick_junit, ours];
    let all: Vec<&str> = reports.iter().map(String::as_str).collect();
    let strict: Vec<&str> = all
        .iter()
        .copied()
        .filter(|report| quick_junit(report).is_some())
        .collect();
    for report in &all {
        let cases = report.matches("<testcase").count() as u64;
        assert_eq!(ours(report), Some(cases));
    }
    // The last two are ours and quick-junit's over what quick-junit can read.
    let runs = [(0, &all), (1, &all), (3, &all), (2, &strict), (3, &strict)];
    let mut seconds = [const { Vec::new() }; 5];
    for _ in 0..ROUNDS {
        for ((side, reports), spent) in runs.iter().zip(&mut seconds) {
            let start = Instant::now();
            for report in *reports {
                black_box(sides[*side](black_box(report)));
            }
            spent.push(start.elapsed().as_secs_f64());
        }
    }
    let [slice, buffered, ours, quick_junit, ours_strict] = seconds.map(best);
    let bytes = |reports: &[&str]| reports.iter().map(|report| report.len()).sum::<usize>() as f64;
    let speed = |seconds: f64| bytes(&all) / 1e6 / seconds;
    println!(
        "| {name} | {:.1} | {:.0} MB/s | {:.0} MB/s | {:.0} MB/s | {:.0} MB/s | {:.0} % | {:.0} % | {:.1} x |",
        bytes(&all) / 1e6,
        speed(slice),
        speed(buffered),
        bytes(&strict) / 1e6 / quick_junit,
        speed(ours),
        100.0 * slice / ours,
        100.0 * buffered / ours,
        quick_junit / ours_strict
    );
    Ok(())
}

fn best(seconds: Vec<f64>) -> f64 {
    seconds.into_iter().fold(f64::INFINITY, f64::min)
}

/// The floor: events of a slice, nothing done with them.
fn slice(report: &str) -> Option<u64> {
    let mut reader = Reader::from_str(report);
    let mut events = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return Some(events),
            Ok(event) => {
                black_box(&event);
                events += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// The same over a buffered reader, which is what a file is read by.
fn buffered(report: &str) -> Option<u64> {
    let mut reader = Reader::from_reader(BufReader::with_capacity(64 * 1024, report.as_bytes()));
    let mut buffer = Vec::new();
    let mut events = 0;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) => return Some(events),
            Ok(event) => {
                black_box(&event);
                events += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn quick_junit(report: &str) -> Option<u64> {
    let report = quick_junit::Report::deserialize_from_str(report).ok()?;
    let suites = report.test_suites.iter();
    Some(suites.map(|suite| suite.test_cases.len() as u64).sum())
}

fn ours(report: &str) -> Option<u64> {
    let limits = Limits::default();
    let summary = read(report.as_bytes(), "report", &limits, &mut |case| {
        black_box(case);
    });
    summary.broken().is_none().then_some(summary.elements)
}

/// Prints how much faster two cores read many files, beside the event loop: what that gains is what the machine has to give.
fn on_cores(directory: &Path) -> Result<(), Box<dyn Error>> {
    const FILES: usize = 64;
    let report = reports::nextest(2_000, 20);
    let mut files = Vec::new();
    for number in 0..FILES {
        let file = directory.join(format!("{number}.xml"));
        fs::write(&file, &report)?;
        files.push(Input::File(file));
    }
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pools = [pool(1)?, pool(2)?];
    let sides: [fn(&[Input]) -> u64; 2] = [events_of_all, read_all];
    let mut seconds = [const { [const { Vec::new() }; 2] }; 2];
    for _ in 0..ROUNDS {
        for (side, spent) in sides.iter().zip(&mut seconds) {
            for (pool, spent) in pools.iter().zip(spent) {
                let start = Instant::now();
                black_box(pool.install(|| side(&files)));
                spent.push(start.elapsed().as_secs_f64());
            }
        }
    }
    for file in &files {
        if let Input::File(file) = file {
            fs::remove_file(file)?;
        }
    }
    println!(
        "\n{FILES} files of {:.1} MB, best of {ROUNDS} rounds\n",
        report.len() as f64 / 1e6
    );
    println!("| reader | one core | two cores | times as fast |");
    println!("|---|---:|---:|---:|");
    for (name, spent) in ["quick-xml, the file as a slice", "ours"]
        .iter()
        .zip(seconds)
    {
        let [one, two] = spent.map(best);
        println!(
            "| {name} | {:.1} ms | {:.1} ms | {:.2} |",
            one * 1e3,
            two * 1e3,
            one / two
        );
    }
    Ok(())
}

/// Reads all files as the product does.
fn read_all(files: &[Input]) -> u64 {
    let count = |trials: &mut u64, _: &Case| *trials += 1;
    let read = inputs::read_all(files, &Limits::default(), count);
    for (summary, trials) in &read {
        assert!(summary.broken().is_none() && summary.trials == *trials);
    }
    read.iter().map(|(_, trials)| trials).sum()
}

/// Runs through the events of all files.
fn events_of_all(files: &[Input]) -> u64 {
    let events = files.par_iter().map(|file| {
        let Input::File(file) = file else { return 0 };
        let text = fs::read_to_string(file).unwrap_or_default();
        slice(&text).unwrap_or(0)
    });
    events.sum()
}

/// Reads one file and prints the end of a row of the table.
fn read_one(file: &str) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let mut trials = 0_u64;
    let summary = inputs::read(&Input::File(file.into()), &Limits::default(), &mut |_| {
        trials += 1;
    });
    let seconds = start.elapsed().as_secs_f64();
    if let Some(problem) = summary.broken() {
        return Err(problem.to_string().into());
    }
    println!(
        "| {seconds:.2} | {:.0} | {trials} | {:.1} MiB |",
        summary.bytes as f64 / 1e6 / seconds,
        peak_memory()? / f64::from(1 << 20)
    );
    Ok(())
}

/// Returns the most memory the process held at a time, in bytes; 0 where the system does not tell.
fn peak_memory() -> Result<f64, Box<dyn Error>> {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return Ok(0.0);
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .unwrap_or("0");
    Ok(kib.parse::<f64>()? * 1024.0)
}
