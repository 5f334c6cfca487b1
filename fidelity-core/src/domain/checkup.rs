//! What a machine is, and what became of settings that were tried on it.

use super::KnobId;

/// What a machine is found to be. What a system does not say is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// Operating system, kernel and architecture: `linux 6.8.0 x86_64`.
    pub system: String,
    /// CPUs this process may use.
    pub cpus: u64,
    /// Memory in bytes.
    pub memory: Option<u64>,
    /// Memory that is free for programs, in bytes.
    pub memory_available: Option<u64>,
    /// The effective user, by name and number: `nobody (65534)`.
    pub user: Option<String>,
    /// The hierarchy of control groups: `v2 (cpu, memory, pids)`.
    pub cgroups: Option<String>,
    /// Kinds of namespaces, and what stands in the way of making user namespaces.
    pub namespaces: Option<String>,
    /// How many CPUs other programs used while nothing was run: from 0 to the number of CPUs.
    pub foreign_load: Option<f64>,
    /// Programs that are needed, each with its version, or why it cannot be started.
    pub tools: Vec<Tool>,
}

/// A program that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// What it is called.
    pub name: String,
    /// What it says of itself, or why it says nothing.
    pub version: Result<String, String>,
}

/// What a knob needs of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Nothing that an ordinary user has not.
    Portable,
    /// Namespaces of the Linux kernel.
    Namespaced,
    /// Privileges: root, a delegated control group, a capability.
    Privileged,
}

impl Tier {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Namespaced => "namespaced",
            Self::Privileged => "privileged",
        }
    }
}

/// A setting that was imposed on a process of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The fidelity profile that asks for it; none where the catalogue of knobs was gone through.
    pub profile: Option<String>,
    /// The knob.
    pub knob: KnobId,
    /// The setting, as text, without the user part of any URL.
    pub setting: String,
    /// What the knob needs.
    pub tier: Tier,
    /// Whether the process saw each of its values; none where that can only be told with test binaries at hand.
    pub applied: Option<bool>,
    /// What the process saw; why it did not, and what to do, where not applied.
    pub reason: String,
}

impl Tried {
    /// Returns whether it was tried in vain.
    pub fn failed(&self) -> bool {
        self.applied == Some(false)
    }
}
