//! Control groups: what all tests of a pass together may use of the CPUs and of memory.
//!
//! A group is made before the first trial of a pass, joined by each trial before its program starts, and removed after
//! the last. Its name begins with that of the run directory, which also lists it: whoever removes the one removes the
//! other. Must not know: tests, arms.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

mod place;

use place::{Controller, Place, Version};

/// The file of the run directory that lists its groups.
const LIST: &str = "groups";
/// The period over which the use of CPUs is counted, in microseconds: what containers have.
const PERIOD_US: u64 = 100_000;
/// How long processes that were killed may still count as members.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two attempts to remove a group.
const RETRY: Duration = Duration::from_millis(5);

/// What all tests of a pass together may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quotas {
    /// Processor time in percent of one CPU.
    pub(crate) cpu_percent: Option<u64>,
    /// Resident memory in bytes.
    pub(crate) memory: Option<u64>,
}

/// The groups of a pass. They are removed when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    directories: Vec<PathBuf>,
}

impl Groups {
    /// Makes the groups of pass `number` for `quotas`; none where there are none.
    ///
    /// # Errors
    /// Why there can be none, and what to do, for people.
    pub(crate) fn make(quotas: Quotas, run_directory: &Path, number: u32) -> Result<Self, String> {
        let wanted = [
            quotas.cpu_percent.map(|_| Controller::Cpu),
            quotas.memory.map(|_| Controller::Memory),
        ];
        let wanted: Vec<Controller> = wanted.into_iter().flatten().collect();
        let mut groups = Self::default();
        if wanted.is_empty() {
            return Ok(groups);
        }
        let run = run_directory.file_name().unwrap_or_default();
        let name = format!("{}-{number}", run.to_string_lossy());
        for (controller, place) in place::places(&wanted)? {
            let directory = place.directory.join(&name);
            if !groups.directories.contains(&directory) {
                list(run_directory, &directory)
                    .map_err(|error| format!("the list of control groups: {error}"))?;
                // What an earlier attempt left behind.
                drop(fs::remove_dir(&directory));
                fs::create_dir(&directory).map_err(|error| place.refusal(controller, &error))?;
                groups.directories.push(directory.clone());
            }
            set(controller, place.version, quotas, &directory)?;
        }
        Ok(groups)
    }

    /// Returns the files that a process writes `0` to in order to join.
    pub(crate) fn doors(&self) -> Vec<PathBuf> {
        let directories = self.directories.iter();
        directories
            .map(|directory| directory.join("cgroup.procs"))
            .collect()
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for directory in &self.directories {
            remove(directory);
        }
    }
}

/// Adds `group` to the list in `run_directory`.
fn list(run_directory: &Path, group: &Path) -> io::Result<()> {
    let mut list = fs::File::options()
        .append(true)
        .create(true)
        .open(run_directory.join(LIST))?;
    list.write_all(format!("{}\n", group.display()).as_bytes())
}

/// Removes every group that the list in `run_directory` names and that bears its name.
pub(crate) fn remove_listed(run_directory: &Path) {
    let Some(name) = run_directory.file_name().and_then(|name| name.to_str()) else {
        return;
    };
    let prefix = format!("{name}-");
    let listed = fs::read_to_string(run_directory.join(LIST)).unwrap_or_default();
    for group in listed.lines().map(Path::new) {
        let named = group.file_name().and_then(|name| name.to_str());
        if named.is_some_and(|named| named.starts_with(&prefix)) {
            remove(group);
        }
    }
}

/// Removes an empty group. Gives up on one whose members do not end.
fn remove(group: &Path) {
    let began = Instant::now();
    while let Err(error) = fs::remove_dir(group) {
        if error.kind() == io::ErrorKind::NotFound || began.elapsed() > PATIENCE {
            return;
        }
        std::thread::sleep(RETRY);
    }
}

/// Sets the limit of one controller.
fn set(
    controller: Controller,
    version: Version,
    quotas: Quotas,
    directory: &Path,
) -> Result<(), String> {
    let put = |file: &str, text: String| {
        fs::write(directory.join(file), &text)
            .map_err(|error| format!("the control group does not take {text} as {file}: {error}"))
    };
    let cpu_us = quotas.cpu_percent.unwrap_or(100).saturating_mul(PERIOD_US) / 100;
    let memory = quotas.memory.unwrap_or(u64::MAX);
    match (controller, version) {
        (Controller::Cpu, Version::V1) => {
            put("cpu.cfs_period_us", PERIOD_US.to_string())?;
            put("cpu.cfs_quota_us", cpu_us.to_string())
        }
        (Controller::Cpu, Version::V2) => put("cpu.max", format!("{cpu_us} {PERIOD_US}")),
        (Controller::Memory, Version::V1) => {
            put("memory.limit_in_bytes", memory.to_string())?;
            // Memory that is swapped out would not count. Not every kernel counts swap.
            drop(put("memory.memsw.limit_in_bytes", memory.to_string()));
            Ok(())
        }
        (Controller::Memory, Version::V2) => {
            put("memory.max", memory.to_string())?;
            drop(put("memory.swap.max", "0".to_owned()));
            Ok(())
        }
    }
}

/// Returns the limits of the groups the calling process is in itself.
pub(crate) fn own_limits() -> Quotas {
    let read = |controller| Some((place::own(controller)?, controller));
    let limit = |(place, controller): (Place, Controller)| {
        let number = |file: &str| -> Option<u64> {
            let text = fs::read_to_string(place.directory.join(file)).ok()?;
            text.trim().parse().ok()
        };
        match (controller, place.version) {
            (Controller::Cpu, Version::V1) => {
                let (quota, period) = (number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us")?);
                quota.checked_mul(100)?.checked_div(period)
            }
            (Controller::Cpu, Version::V2) => {
                let text = fs::read_to_string(place.directory.join("cpu.max")).ok()?;
                let (quota, period) = text.trim().split_once(' ')?;
                let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
                quota.checked_mul(100)?.checked_div(period)
            }
            (Controller::Memory, Version::V1) => number("memory.limit_in_bytes"),
            (Controller::Memory, Version::V2) => number("memory.max"),
        }
    };
    Quotas {
        cpu_percent: read(Controller::Cpu).and_then(limit),
        memory: read(Controller::Memory).and_then(limit),
    }
}

#[cfg(test)]
mod tests;
