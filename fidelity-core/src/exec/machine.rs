//! What this machine is, as far as it matters to tests. Reads; changes nothing.
//!
//! Must not know: knobs, how a page looks. Invariant: what the system does not say is absent, never guessed.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::domain::{Machine, Tool};

/// How long other programs are watched.
const WATCH: Duration = Duration::from_millis(500);

/// The longest answer of a program to the question for its version, in bytes.
const LONGEST_VERSION: u64 = 4_096;

/// Switches of the kernel that keep ordinary users from making namespaces: where, the value that does, and its name.
const SWITCHES: [(&str, &str); 3] = [
    ("user/max_user_namespaces", "0"),
    ("kernel/unprivileged_userns_clone", "0"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1"),
];

/// Returns what this machine is. `tools` are programs to ask for their version, by name and path.
///
/// Takes about half a second, in which this process does nothing: so long the other programs are watched.
pub fn look(tools: &[(&str, std::path::PathBuf)]) -> Machine {
    let before = cpu_time();
    std::thread::sleep(WATCH);
    let foreign_load = before.zip(cpu_time()).and_then(|(before, after)| {
        let passed = after.passed.checked_sub(before.passed)?;
        let busy = after.busy.saturating_sub(before.busy);
        // One column counts all CPUs of the machine: the share is of every one of them.
        (0 < passed).then(|| ratio(busy, passed) * after.cpus)
    });
    Machine {
        system: system(),
        cpus: std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u64),
        memory: memory("MemTotal:"),
        memory_available: memory("MemAvailable:"),
        user: user(),
        cgroups: cgroups(),
        namespaces: namespaces(),
        foreign_load,
        tools: tools
            .iter()
            .map(|(name, path)| Tool {
                name: (*name).to_owned(),
                version: version(path),
            })
            .collect(),
    }
}

/// Returns the first line of a small file, trimmed.
fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

fn system() -> String {
    let kernel = line("/proc/sys/kernel/osrelease");
    let words = [
        Some(std::env::consts::OS.to_owned()),
        kernel,
        Some(std::env::consts::ARCH.to_owned()),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Returns a row of the kernel's account of memory, in bytes.
fn memory(row: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(row))?;
    let kibibytes: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1_024)
}

#[cfg(unix)]
fn user() -> Option<String> {
    let number = super::sys::effective_user();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    });
    Some(match name {
        Some(name) => format!("{name} ({number})"),
        None => format!("{number}, which has no name"),
    })
}

#[cfg(not(unix))]
fn user() -> Option<String> {
    std::env::var("USERNAME").ok()
}

/// Returns which control groups there are, and which resources they can limit.
fn cgroups() -> Option<String> {
    if !std::path::Path::new("/proc/self/cgroup").exists() {
        return None;
    }
    if let Some(controllers) = line("/sys/fs/cgroup/cgroup.controllers") {
        let words: Vec<&str> = controllers.split_whitespace().collect();
        return Some(format!("v2 ({})", listed(&words)));
    }
    let names = ["cpu", "memory", "pids"];
    let mounted = names
        .into_iter()
        .filter(|name| fs::exists(format!("/sys/fs/cgroup/{name}")).unwrap_or(false));
    let mounted: Vec<&str> = mounted.collect();
    Some(if mounted.is_empty() {
        "the kernel has them, but none is mounted".to_owned()
    } else {
        format!("v1 ({})", listed(&mounted))
    })
}

fn listed(words: &[&str]) -> String {
    if words.is_empty() {
        "no controllers".to_owned()
    } else {
        words.join(", ")
    }
}

/// Returns the kinds of namespaces of the kernel, and whether an ordinary user is kept from making them.
fn namespaces() -> Option<String> {
    let entries = fs::read_dir("/proc/self/ns").ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| !name.contains("_for_")).collect();
    names.sort_unstable();
    let mut said = names.join(", ");
    let off = SWITCHES.iter().filter(|(path, value)| {
        line(&format!("/proc/sys/{path}")).is_some_and(|found| found == *value)
    });
    for (path, value) in off {
        let name = path.replace('/', ".");
        said.push_str(&format!(
            "; ordinary users are kept from making them (sysctl {name} is {value})"
        ));
    }
    Some(said)
}

/// The time of all CPUs together since the machine started, in ticks.
struct CpuTime {
    busy: u64,
    passed: u64,
    /// How many CPUs are counted.
    cpus: f64,
}

fn cpu_time() -> Option<CpuTime> {
    parse_cpu_time(&fs::read_to_string("/proc/stat").ok()?)
}

fn parse_cpu_time(text: &str) -> Option<CpuTime> {
    let total = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // user nice system idle iowait irq softirq steal; what comes after is in user and nice already.
    let ticks = total.split_whitespace().take(8).map(str::parse::<u64>);
    let ticks: Vec<u64> = ticks.collect::<Result<_, _>>().ok()?;
    let at = |position: usize| ticks.get(position).copied().unwrap_or(0);
    let busy = at(0) + at(1) + at(2) + at(5) + at(6);
    let cpus = text.lines().filter(|line| {
        line.strip_prefix("cpu")
            .is_some_and(|rest| rest.starts_with(|character: char| character.is_ascii_digit()))
    });
    Some(CpuTime {
        busy,
        passed: ticks.iter().sum(),
        cpus: ratio(cpus.count() as u64, 1),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "ticks and CPUs are far below 2^52, and the result is shown with one digit"
)]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// Asks a program for its version.
fn version(program: &std::path::Path) -> Result<String, String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
    let mut said = String::new();
    if let Some(output) = child.stdout.take() {
        // What cannot be read says no version, which is told below.
        drop(output.take(LONGEST_VERSION).read_to_string(&mut said));
    }
    let ended = child.wait().map_err(|error| error.to_string())?;
    match said.lines().next() {
        Some(line) if ended.success() => Ok(line.to_owned()),
        _ => Err(format!("{} does not say its version", program.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_busy_unless_idle_waiting_or_stolen() {
        let text = "cpu  10 20 30 400 50 6 7 80 1 2\ncpu0 5 10 15 200 25 3 3 40 0 1\ncpu1 1 1 1 1 1 1 1 1 0 0\nctxt 9\n";
        let time = parse_cpu_time(text).unwrap();
        assert_eq!((time.busy, time.passed), (73, 603));
        assert!((time.cpus - 2.0).abs() < f64::EPSILON);
        assert!(parse_cpu_time("cpu  1 x\n").is_none());
        assert!(parse_cpu_time("").is_none());
    }

    #[test]
    fn a_program_that_is_not_there_is_said_to_be_missing() {
        let missing = version(std::path::Path::new("/no/such/program")).unwrap_err();
        assert!(missing.starts_with("/no/such/program cannot"), "{missing}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_says_what_it_is() {
        let machine = look(&[]);
        assert!(machine.system.starts_with("linux "), "{machine:?}");
        assert!(machine.cpus >= 1 && machine.memory > machine.memory_available);
        assert!(machine.user.is_some_and(|user| user.ends_with(')')));
        assert!(
            machine
                .foreign_load
                .is_some_and(|load| (0.0..=4096.0).contains(&load))
        );
        assert!(
            machine
                .namespaces
                .is_some_and(|kinds| kinds.contains("mnt"))
        );
    }
}
