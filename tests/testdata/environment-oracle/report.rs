//! Writes down what this process can see of the way it was started, one fact per line, to `$ORACLE_OUT/<binary>`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

pub fn write() {
    let mut report = String::new();
    for (position, argument) in std::env::args_os().enumerate() {
        line(&mut report, &format!("argument {position}"), format!("{argument:?}"));
    }
    line(&mut report, "directory", format!("{:?}", std::env::current_dir().unwrap()));
    environment(&mut report);
    limits(&mut report);
    descriptors(&mut report);
    status(&mut report);
    session(&mut report);
    for file in ["cgroup", "oom_score_adj", "timerslack_ns", "personality"] {
        let value = fs::read_to_string(Path::new("/proc/self").join(file)).unwrap_or_default();
        line(&mut report, file, value.trim().replace('\n', " "));
    }
    let binary = PathBuf::from(std::env::args_os().next().unwrap());
    let out = PathBuf::from(std::env::var_os("ORACLE_OUT").expect("ORACLE_OUT"));
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join(binary.file_name().unwrap()), report).unwrap();
}

fn line(report: &mut String, name: &str, value: String) {
    writeln!(report, "{name}: {value}").unwrap();
}

/// From the kernel, so that what is set twice is seen twice.
fn environment(report: &mut String) {
    let block = fs::read("/proc/self/environ").unwrap();
    let mut entries: Vec<&[u8]> = block.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()).collect();
    entries.sort();
    for entry in entries {
        let equals = entry.iter().position(|byte| *byte == b'=').unwrap_or(entry.len());
        let (name, value) = entry.split_at(equals);
        line(report, &format!("variable {}", name.escape_ascii()), value.escape_ascii().to_string());
    }
}

fn limits(report: &mut String) {
    for limit in fs::read_to_string("/proc/self/limits").unwrap().lines().skip(1) {
        let words: Vec<&str> = limit.split_whitespace().collect();
        line(report, "limit", words.join(" "));
    }
}

/// The kind of each open descriptor but the one that is open to look.
fn descriptors(report: &mut String) {
    let mut open: Vec<(u32, PathBuf)> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, fs::read_link(entry.path()).ok()?)))
        .filter(|(_, target)| !target.starts_with(format!("/proc/{}/fd", std::process::id())))
        .collect();
    open.sort();
    for (number, target) in open {
        let target = target.to_string_lossy().into_owned();
        let kind = match target.split_once(':') {
            Some((kind @ ("pipe" | "socket"), _)) => kind.to_owned(),
            _ => target,
        };
        line(report, &format!("descriptor {number}"), kind);
    }
}

/// Signals, identities, privileges, processors, umask. Of the thread that runs the test, as `cargo test` makes one.
fn status(report: &mut String) {
    const WANTED: [&str; 19] = [
        "Umask", "Uid", "Gid", "FDSize", "Groups", "Threads", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh",
        "CapPrm", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "Cpus_allowed", "Mems_allowed",
    ];
    for entry in fs::read_to_string("/proc/thread-self/status").unwrap().lines() {
        let (name, value) = entry.split_once(':').unwrap_or((entry, ""));
        if WANTED.contains(&name) {
            line(report, &format!("status {name}"), value.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
}

/// Fields 5 to 8, 18 and 19 of stat(5), process numbers turned into what they say.
fn session(report: &mut String) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let own = std::process::id().to_string();
    line(report, "leads its process group", (fields[2] == own).to_string());
    line(report, "leads its session", (fields[3] == own).to_string());
    line(report, "terminal", fields[4].to_owned());
    line(report, "foreground group", (fields[5] != "-1").to_string());
    line(report, "priority", fields[15].to_owned());
    line(report, "niceness", fields[16].to_owned());
}
