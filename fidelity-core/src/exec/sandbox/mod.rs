//! The sandbox of an arm: the environment of one pass as things that can be imposed on a process.
//!
//! Each family of knobs has a file of its own, which says how a value becomes part of the `Sandbox` and by which
//! observation of the [canary](super::canary) it is known to have arrived. Must not know: tests, passes, guardians.
//! Invariant: preparing is a function of values. What has to exist on disk is a `Place` that the runner makes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::canary::CanaryReport;
use super::group::Quotas;
use super::guardian::Pauses;
use super::load::LoadShape;
use super::seccomp::Refusal;
use super::stage::{NoStage, Part, Plan};
use crate::domain::{Environment, KnobId, KnobValue, Tier};

mod clock;
mod cpu_load;
mod cpus;
mod faults;
mod filesystem;
mod home;
mod hostname;
mod idmap;
mod limits;
mod locale;
mod network;
mod nice;
mod order;
mod pauses;
mod pids;
mod process;
mod quotas;
mod stack;
mod stdin;
#[cfg(test)]
mod tests;
mod threads;
mod timer_slack;
mod tmpdir;
mod tty;
mod tz;
mod umask;
mod user;
mod variables;
mod xdg;

pub(crate) use idmap::{NotMapped, Owner, Tree, namespace};
pub(crate) use limits::{Limit, Resource};
pub(crate) use process::Several;
pub(crate) use stdin::Stdin;
pub(crate) use tty::SIZE as TERMINAL_SIZE;
pub(crate) use user::{Identity, NAME as USER};
pub(crate) use variables::fingerprint;
pub(crate) use xdg::variables as xdg_variables;

/// What a guardian imposes on a process before its program starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Confinement {
    /// How many CPUs it may use; none leaves them alone.
    pub(crate) cpus: Option<usize>,
    /// Resource limits, soft and hard.
    pub(crate) limits: Vec<Limit>,
    /// The file mode creation mask.
    pub(crate) umask: Option<u32>,
    /// The niceness.
    pub(crate) nice: Option<i32>,
    /// Whether writing past the file size limit is an error of the write instead of a deadly signal.
    pub(crate) ignore_file_size_signal: bool,
    /// Its standard input; none leaves the guardian's, which is the null device.
    pub(crate) stdin: Option<Stdin>,
    /// Whether it has a session of its own and terminals for its input, output and errors.
    pub(crate) terminal: bool,
    /// Who it becomes; none leaves it the guardian's user.
    pub(crate) identity: Option<Identity>,
    /// Trees that look as if somebody else owned them.
    pub(crate) mapped: Option<Mapped>,
    /// System calls that are refused.
    pub(crate) refusals: Vec<Refusal>,
    /// Whether a library is loaded that keeps shared memory under the number of each process that it is loaded into.
    pub(crate) leaves_shared_memory: bool,
    /// How late its timers may be, in nanoseconds.
    pub(crate) timer_slack_ns: Option<u64>,
    /// How often, and for how long, it stands still.
    pub(crate) pauses: Option<Pauses>,
    /// The control groups it joins, by the files that take new members.
    pub(crate) groups: Vec<PathBuf>,
}

/// Trees that look as if somebody else owned them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mapped {
    /// The trees.
    pub(crate) trees: Vec<Tree>,
    /// Who seems to own them.
    pub(crate) owner: Owner,
}

impl Confinement {
    /// Returns the CPUs a process in `slot` may use: its share of `allowed`, so that slots do not crowd on the first.
    /// Empty where CPUs are left alone.
    pub(crate) fn window(&self, allowed: &[usize], slot: usize) -> Vec<usize> {
        let Some(wanted) = self.cpus else {
            return Vec::new();
        };
        let first = slot.saturating_mul(wanted) % allowed.len().max(1);
        let turned = allowed.iter().cycle().skip(first);
        turned.take(wanted.min(allowed.len())).copied().collect()
    }
}

/// Something that has to exist before the first process of a pass starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A directory with these permissions; its parents are made as needed.
    Directory {
        /// Where.
        path: PathBuf,
        /// Its permissions once everything in it is made.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// Where.
        path: PathBuf,
        /// What it points to.
        to: PathBuf,
    },
}

/// The environment of one pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sandbox {
    /// What the guardian imposes.
    pub(crate) confinement: Confinement,
    /// Variables to set, or to remove.
    pub(crate) variables: BTreeMap<OsString, Option<OsString>>,
    /// What has to exist.
    pub(crate) places: Vec<Place>,
    /// The namespaces of the pass.
    pub(crate) stage: Plan,
    /// Trials at a time.
    pub(crate) threads: Option<usize>,
    /// What all trials together may use.
    pub(crate) quotas: Quotas,
    /// What keeps the CPUs busy beside them.
    pub(crate) load: Option<LoadShape>,
    /// Whether the tests start in an order drawn by seed; where tests share processes, the binaries.
    pub(crate) shuffle: bool,
    /// Whether the tests of a binary share a process.
    pub(crate) shared: bool,
    /// Whether libtest shuffles the tests within such a process.
    pub(crate) shuffle_within: bool,
    /// Whether cargo and rustup are told where their own homes are, because HOME no longer leads there.
    pub(crate) pin_tool_homes: bool,
    /// Resolved values that must not be shown.
    pub(crate) secrets: Vec<String>,
}

impl Sandbox {
    /// Sets variable `name` to `value`.
    fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.insert(name.into(), Some(value.into()));
    }
}

/// Where a sandbox is prepared.
pub(crate) struct Scene<'a> {
    /// The directory of the pass. Nothing in its path tells the arm.
    pub(crate) pass_directory: &'a Path,
    /// The CPUs this process may use; 0 where the system does not say.
    pub(crate) cpus: usize,
    /// Looks up a variable of this process, for references.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    /// Finds out whether this machine allows mounts of one's own.
    pub(crate) mounts: &'a dyn Fn() -> Result<(), String>,
    /// Returns where the library is that shifts the clock, if it is installed.
    pub(crate) faketime: &'a dyn Fn() -> Option<PathBuf>,
    /// Directories besides that of the pass that tests may always write to.
    pub(crate) writable: &'a [PathBuf],
    /// Whether this process has the privileges of root, so that permissions do not stop it.
    pub(crate) privileged: bool,
}

/// A family of knobs.
trait Family: Sync {
    /// Returns whether `knob` belongs to the family.
    fn owns(&self, knob: &KnobId) -> bool;

    /// Works the value into `sandbox`. The error is a sentence for people: why it cannot be, and what to do.
    fn prepare(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        sandbox: &mut Sandbox,
        scene: &Scene<'_>,
    ) -> Result<(), String>;

    /// Judges by what the canary saw whether the value arrived. Both texts are for people.
    fn observe(
        &self,
        knob: &KnobId,
        value: &KnobValue,
        seen: &CanaryReport,
    ) -> Result<String, String>;

    /// Returns whether `value` is harsher than what production has.
    fn harsher(&self, value: &KnobValue, production: &KnobValue) -> bool;

    /// Returns what imposing `value` needs of the machine. It groups; whether it is there is found out by trying.
    fn tier(&self, knob: &KnobId, value: &KnobValue) -> Tier {
        if self.parts(knob, value).is_empty() {
            Tier::Portable
        } else {
            Tier::Namespaced
        }
    }

    /// Returns whether test binaries are needed to see if the value arrives: a canary alone cannot tell.
    fn needs_binaries(&self, _value: &KnobValue) -> bool {
        false
    }

    /// Returns what the canary has to be asked for, where it does not look by itself: see `canary::inside`.
    fn asks(&self, _knob: &KnobId, _value: &KnobValue) -> Option<String> {
        None
    }

    /// Returns the parts of a stage without which the value cannot be.
    fn parts(&self, _knob: &KnobId, _value: &KnobValue) -> &'static [Part] {
        &[]
    }

    /// Says what comes closest to the value without a stage.
    fn instead(&self, _knob: &KnobId, _value: &KnobValue) -> Option<&'static str> {
        None
    }
}

const FAMILIES: &[&dyn Family] = &[
    &clock::Clock,
    &cpu_load::CpuLoad,
    &cpus::Cpus,
    &faults::Faults,
    &filesystem::Filesystem,
    &home::Home,
    &hostname::Hostname,
    &limits::Limits,
    &locale::Locale,
    &network::Network,
    &nice::Nice,
    &order::Order,
    &pids::Pids,
    &process::Process,
    &pauses::Pauses,
    &quotas::Quotas,
    &stack::Stack,
    &stdin::StandardInput,
    &threads::Threads,
    &timer_slack::TimerSlack,
    &tmpdir::Tmpdir,
    &tty::Tty,
    &tz::Tz,
    &umask::Umask,
    &user::User,
    &variables::Variables,
    &xdg::Xdg,
];

/// Returns the family of `knob`.
fn family(knob: &KnobId) -> Result<&'static dyn Family, String> {
    FAMILIES
        .iter()
        .copied()
        .find(|family| family.owns(knob))
        .ok_or_else(|| "this version cannot impose it".to_owned())
}

/// Returns the sandbox of `environment`, and the knobs that cannot be part of it with the reason.
///
/// Every pass gets a temporary directory of its own, in both arms.
pub(crate) fn prepare(
    environment: &Environment,
    scene: &Scene<'_>,
) -> (Sandbox, Vec<(KnobId, String)>) {
    let mut sandbox = Sandbox::default();
    let mut refused = Vec::new();
    if !environment.0.contains_key(&KnobId::from(tmpdir::NAME)) {
        tmpdir::plain(&mut sandbox, scene);
    }
    for (knob, value) in &environment.0 {
        // Work on a copy: a family that refuses half-way leaves nothing behind.
        let mut next = sandbox.clone();
        match family(knob).and_then(|family| family.prepare(knob, value, &mut next, scene)) {
            Ok(()) => sandbox = next,
            Err(reason) => refused.push((knob.clone(), reason)),
        }
    }
    (sandbox, refused)
}

/// Returns what the canary has to be asked for under `environment`.
pub(crate) fn asks(environment: &Environment) -> Vec<String> {
    let asks = environment.0.iter();
    asks.filter_map(|(knob, value)| family(knob).ok()?.asks(knob, value))
        .collect()
}

/// Returns the knobs of `environment` that are not to be had because there is no stage for them, each with the reason
/// and what comes closest. Empty where no knob needs what failed.
pub(crate) fn without_stage(environment: &Environment, missing: &NoStage) -> Vec<(KnobId, String)> {
    let stranded = environment.0.iter().filter_map(|(knob, value)| {
        let family = family(knob).ok()?;
        let parts = family.parts(knob, value);
        let hit = parts.contains(&missing.part) || missing.part == Part::Whole && !parts.is_empty();
        let instead = family.instead(knob, value);
        let advice = instead.map_or_else(String::new, |instead| format!("; {instead}"));
        hit.then(|| (knob.clone(), format!("{}{advice}", missing.reason)))
    });
    stranded.collect()
}

/// Judges whether `value` of `knob` arrived. See [`Family::observe`].
pub(crate) fn observe(
    knob: &KnobId,
    value: &KnobValue,
    seen: &CanaryReport,
) -> Result<String, String> {
    family(knob)?.observe(knob, value, seen)
}

/// Returns whether `value` of `knob` is harsher than the production fact.
pub(crate) fn harsher(knob: &KnobId, value: &KnobValue, production: &KnobValue) -> bool {
    value != production && family(knob).is_ok_and(|family| family.harsher(value, production))
}

/// Returns what imposing `value` of `knob` needs of the machine.
pub(crate) fn tier(knob: &KnobId, value: &KnobValue) -> Tier {
    family(knob).map_or(Tier::Portable, |family| family.tier(knob, value))
}

/// Returns whether it takes test binaries to see if some of `values` arrive.
pub(crate) fn needs_binaries(knob: &KnobId, values: &[KnobValue]) -> bool {
    family(knob).is_ok_and(|family| values.iter().any(|value| family.needs_binaries(value)))
}

/// Returns the number in `value`, whatever it counts.
fn number(value: &KnobValue) -> Result<u64, String> {
    match value {
        KnobValue::Count(number) | KnobValue::Bytes(number) => Ok(*number),
        KnobValue::Mode(mode) => Ok(u64::from(*mode)),
        KnobValue::Duration(milliseconds) => Ok(*milliseconds),
        KnobValue::Share(percent) => Ok(u64::from(*percent)),
        _ => Err(format!("`{value}` is not a number")),
    }
}

/// Returns the value called `name` in a table.
fn part<'a>(value: &'a KnobValue, name: &str) -> Result<&'a KnobValue, String> {
    match value {
        KnobValue::Table(values) => values
            .get(name)
            .ok_or_else(|| format!("`{value}` does not say `{name}`")),
        _ => Err(format!("`{value}` is not a table")),
    }
}

/// Returns the text in `value`.
fn text(value: &KnobValue) -> Result<&str, String> {
    match value {
        KnobValue::Text(text) => Ok(text),
        _ => Err(format!("`{value}` is not a text")),
    }
}

/// Returns whether `value` says yes.
fn flag(value: &KnobValue) -> Result<bool, String> {
    match value {
        KnobValue::Flag(flag) => Ok(*flag),
        _ => Err(format!("`{value}` is neither true nor false")),
    }
}

/// Returns whether both are numbers and `value` is the smaller.
fn smaller(value: &KnobValue, production: &KnobValue) -> bool {
    matches!((number(value), number(production)), (Ok(value), Ok(production)) if value < production)
}
