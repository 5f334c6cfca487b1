//! Looking around: every observation a canary makes. Each is an attempt of the real thing where that does no harm.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use std::os::fd::AsFd;

use super::{CanaryReport, Directory, Input, LocalTime, Terminal, person};
use crate::exec::sandbox::{Resource, fingerprint, xdg_variables};
use crate::exec::sys::terminal;
use crate::exec::{group, sys};

/// Midnight UTC on 15 January and on 15 July 2026, in seconds after 1970.
const JANUARY: i64 = 1_768_435_200;
const JULY: i64 = 1_784_073_600;
/// Files it tries to open at most.
const MOST_FILES: u64 = 5_000;

/// Returns what this process sees. `own` names what is the runner's own: only that is written to.
pub(super) fn around(own: &[&str], names: &[String]) -> CanaryReport {
    // Before anything is opened.
    let descriptors = descriptors();
    let (blocked_signals, ignored_signals) = sys::signal_state();
    let quotas = group::own_limits();
    let (files_opened, open_error) = open_files();
    CanaryReport {
        variables: names
            .iter()
            .map(|name| (name.clone(), variable(name)))
            .collect(),
        tz: std::env::var("TZ").ok(),
        zone: zone(),
        local_time: local_time(),
        locale: sys::adopt_locale(),
        locale_asked_for: locale_asked_for(),
        hostname: hostname(),
        cpus: sys::allowed_cpus(),
        parallelism: std::thread::available_parallelism().map_or(0, usize::from),
        cpu_quota_percent: quotas.cpu_percent,
        memory_quota: quotas.memory,
        limits: limits(),
        files_opened,
        open_error,
        umask: sys::umask(),
        nice: sys::niceness(),
        timer_slack_ns: timer_slack_ns(),
        short_sleep_us: short_sleep_us(),
        thread_stack: thread_stack(),
        home: directory("HOME", own.contains(&"home")),
        tmpdir: directory("TMPDIR", true),
        xdg: xdg_variables()
            .filter(|_| own.contains(&"xdg"))
            .map(|name| (name.to_owned(), directory(name, true)))
            .collect(),
        person: person::look(),
        input: input(),
        terminal: terminals(),
        blocked_signals,
        ignored_signals,
        descriptors,
        directory: std::env::current_dir()
            .map(|path| path.display().to_string())
            .unwrap_or_default(),
        ..CanaryReport::default()
    }
}

fn input() -> Input {
    let link = fs::read_link("/proc/self/fd/0").ok();
    let ready = sys::wait_readable(&[io::stdin().as_fd()], Some(0));
    Input {
        open_at_start: sys::stdin_at_start(),
        kind: link.map(|link| link.display().to_string()),
        readable: ready.is_ok_and(|ready| ready.contains(&true)),
    }
}

fn terminals() -> Terminal {
    use std::io::IsTerminal;
    Terminal {
        is: [
            io::stdin().is_terminal(),
            io::stdout().is_terminal(),
            io::stderr().is_terminal(),
        ],
        controlling_error: File::open("/dev/tty").err().map(|error| error.to_string()),
        size: terminal::size(io::stdout().as_fd()),
    }
}

fn variable(name: &str) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    std::env::var_os(name).map(|value| fingerprint(value.as_bytes()))
}

/// Returns the name of the zone that the file of the system is a link to.
fn zone() -> Option<String> {
    let file = fs::read_link("/etc/localtime").ok()?;
    let (_, name) = file.to_str()?.split_once("zoneinfo/")?;
    Some(name.to_owned())
}

/// Returns the locale that the variables ask for, the first that is set in the order of the C library.
fn locale_asked_for() -> Option<String> {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let asked = names.filter_map(set).next();
    Some(match asked.as_deref() {
        None | Some("POSIX") => "C".to_owned(),
        Some(name) => name.to_owned(),
    })
}

fn hostname() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn local_time() -> LocalTime {
    let (january_s, abbreviation) = sys::local_time(JANUARY);
    let (july_s, _) = sys::local_time(JULY);
    LocalTime {
        january_s,
        july_s,
        abbreviation,
    }
}

fn limits() -> BTreeMap<Resource, u64> {
    Resource::ALL
        .into_iter()
        .filter_map(|resource| Some((resource, sys::limit(resource.number()).ok()?.0)))
        .collect()
}

fn timer_slack_ns() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/timerslack_ns").ok()?;
    text.trim().parse().ok()
}

fn short_sleep_us() -> u64 {
    let began = Instant::now();
    std::thread::sleep(Duration::from_millis(1));
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Opens files until it may not.
fn open_files() -> (u64, Option<String>) {
    let mut files = Vec::new();
    for opened in 0..MOST_FILES {
        match File::open("/dev/null") {
            Ok(file) => files.push(file),
            Err(error) => return (opened, Some(error.to_string())),
        }
    }
    (MOST_FILES, None)
}

fn descriptors() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    let mut found: Vec<i32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    // The descriptor of the listing itself is closed by now.
    found.retain(|descriptor| Path::new(&format!("/proc/self/fd/{descriptor}")).exists());
    found.sort_unstable();
    found
}

fn thread_stack() -> Option<u64> {
    std::thread::Builder::new()
        .spawn(sys::own_stack)
        .ok()?
        .join()
        .ok()?
}

/// Looks at the directory in variable `name`; makes a file and a socket in it if it is `own`.
fn directory(name: &str, own: bool) -> Directory {
    let Some(path) = std::env::var_os(name).map(PathBuf::from) else {
        return Directory::default();
    };
    let try_to = |attempt: &dyn Fn(&Path) -> io::Result<()>| {
        let file = path.join(format!("canary-{}", std::process::id()));
        let result = attempt(&file);
        drop(fs::remove_file(&file));
        result.err().map(|error| error.to_string())
    };
    let exists = path.is_dir();
    Directory {
        path: Some(path.display().to_string()),
        exists,
        is_link: fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink()),
        entries: fs::read_dir(&path)
            .ok()
            .map(|entries| entries.count() as u64),
        write_error: if own && exists {
            try_to(&|file| File::create_new(file).map(drop))
        } else {
            Some("not tried".to_owned())
        },
        socket_error: if own && exists {
            try_to(&|file| UnixListener::bind(file).map(drop))
        } else {
            None
        },
    }
}
