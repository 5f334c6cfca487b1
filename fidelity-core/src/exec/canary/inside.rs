//! What a canary is asked for where looking costs something: the network, the room there is, calls, the clock.
//!
//! Must not know: what was asked of the pass. Invariant: it uses up only what belongs to the pass, and gives it back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::attempts;
use super::passing_time::{self, ClockSeen};
use super::room::{self, RoomSeen};
use super::sockets::{self, NetworkSeen, PortsSeen};
use crate::exec::{seccomp, stage};

/// What a canary saw where it was asked to; nothing where it was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inside {
    /// `network`.
    pub(crate) network: Option<NetworkSeen>,
    /// `ports=N`: what came of N connections and one more.
    pub(crate) ports: Option<PortsSeen>,
    /// `hostname`.
    pub(crate) hostname: Option<String>,
    /// `pids`.
    pub(crate) pids: Option<PidsSeen>,
    /// `places`: directories, and whether they are read-only for everybody.
    pub(crate) places: Option<BTreeMap<String, bool>>,
    /// `room=BYTES,FILES`: whether the temporary directory is full after so much.
    pub(crate) room: Option<RoomSeen>,
    /// `families`: why no socket of IPv4, and of IPv6, can be made.
    pub(crate) families: Option<(Option<String>, Option<String>)>,
    /// `call=NAME`: the errors of the calls that the name stands for, 0 for success.
    pub(crate) calls: BTreeMap<String, Vec<i32>>,
    /// Whether a filter of system calls is in force.
    pub(crate) filtered: bool,
    /// `clock`.
    pub(crate) clock: Option<ClockSeen>,
    /// Between which moments it looked, in real seconds after 1970; filled in by the runner.
    #[serde(skip)]
    pub(crate) asked_s: (i64, i64),
    /// Why no mounts are to be had, where that was found out; filled in by the runner.
    #[serde(skip)]
    pub(crate) no_mounts: Option<String>,
}

/// What processes there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PidsSeen {
    /// How many can be seen.
    pub(crate) seen: usize,
    /// The own number.
    pub(crate) own: u32,
    /// Whether the first of them keeps a stage.
    pub(crate) alone: bool,
}

/// Returns what this process sees of what `asks` name.
pub(super) fn look(asks: &[String]) -> Inside {
    let mut inside = Inside::default();
    let (calls, others): (Vec<_>, Vec<_>) = asks.iter().partition(|ask| ask.starts_with("call="));
    // Calls last: what they are refused with must not be in the way of anything else.
    for ask in others.into_iter().chain(calls) {
        let (what, how) = ask.split_once('=').unwrap_or((ask, ""));
        match what {
            "network" => inside.network = Some(sockets::network()),
            "ports" => inside.ports = sockets::ports(how.parse().unwrap_or(0)),
            "hostname" => inside.hostname = hostname(),
            "pids" => inside.pids = Some(pids()),
            "places" => inside.places = Some(places()),
            "room" => inside.room = Some(room::fill(how)),
            "families" => inside.families = Some(attempts::families()),
            "clock" => inside.clock = Some(passing_time::look()),
            "call" => {
                let errors = seccomp::calls(how).iter().map(attempts::call).collect();
                inside.calls.insert(how.to_owned(), errors);
            }
            _ => {}
        }
    }
    inside.filtered = std::fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| status.lines().any(|line| line == "Seccomp:\t2"));
    inside
}

fn hostname() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim_end().to_owned())
}

fn pids() -> PidsSeen {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_number = |name: &std::ffi::OsStr| {
        let name = name.to_str().unwrap_or_default();
        name.parse::<u32>().is_ok()
    };
    let first = std::fs::read("/proc/1/cmdline").unwrap_or_default();
    PidsSeen {
        seen: entries
            .filter(|entry| is_number(&entry.file_name()))
            .count(),
        own: std::process::id(),
        alone: first
            .split(|&byte| byte == 0)
            .any(|word| word == stage::ARGUMENT.as_bytes()),
    }
}

/// Tries to make a file without a name in the directories in which somebody might: nothing is left of it.
fn places() -> BTreeMap<String, bool> {
    let mut places: Vec<String> = ["/", "/tmp", "/var/tmp"].map(str::to_owned).into();
    let here = std::env::current_dir().ok();
    places.extend(here.map(|path| path.display().to_string()));
    places
        .into_iter()
        .filter(|place| std::path::Path::new(place).is_dir())
        .map(|place| {
            let error = attempts::nameless_file(&place).err();
            let number = error.and_then(|error| error.raw_os_error());
            (place, number == Some(libc::EROFS))
        })
        .collect()
}
