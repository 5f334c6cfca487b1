//! What a stage is to have. Values only: known on every system.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a stage is to have; by default nothing, which needs no stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// A network of its own.
    pub(crate) network: Option<Network>,
    /// How many ports that network gives out by itself; it needs the loopback interface.
    pub(crate) ports: Option<u16>,
    /// The name of the machine.
    pub(crate) hostname: Option<String>,
    /// Processes that see only each other.
    pub(crate) own_pids: bool,
    /// A directory of limited size.
    pub(crate) room: Option<Room>,
    /// A directory that nobody can write to.
    pub(crate) read_only: Option<PathBuf>,
    /// That nothing can be written to but devices, what the kernel shows as files, and what is below these directories.
    pub(crate) read_only_but: Option<Vec<PathBuf>>,
    /// Mounts of its own, even if there is nothing to mount.
    pub(crate) mounts: bool,
}

/// A network of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Network {
    /// No interface is up.
    Down,
    /// The loopback interface is up.
    Loopback,
}

/// A directory of limited size, held in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Room {
    /// Where: an empty directory.
    pub(crate) path: PathBuf,
    /// The user and the group that own it; none leaves the directory's.
    pub(crate) owner: Option<(u32, u32)>,
    /// How many bytes fit.
    pub(crate) size: Option<u64>,
    /// How many files and directories fit.
    pub(crate) files: Option<u64>,
}

/// A part of a stage that can fail by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// The process that keeps it, or the user namespace everything else is in.
    Whole,
    /// The network.
    Network,
    /// Its loopback interface.
    Loopback,
    /// Its range of ports.
    Ports,
    /// The name of the machine.
    Hostname,
    /// Processes of its own.
    Pids,
    /// Mounts of its own.
    Mounts,
    /// The directory of limited size.
    Room,
    /// The directory that nobody can write to.
    ReadOnly,
    /// The rest of the file system.
    Filesystem,
}

impl Plan {
    /// Returns whether there is nothing to make.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether it needs mounts of its own.
    #[cfg(target_os = "linux")]
    pub(crate) fn needs_mounts(&self) -> bool {
        let any = [
            &self.read_only,
            &self.room.as_ref().map(|room| room.path.clone()),
        ];
        // Its processes are seen only where /proc shows them.
        self.mounts
            || self.own_pids
            || self.read_only_but.is_some()
            || any.into_iter().any(Option::is_some)
    }

    /// Returns whether it needs a network of its own.
    #[cfg(target_os = "linux")]
    pub(crate) fn needs_network(&self) -> bool {
        self.network.is_some() || self.ports.is_some()
    }
}
