//! Tests of the direct runner with real processes: outcomes, cleaning up, knobs.
//!
//! They live with the program, because its executable is what becomes guardian and canary.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "these are tests")]
#![expect(unsafe_code, reason = "signals are sent by raw system calls")]

#[path = "runner/cleanup.rs"]
mod cleanup;
#[path = "runner/identity.rs"]
mod identity;
#[path = "runner/knobs.rs"]
mod knobs;
#[path = "runner/load.rs"]
mod load;
#[cfg(target_os = "linux")]
#[path = "runner/namespaces.rs"]
mod namespaces;
#[cfg(target_os = "linux")]
#[path = "runner/namespaces_end.rs"]
mod namespaces_end;
#[path = "runner/outcomes.rs"]
mod outcomes;
#[path = "runner/quotas.rs"]
mod quotas;
#[path = "runner/shared.rs"]
mod shared;
#[path = "runner/stage.rs"]
mod stage;
#[path = "runner/tool.rs"]
mod tool;
#[path = "runner/user.rs"]
mod user;
