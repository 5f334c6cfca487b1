//! The stage of a pass: namespaces, made once, on which every guardian of the pass works.
//!
//! A *keeper*, the tool's executable started once more, makes the namespaces a `Plan` asks for and keeps them until
//! its socket breaks. It stays outside itself, so that it can clean up; a *holder* below it lives inside and dies with
//! it. Guardians enter before they say that they are ready, so a trial on a stage costs what any other does.
//! Must not know: knobs, tests, arms. Invariants: a stage is all that was asked for or does not exist; nothing of it
//! is seen outside, and it ends with the tool however that ends.

mod plan;

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod entry;
#[cfg(target_os = "linux")]
mod excuse;
#[cfg(target_os = "linux")]
mod holder;
#[cfg(target_os = "linux")]
mod keeper;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod open;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::main;
#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{Stage, enter};

#[cfg(target_os = "linux")]
pub(crate) use entry::enter;
#[cfg(target_os = "linux")]
pub use keeper::main;
#[cfg(target_os = "linux")]
pub(crate) use open::Stage;
pub(crate) use plan::{Network, Part, Plan, Room};

/// The first argument that makes the executable the keeper of a stage.
pub const ARGUMENT: &str = "__stage";

/// Why a stage could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoStage {
    /// What of it failed.
    pub(crate) part: Part,
    /// The step, the error and its likely cause, for people.
    pub(crate) reason: String,
}
