//! The canary: a process started exactly like a trial, which reports what it sees of its environment.
//!
//! A report says of a knob that it was *applied* only if the canary saw it. Must not know: profiles, arms, what was
//! asked for. Invariant: it writes only where it is told that the place is the runner's own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::sandbox::{Resource, Several};

mod attempts;
pub(crate) mod inside;
mod look;
mod own;
mod passing_time;
mod person;
mod room;
mod sockets;
mod watch;

/// The first argument that makes the executable a canary.
pub const ARGUMENT: &str = "__canary";
/// How long canaries wait for each other.
const MEETING: Duration = Duration::from_secs(10);

/// What a canary sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CanaryReport {
    /// The variables it was asked about: a fingerprint of each value, none where it is not set.
    pub(crate) variables: BTreeMap<String, Option<u64>>,
    /// The fingerprints they should have; filled in by the runner.
    #[serde(skip)]
    pub(crate) expected: BTreeMap<String, u64>,
    /// The variable TZ.
    pub(crate) tz: Option<String>,
    /// The time zone of the system, by name; none where it has no name.
    pub(crate) zone: Option<String>,
    /// The C library's local time.
    pub(crate) local_time: LocalTime,
    /// What the C library calls the locale of the environment; none if it has no such locale.
    pub(crate) locale: Option<String>,
    /// What the variables ask for as the locale; `C` where they ask for none.
    pub(crate) locale_asked_for: Option<String>,
    /// What the machine is called, where the system says so.
    pub(crate) hostname: Option<String>,
    /// The CPUs it may use.
    pub(crate) cpus: Vec<usize>,
    /// What the standard library makes of them.
    pub(crate) parallelism: usize,
    /// Its soft limits.
    pub(crate) limits: BTreeMap<Resource, u64>,
    /// How many files it could open, up to a few thousand.
    pub(crate) files_opened: u64,
    /// What stopped it.
    pub(crate) open_error: Option<String>,
    /// Its file mode creation mask.
    pub(crate) umask: u64,
    /// How late its timers may be, in nanoseconds; none where the system does not say.
    pub(crate) timer_slack_ns: Option<u64>,
    /// How long a sleep of a millisecond took, in microseconds.
    pub(crate) short_sleep_us: u64,
    /// What its control group may use, in percent of one CPU.
    pub(crate) cpu_quota_percent: Option<u64>,
    /// What its control group may use of memory, in bytes.
    pub(crate) memory_quota: Option<u64>,
    /// Its niceness.
    pub(crate) nice: i32,
    /// The size of the stack of a thread that was started without saying one.
    pub(crate) thread_stack: Option<u64>,
    /// What HOME leads to.
    pub(crate) home: Directory,
    /// What the temporary directory is.
    pub(crate) tmpdir: Directory,
    /// What the variables of `xdg` lead to; empty unless it is the runner's own.
    pub(crate) xdg: BTreeMap<String, Directory>,
    /// Who it is.
    pub(crate) person: Person,
    /// Its standard input.
    pub(crate) input: Input,
    /// What of it is a terminal.
    pub(crate) terminal: Terminal,
    /// Blocked signals.
    pub(crate) blocked_signals: Vec<i32>,
    /// Ignored signals.
    pub(crate) ignored_signals: Vec<i32>,
    /// Open descriptors.
    pub(crate) descriptors: Vec<i32>,
    /// The working directory.
    pub(crate) directory: String,
    /// What it was asked for beside; filled in by the runner.
    #[serde(skip)]
    pub(crate) inside: inside::Inside,
    /// In which order numbered canaries started; filled in by the runner.
    #[serde(skip)]
    pub(crate) started: Vec<u32>,
    /// How test binaries take to running several tests in one process, where they are to; filled in by the runner.
    #[serde(skip)]
    pub(crate) several: Option<Several>,
    /// The load while a canary looked for it; filled in by the runner.
    #[serde(skip)]
    pub(crate) load: Option<LoadSeen>,
    /// The longest jump of its clock in microseconds; filled in by the runner.
    #[serde(skip)]
    pub(crate) longest_gap_us: u64,
    /// How many canaries, or threads of one, were alive at once; filled in by the runner.
    #[serde(skip)]
    pub(crate) met: u64,
}

/// Load as it was seen from both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoadSeen {
    /// What it took meanwhile, in percent of a CPU.
    pub(crate) taken: u64,
    /// What it was asked to take.
    pub(crate) asked: u64,
    /// What a process beside it got of the busiest CPU, in percent.
    pub(crate) share_left: u32,
}

/// The C library's local time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocalTime {
    /// Offset from UTC in January 2026, in seconds.
    pub(crate) january_s: i64,
    /// The same in July.
    pub(crate) july_s: i64,
    /// The zone's abbreviation in January.
    pub(crate) abbreviation: String,
}

/// Who a process is, and what that lets it do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// The real and the effective user.
    pub(crate) users: (u32, u32),
    /// The real and the effective group.
    pub(crate) groups: (u32, u32),
    /// All groups.
    pub(crate) supplementary: Vec<u32>,
    /// Why it cannot read its own executable, by its path.
    pub(crate) executable_error: Option<String>,
    /// Whether it is kept from reading a file of its own without permissions; none where it could not make one.
    pub(crate) kept_out: Option<bool>,
    /// Where owners are mapped.
    pub(crate) mapped: Vec<String>,
}

/// The standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Input {
    /// Whether descriptor 0 was open when the process started; none where that cannot be seen. The runtime opens it if
    /// it was not.
    pub(crate) open_at_start: Option<bool>,
    /// What the system calls it: a path, or `pipe:[1]`.
    pub(crate) kind: Option<String>,
    /// Whether a read would return at once.
    pub(crate) readable: bool,
}

/// Terminals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terminal {
    /// Whether descriptors 0, 1 and 2 are terminals.
    pub(crate) is: [bool; 3],
    /// Why the controlling terminal cannot be opened.
    pub(crate) controlling_error: Option<String>,
    /// Columns and rows of the terminal that is the standard output.
    pub(crate) size: Option<(u16, u16)>,
}

/// A directory as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Directory {
    /// Its path; none where the variable is not set.
    pub(crate) path: Option<String>,
    /// Whether it exists.
    pub(crate) exists: bool,
    /// Whether the path itself is a symbolic link.
    pub(crate) is_link: bool,
    /// How many entries it has; none where they cannot be listed.
    pub(crate) entries: Option<u64>,
    /// Why no file can be made in it.
    pub(crate) write_error: Option<String>,
    /// Why no socket can be made in it.
    pub(crate) socket_error: Option<String>,
}

/// The whole life of a canary. The program calls this before anything else if its first argument is [`ARGUMENT`].
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(2).collect();
    let words: Vec<String> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let done = match (words.first().map(String::as_str), arguments.get(1)) {
        (Some("look"), _) => report(&words[1..]),
        (Some("inside"), _) => answer(&inside::look(&words[1..])),
        (Some("now"), _) => print(passing_time::now_s().to_string().as_bytes()),
        (Some("rivals"), _) => print(watch::share_of_busiest_cpu().to_string().as_bytes()),
        (Some("gap"), _) => gap(&words[1..]),
        (Some("start"), Some(file)) => start(Path::new(file), &words[2..]),
        (Some("crowd"), Some(_)) => crowd(&words[1..]),
        (Some("meet"), Some(directory)) => meet(Path::new(directory), &words[2..]),
        _ => return ExitCode::FAILURE,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this cannot be written, the exit status says it all.
            drop(writeln!(std::io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints what it sees. `words`: what is the runner's own (`home`, `xdg`, with commas), then names of variables.
fn report(words: &[String]) -> std::io::Result<()> {
    let own: Vec<&str> = words
        .first()
        .map_or_else(Vec::new, |word| word.split(',').collect());
    let names = words.get(1..).unwrap_or_default();
    answer(&look::around(&own, names))
}

fn answer(report: &impl Serialize) -> std::io::Result<()> {
    print(&serde_json::to_vec(report)?)
}

fn print(bytes: &[u8]) -> std::io::Result<()> {
    std::io::stdout().write_all(bytes)
}

/// Appends its number to `file`, so that the order of starts can be read.
fn start(file: &Path, words: &[String]) -> std::io::Result<()> {
    let number = words.first().map_or("", String::as_str);
    let mut file = std::fs::File::options()
        .append(true)
        .create(true)
        .open(file)?;
    file.write_all(format!("{number}\n").as_bytes())
}

/// Shows itself in `directory`, waits until as many as `words` says are there, and prints how many it saw at most.
fn meet(directory: &Path, words: &[String]) -> std::io::Result<()> {
    let expected: usize = words
        .first()
        .and_then(|word| word.parse().ok())
        .unwrap_or(1);
    let began = Instant::now();
    std::fs::create_dir_all(directory)?;
    std::fs::File::create_new(directory.join(std::process::id().to_string()))?;
    let mut seen = 0;
    while seen < expected && began.elapsed() < MEETING {
        seen = seen.max(std::fs::read_dir(directory)?.count());
        std::thread::sleep(Duration::from_millis(1));
    }
    std::io::stdout().write_all(seen.to_string().as_bytes())
}

/// Starts as many threads as `words` says, each of which waits for the others, and prints how many there were at once.
fn crowd(words: &[String]) -> std::io::Result<()> {
    let number = words.first().and_then(|word| word.parse().ok());
    let expected: usize = number.unwrap_or(1);
    let alive = Mutex::new(0);
    let arrived = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..expected {
            let thread = std::thread::Builder::new().spawn_scoped(scope, || {
                let mut count = alive.lock().unwrap_or_else(PoisonError::into_inner);
                *count += 1;
                arrived.notify_all();
                // Whoever ends the wait, all are still there when the last one comes.
                drop(arrived.wait_timeout_while(count, MEETING, |count| *count < expected));
            });
            if thread.is_err() {
                // The others need not wait for what cannot come.
                break;
            }
        }
    });
    let count = *alive.lock().unwrap_or_else(PoisonError::into_inner);
    std::io::stdout().write_all(count.to_string().as_bytes())
}

/// Prints the longest jump of the clock in microseconds. `words`: the jump that is enough, and how long to wait for it,
/// both in milliseconds.
fn gap(words: &[String]) -> std::io::Result<()> {
    let ms = |at: usize| words.get(at).and_then(|word| word.parse().ok());
    let [wanted, limit] = [0, 1].map(|at| Duration::from_millis(ms(at).unwrap_or(0)));
    let longest_us = watch::longest_gap(wanted, limit).as_micros();
    print(longest_us.to_string().as_bytes())
}
