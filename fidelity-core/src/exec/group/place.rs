//! Where control groups can be made: version 1 (a hierarchy for each controller) or version 2 (one for all), as root or
//! where a part of the hierarchy was handed over.
//!
//! Groups are made as close to the own group as can be, so that what limits this process limits the trials as well.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What limits one kind of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    Cpu,
    Memory,
}

impl Controller {
    fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }
}

/// The version of a hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// A group's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) version: Version,
    pub(super) directory: PathBuf,
    /// Where its hierarchy is mounted.
    mount: PathBuf,
}

impl Place {
    /// Says why no group could be made here, and what to do.
    pub(super) fn refusal(&self, controller: Controller, error: &io::Error) -> String {
        let what = format!(
            "no control group for {} can be made in {}: {error}",
            controller.name(),
            self.directory.display()
        );
        let fix = match (error.kind(), self.version) {
            (io::ErrorKind::ReadOnlyFilesystem, _) => {
                "containers see their groups read-only; start this one with a writable /sys/fs/cgroup, or set the limit of the container itself"
            }
            (_, Version::V1) => "run as root, or have the administrator hand a group over",
            (_, Version::V2) => DELEGATE,
        };
        format!("{what}; {fix}")
    }
}

/// How to get a part of the hierarchy where systemd manages it.
const DELEGATE: &str = "run as root, or start the tool by `systemd-run --user --scope -p CPUWeight=100 -p MemoryMax=infinity cargo fidelity ...`";

/// Returns the group of this process for `controller`, wherever it is counted.
pub(super) fn own(controller: Controller) -> Option<Place> {
    Hierarchies::read().ok()?.own(controller)
}

/// Returns where a group can be made for each of the `controllers`.
///
/// # Errors
/// Why there is no such place, and what to do.
pub(super) fn places(controllers: &[Controller]) -> Result<Vec<(Controller, Place)>, String> {
    let hierarchies = Hierarchies::read()?;
    let hands_on = |directory: &Path| {
        fs::read_to_string(directory.join("cgroup.subtree_control")).unwrap_or_default()
    };
    controllers
        .iter()
        .map(|&controller| {
            Ok((
                controller,
                hierarchies.place(controllers, controller, &hands_on)?,
            ))
        })
        .collect()
}

/// What the kernel says of the hierarchies and of this process's place in them.
#[derive(Debug)]
pub(super) struct Hierarchies {
    /// `/proc/self/cgroup`.
    pub(super) membership: String,
    /// `/proc/self/mountinfo`.
    pub(super) mounts: String,
}

impl Hierarchies {
    fn read() -> Result<Self, String> {
        let read = |path: &str| {
            fs::read_to_string(path).map_err(|_| {
                "this system has no control groups: they are a part of Linux".to_owned()
            })
        };
        Ok(Self {
            membership: read("/proc/self/cgroup")?,
            mounts: read("/proc/self/mountinfo")?,
        })
    }

    /// Returns the group of this process for `controller`.
    pub(super) fn own(&self, controller: Controller) -> Option<Place> {
        self.own_in_version_1(controller)
            .or_else(|| self.own_in_version_2())
    }

    fn own_in_version_1(&self, controller: Controller) -> Option<Place> {
        let name = controller.name();
        let has = |list: &str| list.split(',').any(|word| word == name);
        let path = self
            .memberships()
            .find_map(|(list, path)| has(list).then_some(path))?;
        self.mounted("cgroup", has)
            .find_map(|(root, mount)| within(root, mount, path, Version::V1))
    }

    fn own_in_version_2(&self) -> Option<Place> {
        let path = self
            .memberships()
            .find_map(|(list, path)| list.is_empty().then_some(path))?;
        self.mounted("cgroup2", |_| true)
            .find_map(|(root, mount)| within(root, mount, path, Version::V2))
    }

    /// Returns where a group for `controller` can be made; in version 2 all of `controllers` share it. `hands_on` reads
    /// which controllers the children of a group have.
    ///
    /// # Errors
    /// Why there is no such place, and what to do.
    pub(super) fn place(
        &self,
        controllers: &[Controller],
        controller: Controller,
        hands_on: &dyn Fn(&Path) -> String,
    ) -> Result<Place, String> {
        if let Some(place) = self.own_in_version_1(controller) {
            return Ok(place);
        }
        let name = controller.name();
        let Some(own) = self.own_in_version_2() else {
            return Err(format!(
                "this system has no control groups for {name}; mount them at /sys/fs/cgroup"
            ));
        };
        let in_version_2: Vec<&str> = controllers
            .iter()
            .filter(|other| self.own_in_version_1(**other).is_none())
            .map(|other| other.name())
            .collect();
        // A group with members hands nothing on, so that this is a group above the own one.
        own.directory
            .ancestors()
            .take_while(|directory| directory.starts_with(&own.mount))
            .find(|directory| {
                let handed_on = hands_on(directory);
                let has = |name: &&str| handed_on.split_whitespace().any(|word| word == *name);
                in_version_2.iter().all(has)
            })
            .map(|directory| Place {
                directory: directory.to_owned(),
                ..own.clone()
            })
            .ok_or_else(|| {
                format!(
                    "no group above {} hands the controller {name} on to its children; {DELEGATE}",
                    own.directory.display()
                )
            })
    }

    /// Returns controllers and path of each group this process is in.
    fn memberships(&self) -> impl Iterator<Item = (&str, &str)> {
        self.membership.lines().filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            Some((parts.next()?, parts.next()?))
        })
    }

    /// Returns root and place of each mount of file system `kind` whose options `fit`.
    fn mounted<'a>(
        &'a self,
        kind: &'a str,
        fit: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.mounts.lines().filter_map(move |line| {
            let (before, after) = line.split_once(" - ")?;
            let mut after = after.split(' ');
            let fits = after.next()? == kind && fit(after.nth(1)?);
            let mut before = before.split(' ').skip(3);
            fits.then_some((before.next()?, before.next()?))
        })
    }
}

/// Returns where the group `path` is, if it can be seen in a mount of the group `root`.
fn within(root: &str, mount: &str, path: &str, version: Version) -> Option<Place> {
    let below = Path::new(path).strip_prefix(root).ok()?;
    let climbs = below
        .components()
        .any(|part| part == std::path::Component::ParentDir);
    let mount = PathBuf::from(mount);
    (!climbs).then(|| Place {
        version,
        // Joining nothing would leave a slash at the end.
        directory: if below.as_os_str().is_empty() {
            mount.clone()
        } else {
            mount.join(below)
        },
        mount,
    })
}
